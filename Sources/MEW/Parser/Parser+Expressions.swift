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

    mutating func expression() throws(Reported) -> Expression {
        if expressionDepth == 0 { operatorCount = 0 }
        expressionDepth += 1
        defer { expressionDepth -= 1 }
        return try nested { parser throws(Reported) in try parser.operators() }
    }

    private mutating func operators() throws(Reported) -> Expression {
        var operands: [Expression] = [try unary()]
        var pending: [Pending] = []
        var coalesceCount = 0
        while true {
            // IS binds what stands before it and has no right side.
            if current.keyword == .is, peek(1).keyword == .null || peek(1).keyword == .not {
                try countOperator()
                Self.reduce(&operands, &pending, downTo: BinaryOperator.less.precedence)
                advance()
                let isNegated = takes(.not)
                try expect(.null)
                let value = operands.removeLast()
                operands.append(
                    Expression(.isNull(value, isNegated: isNegated), range(from: value.range.start)))
                continue
            }
            guard let next = takesInfix() else { break }
            try countOperator()
            if case .binary(.coalesce) = next.operation {
                // It groups to the right, and so its tree is as deep as it is long.
                coalesceCount += 1
                try checkDepth(adding: coalesceCount)
                Self.reduce(&operands, &pending, downTo: next.precedence + 1)
            } else {
                Self.reduce(&operands, &pending, downTo: next.precedence)
            }
            pending.append(next)
            operands.append(try unary())
        }
        Self.reduce(&operands, &pending, downTo: 0)
        return operands[0]
    }

    /// Applies the waiting operators that bind at least as tightly as `precedence`.
    private static func reduce(
        _ operands: inout [Expression], _ pending: inout [Pending], downTo precedence: Int
    ) {
        while let last = pending.last, last.precedence >= precedence {
            pending.removeLast()
            let right = operands.removeLast()
            let left = operands.removeLast()
            let range = left.range.through(right.range)
            switch last.operation {
            case .binary(let symbol): operands.append(Expression(.binary(symbol, left, right), range))
            case .isIn(let isNegated):
                operands.append(Expression(.isIn(left, right, isNegated: isNegated), range))
            }
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

    mutating func countOperator() throws(Reported) {
        operatorCount += 1
        guard operatorCount <= Self.operatorsMax else {
            throw fail(
                .tooLong, "one expression joins at most \(Self.operatorsMax) operators",
                hint: "write x IN [ … ] instead of many comparisons, or several statements")
        }
    }

    // MARK: - Before and behind an operand

    /// An operand with the minuses and NOTs before it.
    private mutating func unary() throws(Reported) -> Expression {
        var prefixes: [(UnaryOperator, SourcePosition)] = []
        while true {
            if current.isSymbol(.minus) {
                if let number = negativeLiteral() {
                    return Self.apply(prefixes, to: try postfix(number))
                }
                prefixes.append((.negate, advance().range.start))
            } else if current.keyword == .not,
                !(peek(1).keyword == .exists && peek(2).isSymbol(.leftParenthesis))
            {
                prefixes.append((.not, advance().range.start))
            } else {
                break
            }
            try countOperator()
            try checkDepth(adding: prefixes.count)
        }
        return Self.apply(prefixes, to: try postfix(try primary()))
    }

    private static func apply(
        _ prefixes: [(UnaryOperator, SourcePosition)], to operand: Expression
    ) -> Expression {
        prefixes.reversed().reduce(operand) { value, prefix in
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
                try countOperator()
                let name = try anyName("the name of an attribute")
                value = Expression(.attribute(value, name), range(from: value.range.start))
            } else if current.isSymbol(.colon) {
                advance()
                try countOperator()
                let type = try primaryType(allowsDots: false)
                value = Expression(.isOfType(value, type), range(from: value.range.start))
            } else {
                return value
            }
        }
    }

    // MARK: - Operands

    /// A literal, a name, a call, a list, a pattern that exists, or anything in parentheses.
    mutating func primary() throws(Reported) -> Expression {
        let start = current
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
            var elements: [Expression] = []
            if !current.isSymbol(.rightBracket) {
                elements = try list { parser throws(Reported) in try parser.expression() }
            }
            try expect(.rightBracket)
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
        let arguments = try arguments()
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

    /// Behind the opening parenthesis.
    mutating func arguments() throws(Reported) -> [Expression] {
        if takes(.rightParenthesis) { return [] }
        let arguments = try list { parser throws(Reported) in try parser.expression() }
        try expect(.rightParenthesis)
        return arguments
    }

    private mutating func exists() throws(Reported) -> Expression? {
        let start = current
        let isNegated = start.keyword == .not
        let word = isNegated ? peek(1) : start
        guard word.keyword == .exists, peek(isNegated ? 2 : 1).isSymbol(.leftParenthesis) else { return nil }
        for _ in 0..<(isNegated ? 3 : 2) { advance() }
        let pattern = try nested { parser throws(Reported) in try parser.pattern() }
        try expect(.rightParenthesis)
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
