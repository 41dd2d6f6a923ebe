public import MeshCore
public import MeshDAG
public import MeshStorage

/// Changes the graph within one transaction.
///
/// The result of a set of changes does not depend on the order in which they are applied, and undoing one
/// leaves what the others alone would have made. A change stands at one position, is applied there once, and what
/// follows it at the same place after a fork is applied when it has been taken back.
///
/// A writer remembers names and numbers, and so lives no longer than its transaction; it notices what a ``Journal``
/// takes back beneath it.
///
/// An operation that names what cannot be (a name that is too long, an attribute that is an entity, an add that
/// does not stand before it in its change) is void.
public struct GraphWriter {
    public let storage: any StorageWriter
    /// What ``apply(_:index:at:)`` has added so far, by index; 0 for an operation that added nothing.
    private var added: [UInt64] = []
    private let caches: GraphCaches

    public init(_ storage: any StorageWriter) {
        self.storage = storage
        caches = GraphCaches(storage)
    }

    /// What the writer sees of the graph, its own writes included.
    public var view: GraphView { GraphView(storage) }

    /// Applies a change that stands at `position`.
    ///
    /// - Returns: The entities whose visibility, attributes or links may have changed, in order of their numbers.
    /// - Throws: What the storage throws; the transaction can then only end.
    public mutating func apply(
        _ change: GraphChange, at position: EntryPosition
    ) throws(StorageError) -> [LocalID] {
        let fold = GraphFold(storage, caches)
        try fold.apply(change.operations, at: position)
        return try fold.finish()
    }

    /// Takes back a change that was applied at `position`.
    public mutating func undo(
        _ change: GraphChange, at position: EntryPosition
    ) throws(StorageError) -> [LocalID] {
        let fold = GraphFold(storage, caches)
        try fold.undo(change.operations, at: position)
        return try fold.finish()
    }

    /// Applies one operation of the change that will stand at `position`: for a transaction that sees its own
    /// writes before it is published (and is taken back with ``Journal`` before its change is applied whole).
    ///
    /// Indexes rise by one from 0; after a rollback to a savepoint they go on from where the savepoint was. One
    /// writer is used for the whole of the change, because it remembers what the operations added.
    ///
    /// - Returns: The entity that it adds, writes or ends; for a void operation a number that no entity has.
    public mutating func apply(
        _ operation: GraphOperation, index: Int, at position: EntryPosition
    ) throws(StorageError) -> LocalID {
        precondition(
            index >= 0 && index <= added.count && index < OperationIndex.operationCountMax,
            "operation \(index) after \(added.count)")
        added.removeLast(added.count - index)
        let fold = GraphFold(storage, caches)
        let base = try fold.base(of: position)
        guard let base else { return LocalID(rawValue: 0) }
        // The list moves there and back: with two owners every operation would copy it.
        var place = GraphFold.Place(base: base, index: index, time: position.time, added: added)
        added = []
        defer { swap(&added, &place.added) }
        let result = try fold.fold(operation, at: place, undoes: false)
        _ = try fold.finish()
        place.added.append(result.map { $0.isAdded ? $0.entity : 0 } ?? 0)
        return LocalID(rawValue: result?.entity ?? place.operation)
    }

    /// Empties the graph, its indexes included: what comes before applying everything anew.
    ///
    /// Other writers of this transaction may not be used any more.
    public mutating func removeAll() throws(StorageError) {
        for table in [
            StorageTable.graphEntities, .graphLinks, .graphIndexes, .graphNames, .graphHistory,
        ] {
            try storage.removeAll(in: table)
        }
        added = []
        caches.forget()
    }

    /// Makes the indexes those of `definitions`: builds what is new, drops what is not named.
    ///
    /// Of several definitions with one name the first counts; one with a text that is no name
    /// (``GraphLimits/isName(_:)``) makes none.
    public mutating func setIndexes(_ definitions: [IndexDefinition]) throws(StorageError) {
        let fold = GraphFold(storage, caches)
        try fold.setIndexes(definitions)
        _ = try fold.finish()
    }
}
