public import IPLD
public import MeshCore

/// The store in memory: for tests and simulators, with the same transactions as the one on disk.
///
/// One writer at a time; a transaction that throws leaves nothing behind.
public final class MemoryStorage: StorageWriter {
    private var tables: [StorageTable: SortedTable] = [:]
    private var blocks: [CID: [UInt8]] = [:]
    private var undo: [() -> Void] = []
    private var inTransaction = false

    public init() {}

    /// Runs `body` as one transaction.
    public func write<Value>(
        _ body: (any StorageWriter) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        precondition(!inTransaction, "transactions do not nest")
        inTransaction = true
        defer {
            inTransaction = false
            undo.removeAll()
        }
        do throws(StorageError) {
            return try body(self)
        } catch {
            for step in undo.reversed() { step() }
            throw error
        }
    }

    public func value(forKey key: [UInt8], in table: StorageTable) throws(StorageError) -> [UInt8]? {
        tables[table]?[key]
    }

    public func scan(
        _ table: StorageTable, prefix: [UInt8], from start: [UInt8], reversed: Bool,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> Bool
    ) throws(StorageError) {
        guard let pairs = tables[table]?.pairs(prefix: prefix) else { return }
        if reversed {
            for (key, value) in pairs.reversed() {
                if !start.isEmpty, start.lexicographicallyPrecedes(key) { continue }
                guard try body(key, value) else { return }
            }
        } else {
            for (key, value) in pairs {
                if key.lexicographicallyPrecedes(start) { continue }
                guard try body(key, value) else { return }
            }
        }
    }

    public func block(_ cid: CID) throws(StorageError) -> [UInt8]? { blocks[cid] }
    public func hasBlock(_ cid: CID) throws(StorageError) -> Bool { blocks[cid] != nil }

    public func put(_ value: [UInt8], forKey key: [UInt8], in table: StorageTable) throws(StorageError) {
        try table.checkKey(key)
        replace(value, forKey: key, in: table)
    }

    public func remove(_ key: [UInt8], in table: StorageTable) throws(StorageError) {
        replace(nil, forKey: key, in: table)
    }

    private func replace(_ value: [UInt8]?, forKey key: [UInt8], in table: StorageTable) {
        let previous = tables[table]?[key]
        tables[table, default: SortedTable()][key] = value
        undo.append { [unowned self] in tables[table, default: SortedTable()][key] = previous }
    }

    public func removeAll(in table: StorageTable) throws(StorageError) {
        let previous = tables[table]
        tables[table] = nil
        undo.append { [unowned self] in tables[table] = previous }
    }

    public func putBlock(_ bytes: [UInt8], cid: CID) throws(StorageError) {
        guard blocks[cid] == nil else { return }
        blocks[cid] = bytes
        undo.append { [unowned self] in blocks[cid] = nil }
    }
}

/// Pairs in key order, kept as two arrays.
private struct SortedTable {
    private var keys: [[UInt8]] = []
    private var values: [[UInt8]] = []

    private func position(_ key: [UInt8]) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle].lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    subscript(key: [UInt8]) -> [UInt8]? {
        get {
            let index = position(key)
            return index < keys.count && keys[index] == key ? values[index] : nil
        }
        set {
            let index = position(key)
            let found = index < keys.count && keys[index] == key
            switch (newValue, found) {
            case (.some(let value), true): values[index] = value
            case (.some(let value), false):
                keys.insert(key, at: index)
                values.insert(value, at: index)
            case (.none, true):
                keys.remove(at: index)
                values.remove(at: index)
            case (.none, false): break
            }
        }
    }

    func pairs(prefix: [UInt8]) -> [(key: [UInt8], value: [UInt8])] {
        var found: [(key: [UInt8], value: [UInt8])] = []
        var index = position(prefix)
        while index < keys.count, keys[index].starts(with: prefix) {
            found.append((keys[index], values[index]))
            index += 1
        }
        return found
    }
}
