internal import MEW
internal import MeshAPI
internal import MeshCore
internal import MeshEngine
internal import MeshGraph
internal import MeshStorage

import Foundation

/// What the watches need of the daemon around them.
struct GraphWatchHost: Sendable {
    /// The DID that whoever comes through the control socket acts as.
    let actor: String
    /// Runs its body on a snapshot of what was last committed; short, and never one within another.
    let snapshot: @Sendable (_ body: (any StorageReader) throws -> Void) throws -> Void
    /// Asks the engine and waits; never while a snapshot is open, which may keep the engine from committing.
    let ask: @Sendable (ControlCommand) -> ControlReply?
    let now: @Sendable () -> Timestamp
    let warn: @Sendable (String) -> Void
}

/// The node's watches: one thread that is told of changes, judges them, and performs what watches do.
///
///     engine ──changed──▶ inbox ──▶ thread ──snapshot──▶ hub ◀──next── feeds (connections' threads)
///        ▲                             └──actions──┐
///        └─────────────────────────────────────────┘
///
/// The engine's thread only ever takes `inbox`; it never waits for the hub. Whoever takes both takes the hub first.
final class GraphWatches: @unchecked Sendable {
    // Sendable because the stored parts are, and everything that changes is behind `hubLock` or `inbox`.

    private let host: GraphWatchHost
    /// Held around a snapshot that the hub is shown: nobody shows it an older one after a newer.
    private let turn = NSLock()
    /// Guards the hub and what is remembered for it; broadcast when events may be there. Taken with a snapshot
    /// open, and never held while one is opened: queries take it with a snapshot of their own.
    private let hubLock = NSCondition()
    private let hub: WatchHub
    private var schema: GraphSchema?
    private var systemRows: [String: [VirtualRow]] = [:]
    private var isStopped = false

    /// Guards what has been told and not yet looked at; signalled when there is something.
    private let inbox = NSCondition()
    private var told = GraphTouched()
    private var toldCount = 0
    private var isSchemaStale = false
    private var isPoked = false
    private var isStopping = false

    /// How often rows of system types are read again at most.
    private static let rowInterval = 0.05
    /// How often those are read again whose changes nobody tells.
    private static let pollInterval = 1.0
    private static let polledTypes: Set<String> = ["Bid", "Feed", "MeshNode", "Token", "_Watch"]
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
            let id = try withHub { moment in
                for (type, rows) in mentioned { systemRows[type] = rows }
                let moment = self.moment(moment)
                return try hub.open(
                    statement, source: Array(request.source.utf8),
                    environment(parameters, request.bindings ?? [:], moment), at: moment)
            }
            poke()
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

    // MARK: The thread

    /// How long the thread waits at the most before it looks around.
    private static let waitSecondsMax = 3600.0

    private func run() {
        var lastRead = Date.distantPast
        var needsRows = false
        while true {
            hubLock.lock()
            let deadline = hub.nextDeadline.map {
                Date(timeIntervalSince1970: Double($0.milliseconds) / 1000)
            }
            let types = hub.systemTypes
            hubLock.unlock()
            let polls = types.contains { Self.polledTypes.contains($0) }
            // A condition traps on a date too far for the system's clock.
            let latest = Date() + Self.waitSecondsMax
            var end = deadline.map { min($0, latest) } ?? latest
            if polls { end = min(end, lastRead + Self.pollInterval) }
            if needsRows { end = min(end, lastRead + Self.rowInterval) }
            guard var touched = wait(until: end) else { return }
            if touched.isSystemChanged { needsRows = true }
            touched.isSystemChanged = false
            do {
                let sinceRead = Date().timeIntervalSince(lastRead)
                var fresh: [String: [VirtualRow]] = [:]
                if types.isEmpty {
                    needsRows = false
                } else if (needsRows && sinceRead >= Self.rowInterval)
                    || (polls && sinceRead >= Self.pollInterval)
                {
                    needsRows = false
                    lastRead = Date()
                    fresh = try readRows(types.filter { SystemRows.types.contains($0) })
                    touched.isSystemChanged = true
                }
                try judge(touched, fresh)
            } catch {
                host.warn("the watches could not be judged: \(error)")
                // The hub compares everything when it is asked next; without hurry, for the store is ill.
                Thread.sleep(forTimeInterval: Self.pollInterval)
                poke()
            }
        }
    }

    /// Waits for something to do.
    ///
    /// - Returns: What has been touched; `nil` when the daemon stops.
    private func wait(until end: Date) -> GraphTouched? {
        inbox.lock()
        defer { inbox.unlock() }
        while told.isEmpty, !isPoked, !isStopping {
            if !inbox.wait(until: end) { break }
        }
        if isStopping { return nil }
        isPoked = false
        defer { told = GraphTouched() }
        return told
    }

