public import MeshCore
internal import MeshGraph

// Mode consume: who has which match, and how it ends.
extension WatchHub {
    /// The group that a watch joins; members want the same, and are the same actor.
    func group(
        _ key: String, _ statement: WatchStatement, _ options: WatchOptions,
        _ environment: ScriptEnvironment,
        _ program: WatchProgram
    ) -> ConsumerGroup {
        var identity = key
        if let name = options.group {
            let bare = WatchStatement(
                pattern: statement.pattern, options: [], projections: statement.projections, actions: [])
            let given =
                environment.parameters.keys.sorted().map { "$\($0) = \(environment.parameters[$0] ?? .null)" }
                + environment.bindings.keys.sorted().map { "\($0) = \(environment.bindings[$0] ?? "")" }
            identity = [
                name, environment.authority.actor ?? "",
                Statement(.watch(bare), statement.pattern.range).canonicalText,
                options.filter?.canonicalText ?? "", given.joined(separator: ", "),
            ].joined(separator: "\n")
        }
        return groups[identity]
            ?? ConsumerGroup(
                identity: identity, detector: WatchDetector(program, countMax: limits.matchCount))
    }

    func distribute(_ group: ConsumerGroup) {
        group.distribute { [watches] member in
            guard let watch = watches[member], watch.status == .active else { return 0 }
            return watch.options.buffer
        }
    }

    /// Hands a consumer what is assigned to it: each is a delivery of its own.
    func consume(
        _ watch: OpenWatch, _ group: ConsumerGroup, _ countMax: Int, now: Timestamp
    ) -> [WatchEvent] {
        var events: [WatchEvent] = []
        while events.count < countMax {
            let id = newDeliveryID()
            guard let (key, match, attempt) = group.next(watch.key, delivery: id) else { break }
            deliveries[id] = Delivery(
                group: group, match: key, kept: match, watch: watch.key,
                authority: watch.environment.authority, options: watch.options, attempt: attempt,
                deadline: now + watch.options.acknowledgementTimeout)
            var event = WatchEvent(.consumed, of: watch.id, tick: tick)
            event.columns = group.detector.program.columns
            event.values = match.values
            event.delivery = id
            events.append(event)
        }
        return events
    }

    /// Takes everything out of a member's hands, and the member out of its group.
    func leaveGroup(_ watch: OpenWatch, now: Timestamp) {
        guard let group = watch.group, group.members.contains(watch.key) else { return }
        group.remove(watch.key)
        for (id, delivery) in openDeliveries() where delivery.watch == watch.key {
            deliveries[id] = nil
            late.add(id, delivery.authority.actor, limit: limits.rememberedCount)
            if !group.members.isEmpty { giveUp(delivery) }
        }
        if group.members.isEmpty {
            groups[group.identity] = nil
            retries.removeAll { $0.delivery.group === group }
        } else {
            distribute(group)
        }
    }

    /// In the order of their deadlines.
    private func openDeliveries() -> [(id: String, delivery: Delivery)] {
        deliveries.map { (id: $0.key, delivery: $0.value) }.sorted {
            ($0.delivery.deadline, $0.id) < ($1.delivery.deadline, $1.id)
        }
    }

    /// What nobody has acknowledged in time is somebody else's turn.
    func expire(now: Timestamp) {
        for (id, delivery) in openDeliveries() where delivery.deadline <= now {
            deliveries[id] = nil
            late.add(id, delivery.authority.actor, limit: limits.rememberedCount)
            giveUp(delivery)
        }
        let due = retries.filter { $0.deadline <= now }
        retries.removeAll { $0.deadline <= now }
        for retry in due {
            if let action = bury(retry.delivery, reason: retry.reason) { actions.append(action) }
        }
    }

    private func giveUp(_ delivery: Delivery) {
        if let action = putBack(delivery, noRetry: false) { actions.append(action) }
    }

    /// Makes a match available again, or gives it up for good.
    private func putBack(_ delivery: Delivery, noRetry: Bool) -> WatchAction? {
        if noRetry { return bury(delivery, reason: "no_retry") }
        if delivery.attempt > delivery.options.redeliveryCountMax {
            return bury(delivery, reason: "max_redeliveries_exceeded")
        }
        delivery.group.giveBack(delivery.match)
        distribute(delivery.group)
        return nil
    }

    // MARK: ACK and NACK

    /// - Throws: ``ErrorCode/deliveryUnknown``, ``ErrorCode/acknowledgementLate``, ``ErrorCode/watchAccess``.
    func acknowledge(
        _ id: String, isNegative: Bool, noRetry: Bool, _ authority: Authority, at range: SourceRange
    ) throws(Diagnostic) -> (watch: String, action: WatchAction?) {
        guard let delivery = deliveries[id] else {
            guard let actor = late[id] else {
                throw Diagnostic(
                    .deliveryUnknown, "there is no delivery \(id), or it has been dealt with", at: range,
                    hint: "each attempt has an id of its own: the event's delivery_id")
            }
            try requireSame(actor, authority, at: range)
            throw Diagnostic(
                .acknowledgementLate, "the time of the delivery \(id) has run out: others may have the match",
                at: range, hint: "a longer ack_timeout gives more time")
        }
        try requireSame(delivery.authority.actor, authority, at: range)
        deliveries[id] = nil
        let watch = "_Watch/" + delivery.watch
        if isNegative { return (watch, putBack(delivery, noRetry: noRetry)) }
        delivery.group.end(delivery.match)
        distribute(delivery.group)
        guard delivery.group.states[delivery.match] != nil else { return (watch, nil) }
        return (watch, end(delivery))
    }

