public import IPLD
public import MeshCore
internal import MeshIdentity
public import MeshStorage

extension FeedGraph {
    /// Freezes a feed at `seq`, unless it is frozen at or below that already.
    ///
    /// Lowering the freeze point is the only way in which it ever moves, so every order of evidence
    /// ends at the same point.
    mutating func freeze(
        _ feed: FeedID, seq: UInt64, first: CID, second: CID, in storage: any StorageWriter,
        outcome: inout FeedOutcome
    ) throws(StorageError) {
        let previous = frozen[feed]
        if let previous, previous <= seq { return }
        let proof = Equivocation(feed: feed, seq: seq, first: min(first, second), second: max(first, second))
        if let previous { try storage.remove(feed.key(seq: previous), in: .frozen) }
        if !isPlanted(.freezeUnwritten) {
            try storage.put(proof.first.bytes + proof.second.bytes, forKey: feed.key(seq: seq), in: .frozen)
        }
        frozen[feed] = seq
        unreferenced[feed] = nil
        if let head = try truncated(heads[feed], feed, at: seq, proof, in: storage) {
            heads.set(head, for: feed)
            try storage.put(head.encoded, forKey: feed.key, in: .frontier)
        }
        outcome.dropped += waiting.removeAll(feed, from: seq)
        outcome.freezes.append(Freeze(proof: proof, previous: previous))
    }

    /// The head of a frozen feed: the last anchor that counts, so that two replicas compare what
    /// counts and nothing above it.
    ///
    /// A feed that counts nowhere has a head that names its proof.
    private func truncated(
        _ head: FeedHead?, _ feed: FeedID, at seq: UInt64, _ proof: Equivocation,
        in storage: any StorageReader
    ) throws(StorageError) -> FeedHead? {
        guard seq > 0 else {
            return FeedHead(
                seq: 0, cid: proof.first, time: HybridTime(milliseconds: 0, counter: 0), frozenAt: 0)
        }
        guard var head else { return nil }
        if head.seq >= seq, !isPlanted(.frozenHeadKept) {
            guard let cid = try anchorCID(feed, seq: seq - 1, in: storage),
                let last = try Self.anchor(cid, in: storage)
            else { throw StorageError(.corrupt, "anchor \(seq - 1) of \(feed) cannot be read") }
            head = FeedHead(seq: seq - 1, cid: cid, time: last.anchor.time)
        }
        head.frozenAt = seq
        return head
    }

    /// Judges an `evidence.equivocation` entry: both envelopes must be stored, signed by one author,
    /// for one scope and `seq`, and differ.
    ///
    /// - Returns: What follows from it; nothing when it proves nothing.
    public mutating func judge(
        first: CID, second: CID, verifier: some SignatureVerifier, in storage: any StorageWriter
    ) throws(StorageError) -> FeedOutcome {
        var outcome = FeedOutcome()
        guard first != second, let (one, left) = try Self.anchor(first, in: storage),
            let (two, right) = try Self.anchor(second, in: storage), left.feed == right.feed,
            left.seq == right.seq, verifier.isSigned(one, by: left.author),
            verifier.isSigned(two, by: right.author) || isPlanted(.evidenceUnchecked)
        else { return outcome }
        try freeze(left.feed, seq: left.seq, first: first, second: second, in: storage, outcome: &outcome)
        try descend(left.feed, left.seq, [left.prev, right.prev], in: storage, outcome: &outcome)
        return outcome
    }

    /// The anchors of `feed` from `seq` up that were ever applied, newest first, for undoing what
    /// they contributed; `limit` is the first that no longer counted before.
    public func suffix(
        of feed: FeedID, from seq: UInt64, below limit: UInt64?, in storage: any StorageReader
    ) throws(StorageError) -> [ReceivedAnchor] {
        var found: [ReceivedAnchor] = []
        try storage.scan(.feeds, prefix: feed.key, from: feed.key(seq: seq), reversed: false) {
            key, value throws(StorageError) in
            if let limit, key.bigEndian(at: key.count - 8) >= limit { return false }
            guard let cid = try? CID(bytes: value), let anchor = try Self.stored(cid, in: storage) else {
                throw StorageError(.corrupt, "an applied anchor of \(feed) cannot be read")
            }
            found.append(anchor)
            return true
        }
        return found.reversed()
    }

    /// An applied anchor with its entries, out of the store.
    public static func stored(
        _ cid: CID, in storage: any StorageReader
    ) throws(StorageError) -> ReceivedAnchor? {
        guard let (envelope, anchor) = try anchor(cid, in: storage) else { return nil }
        var entries: [ReceivedEntry] = []
        for entry in anchor.entries {
            guard let bytes = try storage.block(entry) else { return nil }
            entries.append(ReceivedEntry(cid: entry, bytes: bytes, attachments: []))
        }
        return ReceivedAnchor(envelope: envelope, anchor: anchor, entries: entries)
    }
}
