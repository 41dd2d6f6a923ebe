internal import MeshCore
public import MeshGraph

extension StaticType {
    /// What a value that came from outside means as one of this type.
    ///
    /// JSON and CSV have no timestamps, durations, hashes and bytes of their own: they come as RFC 3339 text,
    /// milliseconds, hexadecimal and base64. A value that already fits, or means nothing of the kind, stays
    /// what it is, and is refused where it is used.
    public func reading(_ value: GraphValue) -> GraphValue {
        if holds(value) { return value }
        for member in members {
            switch (member, value) {
            case (.scalar(.timestamp), .string(let text)):
                if let time = Timestamp(text) { return .timestamp(time.milliseconds) }
            case (.scalar(.timestamp), .int(let milliseconds)): return .timestamp(milliseconds)
            case (.scalar(.duration), .int(let milliseconds)): return .duration(milliseconds)
            case (.scalar(.hash), .string(let text)):
                if let bytes = Hexadecimal.decode(text), let hash = Bytes32(exactly: bytes) {
                    return .hash(hash)
                }
            case (.scalar(.bytes), .string(let text)):
                if let bytes = Base64.decode(text) { return .bytes(bytes) }
            case (.list(let element), .list(let values)): return .list(values.map(element.reading))
            default: break
            }
        }
        return value
    }
}

/// Base64 with the standard alphabet and padding (RFC 4648 §4).
enum Base64 {
    private static let values: [UInt8: UInt32] = {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        return Dictionary(
            alphabet.enumerated().map { ($0.element, UInt32($0.offset)) },
            uniquingKeysWith: { first, _ in first })
    }()

    /// The bytes; `nil` for what is no canonical base64.
    static func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 4 * 3)
        for start in stride(from: 0, to: characters.count, by: 4) {
            let isLast = start + 4 == characters.count
            let padding =
                isLast ? characters[start...].reversed().prefix { $0 == UInt8(ascii: "=") }.count : 0
            guard padding <= 2 else { return nil }
            var bits: UInt32 = 0
            for index in 0..<4 {
                let character = characters[start + index]
                if index >= 4 - padding {
                    bits <<= 6
                } else if let value = values[character] {
                    bits = bits << 6 | value
                } else {
                    return nil
                }
            }
            // What padding leaves over must be zero: every byte string has one spelling.
            if padding > 0, bits & (1 << (8 * UInt32(padding)) - 1) != 0 { return nil }
            for shift in [16, 8, 0].prefix(3 - padding) as ArraySlice<UInt32> {
                bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
            }
        }
        return bytes
    }
}
