internal import Glibc
internal import MeshCore
internal import MeshStorage

/// Keeps every other store out of a data directory for as long as it lives.
///
/// LMDB alone would let a second process in. The lock is the system's (`flock`), so it falls with the
/// process that holds it, however that ends.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Creates `directory`, with mode 0700, where it is missing, and locks it.
    ///
    /// - Throws: ``StorageFailure/locked``, ``StorageFailure/access`` or ``StorageFailure/full``.
    init(directory: String) throws(StorageError) {
        try Self.create(directory)
        let path = directory + "/lock"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("\(path) cannot be opened", errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            guard number == EWOULDBLOCK else { throw Self.failure("\(path) cannot be locked", number) }
            throw StorageError(
                .locked, "another process has the data directory \(directory) open",
                hint: "stop it, or name another directory with --data")
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Creates a directory and those above it that are missing.
    static func create(_ directory: String) throws(StorageError) {
        guard !directory.isEmpty else {
            throw StorageError(.access, "the data directory has no name")
        }
        var path = directory.hasPrefix("/") ? "/" : ""
        for part in directory.split(separator: "/") {
            path += part
            if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
                throw failure("the directory \(path) cannot be created", errno)
            }
            path += "/"
        }
        guard unsafe access(directory, R_OK | W_OK | X_OK) == 0 else {
            throw failure("the data directory \(directory) cannot be written", errno)
        }
        var status = stat()
        guard unsafe stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw failure("the data directory \(directory) cannot be used", ENOTDIR)
        }
    }

    private static func failure(_ what: String, _ number: Int32) -> StorageError {
        let reason = unsafe String(cString: strerror(number))
        if number == ENOSPC || number == EDQUOT {
            return StorageError(.full, "\(what): \(reason)", hint: "free some disk space")
        }
        return StorageError(
            .access, "\(what): \(reason)", hint: "name a directory that this user may write with --data")
    }
}
