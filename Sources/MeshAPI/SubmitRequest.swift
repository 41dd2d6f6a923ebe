/// A job to submit: the long flags of `submit-job` in snake case, with bytes replaced by their CIDs.
///
/// What is absent takes the default that `submit-job --help` states.
public struct SubmitRequest: APIRecord, Hashable {
    /// The CID of the uploaded module.
    public var wasm: String
    /// For people.
    public var description: String?
    /// The exported function to call; by default `_start`, then `run`, then `main`.
    public var entry: String?
    /// `wasm`.
    public var language: String?
    /// `compute`.
    public var resourceType: String?
    /// In units of the resource: 100.
    public var resourceAmount: Int?
    /// `default`.
    public var scope: String?
    /// `low`, `medium`, `high` or `critical`: `medium`.
    public var priority: String?
    /// MiB; also the memory limit: 64.
    public var minMemory: Int?
    /// Processors: 1.
    public var minCpu: Int?
    /// Uploaded inputs; the one named `stdin` is the program's stdin.
    public var inputs: [InputReference]?
    /// `argv` without the program's name.
    public var args: [String]?
    /// The program's environment.
    public var env: [String: String]?
    /// A fuel limit below the one that the resource amount gives.
    public var fuel: Int?
    /// Real-time limit.
    public var maxSeconds: Int?
    /// CIDs of grants to draw on; by default what the submitter holds.
    public var tokens: [String]?
    /// `none`, `signature` or `replay`: `replay`.
    public var verify: String?
    /// Attestations asked for; by default the bundle's threshold.
    public var quorum: Int?
    /// Whether the best bid is awarded when the window ends.
    public var auto: Bool?
    /// Milliseconds: 2,000; 0 lets the first acceptable bid win.
    public var bidWindowMs: Int?
    /// The same key names the same job.
    public var idempotencyKey: String?
    /// Bytes of output: 16 MiB.
    public var maxOutput: Int?
    /// Whether the submitter's own node may bid.
    public var allowSelf: Bool?
    /// The node that places the job, by name, DID or prefix.
    public var delegate: String?
    /// The highest acceptable price; by default the resource amount.
    public var maxBid: Int?
    /// 0 to 100.
    public var minReputation: Int?
    /// Only nodes that state this location.
    public var location: String?
    /// Only nodes that state all of these.
    public var labels: [String: String]?
    /// Jobs that must complete first, by id.
    public var after: [String]?
    /// Attempts after a node fault.
    public var retry: Int?
    /// Milliseconds from submission until the job expires.
    public var deadlineMs: Int?

    public init(
        wasm: String, description: String? = nil, entry: String? = nil, language: String? = nil,
        resourceType: String? = nil, resourceAmount: Int? = nil, scope: String? = nil,
        priority: String? = nil, minMemory: Int? = nil, minCpu: Int? = nil, inputs: [InputReference]? = nil,
        args: [String]? = nil, env: [String: String]? = nil, fuel: Int? = nil, maxSeconds: Int? = nil,
        tokens: [String]? = nil, verify: String? = nil, quorum: Int? = nil, auto: Bool? = nil,
        bidWindowMs: Int? = nil, idempotencyKey: String? = nil, maxOutput: Int? = nil, allowSelf: Bool? = nil,
        delegate: String? = nil, maxBid: Int? = nil, minReputation: Int? = nil, location: String? = nil,
        labels: [String: String]? = nil, after: [String]? = nil, retry: Int? = nil, deadlineMs: Int? = nil
    ) {
        self.wasm = wasm
        self.description = description
        self.entry = entry
        self.language = language
        self.resourceType = resourceType
        self.resourceAmount = resourceAmount
        self.scope = scope
        self.priority = priority
        self.minMemory = minMemory
        self.minCpu = minCpu
        self.inputs = inputs
        self.args = args
        self.env = env
        self.fuel = fuel
        self.maxSeconds = maxSeconds
        self.tokens = tokens
        self.verify = verify
        self.quorum = quorum
        self.auto = auto
        self.bidWindowMs = bidWindowMs
        self.idempotencyKey = idempotencyKey
        self.maxOutput = maxOutput
        self.allowSelf = allowSelf
        self.delegate = delegate
        self.maxBid = maxBid
        self.minReputation = minReputation
        self.location = location
        self.labels = labels
        self.after = after
        self.retry = retry
        self.deadlineMs = deadlineMs
    }

