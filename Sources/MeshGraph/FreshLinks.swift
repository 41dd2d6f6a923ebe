internal import MeshStorage

/// The links of new edges, gathered to be written list by list in order of their keys.
struct FreshLinks {
    private struct Item {
        /// Edge type and position.
        let list: UInt64
        let posting: Posting

        @inline(__always)
        static func precedes(_ a: Item, _ b: Item) -> Bool {
            a.list != b.list ? a.list < b.list : a.posting < b.posting
        }
    }

    var targets = TargetTable()
    private var owners: [UInt32] = []
    private var items: [Item] = []

    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }

    mutating func append(owner: Int, edge: UInt32, position: Int, _ posting: Posting) {
        owners.append(UInt32(truncatingIfNeeded: owner))
        items.append(Item(list: UInt64(edge) << 8 | UInt64(position), posting: posting))
    }

    /// Writes everything; the targets stay known.
    mutating func flush(_ storage: any StorageWriter) throws(StorageError) {
        guard !items.isEmpty else { return }
        let (order, starts) = arrange()
        let last = try Self.lastEntity(storage)
        var rows = RowBatch()
        rows.reserveCapacity(24 * items.count)
        for (place, number) in order.enumerated() {
            let range = starts[place]..<starts[place + 1]
            if range.isEmpty { continue }
            sort(range)
            let entity = targets.ids[Int(number)]
            var start = range.lowerBound
            while start < range.upperBound {
                var end = start + 1
                while end < range.upperBound, items[end].list == items[start].list { end += 1 }
                let list = items[start].list
                let key = GraphKey.list(entity, UInt32(list >> 8), UInt8(list & 0xff))
                var isThere = false
                if let last, entity <= last {
                    isThere = try storage.value(forKey: key, in: .graphLinks) != nil
                }
                if isThere {
                    let changes = items[start..<end].map { ($0.posting, true) }
                    try PostingList(key: key, storage: storage).change(changes)
                } else {
                    append(start..<end, key, to: &rows)
                }
                start = end
            }
        }
        try storage.put(rows, in: .graphLinks)
        owners.removeAll(keepingCapacity: true)
        items.removeAll(keepingCapacity: true)
    }

    /// Brings the items of each target together, the targets in order of their numbers.
    ///
    /// - Returns: The targets' dense numbers in that order, and where the items of each begin, with the end.
    private mutating func arrange() -> (order: [UInt32], starts: [Int]) {
        let ids = targets.ids
        var order = (0..<UInt32(ids.count)).map { $0 }
        order.sort { ids[Int($0)] < ids[Int($1)] }
        var counts = [Int](repeating: 0, count: ids.count)
        for owner in owners { counts[Int(owner)] += 1 }
        var starts: [Int] = []
        starts.reserveCapacity(ids.count + 1)
        var total = 0
        for number in order {
            starts.append(total)
            let count = counts[Int(number)]
            // From here on the next free place of the target.
            counts[Int(number)] = total
            total += count
        }
        starts.append(total)
        let gathered = items
        unsafe items.withUnsafeMutableBufferPointer { items in
            for (index, owner) in owners.enumerated() {
                let place = counts[Int(owner)]
                unsafe items[place] = gathered[index]
                counts[Int(owner)] = place + 1
            }
        }
        return (order, starts)
    }

    private mutating func sort(_ range: Range<Int>) {
        if range.count > 32 {
            items[range].sort(by: Item.precedes)
            return
        }
        unsafe items.withUnsafeMutableBufferPointer { items in
            for index in range.dropFirst() {
                let item = unsafe items[index]
                var place = index
                while place > range.lowerBound, unsafe Item.precedes(item, items[place - 1]) {
                    unsafe items[place] = items[place - 1]
                    place -= 1
                }
                unsafe items[place] = item
            }
        }
    }

    /// A list that was not there.
    private func append(_ range: Range<Int>, _ key: [UInt8], to rows: inout RowBatch) {
        rows.beginRow()
        rows.append(contentsOf: key)
        rows.endKey()
        if range.count <= PostingList.chunkCountMax {
            rows.append(0)
            append(range, to: &rows)
            rows.endRow()
            return
        }
        rows.append(1)
        rows.append(bigEndian: UInt64(range.count))
        rows.endRow()
        var start = range.lowerBound
        while start < range.upperBound {
            let end = PostingList.chunkEnd(start, range.upperBound)
            rows.beginRow()
            rows.append(contentsOf: key)
            rows.append(bigEndian: items[start].posting.peer)
            rows.append(bigEndian: items[start].posting.edge)
            rows.endKey()
            append(start..<end, to: &rows)
            rows.endRow()
            start = end
        }
    }

    @inline(__always)
    private func append(_ range: Range<Int>, to rows: inout RowBatch) {
        for index in range {
            rows.append(bigEndian: items[index].posting.peer)
            rows.append(bigEndian: items[index].posting.edge)
        }
    }

    /// The last entity that has a list.
    private static func lastEntity(_ storage: any StorageReader) throws(StorageError) -> UInt64? {
        var last: UInt64?
        let end = [0x7f] + [UInt8](repeating: 0xff, count: 40)
        try storage.scan(.graphLinks, prefix: [], from: end, reversed: true) { key, _ throws(StorageError) in
            var reader = RowReader(key)
            last = try reader.number64()
            return false
        }
        return last
    }
}
