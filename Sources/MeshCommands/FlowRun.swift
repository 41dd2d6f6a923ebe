internal import Dataflow
internal import MeshCore
internal import Synchronization

/// A run of a graph on this machine: ticks, passes, actions and what is kept of them.
final class FlowRun {
    /// A pass that ran.
    struct Attempt {
        let report: PassReport
        /// How many attempts on the same tick came before.
        let retryCount: Int
        let isTimedOut: Bool
    }

    private let graph: PreparedGraph
    private let settings: FlowRunSettings
    private let surroundings: FlowSurroundings
    private let record: FlowRecord?
    private let stop: StopSignal
    private var machine: Orchestrator
    private(set) var attempts: [Attempt] = []
    /// Why the last tick had no good pass; nothing is run behind it.
    private(set) var failure: String?
    /// Why the last attempt was not good, though another may be.
    private var lastFailure: String?

    init(
        _ graph: PreparedGraph, settings: FlowRunSettings, surroundings: FlowSurroundings,
        record: FlowRecord?, stop: StopSignal
    ) {
        self.graph = graph
        self.settings = settings
        self.surroundings = surroundings
        self.record = record
        self.stop = stop
        machine = Orchestrator(graph: graph, configuration: settings.orchestration)
    }

    /// Everything that the passes depended on.
    var capture: CaptureBundle { machine.capture }
    /// Whether the run was stopped before its time.
    private(set) var isStopped = false

    /// Runs until every tick has had its pass, one of them has failed, or somebody stops it.
    ///
    /// - Throws: Where it cannot go on; what it has recorded has then failed.
    func run() throws {
        do {
            var schedule = TickSchedule(ticks: settings.passes, every: settings.every)
            loop: while failure == nil, !stop.isRequested {
                switch schedule.next(dueAt: machine.dueAt, now: StopSignal.now()) {
                case .tick(let event): try follow(machine.receive(event))
                case .advance(let time): try follow(machine.advance(to: time))
                case .wait(let time): stop.wait(until: time)
                case .done: break loop
                }
            }
            if stop.isRequested, failure == nil {
                isStopped =
                    schedule.ticksLeft > 0 || machine.dueAt != nil || !machine.underWay.isEmpty
                // The attempt that would have made it good will not come.
                failure = lastFailure
            }
        } catch {
            record?.abandon(error)
            throw error
        }
        try record?.finish(passes: attempts.count, failure: failure, isStopped: isStopped)
    }

    /// Runs the passes that were decided on, and those that follow from them.
    private func follow(_ decisions: [Decision]) throws {
        var waiting = decisions
        while !waiting.isEmpty, failure == nil, !stop.isRequested {
            let decision = waiting.removeFirst()
            guard decision.kind == .invoke, let episode = decision.episode else { continue }
            waiting += try attempt(decision, episode)
        }
    }

    private func attempt(_ decision: Decision, _ episode: Int) throws -> [Decision] {
        let inputs = PassInputs(graph.reads.map(surroundings.read))
        try record?.begin(inputs, state: machine.state)
        let adapter = try evaluation(of: inputs)
        guard var pass = machine.evaluate(episode: episode, inputs: inputs, adapter: adapter) else {
            return []
        }
        try record?.evaluated()
        while let command = pass.nextCommand {
            guard settings.isPerforming else {
                pass.acknowledge(.outcome(.attempted))
                continue
            }
            if let deadline = decision.deadline, deadline < StopSignal.now() {
                pass.acknowledge(
                    .failure(PrimitiveFailure(.deadlineExceeded, "the deadline passed before it began")))
                continue
            }
            pass.acknowledge(surroundings.perform(command))
            try record?.performed(pass)
        }
        let next = machine.finish(episode: episode, pass: pass, at: StopSignal.now())
        let termination = machine.capture.decisions.last { $0.episode == episode }?.termination
        attempts.append(
            Attempt(
                report: pass.report(), retryCount: decision.retryCount, isTimedOut: termination == .timedOut))
        let failure = termination == .timedOut ? "the pass took too long" : pass.failure.map { "\($0)" }
        try record?.end(pass, failure: failure)
        lastFailure = failure
        // Another attempt on the same tick may still end well.
        if !next.contains(where: { $0.kind == .invoke && $0.eventID == decision.eventID }) {
            self.failure = failure
        }
        return next
    }

    /// What works the modules of a pass out: where they were run before, what they gave then.
    private func evaluation(of inputs: PassInputs) throws -> AdapterFunction {
        let real = surroundings.compute
        guard settings.isTwice || record != nil else { return real }
        var known: [Reading] = []
        if settings.isTwice {
            let given = Given()
            let port = graph.nondeterministicPort(inputs, state: machine.state) { request, values in
                let result = real(request, values)
                given.readings.withLock { $0[request.node] = Reading(node: request.node, result) }
                return result
            }
            if let port {
                let name = port.port.isEmpty ? port.node : "\(port.node).\(port.port)"
                throw CommandFailure(
                    code: "dataflow.nondeterministic",
                    "\(name) came out differently when the pass was evaluated twice; nothing was done",
                    hint: "a primitive may depend on nothing but what comes in")
            }
            known = given.readings.withLock { readings in readings.keys.sorted().compactMap { readings[$0] } }
        }
        let found = Self.recall(known, otherwise: real)
        guard let record else { return found }
        return Self.recall(try record.process(found), otherwise: found)
    }

    /// What modules gave while a pass was evaluated.
    private final class Given: Sendable {
        let readings = Mutex<[String: Reading]>([:])
    }

    private static func recall(
        _ readings: [Reading], otherwise: @escaping AdapterFunction
    ) -> AdapterFunction {
        guard !readings.isEmpty else { return otherwise }
        let known = Dictionary(readings.map { ($0.node, $0.result) }) { first, _ in first }
        return { request, values in known[request.node] ?? otherwise(request, values) }
    }
}
