public import MeshCore
/// A statement as it was written, with its stretch of the text.
public struct Statement: Sendable {
    public indirect enum Kind: Sendable {
        case match(MatchStatement)
        /// MATCH followed by mutations, once for each row.
        case matchMutate(Pattern, [Statement])
        case spawn([SpawnItem], returning: [Projection]?)
        case link(LinkStatement)
        case unlink(UnlinkTarget, returning: [Projection]?)
        case set(EntityTarget, [AttributeAssignment], returning: [Projection]?)
        case kill(EntityTarget, KillMode, returning: [Projection]?)
        case inspect(Name, returning: [Projection]?)
        case walk(WalkStatement)

        case begin(serializable: Bool)
        case commit
        case rollback
        case savepoint(Name)
        case rollbackTo(Name)
        case trigger(rule: Name, condition: Expression?)
        /// `BEGIN SESSION AS #node`
        case beginSession(EntityTarget)
        case endSession

        /// `LOAD ONTOLOGY { … }`, or declarations on their own in a `.mew` file.
        case loadOntology(OntologyDeclaration)
        /// `LOAD ONTOLOGY FROM "path"`: the client reads the file and sends what is in it.
        case loadOntologyFrom(String)
        /// `EXTEND ONTOLOGY Name? { … }`
        case extendOntology(OntologyDeclaration)
        case show(ShowStatement)
        case createIndex(name: Name?, on: Name, attributes: [IndexedAttribute])
        case dropIndex(Name)
        case explain(Statement)
        case profile(Statement)

        case watch(WatchStatement)
        /// `ACK "delivery"`, `NACK $delivery [no_retry]`
        case acknowledge(Expression, isNegative: Bool, noRetry: Bool)
        /// `PAUSE | RESUME | CANCEL WATCH handle`
        case manageWatch(WatchCommand, Expression)
        case alterWatch(Expression, [WatchOption])

        /// An instance as `.mew` files write it: `Type { … }`, `name: Type { … }`, `#key: Type { … }`.
        case instance(SpawnItem)
        /// An edge as `.mew` files write it: `executes(reactor, parser)`.
        case edgeInstance(edge: Name, targets: [PatternTarget], attributes: [AttributeAssignment])
        /// TICK, SNAPSHOT, CHECKOUT, DIFF, BRANCH, SWITCH, MERGE, VERSIONS: named, so that the refusal can be.
        case unsupported(String)
    }

    public let kind: Kind
    public let range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
    }
}

public struct MatchStatement: Sendable {
    public struct OrderKey: Sendable {
        public let expression: Expression
        public let isDescending: Bool

        public init(expression: Expression, isDescending: Bool) {
            self.expression = expression
            self.isDescending = isDescending
        }
    }

    /// With the `WHERE` that followed the whole in its condition.
    public let pattern: Pattern
    public let optionals: [Pattern]
    /// `WHERE` after OPTIONAL MATCH: judged when all have been tried.
    public let condition: Expression?
    public let isDistinct: Bool
    public let projections: [Projection]
    public let order: [OrderKey]
    public let limit: Expression?
    public let offset: Expression?

    public init(
        pattern: Pattern, optionals: [Pattern], condition: Expression?, isDistinct: Bool,
        projections: [Projection], order: [OrderKey], limit: Expression?, offset: Expression?
    ) {
        self.pattern = pattern
        self.optionals = optionals
        self.condition = condition
        self.isDistinct = isDistinct
        self.projections = projections
        self.order = order
        self.limit = limit
        self.offset = offset
    }
}

/// `*`, or an expression with the name of its column.
public enum Projection: Sendable {
    case all(SourceRange)
    case expression(Expression, alias: Name?)
}

/// `x: Type { … }` after SPAWN.
public struct SpawnItem: Sendable {
    public let variable: Name?
    /// `#key: Type`: the explicit key, by which every author means the same entity.
    public let key: Name?
    public let type: Name
    public let attributes: [AttributeAssignment]
    public let range: SourceRange

