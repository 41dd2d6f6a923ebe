internal import MeshAPI

import FoundationEssentials

/// The OpenAPI 3.1 description of the control API, made from ``Routes`` and the records' fields.
public enum OpenAPI {
    /// The document as JSON.
    public static let document: [UInt8] = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return (try? encoder.encode(tree)).map { Array($0) } ?? []
    }()

    /// A JSON value made of literals.
    indirect enum Node: Encodable, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
        ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral
    {
        case text(String)
        case flag(Bool)
        case object([String: Node])
        case array([Node])

        init(stringLiteral value: String) { self = .text(value) }
        init(booleanLiteral value: Bool) { self = .flag(value) }
        init(dictionaryLiteral elements: (String, Node)...) {
            self = .object(Dictionary(elements) { _, last in last })
        }
        init(arrayLiteral elements: Node...) { self = .array(elements) }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .flag(let flag): try container.encode(flag)
            case .object(let members): try container.encode(members)
            case .array(let elements): try container.encode(elements)
            }
        }
    }

    static var tree: Node {
        var paths: [String: [String: Node]] = [:]
        for route in Routes.all {
            paths[route.pattern, default: [:]][route.method.lowercased()] = operation(route)
        }
        var schemas: [String: Node] = [:]
        for record in APIRecords.all { schemas[String(describing: record)] = schema(of: record) }
        return [
            "openapi": "3.1.0",
            "info": ["title": "Planetary Mesh control API", "version": "1"],
            "paths": .object(paths.mapValues { .object($0) }),
            "components": ["schemas": .object(schemas)],
        ]
    }

    private static func operation(_ route: Route) -> Node {
        var operation: [String: Node] = [
            "operationId": .text(route.name.rawValue),
            "summary": .text(route.summary),
            "responses": [
                "\(route.status)": ["description": "Done.", "content": content(route.response)],
                "default": ["description": "Not done.", "content": content(.record("APIError"))],
            ],
        ]
        let parameters: [Node] =
            route.pathParameters.map {
                ["name": .text($0), "in": "path", "required": true, "schema": ["type": "string"]]
            }
            + route.query.map {
                [
                    "name": .text($0.name), "in": "query", "description": .text($0.summary),
                    "schema": ["type": "string"],
                ]
            }
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let request = route.request {
            operation["requestBody"] = ["required": true, "content": content(request)]
        }
        return .object(operation)
    }

    private static func content(_ body: RouteBody) -> Node {
        switch body {
        case .record(let name): ["application/json": ["schema": reference(name)]]
        case .list(let name): ["application/json": ["schema": ["type": "array", "items": reference(name)]]]
        case .bytes(let type): .object([type: ["schema": ["type": "string", "format": "binary"]]])
        case .events(let name): ["text/event-stream": ["schema": reference(name)]]
        case .json: ["application/json": ["schema": ["type": "object"]]]
        }
    }

    private static func schema(of record: any APIRecord.Type) -> Node {
        var properties: [String: Node] = [:]
        for field in record.fields {
            let type = schema(of: field.type)
            properties[field.name] = field.nullable ? ["anyOf": [type, ["type": "null"]]] : type
        }
        let required = record.fields.filter { !$0.optional }.map { Node.text($0.name) }
        return ["type": "object", "properties": .object(properties), "required": .array(required)]
    }

    private static func schema(of type: APIFieldType) -> Node {
        switch type {
        case .string: ["type": "string"]
        case .integer: ["type": "integer"]
        case .number: ["type": "number"]
        case .boolean: ["type": "boolean"]
        case .any: [:]
        case .array(let element): ["type": "array", "items": schema(of: element)]
        case .map(let value): ["type": "object", "additionalProperties": schema(of: value)]
        case .record(let name): reference(name)
        }
    }

    private static func reference(_ name: String) -> Node {
        ["$ref": .text("#/components/schemas/\(name)")]
    }
}
