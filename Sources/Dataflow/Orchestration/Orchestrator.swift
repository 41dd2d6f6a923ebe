public import MeshCore

/// Decides when passes of one graph run, and writes down all that they depend on.
///
/// A machine without clock and I/O: it is told of events and of time, gives decisions, and evaluates a pass when it is
/// handed what the sources have read. Everything it was told is in ``capture``, from which ``CaptureBundle/replay(on:adapter:)``
/// gives the same decisions and outputs again.
///
/// The protocol: `receive` or `advance` gives decisions; for each `invoke` the owner reads what ``PreparedGraph/reads``
/// asks for and calls ``evaluate(episode:inputs:adapter:)``, performs the commands of the pass, and hands it back with
/// ``finish(episode:pass:at:)``, which may decide on another attempt.
public struct Orchestrator: Sendable {
    /// An attempt that is under way.
    private struct Episode: Sendable {
        let event: ExternalEvent
        let decision: Int
        let retryCount: Int
        let deadline: Timestamp?
        /// What the triggers remembered before it.
        let stateBefore: TriggerState
        var inputs: PassInputs?
    }

    public let graph: PreparedGraph
    public let configuration: OrchestratorConfiguration
    /// All that happened so far.
    public private(set) var capture: CaptureBundle
    /// What the triggers remember after the passes so far.
    public private(set) var state: TriggerState
    private var now = Timestamp(milliseconds: .min)
    private var episodes: [Int: Episode] = [:]
    private var nextEpisode = 0
    /// When invocations of the last window began, the oldest first.
    private var begun: [Timestamp] = []
    private var deferred: [ExternalEvent] = []
    private var seen: Set<String> = []

    /// The most events that wait, and the most steps that a capture holds; what comes then is skipped.
    public static let deferredMax = 1_024
    public static let stepsMax = 1 << 20

    public init(graph: PreparedGraph, configuration: OrchestratorConfiguration) {
        self.graph = graph
        self.configuration = configuration
        state = graph.initialState()
        capture = CaptureBundle(graph: graph.cid, configuration: configuration)
    }

    /// The attempts that are under way, in the order in which they began.
    public var underWay: [Int] { episodes.keys.sorted() }

    /// When ``advance(to:)`` begins what waits; `nil` where nothing does, or an attempt under way must end first.
    public var dueAt: Timestamp? {
        guard !deferred.isEmpty, episodes.count < inFlightMax else { return nil }
        guard let perWindowMax = configuration.perWindowMax else { return now }
        let start = now + -configuration.rateWindow
        let counting = begun.filter { $0 > start }
        guard counting.count >= perWindowMax else { return now }
        return counting[counting.count - perWindowMax] + configuration.rateWindow
    }

    private var inFlightMax: Int {
        graph.isStateful ? 1 : configuration.inFlightMax ?? .max
    }

    // MARK: What it is told

    /// An event has come in.
    ///
    /// - Returns: The decision on it, behind those that its time made due. Events that are too large, were seen before
    ///   or come when the capture is full are skipped and not written down.
    public mutating func receive(_ event: ExternalEvent) -> [Decision] {
        guard event.payload.utf8.count <= ExternalEvent.payloadMax,
            event.id.utf8.count <= ExternalEvent.idMax,
            capture.steps.count < Self.stepsMax, seen.insert(event.id).inserted
        else {
            return [Self.decision(event, .skip)]
        }
        capture.record(event)
        var decisions = passTime(to: event.time)
        let isAsked =
            switch (event.kind, configuration.cadence) {
            case (.command, _), (.tick, .continuous), (.dataAvailable, .event): true
            case (.tick, .event), (.dataAvailable, .continuous): false
            }
        if !isAsked {
            decisions.append(note(Self.decision(event, .skip)))
        } else if let until = obstacle() {
            if deferred.count < Self.deferredMax {
                deferred.append(event)
                decisions.append(note(Self.decision(event, .defer, scheduleAt: until.at)))
            } else {
                decisions.append(note(Self.decision(event, .skip)))
            }
        } else {
            decisions.append(invoke(event, retryCount: 0))
        }
        return decisions
    }

    /// Time has passed: attempts past their deadline end, and what waited may begin.
    public mutating func advance(to time: Timestamp) -> [Decision] {
        guard capture.steps.count < Self.stepsMax else { return [] }
        capture.steps.append(.advance(time))
        return passTime(to: time)
    }