    private func judge(_ touched: GraphTouched, _ fresh: [String: [VirtualRow]]) throws {
        hubLock.lock()
        for type in fresh.keys { systemRows[type] = fresh[type] }
        hub.deadlineReached(now: host.now())
        let mustLook = !touched.isEmpty || hub.wantsToCatchUp
        hubLock.unlock()
        if mustLook {
            try withHub { moment in
                try hub.graphChanged(
                    Array(Set(touched.entities)).sorted(), isSystemChanged: touched.isSystemChanged,
                    isSchemaChanged: touched.isSchemaChanged, at: self.moment(moment))
            }
        }
        hubLock.lock()
        let actions = hub.takeActions()
        hubLock.broadcast()
        hubLock.unlock()
        for action in actions {
            if let fault = perform(action) {
                host.warn("\(action.watch) could not act: \(fault.code.rawValue): \(fault.message)")
            }
        }
    }

    // MARK: Small things

    /// Runs `body` on a snapshot and with the hub's lock.
    private func withHub<Value>(_ body: (any StorageReader) throws -> Value) throws -> Value {
        turn.lock()
        defer { turn.unlock() }
        var value: Value?
        try host.snapshot { reader in
            hubLock.lock()
            defer {
                hubLock.broadcast()
                hubLock.unlock()
            }
            if isSchemaOld() { schema = try GraphReplica(restoring: reader).schema }
            value = try body(reader)
        }
        guard let value else { preconditionFailure("a snapshot that runs nothing") }
        return value
    }

    private func isSchemaOld() -> Bool {
        inbox.lock()
        defer {
            isSchemaStale = false
            inbox.unlock()
        }
        return isSchemaStale || schema == nil
    }

    /// The hub's moment for a snapshot; the caller holds the hub's lock.
    private func moment(_ reader: any StorageReader) -> WatchMoment {
        inbox.lock()
        let tick = toldCount
        inbox.unlock()
        let schema = schema ?? SystemOntology.schema
        let tables = WatchedRows(systemRows) { type in
            switch type {
            case "_Watch": return self.hub.rows
            case "_Conflict": return try Conflicts.rows(GraphView(reader), schema)
            default: return []
            }
        }
        return WatchMoment(
            schema: schema, virtual: tables, storage: reader, now: host.now(), tick: tick)
    }

    private func environment(
        _ parameters: [String: GraphValue], _ bindings: [String: String], _ moment: WatchMoment
    ) -> ScriptEnvironment {
        ScriptEnvironment(
            schema: moment.schema, authority: Authority(actor: host.actor), now: moment.now,
            parameters: parameters, bindings: bindings, virtual: moment.virtual)
    }

    /// Has the engine do it, and tells the hub what came of it.
    private func perform(_ action: WatchAction) -> Diagnostic? {
        let script = GraphScript(
            units: [action.unit], source: action.source, parameters: action.parameters,
            bindings: action.bindings, isKernel: action.isKernel)
        var failure: Diagnostic?
        switch host.ask(.graph(script)) {
        case .graph(let run)?: failure = run.failure
        case .failure(_, let error)?:
            failure = Diagnostic(
                ErrorCode(rawValue: error.error.code) ?? .storageFailed, error.error.message,
                hint: error.error.hint)
        default: failure = Diagnostic(.storageFailed, "the engine does not answer")
        }
        hubLock.lock()
        defer {
            hubLock.broadcast()
            hubLock.unlock()
        }
        return hub.finished(action.number, failure: failure, now: host.now())
    }

    /// The rows of system types, page by page.
    private func readRows(_ types: [String]) throws -> [String: [VirtualRow]] {
        var found: [String: [VirtualRow]] = [:]
        for type in types {
            var rows: [VirtualRow] = []
            var after: String?
            repeat {
                let command = ControlCommand.systemRows(type: type, key: nil, after: after, limit: 1000)
                guard case .systemRows(let page, let next)? = host.ask(command) else {
                    throw StorageError(.access, "the engine gives no rows of \(type)")
                }
                rows += page
                after = next
            } while after != nil
            found[type] = rows
        }
        return found
    }

    private static func unavailable(_ error: any Error) -> GraphRefusal {
        GraphRefusal(
            status: 503,
            error: APIError(code: "storage.unavailable", message: "\(error)", retryable: true))
    }
}

/// The engine's rows, which were read before the watches are judged, and those that are made when they are asked for.
private final class WatchedRows: VirtualTables {
    private var rows: [String: [VirtualRow]]
    private let make: (String) throws -> [VirtualRow]

    init(_ rows: [String: [VirtualRow]], make: @escaping (String) throws -> [VirtualRow]) {
        self.rows = rows
        self.make = make
    }

    func rows(
        ofType type: String, where key: (attribute: String, value: GraphValue)?
    ) throws -> [VirtualRow] {
        if let known = rows[type] { return known }
        let made = try make(type)
        rows[type] = made
        return made
    }
}

extension GraphWatchEvent {
    init(_ event: WatchEvent) {
        func columns(_ values: [ResultValue]) -> [String: JSONValue] {
            Dictionary(
                zip(event.columns, values.map { JSONValue($0) }), uniquingKeysWith: { first, _ in first })
        }
        self.init(
            watch: event.watch, type: event.kind.rawValue, match: columns(event.values),
            prev: event.previous.map(columns), deliveryID: event.delivery, tick: event.tick, lost: event.lost,
            reason: event.reason.map { "\($0.code.rawValue): \($0.message)" })
    }
}
