public import MeshCore
public import MeshStorage

extension GraphView {
    // MARK: Entities

    /// A visible entity; `nil` for every other.
    public func entity(_ id: LocalID) throws(StorageError) -> Entity? {
        guard let record = try visibleRecord(id) else { return nil }
        var adds: [GraphAdd] = []
        for add in record.adds where !add.isEnded {
            let info = try ChangeInfo.read(add.operation >> ChangeInfo.indexBits, storage)
            adds.append(
                .operation(
                    author: info.author, seq: info.seq,
                    index: UInt32(add.operation & ChangeInfo.indexMask)))
        }
        if adds.count > 1 { adds.sort() }
        return Entity(
            id: id, type: NameID(rawValue: record.type),
            targets: record.targets.map(LocalID.init(rawValue:)), isEdge: record.kind == .edge,
            attributes: try attributes(record), adds: adds)
    }

    /// The attributes of a visible entity, sorted by name, without nulls; `nil` for every other.
    ///
    /// Cheaper than ``entity(_:)``, which also says who added it.
    public func attributes(of id: LocalID) throws(StorageError) -> [Entity.Attribute]? {
        try visibleRecord(id).map { record throws(StorageError) in try attributes(record) }
    }

    func attributes(_ record: EntityRecord) throws(StorageError) -> [Entity.Attribute] {
        if record.adds.count == 1, record.adds[0].sets.isEmpty {
            return record.adds[0].attributes.map {
                Entity.Attribute(name: NameID(rawValue: $0.name), value: $0.value)
            }
        }
        var result: [Entity.Attribute] = []
        for write in try writes(record) where !write.value.isNull {
            result.append(Entity.Attribute(name: NameID(rawValue: write.name), value: write.value))
        }
        return result
    }

    func writes(_ record: EntityRecord) throws(StorageError) -> [EntityRecord.Write] {
        try record.writes { a, b throws(StorageError) in try precedes(a, b) }
    }

    private func precedes(_ a: UInt64, _ b: UInt64) throws(StorageError) -> Bool {
        try ChangeInfo.precedes(a, b) { ordinal throws(StorageError) in try ChangeInfo.read(ordinal, storage)
        }
    }

    func visibleRecord(_ id: LocalID) throws(StorageError) -> EntityRecord? {
        let row = try storage.value(forKey: GraphKey.entity(id.rawValue), in: .graphEntities)
        guard let row, EntityRecord.isVisible(row) else { return nil }
        return try EntityRecord(row, of: id.rawValue)
    }

    public func isVisible(_ id: LocalID) throws(StorageError) -> Bool {
        let row = try storage.value(forKey: GraphKey.entity(id.rawValue), in: .graphEntities)
        return row.map(EntityRecord.isVisible) ?? false
    }

    /// Of some visible entities the one that was there first, `nil` where none of them is visible.
    ///
    /// What counts is the first of its adds that is left, in order of (time, author, seq, index).
    /// Which of several a unique look-up means, on every replica.
    public func earliest(of ids: [LocalID]) throws(StorageError) -> LocalID? {
        var first: (id: LocalID, add: UInt64)?
        for id in ids {
            guard let record = try visibleRecord(id) else { continue }
            for add in record.adds where !add.isEnded {
                if let known = first, try !precedes(add.operation, known.add) { continue }
                first = (id, add.operation)
            }
        }
        return first?.id
    }

    /// All visible entities of exactly this type (a node's or an edge's), in order of their numbers.
    public func entities(ofType type: NameID) -> EntityCursor { EntityCursor(storage, type.rawValue) }

    /// How many visible entities there are of exactly this type.
    public func count(ofType type: NameID) throws(StorageError) -> UInt64 {
        try GraphFold.number(GraphKey.typeCount(type.rawValue), .graphIndexes, storage)
    }

    // MARK: Links

    /// The visible edges of this type that have `entity` as their target at `position`, by (peer, edge).
    public func links(of entity: LocalID, edge: NameID, at position: Int) -> LinkCursor {
        LinkCursor(storage, Self.listKey(entity, edge, position))
    }

    /// How many links ``links(of:edge:at:)`` gives; one read, however many there are.
    public func linkCount(
        of entity: LocalID, edge: NameID, at position: Int
    ) throws(StorageError) -> Int {
        let key = Self.listKey(entity, edge, position)
        guard let row = try storage.value(forKey: key, in: .graphLinks) else { return 0 }
        return row.first == 1 ? try PostingList.longCount(row) : (row.count - 1) / Posting.byteCount
    }

    private static func listKey(_ entity: LocalID, _ edge: NameID, _ position: Int) -> [UInt8] {
        GraphKey.list(entity.rawValue, edge.rawValue, UInt8(clamping: position))
    }

    /// Every visible edge of any type that has `entity` among its targets, each once, in order of their numbers.
    public func edges(touching entity: LocalID) throws(StorageError) -> [LocalID] {
        var edges: [UInt64] = []
        try storage.scan(.graphLinks, prefix: GraphKey.entity(entity.rawValue)) {
            key, value throws(StorageError) in
            edges += try GraphFold.edges(key, value)
            return true
        }
        edges.sort()
        var result: [LocalID] = []
        result.reserveCapacity(edges.count)
        for edge in edges where result.last?.rawValue != edge { result.append(LocalID(rawValue: edge)) }
        return result
    }
}
