public import IPLD
public import MeshCore
public import MeshIdentity
public import MeshStorage

/// All feeds that a replica holds: which anchors are applied, which wait, which feeds are frozen.
///
///     received ──(prev, parents, attachments there; time not ahead)──▶ applied ──▶ folds
///        │                                                               │
///        └── waits, bounded; fetched again if dropped                    └── two at one seq: frozen
///
/// The machine performs no I/O of its own: it reads and writes through the transaction that each
/// call lends it and returns what happened as a ``FeedOutcome``. Anchors that wait are kept in
/// memory only; after a restart frontier reconciliation brings them again. Waiting delays but never
/// decides: whatever the order of arrival, the same anchors end up applied.
///
/// - Note: If a call throws, the transaction is lost and the machine's memory no longer matches the
///   store: make a new one with ``init(restoring:)``.
public struct FeedGraph: Sendable {
    /// How far an anchor may lie ahead of our clock before it waits.
    public static let aheadMillisecondsMax: Int64 = 60_000

    var heads = HeadTable()
    var waiting = WaitingAnchors()
    /// The lowest forked `seq` in evidence, whether or not anything of the feed has been applied yet.
    var frozen: [FeedID: UInt64] = [:]
    /// Heads that changed since our own newest anchor: the candidates for its parents.
    var unreferenced: [FeedID: FeedHead] = [:]
    var arrivalCount: UInt64 = 0

    /// An empty graph.
    public init() {}

    /// Reads the marks that the store holds.
    public init(restoring storage: any StorageReader) throws(StorageError) {
        try storage.scan(.frontier, prefix: []) { key, value throws(StorageError) in
            guard let feed = FeedID(key: key), let head = try? FeedHead(decoding: value) else {
                throw StorageError(.corrupt, "a frontier mark cannot be read")
            }
            heads.set(head, for: feed)
            unreferenced[feed] = head
            return true
        }
        try storage.scan(.frozen, prefix: []) { key, _ throws(StorageError) in
            guard key.count > 8, let feed = FeedID(key: Array(key.dropLast(8))) else {
                throw StorageError(.corrupt, "a freeze point cannot be read")
            }
            let seq = key.bigEndian(at: key.count - 8)
            frozen[feed] = min(seq, frozen[feed] ?? seq)
            return true
        }
        try storage.scan(.arrival, prefix: [], from: [], reversed: true) { key, _ in
            arrivalCount = key.bigEndian(at: 0) + 1
            return false
        }
    }

    // MARK: Reading

    /// The mark of one feed.
    public func head(_ feed: FeedID) -> FeedHead? { heads[feed] }

    /// The freeze point of a feed; known as soon as the proof is, even before the feed itself.
    public func freezePoint(_ feed: FeedID) -> UInt64? { frozen[feed] }

    /// Whether entries of `feed` at `seq` count, by all evidence so far.
    public func counts(_ feed: FeedID, _ seq: UInt64) -> Bool { frozen[feed].map { seq < $0 } ?? true }

    /// All marks, sorted by feed.
    public var frontier: [(feed: FeedID, head: FeedHead)] {
        heads.feeds.compactMap { feed in heads[feed].map { (feed: feed, head: $0) } }
    }

    /// The instant at which an anchor that is ahead of our clock may be tried again.
    public var nextDeadline: Timestamp? { waiting.earliest }

    /// How many anchors have been applied in all.
    public var arrivalTotal: UInt64 { arrivalCount }

    /// How many anchors wait.
    public var waitingCount: Int { waiting.count }

    /// The blocks that waiting anchors lack.
    public var missingBlocks: [CID] { waiting.missing }

    /// Whether a waiting anchor lacks this block.
    public func isMissing(_ cid: CID) -> Bool { waiting.isMissing(cid) }

    /// The anchor of `feed` at `seq`, as its CID.
    public func anchorCID(
        _ feed: FeedID, seq: UInt64, in storage: any StorageReader
    ) throws(StorageError) -> CID? {
        guard let value = try storage.value(forKey: feed.key(seq: seq), in: .feeds) else { return nil }
        return try? CID(bytes: value)
    }

    /// A stored anchor by its CID; `nil` when there is none or the block is not an anchor.
    public static func anchor(
        _ cid: CID, in storage: any StorageReader
    ) throws(StorageError) -> (envelope: Envelope, anchor: Anchor)? {
        guard let bytes = try storage.block(cid), let envelope = try? Envelope(decoding: bytes),
            let anchor = try? Anchor(envelope)
        else { return nil }
        return (envelope, anchor)
    }

