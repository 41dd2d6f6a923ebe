import Foundation
import MeshTestSupport
import MeshTransport
import Testing

@Suite("Shutdown", .tags(.Size.medium), .serialized)
struct ShutdownTests {
    /// How many sockets of this process have `port` as their own.
    private func socketCount(port: UInt16) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init).count {
            descriptor in
            var name = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let status = unsafe withUnsafeMutablePointer(to: &name) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe getsockname(descriptor, $0, &length)
                }
            }
            return status == 0 && name.sin_family == sa_family_t(AF_INET) && name.sin_port == port.bigEndian
        }
    }

    private func hasThread(port: UInt16) throws -> Bool {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").contains { task in
            let name = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
            return name?.trimmingCharacters(in: .newlines) == "mesh-tls-\(port)"
        }
    }

    @Test("shutdown ends every link and leaves neither a descriptor nor a thread")
    func leavesNothing() throws {
        let a = try Node(1)
        let others = try (2...6).map { try Node($0) }
        for other in others { _ = try other.connect(to: a) }
        let halfOpen = try RawConnection(to: try a.address)
        let port = try a.address.port
        #expect(try socketCount(port: port) >= 6)
        #expect(try hasThread(port: port))
        a.transport.shutdown()
        #expect(try socketCount(port: port) == 0)
        #expect(try !hasThread(port: port))
        let closed = a.log.all.count { event in
            if case .linkClosed(_, _, .shutdown) = event { return true }
            return false
        }
        #expect(closed == 5)
        for other in others { #expect(try other.log.closed(try other.log.opened().link) == .closedByPeer) }
        #expect(halfOpen.isClosedByPeer())
        a.transport.shutdown()
        a.transport.dial(try SocketAddress("127.0.0.1:1"), expecting: nil)
    }

    @Test("a port can be listened on again at once")
    func restart() throws {
        let a = try Node(1)
        let b = try Node(2)
        _ = try b.connect(to: a)
        let address = try a.address
        a.transport.shutdown()
        let again = try Node(1) { $0.listen = address }
        #expect(try again.address == address)
    }
}
