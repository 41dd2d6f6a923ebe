import MeshCore
import MeshGossip
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("Whom a node dials", .tags(.Size.small))
struct DialerTests {
    private static let peers = (1...3).map { DID(publicKey: Bytes32([UInt8](repeating: $0, count: 32))) }

    @Test("a peer that moves a hundred times is looked for where it says it is now, and nowhere else")
    func moving() {
        var dialer = Dialer(own: Self.peers[0], seed: 1)
        let now = Timestamp(milliseconds: 1_000)
        dialer.configure("127.0.0.1:1", did: nil, now: now)
        for port in 1000..<1100 {
            for (offset, peer) in Self.peers.dropFirst().enumerated() {
                dialer.learn(["127.0.0.1:\(port * 2 + offset)"], did: peer, linked: false, now: now)
            }
        }
        #expect(dialer.waiting.map(\.address) == ["127.0.0.1:1", "127.0.0.1:2198", "127.0.0.1:2199"])
        #expect(dialer.due(now: now).map(\.did) == [nil, Self.peers[1], Self.peers[2]])
    }
}
