import MEW
import MeshGraph

/// A property graph as plain lists: what the slow twin of the matcher looks at.
struct NaiveGraph {
    /// A node, or an edge where it has targets.
    struct Entity {
        let id: String
        let type: String
        /// Places of ``entities``; empty for a node.
        let targets: [Int]
        let isEdge: Bool
        /// Only what is not null.
        var attributes: [String: NaiveValue]
        var isAlive = true
    }

    /// What the twin must know of the declarations, written down by hand beside them.
    struct Types {
        /// Each node type with all that it is: itself and what it inherits from.
        var ancestors: [String: Set<String>]
        /// The types of each edge's parameters, as they are written.
        var parameters: [String: [String]]
        var symmetric: Set<String>
    }

    let types: Types
    var entities: [Entity] = []

    var living: [Int] { entities.indices.filter { entities[$0].isAlive } }

    func fits(_ place: Int, _ type: TypeExpression) -> Bool {
        switch type.kind {
        case .any: !entities[place].isEdge
        case .edge(let name): entities[place].isEdge && (name == nil || name == entities[place].type)
        case .optional(let inner): fits(place, inner)
        case .union(let members): members.contains { fits(place, $0) }
        case .named(let name): fits(place, name)
        case .list: false
        }
    }

    private func fits(_ place: Int, _ name: String) -> Bool {
        let entity = entities[place]
        return entity.isEdge ? entity.type == name : types.ancestors[entity.type]?.contains(name) ?? false
    }

    /// Whether it may stand at a place of an edge.
    func fits(_ place: Int, edge: String, position: Int) -> Bool {
        guard let written = types.parameters[edge]?[position] else { return false }
        return written.split(separator: "|").contains { part in
            switch part {
            case "any": !entities[place].isEdge
            case "edge<any>": entities[place].isEdge
            case _ where part.hasPrefix("edge<"):
                entities[place].isEdge && entities[place].type == part.dropFirst(5).dropLast()
            default: fits(place, String(part))
            }
        }
    }

    /// Ends an entity and every edge that it, or an edge of it, is a target of.
    mutating func end(_ place: Int) {
        guard entities[place].isAlive else { return }
        entities[place].isAlive = false
        for other in entities.indices where entities[other].targets.contains(place) { end(other) }
    }
}

/// A value, with entities as places of the graph's list.
enum NaiveValue: Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case float(Double)
    case string(String)
    case entity(Int)
    case list([NaiveValue])

    /// As ``ResultValue`` shows it.
    func text(_ graph: NaiveGraph) -> String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .float(let value): "\(value)"
        case .string(let value): value
        case .entity(let place): graph.entities[place].id
        case .list(let values): "[" + values.map { $0.text(graph) }.joined(separator: ", ") + "]"
        }
    }
}
