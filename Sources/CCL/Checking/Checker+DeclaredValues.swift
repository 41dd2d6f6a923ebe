internal import MeshCore

extension Checker {
    /// What stands behind a declared name, as data: arithmetic of literals is worked out, everything else that is no
    /// literal stays text.
    mutating func declaredValue(_ expression: Expression, in place: DeclarationPlace) -> DeclaredValue {
        switch expression.kind {
        case .string(let text): return .string(text)
        case .integer(let number): return .integer(number)
        case .decimal(let number, _): return .decimal(number)
        case .boolean(let flag): return .boolean(flag)
        case .duration:
            guard case .duration(let milliseconds)? = literal(expression).constant else {
                return .duration(0)
            }
            return .duration(milliseconds)
        case .list(let items): return .list(items.map { declaredValue($0, in: place) })
        case .object(let block): return .object(declared(block.statements, in: place.within))
        case .name(let parts):
            if parts.count == 1 { return .text(parts[0].text) }
            if let resource = ResourceWord.constant(parts) { return .string(resource) }
            return .text(expression.sourceText)
        case .parenthesized(let inner) where inner.isLiteralArithmetic: return declaredValue(inner, in: place)
        case .unary, .binary:
            guard expression.isLiteralArithmetic else { return .text(expression.sourceText) }
            return DeclaredValue(evaluate(expression)) ?? .text(expression.sourceText)
        case .call(let call):
            if place != .kept {
                report(
                    .declaredOnly, "Nothing calls `\(call.name.text)` here: its text is kept",
                    at: call.name.range)
            }
            return .text(expression.sourceText)
        case .parenthesized: return .text(expression.sourceText)
        }
    }

    /// The value of a declared property, for running code that reads it.
    mutating func declaredTerm(_ expression: Expression) -> Term? {
        switch expression.kind {
        case .string, .integer, .decimal, .boolean, .duration:
            var term = literal(expression)
            term.isDeclared = true
            return term
        case .list(let items):
            var terms: [Term] = []
            for item in items {
                guard let term = declaredTerm(item) else { return nil }
                terms.append(term)
            }
            return Term(.list(terms), isDeclared: true)
        case .object(let block):
            var members: [(name: String, value: Term)] = []
            for statement in block.statements {
                switch statement.kind {
                case .flag(let name): members.append((name.text, .constant(.boolean(true), isDeclared: true)))
                case .property(let name, _, let value):
                    guard let term = declaredTerm(value) else { return nil }
                    members.append((name.text, term))
                default: return nil
                }
            }
            return Term(.object(members), isDeclared: true)
        case .name(let parts):
            if let resource = ResourceWord.constant(parts) {
                return .constant(.string(resource), isDeclared: true)
            }
            return parts.count == 1 ? .constant(.string(parts[0].text), isDeclared: true) : nil
        case .unary, .binary, .parenthesized:
            guard expression.isLiteralArithmetic else { return nil }
            var term = evaluate(expression)
            term.isDeclared = true
            return term
        case .call: return nil
        }
    }
}

extension DeclaredValue {
    /// `nil` where the term is no constant.
    init?(_ term: Term) {
        switch term.constant {
        case .string(let text)?: self = .string(text)
        case .integer(let number)?: self = .integer(number)
        case .decimal(let number)?: self = .decimal(number)
        case .boolean(let flag)?: self = .boolean(flag)
        case .duration(let milliseconds)?: self = .duration(milliseconds)
        case nil: return nil
        }
    }
}

extension Expression {
    /// It is made of numbers, durations and operators of arithmetic alone.
    var isLiteralArithmetic: Bool {
        switch kind {
        case .integer, .decimal, .duration: true
        case .unary(.negate, let inner), .parenthesized(let inner): inner.isLiteralArithmetic
        case .binary(let sign, let left, let right):
            sign.isArithmetic && left.isLiteralArithmetic && right.isLiteralArithmetic
        default: false
        }
    }
}

extension BinaryOperator {
    var isArithmetic: Bool {
        switch self {
        case .add, .subtract, .multiply, .divide, .remainder: true
        default: false
        }
    }

    var isComparison: Bool {
        switch self {
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
        default: false
        }
    }
}

/// `ResourceType.CPU` and its like: words for the names of resources.
enum ResourceWord {
    static let root = "ResourceType"
    static let names = ["BANDWIDTH", "COMPUTE", "CPU", "IO", "MEMORY", "STORAGE", "TOKEN"]

    static func constant(_ parts: [Name]) -> String? {
        guard parts.count == 2, parts[0].text == root, names.contains(parts[1].text) else { return nil }
        return parts[1].text.lowercased()
    }
}
