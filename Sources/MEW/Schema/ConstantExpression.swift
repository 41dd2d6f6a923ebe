internal import MeshCore
public import MeshGraph

/// Evaluates what stands behind `=` in a declaration: literals, `now()`, lists, and arithmetic of them.
public enum ConstantExpression {
    /// How deeply operators may nest.
    private static let depthMax = 128

    /// The value of an expression.
    ///
    /// - Parameters:
    ///   - expression: What stands behind `=`.
    ///   - now: Milliseconds since 1970 for `now()`; `nil` where the time may not be asked.
    /// - Returns: A value without entities.
    /// - Throws: ``Diagnostic``: E2011 for what is not constant, E2003 for operands that do not go together,
    ///   E9041 for a division by zero.
    public static func value(
        of expression: Expression, now: Int64?
    ) throws(Diagnostic) -> GraphValue {
        try value(of: expression, now: now, depth: 0)
    }

    private static func value(
        of expression: Expression, now: Int64?, depth: Int
    ) throws(Diagnostic) -> GraphValue {
        guard depth < depthMax else {
            throw Diagnostic(
                .invalidDeclaration, "this is nested too deeply for a constant", at: expression.range)
        }
        switch expression.kind {
        case .literal(let value): return value
        case .list(let elements):
            var values: [GraphValue] = []
            for element in elements { values.append(try value(of: element, now: now, depth: depth + 1)) }
            return .list(values)
        case .call(let name, let arguments) where name.text.lowercased() == "now" && arguments.isEmpty:
            guard let now else {
                throw Diagnostic(.invalidDeclaration, "now() is not constant", at: expression.range)
            }
            return .timestamp(now)
        case .unary(let unary, let operand):
            let inner = try value(of: operand, now: now, depth: depth + 1)
            return try apply(unary, inner, at: expression.range)
        case .binary(let binary, let left, let right):
            let first = try value(of: left, now: now, depth: depth + 1)
            let second = try value(of: right, now: now, depth: depth + 1)
            return try apply(binary, first, second, at: expression.range)
        default:
            throw Diagnostic(
                .invalidDeclaration, "this is not constant", at: expression.range,
                hint: "write a literal, now(), or arithmetic of them")
        }
    }

    private static func apply(
        _ unary: UnaryOperator, _ operand: GraphValue, at range: SourceRange
    ) throws(Diagnostic) -> GraphValue {
        switch (unary, operand) {
        case (_, .null): return .null
        case (.negate, .int(let value)): return .int(0 &- value)
        case (.negate, .float(let value)): return .float(-value)
        case (.negate, .duration(let value)): return .duration(0 &- value)
        case (.not, .bool(let value)): return .bool(!value)
        default:
            throw Diagnostic(
                .typeMismatch, "\(unary.rawValue) does not take \(operand.kindName)", at: range)
        }
    }

    private static func apply(
        _ binary: BinaryOperator, _ left: GraphValue, _ right: GraphValue, at range: SourceRange
    ) throws(Diagnostic) -> GraphValue {
        if left.isNull || right.isNull, isArithmetic(binary) { return .null }
        switch (left, right) {
        case (.int(let a), .int(let b)):
            if let result = try integer(binary, a, b, at: range) { return .int(result) }
        case (.float(let a), .float(let b)):
            if let result = floating(binary, a, b) { return .float(result) }
        case (.int(let a), .float(let b)):
            if let result = floating(binary, Double(a), b) { return .float(result) }
        case (.float(let a), .int(let b)):
            if let result = floating(binary, a, Double(b)) { return .float(result) }
        case (.timestamp(let a), .duration(let b)):
            if binary == .add { return .timestamp(a &+ b) }
            if binary == .subtract { return .timestamp(a &- b) }
        case (.duration(let a), .timestamp(let b)):
            if binary == .add { return .timestamp(a &+ b) }
        case (.timestamp(let a), .timestamp(let b)):
            if binary == .subtract { return .duration(a &- b) }
        case (.duration(let a), .duration(let b)):
            if binary == .add { return .duration(a &+ b) }
            if binary == .subtract { return .duration(a &- b) }
        case (.duration(let a), .int(let b)):
            if binary == .multiply { return .duration(a &* b) }
            if binary == .divide, let result = try integer(binary, a, b, at: range) {
                return .duration(result)
            }
        case (.int(let a), .duration(let b)):
            if binary == .multiply { return .duration(a &* b) }
        case (.string(let a), .string(let b)):
            if binary == .concatenate || binary == .add { return .string(a + b) }
        case (.list(let a), .list(let b)):
            if binary == .concatenate { return .list(a + b) }
        default: break
        }
        throw Diagnostic(
            .typeMismatch,
            "\(binary.rawValue) does not go between \(left.kindName) and \(right.kindName) in a constant",
            at: range)
    }

    private static func isArithmetic(_ binary: BinaryOperator) -> Bool {
        switch binary {
        case .multiply, .divide, .remainder, .add, .subtract, .concatenate: true
        default: false
        }
    }

    /// Division truncates, the rest wraps around.
    private static func integer(
        _ binary: BinaryOperator, _ a: Int64, _ b: Int64, at range: SourceRange
    ) throws(Diagnostic) -> Int64? {
        switch binary {
        case .add: return a &+ b
        case .subtract: return a &- b
        case .multiply: return a &* b
        case .divide, .remainder:
            guard b != 0 else { throw Diagnostic(.divisionByZero, "division by zero", at: range) }
            // The least integer divided by -1 wraps around to itself, and nothing is left over.
            if b == -1 { return binary == .divide ? 0 &- a : 0 }
            return binary == .divide ? a / b : a % b
        default: return nil
        }
    }

    private static func floating(_ binary: BinaryOperator, _ a: Double, _ b: Double) -> Double? {
        switch binary {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .remainder: a.truncatingRemainder(dividingBy: b)
        default: nil
        }
    }
}

extension ConstantExpression {
    /// Whether `now()` is in an expression that has a value.
    static func asksTime(_ expression: Expression) -> Bool {
        switch expression.kind {
        case .call: true
        case .list(let elements): elements.contains(where: asksTime)
        case .unary(_, let operand): asksTime(operand)
        case .binary(_, let left, let right): asksTime(left) || asksTime(right)
        default: false
        }
    }
}
