public import IPLD
public import MeshCore
public import MeshIdentity
public import MeshRuntime

/// A job as its submitter published it; its CID is the job's identity.
///
/// It names exactly one placer for the whole life of the job, so that there is one writer of awards
/// and no two winners.
public struct JobManifest: Hashable, Sendable {
    public static let kind = "job.manifest"

    /// A file that the job reads: the one named `stdin` is its stdin, others are `/in/<name>`.
    public struct Input: Hashable, Sendable {
        public var name: String
        public var cid: CID
        /// In bytes.
        public var size: UInt64

        public init(name: String, cid: CID, size: UInt64) {
            self.name = name
            self.cid = cid
            self.size = size
        }
    }

    /// What a node must have to be allowed to bid.
    public struct Needs: Hashable, Sendable {
        public var cpu: UInt64
        public var memoryMiB: UInt64
        public var languages: [String]
        public var location: String?
        public var labels: [String: String]
        /// 0 to 100.
        public var minReputation: UInt64

        public init(
            cpu: UInt64 = 1, memoryMiB: UInt64 = 64, languages: [String] = ["wasm"], location: String? = nil,
            labels: [String: String] = [:], minReputation: UInt64 = 0
        ) {
            self.cpu = cpu
            self.memoryMiB = memoryMiB
            self.languages = languages
            self.location = location
            self.labels = labels
            self.minReputation = minReputation
        }
    }

    /// What the job may spend, and of what.
    public struct Resource: Hashable, Sendable {
        public var type: String
        /// In units of the resource; one unit of `compute` is 10^6 fuel.
        public var amount: UInt64
        public var scope: String

        public init(type: String = "compute", amount: UInt64 = 100, scope: String = "default") {
            self.type = type
            self.amount = amount
            self.scope = scope
        }
    }

    /// How the result is checked.
    public struct Trust: Hashable, Sendable {
        public enum Method: String, Hashable, Sendable, CaseIterable { case none, signature, replay }
        /// The body CID of the bundle by which the job is judged; `nil` outside any federation.
        public var federation: CID?
        public var method: Method
        /// How many members must agree.
        public var quorum: UInt64

        public init(federation: CID?, method: Method, quorum: UInt64) {
            self.federation = federation
            self.method = method
            self.quorum = quorum
        }
    }

    /// How the job is awarded.
    public struct Market: Hashable, Sendable {
        public enum Mode: String, Hashable, Sendable, CaseIterable { case manual, auto }
        public var mode: Mode
        /// How long bids are gathered; 0 lets the first acceptable one win.
        public var windowMilliseconds: UInt64
        /// In units of the resource.
        public var maxBid: UInt64

        public init(mode: Mode, windowMilliseconds: UInt64, maxBid: UInt64) {
            self.mode = mode
            self.windowMilliseconds = windowMilliseconds
            self.maxBid = maxBid
        }
    }

    public struct Retry: Hashable, Sendable {
        /// How many executions may be started in all.
        public var attempts: UInt64
        public var backoffMilliseconds: UInt64

        public init(attempts: UInt64 = 3, backoffMilliseconds: UInt64 = 200) {
            self.attempts = attempts
            self.backoffMilliseconds = backoffMilliseconds
        }
    }

    /// The job whose run asked for this one.
    public struct Parent: Hashable, Sendable {
        public var manifest: CID
        /// Which of the receipt's submissions it is.
        public var index: UInt64
        /// How many jobs stand above it: 1 to ``RunEffectLimits/depthMax``.
        public var depth: UInt64
        /// The epoch of the run that asked.
        public var epoch: UInt64

        public init(manifest: CID, index: UInt64, depth: UInt64, epoch: UInt64 = 0) {
            self.manifest = manifest
            self.index = index
            self.depth = depth
            self.epoch = epoch
        }
    }

    public enum Priority: UInt64, Hashable, Sendable, CaseIterable { case low, medium, high, critical }

