import IPLD
import MeshCore
import MeshDAG
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Feeds", .tags(.Size.small))
struct FeedTests {
    @Test("what one replica publishes, another applies", arguments: StorageKind.allCases)
    func publishes(_ kind: StorageKind) throws {
        let author = DigestSigner(1)
        let (here, there) = (try Replica(kind), try Replica(kind))
        for index in 0..<5 {
            let anchor = try #require(
                try here.publish([entry("a \(index)"), entry("b \(index)")], by: author, now: noon))
            #expect(anchor.anchor.seq == UInt64(index))
            #expect(try there.receive(anchor, now: noon).applied.map(\.received.cid) == [anchor.cid])
        }
        #expect(here.frontier == there.frontier)
        #expect(here.counted == there.counted)
        #expect(there.counted.count == 10)
    }

    @Test("anchors above a gap wait and are applied in order once it closes", arguments: StorageKind.allCases)
    func gaps(_ kind: StorageKind) throws {
        let chain = try Forge(1).chain(0..<6, after: nil, "a")
        let replica = try Replica(kind)
        for anchor in chain[1...].reversed() {
            #expect(try replica.receive(anchor, now: noon).applied.isEmpty)
        }
        #expect(replica.graph.waitingCount == 5)
        #expect(try replica.receive(chain[0], now: noon).applied.map(\.received.cid) == chain.map(\.cid))
        #expect(replica.graph.waitingCount == 0)
    }

    @Test(
        "an anchor waits for a parent and for a block that an entry rests on", arguments: StorageKind.allCases
    )
    func missingBlocks(_ kind: StorageKind) throws {
        let replica = try Replica(kind)
        let other = try Forge(2).make(0, after: nil, "parent", time: noon.milliseconds - 5)
        let attached = entry("attached")
        let cid = CID(of: attached, codec: .dagCBOR)
        let anchor = try Forge(1).make(0, after: nil, "a", parents: [other.cid], restingOn: [cid])
        let outcome = try replica.receive(anchor, now: noon)
        #expect(outcome.wants == [.blocks([other.cid, cid])])
        #expect(replica.graph.missingBlocks == [other.cid, cid].sorted())
        #expect(try replica.receive(block: attached, now: noon).applied.isEmpty)
        #expect(try replica.receive(other, now: noon).applied.count == 2)
        #expect(replica.graph.missingBlocks.isEmpty)
    }

    @Test("an anchor ahead of the clock waits and is applied at its deadline")
    func aheadOfTheClock() throws {
        let replica = try Replica()
        let anchor = try Forge(1).make(0, after: nil, time: noon.milliseconds + 70_000)
        #expect(try replica.receive(anchor, now: noon).applied.isEmpty)
        #expect(replica.graph.nextDeadline == noon + 10_000)
        #expect(try replica.deadlineReached(now: noon + 9_999).applied.isEmpty)
        #expect(try replica.deadlineReached(now: noon + 10_000).applied.count == 1)
        #expect(replica.graph.nextDeadline == nil)
    }

    @Test("an anchor that is not later than its predecessor or a parent ends the feed")
    func timeOrder() throws {
        let replica = try Replica()
        let forge = Forge(1)
        let first = try forge.make(0, after: nil)
        try replica.receive(first, now: noon)
        let early = try forge.make(1, after: first, time: forge.start)
        let outcome = try replica.receive(early, now: noon)
        #expect(outcome.refusal?.code == .timeOrder)
        #expect(outcome.dropped == [early.cid])
        let parent = try Forge(2).make(0, after: nil, time: noon.milliseconds + 50)
        try replica.receive(parent, now: noon)
        let beside = try forge.make(1, after: first, parents: [parent.cid], time: noon.milliseconds + 50)
        #expect(try replica.receive(beside, now: noon).refusal?.code == .timeOrder)
        #expect(replica.graph.head(forge.feed)?.seq == 0)
        #expect(replica.graph.waitingCount == 0)
    }

    @Test(
        "waiting is bounded, what is nearest to being applied stays, and what continues a feed is always taken"
    )
    func boundedWaiting() throws {
        let replica = try Replica()
        let chain = try Forge(1).chain(0..<1200, after: nil, "a")
        var dropped: [CID] = []
        for anchor in chain[1...].reversed() { dropped += try replica.receive(anchor, now: noon).dropped }
        #expect(replica.graph.waitingCount == 1024)
        #expect(Set(dropped) == Set(chain[1025...].map(\.cid)))
        #expect(try replica.receive(chain[1100], now: noon).refusal?.code == .tooMuchWaiting)
        #expect(try replica.receive(chain[0], now: noon).applied.count == 1025)
    }

    @Test("a crowd of authors cannot make a replica keep more than its bound")
    func boundedInAll() throws {
        let replica = try Replica()
        var refusals = 0
        for author in 0..<20 {
            let forge = Forge(UInt8(author))
            let base = try forge.make(0, after: nil)
            for seq in UInt64(1)...1000 {
                let anchor = try forge.make(seq, after: base)
                if try replica.receive(anchor, now: noon).refusal?.code == .tooMuchWaiting { refusals += 1 }
            }
        }
        #expect(replica.graph.waitingCount == 16 * 1024)
        #expect(refusals == 20_000 - 16 * 1024)
        let honest = try Forge(200).make(0, after: nil)
        #expect(try replica.receive(honest, now: noon).applied.count == 1, "the others go on")
    }

    @Test("a graph that is read back from the store is the same", arguments: StorageKind.allCases)
    func restores(_ kind: StorageKind) throws {
        let replica = try Replica(kind)
        for author in 1...3 {
            for anchor in try Forge(UInt8(author)).chain(0..<4, after: nil, "a") {
                try replica.receive(anchor, now: noon)
            }
        }
        let forge = Forge(3)
        let first = try forge.make(0, after: nil, "a")
        try replica.receive(try forge.make(1, after: first, "b"), now: noon)
        // A feed of which only the proof is here.
        let unseen = Forge(4)
        try replica.receive(try unseen.make(5, after: first, "a"), now: noon)
        try replica.receive(try unseen.make(5, after: first, "b"), now: noon)
        #expect(replica.graph.freezePoint(forge.feed) == 1)
        #expect(replica.graph.freezePoint(unseen.feed) == 5)
        var restored = try replica.restored()
        #expect(restored.frontier.map(\.feed) == replica.graph.frontier.map(\.feed))
        #expect(restored.frontier.map(\.head) == replica.graph.frontier.map(\.head))
        #expect(restored.freezePoint(unseen.feed) == 5)
        #expect(restored.arrivalTotal == replica.graph.arrivalTotal)
        // Both go on alike.
        let next = try Forge(1).chain(0..<6, after: nil, "a")
        let outcome = try replica.write { storage throws(StorageError) in
            try restored.receive(next[4], now: noon, in: storage)
        }
        #expect(outcome.applied.count == 1)
        #expect(restored.arrivalTotal == replica.graph.arrivalTotal + 1)
    }
}

