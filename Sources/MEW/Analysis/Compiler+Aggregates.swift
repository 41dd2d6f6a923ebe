internal import MeshCore
extension Compiler {
    mutating func aggregate(
        _ call: AggregateCall, _ scope: Scope
    ) throws(Diagnostic) -> Checked {
        let limit: Int? =
            switch call.limit {
            case .standard: call.function == .collect ? Limits.collectCount : nil
            case .count(let count): count
            case .none: nil
            }
        if case .pattern(let pattern) = call.argument {
            guard call.function == .count else {
                throw Diagnostic(
                    .misplacedAggregate, "only COUNT takes a pattern", at: call.range,
                    hint: "name a value: \(call.function.rawValue.uppercased())(x.attribute)")
            }
            let fold = AggregateCode(
                function: .count, isDistinct: false, value: nil, condition: nil, limit: nil,
                range: call.range)
            return (.fold(fold, try subPattern(pattern, scope)), .scalar(.int))
        }
        guard place.contains(.aggregates), !isInAggregate else {
            throw Diagnostic(
                .misplacedAggregate,
                isInAggregate
                    ? "an aggregate stands inside another" : "an aggregate may stand in RETURN and ORDER BY",
                at: call.range,
                hint: isInAggregate ? nil : "in WHERE, count a pattern: COUNT(x: Type, edge(y, x))")
        }
        isInAggregate = true
        defer { isInAggregate = false }
        var value: Checked?
        if case .value(let expression) = call.argument { value = try self.expression(expression, scope) }
        if let value, call.function == .sum || call.function == .avg,
            !value.type.isAll([.int, .float]) && !value.type.isAll([.duration])
        {
            throw Diagnostic(
                .typeMismatch,
                "\(call.function.rawValue.uppercased()) wants numbers or durations, and this is \(value.type)",
                at: call.range)
        }
        var condition: Code?
        if let written = call.condition { condition = try self.condition(written, scope, "WHERE") }
        aggregates.append(
            AggregateCode(
                function: call.function, isDistinct: call.isDistinct, value: value?.code,
                condition: condition, limit: limit, range: call.range))
        let type: StaticType =
            switch call.function {
            case .count: .scalar(.int)
            case .sum: value?.type ?? .unknown
            case .avg:
                value?.type.isAll([.duration]) == true
                    ? .scalar(.duration).optional : .scalar(.float).optional
            case .min, .max: (value?.type ?? .unknown).optional
            case .collect: .list(value?.type ?? .unknown)
            }
        return (.aggregate(aggregates.count - 1), type)
    }
}
