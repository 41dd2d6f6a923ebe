public import IPLD
public import MeshCore

/// The store in memory: for tests and simulators, with the same transactions as the one on disk.
///
/// One writer at a time; a transaction that throws leaves nothing behind. As a simulated disk it keeps
/// what was written since ``sync()`` apart, so that ``crash()`` can take it back.
public final class MemoryStorage: StorageWriter {
    private var tables: [SortedTable]
    private var blocks: [CID: [UInt8]] = [:]
    private var undo: [UndoRecord] = []
    private var inTransaction = false
    private let pool: BlockPool?
    private let keepsUnsynced: Bool

    /// Writes fail with ``StorageFailure/full`` while this is set.
    public var isFull = false

    /// An empty store.
    ///
    /// - Parameters:
    ///   - pool: Where several stores keep blocks that they have in common.
    ///   - keepsUnsynced: Whether ``crash()`` takes back what was written since ``sync()``; otherwise each
    ///     transaction is durable at once.
    public init(pool: BlockPool? = nil, keepsUnsynced: Bool = false) {
        self.pool = pool
        self.keepsUnsynced = keepsUnsynced
        tables = Array(repeating: SortedTable(), count: StorageTable.allCases.count)
    }

    /// Runs `body` as one transaction.
    public func write<Value>(
        _ body: (any StorageWriter) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        precondition(!inTransaction, "transactions do not nest")
        inTransaction = true
        let mark = undo.count
        defer {
            inTransaction = false
            if !keepsUnsynced { undo.removeAll(keepingCapacity: true) }
        }
        do throws(StorageError) {
            return try body(self)
        } catch {
            takeBack(to: mark)
            throw error
        }
    }

    /// Makes everything durable that has been written.
    public func sync() { undo.removeAll(keepingCapacity: undo.count < 256) }

    /// Loses everything that was written since the last ``sync()``.
    public func crash() { takeBack(to: 0) }

    /// How many changes a crash would lose.
    public var unsyncedCount: Int { undo.count }

    private func takeBack(to mark: Int) {
        while undo.count > mark, let record = undo.popLast() {
            switch record {
            case .row(let table, let key, let previous): tables[Int(table)][key] = previous
            case .table(let table, let previous): tables[Int(table)] = previous
            case .block(let cid): blocks[cid] = nil
            }
        }
    }

    public func value(forKey key: [UInt8], in table: StorageTable) throws(StorageError) -> [UInt8]? {
        tables[table.ordinal][key]
    }

    public func scan(
        _ table: StorageTable, prefix: [UInt8], from start: [UInt8], reversed: Bool,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let rows = tables[table.ordinal]
        let range = rows.range(prefix: prefix)
        if reversed {
            var index = start.isEmpty ? range.upperBound : min(range.upperBound, rows.end(through: start))
            while index > range.lowerBound {
                index -= 1
                guard try body(rows.keys[index], rows.values[index]) else { return }
            }
        } else {
            var index = start.isEmpty ? range.lowerBound : max(range.lowerBound, rows.position(start))
            while index < range.upperBound {
                guard try body(rows.keys[index], rows.values[index]) else { return }
                index += 1
            }
        }
    }

    public func block(_ cid: CID) throws(StorageError) -> [UInt8]? { blocks[cid] }
    public func hasBlock(_ cid: CID) throws(StorageError) -> Bool { blocks[cid] != nil }

    /// How many blocks there are.
    public var blockCount: Int { blocks.count }

    public func put(_ value: [UInt8], forKey key: [UInt8], in table: StorageTable) throws(StorageError) {
        try table.checkKey(key)
        try checkRoom()
        replace(value, forKey: key, in: table)
    }

    public func remove(_ key: [UInt8], in table: StorageTable) throws(StorageError) {
        replace(nil, forKey: key, in: table)
    }

