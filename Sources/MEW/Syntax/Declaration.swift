public import MeshCore
/// An ontology: `ontology Name : Parents { declarations }`, or declarations alone.
public struct OntologyDeclaration: Sendable {
    public let name: Name?
    public let parents: [Name]
    public let declarations: [Declaration]
    public let range: SourceRange

    public init(name: Name?, parents: [Name], declarations: [Declaration], range: SourceRange) {
        self.name = name
        self.parents = parents
        self.declarations = declarations
        self.range = range
    }
}

public enum Declaration: Sendable {
    case alias(AliasDeclaration)
    case node(NodeDeclaration)
    case edge(EdgeDeclaration)
    case constraint(ConstraintDeclaration)
    case rule(RuleDeclaration)
    case policy(PolicyDeclaration)

    public var name: Name {
        switch self {
        case .alias(let declaration): declaration.name
        case .node(let declaration): declaration.name
        case .edge(let declaration): declaration.name
        case .constraint(let declaration): declaration.name
        case .rule(let declaration): declaration.name
        case .policy(let declaration): declaration.name
        }
    }
}

/// `type Email = String [format: email]`.
public struct AliasDeclaration: Sendable {
    public let name: Name
    public let type: TypeExpression
    public let modifiers: [AttributeModifier]
    /// The `---` comments before it.
    public let documentation: String?

    public init(name: Name, type: TypeExpression, modifiers: [AttributeModifier], documentation: String?) {
        self.name = name
        self.type = type
        self.modifiers = modifiers
        self.documentation = documentation
    }
}

public struct NodeDeclaration: Sendable {
    public let name: Name
    public let isAbstract: Bool
    public let isSealed: Bool
    public let parents: [Name]
    public let attributes: [AttributeDeclaration]
    public let documentation: String?

    public init(
        name: Name, isAbstract: Bool, isSealed: Bool, parents: [Name], attributes: [AttributeDeclaration],
        documentation: String?
    ) {
        self.name = name
        self.isAbstract = isAbstract
        self.isSealed = isSealed
        self.parents = parents
        self.attributes = attributes
        self.documentation = documentation
    }
}

public struct AttributeDeclaration: Sendable {
    public let name: Name
    public let type: TypeExpression
    public let modifiers: [AttributeModifier]
    /// Literals, `now()`, and arithmetic of them.
    public let defaultValue: Expression?
    public let documentation: String?

    public init(
        name: Name, type: TypeExpression, modifiers: [AttributeModifier], defaultValue: Expression?,
        documentation: String?
    ) {
        self.name = name
        self.type = type
        self.modifiers = modifiers
        self.defaultValue = defaultValue
        self.documentation = documentation
    }
}

public struct AttributeModifier: Sendable {
    public enum Kind: Sendable {
        case required, unique, readonly
        case indexed(descending: Bool)
        /// `>= 0`, `< 10`: one of the four orders, and a literal.
        case bound(BinaryOperator, Expression)
        /// `0..100`, both included.
        case between(Int64, Int64)
        /// `in: ["a", "b"]`
        case oneOf([Expression])
        /// `format: email`
        case format(String)
        /// `match: "regex"`
        case matches(String)
        /// `length: 1..64`, in characters, both included.
        case length(Int64, Int64)
    }

    public let kind: Kind
    public let range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
    }
}

/// `edge assigned(task: Task, person: Person) [unique, task -> 0..1] { since: Timestamp = now() }`.
public struct EdgeDeclaration: Sendable {
    public struct Parameter: Sendable {
        /// `nil` where it was written without: it is then known by its place.
        public let name: Name?
        public let type: TypeExpression

        public init(name: Name?, type: TypeExpression) {
            self.name = name
            self.type = type
        }
    }

    public let name: Name
    public let parameters: [Parameter]
    public let modifiers: [EdgeModifier]
    public let attributes: [AttributeDeclaration]
    public let documentation: String?

    public init(
        name: Name, parameters: [Parameter], modifiers: [EdgeModifier], attributes: [AttributeDeclaration],
        documentation: String?
    ) {
        self.name = name
        self.parameters = parameters
        self.modifiers = modifiers
        self.attributes = attributes
        self.documentation = documentation
    }
}

