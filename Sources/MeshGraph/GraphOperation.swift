public import MeshIdentity

/// One step of a change to the graph, as it is replicated.
///
/// An operation that adds (``spawn``, ``link``) makes an *add*; what ends or writes names the adds it is about,
/// so that what others added at the same time is left alone (add-wins).
public enum GraphOperation: Hashable, Sendable {
    /// Adds a node. With a `key`, one more add of the entity with that key.
    case spawn(type: String, key: String?, attributes: [GraphAttribute])
    /// Adds an edge. One of an edge type that is `[unique]` is one more add of the entity that its type and
    /// targets name; see ``GraphOperation/uniqueKey(edge:targets:)``.
    case link(edge: String, targets: [GraphTarget], isUnique: Bool, attributes: [GraphAttribute])
    /// Writes one attribute of one add; the last writer by (time, author, seq, index) wins. Null clears it.
    case set(GraphTarget, add: GraphAdd, attribute: String, value: GraphValue)
    /// Ends adds of a node or an edge; it is gone when none is left.
    case end(GraphTarget, adds: [GraphAdd])
}

/// A name and a value.
public struct GraphAttribute: Hashable, Sendable {
    public let name: String
    public let value: GraphValue

    public init(name: String, value: GraphValue) {
        self.name = name
        self.value = value
    }
}

/// An entity as an operation names it.
public enum GraphTarget: Hashable, Sendable {
    /// The one that the operation at this place of the same change adds.
    case added(UInt32)
    case entity(EntityID)
}

/// An add as an operation names it.
public enum GraphAdd: Hashable, Sendable, Comparable {
    /// Of the operation at this place of the same change.
    case added(UInt32)
    /// Of the operation `index` (``OperationIndex``) in the author's anchor `seq`.
    case operation(author: DID, seq: UInt64, index: UInt32)
}

/// What one transaction changed, as the entry `graph.change` carries it.
public struct GraphChange: Hashable, Sendable {
    public var operations: [GraphOperation]

    public init(operations: [GraphOperation]) {
        self.operations = operations
    }
}
