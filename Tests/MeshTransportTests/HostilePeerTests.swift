import COpenSSL
import Foundation
import MeshCore
import MeshTestSupport
import MeshTransport
import Testing

@Suite("Hostile peers", .tags(.Size.medium), .serialized)
struct HostilePeerTests {
    @Test("bytes that are not TLS are refused", arguments: Seed.sample(5))
    func garbage(_ seed: Seed) throws {
        let a = try Node(1)
        var generator = seed.generator
        let connection = try RawConnection(to: try a.address)
        connection.send((0..<400).map { _ in UInt8.random(in: 0...255, using: &generator) })
        // Random bytes may announce a longer record than they are: the end of the stream decides then.
        shutdown(connection.descriptor, Int32(SHUT_WR))
        #expect(try a.log.refusal() == .handshakeFailed)
        #expect(connection.isClosedByPeer())
    }

    @Test(
        "a certificate that proves nothing is refused",
        arguments: [RawPeer.Certificate.withoutExtension, .forged, .expired, .twoKeys])
    func badCertificates(_ certificate: RawPeer.Certificate) throws {
        let a = try Node(1)
        let peer = try RawPeer(2, certificate: certificate)
        // A TLS 1.3 client may finish before it is judged; what counts is what the server says.
        try? peer.connect(to: try a.address)
        #expect(try a.log.refusal() == .wrongCertificate)
        #expect(a.transport.statistics.count(.wrongCertificate) == 1)
        #expect(a.transport.statistics.links.isEmpty)
    }

    @Test("a client without a certificate is refused")
    func noCertificate() throws {
        let a = try Node(1)
        try? RawPeer(2, certificate: .none).connect(to: try a.address)
        #expect(try a.log.refusal() == .handshakeFailed)
        #expect(a.transport.statistics.links.isEmpty)
    }

    @Test("TLS 1.2 is refused")
    func oldVersion() throws {
        let a = try Node(1)
        let peer = try RawPeer(2, versionMax: TLS1_2_VERSION)
        let address = try a.address
        #expect(throws: RawPeer.Refused.self) { try peer.connect(to: address) }
        #expect(try a.log.refusal() == .handshakeFailed)
    }

    @Test(
        "another application protocol, or none, is refused", arguments: ["planetary-mesh/2", "libp2p", nil])
    func wrongProtocol(_ name: String?) throws {
        let a = try Node(1)
        try? RawPeer(2, protocolName: name).connect(to: try a.address)
        #expect(try a.log.refusal() == .handshakeFailed)
        #expect(a.transport.statistics.links.isEmpty)
    }

    @Test("a huge announced length ends the link")
    func hugeLength() throws {
        let a = try Node(1)
        let peer = try RawPeer(2)
        try peer.connect(to: try a.address)
        peer.write([0xff, 0xff, 0xff, 0xff, 1])
        #expect(try a.log.closed(try a.log.opened().link) == .oversized)
    }

    @Test("a frame that is begun and not finished ends the link at its deadline")
    func truncatedFrame() throws {
        let a = try Node(1) { $0.frameDeadline = .milliseconds(100) }
        let peer = try RawPeer(2)
        try peer.connect(to: try a.address)
        peer.write([0, 0, 0, 100, 1, 2, 3])
        #expect(try a.log.closed(try a.log.opened().link) == .frameTimeout)
    }

    @Test("a connection that ends inside a frame is told apart from a good end")
    func endInsideFrame() throws {
        let a = try Node(1)
        do {
            let peer = try RawPeer(2)
            try peer.connect(to: try a.address)
            peer.write([0, 0, 0, 100, 1, 2, 3])
            _ = try a.log.wait { events in events.isEmpty ? nil : true }
        }
        #expect(try a.log.closed(try a.log.opened().link) == .truncated)
    }

    @Test("a handshake that is begun and not finished ends at its deadline")
    func slowHandshake() throws {
        let a = try Node(1) { $0.handshakeDeadline = .milliseconds(100) }
        let connection = try RawConnection(to: try a.address)
        connection.send([22, 3, 1])
        #expect(try a.log.refusal() == .handshakeTimeout)
        #expect(connection.isClosedByPeer())
    }

    @Test("a hundred half-open connections do not keep a good peer out")
    func slowloris() throws {
        let a = try Node(1) { $0.halfOpenMax = 8 }
        let good = try Node(2)
        let address = try a.address
        var idlers: [RawConnection] = []
        for _ in 0..<100 {
            let idler = try RawConnection(to: address)
            idler.send([22])
            idlers.append(idler)
        }
        let (here, _) = try good.connect(to: a)
        good.transport.send(1, [1], to: here)
        #expect(try a.log.frames(1)[0].body == [1])
        #expect(a.transport.statistics.count(.halfOpenLimit) >= 90)
        #expect(idlers.count == 100)
    }

    @Test("an address that opens too many connections has to wait")
    func rate() throws {
        let a = try Node(1) {
            $0.handshakeBurst = 3
            $0.handshakeRate = 0
        }
        let connections = try (0..<4).map { _ in try RawConnection(to: try a.address) }
        #expect(try a.log.refusal() == .rateLimited)
        #expect(connections[3].isClosedByPeer())
    }

    @Test("links beyond the limit are refused")
    func linkLimit() throws {
        let a = try Node(1) { $0.linkCountMax = 1 }
        let b = try Node(2)
        _ = try b.connect(to: a)
        let connection = try RawConnection(to: try a.address)
        #expect(connection.isClosedByPeer())
        #expect(try a.log.refusal() == .linkLimit)
        a.transport.dial(try Node(3).address, expecting: nil)
        #expect(try a.log.dialFailure().code == .linkLimit)
    }

    @Test("random frames from an authenticated peer cost it its own link only", arguments: Seed.sample(10))
    func frameFuzz(_ seed: Seed) throws {
        let (a, b) = (try Node(1), try Node(2))
        let (here, _) = try b.connect(to: a)
        let peer = try RawPeer(3)
        try peer.connect(to: try a.address)
        var generator = seed.generator
        for _ in 0..<20 {
            peer.write(
                (0..<Int.random(in: 1...2000, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                })
        }
        let did = peer.did
        let _: Bool = try a.log.wait { events in
            for case .linkClosed(_, did, _) in events { return true }
            return nil
        }
        b.transport.send(1, [2], to: here)
        let received = try a.log.wait { events in
            for case .frame(_, 1, let body) in events where body == [2] { return body }
            return nil
        }
        #expect(received == [2])
    }
}
