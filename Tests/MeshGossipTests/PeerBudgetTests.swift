import MeshCore
import MeshCrypto
@testable import MeshGossip
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("Budgets of peers", .tags(.Size.small))
struct PeerBudgetTests {
    private let start = Timestamp(milliseconds: 5_000)
    private let link = PeerLink(rawValue: 1)

    @Test(
        "a burst of four seconds' worth passes, the next frame does not, and a second later one second's worth does"
    )
    func burst() {
        let budget = Meter(.init(bytes: 1_000_000, frames: 100, signatureChecks: 1_000))
        func passed(_ count: Int, at now: Timestamp) -> Int {
            (0..<count).count { _ in budget.admit(link, type: .ping, byteCount: 1, now: now) }
        }
        #expect(passed(1_000, at: start) == 400)
        #expect(passed(1_000, at: start + 9) == 0)
        #expect(passed(1_000, at: start + 10) == 1)
        #expect(passed(1_000, at: start + 1_010) == 100)
        #expect(passed(1_000, at: start + 1_000_000) == 400, "no more is saved up than a burst")
    }

    @Test("each allowance ends by itself, and says which it was")
    func excess() {
        let budget = Meter(.init(bytes: 1_000, frames: 1_000, signatureChecks: 10))
        #expect(budget.charge(link, type: .have, byteCount: 4_001, now: start) == .bytes)
        #expect(budget.charge(link, type: .have, byteCount: 4_000, now: start) == nil)
        #expect(budget.charge(link, type: .have, byteCount: 1, now: start) == .bytes)
        #expect(
            budget.charge(link, type: .have, byteCount: 0, signatureCount: 41, now: start) == .signatureChecks
        )
        for _ in 0..<40 { #expect(budget.charge(link, type: .message, byteCount: 0, now: start) == nil) }
        #expect(budget.charge(link, type: .message, byteCount: 0, now: start) == .signatureChecks)
        #expect(budget.charge(link, type: .ping, byteCount: 0, now: start) == nil)
        let other = PeerLink(rawValue: 2)
        #expect(
            budget.charge(other, type: .message, byteCount: 4_000, now: start) == nil,
            "one link pays for itself")
    }

    @Test("a refused frame takes none of the bytes, and impossible sizes are refused")
    func refusal() {
        let budget = Meter(.init(bytes: 1_000, frames: 1_000, signatureChecks: 1))
        #expect(!budget.admit(link, type: .have, byteCount: 100, signatureCount: 5, now: start))
        #expect(!budget.admit(link, type: .have, byteCount: .max, now: start))
        #expect(!budget.admit(link, type: .have, byteCount: -1, now: start))
        #expect(budget.admit(link, type: .have, byteCount: 4_000, now: start))
        // A clock that jumps back refills nothing and breaks nothing.
        #expect(!budget.admit(link, type: .have, byteCount: 1, now: start + -4_000))
        #expect(budget.admit(link, type: .have, byteCount: 1, now: start))
    }

    @Test("no more passes in any stretch of time than the burst and its rate", arguments: Seed.sample(20))
    func bound(_ seed: Seed) {
        var generator = seed.generator
        var bucket = TokenBucket(rate: 700, burst: 2_800, now: start)
        var now = start
        var taken = 0
        for _ in 0..<2_000 {
            now = now + Int64.random(in: 0...20, using: &generator)
            let amount = Int.random(in: 0...50, using: &generator)
            if bucket.take(amount, now: now) { taken += amount }
            #expect(Int64(taken) * 1_000 <= 2_800_000 + 700 * (now - start))
        }
        #expect(Int64(taken) * 1_000 > 600 * (now - start), "and what is allowed does pass")
    }
}

/// A budget by reference, so that an expectation may charge it.
private final class Meter {
    private var budget: PeerBudget

    init(_ limits: PeerBudget.Limits) { budget = PeerBudget(limits: limits) }

