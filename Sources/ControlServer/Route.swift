/// What a route takes or gives.
public enum RouteBody: Hashable, Sendable {
    /// One ``MeshAPI`` record, by its type's name.
    case record(String)
    /// A JSON array of them.
    case list(String)
    /// Bytes of this media type.
    case bytes(String)
    /// Server-sent events whose data is this record.
    case events(String)
    /// Any JSON object.
    case json
}

/// A name in the query of a route.
public struct RouteParameter: Hashable, Sendable {
    public let name: String
    public let summary: String

    init(_ name: String, _ summary: String) {
        self.name = name
        self.summary = summary
    }
}

/// One row of the table of routes.
public struct Route: Sendable {
    public let name: RouteName
    public let method: String
    /// Such as `/v1/jobs/{id}`; a name in braces stands for one segment.
    public let pattern: String
    public let summary: String
    public let query: [RouteParameter]
    public let request: RouteBody?
    public let response: RouteBody
    /// The status of success.
    public let status: Int
    /// The largest body it takes, in bytes.
    public let bodyByteCountMax: Int
    /// The pattern's parts between slashes.
    private let segments: [[UInt8]]

    init(
        _ name: RouteName, _ method: String, _ pattern: String, _ summary: String,
        query: [RouteParameter] = [], request: RouteBody? = nil, response: RouteBody, status: Int = 200,
        bodyByteCountMax: Int = 64 << 10
    ) {
        self.name = name
        self.method = method
        self.pattern = pattern
        self.summary = summary
        self.query = query
        self.request = request
        self.response = response
        self.status = status
        self.bodyByteCountMax = bodyByteCountMax
        segments = pattern.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map {
            Array($0)
        }
    }

    /// The names in braces, in order.
    public var pathParameters: [String] {
        pattern.split(separator: "/").filter { $0.first == "{" }.map { String($0.dropFirst().dropLast()) }
    }

    /// The decoded path parameters, or nil when `path` is another route's.
    func parameters(in path: String) -> [String: String]? {
        parameters(in: path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false))
    }

    /// The same for a path that has been taken apart already, so that a table of routes does it once.
    func parameters(in given: [Substring.UTF8View]) -> [String: String]? {
        guard segments.count == given.count else { return nil }
        for (segment, text) in zip(segments, given) where segment.first != UInt8(ascii: "{") {
            guard segment.elementsEqual(text) else { return nil }
        }
        var parameters: [String: String] = [:]
        for (segment, text) in zip(segments, given) where segment.first == UInt8(ascii: "{") {
            guard let value = PercentEncoding.decode(Substring(text)), !value.isEmpty else { return nil }
            parameters[String(decoding: segment.dropFirst().dropLast(), as: UTF8.self)] = value
        }
        return parameters
    }
}
