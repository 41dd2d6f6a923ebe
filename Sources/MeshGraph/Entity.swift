/// A node or an edge, as it is now.
public struct Entity: Hashable, Sendable {
    public let id: LocalID
    public let type: NameID
    /// Empty for a node.
    public let targets: [LocalID]
    public let isEdge: Bool
    /// Sorted by name; no nulls.
    public let attributes: [Attribute]
    /// The adds that are left, in order; those whose effect an `end` must name.
    public let adds: [GraphAdd]

    public struct Attribute: Hashable, Sendable {
        public let name: NameID
        public let value: GraphValue

        public init(name: NameID, value: GraphValue) {
            self.name = name
            self.value = value
        }
    }

    public init(
        id: LocalID, type: NameID, targets: [LocalID], isEdge: Bool, attributes: [Attribute], adds: [GraphAdd]
    ) {
        self.id = id
        self.type = type
        self.targets = targets
        self.isEdge = isEdge
        self.attributes = attributes
        self.adds = adds
    }

    /// The attribute's value; null where there is none.
    public subscript(_ name: NameID) -> GraphValue {
        for attribute in attributes where attribute.name == name { return attribute.value }
        return .null
    }
}
