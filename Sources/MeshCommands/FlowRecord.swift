internal import Dataflow
internal import ExecutionDocuments
internal import ExecutionStore
internal import MeshAPI
internal import MeshCore

/// The execution documents of a run of dataflow: one for the run, below it one for each pass, and below those one for
/// each trigger that emitted.
///
/// A pass begins with one wait for the disk and ends with one; each snapshot in between that was asked for has its own,
/// because what it tells must be known before anything else happens.
final class FlowRecord {
    static let runProtocol = "dataflow.run"
    /// The step after which all of a pass is evaluated and nothing has acted.
    static let evaluatedLabel = "evaluated"

    private let store: ExecutionStore
    private let graph: PreparedGraph
    private let frequency: SnapshotFrequency
    private var run: ExecutionDocument
    private var pass: ExecutionDocument?
    /// Keeps a recovery from doing again what is still being done.
    private let claim: ExecutionClaim
    private var plan: SnapshotPlan

    /// Begins the document of a new run.
    ///
    /// - Throws: What is wrong with the folder, with its log, or with the snapshots that are asked for.
    init(
        _ store: ExecutionStore, context: String, parent: ExecutionUID? = nil, graph: PreparedGraph,
        source: String, settings: FlowRunSettings
    ) throws {
        self.store = store
        self.graph = graph
        (run, frequency) = try CommandEntry.reading {
            var run = ExecutionDocument(
                uid: ExecutionStore.freshUID(), protocolName: try ProtocolName(Self.runProtocol),
                context: try ContextPath(context), parentUID: parent, timestamp: ExecutionStore.clock())
            try run.set("config", to: settings.config(graph, source: source))
            let frequency = try SnapshotFrequency(of: run)
            return (try Self.commit([.create(try run.becoming(.running))], store), frequency)
        }
        claim = try Self.claim(run, store)
        plan = SnapshotPlan(frequency)
    }

    /// Goes on with a run from its start snapshot.
    ///
    /// - Throws: Where it cannot be claimed, or its start not be written.
    init(
        resuming start: ExecutionDocument, _ claim: ExecutionClaim, _ store: ExecutionStore,
        graph: PreparedGraph
    ) throws {
        self.store = store
        self.graph = graph
        self.claim = claim
        (run, frequency) = try CommandEntry.reading {
            let run = start.status == .created ? try store.begin(start) : start
            return (run, try SnapshotFrequency(of: run))
        }
        plan = SnapshotPlan(frequency)
    }

    var uid: ExecutionUID { run.uid }

    /// The claim on a run.
    ///
    /// - Throws: Where somebody else has it.
    static func claim(_ run: ExecutionDocument, _ store: ExecutionStore) throws -> ExecutionClaim {
        guard let claim = try CommandEntry.reading({ try store.claim(run) }) else {
            throw CommandFailure(
                code: "exec.still-running", "\(run.uid) is still being run by another process",
                hint:
                    "stop that with Ctrl+C first; meshctl exec recover --dry-run only says what is done again"
            )
        }
        return claim
    }

    // MARK: A pass

    /// A pass begins with what its sources have read and its triggers remember.
    func begin(_ inputs: PassInputs, state: TriggerState) throws {
        plan = SnapshotPlan(frequency)
        pass = try CommandEntry.reading {
            let document = try child(FlowDocument.passProtocol, of: run.uid)
            do throws(ExecutionError) {
                let pass = try FlowDocument.pass(
                    document, graph: graph, snapshots: run["config"]?["snapshots"], inputs: inputs,
                    state: state)
                return try Self.commit([.create(pass)], store)
            } catch {
                guard error.code == .tooLarge else { throw error }
                throw ExecutionError(
                    .tooLarge,
                    "what the sources have read does not fit into the document of a pass: \(error.message)",
                    hint: "let them read less, or run it without --record")
            }
        }
    }

    /// The inner part of the pass, from a frozen copy of its document.
    ///
    /// - Returns: What was worked out by modules, as the document has it now.
    func process(_ adapter: @escaping AdapterFunction) throws -> [Reading] {
        guard let before = pass else { return [] }
        return try CommandEntry.reading {
            let processing = FlowPassProcessing(graph: graph, adapter: adapter)
            let after = try before.processed { frozen throws(ExecutionError) in
                try processing.delta(frozen)
            }
            pass = after
            return after["result"]?["computed"].flatMap { FlowDocument.readings($0) } ?? []
        }
    }

    /// Everything is evaluated, and nothing has acted.
    func evaluated() throws {
        try CommandEntry.reading {
            guard let pass, let label = plan.label(at: .step(try SnapshotLabel(Self.evaluatedLabel))) else {
                return
            }
            try store.snapshot(pass, label: label)
        }
    }

    /// An action was performed.
    func performed(_ evaluated: EvaluatedPass) throws {
        guard let label = plan.label(at: .operation) else { return }
        try CommandEntry.reading {
            try pass?.set("result", to: try FlowPassProcessing.result(evaluated))
            if let pass { try store.snapshot(pass, label: label) }
        }
    }

    /// A pass is over, well or with `failure`; the documents of its triggers are written with its own.
    func end(_ evaluated: EvaluatedPass, failure: String?) throws {
        guard var pass else { return }
        self.pass = nil
        try CommandEntry.reading {
            try pass.set("result", to: try FlowPassProcessing.result(evaluated))
            var operations: [ExecutionOperation] = []
            for firing in evaluated.firings {
                let (start, processed) = try FlowDocument.trigger(
                    try child(FlowDocument.triggerProtocol, of: pass.uid), firing)
                operations += [.create(start), .complete(processed)]
            }
            operations.append(failure.map { .fail(pass, error: $0) } ?? .complete(pass))
            _ = try store.commit(operations)
        }
    }

    // MARK: The end

    /// The run is over after so many passes: badly where there is a failure, and before its time where it was stopped.
    func finish(passes: Int, failure: String?, isStopped: Bool) throws {
        try CommandEntry.reading {
            var result = [DocumentMember("passes", .integer(Int64(passes)))]
            if isStopped { result.append(DocumentMember("stopped", .boolean(true))) }
            try run.set("result", to: .object(result))
            run = if let failure { try store.fail(run, error: failure) } else { try store.complete(run) }
        }
    }

    /// The run cannot go on: it and the pass at hand have failed, as far as that can still be written.
    func abandon(_ error: any Error) {
        let message = CommandFailure(describing: error).detail.message
        if let pass { _ = try? store.fail(pass, error: message) }
        pass = nil
        _ = try? store.fail(run, error: message)
    }

    private func child(
        _ protocolName: String, of parent: ExecutionUID
    ) throws(ExecutionError) -> ExecutionDocument {
        ExecutionDocument(
            uid: ExecutionStore.freshUID(), protocolName: try ProtocolName(protocolName),
            context: run.context,
            parentUID: parent, timestamp: ExecutionStore.clock())
    }

    private static func commit(
        _ operations: [ExecutionOperation], _ store: ExecutionStore
    ) throws(ExecutionError) -> ExecutionDocument {
        guard let document = try store.commit(operations).last else {
            throw ExecutionError(.access, "the operation gave no document")
        }
        return document
    }
}
