public import MeshCore
public import MeshGraph
public import MeshStorage

/// What a watch is judged against: one snapshot of the store, with what belongs to it.
public struct WatchMoment {
    public var schema: GraphSchema
    /// The rows of system types.
    public var virtual: (any VirtualTables)?
    public var storage: any StorageReader
    public var now: Timestamp
    /// How many changes had been taken in.
    public var tick: Int

    public init(
        schema: GraphSchema, virtual: (any VirtualTables)?, storage: any StorageReader, now: Timestamp,
        tick: Int
    ) {
        self.schema = schema
        self.virtual = virtual
        self.storage = storage
        self.now = now
        self.tick = tick
    }
}

/// What all watches of one node may cost.
public struct WatchLimits: Sendable {
    public var watchCount = 256
    /// How many matches each watch keeps.
    public var matchCount = 100_000
    /// Delivery ids that are remembered when their time has run out, and watches that are gone.
    public var rememberedCount = 10_000

    public init() {}
}

/// The watches of one node: patterns that are matched as the graph changes, and what is told of them.
///
///     change ──touched──▶ detectors ──▶ buffers ──fetched──▶ clients
///                                  └──▶ actions ──performed──▶ finished
///
/// A machine without clock, threads or I/O: whoever owns it calls it from one thread at a time, hands it the
/// present and a snapshot, performs its actions, and wakes those who wait for events.
///
/// A match is a way of binding the pattern's variables. Edges without a name are no part of it, so that two of them
/// between the same nodes make one match, where MATCH gives two rows.
public final class WatchHub {
    let limits: WatchLimits
    /// Sets this run's ids apart from those of earlier ones.
    let salt: String
    var watches: [String: OpenWatch] = [:]
    /// Keys of open watches in the order in which they came.
    var order: [String] = []
    var groups: [String: ConsumerGroup] = [:]
    var deliveries: [String: Delivery] = [:]
    /// In the order in which they were made: their timeouts differ, so all are looked at.
    var retries: [Retry] = []
    /// Delivery ids whose time has run out.
    var late = Remembered()
    /// Watches that are gone, with who had opened them.
    var gone = Remembered()
    var actions: [WatchAction] = []
    var running: [UInt64: RunningAction] = [:]
    var tick = 0
    private var watchNumber = 0
    private var deliveryNumber = 0
    private var actionNumber: UInt64 = 0

    /// - Parameter salt: Letters and digits that no earlier run of the node has had, so that ids of then name nothing now.
    public init(salt: String, limits: WatchLimits = WatchLimits()) {
        self.salt = salt
        self.limits = limits
    }

    /// A match in a consumer's hands.
    struct Delivery {
        let group: ConsumerGroup
        let match: MatchKey
        let kept: KeptMatch
        let watch: String
        let authority: Authority
        /// Of the consumer that it was delivered to.
        let options: WatchOptions
        let attempt: Int
        let deadline: Timestamp
    }

    /// A match that could not be taken to its end yet.
    struct Retry {
        let delivery: Delivery
        let reason: String
        let deadline: Timestamp
    }

    struct RunningAction {
        enum Purpose {
            case acknowledge(Delivery)
            /// With why it was given up.
            case bury(Delivery, reason: String)
            case onMatch
        }

        let purpose: Purpose
        let watch: String
    }

    // MARK: Opening and closing

    /// Opens a watch.
    ///
    /// What matches now waits to be fetched at once, unless the options say otherwise.
    ///
    /// - Parameters:
    ///   - source: The text that the statement stands in.
    ///   - environment: Who asks, with parameters and bindings; its schema, rows and present are those of `moment`.
    /// - Returns: The watch's id, `_Watch/key`.
    /// - Throws: A ``Diagnostic``: E8001, E8006, E8009, E9023, or why the statement cannot be judged; and what the
    ///   store throws. No watch is open then.
    public func open(
        _ statement: WatchStatement, source: [UInt8], _ environment: ScriptEnvironment,
        at moment: WatchMoment
    ) throws -> String {
        tick = moment.tick
        guard order.count < limits.watchCount else {
            throw Diagnostic(
                .watchLimit, "this node has \(limits.watchCount) watches open, and takes no more",
                at: statement.pattern.range, hint: "SHOW WATCHES lists them; CANCEL WATCH ends one")
        }
        var options = try WatchOptions(statement.options, environment.parameters)
        if options.mode == .consume, !statement.actions.isEmpty {
            throw WatchOptions.invalid(
                "ON MATCH DO acts by itself, and mode: consume hands matches to consumers",
                statement.pattern.range, "leave one of them out")
        }
        let session = try self.session(environment, moment)
        try resolveDeadLetter(&options, session)
        let program = try WatchProgram(statement, options, session)
        watchNumber += 1
        let key = "w\(salt)\(salt.isEmpty ? "" : "_")\(watchNumber)"
        let group = options.mode == .consume ? self.group(key, statement, options, environment, program) : nil
        let isFirst = group?.members.isEmpty ?? true
        let detector = group?.detector ?? WatchDetector(program, countMax: limits.matchCount)
        let watch = OpenWatch(
            key: key, statement: statement, source: source, environment: environment, options: options,
            detector: detector, group: group, now: moment.now)
        if isFirst {
            let found = try detector.changes([], session)
            for change in found { detector.apply(change) }
            detector.isBehind = false
            if let group {
                for (key, _) in detector.known { group.add(key, isIgnored: !options.showsInitial) }
            } else if options.showsInitial {
                watch.begin(with: found.map { event(.initial, $0, watch) })
            }
        }
        watches[key] = watch
        order.append(key)
        if let group {
            group.members.append(key)
            groups[group.identity] = group
            distribute(group)
        }
        return watch.id
    }

