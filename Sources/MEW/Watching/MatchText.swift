internal import MeshCore
internal import MeshGraph

/// A match as JSON, for letters about it.
enum MatchText {
    /// The columns with their values; entities are their ids, and what JSON has no value for is text.
    ///
    /// - Returns: The variables with their ids alone, where the values are longer than an attribute may be.
    static func json(
        _ columns: [String], _ values: [ResultValue], variables: [String], ids: [String]
    ) -> String {
        let whole = object(zip(columns, values).map { ($0, json($1)) })
        if whole.utf8.count <= GraphLimits.stringByteCountMax { return whole }
        let short = object(zip(variables, ids).map { ($0, quoted($1)) })
        return short.utf8.count <= GraphLimits.stringByteCountMax ? short : "{}"
    }

    private static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { quoted($0) + ": " + $1 }.joined(separator: ", ") + "}"
    }

    private static func quoted(_ text: String) -> String { Printer.quoted(text) }

    private static func json(_ value: ResultValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value), .duration(let value): String(value)
        case .float(let value): value.isFinite ? String(value) : "null"
        case .string(let value): quoted(value)
        case .timestamp(let value): quoted("\(Timestamp(milliseconds: value))")
        case .hash(let value): quoted(Hexadecimal.encode(value.bytes))
        case .bytes(let value): quoted(Hexadecimal.encode(value))
        case .list(let values): "[" + values.map { json($0) }.joined(separator: ", ") + "]"
        case .entity(let entity): quoted(entity.id)
        }
    }
}
