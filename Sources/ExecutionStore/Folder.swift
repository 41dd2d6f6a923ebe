internal import CLinux
internal import ExecutionDocuments
internal import Glibc
internal import MeshCore
internal import Synchronization

/// An open folder of the store; whatever is below it is reached by one name at a time.
///
/// No name is followed when it is a symbolic link, so nothing outside of the root is ever reached, however the
/// folders change while the store works. The root itself may be reached through links.
final class Folder: Sendable {
    let descriptor: Int32
    /// For messages alone.
    let path: String

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// The root, which must be there.
    static func root(_ path: String) throws(ExecutionError) -> Folder {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("the folder \(path) cannot be opened", errno) }
        return Folder(descriptor: descriptor, path: path == "/" ? "" : path)
    }

    /// The folder `name` in this one; `nil` where it is missing.
    func existing(_ name: String) throws(ExecutionError) -> Folder? {
        let inner = unsafe openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if inner < 0, errno == ENOENT { return nil }
        guard inner >= 0 else { throw Self.failure("the folder \(path)/\(name) cannot be opened", errno) }
        return Folder(descriptor: inner, path: "\(path)/\(name)")
    }

    /// The folder `name` in this one, made where it is missing, and whether it was.
    func made(_ name: String) throws(ExecutionError) -> (folder: Folder, isNew: Bool) {
        let isNew = unsafe mkdirat(descriptor, name, 0o700) == 0
        guard isNew || errno == EEXIST else {
            throw Self.failure("the folder \(path)/\(name) cannot be made", errno)
        }
        guard let folder = try existing(name) else {
            throw Self.failure("the folder \(path)/\(name) cannot be opened", ENOENT)
        }
        return (folder, isNew)
    }

    /// Whether anything has that name.
    func has(_ name: String) -> Bool {
        var status = stat()
        return unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
    }

    /// Opens a file of this folder; `nil` where it is missing and `flags` do not make it.
    func open(_ name: String, _ flags: Int32) throws(ExecutionError) -> OpenFile? {
        let file = unsafe openat(descriptor, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o600)
        if file < 0, errno == ENOENT, flags & O_CREAT == 0 { return nil }
        guard file >= 0 else { throw Self.failure("the file \(path)/\(name) cannot be opened", errno) }
        let opened = OpenFile(descriptor: file, path: "\(path)/\(name)")
        try opened.checkKind()
        return opened
    }

    private static let counter = Atomic<UInt64>(0)

    /// Writes a file whole: under another name first, which then takes the place of `name`.
    ///
    /// Where `isSynced`, the bytes are on the disk before the name is; otherwise the caller syncs the file system
    /// before anybody is told. When it throws, `name` is as before.
    func write(_ name: String, _ bytes: [UInt8], isSynced: Bool) throws(ExecutionError) {
        let number = Self.counter.add(1, ordering: .relaxed).newValue
        let temporary = ".\(name).\(getpid())-\(number)"
        // Left by an earlier process of the same number, if at all.
        unsafe unlinkat(descriptor, temporary, 0)
        do throws(ExecutionError) {
            guard let file = try open(temporary, O_WRONLY | O_CREAT | O_EXCL) else {
                throw Self.failure("the file \(path)/\(temporary) cannot be made", ENOENT)
            }
            try file.append(bytes)
            if isSynced { try file.sync() }
            guard unsafe renameat(descriptor, temporary, descriptor, name) == 0 else {
                throw Self.failure("the file \(path)/\(name) cannot be put in place", errno)
            }
        } catch {
            unsafe unlinkat(descriptor, temporary, 0)
            throw error
        }
    }

    /// Removes a file or an empty folder; what is missing already is fine.
    func remove(_ name: String, isFolder: Bool = false) throws(ExecutionError) {
        guard unsafe unlinkat(descriptor, name, isFolder ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT else {
            throw Self.failure("\(path)/\(name) cannot be removed", errno)
        }
    }

    /// The names in this folder, sorted.
    func names() throws(ExecutionError) -> [String] {
        // A descriptor of its own, so that the place in the folder is not shared.
        let own = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard own >= 0, let stream = unsafe fdopendir(own) else {
            throw Self.failure("the folder \(path) cannot be listed", errno)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Writes the folder's names to the disk.
    func sync() throws(ExecutionError) {
        guard fsync(descriptor) == 0 else { throw Self.failure("\(path) cannot be synced", errno) }
    }

    /// Which file system the folder is on.
    func device() throws(ExecutionError) -> UInt64 {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw Self.failure("\(path) cannot be examined", errno)
        }
        return UInt64(status.st_dev)
    }

    /// Writes everything of this folder's file system to the disk.
    func syncFileSystem() throws(ExecutionError) {
        guard mesh_sync_file_system(descriptor) == 0 else {
            throw Self.failure("the file system of \(path) cannot be synced", errno)
        }
    }

    /// What a number of the system's means here.
    static func failure(_ what: String, _ number: Int32) -> ExecutionError {
        let reason = unsafe String(cString: strerror(number))
        switch number {
        case ELOOP, ENOTDIR, EMLINK:
            return ExecutionError(
                .outsideRoot, "\(what): a link, or something that is no folder, stands in the way",
                hint: "the store follows no links below its root")
        case ENOSPC, EDQUOT, EFBIG:
            return ExecutionError(.full, "\(what): \(reason)", hint: "free some disk space")
        default: return ExecutionError(.access, "\(what): \(reason)")
        }
    }
}
