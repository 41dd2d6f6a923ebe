internal import MeshCore
internal import MeshGraph

/// An expression that has been checked: names are slots, attributes are numbers.
indirect enum Code: Sendable {
    case constant(GraphValue)
    /// The entity in a slot; null where OPTIONAL MATCH left it empty.
    case slot(Int)
    /// A value beside the slots: what WALK and the policies' functions read.
    case local(LocalValue)
    /// A value that came with the program; read as the type of what it is compared with, where that is known.
    case parameter(String, isOptional: Bool, SourceRange, as: StaticType? = nil)
    /// `#text`; null where nothing bears it.
    case reference(String)
    case attribute(Code, AttributeAccess)
    case call(Function, [Code], SourceRange)
    case list([Code])
    case negate(Code, SourceRange)
    case not(Code)
    case arithmetic(BinaryOperator, Code, Code, SourceRange)
    case compare(BinaryOperator, Code, Code, SourceRange)
    case and(Code, Code)
    case or(Code, Code)
    case coalesce(Code, Code)
    case isOfType(Code, TypeTest)
    case isNull(Code, isNegated: Bool)
    case isIn(Code, Code, isNegated: Bool)
    case exists(SubPattern, isNegated: Bool)
    /// `COUNT(pattern)` and its like: a pattern of its own, run for each row.
    case fold(AggregateCode, SubPattern)
    /// The aggregate with this number, once the rows of a group are known.
    case aggregate(Int)
}

/// A value that a statement makes and that is no variable of a pattern.
enum LocalValue: Sendable, Hashable {
    case endpoint, depth, nodes, edges, path
    case currentActor, operation, target, targetType, targetAttribute
}

/// An attribute as it is looked up.
enum AttributeAccess: Sendable {
    /// The id's text.
    case id
    /// The name of the type.
    case type
    /// The targets of an edge.
    case targets
    case named(NameSlot)
}

/// A name of the program, by its place in the program's ``NameSlots``.
struct NameSlot: Sendable, Hashable {
    let index: Int
    let text: String
}

/// The concrete types that something must have.
struct TypeTest: Sendable {
    /// Sorted names of stored types (nodes, or edges), by their places.
    let stored: [NameSlot]
    /// Sorted names of system types.
    let virtual: [String]
    /// Whether every node of the graph's own tables fits; ``stored`` then names the edges that do.
    let isEverything: Bool
    /// For a scalar type: what kind of value.
    let scalar: ScalarType?

    static let nothing = TypeTest(stored: [], virtual: [], isEverything: false, scalar: nil)
}

/// What is gathered over rows.
struct AggregateCode: Sendable {
    let function: AggregateCall.Function
    let isDistinct: Bool
    /// `nil` for the rows themselves.
    let value: Code?
    let condition: Code?
    let limit: Int?
    let range: SourceRange
}

/// A pattern inside an expression, with its plan.
final class SubPattern: Sendable {
    let plan: PatternPlan

    init(plan: PatternPlan) {
        self.plan = plan
    }
}
