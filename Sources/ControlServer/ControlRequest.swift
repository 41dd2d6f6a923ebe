public import MeshAPI

import FoundationEssentials

/// One request to the control API, whole and bounded.
public struct ControlRequest: Sendable {
    /// In capitals: `GET`, `POST`.
    public let method: String
    /// The path without its query, still percent-encoded; ``Routes/match(method:path:)`` decodes
    /// what it takes out of it.
    public let path: String
    /// Decoded; of a repeated name the last value counts.
    public let query: [String: String]
    public let body: [UInt8]

    public init(method: String, path: String, query: [String: String] = [:], body: [UInt8] = []) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }

    /// The body as a record.
    ///
    /// An unknown key is refused. Throws an ``APIError`` with code `request.malformed`, fit to be
    /// answered with status 400.
    public func decoded<Record: APIRecord>(_ type: Record.Type) throws(APIError) -> Record {
        do {
            let record = try JSONDecoder().decode(type, from: Data(body))
            // A mistyped key would otherwise silently take its default.
            let known = Set(type.fields.map(\.name))
            if let unknown = try JSONDecoder().decode(Keys.self, from: Data(body)).names.sorted().first(
                where: { !known.contains($0) })
            {
                throw APIError(code: "request.malformed", message: "there is no key \(unknown)")
            }
            return record
        } catch let error as APIError {
            throw error
        } catch let error as DecodingError {
            throw APIError(code: "request.malformed", message: Self.sentence(error))
        } catch {
            throw APIError(code: "request.malformed", message: "the body is not JSON")
        }
    }

    /// The keys of a JSON object, whatever stands under them.
    private struct Keys: Decodable {
        struct Name: CodingKey {
            let stringValue: String
            let intValue: Int? = nil
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        let names: [String]

        init(from decoder: any Decoder) throws {
            names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
        }
    }

    private static func sentence(_ error: DecodingError) -> String {
        func place(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            return path.isEmpty ? "the body" : path.joined(separator: ".")
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(place(context)) lacks \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(place(context)) has the wrong type"
        case .dataCorrupted(let context): "\(place(context)) is not valid JSON"
        @unknown default: "the body cannot be read"
        }
    }
}

/// What a handler answers.
public struct ControlResponse: Sendable {
    public let status: Int
    public let contentType: String
    public let body: [UInt8]
    /// What follows ``body``, piece by piece, until it returns nil.
    ///
    /// Called on the connection's thread and may block. A gone client is noticed only by writing,
    /// so a quiet stream should return ``keepAlive`` every few seconds.
    public let stream: (@Sendable () -> [UInt8]?)?

    public init(
        status: Int, contentType: String, body: [UInt8] = [], stream: (@Sendable () -> [UInt8]?)? = nil
    ) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.stream = stream
    }

    /// A comment line of server-sent events, which clients skip.
    public static let keepAlive: [UInt8] = Array(":\n\n".utf8)

    /// A record, or an array of records, as JSON.
    public static func json(_ value: some Encodable, status: Int = 200) -> ControlResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            // Only a number that JSON cannot express gets here.
            return .error(500, APIError(code: "internal", message: "the answer cannot be written as JSON"))
        }
        return ControlResponse(status: status, contentType: "application/json", body: Array(data))
    }

    /// `{"error":{…}}`.
    public static func error(_ status: Int, _ error: APIError) -> ControlResponse {
        .json(error, status: status)
    }

    /// Bytes as they are.
    public static func bytes(
        _ bytes: [UInt8], contentType: String = "application/octet-stream"
    ) -> ControlResponse {
        ControlResponse(status: 200, contentType: contentType, body: bytes)
    }

    /// Server-sent events; `next` blocks until it has some and returns nil when there are no more.
    public static func events(_ next: @escaping @Sendable () -> [UInt8]?) -> ControlResponse {
        ControlResponse(status: 200, contentType: "text/event-stream", stream: next)
    }

    /// One server-sent event whose data is `value` as JSON on one line.
    public static func event(_ name: String, id: Int? = nil, _ value: some Encodable) -> [UInt8] {
        let json = ControlResponse.json(value).body
        return Array((id.map { "id: \($0)\n" } ?? "").utf8) + Array("event: \(name)\ndata: ".utf8) + json
            + Array("\n\n".utf8)
    }
}

/// What answers requests.
///
/// Called on the connection's own thread, many at once; may block, but for no longer than
/// ``HTTPControlServer/idleSecondsMax``.
public protocol ControlHandler: Sendable {
    func respond(to request: ControlRequest) -> ControlResponse
}
