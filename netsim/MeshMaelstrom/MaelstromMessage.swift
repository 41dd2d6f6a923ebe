internal import Foundation

/// One line of the Maelstrom protocol: `{"src": …, "dest": …, "body": {"type": …, …}}`.
///
/// Not sendable: the body is what Foundation makes of JSON.
struct MaelstromMessage {
    let source: String
    let destination: String
    let type: String
    let body: [String: Any]

    /// Reads a line; `nil` when it is no message.
    init?(_ line: some DataProtocol) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
            let source = object["src"] as? String, let destination = object["dest"] as? String,
            let body = object["body"] as? [String: Any], let type = body["type"] as? String
        else { return nil }
        self.source = source
        self.destination = destination
        self.type = type
        self.body = body
    }

    init?(_ line: String) { self.init(Data(line.utf8)) }

    var number: Int? { body["msg_id"] as? Int }
    var answered: Int? { body["in_reply_to"] as? Int }

    func text(_ key: String) -> String? { body[key] as? String }
    func integer(_ key: String) -> Int? { body[key] as? Int }

    /// The JSON text of a field, canonical: equal values have equal texts.
    func canonical(_ key: String) -> String? {
        body[key].flatMap { value in
            let options: JSONSerialization.WritingOptions = [
                .sortedKeys, .fragmentsAllowed, .withoutEscapingSlashes,
            ]
            let data = try? JSONSerialization.data(withJSONObject: value, options: options)
            return data.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    // MARK: Writing

    /// A line without its end; `fields` are JSON texts.
    static func line(
        from source: String, to destination: String, _ type: String, _ fields: [(key: String, json: String)]
    ) -> String {
        var line =
            "{\"src\":\(quoted(source)),\"dest\":\(quoted(destination)),\"body\":{\"type\":\(quoted(type))"
        for (key, json) in fields { line += ",\(quoted(key)):\(json)" }
        return line + "}}"
    }

    /// `text` as a JSON string.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                quoted += "\\u" + String(scalar.value + 0x10000, radix: 16).dropFirst()
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    static func list(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }
}

/// The errors of the Maelstrom protocol that we answer with.
enum MaelstromError: Int {
    case notSupported = 10
    case temporarilyUnavailable = 11
    case malformedRequest = 12
    case crash = 13
}
