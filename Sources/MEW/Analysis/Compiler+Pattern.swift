internal import MeshCore
internal import MeshGraph

extension Compiler {
    /// Checks a pattern and plans it.
    ///
    /// `outer`: Variables that are bound already; those of the pattern must have other names.
    ///
    /// Returns the plan, and the scope with the pattern's variables.
    mutating func pattern(
        _ pattern: Pattern, _ outer: Scope, condition extra: Expression? = nil
    ) throws(Diagnostic) -> (plan: PatternPlan, scope: Scope) {
        let (terms, scope) = try self.terms(pattern, outer, condition: extra)
        return (plan(terms, scope, bound: Set(outer.all.map(\.slot))), scope)
    }

    /// Plans what has been checked.
    ///
    /// `seed`: A slot of the pattern that is bound before the first step; its type is judged then.
    func plan(
        _ terms: PatternTerms, _ scope: Scope, bound: Set<Int>, seed: Int? = nil
    ) -> PatternPlan {
        var planner = Planner(
            terms: terms, bound: bound, seed: seed, statistics: statistics, schema: schema,
            testOf: { typeTest($0) })
        return planner.plan(variables: scope.all.filter { !bound.contains($0.slot) })
    }

    /// A pattern planned once for each of its variables, as that which is bound first.
    ///
    /// With something that has changed in each of them in turn, they find every match that holds it.
    mutating func seeded(
        _ pattern: Pattern
    ) throws(Diagnostic) -> (seeds: [(slot: Int, plan: PatternPlan)], whole: PatternPlan, scope: Scope) {
        let (terms, scope) = try self.terms(pattern, Scope())
        let seeds = scope.all.map { variable in
            (slot: variable.slot, plan: plan(terms, scope, bound: [], seed: variable.slot))
        }
        return (seeds, plan(terms, scope, bound: []), scope)
    }

    /// Checks a pattern.
    private mutating func terms(
        _ pattern: Pattern, _ outer: Scope, condition extra: Expression? = nil
    ) throws(Diagnostic) -> (PatternTerms, Scope) {
        var scope = outer
        var terms = PatternTerms()
        for element in pattern.elements {
            if case .node(let node) = element { try declare(node, &scope, &terms) }
        }
        for element in pattern.elements {
            if case .edge(let edge) = element, let variable = edge.variable {
                guard let type = schema.edges[edge.edge.text] else { throw unknownEdge(edge.edge) }
                try declare(variable, .edge(type.name), &scope, &terms)
            }
        }
        for element in pattern.elements {
            if case .edge(let edge) = element { try add(edge, &scope, &terms) }
        }
        for condition in [pattern.condition, extra].compactMap({ $0 }) {
            for part in Self.conjuncts(condition) {
                let place = self.place
                self.place.remove(.aggregates)
                defer { self.place = place }
                let code = try self.condition(part, scope, "WHERE")
                terms.filters.append(
                    PatternTerms.Filter(code: code, slots: code.slots, place: terms.filters.count))
            }
        }
        return (terms, scope)
    }

    /// A pattern of an expression: it sees the variables around it and adds none to them.
    mutating func subPattern(_ pattern: Pattern, _ scope: Scope) throws(Diagnostic) -> SubPattern {
        SubPattern(plan: try self.pattern(pattern, scope).plan)
    }

    /// What must all hold, one by one.
    static func conjuncts(_ condition: Expression) -> [Expression] {
        var open = [condition]
        var parts: [Expression] = []
        while let next = open.popLast() {
            if case .binary(.and, let left, let right) = next.kind {
                open.append(right)
                open.append(left)
            } else {
                parts.append(next)
            }
        }
        return parts
    }

