internal import IPLD
internal import MeshCore
internal import MeshIdentity

/// Received anchors that cannot be applied yet, bounded by count and bytes for each author.
struct WaitingAnchors: Sendable {
    static let countMax = 1024
    static let byteCountMax = 16 * 1024 * 1024

    private var feeds: [FeedID: [UInt64: ReceivedAnchor]] = [:]
    private var byteCounts: [FeedID: Int] = [:]
    /// Who waits for a block.
    private var holders: [CID: [FeedID]] = [:]
    /// Who waits for the clock.
    private var due: [FeedID: Timestamp] = [:]

    var count: Int { feeds.reduce(0) { $0 + $1.value.count } }
    var earliest: Timestamp? { due.map(\.value).min() }
    var missing: [CID] { holders.map(\.key).sorted() }

    func anchor(_ feed: FeedID, seq: UInt64) -> ReceivedAnchor? { feeds[feed]?[seq] }

    private static func size(_ anchor: ReceivedAnchor) -> Int {
        anchor.entries.reduce(anchor.envelope.bytes.count) { $0 + $1.bytes.count }
    }

    /// Keeps `anchor` unless its author has too much waiting already.
    mutating func insert(_ anchor: ReceivedAnchor) -> Bool {
        let feed = anchor.anchor.feed
        let size = Self.size(anchor)
        guard feeds[feed, default: [:]].count < Self.countMax,
            byteCounts[feed, default: 0] + size <= Self.byteCountMax
        else { return false }
        if feeds[feed]?[anchor.anchor.seq] == nil { byteCounts[feed, default: 0] += size }
        feeds[feed, default: [:]][anchor.anchor.seq] = anchor
        return true
    }

    mutating func remove(_ feed: FeedID, seq: UInt64) {
        guard let anchor = feeds[feed]?.removeValue(forKey: seq) else { return }
        byteCounts[feed, default: 0] -= Self.size(anchor)
        if feeds[feed]?.isEmpty == true {
            feeds[feed] = nil
            byteCounts[feed] = nil
            due[feed] = nil
        }
    }

    mutating func removeAll(_ feed: FeedID, from seq: UInt64) {
        for index in (feeds[feed] ?? [:]).keys.sorted() where index >= seq { remove(feed, seq: index) }
    }

    mutating func hold(_ feed: FeedID, until blocks: [CID]) {
        for block in blocks where !(holders[block]?.contains(feed) ?? false) {
            holders[block, default: []].append(feed)
        }
    }

    mutating func hold(_ feed: FeedID, until instant: Timestamp) { due[feed] = instant }

    mutating func release(_ block: CID) -> [FeedID] {
        holders.isEmpty ? [] : holders.removeValue(forKey: block) ?? []
    }

    mutating func releaseDue(_ now: Timestamp) -> [FeedID] {
        let ready = due.filter { $0.value <= now }.map(\.key).sorted()
        for feed in ready { due[feed] = nil }
        return ready
    }
}
