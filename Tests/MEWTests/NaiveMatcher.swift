import MEW
import MeshGraph

/// The slow, obvious twin of the matcher: every assignment is tried, by loops, over plain lists.
///
/// It shares the syntax tree with the matcher and nothing else: no plan, no index, no compiled code.
struct NaiveMatcher {
    /// What the twin cannot say anything about.
    struct Beyond: Error { let what: String }

    typealias Assignment = [String: NaiveValue]

    let graph: NaiveGraph
    let parameters: [String: NaiveValue]

    // MARK: Patterns

    /// Every way to bind a pattern's variables that goes with those bound already.
    func matches(_ pattern: Pattern, _ outer: Assignment) throws -> [Assignment] {
        var types: [String: TypeExpression] = [:]
        for case .node(let node) in pattern.elements { types[node.variable.text] = node.type }
        var found = [outer]
        for element in pattern.elements {
            guard case .edge(let edge) = element, edge.repetition == .once else { continue }
            found = try found.flatMap { try matches(edge, $0, types) }
        }
        for element in pattern.elements {
            guard case .node(let node) = element else { continue }
            found = found.flatMap { row in
                if row[node.variable.text] != nil { return [row] }
                return graph.living.compactMap { place in
                    bound(node.variable.text, place, row, types)
                }
            }
        }
        for element in pattern.elements {
            guard case .edge(let edge) = element, edge.repetition != .once else { continue }
            found = try found.flatMap { try transitive(edge, $0, types) }
        }
        guard let condition = pattern.condition else { return found }
        return try found.filter { try value(condition, $0) == .bool(true) }
    }

    /// The row with one more variable, if the variable is that already or is free and takes it.
    private func bound(
        _ name: String, _ place: Int, _ row: Assignment, _ types: [String: TypeExpression]
    ) -> Assignment? {
        if let present = row[name] { return present == .entity(place) ? row : nil }
        if let type = types[name], !graph.fits(place, type) { return nil }
        var wider = row
        wider[name] = .entity(place)
        return wider
    }

    private func target(
        _ target: PatternTarget, _ place: Int, _ row: Assignment, _ types: [String: TypeExpression]
    ) -> Assignment? {
        switch target {
        case .anything: row
        case .variable(let name): bound(name.text, place, row, types)
        case .reference(let name): graph.entities[place].id == name.text ? row : nil
        case .parameter(let name):
            parameters[name.text] == .string(graph.entities[place].id) ? row : nil
        }
    }

    private func matches(
        _ edge: EdgePattern, _ row: Assignment, _ types: [String: TypeExpression]
    ) throws -> [Assignment] {
        var found: [Assignment] = []
        for place in graph.living where graph.entities[place].isEdge {
            let entity = graph.entities[place]
            guard entity.type == edge.edge.text else { continue }
            var orders = [entity.targets]
            let isNamed = edge.targets.contains { if case .anything = $0 { false } else { true } }
            if graph.types.symmetric.contains(entity.type), entity.targets[0] != entity.targets[1], isNamed {
                orders.append(entity.targets.reversed())
            }
            for targets in orders {
                var rows: Assignment? = row
                for (wanted, given) in zip(edge.targets, targets) {
                    rows = rows.flatMap { target(wanted, given, $0, types) }
                }
                if let variable = edge.variable {
                    rows = rows.flatMap { bound(variable.text, place, $0, types) }
                }
                if let rows { found.append(rows) }
            }
        }
        return found
    }

    private func transitive(
        _ edge: EdgePattern, _ row: Assignment, _ types: [String: TypeExpression]
    ) throws -> [Assignment] {
        var found: [Assignment] = []
        for start in graph.living {
            // Nothing but the edge says where a variable that is declared nowhere else may start.
            if case .variable(let name) = edge.targets[0], row[name.text] == nil,
                !graph.fits(start, edge: edge.edge.text, position: 0)
            {
                continue
            }
            if case .anything = edge.targets[0], case .anything = edge.targets[1],
                !graph.fits(start, edge: edge.edge.text, position: 0)
            {
                continue
            }
            guard let first = target(edge.targets[0], start, row, types) else { continue }
            for end in reached(from: start, edge) {
                if case .variable(let name) = edge.targets[1], first[name.text] == nil,
                    !graph.fits(end, edge: edge.edge.text, position: 1)
                {
                    continue
                }
                if let both = target(edge.targets[1], end, first, types) { found.append(both) }
            }
        }
        return found
    }

    private func reached(from start: Int, _ edge: EdgePattern) -> Set<Int> {
        var all: Set<Int> = edge.repetition == .zeroOrMore ? [start] : []
        var level: Set<Int> = [start]
        for _ in 0..<min(edge.depth ?? 100, graph.entities.count + 1) {
            var next: Set<Int> = []
            for place in graph.living where graph.entities[place].type == edge.edge.text {
                let targets = graph.entities[place].targets
                if level.contains(targets[0]) { next.insert(targets[1]) }
                if graph.types.symmetric.contains(edge.edge.text), level.contains(targets[1]) {
                    next.insert(targets[0])
                }
            }
            all.formUnion(next)
            level = next
        }
        return all
    }

