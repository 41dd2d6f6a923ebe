internal import CLinux
internal import Glibc

/// A TCP socket on a loopback address, closed with the value.
final class LoopbackSocket: Sendable {
    let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    private static func make() throws(DevnetError) -> LoopbackSocket {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw .system("no socket") }
        let made = LoopbackSocket(descriptor)
        made.set(TCP_NODELAY, of: Int32(IPPROTO_TCP), to: 1)
        return made
    }

    /// Listens on any free port of `host`.
    static func listening(on host: [UInt8]) throws(DevnetError) -> LoopbackSocket {
        let made = try make()
        guard unsafe withName(host, 0, { unsafe bind(made.descriptor, $0, $1) }) == 0,
            listen(made.descriptor, 256) == 0
        else { throw .system("cannot listen on the loopback interface") }
        return made
    }

    /// Begins a connection from `source`, where there is one, to a port of `host`.
    ///
    /// - Returns: `nil` when it is refused at once.
    static func connecting(to host: [UInt8], _ port: UInt16, from source: [UInt8]?) -> LoopbackSocket? {
        guard let made = try? make() else { return nil }
        if let source {
            made.set(IP_BIND_ADDRESS_NO_PORT, of: Int32(IPPROTO_IP), to: 1)
            guard unsafe withName(source, 0, { unsafe bind(made.descriptor, $0, $1) }) == 0 else {
                return nil
            }
        }
        let status = unsafe withName(host, port) { unsafe connect(made.descriptor, $0, $1) }
        return status == 0 || errno == EINPROGRESS ? made : nil
    }

    /// The next connection that waits, with the address it comes from.
    func accept() -> (socket: LoopbackSocket, host: [UInt8])? {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let accepted = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe mesh_accept(descriptor, $0, &length)
            }
        }
        guard accepted >= 0 else { return nil }
        let socket = LoopbackSocket(accepted)
        socket.set(TCP_NODELAY, of: Int32(IPPROTO_TCP), to: 1)
        return (socket, unsafe withUnsafeBytes(of: name.sin_addr) { unsafe Array($0) })
    }

    /// The port that it has.
    var port: UInt16 {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        return status == 0 ? UInt16(bigEndian: name.sin_port) : 0
    }

    /// Whether a connection that was begun now stands.
    var isConnected: Bool {
        var status: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &status, &length) == 0 && status == 0
    }

    enum Received {
        case bytes([UInt8])
        case end
        case reset
        case nothing
    }

    func receive(into buffer: inout [UInt8]) -> Received {
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        if count == 0 { return .end }
        return errno == EAGAIN || errno == EINTR ? .nothing : .reset
    }

    /// - Returns: How many bytes were taken; `nil` when the connection is lost.
    func send(_ bytes: [UInt8], from start: Int) -> Int? {
        let count = unsafe bytes.withUnsafeBytes { raw in
            unsafe Glibc.send(
                descriptor, raw.baseAddress.map { unsafe $0 + start }, raw.count - start,
                Int32(MSG_NOSIGNAL))
        }
        if count >= 0 { return count }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }

    /// Makes closing tell the other side that the connection is lost, not ended.
    func breakOff() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }

    private func set(_ option: Int32, of level: Int32, to value: Int32) {
        var value = value
        unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func withName<Result>(
        _ host: [UInt8], _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &name.sin_addr) { unsafe $0.copyBytes(from: host.prefix(4)) }
        return unsafe withUnsafePointer(to: name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
