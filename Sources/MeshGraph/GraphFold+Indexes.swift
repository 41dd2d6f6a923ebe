internal import MeshStorage

/// Rows of the indexes, which visible entities have.
extension GraphFold {
    /// The indexes over a type.
    func indexes(over type: UInt32) throws(StorageError) -> [TypeIndex] {
        if let indexes = caches.indexes { return indexes[type] ?? [] }
        var found: [UInt32: [TypeIndex]] = [:]
        for row in try IndexRow.all(storage) {
            for type in row.types {
                found[type, default: []].append(TypeIndex(number: row.number, attribute: row.attribute))
            }
        }
        caches.indexes = found
        return found[type] ?? []
    }

    /// The rows that an entity has while it is visible: each without the entity's number.
    func indexKeys(_ record: EntityRecord) throws(StorageError) -> [IndexRowKey] {
        let indexes = try indexes(over: record.type)
        if indexes.isEmpty { return [] }
        let writes = try record.writes { a, b throws(StorageError) in try precedes(a, b) }
        var keys: [IndexRowKey] = []
        for index in indexes {
            guard let write = writes.first(where: { $0.name == index.attribute }),
                let value = IndexKey.encode(write.value)
            else { continue }
            keys.append(IndexRowKey(number: index.number, key: GraphKey.index(index.number) + value))
        }
        return keys
    }

    /// The rows of an entity that has these attributes and no others.
    func indexKeys(
        _ type: UInt32, _ attributes: [EntityRecord.Attribute]
    ) throws(StorageError) -> [IndexRowKey] {
        let indexes = try indexes(over: type)
        if indexes.isEmpty { return [] }
        var keys: [IndexRowKey] = []
        for index in indexes {
            guard let attribute = attributes.first(where: { $0.name == index.attribute }),
                let value = IndexKey.encode(attribute.value)
            else { continue }
            keys.append(IndexRowKey(number: index.number, key: GraphKey.index(index.number) + value))
        }
        return keys
    }

    struct IndexRowKey: Equatable {
        let number: UInt32
        let key: [UInt8]
    }

    func putRows(_ keys: [IndexRowKey], of id: UInt64) {
        for row in keys {
            var key = row.key
            key.append(bigEndian: id)
            indexRows.append(IndexRowChange(key: key, isInserted: true))
            rowCounts[row.number, default: 0] += 1
        }
    }

    func removeRows(_ keys: [IndexRowKey], of id: UInt64) {
        for row in keys {
            var key = row.key
            key.append(bigEndian: id)
            indexRows.append(IndexRowChange(key: key, isInserted: false))
            rowCounts[row.number, default: 0] -= 1
        }
    }

    // MARK: Definitions

    /// Makes the indexes those of `definitions`.
    func setIndexes(_ definitions: [IndexDefinition]) throws(StorageError) {
        var wanted: [String: IndexDefinition] = [:]
        for definition in definitions where wanted[definition.name] == nil && Self.isValid(definition) {
            wanted[definition.name] = definition
        }
        for row in try IndexRow.all(storage) {
            if let definition = wanted[row.name], try IndexRow(row.number, definition, self) == row {
                wanted[row.name] = nil
            } else {
                try drop(row)
            }
        }
        for name in wanted.keys.sorted() {
            if let definition = wanted[name] { try build(definition) }
        }
    }

    private static func isValid(_ definition: IndexDefinition) -> Bool {
        GraphLimits.isName(definition.name) && GraphLimits.isName(definition.attribute)
            && definition.types.allSatisfy(GraphLimits.isName)
    }

    private func drop(_ row: IndexRow) throws(StorageError) {
        caches.indexes = nil
        var keys: [[UInt8]] = []
        try storage.scan(.graphIndexes, prefix: GraphKey.index(row.number)) { key, _ throws(StorageError) in
            keys.append(key)
            return true
        }
        for key in keys { try storage.remove(key, in: .graphIndexes) }
        try storage.remove(GraphKey.rowCount(row.number), in: .graphIndexes)
        try storage.remove(GraphKey.definition(row.name), in: .graphIndexes)
    }

    private func build(_ definition: IndexDefinition) throws(StorageError) {
        let key = GraphKey.counter(.indexes)
        let number = try Self.number(key, .graphNames, storage) + 1
        guard let fitting = UInt32(exactly: number) else { throw RowReader.corrupt() }
        var counter: [UInt8] = []
        counter.append(bigEndian: number)
        try storage.put(counter, forKey: key, in: .graphNames)
        let row = try IndexRow(fitting, definition, self)
        try storage.put(row.encoded, forKey: GraphKey.definition(row.name), in: .graphIndexes)
        // Built alone: entities that were there have their rows in the others.
        let index = TypeIndex(number: row.number, attribute: row.attribute)
        var keys: [[UInt8]] = []
        for type in row.types {
            caches.indexes = [type: [index]]
            var cursor = GraphView(storage).entities(ofType: NameID(rawValue: type))
            while let id = try cursor.next() {
                let row = try storage.value(forKey: GraphKey.entity(id.rawValue), in: .graphEntities)
                guard let row else { throw RowReader.corrupt() }
                for key in try indexKeys(EntityRecord(row, of: id.rawValue)) {
                    var key = key.key
                    key.append(bigEndian: id.rawValue)
                    keys.append(key)
                }
            }
        }
        keys.sort { $0.lexicographicallyPrecedes($1) }
        var rows = RowBatch()
        for key in keys {
            rows.beginRow()
            rows.append(contentsOf: key)
            rows.endKey()
            rows.endRow()
        }
        try storage.put(rows, in: .graphIndexes)
        rowCounts[row.number, default: 0] += Int64(keys.count)
        caches.indexes = nil
    }
}

/// An index's definition as its row has it.
struct IndexRow: Equatable {
    let name: String
    let number: UInt32
    let isUnique: Bool
    let attribute: UInt32
    let types: [UInt32]

    init(_ number: UInt32, _ definition: IndexDefinition, _ fold: GraphFold) throws(StorageError) {
        name = definition.name
        self.number = number
        isUnique = definition.isUnique
        attribute = try fold.name(definition.attribute)
        var types: [UInt32] = []
        for type in definition.types {
            let type = try fold.name(type)
            if !types.contains(type) { types.append(type) }
        }
        self.types = types.sorted()
    }

    var encoded: [UInt8] {
        var row: [UInt8] = []
        row.append(bigEndian: number)
        row.append(isUnique ? 1 : 0)
        row.append(bigEndian: attribute)
        for type in types { row.append(bigEndian: type) }
        return row
    }

    private init(_ key: [UInt8], _ row: [UInt8]) throws(StorageError) {
        var reader = RowReader(row)
        name = String(decoding: key.dropFirst(), as: UTF8.self)
        number = try reader.number32()
        isUnique = try reader.byte() != 0
        attribute = try reader.number32()
        var types: [UInt32] = []
        while !reader.isAtEnd { types.append(try reader.number32()) }
        self.types = types
    }

    /// Every index, by name.
    static func all(_ storage: any StorageReader) throws(StorageError) -> [IndexRow] {
        var rows: [IndexRow] = []
        try storage.scan(.graphIndexes, prefix: GraphKey.definitions) { key, value throws(StorageError) in
            rows.append(try IndexRow(key, value))
            return true
        }
        return rows
    }
}