    func charge(
        _ link: PeerLink, type: FrameType, byteCount: Int, signatureCount: Int? = nil, now: Timestamp
    ) -> PeerBudget.Excess? {
        budget.charge(link, type: type, byteCount: byteCount, signatureCount: signatureCount, now: now)
    }

    func admit(
        _ link: PeerLink, type: FrameType, byteCount: Int, signatureCount: Int? = nil, now: Timestamp
    ) -> Bool {
        budget.admit(link, type: type, byteCount: byteCount, signatureCount: signatureCount, now: now)
    }
}

@Suite("Scores of peers", .tags(.Size.small))
struct PeerScoreTests {
    private let start = Timestamp(milliseconds: 5_000)
    private func peer(_ number: Int) -> DID { DID(publicKey: SHA256.hash(Array("\(number)".utf8))) }

    @Test("a score says what it is made of")
    func reasons() {
        var scores = PeerScores()
        scores.linkOpened(peer(1), now: start)
        scores.note(.firstDelivery, peer(1), times: 200, now: start)
        scores.note(.fault, peer(1), now: start)
        scores.note(.overBudget, peer(1), now: start)
        scores.note(.brokenPromise, peer(1), now: start)
        #expect(scores.score(peer(1), now: start) == 20 - 10 - 5 - 2)
        let reasons = scores.reasons(peer(1), now: start)
        #expect(reasons.map(\.0) == ["first_delivery", "fault", "broken_promise", "over_budget"])
        #expect(reasons.map(\.1) == [20, -10, -2, -5])
        #expect(scores.score(peer(2), now: start) == 0 && scores.reasons(peer(2), now: start).isEmpty)
    }

    @Test("what counts is halved in ten minutes, whether or not it is looked at meanwhile")
    func fading() {
        var (seldom, often) = (PeerScores(), PeerScores())
        seldom.note(.fault, peer(1), times: 10, now: start)
        often.note(.fault, peer(1), times: 10, now: start)
        let end = start + PeerScores.halfLifeMilliseconds
        for step in 1...9 { often.note(.firstDelivery, peer(1), now: start + Int64(step) * 60_000) }
        #expect(seldom.score(peer(1), now: end) == -50)
        let reason = often.reasons(peer(1), now: end).first { $0.0 == "fault" }?.1 ?? 0
        #expect(
            (-65 ... -50).contains(reason), "looking changes it by what a straight line differs from a curve")
        #expect(seldom.score(peer(1), now: end + PeerScores.halfLifeMilliseconds) == -25)
        #expect(seldom.score(peer(1), now: end + 1 << 50) == 0)
    }

    @Test("good deeds cannot be saved up beyond a bound, and misdeeds outlive the link")
    func bounds() {
        var scores = PeerScores()
        scores.linkOpened(peer(1), now: start)
        scores.note(.firstDelivery, peer(1), times: .max, now: start)
        #expect(scores.score(peer(1), now: start) == 50)
        scores.linkClosed(peer(1), now: start)
        #expect(scores.score(peer(1), now: start) == 0 && scores.count == 0)
        scores.linkOpened(peer(1), now: start)
        scores.note(.fault, peer(1), times: .max, now: start)
        scores.linkClosed(peer(1), now: start)
        #expect(scores.score(peer(1), now: start) == -1_000)
    }

    @Test("of more peers than are remembered the worst stay, and those that are linked")
    func room() {
        var scores = PeerScores()
        scores.linkOpened(peer(-1), now: start)
        scores.note(.fault, peer(0), times: 50, now: start)
        for number in 1...(PeerScores.peerCountMax + 500) {
            scores.note(.brokenPromise, peer(number), now: start)
            #expect(scores.count <= PeerScores.peerCountMax)
        }
        #expect(scores.score(peer(0), now: start) == -500)
        scores.note(.firstDelivery, peer(-1), times: 100, now: start)
        #expect(scores.score(peer(-1), now: start) == 10)
        #expect(scores.score(peer(PeerScores.peerCountMax + 500), now: start) == -2, "the newest is there")
    }
}