public struct EdgeModifier: Sendable {
    /// What happens to the edge, or its other end, when an end is killed.
    public enum ReferentialAction: String, Sendable, Hashable, CaseIterable {
        case cascade, unlink, prevent
    }

    public enum Kind: Sendable {
        case symmetric, noSelf, acyclic, unique, indexed
        /// `task -> 0..1`: how many edges of this name each value of that parameter has; no maximum is `*`.
        case cardinality(Name, minimum: Int, maximum: Int?)
        case onKillSource(ReferentialAction)
        case onKillTarget(ReferentialAction)
    }

    public let kind: Kind
    public let range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
    }
}

/// `constraint name [soft, message: "…"]: pattern => condition`.
public struct ConstraintDeclaration: Sendable {
    public let name: Name
    public let isSoft: Bool
    public let message: String?
    public let pattern: Pattern
    public let condition: Expression
    public let documentation: String?

    public init(
        name: Name, isSoft: Bool, message: String?, pattern: Pattern, condition: Expression,
        documentation: String?
    ) {
        self.name = name
        self.isSoft = isSoft
        self.message = message
        self.pattern = pattern
        self.condition = condition
        self.documentation = documentation
    }
}

/// `rule name [priority: 10, manual]: pattern => action, action`.
public struct RuleDeclaration: Sendable {
    public let name: Name
    public let priority: Int64
    /// Fires only when TRIGGER says so.
    public let isManual: Bool
    public let inheritsAuthority: Bool
    public let pattern: Pattern
    public let actions: [RuleAction]
    public let documentation: String?

    public init(
        name: Name, priority: Int64, isManual: Bool, inheritsAuthority: Bool, pattern: Pattern,
        actions: [RuleAction], documentation: String?
    ) {
        self.name = name
        self.priority = priority
        self.isManual = isManual
        self.inheritsAuthority = inheritsAuthority
        self.pattern = pattern
        self.actions = actions
        self.documentation = documentation
    }
}

/// What a rule does for one binding.
public struct RuleAction: Sendable {
    public enum Kind: Sendable {
        case spawn(Name, type: Name, attributes: [AttributeAssignment])
        case kill(PatternTarget)
        case link(edge: Name, targets: [PatternTarget], variable: Name?, attributes: [AttributeAssignment])
        case unlink(PatternTarget)
        case set(PatternTarget, [AttributeAssignment])
    }

    public let kind: Kind
    public let range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
    }
}

/// `name = expression` in an attribute block, or after SET.
public struct AttributeAssignment: Sendable {
    public let attribute: Name
    public let value: Expression

    public init(attribute: Name, value: Expression) {
        self.attribute = attribute
        self.value = value
    }
}

/// `policy name [priority: 10]: ON SPAWN(t: Task) ALLOW IF condition MESSAGE "…"`.
public struct PolicyDeclaration: Sendable {
    public enum OperationKind: String, Sendable, Hashable, CaseIterable {
        case spawn, kill, link, unlink, set, match, invoke
    }

    /// One alternative of what a policy is about.
    public struct Operation: Sendable {
        /// `nil` for `*`: every operation.
        public let kind: OperationKind?
        /// `META SPAWN`: on declarations and not on data.
        public let isMeta: Bool
        /// `(t: Task)` or `(assigned(t, p))`; `nil` for none and for `_`.
        public let target: PatternElement?
        /// `(t: Task, "title")` or `(t: Task).title`.
        public let attribute: Name?
        public let range: SourceRange

        public init(
            kind: OperationKind?, isMeta: Bool, target: PatternElement?, attribute: Name?, range: SourceRange
        ) {
            self.kind = kind
            self.isMeta = isMeta
            self.target = target
            self.attribute = attribute
            self.range = range
        }
    }

    public let name: Name
    public let priority: Int64
    public let operations: [Operation]
    public let allows: Bool
    public let condition: Expression
    public let message: String?
    public let documentation: String?

    public init(
        name: Name, priority: Int64, operations: [Operation], allows: Bool, condition: Expression,
        message: String?, documentation: String?
    ) {
        self.name = name
        self.priority = priority
        self.operations = operations
        self.allows = allows
        self.condition = condition
        self.message = message
        self.documentation = documentation
    }
}
