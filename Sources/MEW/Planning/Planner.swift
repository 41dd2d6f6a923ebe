internal import MeshCore
internal import MeshGraph

/// Chooses the order in which a pattern's elements are matched, by what the graph's counts promise.
///
/// Greedy: of all that can be done next, what gives the fewest rows is done, and every condition as soon as
/// all that it reads is bound. Which order is chosen never changes what is found.
struct Planner {
    private let terms: PatternTerms
    private let statistics: any PlanningStatistics
    private let schema: GraphSchema
    private let testOf: (StaticType) -> TypeTest

    private var bound: Set<Int>
    private let seed: Int?
    private var nodes: [PatternTerms.Node]
    private var edges: [PatternTerms.Edge]
    private var filters: [PatternTerms.Filter]
    private var steps: [PatternPlan.Step] = []
    private var rows = 1.0

    init(
        terms: PatternTerms, bound: Set<Int>, seed: Int?, statistics: any PlanningStatistics,
        schema: GraphSchema,
        testOf: @escaping (StaticType) -> TypeTest
    ) {
        self.terms = terms
        self.statistics = statistics
        self.schema = schema
        self.testOf = testOf
        self.bound = bound
        self.seed = seed
        nodes = terms.nodes
        edges = terms.edges
        filters = terms.filters
    }

    /// Something that may be done next.
    private struct Choice {
        enum Element {
            case node(Int)
            case edge(Int)
            /// A variable that only a transitive edge declares.
            case implicit
        }

        let step: PlanStep
        let element: Element
        /// How many rows it gives for each row before it.
        let factor: Double
        /// The place of the condition that it decides by itself.
        var decides: Int?
    }

    mutating func plan(variables: [Scope.Variable]) -> PatternPlan {
        if let seed {
            bound.insert(seed)
            if let type = terms.types[seed] { append(.test(slot: seed, testOf(type)), 0.5) }
        }
        placeFilters()
        while !nodes.isEmpty || !edges.isEmpty {
            nodes.removeAll { bound.contains($0.slot) }
            guard let choice = best() else { break }
            apply(choice)
            placeFilters()
        }
        // A condition on nothing that is bound here, or on nothing at all.
        for filter in filters { append(.filter(filter.code), 1) }
        return PatternPlan(steps: steps, variables: variables)
    }

    private mutating func append(_ step: PlanStep, _ factor: Double) {
        rows *= factor
        steps.append(PatternPlan.Step(kind: step, rows: rows))
    }

    private mutating func placeFilters() {
        for filter in filters where filter.slots.isSubset(of: bound) { append(.filter(filter.code), 0.5) }
        filters.removeAll { $0.slots.isSubset(of: bound) }
    }

    private func best() -> Choice? {
        var best: Choice?
        func consider(_ choice: Choice?) {
            guard let choice else { return }
            if let present = best, present.factor <= choice.factor { return }
            best = choice
        }
        // Edges first: at equal factors they bind more.
        for (index, edge) in edges.enumerated() { consider(choice(edge, index)) }
        for (index, node) in nodes.enumerated() { consider(choice(node, index)) }
        return best
    }

    private mutating func apply(_ choice: Choice) {
        append(choice.step, choice.factor)
        switch choice.element {
        case .node(let index):
            bound.insert(nodes.remove(at: index).slot)
            if let place = choice.decides { filters.removeAll { $0.place == place } }
        case .implicit:
            if case .scan(let slot, _) = choice.step { bound.insert(slot) }
        case .edge(let index):
            let edge = edges.remove(at: index)
            for case .slot(let slot) in edge.targets { bound.insert(slot) }
            if let slot = edge.edgeSlot { bound.insert(slot) }
        }
    }

    // MARK: Nodes

    private func choice(_ node: PatternTerms.Node, _ index: Int) -> Choice {
        var best = Choice(
            step: .scan(slot: node.slot, node.test), element: .node(index),
            factor: max(count(node.type), 0.5))
        for filter in terms.filters {
            guard case .compare(let symbol, let left, let right, _) = filter.code else { continue }
            for (own, other, symbol) in [(left, right, symbol), (right, left, symbol.mirrored)] {
                guard !other.slots.contains(node.slot), other.slots.isSubset(of: bound),
                    let choice = choice(node, index, own, symbol, other, filter.code)
                else { continue }
                guard choice.factor < best.factor else { continue }
                best = choice
                if case .lookUp = choice.step { best.decides = filter.place }
            }
        }
        return best
    }

