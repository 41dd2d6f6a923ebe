/// The variable-length integers of WebAssembly, appended to bytes.
extension [UInt8] {
    /// Seven bits a byte, the lowest first.
    mutating func appendUnsigned(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// A count or an index; never negative.
    mutating func appendCount(_ value: Int) {
        appendUnsigned(UInt64(truncatingIfNeeded: value))
    }

    /// As short as sign extension allows.
    mutating func appendSigned(_ value: Int64) {
        var rest = value
        while rest < -64 || rest > 63 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest) & 0x7f)
    }

    /// A length and UTF-8.
    mutating func appendName(_ text: String) {
        appendCount(text.utf8.count)
        append(contentsOf: text.utf8)
    }

    /// A section with its number and its length; an empty custom section has number 0.
    mutating func appendSection(_ number: UInt8, _ content: [UInt8]) {
        append(number)
        appendCount(content.count)
        append(contentsOf: content)
    }
}

/// How many bytes a value takes.
enum LEB128 {
    static func size(unsigned value: UInt64) -> Int {
        value < 0x80 ? 1 : (70 - value.leadingZeroBitCount) / 7
    }

    static func size(signed value: Int64) -> Int {
        // The bits that differ from the sign, and the sign.
        let magnitude = value < 0 ? ~value : value
        return (64 - magnitude.leadingZeroBitCount) / 7 + 1
    }
}
