public import IPLD
public import MeshCore

/// A writer that remembers what it overwrites, so that a part of a transaction can be taken back.
///
/// A transaction of the graph runs through one of these: ``mark`` is a savepoint, ``rollback(to:)`` goes back to
/// it. Rows return byte for byte; blocks stay, because a block that nobody names does no harm.
///
/// Used by one thread, within the transaction of the writer that it wraps.
public final class Journal: StorageWriter {
    private struct Change {
        let table: StorageTable
        let key: [UInt8]
        let previous: [UInt8]?
    }

    private let writer: any StorageWriter
    private var changes: [Change] = []
    private var ownRollbackCount = 0

    public init(_ writer: any StorageWriter) {
        self.writer = writer
    }

    // MARK: Going back

    /// A point to go back to; it holds until an earlier one is gone back to.
    public var mark: Int { changes.count }

    /// How often something was taken back, here or beneath: whoever remembers rows asks whether that rose.
    public var rollbackCount: Int { ownRollbackCount + ((writer as? Journal)?.rollbackCount ?? 0) }

    /// Restores every row to what it was at `mark`.
    ///
    /// After a failure the transaction beneath can only end.
    public func rollback(to mark: Int) throws(StorageError) {
        precondition(mark >= 0 && mark <= changes.count, "mark \(mark) of \(changes.count)")
        ownRollbackCount += 1
        while changes.count > mark, let change = changes.popLast() {
            if let previous = change.previous {
                try writer.put(previous, forKey: change.key, in: change.table)
            } else {
                try writer.remove(change.key, in: change.table)
            }
        }
    }

    private func remember(_ key: [UInt8], in table: StorageTable) throws(StorageError) {
        changes.append(Change(table: table, key: key, previous: try writer.value(forKey: key, in: table)))
    }

    // MARK: Writing

    public func put(_ value: [UInt8], forKey key: [UInt8], in table: StorageTable) throws(StorageError) {
        try table.checkKey(key)
        try remember(key, in: table)
        try writer.put(value, forKey: key, in: table)
    }

    public func put(_ rows: RowBatch, in table: StorageTable) throws(StorageError) {
        try rows.forEach { key, _ throws(StorageError) in try remember(key, in: table) }
        try writer.put(rows, in: table)
    }

    public func remove(_ key: [UInt8], in table: StorageTable) throws(StorageError) {
        try remember(key, in: table)
        try writer.remove(key, in: table)
    }

    /// Empties a table; its rows are remembered one by one.
    public func removeAll(in table: StorageTable) throws(StorageError) {
        try writer.scan(table, prefix: []) { key, value throws(StorageError) in
            changes.append(Change(table: table, key: key, previous: value))
            return true
        }
        try writer.removeAll(in: table)
    }

    public func putBlock(_ bytes: [UInt8], cid: CID) throws(StorageError) {
        try writer.putBlock(bytes, cid: cid)
    }

    // MARK: Reading

    public func value(forKey key: [UInt8], in table: StorageTable) throws(StorageError) -> [UInt8]? {
        try writer.value(forKey: key, in: table)
    }

    public func scan(
        _ table: StorageTable, prefix: [UInt8], from start: [UInt8], reversed: Bool,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try writer.scan(table, prefix: prefix, from: start, reversed: reversed, body)
    }

    public func block(_ cid: CID) throws(StorageError) -> [UInt8]? { try writer.block(cid) }
    public func hasBlock(_ cid: CID) throws(StorageError) -> Bool { try writer.hasBlock(cid) }
}
