import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
@testable import MeshGossip
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("What peers cost and how they serve", .tags(.Size.small))
struct ScoreTests {
    private static let start = Timestamp(milliseconds: 1_000_000)
    private let graph = FeedGraph()

    private func machine() -> GossipMachine {
        GossipMachine(
            signer: SilentSigner(0), network: "n", scope: "default", addresses: [], incarnation: 0, seed: 1,
            now: Self.start)
    }

    private func open(_ number: UInt64, on machine: inout GossipMachine, now: Timestamp) -> [GossipEffect] {
        machine.step(
            .linkOpened(
                PeerLink(rawValue: number), peer: SilentSigner(1).did, address: "peer:1", outbound: false),
            now: now, graph: graph)
    }

    private func isClosed(_ effects: [GossipEffect], code: String) -> Bool {
        effects.contains { if case .close(_, code, _) = $0 { true } else { false } }
    }

    @Test(
        "a peer whose links were closed for malformed frames three times is not linked with until that has faded"
    )
    func shunned() {
        var machine = machine()
        for number in 1...3 {
            let link = PeerLink(rawValue: UInt64(number))
            #expect(!isClosed(open(UInt64(number), on: &machine, now: Self.start), code: "score"))
            let effects = machine.step(
                .fault(link, .malformedFrame, detail: "test"), now: Self.start, graph: graph)
            #expect(isClosed(effects, code: "malformed_frame"))
            _ = machine.step(.linkClosed(link, isOrderly: true), now: Self.start, graph: graph)
        }
        let peer = SilentSigner(1).did
        #expect(machine.scores.score(peer, now: Self.start) == -30)
        #expect(isClosed(open(4, on: &machine, now: Self.start), code: "score"))
        _ = machine.step(.linkClosed(PeerLink(rawValue: 4), isOrderly: true), now: Self.start, graph: graph)
        let later = Self.start + PeerScores.halfLifeMilliseconds
        #expect(!isClosed(open(5, on: &machine, now: later), code: "score"))
    }

    @Test("what an honest peer may pass on does not count against it")
    func blameless() {
        var machine = machine()
        let link = PeerLink(rawValue: 1)
        _ = open(1, on: &machine, now: Self.start)
        for fault in PeerFault.allCases where !fault.isBlameworthy {
            _ = machine.step(.fault(link, fault, detail: "test"), now: Self.start, graph: graph)
        }
        #expect(machine.scores.score(SilentSigner(1).did, now: Self.start) == 0)
    }

    @Test("a flood is cut to the budget, and whoever goes on with it loses the link")
    func flood() {
        var machine = machine()
        let link = PeerLink(rawValue: 1)
        _ = open(1, on: &machine, now: Self.start)
        let member = SignedMember(
            signing: MemberRecord(
                did: SilentSigner(1).did, addresses: [], incarnation: 1, time: Self.start),
            by: SilentSigner(1))
        _ = machine.step(
            .frame(
                link,
                .hello(
                    network: "n", features: [], fingerprint: graph.fingerprint, member: member.envelope),
                members: [member]), now: Self.start, graph: graph)
        var refused: Set<PeerBudget.Excess> = []
        var admitted = 0
        for _ in 0..<100_000 {
            if let excess = machine.admits(.message, byteCount: 200, on: link, now: Self.start) {
                refused.insert(excess)
            } else {
                admitted += 1
            }
        }
        let limits = PeerBudget.Limits()
        #expect(admitted == Int(limits.signatureChecks * PeerBudget.burstSeconds))
        #expect(refused.contains(.signatureChecks))
        let effects = machine.step(.deadlineReached, now: Self.start + 1_000, graph: graph)
        #expect(isClosed(effects, code: "score"))
        #expect(machine.scores.reasons(SilentSigner(1).did, now: Self.start).map(\.0) == ["over_budget"])
        // Others are not concerned.
        #expect(machine.admits(.message, byteCount: 200, on: PeerLink(rawValue: 2), now: Self.start) == nil)
    }
}
