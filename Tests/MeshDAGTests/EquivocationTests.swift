import IPLD
import MeshCore
import MeshDAG
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("Equivocation", .tags(.Size.small))
struct EquivocationTests {
    /// Delivers in the given order, then again until nothing changes any more.
    private func settle(_ replica: Replica, _ anchors: [ReceivedAnchor]) throws {
        var before: [String]?
        while before != replica.frontier {
            before = replica.frontier
            for anchor in anchors { try replica.receive(anchor, now: noon) }
        }
    }

    /// Every order of arrival must freeze the feed at `seq` and count just what lies below.
    private func expectFreeze(at seq: UInt64, _ anchors: [ReceivedAnchor], counted: Int) throws {
        let feed = try #require(anchors.first).anchor.feed
        var first: Replica?
        for order in permutations(anchors) {
            let replica = try Replica()
            try settle(replica, order)
            let name = order.map { "\($0.anchor.seq)" }.joined(separator: " ")
            #expect(replica.graph.freezePoint(feed) == seq, "in the order \(name)")
            #expect(replica.counted.count == counted, "in the order \(name)")
            #expect(replica.graph.waitingCount == 0, "in the order \(name)")
            // Each freeze names the one before it, and lies lower.
            var previous: UInt64?
            for freeze in replica.freezes {
                #expect(freeze.previous == previous)
                #expect(previous.map { freeze.proof.seq < $0 } ?? true)
                #expect(freeze.proof.first < freeze.proof.second)
                previous = freeze.proof.seq
            }
            if let first {
                #expect(replica.frontier == first.frontier, "in the order \(name)")
                #expect(replica.counted == first.counted, "in the order \(name)")
            } else {
                first = replica
            }
            let restored = try replica.restored()
            #expect(restored.freezePoint(feed) == seq)
            #expect(restored.head(feed) == replica.graph.head(feed))
        }
    }

    @Test("a fork ends at the same freeze point whatever arrives first")
    func everyOrder() throws {
        let forge = Forge(1)
        let base = try forge.make(0, after: nil)
        let left = try forge.chain(1..<4, after: base, "left")
        let right = try forge.chain(1..<3, after: base, "right")
        try expectFreeze(at: 1, [base] + left + right, counted: 1)
    }

    @Test("a fork of the first anchor leaves nothing that counts")
    func atTheStart() throws {
        let forge = Forge(1)
        try expectFreeze(
            at: 0, try forge.chain(0..<2, after: nil, "left") + forge.chain(0..<3, after: nil, "right"),
            counted: 0)
    }

    @Test("two signatures of one payload are a fork")
    func twoSignatures() throws {
        let forge = Forge(1)
        let base = try forge.make(0, after: nil)
        let left = try forge.make(1, after: base, "a")
        let right = try forge.make(1, after: base, "a", salt: 7)
        let next = try forge.make(2, after: left, "a")
        #expect(left.anchor == right.anchor)
        #expect(left.cid != right.cid)
        try expectFreeze(at: 1, [base, left, right, next], counted: 1)
    }

    @Test("of two forks the lower one decides, also when it is found later")
    func twoForks() throws {
        let forge = Forge(1)
        let base = try forge.chain(0..<3, after: nil, "a")
        let high = try forge.make(3, after: base[2], "a")
        let highRival = try forge.make(3, after: base[2], "b")
        let lowRival = try forge.make(1, after: base[0], "b")
        try expectFreeze(at: 1, base + [high, highRival, lowRival], counted: 1)
    }

    @Test("from the longer branch's end the fork is traced down to where it began")
    func fromTheLongerBranch() throws {
        let forge = Forge(1)
        let base = try forge.make(0, after: nil)
        let left = try forge.chain(1..<4, after: base, "left")
        let right = try forge.chain(1..<7, after: base, "right")
        let replica = try Replica()
        for anchor in [base] + left { try replica.receive(anchor, now: noon) }
        // A peer serves what is asked for, one anchor after the other.
        var wants = try replica.receive(right[3], now: noon).wants
        #expect(wants == [.anchors(forge.feed, 3...3)])
        var asked = 0
        while case .anchors(_, let range)? = wants.first {
            asked += 1
            wants = try replica.receive(
                try #require(right.first { $0.anchor.seq == range.lowerBound }), now: noon
            ).wants
        }
        #expect(asked == 3)
        #expect(replica.graph.freezePoint(forge.feed) == 1)
        #expect(replica.graph.head(forge.feed)?.cid == base.cid)
        #expect(replica.counted.count == 1)
    }

    @Test("evidence freezes a feed before any of it is here, and stays in force when it comes")
    func evidenceFirst() throws {
        let forge = Forge(1)
        let base = try forge.chain(0..<3, after: nil, "a")
        let left = try forge.make(3, after: base[2], "left")
        let right = try forge.make(3, after: base[2], "right")
        let replica = try Replica()
        for side in [left, right] { try replica.receive(block: side.envelope.bytes, now: noon) }
        let outcome = try replica.judge(left.cid, right.cid)
        #expect(outcome.freezes.map(\.proof.seq) == [3])
        #expect(replica.graph.head(forge.feed) == nil)
        for anchor in base + [left] { try replica.receive(anchor, now: noon) }
        #expect(replica.graph.head(forge.feed)?.seq == 2)
        #expect(replica.graph.head(forge.feed)?.frozenAt == 3)
        #expect(replica.counted.count == 3)
    }

