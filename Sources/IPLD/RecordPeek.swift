/// Looks into an encoded map for one text field without decoding the rest.
///
/// Records of several kinds share one stream; the kind decides which decoder reads them. The peek
/// checks bounds but not canonical form: the decoder that it leads to checks everything.
public enum RecordPeek {
    /// The text under `name` in the map that `bytes` starts with.
    ///
    /// - Returns: `nil` when this is not a map, has no such field, or the field is not text.
    public static func text(_ name: String, in bytes: [UInt8]) -> String? {
        var walker = Walker(bytes: bytes)
        guard let (major, count) = walker.head(), major == 5, count <= UInt64(bytes.count) else { return nil }
        for _ in 0..<count {
            guard let key = walker.string(major: 3) else { return nil }
            if name.utf8.elementsEqual(bytes[key]) {
                guard let value = walker.string(major: 3) else { return nil }
                return String(validating: bytes[value], as: UTF8.self)
            }
            guard walker.skip() else { return nil }
        }
        return nil
    }

    private struct Walker {
        let bytes: [UInt8]
        var offset = 0

        mutating func head() -> (major: UInt8, value: UInt64)? {
            guard offset < bytes.count else { return nil }
            let initial = bytes[offset]
            let information = initial & 31
            offset += 1
            if information < 24 { return (initial >> 5, UInt64(information)) }
            guard information < 28 else { return nil }
            let width = 1 << Int(information - 24)
            guard bytes.count - offset >= width else { return nil }
            var value: UInt64 = 0
            for _ in 0..<width {
                value = value << 8 | UInt64(bytes[offset])
                offset += 1
            }
            return (initial >> 5, value)
        }

        mutating func string(major: UInt8) -> Range<Int>? {
            guard let (found, count) = head(), found == major, count <= UInt64(bytes.count - offset) else {
                return nil
            }
            defer { offset += Int(count) }
            return offset..<offset + Int(count)
        }

        /// Skips one item, counting what is still to come instead of recursing.
        mutating func skip() -> Bool {
            var remaining: UInt64 = 1
            while remaining > 0 {
                guard let (major, value) = head() else { return false }
                remaining -= 1
                switch major {
                case 2, 3:
                    guard value <= UInt64(bytes.count - offset) else { return false }
                    offset += Int(value)
                case 4, 5:
                    guard value <= UInt64(bytes.count) else { return false }
                    remaining += major == 4 ? value : value * 2
                    guard remaining <= UInt64(bytes.count) else { return false }
                case 6: remaining += 1
                default: break
                }
            }
            return true
        }
    }
}
