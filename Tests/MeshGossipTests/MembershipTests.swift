import MeshCore
@testable import MeshGossip
import MeshIdentity
import MeshTestSupport
import Testing

/// One membership whose peers are played by the test.
private struct Script {
    var membership: Membership
    var now = Timestamp(milliseconds: 1_000_000)
    /// The first is the node's own; link `n` leads to peer `n`.
    let signers: [PlainSigner]

    init(
        peers: Int, linked: Int, restored: UInt64 = 0, _ change: (inout MembershipSettings) -> Void = { _ in }
    ) {
        var settings = MembershipSettings()
        change(&settings)
        signers = (0...peers).map(PlainSigner.init)
        membership = Membership(
            signer: signers[0], addresses: [], restoredIncarnation: restored, seed: 7, settings: settings,
            now: now)
        for peer in 1..<peers + 1 { _ = step(.member(record(peer, 1))) }
        for peer in 1..<linked + 1 {
            _ = step(.linked(link(peer), did(peer)))
            _ = step(.neighbourUp(link(peer), did(peer)))
        }
        if linked > 0 { measure() }
    }

    /// Answers pings at once until every link is known to be quick.
    private mutating func measure() {
        for _ in 0..<1_000 where membership.slowness > 0 {
            now = max(now, membership.nextDeadline ?? now)
            for case .ping(let link, let token) in step(.deadlineReached) {
                _ = step(.pong(link, token: token))
            }
        }
        precondition(membership.slowness == 0, "the links were not measured")
    }

    func did(_ peer: Int) -> DID { signers[peer].did }
    func link(_ peer: Int) -> PeerLink { PeerLink(rawValue: UInt64(peer)) }
    func state(_ peer: Int) -> MemberState? { membership.state(of: did(peer)) }

    func record(_ peer: Int, _ incarnation: UInt64, ahead: Int64 = 0) -> SignedMember {
        SignedMember(
            signing: MemberRecord(
                did: did(peer), addresses: [], incarnation: incarnation, time: now + ahead), by: signers[peer]
        )
    }

    func suspicion(
        _ subject: Int, by witness: Int, _ cause: Suspicion.Cause = .probe, incarnation: UInt64 = 1
    ) -> SignedSuspicion {
        SignedSuspicion(
            signing: Suspicion(
                subject: did(subject), incarnation: incarnation, witness: did(witness), cause: cause,
                time: now),
            by: signers[witness])
    }

    mutating func step(_ input: MembershipInput) -> [MembershipEffect] { membership.step(input, now: now) }

    /// Lets time pass, with the peers in `answering` sending something all along.
    mutating func pass(_ milliseconds: Int64, answering: [Int] = []) -> [MembershipEffect] {
        let end = now + milliseconds
        var effects: [MembershipEffect] = []
        while let due = membership.nextDeadline, due <= end {
            now = max(now, due)
            for peer in answering { effects += step(.heard(link(peer))) }
            effects += step(.deadlineReached)
        }
        now = end
        return effects
    }
}

@Suite("Who is alive as far as one node can tell", .tags(.Size.small))
struct MembershipTests {
    @Test("A neighbour that is heard is never pinged, and one that is silent is")
    func silence() {
        var script = Script(peers: 2, linked: 2)
        let effects = script.pass(790, answering: [1])
        let pinged = effects.compactMap { if case .ping(let link, _) = $0 { link } else { nil } }
        #expect(pinged == [script.link(2)])
    }

