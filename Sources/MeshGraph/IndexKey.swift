internal import MeshCore

/// A value as an index orders it: a byte for its kind, then bytes that sort as the values do.
enum IndexKey {
    /// The value's bytes; `nil` for what no index holds: null, lists and entities.
    ///
    /// Text and byte strings are cut to ``GraphIndex/valueByteCountMax`` bytes, and further where many zero bytes
    /// in them would outgrow a key.
    static func encode(_ value: GraphValue) -> [UInt8]? {
        var key: [UInt8] = []
        switch value {
        case .null, .list, .entity: return nil
        case .bool(let value): key = [1, value ? 1 : 0]
        case .int(let number): append(2, number, &key)
        case .float(let number):
            // Both zeros are one value; the sign and then the order of magnitudes.
            let pattern = (number == 0 ? 0 : number).bitPattern
            key.append(3)
            key.append(bigEndian: pattern >> 63 == 1 ? ~pattern : pattern | 1 << 63)
        case .string(let text): append(4, text.utf8, &key)
        case .timestamp(let number): append(5, number, &key)
        case .duration(let number): append(6, number, &key)
        case .hash(let digest):
            key.append(7)
            digest.append(to: &key)
        case .bytes(let bytes): append(8, bytes, &key)
        }
        return key
    }

    /// Whether other values may have the same bytes.
    static func isCut(_ value: GraphValue) -> Bool {
        switch value {
        case .string(let text): text.utf8.count >= cutLeast
        case .bytes(let bytes): bytes.count >= cutLeast
        default: false
        }
    }

    /// What of a key of 511 bytes an index's number, the kind, the end of the text and the entity leave.
    private static let encodedByteCountMax = 480
    /// Shorter texts fit even if they are all zero bytes.
    static let cutLeast = encodedByteCountMax / 2

    private static func append(_ kind: UInt8, _ number: Int64, _ key: inout [UInt8]) {
        key.append(kind)
        key.append(bigEndian: UInt64(bitPattern: number) ^ 1 << 63)
    }

    /// A zero byte is written with a 1 behind it, so that two zeros end what comes before anything longer.
    private static func append(_ kind: UInt8, _ bytes: some Collection<UInt8>, _ key: inout [UInt8]) {
        key.reserveCapacity(bytes.count + 3)
        key.append(kind)
        for byte in bytes.prefix(GraphIndex.valueByteCountMax) {
            guard key.count + 2 <= encodedByteCountMax else { break }
            key.append(byte)
            if byte == 0 { key.append(1) }
        }
        key.append(0)
        key.append(0)
    }
}
