internal import ExecutionDocuments
internal import Glibc
internal import MeshCore

/// An open file of the store, closed with the value.
///
/// Used by one thread.
final class OpenFile {
    let descriptor: Int32
    /// For messages alone.
    let path: String

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Refuses pipes, devices and the like, which would block or never end.
    func checkKind() throws(ExecutionError) {
        guard try status().st_mode & S_IFMT == S_IFREG else {
            throw ExecutionError(.outsideRoot, "\(path) is not a file")
        }
    }

    /// The length in bytes.
    func length() throws(ExecutionError) -> Int { Int(try status().st_size) }

    private func status() throws(ExecutionError) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw Folder.failure("\(path) cannot be examined", errno)
        }
        return status
    }

    /// Waits for the file's lock, which falls with the descriptor, however the process ends.
    func lock(isShared: Bool = false) throws(ExecutionError) {
        while flock(descriptor, isShared ? LOCK_SH : LOCK_EX) != 0 {
            guard errno == EINTR else { throw Folder.failure("\(path) cannot be locked", errno) }
        }
    }

    /// Takes the file's lock where nobody has it.
    func tryLock() throws(ExecutionError) -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            guard errno == EINTR else { throw Folder.failure("\(path) cannot be locked", errno) }
        }
        return true
    }

    /// Writes all of `bytes` at the descriptor's place, which is the end for a file opened to append.
    func append(_ bytes: [UInt8]) throws(ExecutionError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw Folder.failure("\(path) cannot be written", count < 0 ? errno : ENOSPC)
            }
            written += count
        }
    }

    /// The bytes of `range`, or as many of them as are there.
    func read(_ range: Range<Int>) throws(ExecutionError) -> [UInt8] {
        var failed: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            while count < range.count {
                let got = unsafe pread(
                    descriptor, buffer.baseAddress?.advanced(by: count), range.count - count,
                    off_t(range.lowerBound + count))
                if got < 0, errno == EINTR { continue }
                if got < 0 { failed = errno }
                guard got > 0 else { return }
                count += got
            }
        }
        guard failed == 0 else { throw Folder.failure("\(path) cannot be read", failed) }
        return bytes
    }

    func truncate(to length: Int) throws(ExecutionError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else {
            throw Folder.failure("\(path) cannot be cut back", errno)
        }
    }

    func sync() throws(ExecutionError) {
        guard fsync(descriptor) == 0 else { throw Folder.failure("\(path) cannot be synced", errno) }
    }
}
