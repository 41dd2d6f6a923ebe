internal import ControlClient
internal import MeshAPI

/// What a node's schema declares, as `SHOW TYPES` and `SHOW EDGES` list it.
///
/// Each row has `name`, `attributes` (a list of `name: Type` with those inherited), and may have `abstract` and
/// `system`; that of an edge has `parameters` besides, in the same form.
struct GraphCatalog: Hashable {
    struct Attribute: Hashable {
        let name: String
        /// As declared, such as `String` or `Int?`.
        let type: String

        /// The type without its question mark.
        var base: String { type.hasSuffix("?") ? String(type.dropLast()) : type }
    }

    struct Entry: Hashable {
        let name: String
        var isAbstract = false
        /// Of a type whose rows the mesh itself makes.
        var isSystem = false
        var attributes: [Attribute] = []
        /// The targets of an edge; empty for a node.
        var parameters: [Attribute] = []
    }

    var types: [Entry] = []
    var edges: [Entry] = []

    init(types: [Entry] = [], edges: [Entry] = []) {
        self.types = types
        self.edges = edges
    }

    init(_ results: [GraphResultView]) {
        for (index, result) in results.prefix(2).enumerated() {
            let entries = result.rows.compactMap { Self.entry(result.columns, $0) }
            if index == 0 { types = entries } else { edges = entries }
        }
    }

    /// Asks a daemon.
    init(_ context: CommandContext, _ client: HTTPControlClient) throws {
        self.init(
            try context.run(GraphRequest(source: "SHOW TYPES; SHOW EDGES;", name: "query.mew"), client)
                .results)
    }

    func type(_ name: String) -> Entry? { types.first { $0.name == name } }
    func edge(_ name: String) -> Entry? { edges.first { $0.name == name } }

    private static func entry(_ columns: [String], _ row: [JSONValue]) -> Entry? {
        let cells = Dictionary(zip(columns, row)) { first, _ in first }
        guard case .text(let name)? = cells["name"] else { return nil }
        return Entry(
            name: name, isAbstract: cells["abstract"] == true,
            isSystem: cells["system"] == true || name.hasPrefix("_"),
            attributes: attributes(cells["attributes"]), parameters: attributes(cells["parameters"]))
    }

    /// A list of `name: Type`, or of objects with those keys.
    private static func attributes(_ value: JSONValue?) -> [Attribute] {
        guard case .array(let elements)? = value else { return [] }
        return elements.compactMap { element in
            switch element {
            case .text(let text):
                let parts = text.split(separator: ":", maxSplits: 1)
                guard let name = parts.first else { return nil }
                let type = parts.count > 1 ? parts[1].split(separator: " ").first : nil
                return Attribute(name: String(name), type: type.map(String.init) ?? "any")
            case .object(let members):
                guard case .text(let name)? = members["name"] else { return nil }
                if case .text(let type)? = members["type"] { return Attribute(name: name, type: type) }
                return Attribute(name: name, type: "any")
            default: return nil
            }
        }
    }
}
