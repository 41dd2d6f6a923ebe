internal import MeshGraph

/// What tells one match from another: everything that its variables are bound to.
///
/// Edges without a name are no part of it: two of them between the same nodes make one match.
struct MatchKey: Hashable {
    enum Part: Hashable {
        case stored(LocalID)
        /// Rows of system types are numbered anew by each query.
        case row(String)
    }

    let parts: [Part]
}

/// How a match has changed.
struct MatchChange {
    enum Kind { case added, removed, changed }

    let kind: Kind
    let key: MatchKey
    let match: KeptMatch
    let previous: [ResultValue]?
}

/// A match as it was last seen.
struct KeptMatch {
    /// Counts matches in the order in which they came.
    var number: UInt64 = 0
    var values: [ResultValue]
    /// What it is ordered by within a batch.
    var order: [GraphValue]
    /// The ids of what its variables are bound to, where the program keeps them.
    var ids: [String]
}

/// Knows the matches of one pattern, and finds out how a change of the graph has changed them.
///
/// Where a match can be changed by nothing but what it binds, only matches that hold something touched are looked at:
/// those that are known, through an index, and those that the seeded plans find. Otherwise all are
/// found anew and compared.
final class WatchDetector {
    var program: WatchProgram
    private(set) var matches: [MatchKey: KeptMatch] = [:]
    private var holders: [LocalID: Set<MatchKey>] = [:]
    private var nextNumber: UInt64 = 0
    /// Whether what is known may be out of date beyond what the next change touches.
    var isBehind = true
    /// How many times all matches were found anew, and how many times only some were looked at.
    private(set) var wholeCount = 0
    private(set) var partCount = 0
    private let countMax: Int

    init(_ program: WatchProgram, countMax: Int) {
        self.program = program
        self.countMax = countMax
    }

    /// The known matches, in the order in which they came.
    var known: [(key: MatchKey, match: KeptMatch)] {
        matches.map { (key: $0.key, match: $0.value) }.sorted { $0.match.number < $1.match.number }
    }

    /// How the matches differ from those that are known. Nothing is known better before ``apply(_:)``.
    func changes(_ touched: [LocalID], _ session: Session) throws -> [MatchChange] {
        let context = session.context(program.names, slotCount: program.slotCount)
        try program.names.resolve(session.view)
        var found = Found()
        var before: [MatchKey: KeptMatch] = [:]
        if isBehind || program.reads.looksFurther || context.visibility != nil {
            wholeCount += 1
            try find(program.whole, context, session, &found)
            before = matches
        } else {
            partCount += 1
            for id in touched {
                for key in holders[id] ?? [] { before[key] = matches[key] }
                guard try session.view.isVisible(id) else { continue }
                for seed in program.seeds {
                    for slot in context.slots.indices { context.bind(slot, ExecutionContext.none) }
                    context.bind(seed.slot, id)
                    try find(seed.plan, context, session, &found)
                }
            }
        }
        let changes = Self.difference(before, found)
        let count = changes.reduce(into: matches.count) { count, change in
            switch change.kind {
            case .added: count += 1
            case .removed: count -= 1
            case .changed: break
            }
        }
        guard count <= countMax else { throw tooMany }
        return ordered(changes)
    }

    private struct Found {
        var matches: [MatchKey: KeptMatch] = [:]
        var order: [MatchKey] = []
    }

    private var tooMany: Diagnostic {
        Diagnostic(
            .workLimit, "the pattern has more than \(countMax) matches, and a watch keeps them all",
            hint: "narrow the pattern")
    }

    private func find(
        _ plan: PatternPlan, _ context: ExecutionContext, _ session: Session, _ found: inout Found
    ) throws {
        try Matcher(context: context, plan: plan).forEach {
            let key = try key(context)
            guard found.matches[key] == nil, try isConsumable(context, session) else { return true }
            guard found.order.count < countMax else { throw tooMany }
            found.matches[key] = KeptMatch(
                values: try program.projections.map { try context.result(try context.evaluate($0)) },
                order: try program.order.map { try context.evaluate($0.code) },
                ids: program.keepsIDs
                    ? try program.variables.map { try context.idText(context.slots[$0.slot]) } : [])
            found.order.append(key)
            return true
        }
    }

    private func key(_ context: ExecutionContext) throws -> MatchKey {
        MatchKey(
            parts: try program.variables.map { variable in
                let id = context.slots[variable.slot]
                return id.isVirtual ? .row(try context.idText(id)) : .stored(id)
            })
    }

    /// Consumers get only what they may delete.
    private func isConsumable(_ context: ExecutionContext, _ session: Session) throws -> Bool {
        guard program.isConsuming, let policies = session.policies, let first = program.variables.first else {
            return true
        }
        let id = context.slots[first.slot]
        let request = PolicySet.Request(
            kind: program.endsEdge ? .unlink : .kill, entity: id, type: try context.typeName(id))
        do {
            try policies.require(request, session.authority, at: nil)
            return true
        } catch let denial as Diagnostic where denial.code == .permissionDenied {
            return false
        }
    }

    private static func difference(_ before: [MatchKey: KeptMatch], _ found: Found) -> [MatchChange] {
        let known = before.map { (key: $0.key, match: $0.value) }.sorted { $0.match.number < $1.match.number }
        var changes: [MatchChange] = []
        for (key, match) in known where found.matches[key] == nil {
            changes.append(MatchChange(kind: .removed, key: key, match: match, previous: nil))
        }
        for (key, match) in known {
            guard let now = found.matches[key], now.values != match.values else { continue }
            changes.append(MatchChange(kind: .changed, key: key, match: now, previous: match.values))
        }
        for key in found.order where before[key] == nil {
            guard let match = found.matches[key] else { continue }
            changes.append(MatchChange(kind: .added, key: key, match: match, previous: nil))
        }
        return changes
    }

    /// In the order that the watch asks for; otherwise what has gone, what has changed, what is new.
    private func ordered(_ changes: [MatchChange]) -> [MatchChange] {
        guard !program.order.isEmpty else { return changes }
        return changes.enumerated().sorted { a, b in
            for (place, key) in program.order.enumerated() {
                let result = Comparison.precedes(a.element.match.order[place], b.element.match.order[place])
                if result != 0 { return key.isDescending ? result > 0 : result < 0 }
            }
            return a.offset < b.offset
        }.map(\.element)
    }

    /// Takes a change over into what is known.
    func apply(_ change: MatchChange) {
        switch change.kind {
        case .removed:
            matches[change.key] = nil
            index(change.key) { holders, key in holders.remove(key) }
        case .changed:
            var match = change.match
            match.number = matches[change.key]?.number ?? 0
            matches[change.key] = match
        case .added:
            var match = change.match
            match.number = nextNumber
            nextNumber += 1
            matches[change.key] = match
            index(change.key) { holders, key in holders.insert(key) }
        }
    }

    private func index(_ key: MatchKey, _ body: (inout Set<MatchKey>, MatchKey) -> Void) {
        for case .stored(let id) in key.parts {
            var keys = holders.removeValue(forKey: id) ?? []
            body(&keys, key)
            if !keys.isEmpty { holders[id] = keys }
        }
    }
}
