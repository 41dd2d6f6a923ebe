public import MeshStorage

/// A visible entity as its row has it, read as far as it is asked.
///
/// Cheaper than ``Entity`` where one attribute or the targets are all that is wanted: nothing else is decoded.
/// Valid within the transaction that gave it.
public struct GraphRow {
    public let id: LocalID
    public let type: NameID
    public let isEdge: Bool
    private let bytes: [UInt8]
    private let targetCount: Int

    private static let targetsStart = 7

    init?(_ bytes: [UInt8], of id: LocalID) {
        guard bytes.count >= Self.targetsStart, EntityRecord.isVisible(bytes) else { return nil }
        self.id = id
        self.bytes = bytes
        type = NameID(
            rawValue: UInt32(bytes[2]) << 24 | UInt32(bytes[3]) << 16 | UInt32(bytes[4]) << 8
                | UInt32(bytes[5]))
        isEdge = bytes[0] & 3 == EntityRecord.Kind.edge.rawValue
        targetCount = Int(bytes[6])
    }

    /// The targets of an edge; empty for a node.
    public var targets: [LocalID] {
        get throws(StorageError) {
            var reader = RowReader(bytes, from: Self.targetsStart)
            var targets: [LocalID] = []
            targets.reserveCapacity(targetCount)
            for _ in 0..<targetCount { targets.append(LocalID(rawValue: try reader.number64())) }
            return targets
        }
    }

    /// The value of an attribute; null where it has none.
    ///
    /// `view`: The view that gave the row: the writes of an entity with a history are in order there.
    public func value(_ name: NameID, in view: GraphView) throws(StorageError) -> GraphValue {
        guard bytes[0] & EntityRecord.plainMark != 0 else {
            let record = try EntityRecord(bytes, of: id.rawValue)
            for attribute in try view.attributes(record) where attribute.name == name {
                return attribute.value
            }
            return .null
        }
        var reader = RowReader(bytes, from: Self.targetsStart + 8 * targetCount)
        for _ in 0..<(try reader.count()) {
            if try reader.number32() == name.rawValue { return try GraphValue(&reader) }
            try GraphValue.skip(&reader)
        }
        return .null
    }
}

extension GraphView {
    /// The row of a visible entity; `nil` for every other.
    public func row(_ id: LocalID) throws(StorageError) -> GraphRow? {
        guard let bytes = try storage.value(forKey: GraphKey.entity(id.rawValue), in: .graphEntities) else {
            return nil
        }
        return GraphRow(bytes, of: id)
    }
}
