internal import FoundationEssentials
internal import MeshAPI

/// A JSON value whose objects keep the order of their keys, so that output reads as documented.
indirect enum JSONTree: Sendable, Hashable {
    struct Member: Sendable, Hashable {
        let key: String
        let value: JSONTree
    }

    case null
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case array([JSONTree])
    case object([Member])

    /// A record with its keys in the order of its fields; keys that are absent stay absent.
    init(_ record: some APIRecord) {
        self = JSONTree(encoding: record).ordered(as: type(of: record).fields)
    }

    init(encoding value: some Encodable) {
        guard let data = try? JSONEncoder().encode(value),
            let tree = try? JSONDecoder().decode(JSONTree.self, from: data)
        else {
            self = .null
            return
        }
        self = tree
    }

    private static let records: [String: any APIRecord.Type] =
        Dictionary(APIRecords.all.map { (String(describing: $0), $0) }) { first, _ in first }

    private func ordered(as fields: [APIField]) -> JSONTree {
        guard case .object(let members) = self else { return self }
        return .object(
            fields.compactMap { field in
                guard let member = members.first(where: { $0.key == field.name }) else { return nil }
                return Member(key: field.name, value: member.value.ordered(as: field.type))
            })
    }

    private func ordered(as type: APIFieldType) -> JSONTree {
        switch (type, self) {
        case (.record(let name), .object): Self.records[name].map { ordered(as: $0.fields) } ?? self
        case (.array(let element), .array(let elements)): .array(elements.map { $0.ordered(as: element) })
        default: self
        }
    }

    subscript(key: String) -> JSONTree? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
}

extension JSONTree: Decodable {
    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: Key.self) {
            self = .object(
                try keyed.allKeys.map(\.stringValue).sorted().map { key in
                    Member(key: key, value: try keyed.decode(JSONTree.self, forKey: Key(stringValue: key)))
                })
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let value = try? single.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? single.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? single.decode(Double.self) {
            self = .number(value)
        } else if let value = try? single.decode(String.self) {
            self = .text(value)
        } else {
            self = .array(try single.decode([JSONTree].self))
        }
    }
}

extension JSONTree {
    /// JSON text; `indent` nil puts everything on one line.
    func json(indent: Int? = 0) -> String {
        func join(_ parts: [String], _ open: String, _ close: String) -> String {
            if parts.isEmpty { return open + close }
            guard let indent else { return open + parts.joined(separator: ",") + close }
            let pad = String(repeating: "  ", count: indent + 1)
            let body = parts.map { pad + $0 }.joined(separator: ",\n")
            return open + "\n" + body + "\n" + String(repeating: "  ", count: indent) + close
        }
        let deeper = indent.map { $0 + 1 }
        return switch self {
        case .null: "null"
        case .boolean(let value): String(value)
        case .integer(let value): String(value)
        case .number(let value): Self.plain(value)
        case .text(let text): Self.quoted(text)
        case .array(let elements): join(elements.map { $0.json(indent: deeper) }, "[", "]")
        case .object(let members):
            join(
                members.map {
                    Self.quoted($0.key) + (indent == nil ? ":" : ": ") + $0.value.json(indent: deeper)
                },
                "{", "}")
        }
    }

    /// A number that all JSON readers take.
    static func plain(_ value: Double) -> String {
        guard let whole = Int(exactly: value) else { return String(value) }
        return String(whole)
    }

    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
