/// What is known, before it runs, of what a contract's `run` uses when it ends well.
///
/// A run that fails has submitted nothing, so paths that end in `fail` do not count. Handlers are runs of their
/// own: what they use is in ``events``, and of the other figures they are in ``modules`` alone.
public struct Spending: Sendable, Hashable {
    /// How much of one resource is used.
    public struct Use: Sendable, Hashable {
        public var resource: String
        public var atLeast: Int64
        /// `nil` where nothing bounds it before the run.
        public var atMost: Int64?
        /// What a job must be given so that nothing is refused: the most that is used or asked for at any one
        /// moment; `nil` where nothing bounds it before the run.
        public var needed: Int64?

        public init(resource: String, atLeast: Int64, atMost: Int64?, needed: Int64?) {
            self.resource = resource
            self.atLeast = atLeast
            self.atMost = atMost
            self.needed = needed
        }
    }

    /// What the run of one handler uses.
    public struct Event: Sendable, Hashable {
        public var event: String
        /// As in ``Spending/uses``.
        public var uses: [Use]

        public init(event: String, uses: [Use]) {
            self.event = event
            self.uses = uses
        }
    }

    /// Sorted by the resource's name.
    ///
    /// What is used of a resource whose name only the run knows is not in it.
    public var uses: [Use]
    /// In the order of the text.
    public var events: [Event]
    /// How many jobs are submitted.
    public var submissionsAtLeast: Int64
    public var submissionsAtMost: Int64?
    /// The CIDs of the modules that are named in submissions, in the order in which they were met.
    public var modules: [String]
    /// Some use is of a resource whose name only the run knows.
    public var hasUnknownResource: Bool

    public init(
        uses: [Use] = [], submissionsAtLeast: Int64 = 0, submissionsAtMost: Int64? = 0,
        modules: [String] = [],
        hasUnknownResource: Bool = false, events: [Event] = []
    ) {
        self.uses = uses
        self.submissionsAtLeast = submissionsAtLeast
        self.submissionsAtMost = submissionsAtMost
        self.modules = modules
        self.hasUnknownResource = hasUnknownResource
        self.events = events
    }
}