    func requireSame(
        _ actor: String?, _ authority: Authority, at range: SourceRange?
    ) throws(Diagnostic) {
        guard actor == authority.actor else {
            throw Diagnostic(.watchAccess, "somebody else has opened that watch", at: range)
        }
    }

    /// Deletes what the pattern's first variable is bound to, as the watcher.
    private func end(_ delivery: Delivery) -> WatchAction {
        let target = EntityTarget.parameter(Name("match", .none))
        let isEdge = delivery.group.detector.program.endsEdge
        let statement = Statement(
            isEdge ? .unlink(.entity(target), returning: nil) : .kill(target, .declared, returning: nil),
            .none)
        return newAction(
            .acknowledge(delivery), nil, key: delivery.watch,
            unit: ScriptUnit(
                statements: [statement], isTransaction: false, isOpen: false, isMutating: true),
            source: [], parameters: ["match": .string(delivery.kept.ids.first ?? "")], isKernel: false,
            authority: delivery.authority)
    }

    // MARK: Dead letters

    /// Ends a match that no consumer could take; with a letter, in one transaction, if the watch names a place for it.
    private func bury(_ delivery: Delivery, reason: String) -> WatchAction? {
        delivery.group.end(delivery.match)
        distribute(delivery.group)
        guard delivery.group.states[delivery.match] != nil else { return nil }
        let isEdge = delivery.group.detector.program.endsEdge
        guard let letter = delivery.options.deadLetter,
            let unit = isEdge ? Self.edgeBurial : Self.nodeBurial
        else {
            var action = end(delivery)
            running[action.number] = RunningAction(
                purpose: .bury(delivery, reason: reason), watch: delivery.watch)
            action = WatchAction(
                number: action.number, watch: action.watch, unit: action.unit, source: action.source,
                parameters: action.parameters, bindings: [:], isKernel: false, authority: action.authority)
            return action
        }
        return newAction(
            .bury(delivery, reason: reason), nil, key: delivery.watch, unit: unit.unit, source: unit.source,
            parameters: [
                "match": .string(delivery.kept.ids.first ?? ""), "letter": .string(letter),
                "reason": .string(reason), "attempts": .int(Int64(delivery.attempt)),
                "original": .string(
                    MatchText.json(
                        delivery.group.detector.program.columns, delivery.kept.values,
                        variables: delivery.group.detector.program.variables.map(\.name),
                        ids: delivery.kept.ids)),
            ], isKernel: true, authority: .kernel)
    }

    private static let nodeBurial = burial("KILL")
    private static let edgeBurial = burial("UNLINK")

    private static func burial(_ ending: String) -> (unit: ScriptUnit, source: [UInt8])? {
        let source = """
            BEGIN
            SPAWN letter: \(SystemOntology.deadLetter) {
                original_match = $original, failure_reason = $reason, delivery_attempts = $attempts,
                created_at = now()
            }
            LINK \(SystemOntology.deadLetterEdge)($letter, letter)
            \(ending) $match
            COMMIT
            """
        guard let unit = try? ScriptUnit.units(of: Parser.script(source).statements).first else { return nil }
        return (unit, Array(source.utf8))
    }

    /// Resolves what `dead_letter` names.
    func resolveDeadLetter(_ options: inout WatchOptions, _ session: Session) throws {
        guard let text = options.deadLetter else { return }
        let context = session.context(NameSlots(), slotCount: 0)
        guard let id = try context.resolve(text, at: options.deadLetterRange), !id.isVirtual,
            let row = try context.row(id), !row.isEdge
        else {
            throw WatchOptions.invalid(
                "dead_letter wants a node, and #\(text) is none", options.deadLetterRange, nil)
        }
        options.deadLetter = try context.idText(id)
    }

    // MARK: What came of an action

    /// Takes in what came of an action.
    ///
    /// - Parameter failure: Why it was not done; nothing of it has taken effect then.
    /// - Returns: What whoever caused it is told: `nil` where all went well, ``ErrorCode/deadLetterFailed`` for a match that
    ///   could not be given up.
    public func finished(_ number: UInt64, failure: Diagnostic?, now: Timestamp) -> Diagnostic? {
        guard let action = running.removeValue(forKey: number) else { return failure }
        switch action.purpose {
        case .onMatch:
            watches[action.watch]?.runningActionCount -= 1
            return failure
        case .acknowledge(let delivery):
            guard let failure else { return nil }
            delivery.group.giveBack(delivery.match)
            distribute(delivery.group)
            return failure
        case .bury(let delivery, let reason):
            guard let failure else { return nil }
            guard delivery.group.states[delivery.match] != nil, !delivery.group.members.isEmpty else {
                return nil
            }
            retries.append(
                Retry(
                    delivery: delivery, reason: reason,
                    deadline: now + delivery.options.acknowledgementTimeout))
            return Diagnostic(
                .deadLetterFailed,
                "the match could not be given up: \(failure.code.rawValue): \(failure.message)",
                hint: failure.hint ?? "it is tried again when ack_timeout has passed")
        }
    }
}
