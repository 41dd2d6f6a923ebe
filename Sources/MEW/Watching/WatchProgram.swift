internal import MeshCore
internal import MeshGraph

/// A WATCH that has been checked and planned.
final class WatchProgram {
    let seeds: [(slot: Int, plan: PatternPlan)]
    let whole: PatternPlan
    let columns: [String]
    let projections: [Code]
    let order: [(code: Code, isDescending: Bool)]
    /// The pattern's variables: what a match is known by.
    ///
    /// The first is what ACK ends.
    let variables: [Scope.Variable]
    let reads: WatchReads
    let names: NameSlots
    let slotCount: Int
    /// Whether matches keep the ids of what they bind: for actions, and for consumers.
    let keepsIDs: Bool
    /// Whether only what the actor may delete is a match.
    let isConsuming: Bool

    init(_ statement: WatchStatement, _ options: WatchOptions, _ session: Session) throws {
        var compiler = try session.compiler()
        let (seeds, whole, scope) = try compiler.seeded(
            Self.pattern(statement.pattern, and: options.filter))
        // ON MATCH DO shows what it acts upon.
        let projected =
            statement.actions.isEmpty ? statement.projections : [.all(statement.pattern.range)]
        let written = compiler.expanded(projected, scope)
        projections = try written.map { try compiler.expression($0.expression, scope).code }
        columns = Columns.names(written)
        if case .attribute(let keys) = options.ordering {
            order = try keys.map { (try compiler.expression($0.expression, scope).code, $0.isDescending) }
        } else {
            order = []
        }
        // Actions run as statements of a transaction of their own; here they are only checked.
        var actionScope = scope
        _ = try RuleProgram.compile(statement.actions, &actionScope, &compiler)
        var reads = WatchReads()
        reads.read(whole)
        for code in projections + order.map(\.code) { reads.read(code) }
        self.reads = reads
        self.seeds = seeds
        self.whole = whole
        variables = scope.all
        names = compiler.names
        slotCount = compiler.slotCount
        isConsuming = options.mode == .consume
        keepsIDs = isConsuming || !statement.actions.isEmpty
        try authorize(session, compiler)
    }

    static func pattern(_ pattern: Pattern, and filter: Expression?) -> Pattern {
        guard let filter else { return pattern }
        let condition = pattern.condition.map { Expression(.binary(.and, $0, filter), $0.range) } ?? filter
        return Pattern(elements: pattern.elements, condition: condition, range: pattern.range)
    }

    /// - Throws: ``ErrorCode/watchDenied`` where no policy can let the actor see, or delete, what is watched.
    private func authorize(_ session: Session, _ compiler: Compiler) throws {
        if isConsuming, let first = variables.first {
            let test = compiler.typeTest(first.type)
            guard test.virtual.isEmpty || test.isEverything else {
                throw Diagnostic(
                    .watchDenied,
                    "what is consumed is deleted, and nobody deletes a \(test.virtual.joined(separator: " or "))",
                    hint: "mode: watch")
            }
        }
        guard session.authority.actor != nil, let policies = session.policies else { return }
        for variable in variables {
            let test = compiler.typeTest(variable.type)
            if test.stored.isEmpty { continue }
            if case .edge = variable.type { continue }
            guard policies.mayEverAllow(.match, test) else {
                throw Diagnostic(
                    .watchDenied, "no policy lets anybody see a \(variable.type)",
                    hint: "SHOW POLICIES lists what is declared")
            }
        }
        guard isConsuming, let first = variables.first else { return }
        let isEdge = if case .edge = first.type { true } else { false }
        guard policies.mayEverAllow(isEdge ? .unlink : .kill, compiler.typeTest(first.type)) else {
            throw Diagnostic(
                .watchDenied,
                "what is consumed is deleted, and no policy lets anybody delete a \(first.type)",
                hint: "mode: watch")
        }
    }

    /// Whether what ACK ends is an edge.
    var endsEdge: Bool {
        if case .edge? = variables.first?.type { true } else { false }
    }
}

/// What a watch's program looks at, which decides when it is judged again, and how much of it.
struct WatchReads {
    /// System types whose rows it reads.
    private(set) var systemTypes: Set<String> = []
    /// Whether it reads the graph's own tables.
    private(set) var readsGraph = false
    /// Whether something else than what a match binds may change it: other patterns, paths, named entities, the clock.
    private(set) var looksFurther = false

    mutating func read(_ plan: PatternPlan) {
        for step in plan.steps {
            switch step.kind {
            case .scan(_, let test), .test(_, let test): read(test)
            case .lookUp(_, _, let value, _, let test, let condition):
                read(value)
                read(condition)
                read(test)
            case .lookUpVirtual(_, _, let value, let test):
                read(value)
                read(test)
            case .range(_, _, let lower, let upper, _, let test):
                for code in [lower, upper] { if let code { read(code) } }
                read(test)
            case .fix(_, let code, let test):
                readEntity(code)
                read(test)
            case .expand(let expansion):
                readEntity(expansion.from)
                read(expansion.match)
            case .scanEdges(let match), .openEdge(let match): read(match)
            case .transitive(let match):
                readsGraph = true
                looksFurther = true
                readEntity(match.from)
                read(match.target)
            case .filter(let code): read(code)
            }
        }
    }

    private mutating func read(_ test: TypeTest) {
        if !test.stored.isEmpty || test.isEverything { readsGraph = true }
        systemTypes.formUnion(test.virtual)
        // Rows of system types are not told apart when they change.
        if !test.virtual.isEmpty { looksFurther = true }
        // These are made of what the graph holds.
        if test.virtual.contains("_Conflict") { readsGraph = true }
    }

    private mutating func read(_ match: EdgeMatch) {
        readsGraph = true
        match.targets.forEach { read($0) }
    }

    private mutating func read(_ target: TargetMatch) {
        switch target {
        case .ignore, .same: break
        case .bind(_, let test): if let test { read(test) }
        case .equal(let code): readEntity(code)
        }
    }

    /// An expression that names an entity; a text may come to name another.
    private mutating func readEntity(_ code: Code) {
        if case .slot = code { return }
        looksFurther = true
        read(code)
    }

    mutating func read(_ code: Code) {
        switch code {
        case .constant, .slot, .local, .parameter, .aggregate: break
        case .reference: looksFurther = true
        case .attribute(let base, _), .negate(let base, _), .not(let base), .isNull(let base, _): read(base)
        case .isOfType(let base, _): read(base)
        case .call(let function, let arguments, _):
            if [.now, .wallTime, .logicalTime].contains(function) { looksFurther = true }
            arguments.forEach { read($0) }
        case .list(let elements): elements.forEach { read($0) }
        case .arithmetic(_, let a, let b, _), .compare(_, let a, let b, _), .and(let a, let b),
            .or(let a, let b), .coalesce(let a, let b), .isIn(let a, let b, _):
            read(a)
            read(b)
        case .exists(let pattern, _), .fold(_, let pattern):
            looksFurther = true
            read(pattern.plan)
        }
    }
}
