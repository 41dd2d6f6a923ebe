import MEW
import MeshGraph

extension NaiveMatcher {
    /// Whether an aggregate over the rows stands in it.
    static func hasAggregate(_ expression: Expression) -> Bool {
        switch expression.kind {
        case .aggregate(let call):
            if case .pattern = call.argument { false } else { true }
        case .attribute(let inner, _), .unary(_, let inner), .isNull(let inner, _), .isOfType(let inner, _):
            hasAggregate(inner)
        case .binary(_, let a, let b), .isIn(let a, let b, _): hasAggregate(a) || hasAggregate(b)
        case .call(_, let inner), .list(let inner): inner.contains(where: hasAggregate)
        default: false
        }
    }

    /// The value of an expression for one row; aggregates look at the whole group.
    func value(_ expression: Expression, _ row: Assignment, group: [Assignment] = []) throws -> NaiveValue {
        func part(_ inner: Expression) throws -> NaiveValue { try value(inner, row, group: group) }
        switch expression.kind {
        case .literal(let literal): return try Self.value(literal)
        case .reference(let text):
            return graph.living.first { graph.entities[$0].id == text }.map { .entity($0) } ?? .null
        case .parameter(let name, _): return parameters[name] ?? .null
        case .variable(let name): return row[name] ?? .null
        case .attribute(let base, let name): return attribute(try part(base), name.text)
        case .call(let name, let arguments): return try call(name.text.lowercased(), arguments.map(part))
        case .list(let elements): return .list(try elements.map(part))
        case .unary(.not, let inner):
            guard case .bool(let value) = try part(inner) else { return .null }
            return .bool(!value)
        case .unary(.negate, let inner):
            switch try part(inner) {
            case .null: return .null
            case .int(let value): return .int(0 &- value)
            case .float(let value): return .float(-value)
            default: throw Beyond(what: "the negative of it")
            }
        case .binary(let symbol, let a, let b): return try binary(symbol, part(a)) { try part(b) }
        case .isOfType(let inner, let type):
            guard case .entity(let place) = try part(inner) else { return .bool(false) }
            return .bool(graph.fits(place, type))
        case .isNull(let inner, let isNegated): return .bool((try part(inner) == .null) != isNegated)
        case .isIn(let inner, let list, let isNegated):
            let wanted = try part(inner)
            guard case .list(let values) = try part(list) else { return .bool(isNegated) }
            return .bool(values.contains { Self.areEqual(wanted, $0) } != isNegated)
        case .exists(let pattern, let isNegated):
            return .bool(try matches(pattern, row).isEmpty == isNegated)
        case .aggregate(let call): return try aggregate(call, row, group)
        }
    }

    private static func value(_ literal: GraphValue) throws -> NaiveValue {
        switch literal {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .float(let value): .float(value)
        case .string(let value): .string(value)
        default: throw Beyond(what: "the literal \(literal)")
        }
    }

    private func attribute(_ base: NaiveValue, _ name: String) -> NaiveValue {
        guard case .entity(let place) = base else { return .null }
        let entity = graph.entities[place]
        switch name {
        case "id", "_id": return .string(entity.id)
        case "_type": return .string(entity.type)
        case "_targets": return .list(entity.targets.map { .entity($0) })
        default: return entity.attributes[name] ?? .null
        }
    }

    static func areEqual(_ a: NaiveValue, _ b: NaiveValue) -> Bool {
        if case .entity = a { return a == b }
        return a == b || compare(a, b) == 0
    }

    private func binary(
        _ symbol: BinaryOperator, _ a: NaiveValue, _ right: () throws -> NaiveValue
    ) throws -> NaiveValue {
        switch symbol {
        case .and:
            if a != .bool(true) { return .bool(false) }
            return .bool(try right() == .bool(true))
        case .or:
            if a == .bool(true) { return a }
            let b = try right()
            return b == .null ? a : b
        case .coalesce: return a == .null ? try right() : a
        default: break
        }
        let b = try right()
        switch symbol {
        case .equal: return .bool(Self.areEqual(a, b))
        case .notEqual: return .bool(!Self.areEqual(a, b))
        case .less, .greater, .lessOrEqual, .greaterOrEqual:
            if a == .null || b == .null { return .bool(false) }
            guard let order = Self.compare(a, b) else { throw Beyond(what: "an order of \(a) and \(b)") }
            switch symbol {
            case .less: return .bool(order < 0)
            case .greater: return .bool(order > 0)
            case .lessOrEqual: return .bool(order <= 0)
            default: return .bool(order >= 0)
            }
        default: return try arithmetic(symbol, a, b)
        }
    }

