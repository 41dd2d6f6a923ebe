internal import IPLD
internal import LMDB
internal import MeshCore
internal import MeshStorage

/// A ``Store``'s write transaction, lent to the closure of one write.
///
/// It remembers what was written. When the map turns out too small, the transaction starts again on a
/// larger one and is brought to where it was, and the caller's closure never notices.
final class StoreWriter: StorageWriter {
    private enum Operation {
        case put([UInt8], key: [UInt8], StorageTable)
        case putRows(RowBatch, StorageTable)
        case remove([UInt8], StorageTable)
        case removeAll(StorageTable)
    }

    private var transaction: WriteTransaction
    private let layout: Layout
    private let places: BlockTable.Snapshot
    private let report: FailureReport
    private var operations: [Operation] = []
    private var pendingIndex: [BlockKey: Int] = [:]
    private var pendingByteCount = 0
    /// The first failure; the transaction can then only end.
    private var failure: StorageError?

    /// The blocks to append, in order.
    private(set) var pending: [Block] = []

    init(
        _ transaction: consuming WriteTransaction, _ layout: Layout, _ places: BlockTable.Snapshot,
        _ report: FailureReport, expecting blockCount: Int
    ) {
        self.transaction = transaction
        self.layout = layout
        self.places = places
        self.report = report
        pending.reserveCapacity(blockCount)
        pendingIndex.reserveCapacity(blockCount)
        operations.reserveCapacity(2 * blockCount)
    }

    var hasChanges: Bool { !operations.isEmpty || !pending.isEmpty }

    // MARK: - Ending

    /// Writes what `tail` adds and makes everything durable.
    func commit(_ tail: (borrowing WriteTransaction) throws(LMDBError) -> Void) throws(StorageError) {
        if let failure { throw failure }
        while true {
            do throws(LMDBError) {
                try tail(transaction)
                try transaction.commit()
                return
            } catch {
                guard error.kind == .mapFull else { throw fail(error) }
                try startAgain()
            }
        }
    }

    /// Drops everything.
    ///
    /// Whoever kept the writer gets errors from it.
    func abort() { transaction.abort() }

    private func fail(_ error: LMDBError) -> StorageError {
        let failure = report.error(error)
        if failure.code != .keySize { self.failure = failure }
        return failure
    }

    private func perform(_ operation: Operation) throws(StorageError) {
        if let failure { throw failure }
        do throws(LMDBError) {
            try run(operation)
            operations.append(operation)
        } catch {
            guard error.kind == .mapFull else { throw fail(error) }
            operations.append(operation)
            try startAgain()
        }
    }

    private func run(_ operation: Operation) throws(LMDBError) {
        switch operation {
        case .put(let value, let key, let table):
            try transaction.put(value, forKey: key, in: layout.database(table))
        case .putRows(let rows, let table):
            try transaction.put(rows: rows.bytes, in: layout.database(table))
        case .remove(let key, let table): try transaction.remove(key, in: layout.database(table))
        case .removeAll(let table): try transaction.removeAll(in: layout.database(table))
        }
    }

    /// Brings a new transaction, on a larger map, to where this one was.
    private func startAgain() throws(StorageError) {
        while true {
            do throws(LMDBError) { try transaction.restart() } catch { throw fail(error) }
            do throws(LMDBError) {
                for operation in operations { try run(operation) }
                return
            } catch {
                guard error.kind == .mapFull else { throw fail(error) }
            }
        }
    }

    // MARK: - Writing

    func put(_ value: [UInt8], forKey key: [UInt8], in table: StorageTable) throws(StorageError) {
        try table.checkKey(key)
        try perform(.put(value, key: key, table))
    }

    func put(_ rows: RowBatch, in table: StorageTable) throws(StorageError) {
        guard !rows.isEmpty else { return }
        try perform(.putRows(rows, table))
    }

    func remove(_ key: [UInt8], in table: StorageTable) throws(StorageError) {
        try perform(.remove(key, table))
    }

    func removeAll(in table: StorageTable) throws(StorageError) {
        try perform(.removeAll(table))
    }

    func putBlock(_ bytes: [UInt8], cid: CID) throws(StorageError) {
        if let failure { throw failure }
        // The index is not asked: a look-up for each block would cost a commit as much as its writing, and
        // one that is appended again takes room and does no harm.
        if pendingIndex[BlockKey(cid)] != nil || places.place(of: cid) != nil { return }
        let block = Block(cid: cid, bytes: bytes)
        let byteCount = LogRecord.byteCount(of: block)
        guard byteCount <= LogRecord.byteCountMax - pendingByteCount else {
            throw StorageError(
                .full, "one transaction appends more than \(LogRecord.byteCountMax) bytes of blocks",
                hint: "split it")
        }
        pendingByteCount += byteCount
        pendingIndex[BlockKey(cid)] = pending.count
        pending.append(block)
    }

    // MARK: - Reading

    func value(forKey key: [UInt8], in table: StorageTable) throws(StorageError) -> [UInt8]? {
        do { return try transaction.value(forKey: key, in: layout.database(table)) } catch {
            throw fail(error)
        }
    }

    func scan(
        _ table: StorageTable, prefix: [UInt8], from start: [UInt8], reversed: Bool,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> Bool
    ) throws(StorageError) {
        var scan = TableScan(prefix: prefix, from: start, reversed: reversed)
        pieces: while true {
            let pairs: [Pair]
            do { pairs = try scan.next(transaction, layout.database(table)) } catch { throw fail(error) }
            if pairs.isEmpty { return }
            for pair in pairs {
                let before = operations.count
                guard try body(pair.key, pair.value) else { return }
                if operations.count != before {
                    scan.resume(behind: pair.key, afterWrite: true)
                    continue pieces
                }
            }
        }
    }

    func block(_ cid: CID) throws(StorageError) -> [UInt8]? {
        if let index = pendingIndex[BlockKey(cid)] { return pending[index].bytes }
        do throws(LMDBError) {
            let known = places.place(of: cid)
            var place = known
            if place == nil { place = try layout.place(of: cid, transaction) }
            guard let place else { return nil }
            return try layout.block(cid, at: place, transaction)
        } catch {
            throw fail(error)
        }
    }

    func hasBlock(_ cid: CID) throws(StorageError) -> Bool {
        if pendingIndex[BlockKey(cid)] != nil || places.place(of: cid) != nil { return true }
        do throws(LMDBError) {
            return try transaction.contains(Layout.key(of: cid), in: layout.index)
        } catch {
            throw fail(error)
        }
    }
}
