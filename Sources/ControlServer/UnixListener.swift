public import MeshCore

internal import Glibc

/// Why the control socket could not be opened.
public enum ControlFailure: String, Sendable, CaseIterable {
    /// The path does not fit into a socket address.
    case pathTooLong = "control.path-too-long"
    /// Another daemon answers on it.
    case inUse = "control.in-use"
    /// Something that is not a socket stands there.
    case notASocket = "control.not-a-socket"
    /// The system refused.
    case system = "control.system"
}

public typealias ControlError = CodedError<ControlFailure>

/// A listening Unix stream socket that only its owner can open.
enum UnixListener {
    /// The longest path that fits into `sockaddr_un` with its final zero.
    static let pathByteCountMax = 107

    /// Binds and listens.
    ///
    /// A socket file that nobody answers on is replaced; anything else is left alone. The mode is
    /// set on the descriptor before it is bound, so that the file never exists with a looser one.
    /// - Returns: The descriptor, which the caller owns.
    static func open(_ path: String) throws(ControlError) -> Int32 {
        guard path.utf8.count <= pathByteCountMax, !path.utf8.contains(0) else {
            throw ControlError(
                .pathTooLong,
                "the socket path has \(path.utf8.count) bytes, and \(pathByteCountMax) is the most",
                hint: "set control.socket to a shorter path")
        }
        try removeStale(path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("open a socket", path) }
        guard fchmod(descriptor, 0o600) == 0,
            unsafe withAddress(of: path, { unsafe bind(descriptor, $0, $1) }) == 0,
            unsafe chmod(path, 0o600) == 0, listen(descriptor, 512) == 0
        else {
            let error = failure("listen on", path)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func removeStale(_ path: String) throws(ControlError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ControlError(
                .notASocket, "\(path) exists and is not a socket", hint: "move it away or set control.socket")
        }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { throw failure("open a socket", path) }
        defer { close(probe) }
        if unsafe withAddress(of: path, { unsafe connect(probe, $0, $1) }) == 0 {
            throw ControlError(
                .inUse, "another daemon answers on \(path)", hint: "stop it, or set another control.socket")
        }
        guard errno == ECONNREFUSED else { throw failure("ask who listens on", path) }
        guard unsafe unlink(path) == 0 else { throw failure("remove the stale socket", path) }
    }

    private static func withAddress(
        of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        return unsafe withUnsafePointer(to: address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func failure(_ action: String, _ path: String) -> ControlError {
        let reason = unsafe String(cString: strerror(errno))
        return ControlError(.system, "cannot \(action) \(path): \(reason)")
    }
}
