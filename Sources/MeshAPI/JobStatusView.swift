/// A job as this node sees it: what `job-status` prints.
///
/// What the DAG says is in ``settledStatus``; ``status`` refines it with what is live and not yet
/// anchored. Nested objects are always present, with null for what is not known yet.
public struct JobStatusView: APIRecord, Hashable {
    /// The UUID that people see.
    public var jobID: String
    /// The CID of the manifest, the job's true name.
    public var manifestCID: String
    /// The submitter's words; empty when there were none.
    public var description: String
    /// `Submitted`, `Bidding`, `Assigned`, `Running`, `Completed`, `Failed`, `Cancelled` or `Expired`.
    public var status: String
    /// The same without the live overlays `Bidding` and `Running`: what the entries alone say.
    public var settledStatus: String
    /// How far the receipt is verified.
    public var verification: VerificationView
    /// Who runs or ran the job; nulls before the first award.
    public var executor: NodeReferenceView
    /// The number of the newest award, from 0; null before the first.
    @Nullable public var epoch: Int?
    /// RFC 3339, UTC, milliseconds; so are the other times.
    public var createdAt: String
    /// When the newest award was anchored.
    @Nullable public var assignedAt: String?
    /// When the executor began.
    @Nullable public var startedAt: String?
    /// When the executor ended.
    @Nullable public var finishedAt: String?
    /// How the run ended; nulls until a receipt is here.
    public var outcome: OutcomeView
    /// The receipt that counts for this job.
    @Nullable public var receiptCID: String?
    /// Whether that receipt stands in an anchor that this node holds and has checked.
    public var receiptAnchored: Bool
    /// What the run produced, `stdout` among it.
    public var outputs: [OutputView]
    /// What the run consumed; nulls until a receipt is here.
    public var metrics: MetricsView
    /// What the job cost; the amount is null until the job is closed.
    public var charged: ChargeView
    /// Whose feed holds the manifest.
    public var submitter: NodeReferenceView
    /// `wasm` or `ccl`.
    public var language: String
    /// The CID of the module.
    public var code: String
    /// `low`, `medium`, `high` or `critical`.
    public var priority: String
    /// The scope whose feeds carry the job.
    public var scope: String
    /// The CID of the bundle body that judges the receipt.
    @Nullable public var federation: String?
    /// Why the job failed, expired or was cancelled, in one sentence.
    @Nullable public var reason: String?
    /// The job whose run asked for this one; null for jobs that people submitted.
    @Nullable public var parent: ParentView?
    /// The jobs that this one's run asked for, in order.
    public var children: [ChildView]

    public init(
        jobID: String, manifestCID: String, description: String, status: String, settledStatus: String,
        verification: VerificationView, executor: NodeReferenceView, epoch: Int? = nil, createdAt: String,
        assignedAt: String? = nil, startedAt: String? = nil, finishedAt: String? = nil, outcome: OutcomeView,
        receiptCID: String? = nil, receiptAnchored: Bool, outputs: [OutputView] = [], metrics: MetricsView,
        charged: ChargeView, submitter: NodeReferenceView, language: String, code: String, priority: String,
        scope: String, federation: String? = nil, reason: String? = nil, parent: ParentView? = nil,
        children: [ChildView] = []
    ) {
        self.jobID = jobID
        self.manifestCID = manifestCID
        self.description = description
        self.status = status
        self.settledStatus = settledStatus
        self.verification = verification
        self.executor = executor
        self.epoch = epoch
        self.createdAt = createdAt
        self.assignedAt = assignedAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.outcome = outcome
        self.receiptCID = receiptCID
        self.receiptAnchored = receiptAnchored
        self.outputs = outputs
        self.metrics = metrics
        self.charged = charged
        self.submitter = submitter
        self.language = language
        self.code = code
        self.priority = priority
        self.scope = scope
        self.federation = federation
        self.reason = reason
        self.parent = parent
        self.children = children
    }

    enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case manifestCID = "manifest_cid"
        case description
        case status
        case settledStatus = "settled_status"
        case verification
        case executor
        case epoch
        case createdAt = "created_at"
        case assignedAt = "assigned_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case outcome
        case receiptCID = "receipt_cid"
        case receiptAnchored = "receipt_anchored"
        case outputs
        case metrics
        case charged
        case submitter
        case language
        case code
        case priority
        case scope
        case federation
        case reason
        case parent
        case children
    }

    public static let fields: [APIField] = [
        APIField("job_id", .string),
        APIField("manifest_cid", .string),
        APIField("description", .string),
        APIField("status", .string),
        APIField("settled_status", .string),
        APIField("verification", .record("VerificationView")),
        APIField("executor", .record("NodeReferenceView")),
        APIField("epoch", .integer, nullable: true),
        APIField("created_at", .string),
        APIField("assigned_at", .string, nullable: true),
        APIField("started_at", .string, nullable: true),
        APIField("finished_at", .string, nullable: true),
        APIField("outcome", .record("OutcomeView")),
        APIField("receipt_cid", .string, nullable: true),
        APIField("receipt_anchored", .boolean),
        APIField("outputs", .array(.record("OutputView"))),
        APIField("metrics", .record("MetricsView")),
        APIField("charged", .record("ChargeView")),
        APIField("submitter", .record("NodeReferenceView")),
        APIField("language", .string),
        APIField("code", .string),
        APIField("priority", .string),
        APIField("scope", .string),
        APIField("federation", .string, nullable: true),
        APIField("reason", .string, nullable: true),
        APIField("parent", .record("ParentView"), nullable: true),
        APIField("children", .array(.record("ChildView"))),
    ]
}

