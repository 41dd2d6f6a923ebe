internal import MeshCore
public import MeshGraph

extension WatchHub {
    /// What ACK, NACK, PAUSE, RESUME, CANCEL or ALTER gave.
    public struct Managed {
        public var result: StatementResult
        /// To be performed before the statement is answered; what ``WatchHub/finished(_:failure:now:)`` says of it
        /// is the statement's own fault.
        public var action: WatchAction?
    }

    /// Whether a statement is one of those that ``manage(_:_:at:)`` takes.
    public static func manages(_ statement: Statement) -> Bool {
        switch statement.kind {
        case .acknowledge, .manageWatch, .alterWatch: true
        default: false
        }
    }

    /// Does what a statement about a watch, or a delivery, says.
    ///
    /// - Parameters:
    ///   - environment: Who asks, with parameters and bindings.
    ///   - moment: A snapshot: what ALTER changes is judged against it.
    /// - Throws: A ``Diagnostic`` of the family E8, and for ALTER why the new filter cannot be judged.
    public func manage(
        _ statement: Statement, _ environment: ScriptEnvironment, at moment: WatchMoment
    ) throws -> Managed {
        switch statement.kind {
        case .acknowledge(let delivery, let isNegative, let noRetry):
            let id = try name(delivery, environment)
            let (watch, action) = try acknowledge(
                id, isNegative: isNegative, noRetry: noRetry, environment.authority, at: delivery.range)
            var result = StatementResult(statement: isNegative ? "nack" : "ack")
            result.summary = [
                .init("success", .bool(true)), .init("delivery_id", .string(id)),
                .init("watch", .string(watch)),
            ]
            return Managed(result: result, action: action)
        case .manageWatch(let command, let handle):
            let status = try manage(command, handle, environment, now: moment.now)
            return Managed(
                result: try result("\(command.rawValue)_watch", handle, environment, status), action: nil)
        case .alterWatch(let handle, let options):
            let watch = try open(handle, environment)
            try alter(watch, options, environment, moment)
            return Managed(
                result: try result("alter_watch", handle, environment, watch.status), action: nil)
        default:
            throw Diagnostic(.watchUnknown, "the statement is about no watch", at: statement.range)
        }
    }

    private func result(
        _ statement: String, _ handle: Expression, _ environment: ScriptEnvironment,
        _ status: OpenWatch.Status
    ) throws(Diagnostic) -> StatementResult {
        var result = StatementResult(statement: statement)
        result.summary = [
            .init("success", .bool(true)),
            .init("watch", .string("_Watch/" + Self.key(try name(handle, environment)))),
            .init("status", .string(status.rawValue)),
        ]
        return result
    }

    /// The id that an expression gives: a text, `#id`, `$parameter` or a name.
    private func name(_ expression: Expression, _ environment: ScriptEnvironment) throws(Diagnostic) -> String
    {
        switch expression.kind {
        case .literal(.string(let text)): return text
        case .reference(let text), .variable(let text): return environment.bindings[text] ?? text
        case .parameter(let name, _):
            if case .string(let text)? = environment.parameters[name] { return text }
            throw Diagnostic(
                .missingParameter, "the parameter $\(name) is not given as an id", at: expression.range)
        default:
            throw Diagnostic(
                .typeMismatch, "an id is wanted here: in quotation marks, #id or $parameter",
                at: expression.range)
        }
    }

    /// The open watch that a handle names, if it is the actor's own.
    private func open(
        _ handle: Expression, _ environment: ScriptEnvironment
    ) throws(Diagnostic) -> OpenWatch {
        let key = Self.key(try name(handle, environment))
        guard let watch = watches[key] else {
            guard let actor = gone[key] else {
                throw Diagnostic(
                    .watchUnknown, "there is no watch \(key)", at: handle.range,
                    hint: NearestName.of(key, among: order).map { "did you mean \($0)?" }
                        ?? "SHOW WATCHES lists those that are open")
            }
            try requireSame(actor, environment.authority, at: handle.range)
            throw cancelled(key, handle)
        }
        try requireSame(watch.environment.authority.actor, environment.authority, at: handle.range)
        if watch.isCancelled { throw cancelled(key, handle) }
        return watch
    }

