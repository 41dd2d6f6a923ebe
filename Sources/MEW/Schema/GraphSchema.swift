public import IPLD
public import MeshGraph

/// Everything that ontologies declare, checked and put together: what programs are checked against.
public struct GraphSchema: Sendable {
    /// The ontology block that this was made of; `nil` for the empty schema.
    public internal(set) var ontology: CID?
    public internal(set) var nodes: [String: NodeType] = [:]
    public internal(set) var edges: [String: EdgeType] = [:]
    /// What `type X = …` named, resolved; scalar aliases bring checks with them.
    public internal(set) var aliases: [String: AliasType] = [:]
    /// In order of declaration.
    public internal(set) var constraints: [ConstraintDeclaration] = []
    public internal(set) var rules: [RuleDeclaration] = []
    public internal(set) var policies: [PolicyDeclaration] = []
    /// Declarations that lost to others of the same name; they show as `_Conflict` rows.
    public internal(set) var declarationConflicts: [DeclarationConflict] = []
    /// The patterns of every `match:`, by their text.
    public internal(set) var patterns: [String: TextPattern] = [:]

    /// Without the system's own types too; see ``SystemOntology/schema``.
    public init() {}

    /// Whether `name` is `ancestor` or below it.
    public func isSubtype(_ name: String, of ancestor: String) -> Bool {
        name == ancestor || nodes[name]?.ancestors.contains(ancestor) == true
    }

    /// The attributes of a node type or an edge; `nil` for a name that is neither.
    public func attributes(of name: String) -> [AttributeType]? {
        nodes[name]?.attributes ?? edges[name]?.attributes
    }

    /// The types that a node matched by `name` may have: itself and all below it that are not abstract, sorted.
    public func concreteTypes(of name: String) -> [String] {
        nodes[name]?.concreteTypes ?? []
    }
}

public struct AliasType: Sendable {
    public let name: String
    public let type: StaticType
    public let checks: [ValueCheck]

    public init(name: String, type: StaticType, checks: [ValueCheck]) {
        self.name = name
        self.type = type
        self.checks = checks
    }
}

public struct NodeType: Sendable {
    public let name: String
    public let isAbstract: Bool
    public let isSealed: Bool
    /// Declared by the system: read through virtual tables, written by nobody.
    public let isSystem: Bool
    public let parents: [String]
    /// All types above this one.
    public let ancestors: Set<String>
    /// Itself and all below it that are not abstract, sorted.
    public internal(set) var concreteTypes: [String]
    /// Its own and those it inherits, in order of declaration, parents first.
    public let attributes: [AttributeType]
    public let documentation: String?

    public init(
        name: String, isAbstract: Bool, isSealed: Bool, isSystem: Bool, parents: [String],
        ancestors: Set<String>, concreteTypes: [String], attributes: [AttributeType], documentation: String?
    ) {
        self.name = name
        self.isAbstract = isAbstract
        self.isSealed = isSealed
        self.isSystem = isSystem
        self.parents = parents
        self.ancestors = ancestors
        self.concreteTypes = concreteTypes
        self.attributes = attributes
        self.documentation = documentation
    }

    public func attribute(_ name: String) -> AttributeType? { attributes.first { $0.name == name } }
}

public struct AttributeType: Sendable {
    public let name: String
    /// With ``StaticType/null`` in it where it is optional.
    public let type: StaticType
    public let isRequired: Bool
    public let isUnique: Bool
    public let isReadonly: Bool
    /// `unique` implies it.
    public let isIndexed: Bool
    public let checks: [ValueCheck]
    public let defaultValue: Expression?
    /// The type that declared it first; a unique attribute is unique among that type and all below it.
    public let declaredIn: String
    public let documentation: String?

    public init(
        name: String, type: StaticType, isRequired: Bool, isUnique: Bool, isReadonly: Bool, isIndexed: Bool,
        checks: [ValueCheck], defaultValue: Expression?, declaredIn: String, documentation: String?
    ) {
        self.name = name
        self.type = type
        self.isRequired = isRequired
        self.isUnique = isUnique
        self.isReadonly = isReadonly
        self.isIndexed = isIndexed
        self.checks = checks
        self.defaultValue = defaultValue
        self.declaredIn = declaredIn
        self.documentation = documentation
    }
}

/// What a value that is not null must satisfy beyond its type.
public enum ValueCheck: Sendable, Hashable {
    case atLeast(GraphValue)
    case atMost(GraphValue)
    case above(GraphValue)
    case below(GraphValue)
    case oneOf([GraphValue])
    /// One of the formats' names; see `ValueFormat`.
    case format(String)
    case matches(String)
    case length(Int64, Int64)
}

public struct EdgeType: Sendable {
    public struct Parameter: Sendable {
        public let name: String?
        /// A node type, ``StaticType/anyNode``, an edge type, or a union of them.
        public let type: StaticType

        public init(name: String?, type: StaticType) {
            self.name = name
            self.type = type
        }
    }

    /// How many edges of this type each entity at one parameter has.
    public struct Cardinality: Sendable, Hashable {
        public let position: Int
        public let minimum: Int
        public let maximum: Int?

        public init(position: Int, minimum: Int, maximum: Int?) {
            self.position = position
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    public let name: String
    public let isSystem: Bool
    public let parameters: [Parameter]
    public let isSymmetric: Bool
    public let noSelf: Bool
    public let isAcyclic: Bool
    public let isUnique: Bool
    /// One for each restricted parameter; a symmetric edge has the same at both.
    public let cardinalities: [Cardinality]
    public let onKillSource: EdgeModifier.ReferentialAction
    public let onKillTarget: EdgeModifier.ReferentialAction
    public let attributes: [AttributeType]
    public let documentation: String?

    public init(
        name: String, isSystem: Bool, parameters: [Parameter], isSymmetric: Bool, noSelf: Bool,
        isAcyclic: Bool, isUnique: Bool, cardinalities: [Cardinality],
        onKillSource: EdgeModifier.ReferentialAction, onKillTarget: EdgeModifier.ReferentialAction,
        attributes: [AttributeType], documentation: String?
    ) {
        self.name = name
        self.isSystem = isSystem
        self.parameters = parameters
        self.isSymmetric = isSymmetric
        self.noSelf = noSelf
        self.isAcyclic = isAcyclic
        self.isUnique = isUnique
        self.cardinalities = cardinalities
        self.onKillSource = onKillSource
        self.onKillTarget = onKillTarget
        self.attributes = attributes
        self.documentation = documentation
    }

    public func attribute(_ name: String) -> AttributeType? { attributes.first { $0.name == name } }
}
