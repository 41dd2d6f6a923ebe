internal import MeshCore
internal import MeshGraph

/// How a pattern is matched: steps, each of which binds or judges for every row that the one before gave.
struct PatternPlan: Sendable {
    /// A step, with what the planner expected of it.
    struct Step: Sendable {
        let kind: PlanStep
        /// How many rows it was expected to give for all rows before it.
        let rows: Double
    }

    let steps: [Step]
    /// The variables that it declares, in order.
    let variables: [Scope.Variable]
    /// What the last step is where counting its rows needs no look at them.
    let countableTail: CountableTail?

    /// Links of one end that is bound, which nothing else decides.
    struct CountableTail: Sendable {
        let from: Int
        let edge: NameSlot
        let position: Int
    }

    init(steps: [Step], variables: [Scope.Variable]) {
        self.steps = steps
        self.variables = variables
        countableTail = steps.last.flatMap { Self.countable($0.kind) }
    }

    private static func countable(_ step: PlanStep) -> CountableTail? {
        guard case .expand(let expansion) = step, expansion.match.targets.count == 2,
            !expansion.match.isSymmetric, case .slot(let from) = expansion.from
        else { return nil }
        switch expansion.match.targets[1 - expansion.position] {
        case .ignore, .bind(_, nil):
            return CountableTail(from: from, edge: expansion.match.edge, position: expansion.position)
        default: return nil
        }
    }
}

enum PlanStep: Sendable {
    /// Every entity of the types.
    case scan(slot: Int, TypeTest)
    /// The entities whose attribute equals a value; `condition` says so, for what the index does not decide.
    case lookUp(slot: Int, GraphIndex, value: Code, ScalarType?, TypeTest, condition: Code)
    /// The entities whose attribute lies between two values.
    case range(slot: Int, GraphIndex, lower: Code?, upper: Code?, ScalarType?, TypeTest)
    /// The rows of a system type whose attribute equals a value.
    case lookUpVirtual(slot: Int, attribute: String, value: Code, TypeTest)
    /// The one entity that an expression gives.
    case fix(slot: Int, Code, TypeTest)
    /// Judges the type of what is bound already.
    case test(slot: Int, TypeTest)
    /// Follows edges from an end that is bound.
    case expand(Expansion)
    /// Every edge of a name.
    case scanEdges(EdgeMatch)
    /// The targets of an edge that is bound.
    case openEdge(EdgeMatch)
    /// Follows edges again and again.
    case transitive(TransitiveMatch)
    case filter(Code)
}

/// One target of an edge, and what to do about it.
enum TargetMatch: Sendable {
    /// Anything may stand there.
    case ignore
    /// Binds a slot; with a test where the edge's declaration does not say enough.
    case bind(slot: Int, TypeTest?)
    /// Must be what the slot holds.
    case same(slot: Int)
    /// Must be what the expression gives.
    case equal(Code)
}

struct EdgeMatch: Sendable {
    let edge: NameSlot
    let targets: [TargetMatch]
    /// Where the edge itself is bound, if anybody asks for it.
    let edgeSlot: Int?
    let isSymmetric: Bool
}

struct Expansion: Sendable {
    let match: EdgeMatch
    /// The position whose target is known; ``EdgeMatch/targets`` holds ``TargetMatch/ignore`` there.
    let position: Int
    let from: Code
}

/// `part_of+(a, b)`: from an end that is bound to the other.
struct TransitiveMatch: Sendable {
    let edge: NameSlot
    let from: Code
    /// 0 to follow edges from source to target, 1 for the other way.
    let position: Int
    let target: TargetMatch
    let includesStart: Bool
    let depth: Int
    let isSymmetric: Bool
    let range: SourceRange
}