@Suite("Malformed anchors", .tags(.Size.small))
struct MalformedAnchorTests {
    private func refusal(_ anchor: Anchor, entries: [[UInt8]], signer: DigestSigner = DigestSigner(1))
        -> FeedFailure?
    {
        refusal(Envelope(signing: anchor.encoded, tag: Anchor.tag, by: signer), entries)
    }

    private func refusal(_ envelope: Envelope, _ entries: [[UInt8]]) -> FeedFailure? {
        do throws(FeedError) {
            _ = try ReceivedAnchor(
                cid: envelope.cid, bytes: envelope.bytes, entries: entries, attachments: { _ in [] },
                verifier: DigestVerifier())
            return nil
        } catch { return error.code }
    }

    private func anchor(
        seq: UInt64 = 0, prev: CID? = nil, scope: String = "s", parents: [CID] = [], entries: [[UInt8]]
    ) -> Anchor {
        Anchor(
            author: DigestSigner(1).did, scope: scope, seq: seq, prev: prev, parents: parents,
            time: HybridTime(milliseconds: 5, counter: 0),
            entries: entries.map { CID(of: $0, codec: .dagCBOR) })
    }

    @Test("a well-formed anchor is taken up to its bounds, and refused beyond them")
    func bounds() {
        let one = [entry("1")]
        let links = (0..<17).map { CID(of: [$0], codec: .dagCBOR) }.sorted()
        #expect(refusal(anchor(entries: one), entries: one) == nil)
        let most = (0..<256).map { entry("\($0)") }
        #expect(refusal(anchor(entries: most), entries: most) == nil)
        let tooMany = most + [entry("256")]
        #expect(refusal(anchor(entries: tooMany), entries: tooMany) == .malformed)
        #expect(refusal(anchor(entries: []), entries: []) == .malformed)
        #expect(refusal(anchor(parents: Array(links[..<16]), entries: one), entries: one) == nil)
        #expect(refusal(anchor(parents: links, entries: one), entries: one) == .malformed)
        #expect(refusal(anchor(parents: links[..<3].reversed(), entries: one), entries: one) == .malformed)
        #expect(refusal(anchor(parents: [links[0], links[0]], entries: one), entries: one) == .malformed)
        #expect(refusal(anchor(entries: one + one), entries: one + one) == .malformed)
        #expect(refusal(anchor(scope: "", entries: one), entries: one) == .malformed)
        #expect(
            refusal(anchor(scope: String(repeating: "s", count: 65), entries: one), entries: one)
                == .malformed)
        #expect(refusal(anchor(seq: 1, entries: one), entries: one) == .malformed)
        #expect(refusal(anchor(prev: links[0], entries: one), entries: one) == .malformed)
        #expect(refusal(anchor(seq: 1 << 54, prev: links[0], entries: one), entries: one) == .malformed)
    }

    @Test("entries that are not the named ones, too few or too large are refused")
    func entries() {
        let (one, two) = (entry("1"), entry("2"))
        #expect(refusal(anchor(entries: [one]), entries: [two]) == .malformed)
        #expect(refusal(anchor(entries: [one]), entries: []) == .malformed)
        #expect(refusal(anchor(entries: [one, two]), entries: [two, one]) == .malformed)
        let large = IPLDValue.bytes([UInt8](repeating: 0, count: 256 * 1024)).encoded
        #expect(refusal(anchor(entries: [large]), entries: [large]) == .malformed)
    }

    @Test("a signature of somebody else or over something else is refused")
    func signatures() {
        let one = [entry("1")]
        #expect(refusal(anchor(entries: one), entries: one, signer: DigestSigner(2)) == .badSignature)
        let wrongTag = Envelope(
            signing: anchor(entries: one).encoded, tag: "mesh/bids@1", by: DigestSigner(1))
        #expect(refusal(wrongTag, one) == .malformed)
    }

    @Test("no cut or changed byte of an envelope is accepted, and none traps")
    func mutations() throws {
        let one = [entry("1")]
        let envelope = Envelope(signing: anchor(entries: one).encoded, tag: Anchor.tag, by: DigestSigner(1))
        for count in 0..<envelope.bytes.count {
            #expect(throws: FeedError.self) { try received(Array(envelope.bytes[..<count]), one) }
        }
        for index in envelope.bytes.indices {
            for bit in 0..<8 {
                var bytes = envelope.bytes
                bytes[index] ^= 1 << bit
                #expect(throws: FeedError.self, "bit \(bit) of byte \(index)") { try received(bytes, one) }
            }
        }
    }

    private func received(_ bytes: [UInt8], _ entries: [[UInt8]]) throws(FeedError) -> ReceivedAnchor {
        try ReceivedAnchor(
            cid: CID(of: bytes, codec: .dagCBOR), bytes: bytes, entries: entries, attachments: { _ in [] },
            verifier: StrictVerifier())
    }

    /// Accepts only salt 0 all over, so that no byte of the signature is free.
    private struct StrictVerifier: SignatureVerifier {
        func isSigned(_ envelope: Envelope, by author: DID) -> Bool {
            envelope.signature[32...].allSatisfy { $0 == 0 }
                && DigestVerifier().isSigned(envelope, by: author)
        }
    }
}
