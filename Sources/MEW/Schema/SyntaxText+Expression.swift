internal import MeshGraph

extension SyntaxText {
    /// A pattern with its condition.
    static func pattern(_ pattern: Pattern) -> String {
        pattern.elements.map(element).joined(separator: ", ")
            + (pattern.condition.map { " WHERE \(expression($0))" } ?? "")
    }

    static func element(_ element: PatternElement) -> String {
        switch element {
        case .node(let node): return "\(node.variable): \(type(node.type))"
        case .edge(let edge):
            let repetition =
                switch edge.repetition {
                case .once: ""
                case .oneOrMore: "+"
                case .zeroOrMore: "*"
                }
            return "\(edge.edge)\(repetition)(" + edge.targets.map(target).joined(separator: ", ") + ")"
                + (edge.depth.map { " [depth: \($0)]" } ?? "") + (edge.variable.map { " AS \($0)" } ?? "")
        }
    }

    static func target(_ target: PatternTarget) -> String {
        switch target {
        case .variable(let name): name.text
        case .anything: "_"
        case .reference(let name): reference(name.text)
        case .parameter(let name): "$\(name)"
        }
    }

    /// `#ident`, or `#"…"` for what is no identifier.
    private static func reference(_ text: String) -> String {
        let isIdentifier =
            !text.isEmpty && !ScalarSet.digit.contains(text.unicodeScalars[text.unicodeScalars.startIndex])
            && text.unicodeScalars.allSatisfy(ScalarSet.word.contains)
        return isIdentifier ? "#\(text)" : "#" + GraphValue.quoted(text)
    }

    /// An expression, with brackets around every operator inside another.
    static func expression(_ expression: Expression) -> String {
        switch expression.kind {
        case .literal(let value): return value.literal
        case .reference(let text): return reference(text)
        case .parameter(let name, let isOptional): return "$\(name)" + (isOptional ? "?" : "")
        case .variable(let name): return name
        case .attribute(let owner, let name): return "\(operand(owner)).\(name)"
        case .call(let name, let arguments):
            return "\(name)(" + arguments.map { self.expression($0) }.joined(separator: ", ") + ")"
        case .list(let elements):
            return "[" + elements.map { self.expression($0) }.joined(separator: ", ") + "]"
        case .unary(let unary, let inner):
            return (unary == .not ? "not " : unary.rawValue) + operand(inner)
        case .binary(let binary, let left, let right):
            return "\(operand(left)) \(binary.rawValue) \(operand(right))"
        case .isOfType(let value, let type): return "\(operand(value)):\(self.type(type))"
        case .isNull(let value, let isNegated):
            return operand(value) + (isNegated ? " IS NOT NULL" : " IS NULL")
        case .isIn(let value, let list, let isNegated):
            return operand(value) + (isNegated ? " NOT IN " : " IN ") + operand(list)
        case .exists(let pattern, let isNegated):
            return (isNegated ? "NOT EXISTS(" : "EXISTS(") + self.pattern(pattern) + ")"
        case .aggregate(let call): return aggregate(call)
        }
    }

    private static func operand(_ expression: Expression) -> String {
        switch expression.kind {
        case .unary, .binary, .isOfType, .isNull, .isIn: "(\(self.expression(expression)))"
        default: self.expression(expression)
        }
    }

    private static func aggregate(_ call: AggregateCall) -> String {
        var text = "\(call.function.rawValue.uppercased())(" + (call.isDistinct ? "DISTINCT " : "")
        switch call.argument {
        case .rows: text += "*"
        case .value(let value): text += expression(value)
        case .pattern(let pattern): text += self.pattern(pattern)
        }
        if let condition = call.condition { text += " WHERE \(expression(condition))" }
        text += ")"
        switch call.limit {
        case .standard: break
        case .count(let count): text += " [limit: \(count)]"
        case .none: text += " [limit: none]"
        }
        return text
    }
}
