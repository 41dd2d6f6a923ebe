import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
@testable import MeshGossip
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Frontier exchange", .tags(.Size.small))
struct FrontierExchangeTests {
    private static let now = Timestamp(milliseconds: 1_000_000)
    private static let link = PeerLink(rawValue: 1)

    /// A graph with one anchor of each of these authors; the scope is as long as scopes may be.
    private func graph(_ authors: Range<Int>, _ storage: MemoryStorage) throws -> FeedGraph {
        var graph = FeedGraph()
        try storage.write { writer throws(StorageError) in
            for author in authors {
                let signer = SilentSigner(author)
                _ = try graph.publish(
                    [IPLDValue.text("\(author)").encoded], attachments: { _ in [] }, by: signer,
                    scope: SilentSigner.scope, now: Self.now, in: writer)
            }
        }
        return graph
    }

    /// Signs with zeros: nobody checks here.
    private struct SilentSigner: Signer {
        static let scope = String(repeating: "s", count: 64)
        let did: DID

        init(_ number: Int) { did = DID(publicKey: SHA256.hash(Array("\(number)".utf8))) }
        func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8] { [UInt8](repeating: 0, count: 64) }
    }

    private func machine(_ number: Int) -> GossipMachine {
        GossipMachine(
            signer: SilentSigner(number), network: "n", scope: SilentSigner.scope, addresses: [],
            incarnation: 0, seed: 1, now: Self.now)
    }

    /// The first frame of a peer.
    private func hello(_ number: Int, _ fingerprint: Bytes32) -> Frame {
        let signer = SilentSigner(number)
        let member = SignedMember(
            signing: MemberRecord(did: signer.did, addresses: [], incarnation: 1, time: Self.now), by: signer)
        return .hello(network: "n", features: [], fingerprint: fingerprint, member: member.envelope)
    }

    /// A frame as it comes out of the preparation.
    private func input(_ frame: Frame, on link: PeerLink = link) -> GossipInput {
        guard case .hello(_, _, _, let record) = frame else { return .frame(link, frame, members: []) }
        return .frame(
            link, frame, members: SignedMember(decoding: record, verifier: Trusting()).map { [$0] } ?? [])
    }

    /// The frames of reconciliation; what keeps the overlay and the membership is tested elsewhere.
    private func frames(_ effects: [GossipEffect]) -> [Frame] {
        effects.compactMap { if case .send(_, let frame) = $0 { frame } else { nil } }.filter {
            [.frontier, .want, .have, .wantBlocks].contains($0.type)
        }
    }

    @Test("a node learns how far its own feed is known from the range that covers it, and from no other")
    func ownFrontier() throws {
        let storage = MemoryStorage()
        let peer = try graph(0..<2_000, storage)
        let last = try #require(peer.frontier.last).feed.author
        let number = try #require((0..<2_000).first { SilentSigner($0).did == last })
        var own = machine(number)
        _ = own.step(
            .linkOpened(Self.link, peer: machine(9_999).own, address: "p:1", outbound: true), now: Self.now,
            graph: FeedGraph())
        let greeted = own.step(
            input(hello(9_999, peer.fingerprint)), now: Self.now, graph: FeedGraph())
        #expect(frames(greeted) == [.frontier([FrontierRange(upTo: nil, .marks([]))])])
        var asked = machine(9_999)
        _ = asked.step(
            .linkOpened(Self.link, peer: own.own, address: "p:1", outbound: false), now: Self.now, graph: peer
        )
        _ = asked.step(
            input(hello(number, FeedGraph().fingerprint)), now: Self.now, graph: peer)
        let pages = frames(asked.step(input(frames(greeted)[0]), now: Self.now, graph: peer))
        #expect(pages.count == 3)
        for (index, page) in pages.enumerated() {
            let effects = own.step(input(try again(page)), now: Self.now, graph: FeedGraph())
            let known = effects.compactMap { if case .ownFrontier(_, let seq) = $0 { seq } else { nil } }
            #expect(known == (index == 2 ? [0] : []))
        }
    }

    /// The frame as it comes out of the wire, within its cap.
    private func again(_ frame: Frame) throws -> Frame {
        let body = frame.encoded
        #expect(body.count <= frame.type.byteCountMax)
        return try Frame(type: frame.type, body: body)
    }

    @Test("equal frontiers need no answer")
    func small() throws {
        var machine = machine(1)
        _ = machine.step(
            .linkOpened(Self.link, peer: SilentSigner(2).did, address: "p:1", outbound: true), now: Self.now,
            graph: FeedGraph())
        let effects = machine.step(
            input(hello(2, FeedGraph().fingerprint)),
            now: Self.now,
            graph: FeedGraph())
        #expect(frames(effects).isEmpty)
    }

    @Test("a peer that lists feeds without end is cut off")
    func endlessList() throws {
        var machine = machine(1)
        let graph = FeedGraph()
        _ = machine.step(
            .linkOpened(Self.link, peer: SilentSigner(2).did, address: "p:1", outbound: true), now: Self.now,
            graph: graph)
        _ = machine.step(
            input(hello(2, graph.fingerprint)),
            now: Self.now, graph: graph)
        let cid = CID(of: [1], codec: .dagCBOR)
        var closedAfter: Int?
        for page in 0..<200 where closedAfter == nil {
            let marks = (0..<700).map { number in
                var key = [UInt8](repeating: 0, count: 24)
                key.append(bigEndian: UInt64(page * 700 + number))
                return FrontierMark(
                    feed: FeedID(author: DID(publicKey: Bytes32(key)), scope: "s"), seq: 1, cid: cid,
                    frozenAt: nil)
            }
            let frame = Frame.frontier([FrontierRange(upTo: nil, .differing(marks))])
            for case .close in machine.step(input(frame), now: Self.now, graph: graph) {
                closedAfter = page
            }
        }
        #expect(closedAfter == 100_000 / 700)
    }

    @Test("of many missing blocks each is asked for in its turn")
    func missingBlocks() throws {
        let storage = MemoryStorage()
        var graph = FeedGraph()
        var missing: Set<CID> = []
        try storage.write { writer throws(StorageError) in
            for author in 0..<10 {
                let signer = SilentSigner(author)
                let parents = (0..<16).map { CID(of: [UInt8(author), $0], codec: .dagCBOR) }.sorted()
                missing.formUnion(parents)
                let entry = IPLDValue.text("\(author)").encoded
                let anchor = Anchor(
                    author: signer.did, scope: SilentSigner.scope, seq: 0, prev: nil, parents: parents,
                    time: HybridTime(milliseconds: 1, counter: 0), entries: [CID(of: entry, codec: .dagCBOR)])
                let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: signer)
                guard
                    let received = try? ReceivedAnchor(
                        cid: envelope.cid, bytes: envelope.bytes, entries: [entry], attachments: { _ in [] },
                        verifier: Trusting())
                else { continue }
                _ = try graph.receive(received, now: Self.now, in: writer)
            }
        }
        #expect(graph.missingBlocks.count == 160)
        var machine = machine(99)
        _ = machine.step(
            .linkOpened(Self.link, peer: SilentSigner(98).did, address: "p:1", outbound: true), now: Self.now,
            graph: graph)
        _ = machine.step(
            input(hello(98, graph.fingerprint)),
            now: Self.now, graph: graph)
        var asked: Set<CID> = []
        for second in 1...3 {
            for case .wantBlocks(let cids) in frames(
                machine.step(.deadlineReached, now: Self.now + Int64(second) * 1_000, graph: graph))
            {
                #expect(cids.count == 64)
                asked.formUnion(cids)
            }
        }
        #expect(asked == missing)
    }

    private struct Trusting: SignatureVerifier {
        func isSigned(_ envelope: Envelope, by author: DID) -> Bool { true }
    }

    @Test("what one peer does not answer is asked of the next")
    func silentPeer() throws {
        let storage = MemoryStorage()
        let peer = try graph(0..<1, storage)
        let own = FeedGraph()
        var machine = machine(1)
        for number in 1...3 {
            let link = PeerLink(rawValue: UInt64(number))
            _ = machine.step(
                .linkOpened(
                    link, peer: SilentSigner(10 + number).did, address: "p:\(number)", outbound: true),
                now: Self.now, graph: own)
            _ = machine.step(
                input(hello(10 + number, peer.fingerprint), on: link),
                now: Self.now, graph: own)
        }
        func wants(_ effects: [GossipEffect]) -> [UInt64] {
            effects.compactMap { if case .send(let link, .want) = $0 { link.rawValue } else { nil } }
        }
        var asked: [UInt64] = []
        for number in 1...3 {
            let told = Frame.frontier([
                FrontierRange(upTo: nil, .differing(peer.marks(at: 0..<peer.feedCount)))
            ])
            asked += wants(
                machine.step(input(told, on: PeerLink(rawValue: UInt64(number))), now: Self.now, graph: own))
        }
        #expect(asked == [1])
        for second in 1...12 {
            asked += wants(machine.step(.deadlineReached, now: Self.now + Int64(second) * 1_000, graph: own))
        }
        #expect(asked == [1, 2, 3, 1, 2])
    }
}
