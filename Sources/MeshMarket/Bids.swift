public import IPLD
public import MeshCore
public import MeshIdentity

/// All bids that a node makes in one step, under one signature.
///
/// Bids are messages, not entries: they go to the placer and live for a minute or two. What matters
/// of them is kept by the award, which names the envelope of the winning one.
public struct Bids: Hashable, Sendable {
    public static let tag = "mesh/bids@1"
    public static let countMax = 64

    /// An offer to run one job.
    public struct Bid: Hashable, Sendable {
        public var manifest: CID
        /// The award that the bid is for.
        public var epoch: UInt64
        /// The price of the whole job at its full limit, in units of its resource.
        public var amount: UInt64
        public var estimatedMilliseconds: UInt64
        /// What the node has free, before this job.
        public var freeCPU: UInt64
        public var freeMemoryMiB: UInt64
        /// The engine profile that would run it.
        public var engine: CID
        public var validUntil: Timestamp

        public init(
            manifest: CID, epoch: UInt64, amount: UInt64, estimatedMilliseconds: UInt64, freeCPU: UInt64,
            freeMemoryMiB: UInt64, engine: CID, validUntil: Timestamp
        ) {
            self.manifest = manifest
            self.epoch = epoch
            self.amount = amount
            self.estimatedMilliseconds = estimatedMilliseconds
            self.freeCPU = freeCPU
            self.freeMemoryMiB = freeMemoryMiB
            self.engine = engine
            self.validUntil = validUntil
        }
    }

    public var bidder: DID
    public var time: Timestamp
    public var bids: [Bid]

    public init(bidder: DID, time: Timestamp, bids: [Bid]) {
        self.bidder = bidder
        self.time = time
        self.bids = bids
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            map.field("bids") { encoder in
                encoder.array(bids) { encoder, bid in
                    encoder.map { map in
                        map.field("free") { encoder in
                            encoder.map { map in
                                map.field("cpu") { $0.unsigned(bid.freeCPU) }
                                map.field("memory_mib") { $0.unsigned(bid.freeMemoryMiB) }
                            }
                        }
                        map.field("epoch") { $0.unsigned(bid.epoch) }
                        map.field("amount") { $0.unsigned(bid.amount) }
                        map.field("engine") { $0.link(bid.engine) }
                        map.field("manifest") { $0.link(bid.manifest) }
                        map.field("valid_until") { $0.timestamp(bid.validUntil) }
                        map.field("estimated_ms") { $0.unsigned(bid.estimatedMilliseconds) }
                    }
                }
            }
            map.field("time") { $0.timestamp(time) }
            map.field("bidder") { $0.did(bidder) }
        }
        return encoder.bytes
    }

    /// Reads the payload of an envelope with ``tag``; its signature is the caller's to check.
    public init(_ envelope: Envelope) throws(IPLDError) {
        self = try envelope.decodePayload { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let bids = try map.field("bids") { d throws(IPLDError) in
                    try d.array(atMost: Self.countMax) { d throws(IPLDError) in
                        try d.map { map throws(IPLDError) in try Bid(&map) }
                    }
                }
                let time = try map.field("time") { d throws(IPLDError) in try d.timestamp() }
                let bidder = try map.field("bidder") { d throws(IPLDError) in try d.did() }
                return Bids(bidder: bidder, time: time, bids: bids)
            }
        }
    }
}

extension Bids.Bid {
    init(_ map: inout DAGCBORDecoder.MapReader) throws(IPLDError) {
        (freeCPU, freeMemoryMiB) = try map.field("free") { d throws(IPLDError) in
            try d.map { map throws(IPLDError) in
                let cpu = try map.amount("cpu")
                return (cpu, try map.amount("memory_mib"))
            }
        }
        epoch = try map.amount("epoch")
        amount = try map.amount("amount")
        engine = try map.field("engine") { d throws(IPLDError) in try d.link() }
        manifest = try map.field("manifest") { d throws(IPLDError) in try d.link() }
        validUntil = try map.field("valid_until") { d throws(IPLDError) in try d.timestamp() }
        estimatedMilliseconds = try map.amount("estimated_ms")
    }
}
