internal import IPLD
internal import LMDB
internal import MeshCore
internal import MeshStorage

/// A snapshot of a ``Store``, lent to the closure of one read.
final class StoreReader: StorageReader {
    private var transaction: ReadTransaction
    private let layout: Layout
    private let places: BlockTable.Snapshot
    private let report: FailureReport

    init(
        _ transaction: consuming ReadTransaction, _ layout: Layout, _ places: BlockTable.Snapshot,
        _ report: FailureReport
    ) {
        self.transaction = transaction
        self.layout = layout
        self.places = places
        self.report = report
    }

    /// Ends the snapshot; whoever kept the reader gets errors from it.
    func end() { transaction.end() }

    func value(forKey key: [UInt8], in table: StorageTable) throws(StorageError) -> [UInt8]? {
        do { return try transaction.value(forKey: key, in: layout.database(table)) } catch {
            throw report.error(error)
        }
    }

    func scan(
        _ table: StorageTable, prefix: [UInt8], from start: [UInt8], reversed: Bool,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> Bool
    ) throws(StorageError) {
        var scan = TableScan(prefix: prefix, from: start, reversed: reversed)
        while true {
            let pairs: [Pair]
            do { pairs = try scan.next(transaction, layout.database(table)) } catch {
                throw report.error(error)
            }
            if pairs.isEmpty { return }
            for pair in pairs { guard try body(pair.key, pair.value) else { return } }
        }
    }

    func block(_ cid: CID) throws(StorageError) -> [UInt8]? {
        do {
            if let place = places.place(of: cid), let block = try layout.block(cid, at: place, transaction) {
                return block
            }
            guard let place = try layout.place(of: cid, transaction) else { return nil }
            return try layout.block(cid, at: place, transaction)
        } catch {
            throw report.error(error)
        }
    }

    func hasBlock(_ cid: CID) throws(StorageError) -> Bool {
        do {
            if let place = places.place(of: cid), try layout.hasStep(place.step, transaction) { return true }
            return try layout.place(of: cid, transaction) != nil
        } catch {
            throw report.error(error)
        }
    }
}

/// A scan that goes through a table in pieces, so that no cursor is open while a caller's closure runs.
///
/// The first piece is one pair, because the first is often all that is wanted; then they grow.
struct TableScan {
    private let prefix: [UInt8]
    private let reversed: Bool
    private var start: [UInt8]
    private var isContinued = false
    private var isFinished = false
    private var pieceCount = 1

    init(prefix: [UInt8], from start: [UInt8], reversed: Bool) {
        self.prefix = prefix
        self.start = start
        self.reversed = reversed
    }

    /// The next piece; empty at the end.
    mutating func next<Transaction: ReadableTransaction & ~Copyable>(
        _ transaction: borrowing Transaction, _ database: Database
    ) throws(LMDBError) -> [Pair] {
        if isFinished { return [] }
        let pairs = try transaction.pairs(
            in: database, prefix: prefix, from: start, exclusive: isContinued, reversed: reversed,
            limit: pieceCount)
        isFinished = pairs.count < pieceCount
        pieceCount = min(pieceCount * 4, 256)
        if let last = pairs.last { resume(behind: last.key) }
        return pairs
    }

    /// Goes on behind `key`, dropping the rest of a piece that a write may have made stale.
    mutating func resume(behind key: [UInt8], afterWrite: Bool = false) {
        start = key
        isContinued = true
        if afterWrite { isFinished = false }
    }
}

extension Layout {
    /// The place of a block that the index knows.
    func place<Transaction: ReadableTransaction & ~Copyable>(
        of cid: CID, _ transaction: borrowing Transaction
    ) throws(LMDBError) -> Place? {
        try transaction.value(forKey: Self.key(of: cid), in: index).flatMap(Place.init(bytes:))
    }

    /// A block from the log; `nil` where the transaction does not see its step.
    func block<Transaction: ReadableTransaction & ~Copyable>(
        _ cid: CID, at place: Place, _ transaction: borrowing Transaction
    ) throws(LMDBError) -> [UInt8]? {
        try transaction.slice(place.range, after: cid.bytes, ofValueForIntegerKey: place.step, in: log)
    }

    func hasStep<Transaction: ReadableTransaction & ~Copyable>(
        _ step: UInt64, _ transaction: borrowing Transaction
    ) throws(LMDBError) -> Bool {
        try transaction.slice(0..<0, after: [], ofValueForIntegerKey: step, in: log) != nil
    }
}
