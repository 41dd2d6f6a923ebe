public import IPLD
public import MeshCore
internal import MeshDAG
public import MeshIdentity
public import MeshRuntime

/// The placer's decision that one node runs a job, under one epoch.
public struct JobAward: Hashable, Sendable {
    public static let kind = "job.award"
    public static let consideredCountMax = 16

    /// One bidder, as the placer saw it.
    public struct Considered: Hashable, Sendable {
        public var bidder: DID
        public var amount: UInt64
        /// In millionths.
        public var score: UInt64
        /// The weighted parts of the score, in millionths.
        public var parts: [String: UInt64]
        /// Why it won, or did not.
        public var reason: String

        public init(bidder: DID, amount: UInt64, score: UInt64, parts: [String: UInt64], reason: String) {
            self.bidder = bidder
            self.amount = amount
            self.score = score
            self.parts = parts
            self.reason = reason
        }
    }

    public var manifest: CID
    /// From 0; each later award of the job raises it.
    public var epoch: UInt64
    public var executor: DID
    /// The envelope that holds the winning bid, kept as a block.
    public var bids: CID
    /// Which bid of the envelope.
    public var index: UInt64
    /// The winner and up to 15 runners-up.
    public var considered: [Considered]
    /// How long the executor may be silent.
    public var leaseMilliseconds: UInt64

    public init(
        manifest: CID, epoch: UInt64, executor: DID, bids: CID, index: UInt64, considered: [Considered],
        leaseMilliseconds: UInt64
    ) {
        self.manifest = manifest
        self.epoch = epoch
        self.executor = executor
        self.bids = bids
        self.index = index
        self.considered = considered
        self.leaseMilliseconds = leaseMilliseconds
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            map.field("bids") { $0.link(bids) }
            map.field("kind") { $0.text(Self.kind) }
            map.field("epoch") { $0.unsigned(epoch) }
            map.field("index") { $0.unsigned(index) }
            map.field("executor") { $0.did(executor) }
            map.field("lease_ms") { $0.unsigned(leaseMilliseconds) }
            map.field("manifest") { $0.link(manifest) }
            map.field("considered") { encoder in
                encoder.array(considered) { encoder, one in
                    encoder.map { map in
                        map.field("amount") { $0.unsigned(one.amount) }
                        map.field("bidder") { $0.did(one.bidder) }
                        map.field("reason") { $0.text(one.reason) }
                        map.field("parts_ppm") { encoder in
                            encoder.map { map in
                                for (name, part) in one.parts.sorted(by: {
                                    DAGCBOREncoder.MapWriter.canonicalOrder($0.key, $1.key)
                                }) { map.field(name) { $0.unsigned(part) } }
                            }
                        }
                        map.field("score_ppm") { $0.unsigned(one.score) }
                    }
                }
            }
        }
        return encoder.bytes
    }

    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let bids = try map.field("bids") { d throws(IPLDError) in try d.link() }
                try map.kind(Self.kind)
                let epoch = try map.amount("epoch")
                let index = try map.field("index") { d throws(IPLDError) in try d.unsigned(atMost: 63) }
                let executor = try map.field("executor") { d throws(IPLDError) in try d.did() }
                let lease = try map.amount("lease_ms")
                let manifest = try map.field("manifest") { d throws(IPLDError) in try d.link() }
                let considered = try map.field("considered") { d throws(IPLDError) in
                    try d.array(atMost: Self.consideredCountMax) { d throws(IPLDError) in
                        try d.map { map throws(IPLDError) in try Considered(&map) }
                    }
                }
                return JobAward(
                    manifest: manifest, epoch: epoch, executor: executor, bids: bids, index: index,
                    considered: considered, leaseMilliseconds: lease)
            }
        }
    }
}

extension JobAward.Considered {
    init(_ map: inout DAGCBORDecoder.MapReader) throws(IPLDError) {
        let amount = try map.amount("amount")
        let bidder = try map.field("bidder") { d throws(IPLDError) in try d.did() }
        let reason = try map.field("reason") { d throws(IPLDError) in try d.text(atMost: 512) }
        let parts = try map.field("parts_ppm") { d throws(IPLDError) in
            try d.map { map throws(IPLDError) in
                var parts: [String: UInt64] = [:]
                while let name = try map.nextKey() {
                    parts[name] = try map.value { d throws(IPLDError) in try d.unsigned(atMost: amountMax) }
                    guard parts.count <= 8 else { throw IPLDError(.tooLarge, "a score has at most 8 parts") }
                }
                return parts
            }
        }
        self.init(
            bidder: bidder, amount: amount, score: try map.amount("score_ppm"), parts: parts, reason: reason)
    }
}

