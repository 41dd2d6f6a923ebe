public import MeshAPI
public import MeshCore

internal import FoundationEssentials

/// An answer of the daemon that is not a success.
public struct ControlRefusal: Error, Sendable {
    public let status: Int
    public let error: APIErrorDetail

    public init(status: Int, error: APIErrorDetail) {
        self.status = status
        self.error = error
    }
}

extension HTTPControlClient {
    /// Gets a record, or an array of records.
    ///
    /// - Throws: ``ControlRefusal`` for a status that is not a success, else ``ControlClientError``.
    public func get<Record: Decodable>(
        _ path: String, query: [String: String] = [:], timeout: Duration = .seconds(60),
        as type: Record.Type = Record.self
    ) throws -> Record {
        try Self.decode(Self.checked(try request("GET", path, query: query, timeout: timeout)), as: type)
    }

    /// Gets bytes as they are.
    public func bytes(
        _ path: String, query: [String: String] = [:], timeout: Duration = .seconds(600)
    ) throws -> [UInt8] {
        try Self.checked(try request("GET", path, query: query, timeout: timeout))
    }

    /// Posts a record.
    public func post<Record: Decodable>(
        _ path: String, _ body: some Encodable, timeout: Duration = .seconds(60),
        as type: Record.Type = Record.self
    ) throws -> Record {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = Array(try encoder.encode(body))
        return try Self.decode(
            Self.checked(try request("POST", path, body: bytes, timeout: timeout)), as: type)
    }

    /// Posts bytes as they are.
    public func post<Record: Decodable>(
        _ path: String, bytes: [UInt8], contentType: String = "application/octet-stream",
        timeout: Duration = .seconds(600), as type: Record.Type = Record.self
    ) throws -> Record {
        let answer = try request("POST", path, body: bytes, contentType: contentType, timeout: timeout)
        return try Self.decode(Self.checked(answer), as: type)
    }

    /// Follows server-sent events until the server ends them or `event` returns false.
    ///
    /// `event` gets the event's name and its data, a JSON text.
    public func events(
        _ path: String, query: [String: String] = [:], timeout: Duration = .seconds(7 * 86_400),
        event: @escaping (_ name: String, _ data: [UInt8]) -> Bool
    ) throws {
        try events(path, query: query, body: nil, timeout: timeout, event: event)
    }

    /// The same, for events that a posted record asks for.
    public func events(
        _ path: String, posting record: some Encodable, timeout: Duration = .seconds(7 * 86_400),
        event: @escaping (_ name: String, _ data: [UInt8]) -> Bool
    ) throws {
        let body = Array(try JSONEncoder().encode(record))
        try events(path, query: [:], body: body, timeout: timeout, event: event)
    }

    private func events(
        _ path: String, query: [String: String], body: [UInt8]?, timeout: Duration,
        event: @escaping (_ name: String, _ data: [UInt8]) -> Bool
    ) throws {
        var name = "message"
        var data: [String] = []
        let answer = try stream(path, query: query, body: body, timeout: timeout) { line in
            if line.isEmpty {
                defer {
                    name = "message"
                    data = []
                }
                return data.isEmpty || event(name, Array(data.joined(separator: "\n").utf8))
            }
            if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
            if line.hasPrefix("data: ") { data.append(String(line.dropFirst(6))) }
            return true
        }
        _ = try Self.checked(answer)
    }

    /// The body of a success.
    public static func checked(_ answer: (status: Int, body: [UInt8])) throws -> [UInt8] {
        if (200..<300).contains(answer.status) { return answer.body }
        let error =
            (try? JSONDecoder().decode(APIError.self, from: Data(answer.body)))
            ?? APIError(
                code: "control.status-\(answer.status)",
                message: "the daemon answered with status \(answer.status)")
        throw ControlRefusal(status: answer.status, error: error.error)
    }

    /// A record from JSON bytes.
    public static func decode<Record: Decodable>(
        _ bytes: [UInt8], as type: Record.Type = Record.self
    ) throws(ControlClientError) -> Record {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw ControlClientError(
                .malformed, "the daemon's answer is not a \(type)",
                hint: "are meshd and meshctl of one version?")
        }
    }
}
