internal import MeshGraph

extension Printer {
    private static let unaryPrecedence = 8
    private static let postfixPrecedence = 9
    private static let primaryPrecedence = 10

    /// Writes `expression`, in parentheses when it binds less tightly than `precedence`.
    mutating func expression(_ expression: Expression, atLeast precedence: Int = 0) {
        let needsParentheses = Self.precedence(expression) < precedence
        if needsParentheses { write("(") }
        bare(expression)
        if needsParentheses { write(")") }
    }

    private static func precedence(_ expression: Expression) -> Int {
        switch expression.kind {
        case .binary(let symbol, _, _): symbol.precedence
        case .isNull, .isIn: BinaryOperator.less.precedence
        case .unary: unaryPrecedence
        case .attribute, .isOfType: postfixPrecedence
        case .exists(_, let isNegated): isNegated ? unaryPrecedence : primaryPrecedence
        default: primaryPrecedence
        }
    }

    private mutating func bare(_ expression: Expression) {
        switch expression.kind {
        case .literal(let value): write(Self.literal(value))
        case .reference(let name): reference(name)
        case .parameter(let name, let isOptional): write("$\(name)\(isOptional ? "?" : "")")
        case .variable(let name): write(name)
        case .attribute(let value, let name):
            operand(value)
            // A number with a point and a word behind it would be a duration.
            write(value.isPlainNumber ? " .\(name)" : ".\(name)")
        case .call(let name, let arguments):
            write("\(name)(")
            expressions(arguments)
            write(")")
        case .list(let elements):
            write("[")
            expressions(elements)
            write("]")
        case .unary(let symbol, let value): unary(symbol, value)
        case .binary(let symbol, let left, let right): binary(symbol, left, right)
        case .isOfType(let value, let type):
            operand(value)
            write(":")
            primaryType(type)
        case .isNull(let value, let isNegated):
            self.expression(value, atLeast: BinaryOperator.less.precedence)
            write(isNegated ? " IS NOT NULL" : " IS NULL")
        case .isIn(let value, let list, let isNegated):
            self.expression(value, atLeast: BinaryOperator.less.precedence)
            write(isNegated ? " NOT IN " : " IN ")
            self.expression(list, atLeast: BinaryOperator.less.precedence + 1)
        case .exists(let pattern, let isNegated):
            write(isNegated ? "NOT EXISTS(" : "EXISTS(")
            self.pattern(pattern)
            write(")")
        case .aggregate(let call): aggregate(call)
        }
    }

    mutating func expressions(_ expressions: [Expression]) {
        list(expressions) { printer, expression in printer.expression(expression) }
    }

    /// What `.name` and `:Type` stand behind.
    private mutating func operand(_ value: Expression) {
        expression(value, atLeast: Self.postfixPrecedence)
    }

    private mutating func unary(_ symbol: UnaryOperator, _ value: Expression) {
        write(symbol == .not ? "NOT " : "-")
        var needsParentheses = Self.precedence(value) < Self.unaryPrecedence
        switch (symbol, value.kind) {
        // Two minuses without a space begin a comment.
        case (.negate, .unary(.negate, _)): write(" ")
        // A minus and a number are one literal, and NOT EXISTS is one operator.
        case (.negate, _) where value.beginsWithNumber, (.not, _) where value.beginsWithExists:
            needsParentheses = true
        default: break
        }
        if needsParentheses { write("(") }
        bare(value)
        if needsParentheses { write(")") }
    }

    /// Goes down the left side in a loop: chains are long there.
    private mutating func binary(_ symbol: BinaryOperator, _ left: Expression, _ right: Expression) {
        var rights = [(symbol, right)]
        var (outer, first) = (symbol, left)
        while outer != .coalesce, case .binary(let inner, let innerLeft, let innerRight) = first.kind,
            inner.precedence >= outer.precedence
        {
            rights.append((inner, innerRight))
            (outer, first) = (inner, innerLeft)
        }
        // All group to the left but `??`.
        expression(first, atLeast: outer.precedence + (outer == .coalesce ? 1 : 0))
        for (symbol, right) in rights.reversed() {
            switch symbol {
            case .and: write(" AND ")
            case .or: write(" OR ")
            default: write(" \(symbol.rawValue) ")
            }
            expression(right, atLeast: symbol.precedence + (symbol == .coalesce ? 0 : 1))
        }
    }

