internal import MeshCore
internal import MeshGraph

/// Expressions: operators by their precedence, on a stack of their own instead of the machine's.
extension Parser {
    /// What waits for its right side.
    private struct Pending {
        enum Operation {
            case binary(BinaryOperator)
            case isIn(isNegated: Bool)
        }

        let operation: Operation
        let precedence: Int
    }

    /// Reads an expression, and leaves its height in ``height``.
    mutating func expression() throws(Reported) -> Expression {
        guard depth < Self.nestingMax else { throw tooDeep() }
        depth += 1
        defer { depth -= 1 }
        var operands = Operands(first: try unary(), height: height)
        var pending: [Pending] = []
        var coalesceCount = 0
        while true {
            // IS binds what stands before it and has no right side.
            if current.keyword == .is, peek(1).keyword == .null || peek(1).keyword == .not {
                try reduce(&operands, &pending, downTo: BinaryOperator.less.precedence)
                advance()
                let isNegated = takes(.not)
                try expect(.null)
                let value = operands.expressions.removeLast()
                operands.expressions.append(
                    Expression(.isNull(value, isNegated: isNegated), range(from: value.range.start)))
                operands.heights[operands.heights.count - 1] += 1
                try checkHeight(operands.heights.last ?? 0)
                continue
            }
            guard let next = takesInfix() else { break }
            if case .binary(.coalesce) = next.operation {
                // It groups to the right, and so its tree is as deep as it is long.
                coalesceCount += 1
                try checkDepth(adding: coalesceCount)
                try reduce(&operands, &pending, downTo: next.precedence + 1)
            } else {
                try reduce(&operands, &pending, downTo: next.precedence)
            }
            pending.append(next)
            operands.expressions.append(try unary())
            operands.heights.append(height)
        }
        try reduce(&operands, &pending, downTo: 0)
        height = operands.heights[0]
        return operands.expressions[0]
    }

    /// What has been read and not yet been joined, with the heights beside.
    private struct Operands {
        var expressions: [Expression]
        var heights: [Int]

        init(first: Expression, height: Int) {
            expressions = [first]
            heights = [height]
        }
    }

    /// Applies the waiting operators that bind at least as tightly as `precedence`.
    private mutating func reduce(
        _ operands: inout Operands, _ pending: inout [Pending], downTo precedence: Int
    ) throws(Reported) {
        while let last = pending.last, last.precedence >= precedence {
            pending.removeLast()
            let right = operands.expressions.removeLast()
            let left = operands.expressions.removeLast()
            let range = left.range.through(right.range)
            let kind: Expression.Kind =
                switch last.operation {
                case .binary(let symbol): .binary(symbol, left, right)
                case .isIn(let isNegated): .isIn(left, right, isNegated: isNegated)
                }
            operands.expressions.append(Expression(kind, range))
            let height = max(operands.heights.removeLast(), operands.heights.removeLast()) + 1
            operands.heights.append(height)
            try checkHeight(height)
        }
    }

    mutating func checkHeight(_ height: Int) throws(Reported) {
        guard height <= Self.heightMax else {
            throw fail(
                .tooLong, "one expression chains at most \(Self.heightMax) operators",
                hint: "write x IN [ … ] instead of many comparisons, or several statements")
        }
    }

    /// The operator between two operands that stands here, if one does.
    private mutating func takesInfix() -> Pending? {
        var operation: Pending.Operation?
        var length = 1
        switch current.kind {
        case .symbol(let symbol):
            operation = BinaryOperator(rawValue: symbol.rawValue).map(Pending.Operation.binary)
        case .word:
            // `{ count = 1 in = "x" }`: before `=` and `:` it is the next attribute's name.
            if peek(1).isSymbol(.equal) || peek(1).isSymbol(.colon) { return nil }
            switch current.keyword {
            case .and: operation = .binary(.and)
            case .or: operation = .binary(.or)
            case .in: operation = .isIn(isNegated: false)
            case .not where peek(1).keyword == .in:
                operation = .isIn(isNegated: true)
                length = 2
            default: break
            }
        default: break
        }
        guard let operation else { return nil }
        for _ in 0..<length { advance() }
        let precedence =
            if case .binary(let symbol) = operation { symbol.precedence } else {
                BinaryOperator.less.precedence
            }
        return Pending(operation: operation, precedence: precedence)
    }

    // MARK: - Before and behind an operand

    /// An operand with the minuses and NOTs before it.
    private mutating func unary() throws(Reported) -> Expression {
        var prefixes: [(UnaryOperator, SourcePosition)] = []
        while true {
            if current.isSymbol(.minus) {
                if let number = negativeLiteral() {
                    height = 1
                    return try apply(prefixes, to: try postfix(number))
                }
                prefixes.append((.negate, advance().range.start))
            } else if current.keyword == .not,
                !(peek(1).keyword == .exists && peek(2).isSymbol(.leftParenthesis))
            {
                prefixes.append((.not, advance().range.start))
            } else {
                break
            }
            try checkDepth(adding: prefixes.count)
        }
        return try apply(prefixes, to: try postfix(try primary()))
    }

    private mutating func apply(
        _ prefixes: [(UnaryOperator, SourcePosition)], to operand: Expression
    ) throws(Reported) -> Expression {
        height += prefixes.count
        try checkHeight(height)
        return prefixes.reversed().reduce(operand) { value, prefix in
            Expression(.unary(prefix.0, value), SourceRange(prefix.1, value.range.end))
        }
    }

