internal import MeshGraph

/// Judges the declared constraints over what a transaction has touched.
///
/// A constraint whose pattern and condition look at nothing but its own variables can only be broken by a match
/// that holds something touched, and is judged after each statement. One that looks further (EXISTS, counted
/// patterns) is judged over the whole graph, at the commit.
final class ConstraintChecker {
    private struct Program {
        let declaration: ConstraintDeclaration
        let seeds: [(slot: Int, plan: PatternPlan)]
        let whole: PatternPlan
        let condition: Code
        let names: NameSlots
        let slotCount: Int
        let variables: [Scope.Variable]
        let looksFurther: Bool
    }

    private let programs: [Program]
    private let session: Session
    /// Steps that one round of checks may take.
    private var stepsLeft = 0

    init(_ session: Session, own: Set<String> = []) throws {
        self.session = session
        programs = try session.schema.constraints.compactMap { declaration in
            try session.sound(declaration.name, own: own) { compiler in
                compiler.place = .deterministic
                let (seeds, whole, scope) = try compiler.seeded(declaration.pattern)
                let condition = try compiler.condition(declaration.condition, scope, "a constraint")
                return Program(
                    declaration: declaration, seeds: seeds, whole: whole, condition: condition,
                    names: compiler.names, slotCount: compiler.slotCount, variables: scope.all,
                    looksFurther: condition.looksFurther || whole.looksFurther)
            }
        }
    }

    /// Judges those that look no further than their own variables.
    func checkNear(_ touched: [LocalID], _ transaction: GraphTransaction) throws {
        stepsLeft = session.stepLimit
        for program in programs where !program.looksFurther {
            try program.names.resolve(session.view)
            for id in touched {
                for seed in program.seeds {
                    try check(program, seed.plan, seed: (seed.slot, id), transaction)
                }
            }
        }
    }

    /// Judges the others.
    func checkFar(_ transaction: GraphTransaction) throws {
        stepsLeft = session.stepLimit
        for program in programs where program.looksFurther {
            try program.names.resolve(session.view)
            try check(program, program.whole, seed: nil, transaction)
        }
    }

    private func check(
        _ program: Program, _ plan: PatternPlan, seed: (slot: Int, id: LocalID)?,
        _ transaction: GraphTransaction
    ) throws {
        let context = session.unfilteredContext(program.names, slotCount: program.slotCount)
        context.stepsLeft = stepsLeft
        defer { stepsLeft = context.stepsLeft }
        if let seed { context.bind(seed.slot, seed.id) }
        try Matcher(context: context, plan: plan).forEach {
            if try context.isTrue(program.condition) { return true }
            let declaration = program.declaration
            let named = try program.variables.prefix(4).map {
                "\($0.name) = \(try context.idText(context.slots[$0.slot]))"
            }
            let message =
                (declaration.message ?? "the constraint \(declaration.name.text) does not hold")
                + " (\(named.joined(separator: ", ")))"
            guard declaration.isSoft else {
                throw Diagnostic(
                    .constraintViolated, message, hint: "SHOW CONSTRAINT \(declaration.name.text) shows it")
            }
            let warning = Diagnostic(.softConstraint, message, severity: .warning)
            if transaction.warnings.count < 100, !transaction.warnings.contains(warning) {
                transaction.warnings.append(warning)
            }
            return true
        }
    }

    /// Judges the least cardinalities of what has been touched.
    func checkMinimums(_ touched: [LocalID], _ transaction: GraphTransaction) throws {
        let view = session.view
        let restricted = session.schema.edges.keys.sorted().compactMap { session.schema.edges[$0] }
            .filter { $0.cardinalities.contains { $0.minimum > 0 } }
        guard !restricted.isEmpty else { return }
        let compiler = try session.compiler()
        let context = session.unfilteredContext(compiler.names, slotCount: 0)
        for edge in restricted {
            for cardinality in edge.cardinalities where cardinality.minimum > 0 {
                let parameter = edge.parameters[cardinality.position]
                let test = compiler.typeTest(parameter.type)
                try compiler.names.resolve(view)
                let name = try view.nameID(edge.name)
                for id in touched where try context.fits(id, test) {
                    let count = try name.map {
                        try transaction.degree(of: id, edge, $0, at: cardinality.position)
                    }
                    guard (count ?? 0) < cardinality.minimum else { continue }
                    throw Diagnostic(
                        .cardinalityMissing,
                        "each \(parameter.name ?? parameter.type.description) has at least \(cardinality.minimum) \(edge.name), and \(try context.idText(id)) has \(count ?? 0)",
                        hint: "link it within the same transaction: BEGIN … COMMIT")
                }
            }
        }
    }
}

extension PatternPlan {
    /// Whether a condition of it looks at a pattern of its own.
    var looksFurther: Bool {
        steps.contains { step in
            switch step.kind {
            case .filter(let code): code.looksFurther
            case .transitive: true
            default: false
            }
        }
    }
}

extension Code {
    /// Whether it looks at the graph beyond the variables that it names.
    var looksFurther: Bool {
        switch self {
        case .constant, .slot, .local, .parameter, .aggregate: false
        // What `#name` stands for may change without anything that the pattern binds.
        case .reference, .exists, .fold: true
        case .attribute(let code, _), .negate(let code, _), .not(let code), .isOfType(let code, _),
            .isNull(let code, _):
            code.looksFurther
        case .call(_, let codes, _), .list(let codes): codes.contains(where: \.looksFurther)
        case .arithmetic(_, let a, let b, _), .compare(_, let a, let b, _), .and(let a, let b),
            .or(let a, let b), .coalesce(let a, let b), .isIn(let a, let b, _):
            a.looksFurther || b.looksFurther
        }
    }
}
