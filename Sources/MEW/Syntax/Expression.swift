public import MeshCore
public import MeshGraph

/// An expression as it was written.
public struct Expression: Sendable {
    public indirect enum Kind: Sendable {
        /// A literal: null, Bool, Int, Float, String, Timestamp, Duration or Hash.
        case literal(GraphValue)
        /// `#ident` or `#"any characters"`.
        case reference(String)
        /// `$name`, or `$name?` where its absence is null.
        case parameter(String, isOptional: Bool)
        /// A variable, or a name that only the place decides (`id` in RETURNING).
        case variable(String)
        /// `x.name`.
        case attribute(Expression, Name)
        /// `name(arguments)`: a function; aggregates are ``aggregate``.
        case call(Name, [Expression])
        case list([Expression])
        case unary(UnaryOperator, Expression)
        case binary(BinaryOperator, Expression, Expression)
        /// `x:Type`.
        case isOfType(Expression, TypeExpression)
        /// `e IS NULL`, `e IS NOT NULL`.
        case isNull(Expression, isNegated: Bool)
        /// `e IN list`.
        case isIn(Expression, Expression, isNegated: Bool)
        /// `EXISTS(pattern)`, `NOT EXISTS(pattern)`.
        case exists(Pattern, isNegated: Bool)
        case aggregate(AggregateCall)
    }

    public let kind: Kind
    public let range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange = .none) {
        self.kind = kind
        self.range = range
    }
}

public enum UnaryOperator: String, Sendable, Hashable {
    case negate = "-"
    case not
}

public enum BinaryOperator: String, Sendable, Hashable, CaseIterable {
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
    case add = "+"
    case subtract = "-"
    /// Joins two strings, or two lists.
    case concatenate = "++"
    case less = "<"
    case greater = ">"
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "="
    case notEqual = "!="
    case and
    case or
    case coalesce = "??"
}

/// `COUNT(x)`, `COUNT(*)`, `SUM(DISTINCT t.points)`, `COUNT(t WHERE …)`, `COUNT(p: Person, assigned_to(t, p))`.
public struct AggregateCall: Sendable {
    public enum Function: String, Sendable, Hashable, CaseIterable {
        case count, sum, avg, min, max, collect
    }

    public enum Argument: Sendable {
        /// `COUNT(*)`.
        case rows
        case value(Expression)
        /// A pattern of its own, which sees the variables around it; it is counted, not grouped by.
        case pattern(Pattern)
    }

    /// How many values COLLECT may gather.
    public enum Limit: Sendable, Hashable {
        case standard
        case count(Int)
        case none
    }

    public let function: Function
    public let isDistinct: Bool
    public let argument: Argument
    /// `WHERE` inside the parentheses, for ``Argument/value(_:)``.
    public let condition: Expression?
    public let limit: Limit
    public let range: SourceRange

    public init(
        function: Function, isDistinct: Bool, argument: Argument, condition: Expression?, limit: Limit,
        range: SourceRange
    ) {
        self.function = function
        self.isDistinct = isDistinct
        self.argument = argument
        self.condition = condition
        self.limit = limit
        self.range = range
    }
}
