internal import MeshCore
internal import MeshDAG
internal import MeshStorage

/// One change's way into the tables, or out of them.
///
/// It reads each row that it needs once, changes records in memory, gathers what follows for posting lists and
/// extents, and writes everything with ``flush()``. What it caches holds for this one call: the transaction may be
/// rolled back behind it.
final class GraphFold {
    let storage: any StorageWriter
    let caches: GraphCaches
    var fresh = FreshEntities()
    var records: [UInt64: EntityRecord] = [:]
    /// The entities whose changes have not been followed yet, each once.
    var pending: [UInt64] = []
    /// The entities that were changed.
    var touched: Set<UInt64> = []
    var links: [LinkChange] = []
    /// Whether `links` holds edges that the tables do not show yet.
    var hasNewLinks = false
    var extents: [ExtentChange] = []
    var indexRows: [IndexRowChange] = []
    var rowCounts: [UInt32: Int64] = [:]

    struct LinkChange {
        let entity: UInt64
        let edge: UInt32
        let position: UInt8
        let posting: Posting
        let isInserted: Bool
    }

    struct ExtentChange {
        let type: UInt32
        let entity: UInt64
        let isInserted: Bool
    }

    struct TypeIndex {
        let number: UInt32
        let attribute: UInt32
    }

    /// A whole row of an index, which comes or goes.
    struct IndexRowChange {
        let key: [UInt8]
        let isInserted: Bool
    }

    /// How many records, and how many changes of lists and indexes, are kept in memory before they are written.
    private let recordCountMax: Int
    private let changeCountMax: Int

    init(
        _ storage: any StorageWriter, _ caches: GraphCaches, recordCountMax: Int = 1 << 17,
        changeCountMax: Int = 1 << 20
    ) {
        self.storage = storage
        self.recordCountMax = recordCountMax
        self.changeCountMax = changeCountMax
        self.caches = caches
        caches.prepare()
    }

    // MARK: Records

    func record(_ id: UInt64) throws(StorageError) -> EntityRecord {
        if let known = records[id] { return known }
        if fresh.isNew(id) {
            let record = EntityRecord()
            records[id] = record
            return record
        }
        if fresh.mayHold(id) { try flushFreshRows() }
        let row = try storage.value(forKey: GraphKey.entity(id), in: .graphEntities)
        let record =
            try row.map { row throws(StorageError) in try EntityRecord(row, of: id) } ?? EntityRecord()
        records[id] = record
        return record
    }

    // MARK: Writing

    /// Writes everything that was gathered, and gives the entities that were changed, in order.
    func finish() throws(StorageError) -> [LocalID] {
        try write()
        return fresh.touched(with: touched)
    }

    /// Does what follows from the operations so far, and writes everything that was gathered.
    private func write() throws(StorageError) {
        try settle()
        try flushFreshRows()
        try flushRecords()
        try flushLinks()
        try flushExtents()
        try flushIndexRows()
    }

    /// Between two operations: writes what has become much, so that no change takes memory without end.
    func makeRoom() throws(StorageError) {
        if fresh.links.count >= 2 * changeCountMax { try flushLinks() }
        guard
            records.count >= recordCountMax || links.count >= changeCountMax
                || indexRows.count >= changeCountMax
        else { return }
        try write()
        records.removeAll()
        // What was fresh may have been changed by a record that is forgotten now.
        touched.formUnion(fresh.links.targets.ids)
        fresh.end()
    }

    private func flushRecords() throws(StorageError) {
        var rows = RowBatch()
        for id in touched.sorted() {
            guard let record = records[id], record.isChanged else { continue }
            record.isChanged = false
            let key = GraphKey.entity(id)
            if record.adds.isEmpty {
                record.kind = .unknown
                record.type = 0
                record.targets = []
            }
            if record.isEmpty {
                try storage.remove(key, in: .graphEntities)
            } else {
                rows.beginRow()
                rows.append(contentsOf: key)
                rows.endKey()
                rows.append(contentsOf: record.encoded(id))
                rows.endRow()
            }
        }
        if !rows.isEmpty { try storage.put(rows, in: .graphEntities) }
    }

