import MeshCore
import MeshTestSupport
import MeshTransport
import Testing

@Suite("SocketAddress", .tags(.Size.small))
struct SocketAddressTests {
    @Test(
        "an address prints as it was written",
        arguments: ["127.0.0.1:7420", "[::1]:7420", "[2001:db8::1]:0", "node.example:65535", "localhost:1"])
    func roundTrip(_ text: String) throws {
        #expect(try SocketAddress(text).description == text)
    }

    @Test("one address has one form")
    func canonical() throws {
        #expect(try SocketAddress("[2001:0DB8:0::1]:1") == SocketAddress("[2001:db8::1]:1"))
        #expect(try SocketAddress("Node.Example:1") == SocketAddress("node.example:1"))
    }

    @Test(
        "what is not an address is refused",
        arguments: [
            "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", ":7420",
            "::1:7420", "[::1]", "[::1:7420", "[nonsense]:1", "[127.0.0.1]:1", "256.0.0.1:1", "1.2.3:1",
            "a b:1",
            "-a:1", "a..b:1", "ä:1", "[fe80::1%eth0]:1", String(repeating: "a", count: 64) + ":1",
        ])
    func refused(_ text: String) {
        #expect(throws: TransportError(.addressInvalid, "")) { try SocketAddress(text) }
    }
}
