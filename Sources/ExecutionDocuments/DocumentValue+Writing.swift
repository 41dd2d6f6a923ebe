extension DocumentValue {
    /// The value without insignificant whitespace, members in their order, text in its shortest form.
    public var compact: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes, sorted: false)
        return bytes
    }

    /// The one form that a hash is taken of: ``compact``, with members in the order of their keys' UTF-8.
    ///
    /// This is the form of RFC 8785 but for two things: a number stays as it is spelled, so that none
    /// loses digits, and keys are ordered by UTF-8 bytes, which differs from UTF-16 beyond U+FFFF.
    public var canonical: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes, sorted: true)
        return bytes
    }

    func write(to bytes: inout [UInt8], sorted: Bool) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .boolean(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let number): bytes.append(contentsOf: number.spelling)
        case .text(let text): text.write(to: &bytes)
        case .list(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes, sorted: sorted)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            let ordered = sorted ? members.sorted { $0.key < $1.key } : members
            for (index, member) in ordered.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                member.key.write(to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes, sorted: sorted)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

private let hexadecimalDigits = Array("0123456789abcdef".utf8)

extension DocumentText {
    /// Appends the text in quotation marks; only what must be escaped is.
    func write(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x08: bytes.append(contentsOf: "\\b".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            case 0x0A: bytes.append(contentsOf: "\\n".utf8)
            case 0x0C: bytes.append(contentsOf: "\\f".utf8)
            case 0x0D: bytes.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(hexadecimalDigits[Int(byte >> 4)])
                bytes.append(hexadecimalDigits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