/// An executor's signed account of one run: a claim, until the placer closes the job with it.
public struct JobReceipt: Hashable, Sendable {
    public static let kind = "job.receipt"

    public var manifest: CID
    /// `nil` for a run outside the market.
    public var award: CID?
    public var epoch: UInt64
    public var executor: DID
    public var outcome: RunOutcome
    public var outputs: [NamedBlob]
    public var logs: [NamedBlob]
    public var metering: Metering
    public var engine: EngineDescription
    public var started: Timestamp
    public var finished: Timestamp
    /// The blocks of the jobs that the run asked for (``JobSubmission``), in order; they travel with the receipt.
    public var submissions: [CID]
    /// The run's execution document at its start and at its end (``JobExecution``); `nil` in receipts of before they
    /// were kept.
    public var execution: JobExecution.Links?

    public init(
        manifest: CID, award: CID?, epoch: UInt64, executor: DID, outcome: RunOutcome, outputs: [NamedBlob],
        logs: [NamedBlob], metering: Metering, engine: EngineDescription, started: Timestamp,
        finished: Timestamp, submissions: [CID] = [], execution: JobExecution.Links? = nil
    ) {
        self.manifest = manifest
        self.award = award
        self.epoch = epoch
        self.executor = executor
        self.outcome = outcome
        self.outputs = outputs
        self.logs = logs
        self.metering = metering
        self.engine = engine
        self.started = started
        self.finished = finished
        self.submissions = submissions
        self.execution = execution
    }

    /// The receipt with the links to its execution document, which follow from the rest of it.
    public func linked(to manifest: JobManifest) -> JobReceipt {
        var receipt = self
        receipt.execution = JobExecution.links(of: self, manifest: manifest)
        return receipt
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 768)
        encoder.map { map in
            map.field("kind") { $0.text(Self.kind) }
            map.field("logs") { $0.namedBlobs(logs) }
            map.field("award", ifPresent: award) { $0.link($1) }
            map.field("epoch") { $0.unsigned(epoch) }
            map.field("engine") { $0.engine(engine) }
            map.field("outcome") { $0.outcome(outcome) }
            map.field("outputs") { $0.namedBlobs(outputs) }
            map.field("started") { $0.timestamp(started) }
            map.field("executor") { $0.did(executor) }
            map.field("finished") { $0.timestamp(finished) }
            map.field("manifest") { $0.link(manifest) }
            map.field("metering") { encoder in
                encoder.map { map in
                    map.field("fuel") { $0.unsigned(metering.fuel) }
                    map.field("wall_ms") { $0.unsigned(metering.wallMilliseconds) }
                    map.field("io_bytes") { $0.unsigned(metering.ioBytes) }
                    map.field("host_calls") { $0.unsigned(metering.hostCalls) }
                    map.field("memory_peak") { $0.unsigned(metering.memoryPeakBytes) }
                }
            }
            map.field("execution", ifPresent: execution) { encoder, links in
                encoder.map { map in
                    map.field("end") { $0.link(links.end) }
                    map.field("start") { $0.link(links.start) }
                }
            }
            map.field("submissions") { $0.links(submissions) }
        }
        return encoder.bytes
    }

    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        try self.init(decoding: bytes, in: 0..<bytes.count)
    }

    /// Reads the record that fills `bytes[range]`, in place.
    public init(decoding bytes: [UInt8], in range: Range<Int>) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes, in: range) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                try map.kind(Self.kind)
                let logs = try map.field("logs") { d throws(IPLDError) in try d.namedBlobs(atMost: 16) }
                let award = try map.optional("award") { d throws(IPLDError) in try d.link() }
                let epoch = try map.amount("epoch")
                let engine = try map.field("engine") { d throws(IPLDError) in try d.engine() }
                let outcome = try map.field("outcome") { d throws(IPLDError) in try d.outcome() }
                let outputs = try map.field("outputs") { d throws(IPLDError) in try d.namedBlobs(atMost: 64) }
                let started = try map.field("started") { d throws(IPLDError) in try d.timestamp() }
                let executor = try map.field("executor") { d throws(IPLDError) in try d.did() }
                let finished = try map.field("finished") { d throws(IPLDError) in try d.timestamp() }
                let manifest = try map.field("manifest") { d throws(IPLDError) in try d.link() }
                let metering = try map.field("metering") { d throws(IPLDError) in
                    try d.map { map throws(IPLDError) in
                        let fuel = try map.amount("fuel")
                        let wall = try map.amount("wall_ms")
                        let io = try map.amount("io_bytes")
                        let calls = try map.amount("host_calls")
                        return Metering(
                            fuel: fuel, memoryPeakBytes: try map.amount("memory_peak"), hostCalls: calls,
                            ioBytes: io, wallMilliseconds: wall)
                    }
                }
                let execution = try map.optional("execution") { d throws(IPLDError) in
                    try d.map { map throws(IPLDError) in
                        let end = try map.field("end") { d throws(IPLDError) in try d.link() }
                        let start = try map.field("start") { d throws(IPLDError) in try d.link() }
                        return JobExecution.Links(start: start, end: end)
                    }
                }
                let submissions = try map.field("submissions") { d throws(IPLDError) in
                    try d.links(atMost: Int(RunEffectLimits.submissionCountMax))
                }
                return JobReceipt(
                    manifest: manifest, award: award, epoch: epoch, executor: executor, outcome: outcome,
                    outputs: outputs, logs: logs, metering: metering, engine: engine, started: started,
                    finished: finished, submissions: submissions, execution: execution)
            }
        }
    }
}

