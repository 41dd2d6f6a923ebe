public import MeshCore
internal import MeshIdentity

// The frontier as two replicas compare it: as places in one sorted list and sums over parts of it.
extension FeedGraph {
    /// One digest of all marks: equal exactly when two replicas hold the same.
    ///
    /// Kept up to date, so that reading it costs one hash of 40 bytes.
    public var fingerprint: Bytes32 { heads.sum.fingerprint }

    /// How many feeds there are.
    public var feedCount: Int { heads.feeds.count }

    /// The places of the feeds from one bound up to another; `nil` stands for the beginning and the end.
    public func places(from lower: FeedBound?, upTo upper: FeedBound?) -> Range<Int> {
        let start = lower.map { bound in heads.firstIndex { !bound.isAbove($0) } } ?? 0
        let end = upper.map { bound in heads.firstIndex { !bound.isAbove($0) } } ?? heads.feeds.count
        return start..<max(start, end)
    }

    /// The sum of the marks at some places; takes time in their number.
    public func sum(of places: Range<Int>) -> FrontierSum { heads.sum(places) }

    /// The feed at a place.
    public func feed(at place: Int) -> FeedID { heads.feeds[place] }

    /// The first anchor of `feed` from `seq` on that is neither applied nor waiting.
    public func firstLacking(_ feed: FeedID, from seq: UInt64) -> UInt64 {
        let next = max(seq, heads[feed].map { $0.seq + 1 } ?? 0)
        return waiting.firstLacking(feed, from: next)
    }
}