    private mutating func aggregate(_ call: AggregateCall) {
        write("\(call.function.rawValue.uppercased())(")
        if call.isDistinct { write("DISTINCT ") }
        switch call.argument {
        case .rows: write("*")
        case .value(let value):
            // What looks like an element of a pattern would be read as one.
            let text = value.canonicalText
            let looksLikePattern = call.function == .count && Self.looksLikePattern(text)
            write(looksLikePattern ? "(\(text))" : text)
        case .pattern(let pattern): self.pattern(pattern)
        }
        if let condition = call.condition {
            write(" WHERE ")
            expression(condition)
        }
        switch call.limit {
        case .standard: break
        case .count(let count): write(" [limit: \(count)]")
        case .none: write(" [limit: none]")
        }
        write(")")
    }

    /// Whether the text of an expression begins as an element of a pattern does.
    private static func looksLikePattern(_ text: String) -> Bool {
        let word = text.prefix { $0.isASCII && $0.utf8.allSatisfy(Lexer.continuesWord) }
        guard let first = word.utf8.first, Lexer.startsWord(first) else { return false }
        let rest = text.dropFirst(word.count)
        if rest.hasPrefix("(") {
            let name = word.lowercased()
            return !Parser.functionNames.contains(name) && AggregateCall.Function(rawValue: name) == nil
        }
        return rest.hasPrefix(":") || rest.hasPrefix(" + (") || rest.hasPrefix(" * (")
    }

    /// Writes what a single operand must be.
    mutating func primary(_ expression: Expression) {
        let text = expression.canonicalText
        let isPrimary = Self.precedence(expression) >= Self.primaryPrecedence && !text.hasPrefix("-")
        write(isPrimary ? text : "(\(text))")
    }

    // MARK: - Patterns

    mutating func pattern(_ pattern: Pattern) {
        elements(pattern.elements)
        condition(pattern.condition)
    }

    mutating func elements(_ elements: [PatternElement]) {
        list(elements) { printer, element in printer.element(element) }
    }

    mutating func condition(_ condition: Expression?) {
        guard let condition else { return }
        write(" WHERE ")
        expression(condition)
    }

    mutating func element(_ element: PatternElement) {
        switch element {
        case .node(let node):
            write("\(node.variable): ")
            type(node.type)
        case .edge(let edge):
            write(edge.edge.text)
            switch edge.repetition {
            case .once: break
            case .oneOrMore: write("+")
            case .zeroOrMore: write("*")
            }
            targets(edge.targets)
            if let depth = edge.depth { write(" [depth: \(depth)]") }
            alias(edge.variable)
        }
    }

    mutating func targets(_ targets: [PatternTarget]) {
        write("(")
        list(targets) { printer, target in printer.target(target) }
        write(")")
    }

    mutating func target(_ target: PatternTarget) {
        switch target {
        case .variable(let name): write(name.text)
        case .anything: write("_")
        case .reference(let name): reference(name.text)
        case .parameter(let name): write("$\(name)")
        }
    }

    mutating func alias(_ name: Name?) {
        if let name { write(" AS \(name)") }
    }
}

extension Expression {
    /// The expression as canonical text.
    public var canonicalText: String {
        Printer.text { $0.expression(self) }
    }

    fileprivate var isPlainNumber: Bool {
        switch kind {
        case .literal(.int), .literal(.float): true
        default: false
        }
    }

    /// Whether its text begins with EXISTS, which NOT before it would make another operator.
    fileprivate var beginsWithExists: Bool {
        switch kind {
        case .exists(_, let isNegated): !isNegated
        case .attribute(let value, _), .isOfType(let value, _): value.beginsWithExists
        default: false
        }
    }

    /// Whether its text begins with a literal, which a minus before it would change.
    fileprivate var beginsWithNumber: Bool {
        switch kind {
        case .literal(.int), .literal(.float), .literal(.duration): true
        case .attribute(let value, _), .isOfType(let value, _): value.beginsWithNumber
        default: false
        }
    }
}

extension Pattern {
    /// The pattern as canonical text.
    public var canonicalText: String {
        Printer.text { $0.pattern(self) }
    }
}