    /// The client is gone: what it had in its hands is somebody else's.
    public func close(_ id: String, now: Timestamp) {
        guard let watch = watches[Self.key(id)] else { return }
        leaveGroup(watch, now: now)
        watches[watch.key] = nil
        order.removeAll { $0 == watch.key }
        gone.add(watch.key, watch.environment.authority.actor, limit: limits.rememberedCount)
    }

    /// The next events of a watch.
    ///
    /// - Returns: Empty while there are none; `nil` when there will be no more.
    public func take(_ id: String, countMax: Int, now: Timestamp) -> [WatchEvent]? {
        guard let watch = watches[Self.key(id)] else { return nil }
        guard var events = watch.take(countMax, tick: tick, now: now) else { return nil }
        if let group = watch.group, watch.status == .active {
            let consumed = consume(watch, group, countMax - events.count, now: now)
            watch.noteDelivered(consumed.count, now: now)
            events += consumed
        }
        return events
    }

    /// Whether a watch has events to be fetched.
    public func hasEvents(_ id: String) -> Bool {
        guard let watch = watches[Self.key(id)] else { return true }
        return watch.hasEvents || (watch.status == .active && watch.group?.isAssigned(watch.key) ?? false)
    }

    /// Actions to be performed, in order; each is given once.
    public func takeActions() -> [WatchAction] {
        defer { actions = [] }
        return actions
    }

    // MARK: Small things

    /// Ids are taken with and without the type before them.
    static func key(_ id: String) -> String {
        id.hasPrefix("_Watch/") ? String(id.dropFirst("_Watch/".count)) : id
    }

    func session(_ environment: ScriptEnvironment, _ moment: WatchMoment) throws -> Session {
        var environment = environment
        environment.schema = moment.schema
        environment.virtual = moment.virtual
        environment.now = moment.now
        return try Session(environment, view: GraphView(moment.storage))
    }

    func event(_ kind: WatchEvent.Kind, _ change: MatchChange, _ watch: OpenWatch) -> WatchEvent {
        var event = WatchEvent(kind, of: watch.id, tick: tick)
        event.columns = watch.detector.program.columns
        event.values = change.match.values
        event.previous = kind == .changed ? change.previous : nil
        return event
    }

    func newDeliveryID() -> String {
        deliveryNumber += 1
        return "d\(salt)\(salt.isEmpty ? "" : "_")\(deliveryNumber)"
    }

    func newAction(
        _ purpose: RunningAction.Purpose, _ watch: OpenWatch?, key: String, unit: ScriptUnit,
        source: [UInt8],
        parameters: [String: GraphValue] = [:], bindings: [String: String] = [:], isKernel: Bool,
        authority: Authority
    ) -> WatchAction {
        actionNumber += 1
        running[actionNumber] = RunningAction(purpose: purpose, watch: key)
        watch?.runningActionCount += 1
        return WatchAction(
            number: actionNumber, watch: "_Watch/" + key, unit: unit, source: source, parameters: parameters,
            bindings: bindings, isKernel: isKernel, authority: authority)
    }
}

/// The last few of many texts, each with a text of its own.
struct Remembered {
    private var values: [String: String?] = [:]
    private var order: ArraySlice<String> = []

    mutating func add(_ text: String, _ value: String?, limit: Int) {
        if values.updateValue(value, forKey: text) == nil { order.append(text) }
        while order.count > limit, let first = order.popFirst() { values[first] = nil }
    }

    /// The value of a text that is remembered; `nil` for one that is not.
    subscript(_ text: String) -> String?? { values[text] }
}
