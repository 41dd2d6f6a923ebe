public import MeshCore
/// Elements that must hold together, and a condition on what they bind.
public struct Pattern: Sendable {
    public let elements: [PatternElement]
    public let condition: Expression?
    public let range: SourceRange

    public init(elements: [PatternElement], condition: Expression?, range: SourceRange = .none) {
        self.elements = elements
        self.condition = condition
        self.range = range
    }
}

public enum PatternElement: Sendable {
    case node(NodePattern)
    case edge(EdgePattern)
}

/// `x: Type`, `x: A | B`, `x: any`.
public struct NodePattern: Sendable {
    public let variable: Name
    public let type: TypeExpression

    public init(variable: Name, type: TypeExpression) {
        self.variable = variable
        self.type = type
    }
}

/// `knows(a, b) AS k`, `part_of+(a, b) [depth: 5]`.
public struct EdgePattern: Sendable {
    public enum Repetition: Sendable, Hashable {
        case once
        /// `+`
        case oneOrMore
        /// `*`
        case zeroOrMore
    }

    public let edge: Name
    public let repetition: Repetition
    public let targets: [PatternTarget]
    /// `[depth: n]`; only with a repetition.
    public let depth: Int?
    /// `AS name`.
    public let variable: Name?
    public let range: SourceRange

    public init(
        edge: Name, repetition: Repetition, targets: [PatternTarget], depth: Int?, variable: Name?,
        range: SourceRange
    ) {
        self.edge = edge
        self.repetition = repetition
        self.targets = targets
        self.depth = depth
        self.variable = variable
        self.range = range
    }
}

public enum PatternTarget: Sendable {
    case variable(Name)
    /// `_`: anything, each time anew.
    case anything(SourceRange)
    /// `#ident`
    case reference(Name)
    /// `$name`, an id given as a parameter.
    case parameter(Name)
}

/// A type as it was written; unions and optional types nest as little as their grammar does.
public struct TypeExpression: Sendable {
    public indirect enum Kind: Sendable {
        /// A scalar (`String`, `Int`, …), a node type, an edge type or an alias.
        case named(String)
        case any
        /// `edge<name>`, or `edge<any>` with `nil`.
        case edge(String?)
        case optional(TypeExpression)
        case union([TypeExpression])
        /// `String[]`
        case list(TypeExpression)
    }

    public let kind: Kind
    public let range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange = .none) {
        self.kind = kind
        self.range = range
    }
}
