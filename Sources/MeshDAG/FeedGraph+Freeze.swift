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
        let previous = heads[feed]?.frozenAt
        if let previous, previous <= seq { return }
        let proof = Equivocation(feed: feed, seq: seq, first: min(first, second), second: max(first, second))
        try storage.put(proof.first.bytes + proof.second.bytes, forKey: feed.key(seq: seq), in: .frozen)
        // A fork above all that we hold still leaves a mark: with nothing applied there is no head to mark.
        if var head = heads[feed] {
            head.frozenAt = seq
            heads[feed] = head
            unreferenced[feed] = nil
            try storage.put(head.encoded, forKey: feed.key, in: .frontier)
        } else if seq == 0 {
            let head = FeedHead(
                seq: 0, cid: proof.first, time: HybridTime(milliseconds: 0, counter: 0), frozenAt: 0)
            heads[feed] = head
            try storage.put(head.encoded, forKey: feed.key, in: .frontier)
        }
        waiting.removeAll(feed, from: 0)
        outcome.freezes.append(Freeze(proof: proof, previous: previous))
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
            verifier.isSigned(two, by: right.author)
        else { return outcome }
        try freeze(left.feed, seq: left.seq, first: first, second: second, in: storage, outcome: &outcome)
        return outcome
    }

    /// The applied anchors of `feed` from `seq` up, newest first, for undoing what they contributed.
    public func suffix(
        of feed: FeedID, from seq: UInt64, below limit: UInt64?, in storage: any StorageReader
    ) throws(StorageError) -> [ReceivedAnchor] {
        guard let head = heads[feed] else { return [] }
        var found: [ReceivedAnchor] = []
        var index = min(head.seq, limit.map { $0 == 0 ? 0 : $0 - 1 } ?? head.seq)
        guard seq <= index, limit != 0 else { return [] }
        while true {
            if let cid = try anchorCID(feed, seq: index, in: storage),
                let anchor = try Self.stored(cid, in: storage)
            {
                found.append(anchor)
            }
            if index == seq { return found }
            index -= 1
        }
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
