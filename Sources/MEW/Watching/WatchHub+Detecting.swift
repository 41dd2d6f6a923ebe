public import MeshCore
public import MeshGraph
internal import MeshStorage

extension WatchHub {
    /// Tells the watches that the graph has changed.
    ///
    /// A watch whose pattern cannot be judged any more is cancelled with the reason.
    ///
    /// - Parameters:
    ///   - touched: All that has been touched since the last call, or more.
    ///   - moment: A snapshot that holds those changes, or more.
    /// - Throws: What the store throws. Nothing is lost: the watches that were not judged compare all the next time.
    public func graphChanged(
        _ touched: [LocalID], isSystemChanged: Bool = false, isSchemaChanged: Bool = false,
        at moment: WatchMoment
    ) throws {
        tick = moment.tick
        var failure: (any Error)?
        for key in order {
            guard let watch = watches[key], !watch.isCancelled else { continue }
            // A group's pattern is judged once, for its first member.
            if let group = watch.group, group.members.first != key { continue }
            if isSchemaChanged { watch.needsCompiling = true }
            guard isConcerned(watch, touched, isSystemChanged: isSystemChanged) else { continue }
            do {
                try detect(watch, touched, moment)
            } catch let fault as Diagnostic {
                for member in watch.group?.members ?? [key] { cancel(member, fault, now: moment.now) }
            } catch {
                watch.detector.isBehind = true
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// System types that the watches read, whose rows ``WatchMoment/virtual`` must give.
    public var systemTypes: [String] {
        var types: Set<String> = []
        for key in order {
            guard let watch = watches[key], !watch.isCancelled else { continue }
            types.formUnion(watch.detector.program.reads.systemTypes)
        }
        return types.sorted()
    }

    /// Whether some watch fell behind and has room now: ``graphChanged(_:isSystemChanged:isSchemaChanged:at:)`` with
    /// nothing touched lets it catch up.
    public var wantsToCatchUp: Bool {
        order.contains { key in
            guard let watch = watches[key] else { return false }
            return watch.group == nil && watch.canCatchUp
        }
    }

    /// When ``deadlineReached(now:)`` is to be called next.
    public var nextDeadline: Timestamp? {
        let ends = order.compactMap { watches[$0]?.nextDeadline } + retries.map(\.deadline)
        let timeout = deliveries.values.min { $0.deadline < $1.deadline }?.deadline
        return [ends.min(), timeout].compactMap { $0 }.min()
    }

    /// Ends windows, and takes back what nobody has acknowledged in time.
    public func deadlineReached(now: Timestamp) {
        for key in order { watches[key]?.advance(to: now) }
        expire(now: now)
    }

    private func isConcerned(_ watch: OpenWatch, _ touched: [LocalID], isSystemChanged: Bool) -> Bool {
        let reads = watch.detector.program.reads
        if watch.needsCompiling || watch.detector.isBehind { return true }
        if !touched.isEmpty, reads.readsGraph { return true }
        return isSystemChanged && !reads.systemTypes.isEmpty
    }

    private func detect(_ watch: OpenWatch, _ touched: [LocalID], _ moment: WatchMoment) throws {
        let isBlocking = watch.group == nil && watch.options.overflow == .block
        if isBlocking, watch.room == 0 {
            watch.detector.isBehind = true
            return
        }
        let session = try self.session(watch.environment, moment)
        if watch.needsCompiling {
            watch.detector.program = try WatchProgram(watch.statement, watch.options, session)
            watch.detector.isBehind = true
            watch.needsCompiling = false
        }
        let changes = try watch.detector.changes(touched, session)
        watch.detector.isBehind = false
        if let group = watch.group {
            for change in changes { group.take(change) }
            distribute(group)
            return
        }
        watch.advance(to: moment.now)
        for change in changes {
            if isBlocking, watch.room == 0 {
                // What has not been told is not known either: the next comparison finds it again.
                watch.detector.isBehind = true
                return
            }
            watch.detector.apply(change)
            try tell(change, watch, moment)
        }
    }

    private func tell(_ change: MatchChange, _ watch: OpenWatch, _ moment: WatchMoment) throws {
        let kind: WatchEvent.Kind =
            switch change.kind {
            case .added: .added
            case .removed: .removed
            case .changed: .changed
            }
        guard watch.push(event(kind, change, watch), now: moment.now) else {
            throw Diagnostic(
                .watchOverflow, "more than \(watch.options.buffer) events wait to be fetched",
                hint: "fetch them sooner, or use a larger buffer, or on_full: drop or block")
        }
        if kind == .added, !watch.statement.actions.isEmpty { try act(on: change, watch) }
    }

    /// ON MATCH DO: one transaction for each new match, with the watcher's authority.
    private func act(on change: MatchChange, _ watch: OpenWatch) throws {
        guard watch.runningActionCount < watch.options.buffer else {
            throw Diagnostic(
                .watchOverflow, "more than \(watch.options.buffer) matches wait for their actions",
                hint: "use a larger buffer, or do less for each match")
        }
        var bindings = watch.environment.bindings
        for (variable, id) in zip(watch.detector.program.variables, change.match.ids) {
            bindings[variable.name] = id
        }
        actions.append(
            newAction(
                .onMatch, watch, key: watch.key, unit: ScriptUnit(performing: watch.statement.actions),
                source: watch.source, parameters: watch.environment.parameters, bindings: bindings,
                isKernel: false, authority: watch.environment.authority))
    }

    /// Cancels a watch; its last event says why.
    func cancel(_ key: String, _ reason: Diagnostic?, now: Timestamp) {
        guard let watch = watches[key], !watch.isCancelled else { return }
        watch.cancel(reason, tick: tick)
        leaveGroup(watch, now: now)
    }
}

extension ScriptUnit {
    /// A rule's actions as one transaction, with the names of the match bound in the session.
    init(performing actions: [RuleAction]) {
        func entity(_ target: PatternTarget) -> EntityTarget {
            switch target {
            case .variable(let name): .variable(name)
            case .reference(let name): .reference(name)
            case .parameter(let name): .parameter(name)
            // Refused when the watch was opened.
            case .anything(let range): .variable(Name("_", range))
            }
        }
        let range = actions.first?.range ?? .none
        let statements = actions.map { action -> Statement in
            let kind: Statement.Kind =
                switch action.kind {
                case .spawn(let variable, let type, let attributes):
                    .spawn(
                        [
                            SpawnItem(
                                variable: variable, key: nil, type: type, attributes: attributes,
                                range: action.range)
                        ], returning: nil)
                case .kill(let target): .kill(entity(target), .declared, returning: nil)
                case .unlink(let target): .unlink(.entity(entity(target)), returning: nil)
                case .set(let target, let attributes): .set(entity(target), attributes, returning: nil)
                case .link(let edge, let targets, let variable, let attributes):
                    .link(
                        LinkStatement(
                            ifNotExists: false, edge: edge, targets: targets.map { .entity(entity($0)) },
                            variable: variable, attributes: attributes, returning: nil))
                }
            return Statement(kind, action.range)
        }
        self.init(
            statements: [Statement(.begin(serializable: false), range)] + statements
                + [Statement(.commit, range)],
            isTransaction: true, isOpen: false, isMutating: true)
    }
}
