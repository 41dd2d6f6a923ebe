public import MeshCore

/// A contract as it was read.
///
/// One kind of statement serves for declarations and for what runs: where it stands decides what it means, and
/// that is the checker's business. The tree keeps every place and every comment, so that it can be printed again.
public struct SyntaxTree: Sendable {
    public var statements: [Statement]
    /// In the order of the text.
    public var comments: [Comment]
    /// Where the text ends.
    public var end: SourcePosition

    public init(statements: [Statement], comments: [Comment], end: SourcePosition) {
        self.statements = statements
        self.comments = comments
        self.end = end
    }
}

/// `// …` or `# …`, without the sign and without spaces around it.
public struct Comment: Sendable, Hashable {
    public let text: String
    public let range: SourceRange

    public init(_ text: String, _ range: SourceRange) {
        self.text = text
        self.range = range
    }
}

/// A word, or a string in the place of one, and where it stands.
public struct Name: Sendable {
    public let text: String
    /// It was written as a string.
    public let isQuoted: Bool
    public let range: SourceRange

    public init(_ text: String, isQuoted: Bool = false, _ range: SourceRange) {
        self.text = text
        self.isQuoted = isQuoted
        self.range = range
    }
}

/// Statements in braces.
///
/// `;`, `,` or the end of a line separate them. An object is a block too.
public struct Block: Sendable {
    public var statements: [Statement]
    /// With the braces.
    public var range: SourceRange

    public init(_ statements: [Statement], _ range: SourceRange) {
        self.statements = statements
        self.range = range
    }
}

public struct Statement: Sendable {
    public indirect enum Kind: Sendable {
        /// `name;`
        case flag(Name)
        /// `name value;`, `name: value;`, `name = value;`: in running code the last one assigns.
        case property(Name, Separator, Expression)
        /// `name arguments… { … }`: `roles { … }`, `organization "X" { … }`, `range 0 500 { … }`,
        /// `bylaws "X" version "1" { … }`.
        case section(Name, arguments: [Expression], Block)
        /// `name(…);`
        case call(Call)
        /// `let name: type = value;`
        case binding(Name, type: Name?, Expression)
        case conditional(Conditional)
        /// `for name in sequence { … }`
        case loop(Name, Expression, Block)
        case function(FunctionDeclaration)
        /// `on "event" { … }`
        case handler(event: Name, Block)
        /// `return value;`
        case result(Expression?)
    }

    public enum Separator: Sendable { case none, colon, equals }

    public var kind: Kind
    /// Without the separator behind it.
    public var range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
    }
}

/// `if condition { … } else { … }`; an `else if` is an `otherwise` of one conditional statement.
public struct Conditional: Sendable {
    public var condition: Expression
    public var then: Block
    public var otherwise: Block?
    /// The `otherwise` was written `else if`, without braces.
    public var isChain: Bool

    public init(condition: Expression, then: Block, otherwise: Block?, isChain: Bool) {
        self.condition = condition
        self.then = then
        self.otherwise = otherwise
        self.isChain = isChain
    }
}

/// `function name(a: integer, b) : boolean { … }`; types may be left out.
public struct FunctionDeclaration: Sendable {
    public struct Parameter: Sendable {
        public let name: Name
        public let type: Name?

        public init(name: Name, type: Name?) {
            self.name = name
            self.type = type
        }
    }

    public var name: Name
    public var parameters: [Parameter]
    public var result: Name?
    public var body: Block

    public init(name: Name, parameters: [Parameter], result: Name?, body: Block) {
        self.name = name
        self.parameters = parameters
        self.result = result
        self.body = body
    }
}

/// A function and what it is given: `name(value, label: value)`.
public struct Call: Sendable {
    public struct Argument: Sendable {
        /// `nil` for a positional one.
        public let label: Name?
        public let value: Expression

        public init(label: Name?, value: Expression) {
            self.label = label
            self.value = value
        }
    }

    public var name: Name
    public var arguments: [Argument]
    public var range: SourceRange

    public init(name: Name, arguments: [Argument], range: SourceRange) {
        self.name = name
        self.arguments = arguments
        self.range = range
    }
}

public struct Expression: Sendable {
    public indirect enum Kind: Sendable {
        /// Escapes already resolved.
        case string(String)
        case integer(Int64)
        /// `text` is how it was written.
        case decimal(Double, text: String)
        case boolean(Bool)
        /// The number that was written and its unit: `ms`, `s`, `m`, `h` or `d`.
        case duration(Int64, unit: DurationUnit)
        case list([Expression])
        case object(Block)
        /// `a` or `a.b.c`: at least one part.
        case name([Name])
        case call(Call)
        case unary(UnaryOperator, Expression)
        case binary(BinaryOperator, Expression, Expression)
        /// Kept so that text is printed as it was written.
        case parenthesized(Expression)
    }

    public var kind: Kind
    public var range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
    }
}

public enum DurationUnit: String, Sendable, CaseIterable {
    case milliseconds = "ms"
    case seconds = "s"
    case minutes = "m"
    case hours = "h"
    case days = "d"

    public var milliseconds: Int64 {
        switch self {
        case .milliseconds: 1
        case .seconds: 1_000
        case .minutes: 60_000
        case .hours: 3_600_000
        case .days: 86_400_000
        }
    }
}

extension DurationUnit {
    /// A duration as text: in the largest unit that it is a whole number of, such as `36h` or `1500ms`.
    static func text(_ milliseconds: Int64) -> String {
        let unit =
            allCases.last { milliseconds != 0 && milliseconds % $0.milliseconds == 0 } ?? .milliseconds
        return "\(milliseconds / unit.milliseconds)\(unit.rawValue)"
    }
}

public enum UnaryOperator: String, Sendable {
    case negate = "-"
    case not = "!"
}

public enum BinaryOperator: String, Sendable, CaseIterable {
    case or = "||"
    case and = "&&"
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"

    /// Higher binds tighter: `||`, `&&`, comparisons (which do not associate), sums, products.
    public var precedence: Int {
        switch self {
        case .or: 1
        case .and: 2
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: 3
        case .add, .subtract: 4
        case .multiply, .divide, .remainder: 5
        }
    }
}