    /// What a comparison of something of this node with a known value makes possible.
    private func choice(
        _ node: PatternTerms.Node, _ index: Int, _ own: Code, _ symbol: BinaryOperator, _ value: Code,
        _ condition: Code
    ) -> Choice? {
        switch own {
        case .slot(node.slot), .attribute(.slot(node.slot), .id):
            guard symbol == .equal else { return nil }
            return Choice(step: .fix(slot: node.slot, value, node.test), element: .node(index), factor: 0.9)
        case .attribute(.slot(node.slot), .named(let name)):
            return indexed(node, index, name.text, symbol, value, condition)
        default: return nil
        }
    }

    private func indexed(
        _ node: PatternTerms.Node, _ index: Int, _ attribute: String, _ symbol: BinaryOperator, _ value: Code,
        _ condition: Code
    ) -> Choice? {
        // Null is in no index, but equals null: a value that may be null finds its rows by a scan.
        guard !node.test.isEverything, value.isNeverNull else { return nil }
        let types = node.test.stored.map(\.text)
        if symbol == .equal, !node.test.virtual.isEmpty, types.isEmpty {
            return Choice(
                step: .lookUpVirtual(slot: node.slot, attribute: attribute, value: value, node.test),
                element: .node(index), factor: 1.5)
        }
        guard !types.isEmpty, node.test.virtual.isEmpty, let scalar = scalar(attribute, types) else {
            return nil
        }
        for found in statistics.indexes(on: attribute) where Set(types).isSubset(of: found.definition.types) {
            let size = statistics.rowCount(of: found)
            switch symbol {
            case .equal:
                return Choice(
                    step: .lookUp(
                        slot: node.slot, found, value: value, scalar, node.test, condition: condition),
                    element: .node(index), factor: found.definition.isUnique ? 1 : max(1, size * 0.05))
            case .greater, .greaterOrEqual:
                return Choice(
                    step: .range(slot: node.slot, found, lower: value, upper: nil, scalar, node.test),
                    element: .node(index), factor: max(1, size * 0.3))
            case .less, .lessOrEqual:
                return Choice(
                    step: .range(slot: node.slot, found, lower: nil, upper: value, scalar, node.test),
                    element: .node(index), factor: max(1, size * 0.3))
            default: return nil
            }
        }
        return nil
    }

    /// The scalar type that the attribute has in all these types; `nil` where they differ.
    private func scalar(_ attribute: String, _ types: [String]) -> ScalarType? {
        var found: ScalarType?
        for type in types {
            let attributes = schema.nodes[type]?.attributes ?? schema.edges[type]?.attributes ?? []
            guard let declared = attributes.first(where: { $0.name == attribute }) else { continue }
            guard case .scalar(let scalar) = declared.type.withoutNull, found == nil || found == scalar else {
                return nil
            }
            found = scalar
        }
        return found
    }

    private func count(_ type: StaticType) -> Double {
        type.members.reduce(0) { total, member in
            switch member {
            case .node(let name):
                total
                    + schema.concreteTypes(of: name).reduce(0) {
                        $0 + (schema.nodes[$1]?.isVirtual == true ? 100 : statistics.count(ofType: $1))
                    }
            case .edge(let name?): total + statistics.count(ofType: name)
            default:
                total + schema.nodes.keys.sorted().reduce(0) { $0 + statistics.count(ofType: $1) }
            }
        }
    }

    // MARK: Edges

    private func choice(_ edge: PatternTerms.Edge, _ index: Int) -> Choice? {
        let total = max(statistics.count(ofType: edge.type.name), 0.5)
        if edge.repetition != .once { return transitive(edge, index, total) }
        if let slot = edge.edgeSlot, bound.contains(slot) {
            return Choice(step: .openEdge(match(edge, except: nil)), element: .edge(index), factor: 0.8)
        }
        var best: Choice?
        for (position, target) in edge.targets.enumerated() {
            guard let from = known(target) else { continue }
            let others = edge.targets.enumerated().filter { $0.offset != position }
            let isClosed = others.allSatisfy { known($0.element) != nil } && !others.isEmpty
            var degree = total / max(1, count(edge.type.parameters[position].type))
            if case .given = target { degree *= 1 }
            let factor = isClosed ? min(0.7, degree) : max(degree, 0.05)
            if best.map({ $0.factor <= factor }) ?? false { continue }
            best = Choice(
                step: .expand(
                    Expansion(match: match(edge, except: position), position: position, from: from)),
                element: .edge(index), factor: factor)
        }
        return best
            ?? Choice(step: .scanEdges(match(edge, except: nil)), element: .edge(index), factor: total)
    }

