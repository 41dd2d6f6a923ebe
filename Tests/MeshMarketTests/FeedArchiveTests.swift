import IPLD
import MeshCore
import MeshDAG
import MeshFederation
import MeshIdentity
import MeshMarket
import MeshTestSupport
import Testing

@Suite("Verifying exported feeds", .tags(.Size.small))
struct FeedArchiveTests {
    private static let author = ReceiptScene.identity(1)

    private struct Link {
        let anchor: Block
        let entries: [Block]
        var blocks: [Block] { [anchor] + entries }
    }

    /// One anchor over `count` closes; `text` makes them different from others.
    private static func link(
        _ author: Identity = author, seq: UInt64, prev: CID?, time: Int64, text: String, count: Int = 3,
        parents: [CID] = [], signer: Identity? = nil, extra: [Block] = []
    ) -> Link {
        let entries =
            (0..<count).map { index in
                Block(
                    JobClose(
                        manifest: CID(of: Array("\(text) \(index)".utf8), codec: .dagCBOR), result: .expired,
                        charged: 0, credited: 0
                    ).encoded, codec: .dagCBOR)
            } + extra
        let anchor = Anchor(
            author: author.did, scope: "default", seq: seq, prev: prev, parents: parents,
            time: HybridTime(milliseconds: time, counter: 0), entries: entries.map(\.cid))
        let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: signer ?? author)
        return Link(anchor: Block(cid: envelope.cid, bytes: envelope.bytes), entries: entries)
    }

    private static func chain(_ count: Int) -> [Link] {
        var links: [Link] = []
        for seq in 0..<count {
            links.append(
                link(
                    seq: UInt64(seq), prev: links.last?.anchor.cid, time: Int64(10 + seq),
                    text: "entry \(seq)"))
        }
        return links
    }

    private static func verify(_ blocks: [Block], roots: [CID]) -> FeedArchiveVerification {
        FeedArchiveVerifier().verify(CAR(roots: roots, blocks: blocks).encoded)
    }

    private static func kinds(_ blocks: [Block]) -> [FeedArchiveVerification.FaultKind] {
        verify(blocks, roots: []).faults.map(\.kind)
    }

    @Test("whole feeds pass, whatever the order of their blocks")
    func whole() {
        let chain = Self.chain(4)
        let other = Self.link(
            ReceiptScene.identity(2), seq: 0, prev: nil, time: 50, text: "other",
            parents: [chain[3].anchor.cid])
        let blocks = chain.flatMap(\.blocks) + other.blocks
        let roots = [chain[3].anchor.cid, other.anchor.cid]
        for order in [blocks, blocks.reversed()] {
            let verification = Self.verify(order, roots: roots)
            #expect(verification.ok, "\(verification.faults)")
            #expect(verification.anchorCount == 5)
            #expect(verification.entryCount == 15)
            #expect(verification.feeds.map(\.seq).sorted() == [0, 3])
            #expect(Set(verification.feeds.map(\.head)) == Set(roots))
        }
    }

    @Test("every changed byte is a fault")
    func flippedBytes() {
        let chain = Self.chain(2)
        var file = CAR(roots: [chain[1].anchor.cid], blocks: chain.flatMap(\.blocks)).encoded
        var survivors: [Int] = []
        for offset in file.indices {
            file[offset] ^= 0x01
            if FeedArchiveVerifier().verify(file).ok { survivors.append(offset) }
            file[offset] ^= 0x01
        }
        #expect(survivors.isEmpty)
    }

    @Test("a fork is found, with both anchors")
    func fork() {
        let chain = Self.chain(2)
        let second = Self.link(seq: 1, prev: chain[0].anchor.cid, time: 11, text: "another")
        let blocks = chain.flatMap(\.blocks) + second.blocks
        let faults = Self.verify(blocks, roots: []).faults
        #expect(faults.map(\.kind) == [.fork])
        let sides = [chain[1].anchor.cid, second.anchor.cid].sorted()
        #expect(faults.first?.cid == sides[1])
        #expect(faults.first?.detail.contains("\(sides[0])") == true)
    }

    @Test("an anchor that another key signed is a fault")
    func signature() {
        let forged = Self.link(seq: 0, prev: nil, time: 1, text: "a", signer: ReceiptScene.identity(2))
        #expect(Self.kinds(forged.blocks) == [.signature])
    }

    @Test("a missing entry, a missing predecessor, a missing root and a missing attachment are named")
    func missing() {
        let chain = Self.chain(2)
        #expect(Self.kinds(chain[0].blocks.dropLast()) == [.missing])
        #expect(Self.kinds(chain[1].blocks) == [.missing])
        let absent = CID(of: [1], codec: .dagCBOR)
        #expect(Self.verify(chain[0].blocks, roots: [absent]).faults.map(\.cid) == [absent])
        let evidence = Block(
            Entry.encodedEquivocation(
                first: min(absent, chain[0].anchor.cid), second: max(absent, chain[0].anchor.cid)),
            codec: .dagCBOR)
        let proof = Self.link(seq: 0, prev: nil, time: 1, text: "p", extra: [evidence])
        let faults = Self.verify(proof.blocks + chain[0].blocks, roots: []).faults
        #expect(faults.contains { $0.kind == .missing && $0.cid == absent })
    }

    @Test("an entry that is no record is a fault")
    func entry() {
        let wrong = Self.link(
            seq: 0, prev: nil, time: 1, text: "a", extra: [Block([0xa1, 0x61, 0x61, 1], codec: .dagCBOR)])
        #expect(Self.kinds(wrong.blocks) == [.entry])
        // A receipt's kind does not make a receipt.
        var record = DAGCBOREncoder()
        record.map { map in
            map.field("kind") { $0.text(JobReceipt.kind) }
            map.field("logs") { $0.links([]) }
        }
        let cut = Self.link(
            seq: 0, prev: nil, time: 1, text: "a", extra: [Block(record.bytes, codec: .dagCBOR)])
        #expect(Self.kinds(cut.blocks) == [.entry])
    }

    @Test("an anchor that skips a place or is not later than what it follows is a fault")
    func order() {
        let first = Self.link(seq: 0, prev: nil, time: 10, text: "a")
        let skipping = Self.link(seq: 2, prev: first.anchor.cid, time: 11, text: "b")
        #expect(Self.kinds(first.blocks + skipping.blocks) == [.order])
        let early = Self.link(seq: 1, prev: first.anchor.cid, time: 10, text: "b")
        #expect(Self.kinds(first.blocks + early.blocks) == [.order])
        let child = Self.link(
            ReceiptScene.identity(2), seq: 0, prev: nil, time: 10, text: "c", parents: [first.anchor.cid])
        #expect(Self.kinds(first.blocks + child.blocks) == [.order])
        let foreign = Self.link(
            ReceiptScene.identity(2), seq: 1, prev: first.anchor.cid, time: 12, text: "d")
        #expect(Self.kinds(first.blocks + foreign.blocks) == [.order])
    }

    @Test("faults beyond a hundred are counted and not kept")
    func manyFaults() {
        let entries = Self.link(seq: 0, prev: nil, time: 1, text: "a", count: 200)
        let verification = Self.verify([entries.anchor], roots: [])
        #expect(verification.faultCount == 200)
        #expect(verification.faults.count == FeedArchiveVerification.faultsKeptMax)
    }
}