    /// Brings the posting lists up to date.
    func flushLinks() throws(StorageError) {
        try fresh.links.flush(storage)
        hasNewLinks = false
        guard !links.isEmpty else { return }
        // Of several changes to one place the last one counts.
        let order = links.indices.sorted { a, b in
            let left = links[a]
            let right = links[b]
            if left.entity != right.entity { return left.entity < right.entity }
            if left.edge != right.edge { return left.edge < right.edge }
            if left.position != right.position { return left.position < right.position }
            if left.posting != right.posting { return left.posting < right.posting }
            return a < b
        }
        var start = 0
        while start < order.count {
            let first = links[order[start]]
            var changes: [(posting: Posting, isInserted: Bool)] = []
            var end = start
            while end < order.count {
                let link = links[order[end]]
                guard link.entity == first.entity, link.edge == first.edge, link.position == first.position
                else { break }
                if changes.last?.posting == link.posting { changes.removeLast() }
                changes.append((link.posting, link.isInserted))
                end += 1
            }
            let key = GraphKey.list(first.entity, first.edge, first.position)
            try PostingList(key: key, storage: storage).change(changes)
            start = end
        }
        links.removeAll(keepingCapacity: true)
    }

    private func flushExtents() throws(StorageError) {
        try flushFreshExtents()
        let order = extents.indices.sorted { a, b in
            let left = extents[a]
            let right = extents[b]
            if left.type != right.type { return left.type < right.type }
            if left.entity != right.entity { return left.entity < right.entity }
            return a < b
        }
        var start = 0
        while start < order.count {
            let type = extents[order[start]].type
            var change: Int64 = 0
            var end = start
            while end < order.count, extents[order[end]].type == type {
                let group = extents[order[end]].entity >> Extent.bits
                let key = GraphKey.extent(type, group)
                let row = try storage.value(forKey: key, in: .graphIndexes)
                var extent = try row.map { row throws(StorageError) in try Extent(row) } ?? Extent()
                while end < order.count {
                    let next = extents[order[end]]
                    guard next.type == type, next.entity >> Extent.bits == group else { break }
                    if extent.set(Int(next.entity & (1 << Extent.bits - 1)), next.isInserted) {
                        change += next.isInserted ? 1 : -1
                    }
                    end += 1
                }
                if extent.count > 0 {
                    try storage.put(extent.row, forKey: key, in: .graphIndexes)
                } else if row != nil {
                    try storage.remove(key, in: .graphIndexes)
                }
            }
            try add(change, to: GraphKey.typeCount(type))
            start = end
        }
        extents.removeAll()
    }

    /// Brings the indexes up to date; of several changes to one row the last one counts.
    private func flushIndexRows() throws(StorageError) {
        let order = indexRows.indices.sorted { a, b in
            let left = indexRows[a].key
            let right = indexRows[b].key
            return left == right ? a < b : left.lexicographicallyPrecedes(right)
        }
        var rows = RowBatch()
        for (place, index) in order.enumerated() {
            let row = indexRows[index]
            if place + 1 < order.count, indexRows[order[place + 1]].key == row.key { continue }
            guard row.isInserted else {
                try storage.remove(row.key, in: .graphIndexes)
                continue
            }
            rows.beginRow()
            rows.append(contentsOf: row.key)
            rows.endKey()
            rows.endRow()
        }
        if !rows.isEmpty { try storage.put(rows, in: .graphIndexes) }
        indexRows.removeAll()
        for number in rowCounts.keys.sorted() {
            try add(rowCounts[number] ?? 0, to: GraphKey.rowCount(number))
        }
        rowCounts.removeAll()
    }

    func add(_ change: Int64, to key: [UInt8]) throws(StorageError) {
        guard change != 0 else { return }
        let before = try GraphFold.number(key, .graphIndexes, storage)
        let after = before &+ UInt64(bitPattern: change)
        if after == 0 {
            try storage.remove(key, in: .graphIndexes)
        } else {
            var row: [UInt8] = []
            row.append(bigEndian: after)
            try storage.put(row, forKey: key, in: .graphIndexes)
        }
    }

    /// The number in a row; 0 where there is none.
    static func number(
        _ key: [UInt8], _ table: StorageTable, _ storage: any StorageReader
    ) throws(StorageError) -> UInt64 {
        guard let row = try storage.value(forKey: key, in: table) else { return 0 }
        var reader = RowReader(row)
        return try reader.number64()
    }
}
