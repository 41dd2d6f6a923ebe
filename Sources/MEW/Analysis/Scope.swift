internal import MeshGraph

/// The variables that an expression may name.
struct Scope {
    struct Variable {
        let name: String
        let slot: Int
        var type: StaticType
    }

    private var variables: [Variable] = []
    /// Values that are no variables of a pattern: WALK's `depth`, say.
    var locals: [String: (LocalValue, StaticType)] = [:]

    subscript(_ name: String) -> Variable? { variables.last { $0.name == name } }

    var names: [String] { variables.map(\.name) + locals.keys.sorted() }
    /// In order of declaration.
    var all: [Variable] { variables }

    mutating func declare(_ name: String, slot: Int, type: StaticType) {
        variables.append(Variable(name: name, slot: slot, type: type))
    }
}
