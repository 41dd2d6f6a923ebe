public import MeshCore
internal import MeshIdentity
public import MeshStorage

/// The graph as text that is the same on every replica with the same changes.
///
/// One JSON object for each visible entity, in order of ``EntityID``, its keys sorted: `adds` (those that are left),
/// `attributes` with `at` and `by` of the write that won, `id`, `targets` of an edge, `type`.
public struct GraphDump {
    private let view: GraphView

    public init(_ view: GraphView) {
        self.view = view
    }

    /// Gives every line to `body`, without its end.
    public func forEachLine(_ body: (String) throws(StorageError) -> Void) throws(StorageError) {
        var entities: [(name: EntityID, id: LocalID)] = []
        try view.storage.scan(.graphEntities, prefix: []) { key, row throws(StorageError) in
            guard EntityRecord.isVisible(row) else { return true }
            var reader = RowReader(key)
            let id = LocalID(rawValue: try reader.number64())
            entities.append((try view.entityID(id), id))
            return true
        }
        entities.sort { $0.name < $1.name }
        for entity in entities { try body(try line(entity.name, entity.id)) }
    }

    /// All lines, each with its end.
    public func text() throws(StorageError) -> String {
        var text = ""
        try forEachLine { line throws(StorageError) in
            text += line
            text += "\n"
        }
        return text
    }

    private func line(_ name: EntityID, _ id: LocalID) throws(StorageError) -> String {
        guard let record = try view.visibleRecord(id) else { throw RowReader.corrupt() }
        var stamps: [(name: EntityID, text: String)] = []
        for add in record.adds where !add.isEnded { stamps.append(try stamp(add.operation)) }
        stamps.sort { $0.name < $1.name }
        var attributes: [(name: String, text: String)] = []
        for write in try view.writes(record) where !write.value.isNull {
            let stamp = try stamp(write.operation).text
            attributes.append(
                (
                    try view.name(NameID(rawValue: write.name)),
                    "{\(stamp),\"value\":\(Self.json(write.value))}"
                ))
        }
        attributes.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let adds = stamps.map { "{\($0.text)}" }.joined(separator: ",")
        let written = attributes.map { "\(Self.json($0.name)):\($0.text)" }.joined(separator: ",")
        var targets = ""
        if record.kind == .edge {
            var texts: [String] = []
            for target in record.targets {
                texts.append(Self.json(try view.entityID(LocalID(rawValue: target)).description))
            }
            targets = "\"targets\":[\(texts.joined(separator: ","))],"
        }
        let type = try view.name(NameID(rawValue: record.type))
        return "{\"adds\":[\(adds)],\"attributes\":{\(written)},\"id\":\(Self.json(name.description)),"
            + "\(targets)\"type\":\(Self.json(type))}"
    }

    /// When an operation stood, and where.
    private func stamp(_ operation: UInt64) throws(StorageError) -> (name: EntityID, text: String) {
        let info = try ChangeInfo.read(operation >> ChangeInfo.indexBits, view.storage)
        let name = EntityID.operation(
            author: info.author, seq: info.seq, index: UInt32(operation & ChangeInfo.indexMask))
        return (name, "\"at\":[\(info.time.milliseconds),\(info.time.counter)],\"by\":\"\(name)\"")
    }

    // MARK: JSON

    static func json(_ value: GraphValue) -> String {
        switch value {
        case .null, .entity: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): "\(value)"
        case .float(let value): "\(value)"
        case .string(let value): json(value)
        case .timestamp(let value): "{\"timestamp\":\(value)}"
        case .duration(let value): "{\"duration\":\(value)}"
        case .hash(let value): "{\"hash\":\"\(Hexadecimal.encode(value.bytes))\"}"
        case .bytes(let value): "{\"bytes\":\"\(Hexadecimal.encode(value))\"}"
        case .list(let values): "[\(values.map(json).joined(separator: ","))]"
        }
    }

    static func json(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
