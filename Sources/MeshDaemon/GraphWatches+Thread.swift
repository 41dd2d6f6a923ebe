internal import MEW
internal import MeshAPI
internal import MeshCore
internal import MeshEngine
internal import MeshGraph
internal import MeshStorage

import Foundation

extension GraphWatches {
    // MARK: The thread

    func run() {
        // Foundation's conditions trap on dates that are very far away.
        var lastRead = Date(timeIntervalSince1970: 0)
        var needsRows = false
        while true {
            var end = Date(timeIntervalSinceNow: Self.idleSeconds)
            let (deadline, polls) = plans()
            if let deadline { end = min(end, deadline) }
            if polls { end = min(end, lastRead + Self.pollInterval) }
            if needsRows { end = min(end, lastRead + Self.rowInterval) }
            guard var touched = wait(until: end) else { return }
            if touched.isSystemChanged { needsRows = true }
            touched.isSystemChanged = false
            do {
                let sinceRead = Date().timeIntervalSince(lastRead)
                var fresh: [String: [VirtualRow]] = [:]
                // Watches may have been opened meanwhile.
                let types = watchedTypes()
                if types.isEmpty {
                    needsRows = false
                } else if sinceRead >= (needsRows ? Self.rowInterval : polls ? Self.pollInterval : .infinity)
                {
                    lastRead = Date()
                    fresh = try readRows(types.filter { SystemRows.types.contains($0) })
                    needsRows = false
                    touched.isSystemChanged = true
                }
                try judge(touched, fresh)
            } catch {
                host.warn("the watches could not be judged: \(error)")
                // What was touched is looked at again; without hurry, for the store is ill.
                putBack(touched)
                Thread.sleep(forTimeInterval: Self.pollInterval)
            }
        }
    }

    /// When the hub wants to be asked next, and whether rows must be read without being told.
    private func plans() -> (deadline: Date?, polls: Bool) {
        hubLock.lock()
        defer { hubLock.unlock() }
        let deadline = hub.nextDeadline.map { Date(timeIntervalSince1970: Double($0.milliseconds) / 1000) }
        return (deadline, hub.systemTypes.contains { Self.polledTypes.contains($0) })
    }

    private func watchedTypes() -> [String] {
        hubLock.lock()
        defer { hubLock.unlock() }
        return hub.systemTypes
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
        let mustLook = !hub.isIdle && (!touched.isEmpty || hub.wantsToCatchUp)
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
    func withHub<Value>(_ body: (any StorageReader) throws -> Value) throws -> Value {
        turn.lock()
        defer { turn.unlock() }
        var value: Value?
        try host.snapshot { reader in
            hubLock.lock()
            defer {
                hubLock.broadcast()
                hubLock.unlock()
            }
            if isSchemaOld() {
                schema = nil
                schema = try GraphReplica(restoring: reader).schema
            }
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
    func moment(_ reader: any StorageReader) -> WatchMoment {
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

    func environment(
        _ parameters: [String: GraphValue], _ bindings: [String: String], _ moment: WatchMoment
    ) -> ScriptEnvironment {
        ScriptEnvironment(
            schema: moment.schema, authority: Authority(actor: host.actor), now: moment.now,
            parameters: parameters, bindings: bindings, virtual: moment.virtual)
    }

    /// Has the engine do it, and tells the hub what came of it.
    func perform(_ action: WatchAction) -> Diagnostic? {
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
    func readRows(_ types: [String]) throws -> [String: [VirtualRow]] {
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

    static func unavailable(_ error: any Error) -> GraphRefusal {
        GraphRefusal(
            status: 503,
            error: APIError(code: "storage.unavailable", message: "\(error)", retryable: true))
    }
}
