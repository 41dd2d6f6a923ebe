internal import MeshCore
internal import MeshIdentity
internal import MeshStorage

/// What one change adds that nobody can have named before, because its change had no number yet.
///
/// Such entities have no history, nothing waits for them, and there is no row to look for: what is left of adding one
/// is to append its row and to gather its links.
struct FreshEntities {
    /// The ordinal that this call gave out last.
    var newOrdinal: UInt64 = 0
    private var ordinal: UInt64 = 0
    var links = FreshLinks()
    /// Rows of new entities that are not written yet.
    var rows = RowBatch()
    /// The new entities of each type, rising, and whether they are in their extents.
    var types: [(type: UInt32, ids: [UInt64], isWritten: Bool)] = []

    /// The number of operation 0; 0 while nothing is fresh.
    private(set) var base: UInt64 = 0
    /// The last entity that got a row.
    private var last: UInt64 = 0

    /// Begins a change, which is fresh if its ordinal was given out by this call.
    mutating func begin(_ base: UInt64) {
        guard base >> ChangeInfo.indexBits == newOrdinal else { return }
        self.base = base
        ordinal = newOrdinal
    }

    /// From here on nothing is fresh.
    mutating func end() {
        base = 0
        links.targets.removeAll()
    }

    private func isOwn(_ id: UInt64) -> Bool {
        base != 0 && id & ChangeInfo.keyedMark == 0 && id >> ChangeInfo.indexBits == ordinal
    }

    /// Whether an entity has no row, here or in the tables.
    func isNew(_ id: UInt64) -> Bool { isOwn(id) && id >= base && id > last }

    /// Whether an entity's row may not have been written yet.
    func mayHold(_ id: UInt64) -> Bool { isOwn(id) && id <= last }

    /// Notes that an entity got its row.
    @inline(__always)
    mutating func add(_ id: UInt64, _ type: UInt32) {
        last = id
        for index in types.indices where types[index].type == type {
            types[index].ids.append(id)
            return
        }
        types.append((type, [id], false))
    }

    /// Every entity that was added or linked, and those of `others`, in order.
    func touched(with others: Set<UInt64>) -> [LocalID] {
        var ids = Array(others.sorted())
        let targets = links.targets.ids.sorted()
        ids += targets
        for type in types { ids += type.ids }
        if !targets.isEmpty || !types.isEmpty { ids.sort() }
        var result: [LocalID] = []
        result.reserveCapacity(ids.count)
        for id in ids where result.last?.rawValue != id { result.append(LocalID(rawValue: id)) }
        return result
    }
}

extension GraphFold {
    /// Adds a fresh node or edge that is visible at once; `false`, and nothing done, for any other operation.
    func addFresh(_ operation: GraphOperation, _ place: Place) throws(StorageError) -> Bool {
        guard fresh.base != 0 else { return false }
        // What was named before it came has a record.
        if !records.isEmpty, records[place.operation] != nil { return false }
        switch operation {
        case .spawn(let type, nil, let attributes):
            return try addFresh(.node, type, [], attributes, place)
        case .link(let edge, let targets, false, let attributes):
            return try addFresh(.edge, edge, targets, attributes, place)
        default: return false
        }
    }