/// How far a receipt is verified, and by whom.
public struct VerificationView: APIRecord, Hashable {
    /// `Unverified`, `Verifying`, `Verified`, `Unverifiable` or `Disputed`.
    public var state: String
    /// The DIDs whose attestations count, without the executor and its organisation.
    public var verifiedBy: [String]
    /// How many attestations the job asks for.
    public var quorum: Int
    /// `none`, `signature` or `replay`.
    public var method: String
    /// Whether the state can no longer change, so that a waiting command may end.
    public var final: Bool
    /// Why it is unverifiable or disputed.
    @Nullable public var reason: String?

    public init(
        state: String, verifiedBy: [String] = [], quorum: Int, method: String, final: Bool,
        reason: String? = nil
    ) {
        self.state = state
        self.verifiedBy = verifiedBy
        self.quorum = quorum
        self.method = method
        self.final = final
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey {
        case state
        case verifiedBy = "verified_by"
        case quorum
        case method
        case final
        case reason
    }

    public static let fields: [APIField] = [
        APIField("state", .string),
        APIField("verified_by", .array(.string)),
        APIField("quorum", .integer),
        APIField("method", .string),
        APIField("final", .boolean),
        APIField("reason", .string, nullable: true),
    ]
}

/// A node by its name and its identity.
public struct NodeReferenceView: APIRecord, Hashable {
    /// The display name, or a shortened DID where the name is not known.
    @Nullable public var nodeID: String?
    /// `did:key:z6Mk…`.
    @Nullable public var did: String?

    public init(
        nodeID: String? = nil, did: String? = nil
    ) {
        self.nodeID = nodeID
        self.did = did
    }

    enum CodingKeys: String, CodingKey {
        case nodeID = "node_id"
        case did
    }

    public static let fields: [APIField] = [
        APIField("node_id", .string, nullable: true),
        APIField("did", .string, nullable: true),
    ]
}

/// How a run ended.
public struct OutcomeView: APIRecord, Hashable {
    /// Whether the program returned normally or exited with 0.
    @Nullable public var ok: Bool?
    /// The exit status, where there was one.
    @Nullable public var exitCode: Int?
    /// What went wrong, such as `trap: unreachable`; null when nothing did.
    @Nullable public var error: String?
    /// The class: `ok exit trap fuel memory output time engine lost node_resources`.
    @Nullable public var outcomeClass: String?

    public init(
        ok: Bool? = nil, exitCode: Int? = nil, error: String? = nil, outcomeClass: String? = nil
    ) {
        self.ok = ok
        self.exitCode = exitCode
        self.error = error
        self.outcomeClass = outcomeClass
    }

    enum CodingKeys: String, CodingKey {
        case ok
        case exitCode = "exit_code"
        case error
        case outcomeClass = "class"
    }

    public static let fields: [APIField] = [
        APIField("ok", .boolean, nullable: true),
        APIField("exit_code", .integer, nullable: true),
        APIField("error", .string, nullable: true),
        APIField("class", .string, nullable: true),
    ]
}

/// A named result or log of a run.
public struct OutputView: APIRecord, Hashable {
    /// `stdout`, `stderr` or the file's name.
    public var name: String
    /// The CID of its bytes.
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

/// What a run consumed.
public struct MetricsView: APIRecord, Hashable {
    /// Instructions in fuel units.
    @Nullable public var fuelUsed: Int?
    /// The largest linear memory.
    @Nullable public var memoryPeakBytes: Int?
    /// Calls of the host by the program.
    @Nullable public var hostCalls: Int?
    /// Bytes of inputs read and outputs written.
    @Nullable public var ioBytes: Int?
    /// Real time in milliseconds; differs from run to run.
    @Nullable public var wallMs: Int?

    public init(
        fuelUsed: Int? = nil, memoryPeakBytes: Int? = nil, hostCalls: Int? = nil, ioBytes: Int? = nil,
        wallMs: Int? = nil
    ) {
        self.fuelUsed = fuelUsed
        self.memoryPeakBytes = memoryPeakBytes
        self.hostCalls = hostCalls
        self.ioBytes = ioBytes
        self.wallMs = wallMs
    }

    enum CodingKeys: String, CodingKey {
        case fuelUsed = "fuel_used"
        case memoryPeakBytes = "memory_peak_bytes"
        case hostCalls = "host_calls"
        case ioBytes = "io_bytes"
        case wallMs = "wall_ms"
    }

    public static let fields: [APIField] = [
        APIField("fuel_used", .integer, nullable: true),
        APIField("memory_peak_bytes", .integer, nullable: true),
        APIField("host_calls", .integer, nullable: true),
        APIField("io_bytes", .integer, nullable: true),
        APIField("wall_ms", .integer, nullable: true),
    ]
}

/// What a job cost.
public struct ChargeView: APIRecord, Hashable {
    /// `compute`, `storage` or `bandwidth`.
    public var resourceType: String
    /// In units of the resource.
    @Nullable public var amount: Int?

    public init(
        resourceType: String, amount: Int? = nil
    ) {
        self.resourceType = resourceType
        self.amount = amount
    }

    enum CodingKeys: String, CodingKey {
        case resourceType = "resource_type"
        case amount
    }

    public static let fields: [APIField] = [
        APIField("resource_type", .string),
        APIField("amount", .integer, nullable: true),
    ]
}
