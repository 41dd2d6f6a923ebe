public import MeshStorage

/// A name of a type, an edge or an attribute, as this replica numbers it.
public struct NameID: Hashable, Comparable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The graph as one transaction sees it.
///
/// Everything that it gives is *visible*: a node that has an add left, an edge that has one left and whose
/// targets are all visible.
public struct GraphView {
    public let storage: any StorageReader

    public init(_ storage: any StorageReader) {
        self.storage = storage
    }

    // MARK: Names

    /// The number of a name; `nil` when nothing in the graph has borne it.
    public func nameID(_ text: String) throws(StorageError) -> NameID? { fatalError() }
    public func name(_ id: NameID) throws(StorageError) -> String { fatalError() }

    // MARK: Identity

    /// The entity's number, visible or not; `nil` for one that nothing has named yet.
    public func localID(_ id: EntityID) throws(StorageError) -> LocalID? { fatalError() }
    /// The visible entities of any type with this explicit key, in order of their types' names.
    public func localIDs(key: String) throws(StorageError) -> [LocalID] { fatalError() }
    public func entityID(_ id: LocalID) throws(StorageError) -> EntityID { fatalError() }

    // MARK: Entities

    /// A visible entity; `nil` for every other.
    public func entity(_ id: LocalID) throws(StorageError) -> Entity? { fatalError() }
    public func isVisible(_ id: LocalID) throws(StorageError) -> Bool { fatalError() }
    /// All visible entities of exactly this type (a node's or an edge's), in order of their numbers.
    public func entities(ofType type: NameID) -> EntityCursor { fatalError() }
    public func count(ofType type: NameID) throws(StorageError) -> UInt64 { fatalError() }

    // MARK: Links

    /// The visible edges of this type that have `entity` as their target at `position`, by (peer, edge).
    public func links(of entity: LocalID, edge: NameID, at position: Int) -> LinkCursor { fatalError() }
    public func linkCount(of entity: LocalID, edge: NameID, at position: Int) throws(StorageError) -> Int {
        fatalError()
    }
    /// Every visible edge of any type that has `entity` among its targets, each once.
    public func edges(touching entity: LocalID) throws(StorageError) -> [LocalID] { fatalError() }

    // MARK: Indexes

    /// The indexes there are, by name.
    public func indexes() throws(StorageError) -> [GraphIndex] { fatalError() }
    /// The entities whose attribute is exactly `value`, in order of their numbers.
    ///
    /// Values longer than ``GraphIndex/valueByteCountMax`` share a row with what begins alike: check them.
    public func lookUp(_ value: GraphValue, in index: GraphIndex) throws(StorageError) -> [LocalID] {
        fatalError()
    }
    /// The entities whose attribute lies between two bounds, both included (`nil` for none), in order of the
    /// attribute; the same caveat. Null values are in no index.
    public func range(
        _ lower: GraphValue?, _ upper: GraphValue?, in index: GraphIndex, isDescending: Bool
    ) -> IndexCursor { fatalError() }
    /// How many rows an index has, and how many distinct values as far as is known.
    public func rowCount(of index: GraphIndex) throws(StorageError) -> UInt64 { fatalError() }
}

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

/// Goes through the entities of a type.
public struct EntityCursor {
    public mutating func next() throws(StorageError) -> LocalID? { fatalError() }
}

/// Goes through the links of an entity.
public struct LinkCursor {
    /// `peer` is the other target of a binary edge, and 0 for an edge with more.
    public mutating func next() throws(StorageError) -> (edge: LocalID, peer: LocalID)? { fatalError() }
}

/// Goes through a stretch of an index.
public struct IndexCursor {
    public mutating func next() throws(StorageError) -> LocalID? { fatalError() }
}

/// An index over one attribute of some types.
public struct GraphIndex: Hashable, Sendable {
    /// How many bytes of a value the index keeps.
    public static let valueByteCountMax = 384

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
