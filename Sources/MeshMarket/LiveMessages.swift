public import IPLD
public import MeshCore
public import MeshIdentity

/// An executor's sign of life for one job, sent to the placer; it keeps the lease.
public struct Heartbeat: Hashable, Sendable {
    public static let tag = "mesh/heartbeat@1"

    public var manifest: CID
    public var epoch: UInt64
    public var executor: DID
    /// 0 while code and inputs are being fetched, then rising with every heartbeat of the run.
    public var counter: UInt64
    public var fuel: UInt64
    public var time: Timestamp

    public init(manifest: CID, epoch: UInt64, executor: DID, counter: UInt64, fuel: UInt64, time: Timestamp) {
        self.manifest = manifest
        self.epoch = epoch
        self.executor = executor
        self.counter = counter
        self.fuel = fuel
        self.time = time
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 192)
        encoder.map { map in
            map.field("fuel") { $0.unsigned(fuel) }
            map.field("time") { $0.timestamp(time) }
            map.field("epoch") { $0.unsigned(epoch) }
            map.field("counter") { $0.unsigned(counter) }
            map.field("executor") { $0.did(executor) }
            map.field("manifest") { $0.link(manifest) }
        }
        return encoder.bytes
    }

    public init(_ envelope: Envelope) throws(IPLDError) {
        self = try envelope.decodePayload { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let fuel = try map.amount("fuel")
                let time = try map.field("time") { d throws(IPLDError) in try d.timestamp() }
                let epoch = try map.amount("epoch")
                let counter = try map.amount("counter")
                let executor = try map.field("executor") { d throws(IPLDError) in try d.did() }
                let manifest = try map.field("manifest") { d throws(IPLDError) in try d.link() }
                return Heartbeat(
                    manifest: manifest, epoch: epoch, executor: executor, counter: counter, fuel: fuel,
                    time: time)
            }
        }
    }
}

/// A placer's call for new bids on a job whose lease lapsed or whose executor failed.
///
/// The first round needs no call: the manifest itself is one.
public struct BidCall: Hashable, Sendable {
    public static let tag = "mesh/call@1"

    public var manifest: CID
    /// The award that bids are wanted for.
    public var epoch: UInt64
    public var placer: DID
    public var time: Timestamp

    public init(manifest: CID, epoch: UInt64, placer: DID, time: Timestamp) {
        self.manifest = manifest
        self.epoch = epoch
        self.placer = placer
        self.time = time
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 96)
        encoder.map { map in
            map.field("time") { $0.timestamp(time) }
            map.field("epoch") { $0.unsigned(epoch) }
            map.field("placer") { $0.did(placer) }
            map.field("manifest") { $0.link(manifest) }
        }
        return encoder.bytes
    }

    public init(_ envelope: Envelope) throws(IPLDError) {
        self = try envelope.decodePayload { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let time = try map.field("time") { d throws(IPLDError) in try d.timestamp() }
                let epoch = try map.amount("epoch")
                let placer = try map.field("placer") { d throws(IPLDError) in try d.did() }
                return BidCall(
                    manifest: try map.field("manifest") { d throws(IPLDError) in try d.link() }, epoch: epoch,
                    placer: placer, time: time)
            }
        }
    }
}

/// A question to every node about what it did with a job, and why.
public struct ExplainRequest: Hashable, Sendable {
    public static let tag = "mesh/explain@1"

    public var manifest: CID
    public var asker: DID
    public var time: Timestamp

    public init(manifest: CID, asker: DID, time: Timestamp) {
        self.manifest = manifest
        self.asker = asker
        self.time = time
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 128)
        encoder.map { map in
            map.field("time") { $0.timestamp(time) }
            map.field("asker") { $0.did(asker) }
            map.field("manifest") { $0.link(manifest) }
        }
        return encoder.bytes
    }

    public init(_ envelope: Envelope) throws(IPLDError) {
        self = try envelope.decodePayload { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let time = try map.field("time") { d throws(IPLDError) in try d.timestamp() }
                let asker = try map.field("asker") { d throws(IPLDError) in try d.did() }
                return ExplainRequest(
                    manifest: try map.field("manifest") { d throws(IPLDError) in try d.link() }, asker: asker,
                    time: time)
            }
        }
    }
}

/// One node's answer to an ``ExplainRequest``.
public struct ExplainAnswer: Hashable, Sendable {
    public static let tag = "mesh/explained@1"

    public var manifest: CID
    public var node: DID
    public var decision: BidDecision
    public var time: Timestamp

    public init(manifest: CID, node: DID, decision: BidDecision, time: Timestamp) {
        self.manifest = manifest
        self.node = node
        self.decision = decision
        self.time = time
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 256)
        encoder.map { map in
            map.field("code") { $0.text(decision.code) }
            map.field("node") { $0.did(node) }
            map.field("time") { $0.timestamp(time) }
            map.field("stage") { $0.text(decision.stage.rawValue) }
            map.field("reason") { $0.text(decision.reason) }
            map.field("manifest") { $0.link(manifest) }
            map.field("retryable") { $0.bool(decision.retryable) }
        }
        return encoder.bytes
    }

    public init(_ envelope: Envelope) throws(IPLDError) {
        self = try envelope.decodePayload { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let code = try map.field("code") { d throws(IPLDError) in try d.text(atMost: 64) }
                let node = try map.field("node") { d throws(IPLDError) in try d.did() }
                let time = try map.field("time") { d throws(IPLDError) in try d.timestamp() }
                let stage = try map.choice("stage", BidDecision.Stage.self)
                let reason = try map.field("reason") { d throws(IPLDError) in try d.text(atMost: 512) }
                let manifest = try map.field("manifest") { d throws(IPLDError) in try d.link() }
                let retryable = try map.field("retryable") { d throws(IPLDError) in try d.bool() }
                return ExplainAnswer(
                    manifest: manifest, node: node,
                    decision: BidDecision(stage, code: code, reason: reason, retryable: retryable), time: time
                )
            }
        }
    }
}

/// A node's first reason for what it did about a job, asked for by `explain`.
public struct BidDecision: Hashable, Sendable {
    public enum Stage: String, Hashable, Sendable, CaseIterable {
        case unknown, offered, declined, awarded
        case notAwarded = "not_awarded"
    }

    public var stage: Stage
    /// Stable, such as `capacity.memory`.
    public var code: String
    public var reason: String
    /// Whether asking again later may end differently.
    public var retryable: Bool

    public init(_ stage: Stage, code: String, reason: String, retryable: Bool) {
        self.stage = stage
        self.code = code
        self.reason = reason
        self.retryable = retryable
    }
}