    @Test("evidence above the branch point asks for what lies below")
    func evidenceOfALaterFork() throws {
        let forge = Forge(1)
        let base = try forge.make(0, after: nil)
        let left = try forge.chain(1..<4, after: base, "left")
        let right = try forge.chain(1..<4, after: base, "right")
        let replica = try Replica()
        for anchor in [base] + left { try replica.receive(anchor, now: noon) }
        try replica.receive(block: right[2].envelope.bytes, now: noon)
        #expect(try replica.judge(left[2].cid, right[2].cid).wants == [.anchors(forge.feed, 2...2)])
        #expect(replica.graph.freezePoint(forge.feed) == 3)
    }

    @Test("evidence that proves nothing changes nothing")
    func worthlessEvidence() throws {
        let forge = Forge(1)
        let base = try forge.chain(0..<3, after: nil, "a")
        let replica = try Replica()
        for anchor in base { try replica.receive(anchor, now: noon) }
        let before = replica.frontier
        let stranger = try Forge(2).make(1, after: base[0], "a")
        try replica.receive(block: stranger.envelope.bytes, now: noon)
        // One of our author's seqs, but signed by somebody else.
        let anchor = Anchor(
            author: forge.signer.did, scope: "s", seq: 1, prev: base[0].cid, parents: [],
            time: HybridTime(milliseconds: 2_000_000, counter: 0), entries: [CID(of: [1], codec: .dagCBOR)])
        let forged = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: DigestSigner(2))
        try replica.receive(block: forged.bytes, now: noon)
        try replica.receive(block: entry("no anchor"), now: noon)
        let missing = try forge.make(1, after: base[0], "unseen")
        for (first, second) in [
            (base[1].cid, base[1].cid), (base[1].cid, base[2].cid), (base[1].cid, stranger.cid),
            (base[1].cid, forged.cid), (base[1].cid, missing.cid),
            (base[1].cid, CID(of: entry("no anchor"), codec: .dagCBOR)),
        ] {
            let outcome = try replica.judge(first, second)
            #expect(outcome.freezes.isEmpty)
            #expect(outcome.wants.isEmpty)
        }
        #expect(replica.frontier == before)
        #expect(replica.graph.freezePoint(forge.feed) == nil)
    }

    @Test("an anchor that continues another branch is no proof by itself: the branch is asked for")
    func otherBranch() throws {
        let forge = Forge(1)
        let base = try forge.make(0, after: nil)
        let left = try forge.make(1, after: base, "left")
        let right = try forge.chain(1..<4, after: base, "right")
        let replica = try Replica()
        for anchor in [base, left, right[2]] { try replica.receive(anchor, now: noon) }
        // The named predecessor is here as a block, but nobody has checked its signature.
        try replica.receive(block: right[0].envelope.bytes, now: noon)
        let outcome = try replica.receive(right[1], now: noon)
        #expect(outcome.refusal?.code == .wrongPredecessor)
        #expect(outcome.wants == [.anchors(forge.feed, 1...1)])
        #expect(Set(outcome.dropped) == [right[1].cid, right[2].cid])
        #expect(replica.graph.freezePoint(forge.feed) == nil)
        try replica.receive(right[0], now: noon)
        #expect(replica.graph.freezePoint(forge.feed) == 1)
    }

    @Test("an honest author that has built on a branch is not held up by the freeze")
    func branchAsParent() throws {
        let forge = Forge(1)
        let base = try forge.make(0, after: nil)
        let left = try forge.make(1, after: base, "left")
        let right = try forge.make(1, after: base, "right")
        let honest = Forge(2)
        let first = try honest.make(0, after: nil, "a", parents: [right.cid], time: noon.milliseconds + 100)
        let second = try honest.make(1, after: first, "b", time: noon.milliseconds + 200)
        for order in permutations([base, left, right, first, second]) {
            let replica = try Replica()
            for anchor in order {
                for case .blocks(let cids) in try replica.receive(anchor, now: noon).wants
                where cids.contains(right.cid) {
                    try replica.receive(block: right.envelope.bytes, now: noon)
                }
            }
            #expect(replica.graph.head(honest.feed)?.seq == 1)
            #expect(replica.graph.freezePoint(forge.feed) == 1)
        }
        // A frozen feed is nobody's parent any more.
        let replica = try Replica()
        for anchor in [base, left, right] { try replica.receive(anchor, now: noon) }
        let own = try #require(try replica.publish([entry("x")], by: DigestSigner(3), now: noon))
        #expect(own.anchor.parents.isEmpty)
    }

    @Test("a replica whose own feed is frozen publishes nothing more")
    func ownFeed() throws {
        let replica = try Replica()
        let forge = Forge(1)
        let own = try #require(try replica.publish([entry("x")], by: forge.signer, now: noon))
        try replica.receive(try forge.make(0, after: nil, "other"), now: noon)
        #expect(try replica.publish([entry("y")], by: forge.signer, now: noon) == nil)
        #expect(replica.graph.freezePoint(own.anchor.feed) == 0)
        #expect(replica.counted.isEmpty)
    }
}