    private func cancelled(_ key: String, _ handle: Expression) -> Diagnostic {
        Diagnostic(
            .watchUnknown, "the watch \(key) has ended", at: handle.range,
            hint: "what is cancelled cannot go on: open another")
    }

    private func manage(
        _ command: WatchCommand, _ handle: Expression, _ environment: ScriptEnvironment, now: Timestamp
    ) throws(Diagnostic) -> OpenWatch.Status {
        if command == .cancel {
            // Ending what has ended is no fault.
            let key = Self.key(try name(handle, environment))
            if let watch = watches[key], watch.isCancelled {
                try requireSame(watch.environment.authority.actor, environment.authority, at: handle.range)
                return .cancelled
            }
            if watches[key] == nil, let actor = gone[key] {
                try requireSame(actor, environment.authority, at: handle.range)
                return .cancelled
            }
        }
        let watch = try open(handle, environment)
        switch command {
        case .pause:
            watch.status = .paused
            // Others of its group go on with what it has not fetched yet.
            watch.group?.withdraw(watch.key)
        case .resume: watch.status = .active
        case .cancel: cancel(watch.key, nil, now: now)
        }
        if let group = watch.group, !group.members.isEmpty { distribute(group) }
        return watch.status
    }

    private func alter(
        _ watch: OpenWatch, _ written: [WatchOption], _ environment: ScriptEnvironment,
        _ moment: WatchMoment
    ) throws {
        var options = watch.options
        try options.alter(written, environment.parameters)
        if written.contains(where: { $0.name.text.lowercased() == "filter" }) {
            if let group = watch.group, group.members.count > 1 {
                throw Diagnostic(
                    .watchOptionImmutable, "the filter is that of a group, whose members see the same",
                    at: written.first?.name.range, hint: "open a watch of another group")
            }
            // The new filter may name parameters of the statement that brings it.
            var own = watch.environment
            own.parameters.merge(environment.parameters) { first, _ in first }
            watch.detector.program = try WatchProgram(
                watch.statement, options, try session(own, moment))
            watch.detector.isBehind = true
            watch.environment = own
            watch.environment.virtual = nil
        }
        watch.options = options
        if let group = watch.group { distribute(group) }
    }

    // MARK: Rows

    /// The rows of `_Watch`, in the order in which the watches were opened.
    public var rows: [VirtualRow] {
        order.compactMap { watches[$0] }.map { watch in
            let options = watch.options
            let pending =
                watch.waitingCount + watch.initialCount + (watch.group?.waitingCount ?? 0)
            let attributes: [(String, GraphValue)] = [
                ("pattern", .string(Self.clipped(watch.statement.pattern.canonicalText))),
                ("mode", .string(options.mode.rawValue)),
                ("group", options.group.map { .string($0) } ?? .null),
                ("status", .string(watch.status.rawValue)), ("ordering", .string(options.ordering.text)),
                ("delivery", .string(options.delivery.rawValue)), ("visibility", .string("committed")),
                ("buffer_size", .int(Int64(options.buffer))),
                ("on_full", .string(options.overflow.rawValue)),
                ("created_at", .timestamp(watch.created.milliseconds)),
                ("events_delivered", .int(Int64(watch.deliveredCount))),
                ("events_pending", .int(Int64(pending))),
                ("last_event_at", watch.lastEvent.map { .timestamp($0.milliseconds) } ?? .null),
            ]
            return VirtualRow(
                key: watch.key, attributes: attributes.map { GraphAttribute(name: $0.0, value: $0.1) })
        }
    }

    private static func clipped(_ text: String) -> String {
        text.utf8.count <= 4096 ? text : String(text.prefix(1000)) + "…"
    }
}
