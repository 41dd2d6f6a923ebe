public import MeshDAG
public import MeshStorage

/// Changes the graph within one transaction.
///
/// The result of a set of changes does not depend on the order in which they are applied, and undoing one
/// leaves what the others alone would have made.
public struct GraphWriter {
    public let storage: any StorageWriter

    public init(_ storage: any StorageWriter) {
        self.storage = storage
    }

    /// What the writer sees of the graph, its own writes included.
    public var view: GraphView { GraphView(storage) }

    /// Applies a change that stands at `position`.
    ///
    /// - Returns: The entities whose visibility, attributes or links may have changed.
    public mutating func apply(
        _ change: GraphChange, at position: EntryPosition
    ) throws(StorageError) -> [LocalID] { fatalError() }

    /// Takes back a change that was applied at `position`.
    public mutating func undo(
        _ change: GraphChange, at position: EntryPosition
    ) throws(StorageError) -> [LocalID] { fatalError() }

    /// Applies one operation of the change that will stand at `position`: for a transaction that sees its own
    /// writes before it is published (and is taken back with ``Journal`` before its change is applied whole).
    ///
    /// - Returns: The entity that it adds, writes or ends.
    public mutating func apply(
        _ operation: GraphOperation, index: Int, at position: EntryPosition
    ) throws(StorageError) -> LocalID { fatalError() }

    /// Makes the indexes those of `definitions`: builds what is new, drops what is not named.
    public mutating func setIndexes(_ definitions: [IndexDefinition]) throws(StorageError) { fatalError() }
}
