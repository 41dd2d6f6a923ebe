internal import Glibc
internal import LMDB
internal import MeshCore
internal import MeshStorage

/// Turns LMDB's failures into the store's, with a sentence that names the directory.
struct FailureReport: Sendable {
    let directory: String

    func error(_ error: LMDBError) -> StorageError {
        switch error.kind {
        case .mapFull:
            StorageError(
                .full, "the store in \(directory) has reached its largest size",
                hint: "raise store.map_bytes_max and restart")
        case .diskFull: full(error)
        case .access where error.number == EIO && isOutOfRoom: full(error)
        case .access, .ended, .other, .notInOrder:
            StorageError(.access, "the store in \(directory) failed: \(error.description)")
        case .corrupt:
            StorageError(
                .corrupt, "the store in \(directory) is damaged: \(error.description)",
                hint: "move the directory away and start the node afresh; it fetches the feeds from its peers"
            )
        case .keySize:
            StorageError(.keySize, "a key is empty or longer than \(StorageTable.keyByteCountMax) bytes")
        }
    }

    private func full(_ error: LMDBError) -> StorageError {
        StorageError(
            .full, "no room for the store in \(directory): \(error.description)",
            hint: "free some disk space; the node goes on by itself")
    }

    /// Whether a write that was cut short, which LMDB reports as EIO, was cut short by lack of room.
    private var isOutOfRoom: Bool {
        let margin: UInt64 = 1 << 20
        var system = statvfs()
        if unsafe statvfs(directory, &system) == 0, UInt64(system.f_bavail) * UInt64(system.f_frsize) < margin
        {
            return true
        }
        var limit = rlimit()
        var file = stat()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
            unsafe stat(directory + "/data.mdb", &file) == 0
        else { return false }
        return limit.rlim_cur != rlim_t.max && UInt64(file.st_size) + margin > limit.rlim_cur
    }
}
