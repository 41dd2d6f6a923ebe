public import IPLD
public import MeshCore
public import MeshIdentity
public import MeshStorage

extension FeedGraph {
    /// Appends an anchor to our own feed and applies it.
    ///
    /// - Parameters:
    ///   - entries: 1 to ``Anchor/entryCountMax`` encoded records, distinct.
    ///   - attachments: Names the blocks that an entry rests on; they are stored already.
    ///   - signer: The author.
    ///   - scope: The feed's scope.
    ///   - now: Our clock; the anchor's time is at least this and later than all that we have seen.
    ///   - storage: The transaction.
    /// - Returns: The outcome, whose one applied anchor is the new one; a refusal for a frozen feed.
    /// - Throws: What the store throws.
    public mutating func publish(
        _ entries: [[UInt8]], attachments: (_ entry: [UInt8]) -> [CID], by signer: some Signer, scope: String,
        now: Timestamp, in storage: any StorageWriter
    ) throws(StorageError) -> FeedOutcome {
        precondition(
            !entries.isEmpty && entries.count <= Anchor.entryCountMax,
            "\(entries.count) entries in one anchor")
        let feed = FeedID(author: signer.did, scope: scope)
        guard frozen[feed] == nil else {
            var outcome = FeedOutcome()
            outcome.refusal = FeedError(.notAdmitted, "the feed of \(signer.did) is frozen")
            return outcome
        }
        let head = heads[feed]
        let candidates = unreferenced.filter { $0.key != feed && $0.value.frozenAt == nil }
            .sorted { $0.value.time != $1.value.time ? $0.value.time > $1.value.time : $0.key < $1.key }
            .prefix(Anchor.parentCountMax)
        var latest = head?.time
        for candidate in candidates where latest.map({ $0 < candidate.value.time }) ?? true {
            latest = candidate.value.time
        }
        let received = entries.map { bytes in
            ReceivedEntry(
                cid: CID(of: bytes, codec: .dagCBOR), bytes: bytes, attachments: attachments(bytes))
        }
        let anchor = Anchor(
            author: signer.did, scope: scope, seq: head.map { $0.seq + 1 } ?? 0, prev: head?.cid,
            parents: candidates.map(\.value.cid).sorted(),
            time: .next(now: now, after: isPlanted(.clockBehindParents) ? head?.time : latest),
            entries: received.map(\.cid))
        let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: signer)
        for candidate in candidates { unreferenced[candidate.key] = nil }
        var outcome = FeedOutcome()
        try apply(
            ReceivedAnchor(envelope: envelope, anchor: anchor, entries: received), in: storage,
            outcome: &outcome)
        unreferenced[feed] = nil
        return outcome
    }
}
