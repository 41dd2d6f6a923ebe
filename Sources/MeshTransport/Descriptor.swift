internal import Glibc

/// An open file descriptor with one owner, closed when the owner lets go of it.
struct Descriptor: ~Copyable {
    let rawValue: Int32

    /// Takes ownership of what a system call returned; `nil` for a failure.
    init?(adopting rawValue: Int32) {
        guard rawValue >= 0 else { return nil }
        self.rawValue = rawValue
    }

    deinit { close(rawValue) }

    /// A fresh non-blocking TCP socket.
    init?(socketOfFamily family: Int32) {
        self.init(
            adopting: socket(
                family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0))
    }

    /// Sets an integer option; an option that the system does not know is not worth a failure.
    borrowing func set(_ option: Int32, of level: Int32, to value: Int32) {
        var value = value
        unsafe setsockopt(rawValue, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// The pending error of a connection attempt; 0 when it succeeded.
    borrowing func takeError() -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(rawValue, SOL_SOCKET, SO_ERROR, &value, &length) == 0 else { return errno }
        return value
    }
}