    private func addFresh(
        _ kind: EntityRecord.Kind, _ type: String, _ targets: [GraphTarget], _ attributes: [GraphAttribute],
        _ place: Place
    ) throws(StorageError) -> Bool {
        guard caches.isLastName(type) || GraphLimits.isName(type.utf8),
            (kind == .node) == targets.isEmpty, targets.count <= GraphLimits.targetCountMax,
            attributes.isEmpty || Self.areValid(attributes)
        else { return false }
        let id = place.operation
        // The common edge has two targets, which need no array.
        var first = (number: 0, id: UInt64(0))
        var second = first
        var more: [(number: Int, id: UInt64)] = []
        for (position, target) in targets.enumerated() {
            guard let target = try seenTarget(target, place) else { return false }
            switch position {
            case 0: first = target
            case 1: second = target
            default: more.append(target)
            }
        }
        let type = try name(type)
        let peers = targets.count == 2 ? (second.id, first.id) : (0, 0)
        fresh.rows.beginRow()
        fresh.rows.append(bigEndian: id)
        fresh.rows.endKey()
        EntityRecord.appendHead(kind, type, targetCount: targets.count, to: &fresh.rows)
        for position in targets.indices {
            let target = position == 0 ? first : position == 1 ? second : more[position - 2]
            fresh.rows.append(bigEndian: target.id)
            fresh.links.append(
                owner: target.number, edge: type, position: position,
                Posting(peer: position == 0 ? peers.0 : position == 1 ? peers.1 : 0, edge: id))
        }
        if attributes.isEmpty {
            fresh.rows.append(0)
            fresh.rows.endRow()
        } else {
            let numbered = try self.attributes(attributes)
            var row: [UInt8] = []
            EntityRecord.append(numbered, to: &row)
            fresh.rows.append(contentsOf: row)
            fresh.rows.endRow()
            putRows(try indexKeys(type, numbered), of: id)
        }
        fresh.add(id, type)
        return true
    }

    /// A target that is seen, with its number in the table of targets; `nil` for every other.
    private func seenTarget(
        _ target: GraphTarget, _ place: Place
    ) throws(StorageError) -> (number: Int, id: UInt64)? {
        let id: UInt64
        switch target {
        case .added(let index):
            guard let known = place.entity(addedBy: index) else { return nil }
            id = known
        case .entity(let name):
            guard let known = try entity(name) else { return nil }
            id = known
        }
        // It may name what comes later.
        if fresh.isNew(id) { return nil }
        if !records.isEmpty, let record = records[id] {
            // What is ended and not settled yet is hidden later, and its links with it.
            guard record.isVisible else { return nil }
            return number(id)
        }
        // What was linked before is seen, unless there is a record that says otherwise.
        if let number = fresh.links.targets.find(id) { return (number, id) }
        if fresh.mayHold(id) {
            // An operation before this one that was not void, and took this way too.
            guard id >= place.base, place.added[Int(id - place.base)] == id else { return nil }
            return number(id)
        }
        guard let row = try storage.value(forKey: GraphKey.entity(id), in: .graphEntities),
            EntityRecord.isVisible(row)
        else { return nil }
        return number(id)
    }

    private func number(_ id: UInt64) -> (number: Int, id: UInt64)? {
        (fresh.links.targets.find(id) ?? fresh.links.targets.insert(id)).map { ($0, id) }
    }

    // MARK: Writing

    func flushFreshRows() throws(StorageError) {
        guard !fresh.rows.isEmpty else { return }
        let rows = fresh.rows
        fresh.rows = RowBatch()
        try storage.put(rows, in: .graphEntities)
    }

    func flushFreshExtents() throws(StorageError) {
        for index in fresh.types.indices {
            let (type, ids, isWritten) = fresh.types[index]
            if isWritten { continue }
            fresh.types[index].isWritten = true
            var rows = RowBatch()
            var start = 0
            while start < ids.count {
                let group = ids[start] >> Extent.bits
                let key = GraphKey.extent(type, group)
                // A stretch lies within one change, and is written when nothing fresh can follow: it has no row.
                var extent = Extent()
                while start < ids.count, ids[start] >> Extent.bits == group {
                    extent.set(Int(ids[start] & (1 << Extent.bits - 1)), true)
                    start += 1
                }
                rows.beginRow()
                rows.append(contentsOf: key)
                rows.endKey()
                rows.append(contentsOf: extent.row)
                rows.endRow()
            }
            try storage.put(rows, in: .graphIndexes)
            try add(Int64(ids.count), to: GraphKey.typeCount(type))
        }
    }
}