    /// A minus and a number are one literal: only so can the least number be written.
    private mutating func negativeLiteral() -> Expression? {
        let value: GraphValue
        switch peek(1).kind {
        case .integer(let magnitude):
            guard let number = Int64(magnitude: magnitude, isNegative: true) else { return nil }
            value = .int(number)
        case .duration(let magnitude):
            guard let number = Int64(magnitude: magnitude, isNegative: true) else { return nil }
            value = .duration(number)
        case .float(let number): value = .float(-number)
        default: return nil
        }
        let start = advance()
        advance()
        return Expression(.literal(value), range(from: start))
    }

    /// `.name` and `:Type` behind an operand.
    private mutating func postfix(_ operand: Expression) throws(Reported) -> Expression {
        var value = operand
        while true {
            if takes(.dot) {
                let name = try anyName("the name of an attribute")
                value = Expression(.attribute(value, name), range(from: value.range.start))
            } else if current.isSymbol(.colon) {
                advance()
                let type = try primaryType(allowsDots: false)
                value = Expression(.isOfType(value, type), range(from: value.range.start))
            } else {
                return value
            }
            height += 1
            try checkHeight(height)
        }
    }

    // MARK: - Operands

    /// A literal, a name, a call, a list, a pattern that exists, or anything in parentheses.
    mutating func primary() throws(Reported) -> Expression {
        let start = current
        height = 1
        if let value = try literal() { return Expression(.literal(value), range(from: start)) }
        switch current.kind {
        case .reference(let text):
            advance()
            return Expression(.reference(text), start.range)
        case .parameter(let name, let isOptional):
            advance()
            return Expression(.parameter(name, isOptional: isOptional), start.range)
        case .symbol(.leftParenthesis):
            advance()
            let inner = try expression()
            try expect(.rightParenthesis)
            return Expression(inner.kind, range(from: start))
        case .symbol(.leftBracket):
            advance()
            let elements = try expressions(until: .rightBracket)
            return Expression(.list(elements), range(from: start))
        case .word: return try named()
        case .symbol(.equal) where previous?.isSymbol(.equal) == true:
            throw expected("an expression", hint: "one = compares")
        default: throw expected("an expression")
        }
    }

    /// A literal with its value, if one stands here.
    private mutating func literal() throws(Reported) -> GraphValue? {
        let value: GraphValue
        switch current.kind {
        case .integer(let magnitude):
            guard let number = Int64(exactly: magnitude) else { throw tooLarge() }
            value = .int(number)
        case .duration(let magnitude):
            guard let number = Int64(exactly: magnitude) else { throw tooLarge() }
            value = .duration(number)
        case .float(let number): value = .float(number)
        case .string(let text): value = .string(text)
        case .timestamp(let instant): value = .timestamp(instant)
        case .hash(let digest): value = .hash(digest)
        // What it should have been is told already, and the rest may hold more faults.
        case .refused: value = .null
        case .word where current.keyword == .null: value = .null
        case .word where current.keyword == .true: value = .bool(true)
        case .word where current.keyword == .false: value = .bool(false)
        default: return nil
        }
        advance()
        return value
    }

    private mutating func tooLarge() -> Reported {
        fail(
            .invalidNumber, "this number is beyond what 64 bits hold",
            hint: "the largest is 9223372036854775807")
    }

    /// What begins with a word: EXISTS, an aggregate, a call or a variable.
    private mutating func named() throws(Reported) -> Expression {
        let start = current
        if start.keyword == .not || start.keyword == .exists, let exists = try exists() { return exists }
        guard isName(start), let text = start.word, !isStatementInstead else {
            throw expected("an expression")
        }
        guard peek(1).isSymbol(.leftParenthesis) else {
            advance()
            return Expression(.variable(text), start.range)
        }
        if let function = AggregateCall.Function(rawValue: text.lowercased()) {
            return try aggregate(function)
        }
        advance()
        advance()
        let arguments = try expressions(until: .rightParenthesis)
        return Expression(.call(Name(text, start.range), arguments), range(from: start))
    }

    /// A statement begins here, and the expression before it was forgotten.
    private var isStatementInstead: Bool {
        guard current.keyword?.startsStatement == true, !peek(1).startsLine else { return false }
        switch peek(1).kind {
        case .reference, .parameter, .symbol(.leftBrace): return true
        case .word: return peek(1).keyword == nil
        default: return false
        }
    }

    /// Expressions and the sign that closes them; the height is that of what holds them.
    mutating func expressions(until closing: Symbol) throws(Reported) -> [Expression] {
        var expressions: [Expression] = []
        var tallest = 0
        while !current.isSymbol(closing) || !expressions.isEmpty {
            expressions.append(try expression())
            tallest = max(tallest, height)
            guard takes(.comma) else { break }
        }
        try expect(closing)
        height = tallest + 1
        try checkHeight(height)
        return expressions
    }

    private mutating func exists() throws(Reported) -> Expression? {
        let start = current
        let isNegated = start.keyword == .not
        let word = isNegated ? peek(1) : start
        guard word.keyword == .exists, peek(isNegated ? 2 : 1).isSymbol(.leftParenthesis) else { return nil }
        for _ in 0..<(isNegated ? 3 : 2) { advance() }
        let pattern = try nested { parser throws(Reported) in try parser.pattern() }
        try expect(.rightParenthesis)
        height += 1
        try checkHeight(height)
        return Expression(.exists(pattern, isNegated: isNegated), range(from: start))
    }
}

extension BinaryOperator {
    /// A larger one binds tighter; NOT and minus bind tighter than all of them.
    var precedence: Int {
        switch self {
        case .coalesce: 1
        case .or: 2
        case .and: 3
        case .equal, .notEqual: 4
        case .less, .greater, .lessOrEqual, .greaterOrEqual: 5
        case .add, .subtract, .concatenate: 6
        case .multiply, .divide, .remainder: 7
        }
    }
}
