public import MeshCore
internal import MeshIdentity
public import MeshStorage

/// The graph as one transaction sees it.
///
/// Everything that it gives is *visible*: a node that has an add left, an edge that has one left and whose
/// targets are all visible.
public struct GraphView {
    public let storage: any StorageReader

    public init(_ storage: any StorageReader) {
        self.storage = storage
    }

    // MARK: Names

    /// The number of a name; `nil` when nothing in the graph has borne it.
    public func nameID(_ text: String) throws(StorageError) -> NameID? {
        guard GraphLimits.isName(text.utf8) else { return nil }
        let number = try GraphFold.number(GraphKey.name(text), .graphNames, storage)
        return number == 0 ? nil : NameID(rawValue: UInt32(truncatingIfNeeded: number))
    }

    /// The text of a name.
    ///
    /// - Throws: ``StorageFailure/corrupt`` for a number that no name has.
    public func name(_ id: NameID) throws(StorageError) -> String {
        guard let row = try storage.value(forKey: GraphKey.nameText(id.rawValue), in: .graphNames) else {
            throw RowReader.corrupt()
        }
        return String(decoding: row, as: UTF8.self)
    }

    // MARK: Identity

    /// The entity's number, visible or not; `nil` for one that nothing has named yet.
    public func localID(_ id: EntityID) throws(StorageError) -> LocalID? {
        switch id {
        case .operation(let author, let seq, let index):
            guard UInt64(index) <= ChangeInfo.indexMask else { return nil }
            let ordinal = try GraphFold.number(GraphKey.change(author, seq), .graphNames, storage)
            if ordinal == 0 { return nil }
            return LocalID(rawValue: ordinal << ChangeInfo.indexBits | UInt64(index))
        case .key(let type, let key):
            guard GraphLimits.isKey(key.utf8), let type = try nameID(type) else { return nil }
            let number = try GraphFold.number(GraphKey.key(key, type.rawValue), .graphNames, storage)
            return number == 0 ? nil : LocalID(rawValue: number)
        }
    }

    /// The visible entities of any type with this explicit key, in order of their types' names.
    public func localIDs(key: String) throws(StorageError) -> [LocalID] {
        guard GraphLimits.isKey(key.utf8) else { return [] }
        var found: [(type: String, id: LocalID)] = []
        try storage.scan(.graphNames, prefix: GraphKey.key(key)) { row, value throws(StorageError) in
            var type = RowReader(row, from: row.count - 4)
            var number = RowReader(value)
            let id = LocalID(rawValue: try number.number64())
            if try isVisible(id) { found.append((try name(NameID(rawValue: type.number32())), id)) }
            return true
        }
        found.sort { $0.type.utf8.lexicographicallyPrecedes($1.type.utf8) }
        return found.map(\.id)
    }

    /// What the entity with this number is called everywhere.
    ///
    /// - Throws: ``StorageFailure/corrupt`` for a number that was never given.
    public func entityID(_ id: LocalID) throws(StorageError) -> EntityID {
        if id.rawValue & ChangeInfo.keyedMark != 0 {
            guard let row = try storage.value(forKey: GraphKey.keyText(id.rawValue), in: .graphNames) else {
                throw RowReader.corrupt()
            }
            var reader = RowReader(row)
            let type = try name(NameID(rawValue: reader.number32()))
            return .key(type: type, key: try reader.text(reader.remaining))
        }
        let info = try ChangeInfo.read(id.rawValue >> ChangeInfo.indexBits, storage)
        return .operation(
            author: info.author, seq: info.seq, index: UInt32(id.rawValue & ChangeInfo.indexMask))
    }

    // MARK: Indexes

    /// The indexes there are, by name.
    public func indexes() throws(StorageError) -> [GraphIndex] {
        var indexes: [GraphIndex] = []
        for row in try IndexRow.all(storage) {
            var types: [String] = []
            for type in row.types { types.append(try name(NameID(rawValue: type))) }
            types.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let definition = IndexDefinition(
                name: row.name, types: types, attribute: try name(NameID(rawValue: row.attribute)),
                isUnique: row.isUnique)
            indexes.append(GraphIndex(number: row.number, definition: definition))
        }
        return indexes
    }

    /// The entities whose attribute is exactly `value`, in order of their numbers.
    ///
    /// Values longer than ``GraphIndex/valueByteCountMax`` share a row with what begins alike: check them.
    public func lookUp(_ value: GraphValue, in index: GraphIndex) throws(StorageError) -> [LocalID] {
        guard let key = IndexKey.encode(value) else { return [] }
        var found: [LocalID] = []
        try storage.scan(.graphIndexes, prefix: GraphKey.index(index.number) + key) {
            key, _ throws(StorageError) in
            found.append(try IndexCursor.entity(key))
            return true
        }
        return found
    }

    /// The entities whose attribute lies between two bounds, both included (`nil` for none), in its order.
    ///
    /// Long values are cut as for ``lookUp(_:in:)``; null values are in no index.
    /// Values of one kind stand together, so that one bound alone keeps to its kind: an int is not below any float.
    public func range(
        _ lower: GraphValue?, _ upper: GraphValue?, in index: GraphIndex, isDescending: Bool
    ) -> IndexCursor {
        IndexCursor(storage, index.number, lower, upper, isDescending: isDescending)
    }

    /// How many rows an index has.
    public func rowCount(of index: GraphIndex) throws(StorageError) -> UInt64 {
        try GraphFold.number(GraphKey.rowCount(index.number), .graphIndexes, storage)
    }
}
