internal import MEW
internal import MeshAPI
internal import MeshCore
internal import MeshEngine
internal import MeshGraph
internal import MeshStorage

import Foundation

/// The node's watches: one thread that is told of changes, judges them, and performs what watches do.
///
///     engine ──changed──▶ inbox ──▶ thread ──snapshot──▶ hub ◀──next── feeds (connections' threads)
///        ▲                             └──actions──┐
///        └─────────────────────────────────────────┘
///
/// The engine's thread only ever takes `inbox`; it never waits for the hub. Whoever takes both takes the hub first.
final class GraphWatches: @unchecked Sendable {
    // Sendable because the stored parts are, and everything that changes is behind `hubLock` or `inbox`.

    let host: GraphWatchHost
    /// Held around a snapshot that the hub is shown: nobody shows it an older one after a newer.
    let turn = NSLock()
    /// Guards the hub and what is remembered for it; broadcast when events may be there.
    ///
    /// Taken with a snapshot open, and never held while one is opened: queries take it with a snapshot of
    /// their own.
    let hubLock = NSCondition()
    let hub: WatchHub
    var schema: GraphSchema?
    var systemRows: [String: [VirtualRow]] = [:]
    var isStopped = false

    /// Guards what has been told and not yet looked at; signalled when there is something.
    let inbox = NSCondition()
    var told = GraphTouched()
    var toldCount = 0
    var isSchemaStale = false
    var isPoked = false
    var isStopping = false

    /// How often rows of system types are read again at most.
    static let rowInterval = 0.05
    /// How often those are read again whose changes nobody tells.
    static let pollInterval = 1.0
    static let polledTypes: Set<String> = ["Bid", "Feed", "MeshNode", "Token", "_Watch"]
    static let idleSeconds = 60.0
    /// How many events a connection is handed at once.
    private static let eventCountMax = 256

    init(_ host: GraphWatchHost) {
        self.host = host
        hub = WatchHub(salt: String(UInt64(clamping: host.now().milliseconds), radix: 36))
        let thread = Thread { [self] in run() }
        thread.name = "mesh.watches"
        thread.stackSize = 8 << 20
        thread.start()
    }

    // MARK: From the engine

    /// Something has been committed.
    func changed(_ touched: GraphTouched) {
        inbox.lock()
        told.entities += touched.entities
        told.isSystemChanged = told.isSystemChanged || touched.isSystemChanged
        told.isSchemaChanged = told.isSchemaChanged || touched.isSchemaChanged
        isSchemaStale = isSchemaStale || touched.isSchemaChanged
        toldCount += 1
        inbox.signal()
        inbox.unlock()
    }

    func putBack(_ touched: GraphTouched) {
        inbox.lock()
        told.entities += touched.entities
        told.isSystemChanged = told.isSystemChanged || touched.isSystemChanged
        told.isSchemaChanged = told.isSchemaChanged || touched.isSchemaChanged
        isPoked = true
        inbox.signal()
        inbox.unlock()
    }

    private func poke() {
        inbox.lock()
        isPoked = true
        inbox.signal()
        inbox.unlock()
    }

    // MARK: From connections

    /// Opens the one WATCH that the request's source is.
    func openWatch(_ request: GraphRequest) -> Result<any GraphWatchFeed, GraphRefusal> {
        let name = request.name ?? "watch.mew"
        func refused(_ diagnostics: [Diagnostic]) -> Result<any GraphWatchFeed, GraphRefusal> {
            .failure(GraphRefusal(diagnostics, source: request.source, name: name))
        }
        let parsed = Parser.script(request.source)
        if parsed.diagnostics.contains(where: { $0.severity == .error }) {
            return refused(parsed.diagnostics)
        }
        guard parsed.statements.count == 1, case .watch(let statement) = parsed.statements[0].kind else {
            return refused([
                Diagnostic(
                    .unexpectedToken, "one WATCH is wanted here", at: parsed.statements.first?.range,
                    hint: "statements of other kinds: meshctl query")
            ])
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
        do {
            let mentioned = try readRows(SystemRows.types.filter { request.source.contains($0) })
            let (id, lacksRows) = try withHub { reader in
                for (type, rows) in mentioned { systemRows[type] = rows }
                let moment = self.moment(reader)
                let id = try hub.open(
                    statement, source: Array(request.source.utf8),
                    environment(parameters, request.bindings ?? [:], moment), at: moment)
                return (id, hub.systemTypes.contains { systemRows[$0] == nil })
            }
            var touched = GraphTouched()
            // A type may be meant and not mentioned: by an alias of the ontology.
            touched.isSystemChanged = lacksRows
            putBack(touched)
            return .success(Feed(watches: self, id: id))
        } catch let diagnostic as Diagnostic {
            return refused([diagnostic])
        } catch {
            return .failure(Self.unavailable(error))
        }
    }

    /// Does what ACK, NACK, PAUSE, RESUME, CANCEL and ALTER say, one after the other, until one fails.
    func manage(
        _ statements: [Statement], parameters: [String: GraphValue],
        bindings: [String: String] = [:]
    ) -> Result<[StatementResult], Diagnostic> {
        var results: [StatementResult] = []
        for statement in statements {
            do {
                let managed = try withHub { moment in
                    let moment = self.moment(moment)
                    return try hub.manage(statement, environment(parameters, bindings, moment), at: moment)
                }
                if let action = managed.action, let fault = perform(action) { return .failure(fault) }
                results.append(managed.result)
                poke()
            } catch let diagnostic as Diagnostic {
                return .failure(diagnostic)
            } catch {
                return .failure(Diagnostic(.storageFailed, "\(error)", at: statement.range))
            }
        }
        return .success(results)
    }

    /// The rows of `_Watch`.
    func rows() -> [VirtualRow] {
        hubLock.lock()
        defer { hubLock.unlock() }
        return hub.rows
    }

    /// Every feed ends, and so does the thread.
    func stop() {
        inbox.lock()
        isStopping = true
        inbox.broadcast()
        inbox.unlock()
        hubLock.lock()
        isStopped = true
        hubLock.broadcast()
        hubLock.unlock()
    }

    private final class Feed: GraphWatchFeed {
        let watches: GraphWatches
        let id: String

        init(watches: GraphWatches, id: String) {
            self.watches = watches
            self.id = id
        }

        func next(seconds: Double) -> [GraphWatchEvent]? { watches.next(id, seconds: seconds) }
        func close() { watches.close(id) }
    }

    private func next(_ id: String, seconds: Double) -> [GraphWatchEvent]? {
        let end = Date(timeIntervalSinceNow: seconds)
        hubLock.lock()
        defer { hubLock.unlock() }
        while !isStopped {
            guard let events = hub.take(id, countMax: Self.eventCountMax, now: host.now()) else { return nil }
            if !events.isEmpty {
                // Deliveries have timeouts now, and a full buffer has room.
                poke()
                return events.map { GraphWatchEvent($0) }
            }
            if !hubLock.wait(until: end) { return isStopped ? nil : [] }
        }
        return nil
    }

    private func close(_ id: String) {
        hubLock.lock()
        hub.close(id, now: host.now())
        hubLock.broadcast()
        hubLock.unlock()
        poke()
    }
}
