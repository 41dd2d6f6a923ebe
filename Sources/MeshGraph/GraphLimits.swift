/// What a change may hold; everything beyond is refused when decoded, and void when applied.
public enum GraphLimits {
    /// Bytes of UTF-8 in the name of a type, an edge or an attribute.
    public static let nameByteCountMax = 128
    /// Bytes in a string, or in a byte string.
    public static let stringByteCountMax = 64 << 10
    /// Targets of an edge.
    public static let targetCountMax = 16
    /// Attributes that one operation writes.
    public static let attributeCountMax = 256
    /// Adds that one operation ends.
    public static let endedCountMax = 4096
    /// Elements of a list, those of lists within it included.
    public static let listCountMax = 4096
    /// Lists within lists.
    public static let listDepthMax = 8

    /// Whether a text can be the name of a type, an edge or an attribute: visible ASCII without a slash.
    ///
    /// ASCII, because two spellings of one text in Unicode are equal as strings and differ as keys; without a slash,
    /// because that ends a type in the text of an ``EntityID``.
    public static func isName(_ text: String) -> Bool { isName(text.utf8) }

    static func isName(_ text: some Collection<UInt8>) -> Bool {
        !text.isEmpty && text.count <= nameByteCountMax
            && text.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
    }

    /// Whether a text can stand behind the type in ``EntityID/key(type:key:)``.
    static func isKey(_ text: some Collection<UInt8>) -> Bool {
        !text.isEmpty && text.count <= EntityID.keyByteCountMax
    }

    /// Whether a spawn may give this key; those of unique edges begin with a parenthesis.
    public static func isExplicitKey(_ text: String) -> Bool {
        isKey(text.utf8) && text.utf8.first != UInt8(ascii: "(")
    }

    /// Whether a value may be an attribute's.
    public static func isAttribute(_ value: GraphValue) -> Bool {
        var left = listCountMax
        return isAttribute(value, depth: 0, &left)
    }

    private static func isAttribute(_ value: GraphValue, depth: Int, _ left: inout Int) -> Bool {
        switch value {
        case .null, .bool, .int, .timestamp, .duration, .hash: return true
        case .float(let number): return number.isFinite
        case .string(let text): return text.utf8.count <= stringByteCountMax
        case .bytes(let bytes): return bytes.count <= stringByteCountMax
        case .entity: return false
        case .list(let values):
            guard depth < listDepthMax, values.count <= left else { return false }
            left -= values.count
            for value in values where !isAttribute(value, depth: depth + 1, &left) { return false }
            return true
        }
    }
}
