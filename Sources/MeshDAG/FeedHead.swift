public import IPLD
public import MeshCore

/// How far a replica holds one feed.
///
/// For a feed in good standing: its newest applied anchor. For a frozen one: the last one that
/// counts, because replicas may hold different branches above it; with ``frozenAt`` 0 nothing does,
/// and only the freeze point means anything.
public struct FeedHead: Hashable, Sendable {
    public var seq: UInt64
    public var cid: CID
    public var time: HybridTime
    /// The lowest forked `seq` in evidence; entries from there on count nowhere.
    public var frozenAt: UInt64?

    public init(seq: UInt64, cid: CID, time: HybridTime, frozenAt: UInt64? = nil) {
        self.seq = seq
        self.cid = cid
        self.time = time
        self.frozenAt = frozenAt
    }

    /// Whether an entry at `seq` counts.
    public func counts(_ seq: UInt64) -> Bool {
        guard let frozenAt else { return true }
        return seq < frozenAt
    }

    var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 80)
        encoder.arrayHead(frozenAt == nil ? 3 : 4)
        encoder.unsigned(seq)
        encoder.link(cid)
        encoder.hybridTime(time)
        if let frozenAt { encoder.unsigned(frozenAt) }
        return encoder.bytes
    }

    init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            let count = try decoder.arrayHead(atMost: 4)
            return FeedHead(
                seq: try decoder.unsigned(), cid: try decoder.link(), time: try decoder.hybridTime(),
                frozenAt: count == 4 ? try decoder.unsigned() : nil)
        }
    }
}
