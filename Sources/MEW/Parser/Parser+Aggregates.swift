internal import MeshCore
/// `COUNT(…)` and its like.
extension Parser {
    /// The functions of the language: what COUNT counts when one is called in it is a value and no pattern.
    static let functionNames: Set<String> = [
        "length", "lower", "upper", "trim", "contains", "starts_with", "ends_with", "substring", "replace",
        "split", "abs", "min", "max", "floor", "ceil", "round", "is_nan", "now", "wall_time", "logical_time",
        "year", "month", "day", "hour", "minute", "second", "type_of", "coalesce", "to_milliseconds",
        "to_seconds", "to_minutes", "to_hours", "to_days", "current_actor", "operation", "target",
        "target_type", "target_attr",
    ]

    /// At the name of an aggregate, with a parenthesis behind it.
    mutating func aggregate(_ function: AggregateCall.Function) throws(Reported) -> Expression {
        let start = advance()
        advance()
        let isDistinct =
            takes(.distinct)
        var argument = AggregateCall.Argument.rows
        var condition: Expression?
        if function == .count, !isDistinct, current.isSymbol(.star) {
            height = 0
            advance()
        } else if function == .count, beginsPattern {
            argument = .pattern(try nested { parser throws(Reported) in try parser.pattern() })
        } else {
            let value = try expression()
            if function == .min || function == .max, !isDistinct, current.isSymbol(.comma) {
                return try scalar(function, start, first: value)
            }
            argument = .value(value)
        }
        var tallest = height
        if takes(.where) {
            condition = try expression()
            tallest = max(tallest, height)
        }
        height = tallest + 1
        try checkHeight(height)
        let limit = try collectLimit(function)
        try expect(.rightParenthesis)
        let call = AggregateCall(
            function: function, isDistinct: isDistinct, argument: argument, condition: condition,
            limit: limit, range: range(from: start))
        return Expression(.aggregate(call), call.range)
    }

    /// `min(a, b)` compares its arguments; only `MIN(a)` gathers rows, also with a comma behind its argument.
    private mutating func scalar(
        _ function: AggregateCall.Function, _ start: Token, first: Expression
    ) throws(Reported) -> Expression {
        advance()
        let tallest = height + 1
        let others = try expressions(until: .rightParenthesis)
        height = max(height, tallest)
        if others.isEmpty {
            let call = AggregateCall(
                function: function, isDistinct: false, argument: .value(first), condition: nil,
                limit: .standard, range: range(from: start))
            return Expression(.aggregate(call), call.range)
        }
        let name = Name(start.word ?? "", start.range)
        return Expression(.call(name, [first] + others), range(from: start))
    }

    /// Whether a node or an edge of a pattern stands here, and no value.
    private var beginsPattern: Bool {
        guard isName(current), let word = current.word else { return false }
        if peek(1).isSymbol(.colon) { return true }
        if peek(1).isSymbol(.doubleColon) { return true }
        if peek(1).isSymbol(.plus) || peek(1).isSymbol(.star) { return peek(2).isSymbol(.leftParenthesis) }
        return peek(1).isSymbol(.leftParenthesis) && !Self.functionNames.contains(word.lowercased())
            && AggregateCall.Function(rawValue: word.lowercased()) == nil
    }

    /// `[limit: 10]`, or `[limit: none]`.
    private mutating func collectLimit(
        _ function: AggregateCall.Function
    ) throws(Reported) -> AggregateCall.Limit {
        guard function == .collect, takes(.leftBracket) else { return .standard }
        try expect(.limit)
        try expect(.colon)
        let limit: AggregateCall.Limit =
            takesWord("none") ? .none : .count(try count("a number of values, or none"))
        try expect(.rightBracket)
        return limit
    }
}
