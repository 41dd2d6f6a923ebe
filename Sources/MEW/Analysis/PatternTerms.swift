internal import MeshCore
internal import MeshGraph

/// A pattern that has been checked and not planned yet.
struct PatternTerms {
    struct Node {
        let slot: Int
        let name: String
        let type: StaticType
        let test: TypeTest
    }

    enum Target {
        case slot(Int)
        case anything
        /// A reference, a parameter, or a variable of the session.
        case given(Code)
    }

    struct Edge {
        let type: EdgeType
        let name: NameSlot
        let targets: [Target]
        let edgeSlot: Int?
        let repetition: EdgePattern.Repetition
        let depth: Int
        let range: SourceRange
    }

    /// One of the conditions that must all hold, with the slots that it reads.
    struct Filter {
        let code: Code
        let slots: Set<Int>
        /// Its place among the conditions.
        let place: Int
    }

    var nodes: [Node] = []
    var edges: [Edge] = []
    var filters: [Filter] = []
    /// Slots that this pattern binds, with what may be bound to them.
    var types: [Int: StaticType] = [:]
}
