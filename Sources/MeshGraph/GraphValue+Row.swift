internal import MeshCore
internal import MeshStorage

/// A value as the graph's own rows hold it: a byte for its kind, then its content.
extension GraphValue {
    private enum Kind: UInt8 {
        case null, no, yes, int, float, string, timestamp, duration, hash, bytes, list
    }

    func append(to row: inout [UInt8]) {
        switch self {
        case .null, .entity: row.append(Kind.null.rawValue)
        case .bool(let value): row.append((value ? Kind.yes : .no).rawValue)
        case .int(let value): Self.append(.int, value, &row)
        case .timestamp(let value): Self.append(.timestamp, value, &row)
        case .duration(let value): Self.append(.duration, value, &row)
        case .float(let value):
            row.append(Kind.float.rawValue)
            row.append(bigEndian: value.bitPattern)
        case .string(let text):
            row.append(Kind.string.rawValue)
            row.append(varint: UInt64(text.utf8.count))
            row.append(contentsOf: text.utf8)
        case .hash(let digest):
            row.append(Kind.hash.rawValue)
            digest.append(to: &row)
        case .bytes(let bytes):
            row.append(Kind.bytes.rawValue)
            row.append(varint: UInt64(bytes.count))
            row.append(contentsOf: bytes)
        case .list(let values):
            row.append(Kind.list.rawValue)
            row.append(varint: UInt64(values.count))
            for value in values { value.append(to: &row) }
        }
    }

    private static func append(_ kind: Kind, _ value: Int64, _ row: inout [UInt8]) {
        row.append(kind.rawValue)
        // Small numbers of either sign are short.
        row.append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    init(_ reader: inout RowReader, depth: Int = 0) throws(StorageError) {
        guard let kind = Kind(rawValue: try reader.byte()) else { throw RowReader.corrupt() }
        switch kind {
        case .null: self = .null
        case .no: self = .bool(false)
        case .yes: self = .bool(true)
        case .int: self = .int(try Self.signed(&reader))
        case .timestamp: self = .timestamp(try Self.signed(&reader))
        case .duration: self = .duration(try Self.signed(&reader))
        case .float: self = .float(Double(bitPattern: try reader.number64()))
        case .string: self = .string(try reader.text(reader.count()))
        case .hash: self = .hash(Bytes32(reader.bytes, at: try reader.take(32).lowerBound))
        case .bytes: self = .bytes(Array(reader.bytes[try reader.take(reader.count())]))
        case .list:
            guard depth <= GraphLimits.listDepthMax else { throw RowReader.corrupt() }
            var values: [GraphValue] = []
            for _ in 0..<(try reader.count()) { values.append(try GraphValue(&reader, depth: depth + 1)) }
            self = .list(values)
        }
    }

    /// Goes past a value without making it.
    static func skip(_ reader: inout RowReader, depth: Int = 0) throws(StorageError) {
        guard let kind = Kind(rawValue: try reader.byte()) else { throw RowReader.corrupt() }
        switch kind {
        case .null, .no, .yes: break
        case .int, .timestamp, .duration: _ = try reader.varint()
        case .float: _ = try reader.take(8)
        case .string, .bytes: _ = try reader.take(reader.count())
        case .hash: _ = try reader.take(32)
        case .list:
            guard depth <= GraphLimits.listDepthMax else { throw RowReader.corrupt() }
            for _ in 0..<(try reader.count()) { try skip(&reader, depth: depth + 1) }
        }
    }

    private static func signed(_ reader: inout RowReader) throws(StorageError) -> Int64 {
        let value = try reader.varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