    /// Random, or the digest of an idempotency key: 1 to 64 bytes.
    public var nonce: [UInt8]
    public var submitter: DID
    public var placer: DID
    public var created: Timestamp
    /// When the job ends as expired, whatever its state.
    public var expires: Timestamp
    public var description: String
    public var language: String
    public var code: CID
    public var entry: String?
    public var arguments: [String]
    public var environment: [String: String]
    public var inputs: [Input]
    public var limits: RunLimits
    public var needs: Needs
    public var priority: Priority
    public var resource: Resource
    /// Grants and earlier closes that pay for the job.
    public var draws: [CID]
    public var trust: Trust
    public var market: Market
    public var retry: Retry
    /// Jobs that must have completed first.
    public var after: [CID]
    public var parent: Parent?

    public init(
        nonce: [UInt8], submitter: DID, placer: DID, created: Timestamp, expires: Timestamp,
        description: String, language: String = "wasm", code: CID, entry: String? = nil,
        arguments: [String] = [], environment: [String: String] = [:], inputs: [Input] = [],
        limits: RunLimits, needs: Needs = Needs(), priority: Priority = .medium,
        resource: Resource = Resource(), draws: [CID] = [], trust: Trust, market: Market,
        retry: Retry = Retry(), after: [CID] = [], parent: Parent? = nil
    ) {
        self.nonce = nonce
        self.submitter = submitter
        self.placer = placer
        self.created = created
        self.expires = expires
        self.description = description
        self.language = language
        self.code = code
        self.entry = entry
        self.arguments = arguments
        self.environment = environment
        self.inputs = inputs
        self.limits = limits
        self.needs = needs
        self.priority = priority
        self.resource = resource
        self.draws = draws
        self.trust = trust
        self.market = market
        self.retry = retry
        self.after = after
        self.parent = parent
    }

    /// What bids are for: the units of the resource that the run itself can use at most.
    ///
    /// It is less than the job was given where the job keeps some of it for jobs of its own.
    public var pricedUnits: UInt64 {
        min(resource.amount, limits.fuel / 1_000_000 + (limits.fuel % 1_000_000 > 0 ? 1 : 0))
    }

    /// What the run may ask of the mesh: as much as the job itself was given, and no jobs too deep below others.
    public var grant: RunGrant {
        let isDeepest = (parent?.depth ?? 0) >= RunEffectLimits.depthMax
        return RunGrant(
            resource: resource.type, amount: resource.amount,
            submissionCountMax: isDeepest ? 0 : RunEffectLimits.submissionCountMax)
    }

    /// What a worker is to run, once the inputs' bytes are at hand.
    ///
    /// Clock and random numbers follow from the manifest, so that every run of it is the same.
    public func request(cid: CID, input: (CID) -> [UInt8]?) -> RunRequest? {
        var request = RunRequest(
            language: language, code: code, entry: entry, arguments: arguments, environment: environment,
            limits: limits, clockStart: created, randomSeed: cid.digest, grant: grant)
        for item in inputs {
            guard let bytes = input(item.cid) else { return nil }
            if item.name == "stdin" {
                request.stdin = bytes
                request.stdinCID = item.cid
            } else {
                request.files.append(RunRequest.InputFile(name: item.name, bytes: bytes, cid: item.cid))
            }
        }
        return request
    }
}

// MARK: - Record

