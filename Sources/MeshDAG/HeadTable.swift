internal import IPLD
internal import MeshCore
internal import MeshCrypto
internal import MeshIdentity

/// The heads of all feeds, in order, with the sum of their digests kept up to date.
struct HeadTable: Sendable {
    private var heads: [FeedID: FeedHead] = [:]
    /// The feeds in ascending order.
    private(set) var feeds: [FeedID] = []
    /// The digest of each mark, at the place of its feed.
    private var digests: [Bytes32] = []
    /// The sum of all digests.
    private(set) var sum = FrontierSum()

    subscript(feed: FeedID) -> FeedHead? { heads[feed] }

    /// Replaces the head of a feed; costs one hash, and a shift of the list when the feed is new.
    mutating func set(_ head: FeedHead, for feed: FeedID) {
        let digest = Self.digest(feed, head)
        let place = firstIndex { !($0 < feed) }
        if heads.updateValue(head, forKey: feed) != nil {
            sum.subtract(digests[place])
            if !isPlanted(.sumDrifts) { digests[place] = digest }
        } else {
            feeds.insert(feed, at: place)
            digests.insert(digest, at: place)
        }
        sum.add(digest)
    }

    /// The sum over some places of the list.
    func sum(_ places: Range<Int>) -> FrontierSum {
        if places.count == feeds.count { return sum }
        var part = FrontierSum()
        for place in places { part.add(digests[place]) }
        return part
    }

    /// The first place whose feed satisfies `condition`, which no earlier feed does and every later one does.
    func firstIndex(where condition: (FeedID) -> Bool) -> Int {
        var low = 0
        var high = feeds.count
        while low < high {
            let middle = (low + high) / 2
            if condition(feeds[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// What stands for one mark in a fingerprint: equal exactly when the marks mean the same.
    private static func digest(_ feed: FeedID, _ head: FeedHead) -> Bytes32 {
        var bytes = feed.key
        if let frozenAt = head.frozenAt {
            bytes.append(1)
            bytes.append(bigEndian: frozenAt)
        } else {
            bytes.append(0)
        }
        // The proof that stands in for the head of a feed that counts nowhere may be any of several.
        if head.frozenAt != 0 {
            bytes.append(bigEndian: head.seq)
            head.cid.append(to: &bytes)
        }
        return SHA256.hash(bytes)
    }
}