    // MARK: Statements

    /// A row, with what ORDER BY asks for.
    struct Row {
        var values: [NaiveValue]
        var keys: [NaiveValue]
    }

    /// All rows before LIMIT and OFFSET; sorted where the statement says how.
    func rows(_ match: MatchStatement) throws -> [Row] {
        var found = try matches(match.pattern, [:])
        for optional in match.optionals {
            found = try found.flatMap { row in
                let wider = try matches(optional, row)
                if !wider.isEmpty { return wider }
                var alone = row
                for name in names(optional) where alone[name] == nil { alone[name] = .null }
                return [alone]
            }
        }
        if let condition = match.condition {
            found = try found.filter { try value(condition, $0) == .bool(true) }
        }
        let projections: [(Expression, Name?)] = match.projections.flatMap { projection -> [(Expression, Name?)] in
            switch projection {
            case .expression(let expression, let alias): [(expression, alias)]
            case .all:
                ([match.pattern] + match.optionals).flatMap(names).map {
                    (Expression(.variable($0)), nil)
                }
            }
        }
        let isGrouped =
            projections.contains { Self.hasAggregate($0.0) }
            || match.order.contains { Self.hasAggregate($0.expression) }
        var rows: [Row] = []
        for group in try groups(found, projections.map(\.0), isGrouped: isGrouped) {
            let values = try projections.map { try value($0.0, group.first ?? [:], group: group) }
            let keys = try match.order.map { key in
                if case .variable(let name) = key.expression.kind,
                    let column = projections.firstIndex(where: { $0.1?.text == name })
                {
                    return values[column]
                }
                return try value(key.expression, group.first ?? [:], group: group)
            }
            rows.append(Row(values: values, keys: keys))
        }
        if match.isDistinct {
            var seen: Set<[NaiveValue]> = []
            rows = rows.filter { seen.insert($0.values).inserted }
        }
        let directions = match.order.map(\.isDescending)
        return rows.sorted { a, b in
            for (index, isDescending) in directions.enumerated() {
                let order = Self.order(a.keys[index], b.keys[index])
                if order != 0 { return isDescending ? order > 0 : order < 0 }
            }
            return false
        }
    }

    /// The variables that a pattern declares, nodes first.
    private func names(_ pattern: Pattern) -> [String] {
        var names: [String] = []
        for case .node(let node) in pattern.elements { names.append(node.variable.text) }
        for case .edge(let edge) in pattern.elements {
            if let variable = edge.variable { names.append(variable.text) }
        }
        for case .edge(let edge) in pattern.elements where edge.repetition != .once {
            for case .variable(let name) in edge.targets where !names.contains(name.text) {
                names.append(name.text)
            }
        }
        return names
    }

    private func groups(
        _ found: [Assignment], _ projections: [Expression], isGrouped: Bool
    ) throws -> [[Assignment]] {
        guard isGrouped else { return found.map { [$0] } }
        let keys = projections.filter { !Self.hasAggregate($0) }
        if keys.isEmpty { return [found] }
        var order: [[NaiveValue]] = []
        var groups: [[NaiveValue]: [Assignment]] = [:]
        for row in found {
            let key = try keys.map { try value($0, row) }
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(row)
        }
        return order.compactMap { groups[$0] }
    }

    /// Null, then booleans, numbers, texts, entities, lists.
    static func order(_ a: NaiveValue, _ b: NaiveValue) -> Int {
        func rank(_ value: NaiveValue) -> Int {
            switch value {
            case .null: 0
            case .bool: 1
            case .int, .float: 2
            case .string: 3
            case .entity: 4
            case .list: 5
            }
        }
        if rank(a) != rank(b) { return rank(a) < rank(b) ? -1 : 1 }
        return compare(a, b) ?? 0
    }

    static func compare(_ a: NaiveValue, _ b: NaiveValue) -> Int? {
        func sign<Value: Comparable>(_ x: Value, _ y: Value) -> Int { x < y ? -1 : x > y ? 1 : 0 }
        switch (a, b) {
        case (.bool(let x), .bool(let y)): return sign(x ? 1 : 0, y ? 1 : 0)
        case (.int(let x), .int(let y)): return sign(x, y)
        case (.float(let x), .float(let y)): return sign(x, y)
        case (.int(let x), .float(let y)): return sign(Double(x), y)
        case (.float(let x), .int(let y)): return sign(x, Double(y))
        case (.string(let x), .string(let y)): return sign(x, y)
        default: return nil
        }
    }
}
