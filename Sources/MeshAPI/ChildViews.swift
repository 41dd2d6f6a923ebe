/// The job whose run asked for this one.
public struct ParentView: APIRecord, Hashable {
    /// The UUID that people see.
    public var jobID: String
    /// The CID of the parent's manifest.
    public var manifestCID: String
    /// Which of the parent's submissions this job is, from 0.
    public var index: Int
    /// How many jobs stand above this one, from 1.
    public var depth: Int

    public init(jobID: String, manifestCID: String, index: Int, depth: Int) {
        self.jobID = jobID
        self.manifestCID = manifestCID
        self.index = index
        self.depth = depth
    }

    enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case manifestCID = "manifest_cid"
        case index
        case depth
    }

    public static let fields: [APIField] = [
        APIField("job_id", .string),
        APIField("manifest_cid", .string),
        APIField("index", .integer),
        APIField("depth", .integer),
    ]
}

/// A job that a run has asked for.
public struct ChildView: APIRecord, Hashable {
    /// Its place among the receipt's submissions, from 0.
    public var index: Int
    /// The UUID that it has or will have; null where the request cannot become a job.
    @Nullable public var jobID: String?
    /// The CID of its manifest.
    @Nullable public var manifestCID: String?
    /// What the run says of it.
    public var description: String
    /// The CID of its module.
    public var code: String
    /// `compute`, `storage` or `bandwidth`.
    public var resourceType: String
    /// In units of the resource.
    public var resourceAmount: Int
    /// The job's status; `Waiting` until it is submitted, `Refused` where it never will be.
    public var status: String
    /// How far its receipt is verified; null until it is submitted.
    @Nullable public var verification: String?
    /// Why it waits or is refused.
    @Nullable public var reason: String?

    public init(
        index: Int, jobID: String?, manifestCID: String?, description: String, code: String,
        resourceType: String, resourceAmount: Int, status: String, verification: String?, reason: String?
    ) {
        self.index = index
        self.jobID = jobID
        self.manifestCID = manifestCID
        self.description = description
        self.code = code
        self.resourceType = resourceType
        self.resourceAmount = resourceAmount
        self.status = status
        self.verification = verification
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey {
        case index
        case jobID = "job_id"
        case manifestCID = "manifest_cid"
        case description
        case code
        case resourceType = "resource_type"
        case resourceAmount = "resource_amount"
        case status
        case verification
        case reason
    }

    public static let fields: [APIField] = [
        APIField("index", .integer),
        APIField("job_id", .string, nullable: true),
        APIField("manifest_cid", .string, nullable: true),
        APIField("description", .string),
        APIField("code", .string),
        APIField("resource_type", .string),
        APIField("resource_amount", .integer),
        APIField("status", .string),
        APIField("verification", .string, nullable: true),
        APIField("reason", .string, nullable: true),
    ]
}
