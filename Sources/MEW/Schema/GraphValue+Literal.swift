internal import MeshCore
public import MeshGraph

extension GraphValue {
    /// The value as one writes it in a program; an entity, which has no literal, as its number.
    public var literal: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .float(let value): "\(value)"
        case .string(let value): Printer.quoted(value)
        case .timestamp(let value): "@\(Timestamp(milliseconds: value))"
        case .duration(let value): "\(value).ms"
        case .hash(let digest): "0x" + Hexadecimal.encode(digest.bytes)
        case .bytes(let bytes): "0x" + Hexadecimal.encode(bytes)
        case .entity(let id): "#\(id.rawValue)"
        case .list(let values): "[" + values.map(\.literal).joined(separator: ", ") + "]"
        }
    }

    /// The literal, or its beginning where it is long: for messages.
    public var shortened: String {
        // Only what will be shown is written out: the value may be megabytes.
        let text: String =
            switch self {
            case .string(let value): Printer.quoted(String(value.unicodeScalars.prefix(41)))
            case .bytes(let bytes): GraphValue.bytes(Array(bytes.prefix(21))).literal
            case .list(let values):
                GraphValue.list(values.prefix(9).map { .string($0.shortened) }).unquotedList
            default: literal
            }
        let scalars = text.unicodeScalars
        return scalars.count <= 42 ? text : String(scalars.prefix(40)) + "…"
    }

    /// What kind of value it is, as the types are called.
    public var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "Bool"
        case .int: "Int"
        case .float: "Float"
        case .string: "String"
        case .timestamp: "Timestamp"
        case .duration: "Duration"
        case .hash: "Hash"
        case .bytes: "Bytes"
        case .entity: "an entity"
        case .list: "a list"
        }
    }

    /// A list of texts without the marks around each.
    private var unquotedList: String {
        guard case .list(let values) = self else { return literal }
        let texts = values.map { if case .string(let text) = $0 { text } else { $0.literal } }
        return "[" + texts.joined(separator: ", ") + "]"
    }
}
