internal import MeshAPI

/// Why a text is not JSON, and at which byte of it.
struct JSONFault: Error, Hashable {
    let message: String
    let offset: Int
}

extension JSONTree {
    /// How deeply arrays and objects may stand in each other.
    static let depthMax = 128

    /// Reads JSON (RFC 8259) and keeps the order of an object's keys.
    ///
    /// A whole number that does not fit into 64 bits becomes a ``number(_:)``.
    init(reading bytes: some Collection<UInt8>) throws(JSONFault) {
        var reader = JSONReader(bytes: Array(bytes))
        self = try reader.document()
    }

    init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .boolean(let flag): self = .boolean(flag)
        case .integer(let number): self = .integer(number)
        case .number(let number): self = .number(number)
        case .text(let text): self = .text(text)
        case .array(let elements): self = .array(elements.map { JSONTree($0) })
        case .object(let members):
            self = .object(
                members.sorted { $0.key < $1.key }.map { Member(key: $0.key, value: JSONTree($0.value)) })
        }
    }

    /// The same without the order of keys; of a key given twice the last counts.
    var value: JSONValue {
        switch self {
        case .null: .null
        case .boolean(let flag): .boolean(flag)
        case .integer(let number): .integer(number)
        case .number(let number): .number(number)
        case .text(let text): .text(text)
        case .array(let elements): .array(elements.map(\.value))
        case .object(let members):
            .object(Dictionary(members.map { ($0.key, $0.value.value) }) { _, last in last })
        }
    }
}

/// Goes through the bytes of one JSON text.
private struct JSONReader {
    let bytes: [UInt8]
    var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONFault) -> JSONTree {
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw fault("something stands behind the value") }
        return value
    }

    private func fault(_ message: String) -> JSONFault { JSONFault(message: message, offset: offset) }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { offset += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset += 1
        return true
    }

    private mutating func take(_ word: StaticString, _ value: JSONTree) throws(JSONFault) -> JSONTree {
        let text = Array("\(word)".utf8)
        guard bytes[offset...].starts(with: text) else { throw fault("a value is expected") }
        offset += text.count
        return value
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSONTree {
        guard depth < JSONTree.depthMax else { throw fault("it is nested too deeply") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try take("true", .boolean(true))
        case UInt8(ascii: "f"): return try take("false", .boolean(false))
        case UInt8(ascii: "n"): return try take("null", .null)
        default: return try number()
        }
    }

    private mutating func array(depth: Int) throws(JSONFault) -> JSONTree {
        offset += 1
        var elements: [JSONTree] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw fault("a comma or ] is expected") }
        }
    }

    private mutating func object(depth: Int) throws(JSONFault) -> JSONTree {
        offset += 1
        var members: [JSONTree.Member] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([]) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fault("a key in quotes is expected") }
            let key = try text()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw fault("a colon is expected") }
            members.append(JSONTree.Member(key: key, value: try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw fault("a comma or } is expected") }
        }
    }

    private mutating func number() throws(JSONFault) -> JSONTree {
        let start = offset
        func digits(_ reader: inout JSONReader) -> Int {
            let first = reader.offset
            while let byte = reader.next, (0x30...0x39).contains(byte) { reader.offset += 1 }
            return reader.offset - first
        }
        _ = take(UInt8(ascii: "-"))
        let leadsWithZero = next == 0x30
        let count = digits(&self)
        guard count > 0, count == 1 || !leadsWithZero else {
            offset = start
            throw fault("a value is expected")
        }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            guard digits(&self) > 0 else { throw fault("a digit is expected") }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard digits(&self) > 0 else { throw fault("a digit is expected") }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isWhole, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            offset = start
            throw fault("the number is too large")
        }
        return .number(value)
    }

    private mutating func text() throws(JSONFault) -> String {
        offset += 1
        var units: [UInt8] = []
        while let byte = next {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: units, as: UTF8.self) else {
                    throw fault("a text is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): units += try escaped()
            case 0..<0x20:
                offset -= 1
                throw fault("a control character stands in a text")
            default: units.append(byte)
            }
        }
        throw fault("a text is not closed")
    }

    private mutating func escaped() throws(JSONFault) -> [UInt8] {
        guard let byte = next else { throw fault("a text is not closed") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default: throw fault("there is no such escape")
        }
        var unit = try hexadecimal()
        if (0xd800..<0xdc00).contains(unit) {
            guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                throw fault("half of a surrogate pair is missing")
            }
            let low = try hexadecimal()
            guard (0xdc00..<0xe000).contains(low) else { throw fault("half of a surrogate pair is missing") }
            unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(unit) else { throw fault("half of a surrogate pair is missing") }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func hexadecimal() throws(JSONFault) -> UInt32 {
        guard bytes.count - offset >= 4,
            let unit = UInt32(String(decoding: bytes[offset..<offset + 4], as: UTF8.self), radix: 16),
            bytes[offset] != UInt8(ascii: "+"), bytes[offset] != UInt8(ascii: "-")
        else { throw fault("four hexadecimal digits are expected") }
        offset += 4
        return unit
    }
}
