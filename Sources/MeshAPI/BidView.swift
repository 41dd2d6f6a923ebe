/// One bid for a job.
public struct BidView: APIRecord, Hashable {
    /// The job's UUID.
    public var jobID: String
    /// The bidder's name, or a shortened DID.
    public var nodeID: String
    /// The bidder.
    public var did: String
    /// The price of the whole job at its full limit, in units of the resource.
    public var bid: Int
    /// The bidder's own estimate.
    public var estimatedSeconds: Double
    /// 0 to 100, computed by this node; 50 is unknown.
    public var reputation: Int
    /// As the bidder's profile states it.
    @Nullable public var location: String?
    /// Parts per million, higher is better; null for a bid that is not acceptable.
    @Nullable public var score: Int?
    /// When the bid lapses, RFC 3339.
    public var validUntil: String
    /// Whether an award on this bid would be valid now.
    public var acceptable: Bool
    /// Why it is not acceptable.
    @Nullable public var reason: String?

    public init(
        jobID: String, nodeID: String, did: String, bid: Int, estimatedSeconds: Double, reputation: Int,
        location: String? = nil, score: Int? = nil, validUntil: String, acceptable: Bool,
        reason: String? = nil
    ) {
        self.jobID = jobID
        self.nodeID = nodeID
        self.did = did
        self.bid = bid
        self.estimatedSeconds = estimatedSeconds
        self.reputation = reputation
        self.location = location
        self.score = score
        self.validUntil = validUntil
        self.acceptable = acceptable
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case nodeID = "node_id"
        case did
        case bid
        case estimatedSeconds = "estimated_seconds"
        case reputation
        case location
        case score
        case validUntil = "valid_until"
        case acceptable
        case reason
    }

    public static let fields: [APIField] = [
        APIField("job_id", .string),
        APIField("node_id", .string),
        APIField("did", .string),
        APIField("bid", .integer),
        APIField("estimated_seconds", .number),
        APIField("reputation", .integer),
        APIField("location", .string, nullable: true),
        APIField("score", .integer, nullable: true),
        APIField("valid_until", .string),
        APIField("acceptable", .boolean),
        APIField("reason", .string, nullable: true),
    ]
}

/// The bids for a job and whether more may come.
public struct BidsView: APIRecord, Hashable {
    /// The job's UUID.
    public var jobID: String
    /// As in ``JobStatusView/status``.
    public var status: String
    /// Whether the bid window is still open.
    public var windowOpen: Bool
    /// When it ends or ended, RFC 3339.
    @Nullable public var windowEndsAt: String?
    /// Every bid, best score first.
    public var bids: [BidView]

    public init(
        jobID: String, status: String, windowOpen: Bool, windowEndsAt: String? = nil, bids: [BidView] = []
    ) {
        self.jobID = jobID
        self.status = status
        self.windowOpen = windowOpen
        self.windowEndsAt = windowEndsAt
        self.bids = bids
    }

    enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case status
        case windowOpen = "window_open"
        case windowEndsAt = "window_ends_at"
        case bids
    }

    public static let fields: [APIField] = [
        APIField("job_id", .string),
        APIField("status", .string),
        APIField("window_open", .boolean),
        APIField("window_ends_at", .string, nullable: true),
        APIField("bids", .array(.record("BidView"))),
    ]
}

/// Which bidder a job goes to.
public struct AwardRequest: APIRecord, Hashable {
    /// The bidder's name, DID or an unambiguous prefix of either.
    public var nodeID: String

    public init(
        nodeID: String
    ) {
        self.nodeID = nodeID
    }

    enum CodingKeys: String, CodingKey {
        case nodeID = "node_id"
    }

    public static let fields: [APIField] = [
        APIField("node_id", .string)
    ]
}
