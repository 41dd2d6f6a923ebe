/// How long a ``Membership`` waits for what; times are in milliseconds.
public struct MembershipSettings: Hashable, Sendable {
    /// How long a neighbour may be silent before it is pinged; each wait is up to a seventh shorter or longer.
    public var silence: Int64 = 700
    /// With many neighbours each may be silent longer: this for each of them, up to ``silenceMax``.
    public var silenceShare: Int64 = 100
    public var silenceMax: Int64 = 850
    /// What is due about links is done at multiples of this, several links at a time.
    public var grid: Int64 = 50
    /// How long an answer to a ping may take while this node is well and the link is quick.
    public var probeTimeout: Int64 = 300
    /// How long one wait for an answer may become, however slow the link has been.
    public var probeTimeoutMax: Int64 = 15_000
    /// How many neighbours are asked about one that does not answer.
    public var helperCount = 3
    /// How long a suspected member has at the least to refute, when many suspect it.
    public var suspicionMin: Int64 = 1_000
    /// How many times that it has when nobody confirms.
    public var suspicionFactor: Int64 = 6
    /// How long a member has to refute whose address refused connections to several; round trips come on top.
    public var refusedGrace: Int64 = 100
    /// How many witnesses must have been refused.
    public var refusedWitnesses = 2
    /// How many witnesses must have probed in vain, unless a member has had the longest time to refute.
    public var probeWitnesses = 3
    /// For how long after a link broke a refused dial says something about the process behind it.
    public var redialWindow: Int64 = 10_000
    /// A deadline that comes this much too late says that this node itself has not been running.
    public var stall: Int64 = 250
    /// The largest local health; 0 is the best.
    public var healthMax = 8
    /// How far ahead of ours the clock of a member may be.
    public var clockLead: Int64 = 60_000
    /// The most members that are kept, gone ones included.
    public var capacity = 4_096
    /// After how many refuted suspicions a witness is not believed until ``strikeWindow`` has passed.
    public var strikeCountMax = 16
    public var strikeWindow: Int64 = 60_000
    /// How many suspicions of one witness may be open at once.
    public var openSuspicionCountMax = 32
    /// How many refutations this node sends in one go, and how long it takes to gain one more.
    public var refutationBurst = 48
    public var refutationInterval: Int64 = 500
    /// How many dials of a member that we were never linked with may fail before it is forgotten.
    public var dialFailureCountMax = 3

    /// How often one of the members that are gone is dialled, in turn: it may be gone for nobody but us.
    public var searchInterval: Int64 = 10_000
    /// How long a member is looked for after it went.
    public var searchWindow: Int64 = 3_600_000

    public init() {}
}