    @Test("Where a ping is not answered, three other neighbours are asked before anyone is suspected")
    func helpers() {
        var script = Script(peers: 6, linked: 6)
        let end = script.now + 5_000
        var effects: [MembershipEffect] = []
        while effects.allSatisfy({ if case .requestProbe = $0 { false } else { true } }),
            script.now < end
        {
            effects = script.pass(10, answering: [2, 3, 4, 5, 6])
        }
        let asked = effects.compactMap { effect -> (PeerLink, UInt64)? in
            if case .requestProbe(let link, script.did(1), let token) = effect { (link, token) } else { nil }
        }
        #expect(asked.count == 3)
        #expect(script.state(1) == .alive)
        // One who was not asked has no say.
        let stranger = (2...6).map(script.link).first { link in !asked.contains { $0.0 == link } }
        if let stranger, let token = asked.first?.1 {
            #expect(script.step(.probeAnswer(stranger, token: token, isAlive: true)) == [])
        }
        for (link, token) in asked {
            #expect(script.state(1) == .alive)
            _ = script.step(.probeAnswer(link, token: token, isAlive: false))
        }
        #expect(script.state(1) == .suspect)
        // The helpers answered, so it is not this node that is ill.
        #expect(script.membership.localHealth == 0)
    }

    @Test("A helper that reaches the neighbour clears it, and this node thinks less of its own health")
    func helped() {
        var script = Script(peers: 4, linked: 4)
        var effects: [MembershipEffect] = []
        for _ in 0..<400
        where !effects.contains(where: { if case .requestProbe = $0 { true } else { false } }) {
            effects = script.pass(10, answering: [2, 3, 4])
        }
        for case .requestProbe(let link, _, let token) in effects.prefix(1) {
            _ = script.step(.probeAnswer(link, token: token, isAlive: true))
        }
        #expect(script.state(1) == .alive)
        #expect(script.membership.localHealth == 1)
        _ = script.pass(600, answering: [2, 3, 4])
        #expect(script.state(1) == .alive)
    }

    @Test("A node answers for another only from evidence of its own")
    func answering() {
        var script = Script(peers: 4, linked: 2)
        let asker = script.link(1)
        func ask(_ peer: Int, _ token: UInt64) -> [MembershipEffect] {
            script.step(.probeRequest(asker, target: script.did(peer), token: token))
        }
        #expect(ask(3, 10) == [.answerProbe(asker, token: 10, isAlive: false)])
        _ = script.step(.heard(script.link(2)))
        #expect(ask(2, 11) == [.answerProbe(asker, token: 11, isAlive: true)])
        _ = script.pass(550, answering: [1])
        let pings = ask(2, 12)
        #expect(pings.count == 1)
        #expect(script.step(.heard(script.link(2))) == [.answerProbe(asker, token: 12, isAlive: true)])
        _ = script.pass(550, answering: [1])
        _ = ask(2, 13)
        #expect(script.pass(600, answering: [1]).contains(.answerProbe(asker, token: 13, isAlive: false)))
        // No more than eight wait for one answer.
        let answers = (0..<20).flatMap { ask(2, 100 + $0) }
        #expect(answers.count { if case .answerProbe(_, _, false) = $0 { true } else { false } } >= 12)
    }