/// The placer's last word on a job.
public struct JobClose: Hashable, Sendable {
    public static let kind = "job.close"

    public enum Result: Hashable, Sendable {
        case receipt(CID)
        case cancelled
        case expired
        case noBids
    }

    public var manifest: CID
    public var result: Result
    /// Taken from the submitter's reservation.
    public var charged: UInt64
    /// Given to the executor.
    public var credited: UInt64

    public init(manifest: CID, result: Result, charged: UInt64, credited: UInt64) {
        self.manifest = manifest
        self.result = result
        self.charged = charged
        self.credited = credited
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 192)
        encoder.map { map in
            map.field("kind") { $0.text(Self.kind) }
            map.field("result") { encoder in
                switch result {
                case .receipt(let cid): encoder.link(cid)
                case .cancelled: encoder.text("cancelled")
                case .expired: encoder.text("expired")
                case .noBids: encoder.text("no_bids")
                }
            }
            map.field("charged") { $0.unsigned(charged) }
            map.field("credited") { $0.unsigned(credited) }
            map.field("manifest") { $0.link(manifest) }
        }
        return encoder.bytes
    }

    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                try map.kind(Self.kind)
                let result: Result = try map.field("result") { d throws(IPLDError) in
                    switch try d.value() {
                    case .link(let cid): return .receipt(cid)
                    case .text("cancelled"): return .cancelled
                    case .text("expired"): return .expired
                    case .text("no_bids"): return .noBids
                    default: throw IPLDError(.schema, "a close's result is a receipt or a known word")
                    }
                }
                let charged = try map.amount("charged")
                let credited = try map.amount("credited")
                let manifest = try map.field("manifest") { d throws(IPLDError) in try d.link() }
                return JobClose(manifest: manifest, result: result, charged: charged, credited: credited)
            }
        }
    }
}

extension DAGCBOREncoder {
    public mutating func engine(_ engine: EngineDescription) {
        map { map in
            map.field("name") { $0.text(engine.name) }
            map.field("profile") { $0.link(engine.profile) }
            map.field("version") { $0.text(engine.version) }
        }
    }

    public mutating func outcome(_ outcome: RunOutcome) {
        map { map in
            map.field("exit", ifPresent: outcome.exitCode) { $0.integer(Int64($1)) }
            map.field("trap", ifPresent: outcome.trap) { $0.text($1) }
            map.field("class") { $0.text(outcome.outcomeClass.rawValue) }
        }
    }
}

extension DAGCBORDecoder {
    public mutating func outcome() throws(IPLDError) -> RunOutcome {
        try map { map throws(IPLDError) in
            let exit: Int32? = try map.optional("exit") { d throws(IPLDError) in
                guard let code = Int32(exactly: try d.integer()) else {
                    throw IPLDError(.schema, "an exit code has 32 bits")
                }
                return code
            }
            let trap = try map.optional("trap") { d throws(IPLDError) in try d.text(atMost: 256) }
            return RunOutcome(try map.choice("class", OutcomeClass.self), exitCode: exit, trap: trap)
        }
    }

    public mutating func engine() throws(IPLDError) -> EngineDescription {
        try map { map throws(IPLDError) in
            let name = try map.field("name") { d throws(IPLDError) in try d.text(atMost: 64) }
            let profile = try map.field("profile") { d throws(IPLDError) in try d.link() }
            let version = try map.field("version") { d throws(IPLDError) in try d.text(atMost: 64) }
            return EngineDescription(name: name, version: version, profile: profile)
        }
    }
}
