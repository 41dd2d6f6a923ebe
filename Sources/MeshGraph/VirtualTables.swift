/// Rows that are not in the graph's tables: what the system types read.
///
/// Used by the thread that runs the query, within its transaction.
public protocol VirtualTables: AnyObject {
    /// The rows of a system type.
    ///
    /// - `type`: The type's name.
    /// - `key`: An attribute and the value it must have. A source that cannot look rows up by it may give
    ///   more than those; the query checks.
    func rows(ofType type: String, where key: (attribute: String, value: GraphValue)?) throws -> [VirtualRow]
}

/// One row of a system type.
public struct VirtualRow: Hashable, Sendable {
    /// What names the row among those of its type, on every node alike.
    public let key: String
    public let attributes: [GraphAttribute]

    public init(key: String, attributes: [GraphAttribute]) {
        self.key = key
        self.attributes = attributes
    }

    /// The attribute's value; null where there is none.
    public subscript(_ name: String) -> GraphValue {
        for attribute in attributes where attribute.name == name { return attribute.value }
        return .null
    }
}