    @Test("A broken link is redialled at once; an orderly goodbye is not")
    func redial() {
        var script = Script(peers: 3, linked: 2)
        #expect(
            script.step(.linkLost(script.link(1), script.did(1), isOrderly: false)) == [
                .redial(script.did(1))
            ])
        #expect(script.step(.linkLost(script.link(2), script.did(2), isOrderly: true)) == [])
    }

    @Test("Two who were refused are believed after a moment; one alone must wait for longer")
    func refused() {
        var script = Script(peers: 8, linked: 2)
        _ = script.step(.linkLost(script.link(1), script.did(1), isOrderly: false))
        let effects = script.step(.dialFailed(script.did(1), isRefused: true))
        #expect(effects.contains { if case .broadcast = $0 { true } else { false } })
        _ = script.pass(900, answering: [2])
        #expect(script.state(1) == .suspect)
        _ = script.step(.suspicion(script.suspicion(1, by: 3, .refused)))
        _ = script.pass(90, answering: [2])
        #expect(script.state(1) == .suspect)
        _ = script.pass(20, answering: [2])
        #expect(script.state(1) == .gone)
    }

    @Test("Of two nodes, the one that is left needs no second witness")
    func pair() {
        var script = Script(peers: 1, linked: 1)
        _ = script.step(.linkLost(script.link(1), script.did(1), isOrderly: false))
        _ = script.step(.dialFailed(script.did(1), isRefused: true))
        _ = script.pass(110)
        #expect(script.state(1) == .gone)
    }

    @Test("A refused dial says nothing of a member that this node was not linked with")
    func strangers() {
        var script = Script(peers: 3, linked: 1)
        for _ in 0..<2 { #expect(script.step(.dialFailed(script.did(2), isRefused: true)) == []) }
        #expect(script.state(2) == .alive)
        #expect(script.step(.dialFailed(script.did(2), isRefused: true)) == [.forgotten(script.did(2))])
        #expect(script.state(2) == nil)
    }

    @Test("The wait for a refutation shrinks with each witness, and with fewer than three it is the longest")
    func waits() {
        // Of eight peers two do not count as witnesses of themselves or the subject.
        for (count, wait) in [(1, Int64(6_000)), (2, 6_000), (3, 2_050), (4, 1_000), (5, 1_000)] {
            var script = Script(peers: 8, linked: 1)
            for witness in 2..<2 + count { _ = script.step(.suspicion(script.suspicion(8, by: witness))) }
            _ = script.pass(wait - 1, answering: [1])
            #expect(script.state(8) == .suspect, "\(count) witnesses")
            _ = script.pass(1, answering: [1])
            #expect(script.state(8) == .gone, "\(count) witnesses")
        }
    }

    @Test("One witness counts once, however often it speaks")
    func once() {
        var script = Script(peers: 8, linked: 0)
        for _ in 0..<10 { _ = script.step(.suspicion(script.suspicion(1, by: 2))) }
        _ = script.pass(5_999)
        #expect(script.state(1) == .suspect)
    }

    @Test("Whom this node hears is not gone, whatever others say, and is told what they say")
    func heardIsAlive() {
        var script = Script(peers: 8, linked: 1)
        let effects = (2...8).flatMap { script.step(.suspicion(script.suspicion(1, by: $0, .refused))) }
        #expect(
            effects.contains(.send(script.link(1), envelope: script.suspicion(1, by: 2, .refused).envelope)))
        _ = script.pass(20_000, answering: [1])
        #expect(script.state(1) == .suspect)
        #expect(
            script.step(.member(script.record(1, 2))).contains(
                .changed(script.did(1), .alive, previous: .suspect)))
    }

    @Test("A deadline that comes late excuses everyone: it was this node that stood still")
    func stall() {
        var script = Script(peers: 8, linked: 2)
        for witness in 3...8 { _ = script.step(.suspicion(script.suspicion(1, by: witness))) }
        script.now = script.now + 5_000
        _ = script.step(.deadlineReached)
        #expect(script.state(1) == .suspect)
        #expect(script.membership.localHealth > 0)
        #expect(script.step(.heard(script.link(2))) == [])
        _ = script.step(.member(script.record(1, 2)))
        #expect(script.state(1) == .alive)
    }

    @Test("Who is gone is looked for from time to time, and shown over a link what it is gone by")
    func search() {
        var script = Script(peers: 1, linked: 1)
        _ = script.step(.linkLost(script.link(1), script.did(1), isOrderly: false))
        _ = script.step(.dialFailed(script.did(1), isRefused: true))
        _ = script.pass(110)
        #expect(script.state(1) == .gone)
        #expect(!script.pass(9_000).contains(.redial(script.did(1))))
        #expect(script.pass(1_000).contains(.redial(script.did(1))))
        #expect(script.pass(10_000).contains(.redial(script.did(1))))
        let shown = script.step(.linked(script.link(1), script.did(1)))
        #expect(shown.contains { if case .send(script.link(1), _) = $0 { true } else { false } })
        // What it is shown may be lost as well.
        let again = script.pass(10_000)
        #expect(!again.contains(.redial(script.did(1))))
        #expect(again.contains { if case .send(script.link(1), _) = $0 { true } else { false } })
    }

    @Test("Who said goodbye is not looked for")
    func unsought() {
        var script = Script(peers: 2, linked: 2)
        _ = script.step(.suspicion(script.suspicion(1, by: 1, .left)))
        #expect(script.state(1) == .gone)
        _ = script.step(.linkLost(script.link(1), script.did(1), isOrderly: true))
        #expect(!script.pass(30_000, answering: [2]).contains(.redial(script.did(1))))
    }

    @Test("Who says goodbye is gone at once, and acts on nothing that comes after")
    func leaving() {
        var script = Script(peers: 3, linked: 1)
        let goodbye = script.suspicion(1, by: 1, .left)
        #expect(script.step(.suspicion(goodbye)) == [.changed(script.did(1), .gone, previous: .alive)])
        #expect(script.membership.leave(now: script.now).count == 1)
        #expect(script.membership.nextDeadline == nil)
        #expect(script.step(.member(script.record(2, 5))) == [])
    }

    @Test("The table stays within its bound: the gone make room first, and who was linked stays")
    func capacity() {
        var script = Script(peers: 60, linked: 4) { $0.capacity = 20 }
        #expect(script.membership.members.count == 20)
        for peer in 1...4 { #expect(script.state(peer) == .alive) }
        guard let known = (5...60).first(where: { script.state($0) != nil }),
            let unknown = (5...60).first(where: { script.state($0) == nil })
        else { return #expect(Bool(false), "some are known and some are not") }
        _ = script.step(.suspicion(script.suspicion(known, by: known, .left)))
        #expect(script.state(known) == .gone)
        _ = script.step(.member(script.record(unknown, 1)))
        #expect(script.state(known) == nil)
        #expect(script.state(unknown) == .alive)
    }
}

@Suite("Words about incarnations", .tags(.Size.small))
struct IncarnationTests {
    @Test("A replayed record changes nothing, and neither does one of the same incarnation")
    func replay() {
        var script = Script(peers: 3, linked: 1)
        let old = script.record(2, 1)
        #expect(script.step(.member(script.record(2, 4))) == [.learned(script.did(2))])
        #expect(script.step(.member(old)) == [])
        #expect(script.step(.member(script.record(2, 4, ahead: 50))) == [])
        #expect(script.membership.record(of: script.did(2))?.record.incarnation == 4)
    }

    @Test("A record from more than a minute ahead is not taken")
    func future() {
        var script = Script(peers: 3, linked: 1)
        #expect(script.step(.member(script.record(2, 9, ahead: 60_001))) == [])
        #expect(script.step(.member(script.record(2, 9, ahead: 60_000))) == [.learned(script.did(2))])
    }

    @Test("A node that burns all its incarnations can still refute a moment later")
    func burned() {
        var script = Script(peers: 8, linked: 0)
        let highest = MemberRecord.incarnationMax(at: script.now)
        _ = script.step(.member(script.record(1, highest)))
        _ = script.step(.suspicion(script.suspicion(1, by: 2, incarnation: highest)))
        #expect(script.state(1) == .suspect)
        script.now = script.now + 1
        _ = script.step(.member(script.record(1, highest + 1)))
        #expect(script.state(1) == .alive)
    }

    @Test("A suspicion counts for its incarnation alone, and from members that are not gone alone")
    func witnesses() {
        var script = Script(peers: 4, linked: 0)
        for incarnation: UInt64 in [0, 2, 1_000] {
            #expect(script.step(.suspicion(script.suspicion(1, by: 2, incarnation: incarnation))) == [])
        }
        let stranger = PlainSigner(99)
        let words = SignedSuspicion(
            signing: Suspicion(
                subject: script.did(1), incarnation: 1, witness: stranger.did, cause: .probe, time: script.now
            ),
            by: stranger)
        #expect(script.step(.suspicion(words)) == [])
        _ = script.step(.suspicion(script.suspicion(3, by: 3, .left)))
        #expect(script.step(.suspicion(script.suspicion(1, by: 3))) == [])
        #expect(script.state(1) == .alive)
    }

    @Test("Who is gone comes back by a higher incarnation alone")
    func back() {
        var script = Script(peers: 3, linked: 1)
        _ = script.step(.suspicion(script.suspicion(1, by: 1, .left, incarnation: 3)))
        for incarnation: UInt64 in [1, 2, 3] { _ = script.step(.member(script.record(1, incarnation))) }
        #expect(script.state(1) == .gone)
        #expect(
            script.step(.member(script.record(1, 4))).contains(
                .changed(script.did(1), .alive, previous: .gone)))
    }

    @Test(
        "A suspicion of this node is refuted by the next incarnation, and one of the future is not believed")
    func refuting() {
        var script = Script(peers: 3, linked: 1)
        #expect(script.membership.incarnationToPersist == 1)
        #expect(script.step(.suspicion(script.suspicion(0, by: 1, incarnation: 900))) == [])
        let effects = script.step(.suspicion(script.suspicion(0, by: 1)))
        #expect(script.membership.own.record.incarnation == 2)
        #expect(effects == [.broadcast(envelope: script.membership.own.envelope)])
        // Those that crossed the refutation are answered by it.
        #expect(script.step(.suspicion(script.suspicion(0, by: 2))) == [])
        #expect(script.membership.incarnationToPersist == 2)
    }

    @Test("A node that has lost its disk goes beyond what it is shown of its former life")
    func lostDisk() {
        for word in [true, false] {
            var script = Script(peers: 2, linked: 1)
            let effects =
                word
                ? script.step(.suspicion(script.suspicion(0, by: 0, .left, incarnation: 40)))
                : script.step(.member(script.record(0, 40)))
            #expect(effects.count == 1)
            #expect(script.membership.own.record.incarnation > 40)
        }
        // And who links with such a node shows it.
        var script = Script(peers: 2, linked: 0)
        let newest = script.record(1, 40)
        _ = script.step(.member(newest))
        _ = script.step(.linked(script.link(1), script.did(1)))
        #expect(
            script.step(.member(script.record(1, 1))) == [.send(script.link(1), envelope: newest.envelope)])
        #expect(script.step(.member(script.record(1, 1))) == [])
    }

    @Test("However often a node is slandered, its refutations are bounded")
    func slander() {
        var script = Script(peers: 100, linked: 1)
        var count = 0
        for round in 0..<1_000 {
            let incarnation = script.membership.own.record.incarnation
            count +=
                script.step(.suspicion(script.suspicion(0, by: 1 + round % 100, incarnation: incarnation)))
                .count
        }
        #expect(count == 48)
        #expect(script.pass(500).contains { if case .broadcast = $0 { true } else { false } })
    }

    @Test("A witness whose suspicions keep being refuted is not believed for a minute")
    func strikes() {
        var script = Script(peers: 8, linked: 0)
        for incarnation: UInt64 in 1...16 {
            _ = script.step(.suspicion(script.suspicion(1, by: 2, incarnation: incarnation)))
            #expect(script.state(1) == .suspect)
            _ = script.step(.member(script.record(1, incarnation + 1)))
        }
        let witness = script.suspicion(1, by: 2, incarnation: 17).suspicion.witness
        #expect(script.membership.isDiscredited(witness, now: script.now))
        #expect(script.step(.suspicion(script.suspicion(1, by: 2, incarnation: 17))) == [])
        #expect(script.state(1) == .alive)
        script.now = script.now + 60_001
        #expect(!script.membership.isDiscredited(witness, now: script.now))
        _ = script.step(.suspicion(script.suspicion(1, by: 2, incarnation: 17)))
        #expect(script.state(1) == .suspect)
    }

    @Test("One witness has at most so many suspicions open")
    func openSuspicions() {
        var script = Script(peers: 60, linked: 0)
        for peer in 2...60 { _ = script.step(.suspicion(script.suspicion(peer, by: 1))) }
        #expect((2...60).count { script.state($0) == .suspect } == 32)
    }
}