    private func arithmetic(
        _ symbol: BinaryOperator, _ a: NaiveValue, _ b: NaiveValue
    ) throws -> NaiveValue {
        switch (a, b) {
        case (.null, _), (_, .null): return .null
        case (.string(let x), .string(let y)) where symbol == .concatenate: return .string(x + y)
        case (.int(let x), .int(let y)):
            switch symbol {
            case .add: return .int(x &+ y)
            case .subtract: return .int(x &- y)
            case .multiply: return .int(x &* y)
            case .divide where y != 0: return .int(x / y)
            case .remainder where y != 0: return .int(x % y)
            default: throw Beyond(what: "\(x) \(symbol.rawValue) \(y)")
            }
        default: break
        }
        func number(_ value: NaiveValue) throws -> Double {
            switch value {
            case .int(let value): Double(value)
            case .float(let value): value
            default: throw Beyond(what: "a number from \(value)")
            }
        }
        let (x, y) = (try number(a), try number(b))
        switch symbol {
        case .add: return .float(x + y)
        case .subtract: return .float(x - y)
        case .multiply: return .float(x * y)
        case .divide where y != 0: return .float(x / y)
        default: throw Beyond(what: "\(x) \(symbol.rawValue) \(y)")
        }
    }

    private func call(_ name: String, _ values: [NaiveValue]) throws -> NaiveValue {
        if name == "coalesce" { return values.first { $0 != .null } ?? .null }
        if name == "type_of" {
            switch values[0] {
            case .entity(let place): return .string(graph.entities[place].type)
            case .null: return .string("null")
            default: break
            }
        }
        if values.contains(.null) { return .null }
        switch (name, values[0], values.dropFirst().first) {
        case ("length", .string(let text), _): return .int(Int64(text.unicodeScalars.count))
        case ("lower", .string(let text), _): return .string(text.lowercased())
        case ("upper", .string(let text), _): return .string(text.uppercased())
        case ("starts_with", .string(let text), .string(let start)): return .bool(text.hasPrefix(start))
        case ("contains", .string(let text), .string(let inner)):
            return .bool(
                text.indices.contains { text[$0...].hasPrefix(inner) } || inner.isEmpty)
        case ("abs", .int(let value), _): return .int(abs(value))
        case ("min", let a, let b?): return Self.order(b, a) < 0 ? b : a
        case ("max", let a, let b?): return Self.order(b, a) > 0 ? b : a
        default: throw Beyond(what: "\(name) of \(values)")
        }
    }

    private func aggregate(
        _ call: AggregateCall, _ row: Assignment, _ group: [Assignment]
    ) throws -> NaiveValue {
        if case .pattern(let pattern) = call.argument { return .int(Int64(try matches(pattern, row).count)) }
        let kept = try group.filter { row in
            try call.condition.map { try value($0, row) == .bool(true) } ?? true
        }
        guard case .value(let expression) = call.argument else { return .int(Int64(kept.count)) }
        var values = try kept.map { try value(expression, $0) }.filter { $0 != .null }
        if call.isDistinct {
            var seen: Set<NaiveValue> = []
            values = values.filter { seen.insert($0).inserted }
        }
        switch call.function {
        case .count: return .int(Int64(values.count))
        // The order in which values are met is nobody's promise: the test sorts both.
        case .collect: return .list(values)
        case .min: return values.min { Self.order($0, $1) < 0 } ?? .null
        case .max: return values.max { Self.order($0, $1) < 0 } ?? .null
        case .sum:
            return try values.dropFirst().reduce(values.first ?? .int(0)) { try arithmetic(.add, $0, $1) }
        case .avg:
            guard let first = values.first else { return .null }
            let sum = try values.dropFirst().reduce(first) { try arithmetic(.add, $0, $1) }
            return try arithmetic(
                .divide, try arithmetic(.multiply, sum, .float(1)), .int(Int64(values.count)))
        }
    }
}
