/// What a run is made of: how many nodes, what network, what work, what goes wrong, and what must come of it.
///
/// With a seed it decides a run completely. Times are in microseconds.
public struct Scenario: Sendable {
    public enum Signatures: String, Hashable, Sendable, CaseIterable { case digest, ed25519 }

    /// How frames travel.
    public struct Network: Hashable, Sendable {
        /// One way; drawn once for each pair of nodes.
        public var latency = Distribution.lognormal(median: 40_000, spread: 0.4)
        /// Drawn anew for each frame, and added.
        public var jitter = Distribution.uniform(0...2_000)
        /// The probability that a segment is lost and sent again.
        public var loss = 0.0
        /// The probability that a frame that may be dropped is.
        public var frameLoss = 0.0
        /// The probability that a frame of the broadcast tree is lost although its link is well.
        ///
        /// A receiver drops what is beyond its sender's budget; nothing else loses these frames.
        public var treeLoss = 0.0
        /// Bytes per second and direction of a link; `nil` for no limit.
        public var bandwidth: Int?
        /// How long a link waits for an acknowledgement before it is given up.
        public var timeout: Int64 = 20_000_000
    }

    /// What is asked of the nodes.
    public struct Workload: Hashable, Sendable {
        public var jobs = 5
        public var entries = 5
        /// How many of the jobs are cancelled a moment later.
        public var cancels = 0
        /// When the first comes.
        public var start: Int64 = 5_000_000
        /// When the last may come.
        public var end: Int64 = 60_000_000
        /// So many nodes publish the entries by turns, evenly from start to end; `nil` for anybody at any time.
        public var senders: Int?
        /// So many entries of one sender, one a second, come before the others and are not measured.
        public var warmup = 0
        /// How many changes of the property graph are asked for; see `GraphWork`.
        public var graph = 0
        /// Whether the run of every second job submits one of its own.
        public var children = false
        /// How long bids are gathered, in milliseconds.
        public var bidWindow = 0
        /// Who publishes the plain entries, by index; every honest node where there are none.
        public var authors: [Int] = []
    }

    /// Nodes that misbehave.
    public struct Misbehaviour: Hashable, Sendable {
        public var kind: Behaviour.Kind
        /// By index; where there are none, ``count`` are drawn.
        public var nodes: [Int] = []
        public var count = 1
        /// When they begin, and when they are done, in microseconds.
        ///
        /// Before and after they are as honest as anyone, and identities that an attacker adds are not there before.
        public var start: Int64 = 0
        public var end = Int64.max
        /// Whom they are after, by index.
        ///
        /// A censor keeps their entries to itself, and a sybil gathers around them. Where there are none,
        /// it is everyone's entries, and the first node.
        public var targets: [Int] = []
    }

    /// What must come of a run.
    public struct Expectation: Hashable, Sendable {
        /// The checkers that must find something; every other one must not.
        public var violations: [Checker] = []
        /// How many jobs at least must be completed and verified.
        public var verified = 0
        /// How many jobs at least must have been accepted.
        public var accepted = 0
        /// How many links an entry may cross down the tree at most.
        public var hops: Int?
        /// How often more than once an entry may be pushed to a node, on average.
        public var redundancy: Double?
        /// How many deliveries may be missing or come late.
        public var missed: Int?
        /// How often a live node may be held for gone.
        public var falseDeaths: Int?
        /// Which part of all deliveries to honest nodes must come within a minute.
        public var delivery: Double?
    }

    public var name = "unnamed"
    public var about = ""
    public var nodes = 25
    /// How many of the nodes are members of the federation: the first ones.
    public var members = 7
    public var threshold = 2
    /// How many peers each node is configured with.
    public var degree = 3
    /// How many of the nodes, the last ones, have no roles: they announce and publish nothing.
    public var observers = 0
    /// How many members each node keeps in its table; `nil` for what nodes do by themselves.
    public var memberCountMax: Int?
    /// Whether nodes publish where they can be reached.
    public var discovery = true
    /// How long work comes and faults happen.
    public var duration: Int64 = 120_000_000
    /// How long the mesh may take to be well again after that.
    public var settle: Int64 = 300_000_000
    public var signatures = Signatures.digest
    public var network = Network()
    /// How long a commit takes.
    public var sync = Distribution.constant(1_000)
    /// How long a job runs.
    public var run = Distribution.uniform(200_000...3_000_000)
    public var workload = Workload()
    public var faults: [Fault] = []
    public var draws: [FaultDraw] = []
    public var misbehaviours: [Misbehaviour] = []
    public var expectation = Expectation()
    /// The text that it was read from, for the trace's header; empty for a drawn one.
    public var source = ""

    public init() {}
}
