/// One thing that happened to a job.
public struct HistoryEventView: APIRecord, Hashable {
    /// RFC 3339.
    public var time: String
    /// Such as `Submitted`, `Bid received`, `Assigned`, `Receipt`, `Attested`, `Closed`.
    public var event: String
    /// Who did it.
    @Nullable public var nodeID: String?
    /// The entry that says so.
    @Nullable public var cid: String?
    /// One sentence.
    @Nullable public var detail: String?

    public init(
        time: String, event: String, nodeID: String? = nil, cid: String? = nil, detail: String? = nil
    ) {
        self.time = time
        self.event = event
        self.nodeID = nodeID
        self.cid = cid
        self.detail = detail
    }

    enum CodingKeys: String, CodingKey {
        case time
        case event
        case nodeID = "node_id"
        case cid
        case detail
    }

    public static let fields: [APIField] = [
        APIField("time", .string),
        APIField("event", .string),
        APIField("node_id", .string, nullable: true),
        APIField("cid", .string, nullable: true),
        APIField("detail", .string, nullable: true),
    ]
}

/// What one node made of a job.
public struct ExplainView: APIRecord, Hashable {
    /// The node's name, or a shortened DID.
    public var nodeID: String
    /// The node.
    public var did: String
    /// How far it came: `seen`, `refused`, `bid`, `considered`, `awarded`, `no_answer`.
    public var stage: String
    /// A stable code, such as `capacity.memory`.
    @Nullable public var reasonCode: String?
    /// The same in one sentence.
    @Nullable public var reason: String?
    /// Parts per million, where the placer scored a bid.
    @Nullable public var score: Int?
    /// The parts of the score, in parts per million.
    public var parts: [String: Int]
    /// Whether the same node might do it later.
    public var retryable: Bool

    public init(
        nodeID: String, did: String, stage: String, reasonCode: String? = nil, reason: String? = nil,
        score: Int? = nil, parts: [String: Int] = [:], retryable: Bool
    ) {
        self.nodeID = nodeID
        self.did = did
        self.stage = stage
        self.reasonCode = reasonCode
        self.reason = reason
        self.score = score
        self.parts = parts
        self.retryable = retryable
    }

    enum CodingKeys: String, CodingKey {
        case nodeID = "node_id"
        case did
        case stage
        case reasonCode = "reason_code"
        case reason
        case score
        case parts
        case retryable
    }

    public static let fields: [APIField] = [
        APIField("node_id", .string),
        APIField("did", .string),
        APIField("stage", .string),
        APIField("reason_code", .string, nullable: true),
        APIField("reason", .string, nullable: true),
        APIField("score", .integer, nullable: true),
        APIField("parts", .map(.integer)),
        APIField("retryable", .boolean),
    ]
}

/// A piece of a job's stdout or stderr.
public struct LogChunkView: APIRecord, Hashable {
    /// `stdout` or `stderr`.
    public var stream: String
    /// The award under which it was written.
    public var epoch: Int
    /// Where it starts in the stream, in bytes.
    public var offset: Int
    /// The bytes as UTF-8, repaired where they are none; `outputs/{name}` has them exactly.
    public var text: String
    /// When the executor sent it; null once it comes from the receipt.
    @Nullable public var time: String?

    public init(
        stream: String, epoch: Int, offset: Int, text: String, time: String? = nil
    ) {
        self.stream = stream
        self.epoch = epoch
        self.offset = offset
        self.text = text
        self.time = time
    }

    enum CodingKeys: String, CodingKey {
        case stream
        case epoch
        case offset
        case text
        case time
    }

    public static let fields: [APIField] = [
        APIField("stream", .string),
        APIField("epoch", .integer),
        APIField("offset", .integer),
        APIField("text", .string),
        APIField("time", .string, nullable: true),
    ]
}

/// One line of the daemon's event stream.
public struct EventView: APIRecord, Hashable {
    /// Grows by one; a stream resumes after the last one seen.
    public var id: Int
    /// RFC 3339.
    public var time: String
    /// Such as `job.status`, `peer.connected`, `anchor.received`.
    public var event: String
    /// The job it is about.
    @Nullable public var jobID: String?
    /// The node it is about.
    @Nullable public var nodeID: String?
    /// The record it is about.
    @Nullable public var cid: String?
    /// One sentence.
    @Nullable public var detail: String?

    public init(
        id: Int, time: String, event: String, jobID: String? = nil, nodeID: String? = nil, cid: String? = nil,
        detail: String? = nil
    ) {
        self.id = id
        self.time = time
        self.event = event
        self.jobID = jobID
        self.nodeID = nodeID
        self.cid = cid
        self.detail = detail
    }

    enum CodingKeys: String, CodingKey {
        case id
        case time
        case event
        case jobID = "job_id"
        case nodeID = "node_id"
        case cid
        case detail
    }

    public static let fields: [APIField] = [
        APIField("id", .integer),
        APIField("time", .string),
        APIField("event", .string),
        APIField("job_id", .string, nullable: true),
        APIField("node_id", .string, nullable: true),
        APIField("cid", .string, nullable: true),
        APIField("detail", .string, nullable: true),
    ]
}

/// Why a job is cancelled.
public struct CancelRequest: APIRecord, Hashable {
    /// For people; kept with the close.
    public var reason: String?

    public init(
        reason: String? = nil
    ) {
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey {
        case reason
    }

    public static let fields: [APIField] = [
        APIField("reason", .string, optional: true)
    ]
}
