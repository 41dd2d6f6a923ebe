internal import MeshCore
public import MeshIdentity

/// How a placer ranks bids: price, fit, reputation and punctuality, in millionths.
///
/// score = 0.4·(1 − normalised price) + 0.2·fit + 0.3·reputation/100 + 0.1·punctuality, where the
/// price is normalised over the acceptable bids and punctuality is one half until there is history.
/// Integer arithmetic only, so that anyone who recomputes an award gets the same figures.
public enum BidScoring {
    /// What the score is made of.
    public struct Candidate: Hashable, Sendable {
        public var bidder: DID
        public var bid: Bids.Bid
        /// 0 to 100, as the placer computes it.
        public var reputation: UInt64

        public init(bidder: DID, bid: Bids.Bid, reputation: UInt64) {
            self.bidder = bidder
            self.bid = bid
            self.reputation = reputation
        }
    }

    /// A candidate with its score and the score's weighted parts.
    public struct Ranked: Hashable, Sendable {
        public let candidate: Candidate
        public let score: UInt64
        public let parts: [String: UInt64]
    }

    /// The candidates, best first; ties go to the lower price and then the smaller DID.
    public static func rank(_ candidates: [Candidate], needs: JobManifest.Needs) -> [Ranked] {
        let lowest = candidates.map(\.bid.amount).min() ?? 0
        let highest = candidates.map(\.bid.amount).max() ?? 0
        let ranked = candidates.map { candidate in
            let price =
                highest == lowest
                ? 400_000 : 400_000 - scaled(400_000, candidate.bid.amount - lowest, over: highest - lowest)
            let fit =
                (share(candidate.bid.freeCPU, of: needs.cpu)
                    + share(candidate.bid.freeMemoryMiB, of: needs.memoryMiB)) / 2
            let parts = [
                "price": price, "resources": fit, "reputation": 3000 * min(100, candidate.reputation),
                "timeliness": 50_000,
            ]
            return Ranked(candidate: candidate, score: parts.reduce(0) { $0 + $1.value }, parts: parts)
        }
        return ranked.sorted { a, b in
            if a.score != b.score { return a.score > b.score }
            if a.candidate.bid.amount != b.candidate.bid.amount {
                return a.candidate.bid.amount < b.candidate.bid.amount
            }
            return a.candidate.bidder < b.candidate.bidder
        }
    }

    private static func share(_ offered: UInt64, of needed: UInt64) -> UInt64 {
        needed == 0 || offered >= needed ? 200_000 : scaled(200_000, offered, over: needed)
    }

    /// `whole` × `part` ÷ `total`, rounded down, for a part that is no more than the total; the product
    /// of what peers name may need more than 64 bits.
    private static func scaled(_ whole: UInt64, _ part: UInt64, over total: UInt64) -> UInt64 {
        guard part < total else { return whole }
        return total.dividingFullWidth(whole.multipliedFullWidth(by: part)).quotient
    }

    /// What a job costs: the bid, scaled by how much of its limit the run used, rounded up.
    public static func charge(bid: UInt64, metered: UInt64, limit: UInt64) -> UInt64 {
        guard limit > 0, metered < limit, !isPlanted(.chargeUnscaled) else { return bid }
        let (high, low) = bid.multipliedFullWidth(by: metered)
        let (quotient, remainder) = limit.dividingFullWidth((high, low))
        return min(bid, quotient + (remainder == 0 ? 0 : 1))
    }
}