    // MARK: Receiving

    /// Takes a checked anchor, and applies it and whatever it had kept waiting.
    public mutating func receive(
        _ received: ReceivedAnchor, now: Timestamp, in storage: any StorageWriter
    ) throws(StorageError) -> FeedOutcome {
        var outcome = FeedOutcome()
        let feed = received.anchor.feed
        let seq = received.anchor.seq
        guard counts(feed, seq) else {
            // The feed has ended for everyone; what its author adds from the fork on is nobody's concern.
            outcome.isRepetition = true
            return outcome
        }
        if let head = heads[feed], seq <= head.seq {
            try compare(received, in: storage, outcome: &outcome)
            return outcome
        }
        if let rival = waiting.anchor(feed, seq: seq), rival.cid != received.cid {
            // Two at one seq while both wait: keep both as blocks, which is all the proof needs.
            try keep(received, in: storage)
            try keep(rival, in: storage)
            try freeze(feed, seq: seq, first: rival.cid, second: received.cid, in: storage, outcome: &outcome)
            try descend(feed, seq, [rival.anchor.prev, received.anchor.prev], in: storage, outcome: &outcome)
            return outcome
        }
        var feeds = [feed]
        if seq == nextSeq(feed), case .ready = try readiness(received, now: now, in: storage) {
            // What continues its feed never depends on there being room to wait.
            feeds += try applyReady(received, in: storage, outcome: &outcome)
        } else {
            guard let evicted = waiting.insert(received) else {
                outcome.refusal = FeedError(
                    .tooMuchWaiting, "more anchors of \(feed.author) wait than are kept")
                return outcome
            }
            outcome.dropped += evicted
        }
        try applyWaiting(feeds, now: now, in: storage, outcome: &outcome)
        return outcome
    }

    private func nextSeq(_ feed: FeedID) -> UInt64 { heads[feed].map { $0.seq + 1 } ?? 0 }

    /// Tells that blocks have arrived that anchors may have waited for.
    public mutating func blocksArrived(
        _ cids: [CID], now: Timestamp, in storage: any StorageWriter
    ) throws(StorageError) -> FeedOutcome {
        var outcome = FeedOutcome()
        let feeds = cids.flatMap { waiting.release($0) }
        try applyWaiting(feeds, now: now, in: storage, outcome: &outcome)
        return outcome
    }

    /// Tries anchors again that were ahead of our clock.
    public mutating func deadlineReached(
        now: Timestamp, in storage: any StorageWriter
    ) throws(StorageError) -> FeedOutcome {
        var outcome = FeedOutcome()
        let feeds = waiting.releaseDue(now)
        try applyWaiting(feeds, now: now, in: storage, outcome: &outcome)
        return outcome
    }

    /// An anchor at a `seq` that we hold already: a repetition, or proof of a fork.
    private mutating func compare(
        _ received: ReceivedAnchor, in storage: any StorageWriter, outcome: inout FeedOutcome
    ) throws(StorageError) {
        let feed = received.anchor.feed
        let seq = received.anchor.seq
        guard let ours = try anchorCID(feed, seq: seq, in: storage), ours != received.cid,
            !isPlanted(.forkUnnoticed)
        else {
            outcome.isRepetition = true
            return
        }
        try keep(received, in: storage)
        try freeze(feed, seq: seq, first: ours, second: received.cid, in: storage, outcome: &outcome)
        try descend(feed, seq, [received.anchor.prev], in: storage, outcome: &outcome)
    }

    /// A fork at `seq` may be the continuation of one that lies lower: asks for the predecessor that
    /// we do not hold.
    ///
    /// Each answer either lowers the freeze point by one or agrees with what we hold.
    func descend(
        _ feed: FeedID, _ seq: UInt64, _ predecessors: [CID?], in storage: any StorageReader,
        outcome: inout FeedOutcome
    ) throws(StorageError) {
        guard seq > 0, frozen[feed] == seq else { return }
        let ours = try anchorCID(feed, seq: seq - 1, in: storage)
        guard let first = predecessors.first,
            predecessors.allSatisfy({ $0 == ours || (ours == nil && $0 == first) })
        else {
            outcome.wants.append(.anchors(feed, seq - 1...seq - 1))
            return
        }
    }

