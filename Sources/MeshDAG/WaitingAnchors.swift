internal import IPLD
internal import MeshCore
internal import MeshIdentity

/// Received anchors that cannot be applied yet, bounded by count and bytes for each author and in all.
struct WaitingAnchors: Sendable {
    static let countMax = 1024
    static let byteCountMax = 16 * 1024 * 1024
    static let totalCountMax = 16 * 1024
    static let totalByteCountMax = 128 * 1024 * 1024

    /// What waits of one feed.
    private struct Queue: Sendable {
        var anchors: [UInt64: ReceivedAnchor] = [:]
        var byteCount = 0
        /// The blocks that the first of them lacks, listed in ``holders`` too.
        var lacks: [CID] = []
    }

    private var queues: [FeedID: Queue] = [:]
    private(set) var count = 0
    private(set) var byteCount = 0
    /// Who waits for a block.
    private var holders: [CID: [FeedID]] = [:]
    /// Who waits for the clock.
    private var due: [FeedID: Timestamp] = [:]

    var earliest: Timestamp? { due.isEmpty ? nil : due.map(\.value).min() }
    var missing: [CID] { holders.keys.sorted() }
    func isMissing(_ cid: CID) -> Bool { holders[cid] != nil }

    func anchor(_ feed: FeedID, seq: UInt64) -> ReceivedAnchor? { queues[feed]?.anchors[seq] }

    /// The first `seq` from here on at which nothing waits.
    func firstLacking(_ feed: FeedID, from seq: UInt64) -> UInt64 {
        guard let anchors = queues[feed]?.anchors else { return seq }
        var next = seq
        while anchors[next] != nil { next += 1 }
        return next
    }

    private static func size(_ anchor: ReceivedAnchor) -> Int {
        anchor.entries.reduce(anchor.envelope.bytes.count) { $0 + $1.bytes.count }
    }

    /// Keeps `anchor`, in place of the author's highest ones where there is too much waiting already:
    /// what is nearest to being applied stays.
    ///
    /// - Returns: What it took the place of; `nil` when there is no room for it.
    mutating func insert(_ anchor: ReceivedAnchor) -> [CID]? {
        let feed = anchor.anchor.feed
        let seq = anchor.anchor.seq
        if queues[feed]?.anchors[seq] != nil { return [] }
        let size = Self.size(anchor)
        var evicted: [CID] = []
        while !hasRoom(feed, size) {
            guard let highest = queues[feed]?.anchors.keys.max(), highest > seq else { return nil }
            evicted += removeAll(feed, from: highest)
        }
        queues[feed, default: Queue()].anchors[seq] = anchor
        queues[feed]?.byteCount += size
        count += 1
        byteCount += size
        return evicted
    }

    private func hasRoom(_ feed: FeedID, _ size: Int) -> Bool {
        let queue = queues[feed]
        return (queue?.anchors.count ?? 0) < Self.countMax
            && (queue?.byteCount ?? 0) + size <= Self.byteCountMax && count < Self.totalCountMax
            && byteCount + size <= Self.totalByteCountMax
    }

    /// Forgets one anchor, and what its feed waited for: whatever comes next says it anew.
    mutating func remove(_ feed: FeedID, seq: UInt64) {
        guard let anchor = queues[feed]?.anchors.removeValue(forKey: seq) else { return }
        let size = Self.size(anchor)
        queues[feed]?.byteCount -= size
        count -= 1
        byteCount -= size
        hold(feed, until: [])
        if queues[feed]?.anchors.isEmpty == true {
            queues[feed] = nil
            due[feed] = nil
        }
    }

    /// Forgets what stands at `seq` and above.
    ///
    /// - Returns: The CIDs of what was forgotten.
    mutating func removeAll(_ feed: FeedID, from seq: UInt64) -> [CID] {
        var removed: [CID] = []
        for index in (queues[feed]?.anchors ?? [:]).keys.sorted() where index >= seq {
            if let anchor = queues[feed]?.anchors[index] { removed.append(anchor.cid) }
            remove(feed, seq: index)
        }
        return removed
    }

    /// Notes what the next anchor of `feed` lacks, in place of what was noted before.
    mutating func hold(_ feed: FeedID, until blocks: [CID]) {
        for block in queues[feed]?.lacks ?? [] {
            holders[block]?.removeAll { $0 == feed }
            if holders[block]?.isEmpty == true { holders[block] = nil }
        }
        queues[feed]?.lacks = blocks
        for block in blocks where !(holders[block]?.contains(feed) ?? false) {
            holders[block, default: []].append(feed)
        }
    }

    mutating func hold(_ feed: FeedID, until instant: Timestamp) { due[feed] = instant }

    mutating func release(_ block: CID) -> [FeedID] {
        holders.isEmpty ? [] : holders.removeValue(forKey: block) ?? []
    }

    mutating func releaseDue(_ now: Timestamp) -> [FeedID] {
        guard !due.isEmpty else { return [] }
        let ready = due.filter { $0.value <= now }.map(\.key).sorted()
        for feed in ready { due[feed] = nil }
        return ready
    }
}
