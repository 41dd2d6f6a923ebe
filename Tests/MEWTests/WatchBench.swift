import MeshCore
import MeshDAG
import MeshGraph
import MeshStorage

@testable import MEW

/// One node's graph with its watches: what is run is told to the hub, and what the hub does is run.
final class WatchBench {
    let bench = Workbench()
    let hub: WatchHub
    /// The rows of system types.
    final class Tables: VirtualTables {
        var rows: [String: [VirtualRow]] = [:]

        func rows(
            ofType type: String, where key: (attribute: String, value: GraphValue)?
        ) throws -> [VirtualRow] {
            rows[type] ?? []
        }
    }
    let tables = Tables()
    var actor: String
    var tick = 0
    /// Why actions fail, if they are to.
    var actionFault: Diagnostic?
    private(set) var performed: [WatchAction] = []

    init(_ limits: WatchLimits = WatchLimits()) {
        hub = WatchHub(salt: "", limits: limits)
        actor = "\(bench.author)"
    }

    static let ontology = """
        ontology work {
          node Person { name: String [required]  age: Int?  city: String? }
          node Task { title: String [required]  done: Bool = false  rank: Int = 1 }
          node Box { label: String? }
          node Note { text: String [required] }
          edge assigned(task: Task, person: Person) { since: Int? }
          edge part_of(part: Task, whole: Task)
        }
        """

    /// With people and tasks.
    static func filled(_ limits: WatchLimits = WatchLimits()) throws -> WatchBench {
        let bench = WatchBench(limits)
        try bench.change(ontology)
        try bench.change(
            """
            BEGIN
            SPAWN ann: Person { name = "Ann", age = 30 }
            SPAWN bob: Person { name = "Bob", age = 40 }
            SPAWN t1: Task { title = "dig", rank = 3 }
            SPAWN t2: Task { title = "plant", rank = 5 }
            SPAWN box: Box { label = "lost" }
            LINK assigned(t1, ann)
            COMMIT
            """)
        return bench
    }

    var now: Timestamp {
        get { bench.now }
        set { bench.now = newValue }
    }

    func moment() -> WatchMoment {
        WatchMoment(
            schema: bench.replica.schema, virtual: tables, storage: bench.storage, now: bench.now, tick: tick)
    }

    private func environment(_ parameters: [String: GraphValue]) -> ScriptEnvironment {
        ScriptEnvironment(
            schema: bench.replica.schema, authority: Authority(actor: actor), now: bench.now,
            parameters: parameters, bindings: bench.bindings, virtual: tables, stepLimit: 2_000_000)
    }

    func open(_ source: String, _ parameters: [String: GraphValue] = [:]) throws -> String {
        let parsed = Parser.script(source)
        if let fault = parsed.diagnostics.first(where: { $0.severity == .error }) { throw fault }
        guard case .watch(let statement)? = parsed.statements.first?.kind else {
            throw Diagnostic(.unexpectedToken, "no WATCH")
        }
        return try hub.open(
            statement, source: Array(source.utf8), environment(parameters), at: moment())
    }

    /// Runs a program and tells the hub.
    func change(_ program: String, _ parameters: [String: GraphValue] = [:]) throws {
        try bench.run(program, parameters)
        try tell()
    }

    func tell(isSystemChanged: Bool = false) throws {
        tick += 1
        let touched = bench.touched.sorted()
        bench.touched = []
        defer { bench.isSchemaChanged = false }
        try hub.graphChanged(
            touched, isSystemChanged: isSystemChanged, isSchemaChanged: bench.isSchemaChanged, at: moment())
    }

    /// Runs what manages watches, with the actions that follow.
    @discardableResult
    func manage(_ source: String, _ parameters: [String: GraphValue] = [:]) throws -> StatementResult {
        let parsed = Parser.script(source)
        if let fault = parsed.diagnostics.first(where: { $0.severity == .error }) { throw fault }
        let managed = try hub.manage(parsed.statements[0], environment(parameters), at: moment())
        if let action = managed.action, let fault = perform(action) { throw fault }
        try tell()
        return managed.result
    }

    /// The code with which something fails; `nil` where it does not.
    func fault(_ body: () throws -> Void) throws -> ErrorCode? {
        do {
            try body()
            return nil
        } catch let diagnostic as Diagnostic {
            return diagnostic.code
        }
    }

    func openFault(_ source: String) throws -> ErrorCode? { try fault { _ = try open(source) } }
    func manageFault(_ source: String, _ parameters: [String: GraphValue] = [:]) throws -> ErrorCode? {
        try fault { try manage(source, parameters) }
    }

    /// Performs the actions that wait, and tells of what they did.
    func performAll() throws {
        for action in hub.takeActions() { _ = perform(action) }
        try tell()
    }

    private func perform(_ action: WatchAction) -> Diagnostic? {
        performed.append(action)
        var failure = actionFault
        if failure == nil {
            do {
                try bench.perform(action)
            } catch let fault as Diagnostic {
                failure = fault
            } catch {
                failure = Diagnostic(.storageFailed, "\(error)")
            }
        }
        return hub.finished(action.number, failure: failure, now: bench.now)
    }

    /// Lets time pass.
    func pass(_ milliseconds: Int64) throws {
        now = now + milliseconds
        hub.deadlineReached(now: now)
        try performAll()
    }

    /// The events that wait, as text: `added dig`, `changed dig (plant)`, `consumed dig d1`.
    func events(_ watch: String, max: Int = 10_000) -> [String] {
        (hub.take(watch, countMax: max, now: now) ?? []).map(\.text)
    }

    /// The deliveries that wait, each with what it holds.
    func deliveries(_ watch: String) -> [(id: String, text: String)] {
        (hub.take(watch, countMax: 10_000, now: now) ?? []).compactMap { event in
            event.delivery.map { ($0, event.values.map(\.text).joined(separator: " ")) }
        }
    }
}

extension WatchEvent {
    var text: String {
        var parts = [kind.rawValue] + values.map(\.text)
        if let previous { parts.append("(" + previous.map(\.text).joined(separator: " ") + ")") }
        if let delivery { parts.append(delivery) }
        if let lost { parts.append("\(lost)") }
        if let reason { parts.append(reason.code.rawValue) }
        return parts.joined(separator: " ")
    }
}

extension Workbench {
    /// Does what a watch asks for, as the engine does.
    func perform(_ action: WatchAction) throws {
        let before = (bindings, actor)
        bindings = action.bindings
        defer { (bindings, actor) = before }
        do {
            _ = try write(
                action.unit, action.source, action.parameters,
                authority: action.isKernel ? .kernel : action.authority)
        } catch let failure as UnitFailure {
            throw failure.diagnostic
        }
    }
}