    func keep(_ received: ReceivedAnchor, in storage: any StorageWriter) throws(StorageError) {
        try storage.putBlock(received.envelope.bytes, cid: received.cid)
        for entry in received.entries { try storage.putBlock(entry.bytes, cid: entry.cid) }
    }

    /// Applies, feed by feed, what no longer has to wait; each success may release others.
    private mutating func applyWaiting(
        _ first: [FeedID], now: Timestamp, in storage: any StorageWriter, outcome: inout FeedOutcome
    ) throws(StorageError) {
        var feeds = first
        while let feed = feeds.popLast() {
            while let next = waiting.anchor(feed, seq: nextSeq(feed)) {
                switch try readiness(next, now: now, in: storage) {
                case .ready:
                    feeds += try applyReady(next, in: storage, outcome: &outcome)
                    continue
                case .lacks(let missing):
                    waiting.hold(feed, until: missing)
                    outcome.wants.append(.blocks(missing))
                case .ahead(let instant):
                    waiting.hold(feed, until: instant)
                case .fork(let seq):
                    // The sender holds another anchor at our head's seq, which is the proof.
                    outcome.dropped += waiting.removeAll(feed, from: next.anchor.seq)
                    outcome.wants.append(.anchors(feed, seq...seq))
                    outcome.refusal = FeedError(
                        .wrongPredecessor,
                        "anchor \(next.anchor.seq) of \(feed.author) continues another branch")
                case .invalid(let reason):
                    outcome.dropped += waiting.removeAll(feed, from: next.anchor.seq)
                    outcome.refusal = FeedError(.timeOrder, reason)
                }
                break
            }
        }
    }

    /// Applies an anchor and returns the feeds that waited for it or its entries.
    private mutating func applyReady(
        _ next: ReceivedAnchor, in storage: any StorageWriter, outcome: inout FeedOutcome
    ) throws(StorageError) -> [FeedID] {
        waiting.remove(next.anchor.feed, seq: next.anchor.seq)
        try apply(next, in: storage, outcome: &outcome)
        return waiting.release(next.cid) + next.entries.flatMap { waiting.release($0.cid) }
    }

    private enum Readiness {
        case ready
        case lacks([CID])
        case ahead(Timestamp)
        /// Our anchor at this seq is not the one that this feed continues.
        case fork(UInt64)
        case invalid(String)
    }

    private func readiness(
        _ next: ReceivedAnchor, now: Timestamp, in storage: any StorageReader
    ) throws(StorageError) -> Readiness {
        let anchor = next.anchor
        if let head = heads[anchor.feed] {
            if let prev = anchor.prev, prev != head.cid { return .fork(head.seq) }
            guard head.time < anchor.time else {
                return .invalid(
                    "anchor \(anchor.seq) of \(anchor.author) is not later than the one before it")
            }
        }
        var missing: [CID] = []
        for parent in anchor.parents {
            guard let (_, seen) = try Self.anchor(parent, in: storage) else {
                missing.append(parent)
                continue
            }
            guard seen.time < anchor.time else {
                return .invalid("anchor \(anchor.seq) of \(anchor.author) is not later than a parent")
            }
        }
        for entry in next.entries {
            for attachment in entry.attachments where try !storage.hasBlock(attachment) {
                missing.append(attachment)
            }
        }
        if !missing.isEmpty { return .lacks(missing) }
        if anchor.time.milliseconds > now.milliseconds + Self.aheadMillisecondsMax {
            return .ahead(anchor.time.timestamp + -Self.aheadMillisecondsMax)
        }
        return .ready
    }

    mutating func apply(
        _ next: ReceivedAnchor, in storage: any StorageWriter, outcome: inout FeedOutcome
    ) throws(StorageError) {
        let anchor = next.anchor
        let feed = anchor.feed
        try keep(next, in: storage)
        try storage.put(next.cid.bytes, forKey: feed.key(seq: anchor.seq), in: .feeds)
        let head = FeedHead(seq: anchor.seq, cid: next.cid, time: anchor.time, frozenAt: frozen[feed])
        heads.set(head, for: feed)
        unreferenced[feed] = head
        if !isPlanted(.markUnwritten) { try storage.put(head.encoded, forKey: feed.key, in: .frontier) }
        var key: [UInt8] = []
        key.append(bigEndian: arrivalCount)
        try storage.put(next.cid.bytes, forKey: key, in: .arrival)
        arrivalCount += 1
        outcome.applied.append(AppliedAnchor(received: next, counts: counts(feed, anchor.seq)))
    }
}
