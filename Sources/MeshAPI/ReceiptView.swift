/// A receipt, its place in the DAG and its verification: what `receipt show` prints.
public struct ReceiptView: APIRecord, Hashable {
    /// The receipt.
    public var receiptCID: String
    /// The job's UUID.
    public var jobID: String
    /// The manifest it answers.
    public var manifestCID: String
    /// The award it rests on; null for a local run.
    @Nullable public var awardCID: String?
    /// The award's number.
    public var epoch: Int
    /// Who ran it.
    public var executor: NodeReferenceView
    /// How it ended.
    public var outcome: OutcomeView
    /// What it produced.
    public var outputs: [OutputView]
    /// `stderr`, as an output.
    public var logs: [OutputView]
    /// What it consumed.
    public var metrics: MetricsView
    /// What ran it.
    public var engine: EngineView
    /// RFC 3339, by the executor's clock.
    public var startedAt: String
    /// RFC 3339, by the executor's clock.
    public var finishedAt: String
    /// CIDs of jobs that the run submitted.
    public var submissions: [String]
    /// The run's execution document; null for receipts of before there were any.
    @Nullable public var execution: ExecutionLinksView?
    /// The anchor that links the receipt.
    public var anchor: HeadView
    /// The entry with which the placer closed the job.
    @Nullable public var closeCID: String?
    /// What the close charged.
    public var charged: ChargeView
    /// The bundle body that judges it.
    @Nullable public var federation: String?
    /// What members said.
    public var attestations: [AttestationView]
    /// What that amounts to.
    public var verification: VerificationView

    public init(
        receiptCID: String, jobID: String, manifestCID: String, awardCID: String? = nil, epoch: Int,
        executor: NodeReferenceView, outcome: OutcomeView, outputs: [OutputView] = [],
        logs: [OutputView] = [], metrics: MetricsView, engine: EngineView, startedAt: String,
        finishedAt: String, submissions: [String] = [], execution: ExecutionLinksView? = nil,
        anchor: HeadView, closeCID: String? = nil,
        charged: ChargeView, federation: String? = nil, attestations: [AttestationView] = [],
        verification: VerificationView
    ) {
        self.receiptCID = receiptCID
        self.jobID = jobID
        self.manifestCID = manifestCID
        self.awardCID = awardCID
        self.epoch = epoch
        self.executor = executor
        self.outcome = outcome
        self.outputs = outputs
        self.logs = logs
        self.metrics = metrics
        self.engine = engine
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.submissions = submissions
        self.execution = execution
        self.anchor = anchor
        self.closeCID = closeCID
        self.charged = charged
        self.federation = federation
        self.attestations = attestations
        self.verification = verification
    }

    enum CodingKeys: String, CodingKey {
        case receiptCID = "receipt_cid"
        case jobID = "job_id"
        case manifestCID = "manifest_cid"
        case awardCID = "award_cid"
        case epoch
        case executor
        case outcome
        case outputs
        case logs
        case metrics
        case engine
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case submissions
        case execution
        case anchor
        case closeCID = "close_cid"
        case charged
        case federation
        case attestations
        case verification
    }

    public static let fields: [APIField] = [
        APIField("receipt_cid", .string),
        APIField("job_id", .string),
        APIField("manifest_cid", .string),
        APIField("award_cid", .string, nullable: true),
        APIField("epoch", .integer),
        APIField("executor", .record("NodeReferenceView")),
        APIField("outcome", .record("OutcomeView")),
        APIField("outputs", .array(.record("OutputView"))),
        APIField("logs", .array(.record("OutputView"))),
        APIField("metrics", .record("MetricsView")),
        APIField("engine", .record("EngineView")),
        APIField("started_at", .string),
        APIField("finished_at", .string),
        APIField("submissions", .array(.string)),
        APIField("execution", .record("ExecutionLinksView"), nullable: true),
        APIField("anchor", .record("HeadView")),
        APIField("close_cid", .string, nullable: true),
        APIField("charged", .record("ChargeView")),
        APIField("federation", .string, nullable: true),
        APIField("attestations", .array(.record("AttestationView"))),
        APIField("verification", .record("VerificationView")),
    ]
}

/// One member's verdict on a receipt.
public struct AttestationView: APIRecord, Hashable {
    /// The member.
    public var did: String
    /// The member's name.
    @Nullable public var nodeID: String?
    /// The entry.
    public var cid: String
    /// The time of its anchor, RFC 3339.
    @Nullable public var time: String?
    /// `verified`, `mismatch` or `unverifiable`.
    public var verdict: String
    /// `signature` or `replay`.
    public var method: String
    /// Whether it counts towards the quorum.
    public var counted: Bool
    /// Why it is not `verified`, or why it does not count.
    @Nullable public var reason: String?

    public init(
        did: String, nodeID: String? = nil, cid: String, time: String? = nil, verdict: String, method: String,
        counted: Bool, reason: String? = nil
    ) {
        self.did = did
        self.nodeID = nodeID
        self.cid = cid
        self.time = time
        self.verdict = verdict
        self.method = method
        self.counted = counted
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey {
        case did
        case nodeID = "node_id"
        case cid
        case time
        case verdict
        case method
        case counted
        case reason
    }

    public static let fields: [APIField] = [
        APIField("did", .string),
        APIField("node_id", .string, nullable: true),
        APIField("cid", .string),
        APIField("time", .string, nullable: true),
        APIField("verdict", .string),
        APIField("method", .string),
        APIField("counted", .boolean),
        APIField("reason", .string, nullable: true),
    ]
}

/// A receipt that this node has published.
public struct AnchoredReceiptView: APIRecord, Hashable {
    /// The receipt.
    public var receiptCID: String
    /// The anchor that links it; null until it is made.
    @Nullable public var anchorCID: String?

    public init(
        receiptCID: String, anchorCID: String? = nil
    ) {
        self.receiptCID = receiptCID
        self.anchorCID = anchorCID
    }

    enum CodingKeys: String, CodingKey {
        case receiptCID = "receipt_cid"
        case anchorCID = "anchor_cid"
    }

    public static let fields: [APIField] = [
        APIField("receipt_cid", .string),
        APIField("anchor_cid", .string, nullable: true),
    ]
}
