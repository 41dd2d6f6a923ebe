internal import MeshCore
internal import MeshGraph

/// Fires the rules of a transaction.
///
/// After each mutation the rules look at what has been touched since: the one with the highest priority, the
/// first declared among equals, fires for its first match that has not fired in this transaction; then all
/// look again, until nothing follows. That each binding fires once, and the bounds on depth and actions, make
/// it end; beyond a bound the transaction fails.
final class RuleEngine {
    private let programs: [RuleProgram]
    private let session: Session
    private var fired: Set<[UInt64]> = []
    private var dirty: [(id: LocalID, depth: Int)] = []
    /// Where in ``dirty`` each program goes on: it has fired for all that the entries before hold.
    private var frontiers: [Int]
    private var places: [Touched: Int] = [:]
    private var actionCount = 0
    private var depth = 0
    private var isSettling = false
    /// Steps that all searches for matches may take together, until the rules come to rest.
    private var stepsLeft = 0

    private struct Touched: Hashable {
        let id: LocalID
        let depth: Int
    }

    init(_ session: Session, own: Set<String> = []) throws {
        self.session = session
        let ordered = session.schema.rules.enumerated().sorted {
            $0.element.priority != $1.element.priority
                ? $0.element.priority > $1.element.priority : $0.offset < $1.offset
        }
        programs = try ordered.compactMap { rule in
            try session.sound(rule.element.name, own: own) { compiler in
                try RuleProgram(rule.element, &compiler)
            }
        }
        frontiers = programs.map { _ in 0 }
    }

    func touch(_ id: LocalID) {
        guard !programs.isEmpty else { return }
        let touched = Touched(id: id, depth: depth)
        // Once is enough while nobody has gone past it.
        if let place = places[touched], frontiers.allSatisfy({ $0 <= place }) { return }
        places[touched] = dirty.count
        dirty.append((id, depth))
    }

    private func clean() {
        dirty = []
        places = [:]
        for index in frontiers.indices { frontiers[index] = 0 }
    }

    struct Mark {
        fileprivate let fired: Set<[UInt64]>
        fileprivate let actionCount: Int
    }

    var mark: Mark { Mark(fired: fired, actionCount: actionCount) }

    func goBack(to mark: Mark) {
        fired = mark.fired
        actionCount = mark.actionCount
        clean()
    }

    /// Fires until nothing follows.
    func settle(_ transaction: GraphTransaction) throws {
        guard !isSettling else { return }
        isSettling = true
        stepsLeft = session.stepLimit
        defer {
            isSettling = false
            depth = 0
        }
        search: while true {
            for (number, program) in programs.enumerated() where !program.isManual {
                // A new match holds something that was touched since, and that stands further on; unless the
                // pattern looks at more than it binds.
                if program.looksFurther { frontiers[number] = 0 }
                while frontiers[number] < dirty.count {
                    let (id, depth) = dirty[frontiers[number]]
                    if let slots = try firstMatch(program, number, seededBy: id) {
                        try fire(program, number, slots, depth: depth + 1, transaction)
                        continue search
                    }
                    frontiers[number] += 1
                }
            }
            clean()
            return
        }
    }

    /// The first match that holds `id` and has not fired.
    private func firstMatch(
        _ program: RuleProgram, _ number: Int, seededBy id: LocalID
    ) throws -> [LocalID]? {
        try program.names.resolve(session.view)
        for seed in program.seeds {
            let context = session.unfilteredContext(program.names, slotCount: program.slotCount)
            context.stepsLeft = stepsLeft
            defer { stepsLeft = context.stepsLeft }
            context.bind(seed.slot, id)
            var found: [LocalID]?
            try Matcher(context: context, plan: seed.plan).forEach {
                guard !fired.contains(key(program, number, context.slots)) else { return true }
                found = context.slots
                return false
            }
            if let found { return found }
        }
        return nil
    }

    private func key(_ program: RuleProgram, _ number: Int, _ slots: [LocalID]) -> [UInt64] {
        [UInt64(number)] + program.patternSlots.map { slots[$0].rawValue }
    }

    private func fire(
        _ program: RuleProgram, _ number: Int, _ slots: [LocalID], depth: Int,
        _ transaction: GraphTransaction
    ) throws {
        guard depth <= Limits.ruleDepth else {
            throw Diagnostic(
                .ruleDepth, "the rule \(program.name) fired \(Limits.ruleDepth) deep",
                hint: "rules fire one another without end; let a condition stop them")
        }
        fired.insert(key(program, number, slots))
        let before = (self.depth, session.authority)
        self.depth = depth
        if !program.inheritsAuthority { session.authority = .system }
        defer { (self.depth, session.authority) = before }
        let context = session.unfilteredContext(program.names, slotCount: program.slotCount)
        context.slots = slots
        try perform(program.actions, context, transaction, of: program.name)
    }