    enum CodingKeys: String, CodingKey {
        case wasm
        case description
        case entry
        case language
        case resourceType = "resource_type"
        case resourceAmount = "resource_amount"
        case scope
        case priority
        case minMemory = "min_memory"
        case minCpu = "min_cpu"
        case inputs
        case args
        case env
        case fuel
        case maxSeconds = "max_seconds"
        case tokens
        case verify
        case quorum
        case auto
        case bidWindowMs = "bid_window_ms"
        case idempotencyKey = "idempotency_key"
        case maxOutput = "max_output"
        case allowSelf = "allow_self"
        case delegate
        case maxBid = "max_bid"
        case minReputation = "min_reputation"
        case location
        case labels
        case after
        case retry
        case deadlineMs = "deadline_ms"
    }

    public static let fields: [APIField] = [
        APIField("wasm", .string),
        APIField("description", .string, optional: true),
        APIField("entry", .string, optional: true),
        APIField("language", .string, optional: true),
        APIField("resource_type", .string, optional: true),
        APIField("resource_amount", .integer, optional: true),
        APIField("scope", .string, optional: true),
        APIField("priority", .string, optional: true),
        APIField("min_memory", .integer, optional: true),
        APIField("min_cpu", .integer, optional: true),
        APIField("inputs", .array(.record("InputReference")), optional: true),
        APIField("args", .array(.string), optional: true),
        APIField("env", .map(.string), optional: true),
        APIField("fuel", .integer, optional: true),
        APIField("max_seconds", .integer, optional: true),
        APIField("tokens", .array(.string), optional: true),
        APIField("verify", .string, optional: true),
        APIField("quorum", .integer, optional: true),
        APIField("auto", .boolean, optional: true),
        APIField("bid_window_ms", .integer, optional: true),
        APIField("idempotency_key", .string, optional: true),
        APIField("max_output", .integer, optional: true),
        APIField("allow_self", .boolean, optional: true),
        APIField("delegate", .string, optional: true),
        APIField("max_bid", .integer, optional: true),
        APIField("min_reputation", .integer, optional: true),
        APIField("location", .string, optional: true),
        APIField("labels", .map(.string), optional: true),
        APIField("after", .array(.string), optional: true),
        APIField("retry", .integer, optional: true),
        APIField("deadline_ms", .integer, optional: true),
    ]
}

/// An uploaded input.
public struct InputReference: APIRecord, Hashable {
    /// What the program knows it by.
    public var name: String
    /// The CID of its bytes, or of the list of its chunks.
    public var cid: String
    /// Bytes.
    public var size: Int

    public init(
        name: String, cid: String, size: Int
    ) {
        self.name = name
        self.cid = cid
        self.size = size
    }

    enum CodingKeys: String, CodingKey {
        case name
        case cid
        case size
    }

    public static let fields: [APIField] = [
        APIField("name", .string),
        APIField("cid", .string),
        APIField("size", .integer),
    ]
}

/// What a submission made.
public struct SubmitResponse: APIRecord, Hashable {
    /// The UUID that people see.
    public var jobID: String
    /// The CID of the manifest.
    public var manifestCID: String

    public init(
        jobID: String, manifestCID: String
    ) {
        self.jobID = jobID
        self.manifestCID = manifestCID
    }

    enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case manifestCID = "manifest_cid"
    }

    public static let fields: [APIField] = [
        APIField("job_id", .string),
        APIField("manifest_cid", .string),
    ]
}

/// Bytes that the daemon has stored.
public struct BlobView: APIRecord, Hashable {
    /// The CID of the bytes, or of the list of their chunks.
    public var cid: String
    /// Bytes.
    public var size: Int
    /// How many chunks there are, where it is a list.
    @Nullable public var chunks: Int?

    public init(
        cid: String, size: Int, chunks: Int? = nil
    ) {
        self.cid = cid
        self.size = size
        self.chunks = chunks
    }

    enum CodingKeys: String, CodingKey {
        case cid
        case size
        case chunks
    }

    public static let fields: [APIField] = [
        APIField("cid", .string),
        APIField("size", .integer),
        APIField("chunks", .integer, nullable: true),
    ]
}