extension JobManifest {
    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 768)
        encoder.map { map in
            map.field("env") { $0.textMap(environment) }
            map.field("args") { $0.texts(arguments) }
            map.field("code") { $0.link(code) }
            map.field("kind") { $0.text(Self.kind) }
            map.field("after") { $0.links(after) }
            map.field("draws") { $0.links(draws) }
            map.field("entry", ifPresent: entry) { $0.text($1) }
            map.field("needs") { $0.map(encodeNeeds) }
            map.field("nonce") { $0.byteString(nonce) }
            map.field("retry") { encoder in
                encoder.map { map in
                    map.field("attempts") { $0.unsigned(retry.attempts) }
                    map.field("backoff_ms") { $0.unsigned(retry.backoffMilliseconds) }
                }
            }
            map.field("trust") { encoder in
                encoder.map { map in
                    map.field("method") { $0.text(trust.method.rawValue) }
                    map.field("quorum") { $0.unsigned(trust.quorum) }
                    map.field("federation", ifPresent: trust.federation) { $0.link($1) }
                }
            }
            map.field("inputs") { encoder in
                encoder.array(inputs) { encoder, input in
                    encoder.namedBlob(name: input.name, cid: input.cid, size: input.size)
                }
            }
            map.field("limits") { encoder in
                encoder.map { map in
                    map.field("fuel") { $0.unsigned(limits.fuel) }
                    map.field("memory") { $0.unsigned(limits.memoryBytes) }
                    map.field("output") { $0.unsigned(limits.outputBytes) }
                    map.field("wall_ms") { $0.unsigned(limits.wallMilliseconds) }
                }
            }
            map.field("market") { encoder in
                encoder.map { map in
                    map.field("mode") { $0.text(market.mode.rawValue) }
                    map.field("max_bid") { $0.unsigned(market.maxBid) }
                    map.field("window_ms") { $0.unsigned(market.windowMilliseconds) }
                }
            }
            map.field("parent", ifPresent: parent) { encoder, parent in
                encoder.map { map in
                    map.field("depth") { $0.unsigned(parent.depth) }
                    map.field("epoch", ifPresent: parent.epoch == 0 ? nil : parent.epoch) { $0.unsigned($1) }
                    map.field("index") { $0.unsigned(parent.index) }
                    map.field("manifest") { $0.link(parent.manifest) }
                }
            }
            map.field("placer") { $0.did(placer) }
            map.field("created") { $0.timestamp(created) }
            map.field("expires") { $0.timestamp(expires) }
            map.field("language") { $0.text(language) }
            map.field("priority") { $0.unsigned(priority.rawValue) }
            map.field("resource") { encoder in
                encoder.map { map in
                    map.field("type") { $0.text(resource.type) }
                    map.field("scope") { $0.text(resource.scope) }
                    map.field("amount") { $0.unsigned(resource.amount) }
                }
            }
            map.field("submitter") { $0.did(submitter) }
            map.field("description") { $0.text(description) }
        }
        return encoder.bytes
    }

    private func encodeNeeds(_ map: inout DAGCBOREncoder.MapWriter) {
        map.field("cpu") { $0.unsigned(needs.cpu) }
        map.field("labels") { $0.textMap(needs.labels) }
        map.field("location", ifPresent: needs.location) { $0.text($1) }
        map.field("languages") { $0.texts(needs.languages) }
        map.field("memory_mib") { $0.unsigned(needs.memoryMiB) }
        map.field("min_reputation") { $0.unsigned(needs.minReputation) }
    }

    /// Reads one record; anything but the canonical form of a manifest within its bounds is refused.
    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in try JobManifest(&map) }
        }
    }

    private init(_ map: inout DAGCBORDecoder.MapReader) throws(IPLDError) {
        environment = try map.field("env") { d throws(IPLDError) in try d.textMap(atMost: 256) }
        arguments = try map.field("args") { d throws(IPLDError) in try d.texts(atMost: 256, each: 65_536) }
        code = try map.field("code") { d throws(IPLDError) in try d.link() }
        try map.kind(Self.kind)
        after = try map.field("after") { d throws(IPLDError) in try d.links(atMost: 64) }
        draws = try map.field("draws") { d throws(IPLDError) in try d.links(atMost: 64) }
        entry = try map.optional("entry") { d throws(IPLDError) in try d.text(atMost: 256) }
        needs = try map.field("needs") { d throws(IPLDError) in
            try d.map { map throws(IPLDError) in
                let cpu = try map.amount("cpu")
                let labels = try map.field("labels") { d throws(IPLDError) in
                    try d.textMap(atMost: 64, each: 256)
                }
                let location = try map.optional("location") { d throws(IPLDError) in try d.text(atMost: 256) }
                let languages = try map.field("languages") { d throws(IPLDError) in
                    try d.texts(atMost: 16, each: 64)
                }
                let memory = try map.amount("memory_mib")
                let reputation = try map.field("min_reputation") { d throws(IPLDError) in
                    try d.unsigned(atMost: 100)
                }
                return Needs(
                    cpu: cpu, memoryMiB: memory, languages: languages, location: location, labels: labels,
                    minReputation: reputation)
            }
        }
        nonce = try map.field("nonce") { d throws(IPLDError) in try d.byteString(atMost: 64) }
        retry = try map.field("retry") { d throws(IPLDError) in
            try d.map { map throws(IPLDError) in
                Retry(attempts: try map.amount("attempts"), backoffMilliseconds: try map.amount("backoff_ms"))
            }
        }
        trust = try map.field("trust") { d throws(IPLDError) in
            try d.map { map throws(IPLDError) in
                let method = try map.choice("method", Trust.Method.self)
                let quorum = try map.amount("quorum")
                let federation = try map.optional("federation") { d throws(IPLDError) in try d.link() }
                return Trust(federation: federation, method: method, quorum: quorum)
            }
        }
        inputs = try map.field("inputs") { d throws(IPLDError) in
            try d.array(atMost: 64) { d throws(IPLDError) in
                let blob = try d.namedBlob()
                return Input(name: blob.name, cid: blob.cid, size: blob.size)
            }
        }
        limits = try map.field("limits") { d throws(IPLDError) in
            try d.map { map throws(IPLDError) in
                RunLimits(
                    fuel: try map.amount("fuel"), memoryBytes: try map.amount("memory"),
                    outputBytes: try map.amount("output"), wallMilliseconds: try map.amount("wall_ms"))
            }
        }
        market = try map.field("market") { d throws(IPLDError) in
            try d.map { map throws(IPLDError) in
                let mode = try map.choice("mode", Market.Mode.self)
                let maxBid = try map.amount("max_bid")
                return Market(mode: mode, windowMilliseconds: try map.amount("window_ms"), maxBid: maxBid)
            }
        }
        parent = try map.optional("parent") { d throws(IPLDError) in
            try d.map { map throws(IPLDError) in
                let depth = try map.field("depth") { d throws(IPLDError) in
                    try d.unsigned(atMost: RunEffectLimits.depthMax)
                }
                guard depth > 0 else { throw IPLDError(.schema, "a job with a parent has a depth from 1") }
                let epoch = try map.optional("epoch") { d throws(IPLDError) in
                    try d.unsigned(atMost: amountMax)
                }
                guard epoch != 0 else { throw IPLDError(.schema, "the epoch 0 is left out") }
                let index = try map.field("index") { d throws(IPLDError) in
                    try d.unsigned(atMost: UInt64(RunEffectLimits.submissionCountMax) - 1)
                }
                return Parent(
                    manifest: try map.field("manifest") { d throws(IPLDError) in try d.link() }, index: index,
                    depth: depth, epoch: epoch ?? 0)
            }
        }
        placer = try map.field("placer") { d throws(IPLDError) in try d.did() }
        created = try map.field("created") { d throws(IPLDError) in try d.timestamp() }
        expires = try map.field("expires") { d throws(IPLDError) in try d.timestamp() }
        language = try map.field("language") { d throws(IPLDError) in try d.text(atMost: 64) }
        priority = try map.field("priority") { d throws(IPLDError) in
            guard let value = Priority(rawValue: try d.unsigned()) else {
                throw IPLDError(.schema, "a priority is 0 to 3")
            }
            return value
        }
        resource = try map.field("resource") { d throws(IPLDError) in
            try d.map { map throws(IPLDError) in
                let type = try map.field("type") { d throws(IPLDError) in try d.text(atMost: 64) }
                let scope = try map.field("scope") { d throws(IPLDError) in try d.text(atMost: 64) }
                return Resource(type: type, amount: try map.amount("amount"), scope: scope)
            }
        }
        submitter = try map.field("submitter") { d throws(IPLDError) in try d.did() }
        description = try map.field("description") { d throws(IPLDError) in try d.text(atMost: 4096) }
        guard (1...64).contains(nonce.count) else { throw IPLDError(.schema, "a nonce has 1 to 64 bytes") }
        guard Set(inputs.map(\.name)).count == inputs.count else {
            throw IPLDError(.schema, "two inputs have the same name")
        }
    }
}
