public import MeshCore
public import MeshIdentity

/// How well each peer has served this node, as a number that fades.
///
/// A score is a sum over reasons, each of which halves every ``halfLifeMilliseconds``. What counts for a
/// peer is bounded, so that nobody saves up for a misdeed; what counts against it is not forgotten with the
/// link. The table is bounded: peers without a link and with little against them are forgotten first.
public struct PeerScores: Sendable {
    /// What changes a score, and by how much each time.
    public enum Reason: String, Hashable, Sendable, CaseIterable {
        /// It was the first to bring something new and good.
        case firstDelivery = "first_delivery"
        /// It did what a ``PeerFault`` names.
        case fault
        /// It said that it held something and did not give it.
        case brokenPromise = "broken_promise"
        /// It sent more than its ``PeerBudget``.
        case overBudget = "over_budget"

        /// In thousandths of a point.
        var weight: Int64 {
            switch self {
            case .firstDelivery: 100
            case .fault: -10_000
            case .brokenPromise: -2_000
            case .overBudget: -5_000
            }
        }
    }

    public static let halfLifeMilliseconds: Int64 = 10 * 60 * 1_000
    /// The bounds of what one reason adds up to, in thousandths of a point.
    static let creditMax: Int64 = 50_000
    static let debtMax: Int64 = 1_000_000
    /// The most peers that are remembered.
    public static let peerCountMax = 4_096

    private struct Entry: Sendable {
        /// One place for each reason, in their order; in a vector, which is copied without an allocation.
        var sums: SIMD4<Int64>
        var updated: Timestamp
        var linkCount = 0

        func total() -> Int64 { sums.wrappedSum() }

        /// Halves for each half-life that has passed, and takes off the same share of the rest in proportion.
        mutating func fade(_ now: Timestamp) {
            let elapsed = now - updated
            guard elapsed > 0 else { return }
            updated = now
            let (halvings, rest) = elapsed.quotientAndRemainder(dividingBy: PeerScores.halfLifeMilliseconds)
            for index in sums.indices {
                guard halvings < 40 else {
                    sums[index] = 0
                    continue
                }
                let halved = sums[index] / (Int64(1) << halvings)
                // Between two halvings the fading is linear.
                sums[index] = halved - halved * rest / (2 * PeerScores.halfLifeMilliseconds)
            }
        }
    }

    private var entries: [DID: Entry] = [:]

    public init() {}

    /// Notes that a link to a peer has opened.
    public mutating func linkOpened(_ peer: DID, now: Timestamp) {
        update(peer, now) { $0.linkCount += 1 }
    }

    /// Notes that a link is gone.
    ///
    /// A peer without links keeps only what counts against it.
    public mutating func linkClosed(_ peer: DID, now: Timestamp) {
        guard entries[peer] != nil else { return }
        update(peer, now) { $0.linkCount = max(0, $0.linkCount - 1) }
        guard entries[peer]?.linkCount == 0, (entries[peer]?.total() ?? 0) >= 0 else { return }
        entries[peer] = nil
    }

    /// Counts a reason `times` over.
    public mutating func note(_ reason: Reason, _ peer: DID, times: Int = 1, now: Timestamp) {
        guard times > 0, let place = Reason.allCases.firstIndex(of: reason) else { return }
        let change = reason.weight * Int64(min(times, 1_000_000))
        update(peer, now) { entry in
            entry.sums[place] = min(Self.creditMax, max(-Self.debtMax, entry.sums[place] + change))
        }
    }

    /// A peer's score in points; 0 for one that is not known.
    public func score(_ peer: DID, now: Timestamp) -> Int { Int(faded(peer, now)?.total() ?? 0) / 1_000 }

    /// What a peer's score is made of, in points; reasons that count nothing are left out.
    public func reasons(_ peer: DID, now: Timestamp) -> [(String, Int)] {
        guard let entry = faded(peer, now) else { return [] }
        return zip(Reason.allCases, entry.sums.indices).compactMap { reason, place in
            let sum = entry.sums[place]
            return sum / 1_000 == 0 ? nil : (reason.rawValue, Int(sum) / 1_000)
        }
    }

    /// The peers at or below a score, in the order of their names.
    public func peers(atMost limit: Int, now: Timestamp) -> [DID] {
        entries.keys.sorted().filter { score($0, now: now) <= limit }
    }

    /// How many peers are remembered.
    public var count: Int { entries.count }

    private func faded(_ peer: DID, _ now: Timestamp) -> Entry? {
        var entry = entries[peer]
        entry?.fade(now)
        return entry
    }

    private mutating func update(_ peer: DID, _ now: Timestamp, _ change: (inout Entry) -> Void) {
        if entries[peer] == nil, entries.count >= Self.peerCountMax, !makeRoom(now) { return }
        var entry =
            faded(peer, now)
            ?? Entry(sums: .zero, updated: now)
        change(&entry)
        entries[peer] = entry
    }

    /// Forgets half of the peers without links, those with the least against them first.
    ///
    /// - Returns: Whether there was any.
    private mutating func makeRoom(_ now: Timestamp) -> Bool {
        var idle: [(peer: DID, total: Int64)] = []
        for peer in entries.keys.sorted() {
            if let entry = faded(peer, now), entry.linkCount == 0 { idle.append((peer, entry.total())) }
        }
        idle.sort { $0.total != $1.total ? $0.total > $1.total : $0.peer < $1.peer }
        for entry in idle.prefix((idle.count + 1) / 2) { entries[entry.peer] = nil }
        return !idle.isEmpty
    }
}
