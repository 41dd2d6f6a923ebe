/// An index over one attribute of some types.
public struct GraphIndex: Hashable, Sendable {
    /// How many bytes of a value the index keeps.
    public static let valueByteCountMax = 384
    /// Values with fewer bytes are kept whole: only longer ones may stand mixed with others that begin alike.
    public static let valueByteCountWhole = IndexKey.cutLeast

    public let number: UInt32
    public let definition: IndexDefinition

    public init(number: UInt32, definition: IndexDefinition) {
        self.number = number
        self.definition = definition
    }
}

/// What an index is to cover.
public struct IndexDefinition: Hashable, Sendable {
    /// What people call it, `Person.email` where they did not say.
    public let name: String
    /// Every concrete type whose entities it covers, sorted.
    public let types: [String]
    public let attribute: String
    public let isUnique: Bool

    public init(name: String, types: [String], attribute: String, isUnique: Bool) {
        self.name = name
        self.types = types
        self.attribute = attribute
        self.isUnique = isUnique
    }
}
