import ControlServer
import Foundation
import MeshAPI
import MeshTestSupport
import Testing

@Suite("Routes and OpenAPI", .tags(.Size.small))
struct OpenAPITests {
    private func document() throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(OpenAPI.document))
        return try #require(value as? [String: Any])
    }

    private func schemas() throws -> [String: Any] {
        let components = try #require(try document()["components"] as? [String: Any])
        return try #require(components["schemas"] as? [String: Any])
    }

    @Test("every route has a row, and every row is found by its own method and path")
    func table() {
        #expect(Set(Routes.all.map(\.name)) == Set(RouteName.allCases))
        #expect(Routes.all.count == RouteName.allCases.count)
        for route in Routes.all {
            let path = route.pattern.split(separator: "/").map { $0.first == "{" ? "x%2Fy" : String($0) }
            guard
                case .found(let name, let parameters) = Routes.match(
                    method: route.method, path: "/" + path.joined(separator: "/"))
            else {
                Issue.record("\(route.pattern) is not found")
                continue
            }
            #expect(name == route.name)
            #expect(parameters == Dictionary(uniqueKeysWithValues: route.pathParameters.map { ($0, "x/y") }))
        }
    }

    @Test("the document describes every route and nothing else")
    func paths() throws {
        let paths = try #require(try document()["paths"] as? [String: [String: Any]])
        let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0) \(path)" } })
        #expect(described == Set(Routes.all.map { "\($0.method.lowercased()) \($0.pattern)" }))
        for route in Routes.all {
            let operation = try #require(paths[route.pattern]?[route.method.lowercased()] as? [String: Any])
            let responses = try #require(operation["responses"] as? [String: Any])
            #expect(Set(responses.keys) == [String(route.status), "default"])
            let parameters = (operation["parameters"] as? [[String: Any]] ?? []).compactMap {
                $0["name"] as? String
            }
            #expect(parameters == route.pathParameters + route.query.map(\.name))
            #expect((operation["requestBody"] != nil) == (route.request != nil))
        }
    }

    @Test("every reference in the document leads to a schema")
    func references() throws {
        let names = Set(try schemas().keys)
        #expect(names == Set(APIRecords.all.map { String(describing: $0) }))
        let text = String(decoding: OpenAPI.document, as: UTF8.self)
        let prefix = "#/components/schemas/"
        var count = 0
        for piece in text.components(separatedBy: prefix).dropFirst() {
            #expect(names.contains(String(piece.prefix { $0 != "\"" })))
            count += 1
        }
        #expect(count > Routes.all.count)
    }

    /// A JSON value that fits a field's type.
    private static func sample(_ type: APIFieldType) -> Any {
        switch type {
        case .string: "text"
        case .integer: 7
        case .number: 1.5
        case .boolean: true
        case .any: ["free": [1, "text", NSNull(), true] as [Any]]
        case .array(let element): [sample(element)]
        case .map(let value): ["key": sample(value)]
        case .record(let name):
            APIRecords.all.first { String(describing: $0) == name }.map { sample($0) } ?? NSNull()
        }
    }

    private static func sample(_ record: any APIRecord.Type) -> [String: Any] {
        Dictionary(uniqueKeysWithValues: record.fields.map { ($0.name, sample($0.type)) })
    }

    private static func recoded<Record: APIRecord>(_ type: Record.Type, _ object: [String: Any]) throws
        -> NSDictionary
    {
        let data = try JSONSerialization.data(withJSONObject: object)
        let record = try JSONDecoder().decode(type, from: data)
        let written = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(record))
        return try #require(written as? NSDictionary)
    }

    @Test("the listed fields of each record are what it reads and writes, nothing more and nothing less")
    func fields() throws {
        for record in APIRecords.all {
            let sample = Self.sample(record)
            #expect(try Self.recoded(record, sample) == sample as NSDictionary, "\(record)")
            let properties = try #require(
                (try schemas()[String(describing: record)] as? [String: Any])?["properties"])
            #expect(Set(try #require(properties as? [String: Any]).keys) == Set(record.fields.map(\.name)))
        }
    }

    @Test("what is unknown is written as null, and only that may be missing when read")
    func nulls() throws {
        for record in APIRecords.all {
            var sparse = Self.sample(record)
            for field in record.fields where field.nullable || field.optional { sparse[field.name] = nil }
            let written = try Self.recoded(record, sparse)
            for field in record.fields {
                if field.nullable { #expect(written[field.name] is NSNull, "\(record).\(field.name)") }
                if field.optional { #expect(written[field.name] == nil, "\(record).\(field.name)") }
            }
        }
    }

    @Test("a wrong method and an unknown path are told apart")
    func refusals() {
        #expect(Routes.refusal(of: ControlRequest(method: "PUT", path: "/v1/jobs")).status == 400)
        #expect(Routes.refusal(of: ControlRequest(method: "GET", path: "/v1/nothing")).status == 404)
        #expect(Routes.refusal(of: ControlRequest(method: "GET", path: "/v1/jobs/%zz")).status == 404)
    }

    @Test("bodies are capped by route")
    func caps() {
        #expect(Routes.bodyByteCountMax(path: "/v1/blobs") == 256 << 20)
        #expect(Routes.bodyByteCountMax(path: "/v1/jobs") == 1 << 20)
        #expect(Routes.bodyByteCountMax(path: "/nowhere") == 64 << 10)
    }

    @Test("a key that no record has is refused, not ignored")
    func unknownKey() {
        let request = ControlRequest(
            method: "POST", path: "/v1/jobs", body: Array(#"{"wasm":"b","prioritty":"low"}"#.utf8))
        let error = #expect(throws: APIError.self) { try request.decoded(SubmitRequest.self) }
        #expect(error?.error.message == "there is no key prioritty")
    }

    @Test("a body that does not fit says where")
    func malformedBody() {
        let request = ControlRequest(
            method: "POST", path: "/v1/jobs",
            body: Array(#"{"wasm":"b","inputs":[{"name":"a","cid":5}]}"#.utf8))
        let error = #expect(throws: APIError.self) { try request.decoded(SubmitRequest.self) }
        #expect(error?.error.code == "request.malformed")
        #expect(error?.error.message == "inputs.[0].cid has the wrong type")
    }
}