    /// Takes the actions of a rule for one binding.
    func perform(
        _ actions: [(action: RuleProgram.Action, range: SourceRange)], _ context: ExecutionContext,
        _ transaction: GraphTransaction, of name: String
    ) throws {
        for (action, range) in actions {
            actionCount += 1
            guard actionCount <= Limits.ruleActionCount else {
                throw Diagnostic(
                    .ruleActions, "the rules took more than \(Limits.ruleActionCount) actions",
                    at: nil, hint: "the last was the rule \(name)'s")
            }
            try context.names.resolve(context.view)
            context.forget()
            let warningCount = transaction.warnings.count
            do {
                try perform(action, range, context, transaction)
                for index in transaction.warnings.indices.dropFirst(warningCount) {
                    transaction.warnings[index] = transaction.warnings[index].ofRule(name)
                }
            } catch let fault as Diagnostic where fault.code != .ruleDepth && fault.code != .ruleActions {
                // The place is one of the ontology's text, not of the statement's.
                throw Diagnostic(
                    fault.code, "the rule \(name) failed: \(fault.message)", at: nil, hint: fault.hint)
            }
        }
    }

    private func perform(
        _ action: RuleProgram.Action, _ range: SourceRange, _ context: ExecutionContext,
        _ transaction: GraphTransaction
    ) throws {
        func entity(_ code: Code) throws -> LocalID {
            switch try context.evaluate(code) {
            case .entity(let id): return id
            case .string(let text): if let id = try context.resolve(text) { return id }
            default: break
            }
            let what = if case .reference(let text) = code { "#\(text)" } else { "what it names" }
            throw Diagnostic(.unknownReference, "\(what) is not there", at: range)
        }
        func values(_ assignments: [(Name, Code)]) throws -> [AssignedValue] {
            try assignments.map { AssignedValue(name: $0, value: try context.evaluate($1), range: $0.range) }
        }
        switch action {
        case .spawn(let slot, let type, let attributes):
            context.bind(slot, try transaction.spawn(type, key: nil, values(attributes), at: range))
        case .kill(let code):
            guard let id = try? entity(code), try context.view.isVisible(id) else { return }
            _ = try transaction.kill(id, .declared, at: range)
        case .unlink(let code):
            guard let id = try? entity(code), try context.view.isVisible(id) else { return }
            _ = try transaction.unlink(id, at: range)
        case .set(let code, let attributes):
            try transaction.set(try entity(code), values(attributes), at: range)
        case .link(let edge, let targets, let slot, let attributes):
            let ids = try targets.map { try entity($0) }
            let (id, _) = try transaction.link(
                edge, ids, ifNotExists: false, values(attributes), at: range)
            if let slot { context.bind(slot, id) }
        }
    }

    /// `TRIGGER name WHERE condition`: fires a rule for all its matches.
    ///
    /// - Returns: How many times it fired.
    func trigger(
        _ name: Name, where condition: Expression?, _ transaction: GraphTransaction
    ) throws -> Int {
        guard let number = programs.firstIndex(where: { $0.name == name.text }) else {
            throw Diagnostic(
                .unknownRule, "there is no rule \(name.text)", at: name.range,
                hint: NearestName.of(name.text, among: programs.map(\.name)).map { "did you mean \($0)?" }
                    ?? "SHOW RULES lists those that are declared")
        }
        try session.policies?.require(
            PolicySet.Request(kind: .invoke, type: name.text), session.authority, at: name.range)
        let program = programs[number]
        try program.names.resolve(session.view)
        var slotCount = program.slotCount
        var code: Code?
        if let condition {
            var compiler = try session.compiler()
            compiler.share(program.names, slots: program.slotCount)
            code = try compiler.condition(condition, program.scope, "WHERE")
            slotCount = compiler.slotCount
            try program.names.resolve(session.view)
        }
        let context = session.unfilteredContext(program.names, slotCount: slotCount)
        var matches: [[LocalID]] = []
        try Matcher(context: context, plan: program.whole).forEach {
            if let code, try !context.isTrue(code) { return true }
            if !fired.contains(key(program, number, context.slots)) { matches.append(context.slots) }
            return matches.count <= Limits.ruleActionCount
        }
        for slots in matches {
            try fire(program, number, Array(slots.prefix(program.slotCount)), depth: 1, transaction)
        }
        try settle(transaction)
        return matches.count
    }
}

extension Diagnostic {
    /// The same without a place: that is one of the ontology's text, and not of the statement's.
    fileprivate func ofRule(_ name: String) -> Diagnostic {
        guard range != nil else { return self }
        return Diagnostic(code, "the rule \(name): \(message)", hint: hint, severity: severity)
    }
}
