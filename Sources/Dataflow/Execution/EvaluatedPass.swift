/// A pass whose nodes are all evaluated and whose actions are performed one after another.
///
/// Who owns it takes ``nextCommand``, does it, and says with ``acknowledge(_:)`` what became of it, until there is none.
public struct EvaluatedPass: Sendable {
    private let graph: PreparedGraph
    private var slots: Slots
    private var nextAction = 0
    /// What adapter computes gave, for the record.
    public let computed: [Reading]
    /// What stopped the pass, or `nil`.
    public private(set) var failure: PassFailure?
    /// What was said of each command so far.
    public private(set) var results: [ActionResult] = []
    private var acknowledgements: [Acknowledgement] = []
    private var commands: [AdapterRequest] = []

    init(_ graph: PreparedGraph, _ slots: Slots, computed: [Reading], failure: PassFailure?) {
        self.graph = graph
        self.slots = slots
        self.computed = computed
        self.failure = failure
        // Nothing acts in a pass whose nodes could not all be evaluated.
        if failure == nil { settle() }
    }

    /// Whether every node was evaluated, so that the triggers' state has gone on.
    public var isEvaluated: Bool { failure == nil || !acknowledgements.isEmpty }

    /// The triggers that emitted, in the order of the pass; none where it was stopped before its actions.
    public var firings: [TriggerFiring] {
        guard isEvaluated else { return [] }
        return graph.triggers.filter { trigger in
            trigger.events.contains { slots.numbers[Int($0)] == Double(FlowEvent.emitted.rawValue) }
        }.map { trigger in
            TriggerFiring(
                node: trigger.node,
                inputs: trigger.inputs.map { PortValue($0.port, slots.value($0.slot, graph)) })
        }
    }

    /// The command to be done now; `nil` when the pass is over.
    public var nextCommand: AdapterRequest? {
        guard failure == nil, nextAction < graph.actions.count else { return nil }
        return graph.actions[nextAction].request
    }

    /// Says what became of ``nextCommand``.
    ///
    /// After a failure the actions that are left are cancelled. Without a command to speak of nothing changes.
    public mutating func acknowledge(_ result: ActionResult) {
        guard let command = nextCommand else { return }
        commands.append(command)
        results.append(result)
        switch result {
        case .outcome(let event) where [.attempted, .filled, .rejected].contains(event): record(event)
        case .outcome(let event):
            stop(PrimitiveFailure(.validationFailed, "an action cannot end with “\(event.name)”"))
        case .failure(let reason): stop(reason)
        }
        settle()
    }

    /// What the pass gave; commands that nobody has done yet are not in it.
    public func report() -> PassReport {
        let isComplete = failure == nil || isEvaluated
        return PassReport(
            outputs: isComplete
                ? graph.outputs.map { .init(name: $0.name, value: slots.value($0.slot, graph)) } : [],
            acknowledgements: acknowledgements, commands: commands, failure: failure)
    }

    private mutating func record(_ outcome: FlowEvent, note: String = "") {
        let action = graph.actions[nextAction]
        slots.set(action.output, .event(outcome), graph)
        acknowledgements.append(
            Acknowledgement(node: action.request.node, outcome: outcome, note: note))
        nextAction += 1
    }

    private mutating func stop(_ reason: PrimitiveFailure) {
        failure = PassFailure(node: graph.actions[nextAction].request.node, reason)
        record(.failed, note: reason.message)
        while nextAction < graph.actions.count { record(.cancelled) }
    }

    /// Goes on to the next action that is a command.
    private mutating func settle() {
        while failure == nil, nextAction < graph.actions.count {
            let action = graph.actions[nextAction]
            guard action.events.allSatisfy({ slots.numbers[Int($0)] == Double(FlowEvent.emitted.rawValue) })
            else {
                record(.skipped)
                continue
            }
            switch action.opcode {
            case .acknowledge: record(action.parameters.first == .bool(true) ? .filled : .rejected)
            case .annotate:
                var note = ""
                if case .text(let text) = action.parameters.first { note = text }
                record(.attempted, note: note)
            default: return
            }
        }
    }
}