    private func replace(_ value: [UInt8]?, forKey key: [UInt8], in table: StorageTable) {
        let ordinal = table.ordinal
        let previous = tables[ordinal].replace(key, value)
        undo.append(.row(UInt8(ordinal), key, previous))
    }

    public func removeAll(in table: StorageTable) throws(StorageError) {
        undo.append(.table(UInt8(table.ordinal), tables[table.ordinal]))
        tables[table.ordinal] = SortedTable()
    }

    public func putBlock(_ bytes: [UInt8], cid: CID) throws(StorageError) {
        guard blocks[cid] == nil else { return }
        try checkRoom()
        blocks[cid] = pool?.shared(bytes, cid) ?? bytes
        undo.append(.block(cid))
    }

    private func checkRoom() throws(StorageError) {
        if isFull { throw StorageError(.full, "no room is left on the disk") }
    }
}

/// Blocks that several stores have in common, kept once.
///
/// Used by one thread; a block stays for as long as the pool does.
public final class BlockPool {
    private var blocks: [CID: [UInt8]] = [:]

    public init() {}

    /// The bytes that the pool keeps for `cid`, which are `bytes` the first time.
    public func shared(_ bytes: [UInt8], _ cid: CID) -> [UInt8] {
        if let known = blocks[cid] { return known }
        blocks[cid] = bytes
        return bytes
    }
}

/// One change to take back.
private enum UndoRecord {
    case row(UInt8, [UInt8], [UInt8]?)
    case table(UInt8, SortedTable)
    case block(CID)
}

extension StorageTable {
    /// Its place among all tables.
    fileprivate var ordinal: Int {
        switch self {
        case .meta: 0
        case .feeds: 1
        case .frontier: 2
        case .arrival: 3
        case .frozen: 4
        case .jobs: 5
        case .jobEntries: 6
        case .own: 7
        case .projections: 8
        case .registry: 9
        case .graphEntities: 10
        case .graphLinks: 11
        case .graphIndexes: 12
        case .graphNames: 13
        case .graphHistory: 14
        }
    }
}

/// Pairs in key order, kept as two arrays.
private struct SortedTable {
    private(set) var keys: [[UInt8]] = []
    private(set) var values: [[UInt8]] = []

    /// The first place whose key is not below `key`.
    func position(_ key: [UInt8]) -> Int {
        if let last = keys.last, Self.precedes(last, key) { return keys.count }
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if Self.precedes(keys[middle], key) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The place behind `key`, whether it is there or not.
    func end(through key: [UInt8]) -> Int {
        let index = position(key)
        return index < keys.count && keys[index] == key ? index + 1 : index
    }

    /// The places of the keys that start with `prefix`.
    func range(prefix: [UInt8]) -> Range<Int> {
        if prefix.isEmpty { return 0..<keys.count }
        let start = position(prefix)
        var after = prefix
        while let last = after.popLast() {
            if last < 255 {
                after.append(last + 1)
                return start..<position(after)
            }
        }
        return start..<keys.count
    }

    subscript(key: [UInt8]) -> [UInt8]? {
        get {
            let index = position(key)
            return index < keys.count && keys[index] == key ? values[index] : nil
        }
        set { _ = replace(key, newValue) }
    }

    /// Puts or, with `nil`, removes, and gives what was there.
    mutating func replace(_ key: [UInt8], _ value: [UInt8]?) -> [UInt8]? {
        let index = position(key)
        let previous = index < keys.count && keys[index] == key ? values[index] : nil
        switch (value, previous != nil) {
        case (.some(let value), true): values[index] = value
        case (.some(let value), false):
            keys.insert(key, at: index)
            values.insert(value, at: index)
        case (.none, true):
            keys.remove(at: index)
            values.remove(at: index)
        case (.none, false): break
        }
        return previous
    }

    private static func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        let common = min(a.count, b.count)
        var index = 0
        while index < common {
            if a[index] != b[index] { return a[index] < b[index] }
            index += 1
        }
        return a.count < b.count
    }
}
