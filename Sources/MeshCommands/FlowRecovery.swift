internal import Dataflow
internal import ExecutionDocuments
internal import ExecutionStore
internal import MeshCore

/// What restarting a recorded run of dataflow means: the graph and settings of its start snapshot, and what of it had
/// been done already.
struct FlowRecovery {
    /// An action that had reached the outside, as far as snapshots tell.
    struct PerformedAction {
        let node: String
        let primitive: String
        let outcome: String
        let pass: ExecutionUID
    }

    let plan: RecoveryPlan
    let source: FlowSource
    let settings: FlowRunSettings
    private(set) var performed: [PerformedAction] = []
    /// Passes and triggers that have no end.
    private(set) var cutOff: [ExecutionUID] = []
    private var cutOffPasses: [ExecutionUID] = []
    /// Passes whose snapshots cannot be read, and why.
    private var unreadable: [(pass: ExecutionUID, message: String)] = []

    /// Reads what the plan rests on.
    ///
    /// - Throws: Where the start snapshot does not hold what is needed to run it again.
    init(_ plan: RecoveryPlan, _ store: ExecutionStore) throws {
        self.plan = plan
        guard let config = plan.start["config"], case .text(let text)? = config["source"] else {
            throw CommandFailure(
                code: "exec.bad-config", "the start snapshot of \(plan.start.uid) has no graph to run")
        }
        settings = try FlowRunSettings(config: config)
        source = FlowSource("the graph of \(plan.start.uid)", text: text.description)
        if let graph = source.prepared, config["graph"] != .string("\(graph.cid)") {
            throw CommandFailure(
                code: "exec.bad-config",
                "the start snapshot's graph is \(graph.cid) now, which is not what it says it ran",
                hint: "it was recorded by another version of meshctl")
        }
        let (log, tree) = try store.tree(below: plan.start.uid)
        for row in tree.rows.dropFirst() {
            let logged = log[row.position]
            let name = logged.protocolName.description
            guard name == FlowDocument.passProtocol || name == FlowDocument.triggerProtocol else { continue }
            if !logged.status.isFinal { cutOff.append(logged.uid) }
            guard name == FlowDocument.passProtocol else { continue }
            if !logged.status.isFinal { cutOffPasses.append(logged.uid) }
            if settings.isPerforming, logged.deletion != .hard {
                do throws(ExecutionError) {
                    performed += try Self.performed(logged.uid, store)
                } catch {
                    unreadable.append((logged.uid, error.message))
                }
            }
        }
    }

    /// What had been done in a pass, by its latest snapshot.
    private static func performed(
        _ pass: ExecutionUID, _ store: ExecutionStore
    ) throws(ExecutionError) -> [PerformedAction] {
        let labels = try store.labels(pass)
        let operations = labels.filter { $0.description.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard let latest = labels.contains(.end) ? .end : operations.last else { return [] }
        let result = try store.read(pass, latest)["result"]
        guard case .list(let records)? = result?["acknowledgements"],
            case .list(let commands)? = result?["commands"]
        else { return [] }
        return commands.compactMap { command in
            guard let node = command["node"],
                let outcome = records.first(where: { $0["node"] == node })?["outcome"],
                case .text(let name) = node, case .text(let said) = outcome,
                case .text(let primitive)? = command["primitive"],
                ["filled", "rejected", "failed"].contains(said.description)
            else { return nil }
            return PerformedAction(
                node: name.description, primitive: primitive.description, outcome: said.description,
                pass: pass)
        }
    }

    /// What is redone, one sentence each.
    var sentences: [String] {
        var sentences = plan.sentences
        if plan.status == .failed {
            sentences.append("it has failed for good, so a new run below it does it again")
        }
        for action in performed {
            sentences.append(
                "the action \(action.node) (\(action.primitive)) had been performed in the pass \(action.pass), with the outcome \(action.outcome), and is performed again"
            )
        }
        if settings.isPerforming {
            for pass in cutOffPasses {
                sentences.append(
                    "the pass \(pass) was cut off; whatever it had done since its last snapshot is done again"
                )
            }
            for (pass, message) in unreadable {
                sentences.append("what the pass \(pass) had done is not known: \(message)")
            }
        } else {
            sentences.append("its actions were named and not performed, and so they are again")
        }
        return sentences
    }

    /// Ends what was cut off, and begins the record under which the run is done again.
    ///
    /// `claim` is that on the run that is recovered, `graph` that of ``source``.
    func begin(
        _ claim: ExecutionClaim, _ store: ExecutionStore, graph: PreparedGraph
    ) throws -> FlowRecord {
        try CommandEntry.reading {
            for uid in cutOff {
                // One that has lost its snapshots stays as it is.
                guard let running = try? store.read(uid, .start) else { continue }
                _ = try store.fail(running, error: "cut off; \(plan.start.uid) was recovered")
            }
        }
        if plan.status == .failed {
            return try FlowRecord(
                store, context: plan.start.context.description, parent: plan.start.uid, graph: graph,
                source: source.text, settings: settings)
        }
        return try FlowRecord(resuming: plan.start, claim, store, graph: graph)
    }
}
