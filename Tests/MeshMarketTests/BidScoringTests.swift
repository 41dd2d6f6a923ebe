import IPLD
import MeshCore
import MeshMarket
import MeshTestSupport
import Testing

@Suite("Bid scoring", .tags(.Size.small))
struct BidScoringTests {
    private func candidate(
        _ number: UInt8, _ amount: UInt64, cpu: UInt64 = 4, memory: UInt64 = 1024, reputation: UInt64 = 50
    ) -> BidScoring.Candidate {
        let cid = CID(of: [number], codec: .dagCBOR)
        return BidScoring.Candidate(
            bidder: Story.party(number),
            bid: Bids.Bid(
                manifest: cid, epoch: 0, amount: amount, estimatedMilliseconds: 1, freeCPU: cpu,
                freeMemoryMiB: memory,
                engine: cid, validUntil: Timestamp(milliseconds: 1)), reputation: reputation)
    }

    @Test("the parts are weighed 0.4, 0.2, 0.3 and 0.1, the cheapest and best first")
    func weights() {
        let ranked = BidScoring.rank(
            [candidate(1, 100), candidate(2, 200), candidate(3, 150, reputation: 100)], needs: .init())
        let amounts: [UInt64] = ranked.map(\.candidate.bid.amount)
        #expect(amounts == [100, 150, 200])
        let parts: [String: UInt64] = [
            "price": 400_000, "resources": 200_000, "reputation": 150_000, "timeliness": 50_000,
        ]
        #expect(ranked[0].parts == parts)
        #expect(ranked[1].parts["price"] == 200_000)
        #expect(ranked[1].score == 750_000)
        #expect(ranked[2].parts["price"] == 0)
    }

    @Test("ties go to the lower price and then to the smaller DID")
    func ties() {
        let both = [candidate(1, 100), candidate(2, 100)]
        let smaller = min(Story.party(1), Story.party(2))
        #expect(BidScoring.rank(both, needs: .init()).first?.candidate.bidder == smaller)
        #expect(BidScoring.rank(both.reversed(), needs: .init()).first?.candidate.bidder == smaller)
        #expect(BidScoring.rank([], needs: .init()).isEmpty)
    }

    @Test("the largest amounts and needs that records may hold are ranked like any other")
    func extremes() {
        let needs = JobManifest.Needs(cpu: amountMax, memoryMiB: amountMax)
        let ranked = BidScoring.rank(
            [
                candidate(1, 0, cpu: amountMax - 1, memory: amountMax),
                candidate(2, amountMax, cpu: 0, memory: 0),
                candidate(3, amountMax / 2, cpu: amountMax / 2, memory: .max, reputation: .max),
            ], needs: needs)
        let amounts: [UInt64] = ranked.map(\.candidate.bid.amount)
        #expect(amounts == [0, amountMax / 2, amountMax])
        for one in ranked { #expect(one.score <= 1_000_000) }
        #expect(score(ranked, 0) == 799_999)
        #expect(score(ranked, amountMax / 2) == 700_000)
        #expect(score(ranked, amountMax) == 200_000)
        // Beyond what records hold, too.
        #expect(BidScoring.rank([candidate(1, 0), candidate(2, .max)], needs: needs).count == 2)
    }

    private func score(_ ranked: [BidScoring.Ranked], _ amount: UInt64) -> UInt64 {
        ranked.first { $0.candidate.bid.amount == amount }?.score ?? 0
    }

    @Test("a charge is the used share of the bid, rounded up, and never more than the bid")
    func charges() {
        #expect(BidScoring.charge(bid: 90, metered: 1_000, limit: 100_000_000) == 1)
        #expect(BidScoring.charge(bid: 100, metered: 50, limit: 100) == 50)
        #expect(BidScoring.charge(bid: 100, metered: 1, limit: 3) == 34)
        #expect(BidScoring.charge(bid: 100, metered: 0, limit: 100) == 0)
        #expect(BidScoring.charge(bid: 0, metered: 99, limit: 100) == 0)
        #expect(BidScoring.charge(bid: 100, metered: 100, limit: 100) == 100)
        #expect(BidScoring.charge(bid: 100, metered: 200, limit: 100) == 100)
        #expect(BidScoring.charge(bid: 100, metered: 0, limit: 0) == 100)
    }

    @Test("a charge holds at every extreme", arguments: Seed.sample(50))
    func chargeExtremes(_ seed: Seed) {
        var generator = seed.generator
        let edges: [UInt64] = [0, 1, 2, amountMax - 1, amountMax, .max - 1, .max]
        for bid in edges {
            for metered in edges {
                for limit in edges + [UInt64.random(in: 0 ... .max, using: &generator)] {
                    let charged = BidScoring.charge(bid: bid, metered: metered, limit: limit)
                    #expect(charged <= bid)
                    guard limit > 0, metered < limit else {
                        #expect(charged == bid)
                        continue
                    }
                    // charged is the least with charged × limit ≥ bid × metered.
                    let due = bid.multipliedFullWidth(by: metered)
                    let paid = charged.multipliedFullWidth(by: limit)
                    #expect((paid.high, paid.low) >= (due.high, due.low))
                    if charged > 0 {
                        let less = (charged - 1).multipliedFullWidth(by: limit)
                        #expect((less.high, less.low) < (due.high, due.low))
                    }
                }
            }
        }
    }

    @Test("prices round up and do not overflow")
    func prices() {
        var samples = Samples(SeededGenerator(seed: 3))
        var profile = samples.profile()
        profile.computePrice = 900
        #expect(NodeProfile.price(units: 100, perThousand: profile.computePrice) == 90)
        #expect(NodeProfile.price(units: 1, perThousand: profile.computePrice) == 1)
        #expect(NodeProfile.price(units: 0, perThousand: profile.computePrice) == 0)
        profile.computePrice = amountMax
        #expect(NodeProfile.price(units: amountMax, perThousand: profile.computePrice) == amountMax)
    }
}