    private mutating func declare(
        _ node: NodePattern, _ scope: inout Scope, _ terms: inout PatternTerms
    ) throws(Diagnostic) {
        let type = try staticType(node.type)
        for member in type.members {
            switch member {
            case .node, .anyNode, .edge: break
            default:
                throw Diagnostic(
                    .typeMismatch, "\(type) is no type of node", at: node.type.range,
                    hint: "a pattern's variable stands for a node or an edge")
            }
        }
        try declare(node.variable, type, &scope, &terms)
        guard let slot = scope[node.variable.text]?.slot else { return }
        terms.nodes.append(
            PatternTerms.Node(slot: slot, name: node.variable.text, type: type, test: typeTest(type)))
    }

    private mutating func declare(
        _ name: Name, _ type: StaticType, _ scope: inout Scope, _ terms: inout PatternTerms
    ) throws(Diagnostic) {
        guard name.text != "_" else {
            throw Diagnostic(
                .unknownVariable, "_ may stand only as an edge's target", at: name.range,
                hint: "give the variable a name")
        }
        guard scope[name.text] == nil else {
            throw Diagnostic(
                .duplicateName, "\(name.text) is declared already", at: name.range,
                hint: "each variable of a pattern has a name of its own")
        }
        let slot = newSlot()
        scope.declare(name.text, slot: slot, type: type)
        terms.types[slot] = type
    }

    private mutating func add(
        _ edge: EdgePattern, _ scope: inout Scope, _ terms: inout PatternTerms
    ) throws(Diagnostic) {
        guard let type = schema.edges[edge.edge.text] else { throw unknownEdge(edge.edge) }
        guard edge.targets.count == type.parameters.count else {
            throw Diagnostic(
                .wrongArity,
                "\(type.name) joins \(type.parameters.count), and \(edge.targets.count) are given",
                at: edge.range, hint: type.signature)
        }
        if edge.repetition != .once {
            guard type.parameters.count == 2 else {
                throw Diagnostic(
                    .transitiveNotBinary, "\(type.name) is not binary, so it cannot be followed on and on",
                    at: edge.range)
            }
            if edge.variable != nil {
                throw Diagnostic(
                    .transitiveWithVariable, "a path of many edges cannot be named by AS", at: edge.range,
                    hint: "WALK gives the edges of a path")
            }
            if let depth = edge.depth, !(1...Limits.transitiveDepth).contains(depth) {
                throw Diagnostic(
                    .transitiveDepth, "a depth is 1 to \(Limits.transitiveDepth), not \(depth)",
                    at: edge.range)
            }
        }
        var targets: [PatternTerms.Target] = []
        for (position, target) in edge.targets.enumerated() {
            targets.append(
                try self.target(
                    target, type.parameters[position].type, type, isTransitive: edge.repetition != .once,
                    &scope, &terms))
        }
        if edge.repetition != .once, case .anything = targets[0], case .anything = targets[1] {
            // Some end must be known to start from: this one has a slot and no name.
            let slot = newSlot()
            terms.types[slot] = type.parameters[0].type
            targets[0] = .slot(slot)
        }
        terms.edges.append(
            PatternTerms.Edge(
                type: type, name: names.slot(type.name), targets: targets,
                edgeSlot: edge.variable.flatMap { scope[$0.text]?.slot }, repetition: edge.repetition,
                depth: edge.depth ?? Limits.transitiveDepth, range: edge.range))
    }

    private mutating func target(
        _ target: PatternTarget, _ parameter: StaticType, _ edge: EdgeType, isTransitive: Bool,
        _ scope: inout Scope, _ terms: inout PatternTerms
    ) throws(Diagnostic) -> PatternTerms.Target {
        switch target {
        case .anything: return .anything
        case .reference(let name): return .given(.reference(name.text))
        case .parameter(let name):
            return .given(.parameter(name.text, isOptional: false, name.range))
        case .variable(let name):
            if let variable = scope[name.text] {
                guard overlap(variable.type, parameter) else {
                    throw Diagnostic(
                        .typeMismatch,
                        "\(name.text) is \(variable.type), and \(edge.name) joins \(parameter) there",
                        at: name.range, hint: edge.signature)
                }
                return .slot(variable.slot)
            }
            if sessionVariables[name.text] != nil { return .given(.reference(name.text)) }
            guard isTransitive else {
                let nearest = NearestName.of(name.text, among: scope.names)
                throw Diagnostic(
                    .unknownVariable, "there is no variable \(name.text) here", at: name.range,
                    hint: nearest.map { "did you mean \($0)?" }
                        ?? "declare it in the pattern: \(name.text): \(parameter)")
            }
            let slot = newSlot()
            scope.declare(name.text, slot: slot, type: parameter)
            terms.types[slot] = parameter
            return .slot(slot)
        }
    }