    private func known(_ target: PatternTerms.Target) -> Code? {
        switch target {
        case .slot(let slot): bound.contains(slot) ? .slot(slot) : nil
        case .given(let code): code
        case .anything: nil
        }
    }

    private func match(_ edge: PatternTerms.Edge, except known: Int?) -> EdgeMatch {
        var bound = self.bound
        var targets: [TargetMatch] = []
        for (position, target) in edge.targets.enumerated() {
            if position == known {
                targets.append(.ignore)
                continue
            }
            targets.append(self.target(target, edge.type.parameters[position].type, &bound))
        }
        return EdgeMatch(
            edge: edge.name, targets: targets, edgeSlot: edge.edgeSlot,
            isSymmetric: edge.type.isSymmetric)
    }

    private func target(
        _ target: PatternTerms.Target, _ parameter: StaticType, _ bound: inout Set<Int>
    ) -> TargetMatch {
        switch target {
        case .anything: return .ignore
        case .given(let code): return .equal(code)
        case .slot(let slot):
            guard bound.insert(slot).inserted else { return .same(slot: slot) }
            return .bind(slot: slot, test(slot, parameter))
        }
    }

    /// The test that a target needs beyond what its edge's declaration says.
    private func test(_ slot: Int, _ parameter: StaticType) -> TypeTest? {
        guard let type = terms.types[slot] else { return nil }
        let (test, given) = (testOf(type), testOf(parameter))
        if given.isEverything, !test.isEverything { return test }
        let isImplied = given.stored.allSatisfy { name in
            test.stored.contains(name) || (test.isEverything && schema.edges[name.text] == nil)
        }
        return isImplied && Set(given.virtual).isSubset(of: test.virtual) ? nil : test
    }

    private func transitive(_ edge: PatternTerms.Edge, _ index: Int, _ total: Double) -> Choice? {
        for position in [0, 1] {
            guard let from = known(edge.targets[position]) else { continue }
            var bound = self.bound
            let isClosed = known(edge.targets[1 - position]) != nil
            // With no hop at all the start itself arrives, and the declaration says nothing of its type.
            let arriving =
                edge.repetition == .zeroOrMore ? .unknown : edge.type.parameters[1 - position].type
            let step = TransitiveMatch(
                edge: edge.name, from: from, position: position,
                target: target(edge.targets[1 - position], arriving, &bound),
                includesStart: edge.repetition == .zeroOrMore, depth: edge.depth,
                isSymmetric: edge.type.isSymmetric, range: edge.range)
            return Choice(
                step: .transitive(step), element: .edge(index),
                factor: isClosed ? 0.9 : max(2, min(total, 20)))
        }
        // Neither end is known: one whose variable has no other declaration is to be scanned.
        for (position, target) in edge.targets.enumerated() {
            guard case .slot(let slot) = target, !nodes.contains(where: { $0.slot == slot }),
                !edges.contains(where: { $0.edgeSlot == slot })
            else { continue }
            // Another edge may have declared it, as something wider than this one joins.
            let type = terms.types[slot] ?? edge.type.parameters[position].type
            return Choice(
                step: .scan(slot: slot, testOf(type)), element: .implicit,
                factor: max(1, count(type)))
        }
        return nil
    }
}

extension BinaryOperator {
    /// The operator with its sides exchanged.
    var mirrored: BinaryOperator {
        switch self {
        case .less: .greater
        case .greater: .less
        case .lessOrEqual: .greaterOrEqual
        case .greaterOrEqual: .lessOrEqual
        default: self
        }
    }
}

extension Code {
    /// Whether it surely gives something: then an index has every row that equals it.
    var isNeverNull: Bool {
        switch self {
        case .constant(let value): !value.isNull
        // A missing parameter is an error; one that is given as null is found out by the step itself.
        case .parameter(_, let isOptional, _, _): !isOptional
        default: true
        }
    }
}
