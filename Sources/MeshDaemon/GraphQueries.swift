internal import MEW
internal import MeshAPI
internal import MeshCore
internal import MeshEngine
internal import MeshGraph
internal import MeshIdentity
internal import MeshStorage
internal import MeshStore
internal import Synchronization

import Foundation

/// Runs programs over the graph: those that only read on a snapshot of their own, the others in the engine.
final class GraphQueries: Sendable {
    private unowned let daemon: Daemon
    /// The schema that was last needed, with what says that it still holds.
    private let schema = Mutex<(mark: [[UInt8]], schema: GraphSchema)?>(nil)
    private let watches: @Sendable () -> [VirtualRow]

    init(daemon: Daemon, watches: @escaping @Sendable () -> [VirtualRow]) {
        self.daemon = daemon
        self.watches = watches
    }

    // MARK: Running

    func run(_ request: GraphRequest) -> Result<GraphResponse, GraphRefusal> {
        let name = request.name ?? "query.mew"
        let parsed = Parser.script(request.source)
        if parsed.diagnostics.contains(where: { $0.severity == .error }) {
            return .failure(GraphRefusal(parsed.diagnostics, source: request.source, name: name))
        }
        var parameters: [String: GraphValue] = [:]
        for (name, value) in request.parameters ?? [:] {
            guard let value = GraphValue(value) else {
                return .failure(
                    GraphRefusal(
                        status: 400,
                        error: APIError(
                            code: "request.malformed", message: "the parameter \(name) is an object",
                            hint: "give its members as parameters of their own")))
            }
            parameters[name] = value
        }
        let result = run(parsed.statements, request, parameters)
        switch result {
        case .failure(let refusal): return .failure(refusal)
        case .success(let run):
            if let failure = run.failure {
                return .failure(GraphRefusal([failure], source: request.source, name: name))
            }
            return .success(
                GraphResponse(
                    results: run.results.map { GraphResultView($0, source: request.source, name: name) },
                    bindings: run.bindings))
        }
    }

    private func run(
        _ statements: [Statement], _ request: GraphRequest, _ parameters: [String: GraphValue]
    ) -> Result<GraphRun, GraphRefusal> {
        let bindings = request.bindings ?? [:]
        let source = Array(request.source.utf8)
        let isDryRun = request.dryRun ?? false
        var units: [ScriptUnit]
        do throws(Diagnostic) { units = try ScriptUnit.units(of: statements) } catch {
            return .success(GraphRun(results: [], bindings: bindings, failure: error))
        }
        if !units.contains(where: \.isMutating) {
            return read(units, source, parameters, bindings)
        }
        if request.atomic == true, units.count > 1, !units.contains(where: \.isTransaction) {
            units = [ScriptUnit.joined(units, isOpen: false)]
        }
        let script = GraphScript(
            units: units, source: source, parameters: parameters, bindings: bindings, isDryRun: isDryRun)
        switch daemon.ask(.graph(script)) {
        case .graph(let run)?: return .success(run)
        case .failure(let status, let error)?: return .failure(GraphRefusal(status: status, error: error))
        default: return .failure(Self.busy)
        }
    }

    private static let busy = GraphRefusal(
        status: 503,
        error: APIError(
            code: "node.stopping", message: "the daemon is stopping or too busy to answer", retryable: true))

    private func read(
        _ units: [ScriptUnit], _ source: [UInt8], _ parameters: [String: GraphValue],
        _ bindings: [String: String]
    ) -> Result<GraphRun, GraphRefusal> {
        let stored = StoredRows()
        while true {
            var run = GraphRun(results: [], bindings: bindings, failure: nil)
            do {
                try read(units, source, parameters, stored, &run)
            } catch let failure as UnitFailure {
                if let missing = stored.takeMissing() {
                    if let refusal = supply(missing, to: stored) { return .failure(refusal) }
                    continue
                }
                run.failure = failure.diagnostic
            } catch let error as StorageError {
                return .failure(GraphRefusal(error))
            } catch {
                return .failure(
                    GraphRefusal(status: 500, error: APIError(code: "internal", message: "\(error)")))
            }
            return .success(run)
        }
    }

    /// Runs all units on one snapshot: no writer waits for it, and none is waited for.
    private func read(
        _ units: [ScriptUnit], _ source: [UInt8], _ parameters: [String: GraphValue], _ stored: StoredRows,
        _ run: inout GraphRun
    ) throws {
        try daemon.store.snapshot { reader in
            let schema = try self.schema(in: reader)
            let tables = SnapshotTables(stored, view: GraphView(reader), schema: schema, watches: watches)
            for unit in units {
                let environment = ScriptEnvironment(
                    schema: schema, authority: Authority(actor: "\(daemon.identity.did)"),
                    now: SystemClock.now, parameters: parameters, bindings: run.bindings, virtual: tables)
                let outcome = try unit.read(environment, source: source, in: reader)
                run.results += outcome.results
                run.bindings = outcome.bindings
            }
        }
    }

    /// How many jobs one page of system rows is about, and how many rows of one type a query may read.
    private static let pageCount = 256
    private static let rowCountMax = 1_000_000

    /// Asks the engine for rows, a page at a time: between two pages it goes on with its other work.
    ///
    /// Each row is whole, and rows of different pages may be a moment apart.
    private func supply(_ wanted: StoredRows.Key, to stored: StoredRows) -> GraphRefusal? {
        var rows: [VirtualRow] = []
        var after: String?
        repeat {
            let command = ControlCommand.systemRows(
                type: wanted.type, key: wanted.lookUp, after: after, limit: Self.pageCount)
            guard case .systemRows(let more, let next)? = daemon.ask(command) else { return Self.busy }
            rows += more
            after = next
            guard rows.count <= Self.rowCountMax else {
                return GraphRefusal(
                    status: 422,
                    error: APIError(
                        code: ErrorCode.workLimit.rawValue,
                        message: "there are more than \(Self.rowCountMax) rows of \(wanted.type)",
                        hint: "look them up by one of their keys"))
            }
        } while after != nil
        stored.supply(rows, for: wanted)
        return nil
    }

    /// The schema of the ontologies that a snapshot has in force.
    func schema(in reader: any StorageReader) throws(StorageError) -> GraphSchema {
        let mark = try GraphReplica.schemaMark(in: reader)
        if let known = schema.withLock({ $0 }), known.mark == mark { return known.schema }
        let made = try GraphReplica(restoring: reader).schema
        schema.withLock { $0 = (mark, made) }
        return made
    }

    // MARK: Dumping

    /// The canonical dump, a piece at a time.
    ///
    /// It is made whole before the first piece goes out: a snapshot that a slow client held would keep
    /// the store's pages from being used again.
    func dump() -> Result<@Sendable () -> [UInt8]?, GraphRefusal> {
        do {
            let text = try daemon.store.read { reader throws(StorageError) in
                try GraphDump(GraphView(reader)).text()
            }
            let pieces = Mutex(Array(text.utf8)[...])
            return .success {
                pieces.withLock { rest in
                    guard !rest.isEmpty else { return nil }
                    let piece = Array(rest.prefix(1 << 16))
                    rest = rest.dropFirst(piece.count)
                    return piece
                }
            }
        } catch {
            return .failure(GraphRefusal(error))
        }
    }
}

extension GraphRefusal {
    /// What the store could not do.
    init(_ error: StorageError) {
        self.init(
            status: 503,
            error: APIError(
                code: error.code.rawValue, message: error.message, hint: error.hint, retryable: true))
    }
}