    public init(
        variable: Name?, key: Name?, type: Name, attributes: [AttributeAssignment], range: SourceRange
    ) {
        self.variable = variable
        self.key = key
        self.type = type
        self.attributes = attributes
        self.range = range
    }
}

public struct LinkStatement: Sendable {
    public enum Target: Sendable {
        case entity(EntityTarget)
        /// `SPAWN Type { … } AS x` in the place of a target.
        case spawn(SpawnItem)
    }

    public let ifNotExists: Bool
    public let edge: Name
    public let targets: [Target]
    public let variable: Name?
    public let attributes: [AttributeAssignment]
    public let returning: [Projection]?

    public init(
        ifNotExists: Bool, edge: Name, targets: [Target], variable: Name?,
        attributes: [AttributeAssignment], returning: [Projection]?
    ) {
        self.ifNotExists = ifNotExists
        self.edge = edge
        self.targets = targets
        self.variable = variable
        self.attributes = attributes
        self.returning = returning
    }
}

/// What a mutation is about.
public enum EntityTarget: Sendable {
    /// `#ident`
    case reference(Name)
    /// A variable of the session, or of the MATCH before it.
    case variable(Name)
    case parameter(Name)
    /// `{ MATCH … RETURN x }`
    case match(MatchStatement, SourceRange)
}

public enum UnlinkTarget: Sendable {
    case entity(EntityTarget)
    /// `UNLINK knows(#a, _)`: every edge that fits.
    case pattern(edge: Name, targets: [PatternTarget])
}

public enum KillMode: Sendable, Hashable {
    /// What the edges' declarations say.
    case declared
    case cascade
    case noCascade
}

public struct WalkStatement: Sendable {
    public enum Direction: Sendable, Hashable { case forward, backward, either }

    public struct Step: Sendable {
        public let edge: Name
        public let direction: Direction

        public init(edge: Name, direction: Direction) {
            self.edge = edge
            self.direction = direction
        }
    }

    public enum Result: Sendable {
        case path, nodes, edges
        case terminal(Name?)
        /// Expressions over `endpoint`, `depth`, `nodes`, `edges`, `path`.
        case projections([Projection])
    }

    public let start: Expression
    public let steps: [Step]
    public let minimumDepth: Int
    /// `nil` for the default.
    public let maximumDepth: Int?
    public let until: Expression?
    public let result: Result

    public init(
        start: Expression, steps: [Step], minimumDepth: Int, maximumDepth: Int?, until: Expression?,
        result: Result
    ) {
        self.start = start
        self.steps = steps
        self.minimumDepth = minimumDepth
        self.maximumDepth = maximumDepth
        self.until = until
        self.result = result
    }
}

public enum ShowStatement: Sendable {
    case types, edges, constraints, rules, policies, indexes, statistics, status, watches
    case type(Name)
    case edge(Name)
    case constraint(Name)
    case rule(Name)
}

public struct IndexedAttribute: Sendable {
    public let name: Name
    public let isDescending: Bool

    public init(name: Name, isDescending: Bool) {
        self.name = name
        self.isDescending = isDescending
    }
}

public enum WatchCommand: String, Sendable, Hashable { case pause, resume, cancel }

/// `WATCH pattern [options] RETURN …`, or `… ON MATCH DO actions`.
public struct WatchStatement: Sendable {
    public let pattern: Pattern
    public let options: [WatchOption]
    /// Empty with ``actions``.
    public let projections: [Projection]
    public let actions: [RuleAction]

    public init(
        pattern: Pattern, options: [WatchOption], projections: [Projection], actions: [RuleAction]
    ) {
        self.pattern = pattern
        self.options = options
        self.projections = projections
        self.actions = actions
    }
}

/// One `name: value` of a watch's brackets.
public struct WatchOption: Sendable {
    public indirect enum Value: Sendable {
        /// `consume`, `drop(oldest)`, `attribute(t.rank DESC)`: a word with what stands in its parentheses.
        case word(String, [Value])
        /// A number, string, duration (`30s` too), boolean or reference.
        case expression(Expression, isDescending: Bool)
    }

    public let name: Name
    public let value: Value

    public init(name: Name, value: Value) {
        self.name = name
        self.value = value
    }
}