    /// Whether something may have both types.
    func overlap(_ a: StaticType, _ b: StaticType) -> Bool {
        for first in a.members {
            for second in b.members {
                switch (first, second) {
                case (.unknown, _), (_, .unknown), (.anyNode, .node), (.node, .anyNode), (.anyNode, .anyNode):
                    return true
                case (.node(let x), .node(let y)):
                    if x == y { return true }
                    if !Set(schema.concreteTypes(of: x)).isDisjoint(with: schema.concreteTypes(of: y)) {
                        return true
                    }
                case (.edge(let x), .edge(let y)): if x == nil || y == nil || x == y { return true }
                default: break
                }
            }
        }
        return false
    }
}

extension EdgeType {
    /// The declaration's head: `assigned(task: Task, person: Person)`.
    var signature: String {
        let parameters = self.parameters.map { parameter in
            parameter.name.map { "\($0): \(parameter.type)" } ?? parameter.type.description
        }
        return "\(name)(\(parameters.joined(separator: ", ")))"
    }
}

extension Code {
    /// The slots that it reads and does not bind itself.
    var slots: Set<Int> {
        switch self {
        case .constant, .local, .parameter, .reference, .aggregate: []
        case .slot(let slot): [slot]
        case .attribute(let code, _), .negate(let code, _), .not(let code), .isOfType(let code, _),
            .isNull(let code, _):
            code.slots
        case .call(_, let codes, _), .list(let codes): codes.reduce(into: []) { $0.formUnion($1.slots) }
        case .arithmetic(_, let a, let b, _), .compare(_, let a, let b, _), .and(let a, let b),
            .or(let a, let b),
            .coalesce(let a, let b), .isIn(let a, let b, _):
            a.slots.union(b.slots)
        case .exists(let pattern, _), .fold(_, let pattern): pattern.plan.outerSlots
        }
    }
}

extension PatternPlan {
    /// The slots that it reads and that were bound before it.
    var outerSlots: Set<Int> {
        var bound: Set<Int> = []
        var outer: Set<Int> = []
        func read(_ slots: Set<Int>) { outer.formUnion(slots.subtracting(bound)) }
        func target(_ target: TargetMatch) {
            switch target {
            case .ignore: break
            case .bind(let slot, _): bound.insert(slot)
            case .same(let slot): read([slot])
            case .equal(let code): read(code.slots)
            }
        }
        for step in steps {
            switch step.kind {
            case .scan(let slot, _): bound.insert(slot)
            case .lookUp(let slot, _, let value, _, _, _), .lookUpVirtual(let slot, _, let value, _):
                read(value.slots)
                bound.insert(slot)
            case .range(let slot, _, let lower, let upper, _, _):
                read((lower?.slots ?? []).union(upper?.slots ?? []))
                bound.insert(slot)
            case .fix(let slot, let code, _):
                read(code.slots)
                bound.insert(slot)
            case .test(let slot, _): read([slot])
            case .expand(let expansion):
                read(expansion.from.slots)
                expansion.match.targets.forEach(target)
                if let slot = expansion.match.edgeSlot { bound.insert(slot) }
            case .scanEdges(let match):
                match.targets.forEach(target)
                if let slot = match.edgeSlot { bound.insert(slot) }
            case .openEdge(let match):
                if let slot = match.edgeSlot { read([slot]) }
                match.targets.forEach(target)
            case .transitive(let match):
                read(match.from.slots)
                target(match.target)
            case .filter(let code): read(code.slots)
            }
        }
        return outer
    }
}
