internal import MeshAPI

/// One node or edge of an import, as its line states it.
struct GraphRecord: Hashable {
    enum Shape: Hashable {
        /// With an explicit key, or nil for a new node each time.
        case node(key: String?)
        /// The ids of its targets.
        case edge(targets: [String])
    }

    struct Attribute: Hashable {
        let name: String
        let value: JSONValue
    }

    /// Where it begins, from 1.
    let line: Int
    /// The node's type, or the edge.
    let type: String
    let shape: Shape
    /// Without nulls.
    let attributes: [Attribute]

    /// Whether importing it twice leaves one.
    var isRepeatable: Bool { shape != .node(key: nil) }

    /// What `#"…"` means it by; nil for what has no key.
    var reference: String? {
        if case .node(let key?) = shape { "\(type)/\(key)" } else { nil }
    }

    /// Its statement, on one line; values are parameters that begin with `p` and `number`.
    ///
    /// With `allowsParallel` an edge is linked although one with the same targets is there.
    func statement(number: Int, allowsParallel: Bool) -> String {
        let block =
            attributes.isEmpty
            ? ""
            : " { " + attributes.map { "\($0.name) = $p\(number)_\($0.name)" }.joined(separator: ", ") + " }"
        switch shape {
        case .node(let key):
            let name = key.map { "#" + JSONTree.quoted($0) } ?? "r\(number)"
            return "SPAWN \(name): \(type)\(block);"
        case .edge(let targets):
            let ids = targets.map { "#" + JSONTree.quoted($0) }.joined(separator: ", ")
            return allowsParallel
                ? "LINK \(type)(\(ids))\(block);"
                : "LINK IF NOT EXISTS \(type)(\(ids))\(block) RETURNING CREATED;"
        }
    }

    /// One request that imports all of them or none; the record at `index` stands in line `index + 2`.
    static func request(_ records: [GraphRecord], allowsParallel: Bool) -> GraphRequest {
        var source = "BEGIN;\n"
        var parameters: [String: JSONValue] = [:]
        for (number, record) in records.enumerated() {
            source += record.statement(number: number, allowsParallel: allowsParallel) + "\n"
            for attribute in record.attributes {
                parameters["p\(number)_\(attribute.name)"] = attribute.value
            }
        }
        return GraphRequest(source: source + "COMMIT;", parameters: parameters, name: "import.mew")
    }

    /// Whether `text` can stand in a statement as the name of an attribute.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                || $0 == 0x5f
        }
    }

    /// Whether `text` can stand in a statement as the name of a type: names joined by `::`.
    static func isTypeName(_ text: String) -> Bool {
        let parts = text.split(separator: "::", omittingEmptySubsequences: false)
        return !parts.isEmpty && parts.allSatisfy { isName(String($0)) }
    }
}