    /// Evaluates the pass of an attempt over what its sources have read.
    ///
    /// - Returns: `nil` for an attempt that is not under way or was evaluated before.
    public mutating func evaluate(
        episode number: Int, inputs: PassInputs, adapter: AdapterFunction? = nil
    ) -> EvaluatedPass? {
        guard let episode = episodes[number], episode.inputs == nil else { return nil }
        episodes[number]?.inputs = inputs
        return graph.evaluate(inputs, state: &state, adapter: adapter)
    }

    /// An attempt is over; its pass has no command left.
    ///
    /// - Returns: Another attempt, or what may begin in its place. Nothing for an attempt that has ended before, such
    ///   as by its deadline, or was not evaluated.
    public mutating func finish(episode number: Int, pass: EvaluatedPass, at time: Timestamp) -> [Decision] {
        guard let episode = episodes[number], let inputs = episode.inputs else { return [] }
        capture.record(
            CapturedPass(
                episode: number, inputs: inputs, computed: pass.computed, results: pass.results,
                report: pass.report(), finishedAt: time))
        // An attempt that ends too late has timed out, whatever came of it.
        var decisions = passTime(to: time)
        guard episodes[number] != nil else { return decisions }
        let termination: RunTermination = pass.failure.map { .failed($0.failure.errorClass) } ?? .completed
        decisions += end(number, termination)
        return decisions + release()
    }

    /// A lifecycle ends and another begins: attempts under way are aborted, waiting events skipped, and triggers
    /// remember nothing.
    public mutating func reset() {
        guard capture.steps.count < Self.stepsMax else { return }
        capture.steps.append(.reset)
        for number in underWay {
            if let episode = episodes.removeValue(forKey: number) {
                capture.decisions[episode.decision].termination = .aborted
            }
        }
        for event in deferred { _ = note(Self.decision(event, .skip)) }
        deferred = []
        state.reset()
    }

    // MARK: What it decides

    private static func decision(
        _ event: ExternalEvent, _ kind: Decision.Kind, scheduleAt: Timestamp? = nil
    ) -> Decision {
        Decision(
            eventID: event.id, kind: kind, scheduleAt: scheduleAt, episode: nil, deadline: nil, retryCount: 0)
    }

    private mutating func note(_ decision: Decision) -> Decision {
        capture.decisions.append(decision)
        return decision
    }

    /// What keeps a pass from beginning now, and until when where that is known.
    private mutating func obstacle() -> (at: Timestamp?, Void)? {
        if episodes.count >= inFlightMax { return (nil, ()) }
        guard let perWindowMax = configuration.perWindowMax else { return nil }
        let start = now + -configuration.rateWindow
        begun.removeAll { $0 <= start }
        guard begun.count >= perWindowMax else { return nil }
        return (begun[begun.count - perWindowMax] + configuration.rateWindow, ())
    }

    private mutating func invoke(_ event: ExternalEvent, retryCount: Int) -> Decision {
        let deadline = configuration.deadline.map { now + $0 }
        let number = nextEpisode
        nextEpisode += 1
        if configuration.perWindowMax != nil { begun.append(now) }
        episodes[number] = Episode(
            event: event, decision: capture.decisions.count, retryCount: retryCount, deadline: deadline,
            stateBefore: state)
        return note(
            Decision(
                eventID: event.id, kind: .invoke, scheduleAt: nil, episode: number, deadline: deadline,
                retryCount: retryCount))
    }

    private mutating func passTime(to time: Timestamp) -> [Decision] {
        now = max(now, time)
        var decisions: [Decision] = []
        for number in underWay {
            if let deadline = episodes[number]?.deadline, deadline < now {
                decisions += end(number, .timedOut)
            }
        }
        return decisions + release()
    }

    /// Ends an attempt, and begins another on the same event where that may help.
    private mutating func end(_ number: Int, _ termination: RunTermination) -> [Decision] {
        guard let episode = episodes.removeValue(forKey: number) else { return [] }
        capture.decisions[episode.decision].termination = termination
        let isTriedAgain = termination.isRetried && episode.retryCount < configuration.retriesMax
        // The next attempt sees what the first one saw, and a pass that came too late is one that never was; a graph
        // with state has no other pass in between.
        if graph.isStateful, isTriedAgain || termination == .timedOut { state = episode.stateBefore }
        guard isTriedAgain else { return [] }
        return [invoke(episode.event, retryCount: episode.retryCount + 1)]
    }

    /// Begins what waited, the oldest first, as far as it may.
    private mutating func release() -> [Decision] {
        var decisions: [Decision] = []
        while !deferred.isEmpty, obstacle() == nil {
            decisions.append(invoke(deferred.removeFirst(), retryCount: 0))
        }
        return decisions
    }
}
