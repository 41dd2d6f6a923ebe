public import IPLD
public import MeshCore

/// What a run may ask of the mesh through the functions of `HostFunction`, as its manifest says.
///
/// Everything in it follows from the manifest, so that whoever repeats the run answers the program alike.
public struct RunGrant: Hashable, Sendable {
    /// The resource that the job was given, such as `compute`.
    public var resource: String
    /// How much of it the run's own jobs and records may come to; a limit that the contract declares may lower it.
    public var amount: UInt64
    /// How many jobs it may submit; 0 where jobs of jobs have gone deep enough.
    public var submissionCountMax: UInt32

    public init(resource: String, amount: UInt64, submissionCountMax: UInt32) {
        self.resource = resource
        self.amount = amount
        self.submissionCountMax = submissionCountMax
    }
}

/// What a run's jobs ask of a node, as its contract declares it; `nil` where it says nothing.
public struct SubmissionRequirements: Hashable, Sendable {
    public var memoryMiB: UInt64?
    public var cpu: UInt64?
    public var maxSeconds: UInt64?
    /// 0 to 100.
    public var minReputation: UInt64?
    public var location: String?
    public var maxBid: UInt64?

    public init(
        memoryMiB: UInt64? = nil, cpu: UInt64? = nil, maxSeconds: UInt64? = nil, minReputation: UInt64? = nil,
        location: String? = nil, maxBid: UInt64? = nil
    ) {
        self.memoryMiB = memoryMiB
        self.cpu = cpu
        self.maxSeconds = maxSeconds
        self.minReputation = minReputation
        self.location = location
        self.maxBid = maxBid
    }
}

/// A job that a run asks for; nothing is submitted until the run's receipt is verified.
public struct RunSubmission: Hashable, Sendable {
    public var code: CID
    public var description: String
    public var resource: String
    public var amount: UInt64
    /// `low`, `medium`, `high` or `critical`.
    public var priority: String
    public var requirements: SubmissionRequirements

    public init(
        code: CID, description: String, resource: String, amount: UInt64, priority: String,
        requirements: SubmissionRequirements = SubmissionRequirements()
    ) {
        self.code = code
        self.description = description
        self.resource = resource
        self.amount = amount
        self.priority = priority
        self.requirements = requirements
    }
}

/// One thing that a run did through its host, in the order in which it did them.
public enum RunEffect: Hashable, Sendable {
    /// Data that the receipt is to anchor.
    case anchored(String)
    /// So much was used, by the run's own account.
    case used(resource: String, amount: UInt64)
    case submitted(RunSubmission)
    /// Something was asked for that the run may not have, and why not.
    case refused(HostFunction, reason: String)
}
