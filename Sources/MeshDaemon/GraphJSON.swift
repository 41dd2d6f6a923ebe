internal import MEW
internal import MeshAPI
internal import MeshCore
internal import MeshGraph

import Foundation

extension JSONValue {
    /// A value of the graph as JSON has it; see ``GraphResultView``.
    init(_ value: ResultValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .boolean(value)
        case .int(let value), .duration(let value): self = .integer(Int(value))
        case .float(let value): self = value.isFinite ? .number(value) : .text("\(value)")
        case .string(let value): self = .text(value)
        case .timestamp(let value): self = .text("\(Timestamp(milliseconds: value))")
        case .hash(let value): self = .text(Hexadecimal.encode(value.bytes))
        case .bytes(let value): self = .text(Data(value).base64EncodedString())
        case .list(let values): self = .array(values.map { JSONValue($0) })
        case .entity(let entity):
            var object: [String: JSONValue] = [:]
            for attribute in entity.attributes { object[attribute.name] = JSONValue(attribute.value) }
            object["_id"] = .text(entity.id)
            object["_type"] = .text(entity.type)
            if let targets = entity.targets { object["_targets"] = .array(targets.map { .text($0) }) }
            self = .object(object)
        }
    }
}

extension GraphValue {
    /// A parameter as the language has it; `nil` for an object, which stands for nothing there.
    init?(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .boolean(let value): self = .bool(value)
        case .integer(let value): self = .int(Int64(value))
        case .number(let value): self = .float(value)
        case .text(let value): self = .string(value)
        case .array(let values):
            var list: [GraphValue] = []
            for value in values {
                guard let element = GraphValue(value) else { return nil }
                list.append(element)
            }
            self = .list(list)
        case .object: return nil
        }
    }
}

extension GraphResultView {
    init(_ result: StatementResult, source: String, name: String) {
        self.init(
            statement: result.statement, columns: result.columns,
            rows: result.rows.map { $0.map { JSONValue($0) } },
            summary: Dictionary(
                result.summary.map { ($0.name, JSONValue($0.value)) }, uniquingKeysWith: { first, _ in first }
            ),
            warnings: result.warnings.map { DiagnosticView($0, source: source, name: name) })
    }
}

extension DiagnosticView {
    init(_ diagnostic: Diagnostic, source: String, name: String) {
        let range = diagnostic.range
        self.init(
            code: diagnostic.code.rawValue, message: diagnostic.message, line: range?.start.line,
            column: range?.start.column,
            endColumn: range.map { $0.end.line == $0.start.line ? $0.end.column : $0.start.column + 1 },
            hint: diagnostic.hint, rendered: diagnostic.rendered(source: source, name: name))
    }
}

extension GraphRefusal {
    /// The refusal that diagnostics of a script come to; the first error speaks for all.
    init(_ diagnostics: [Diagnostic], source: String, name: String) {
        let first = diagnostics.first { $0.severity == .error } ?? diagnostics[0]
        self.init(
            status: 422,
            error: APIError(
                code: first.code.rawValue, message: first.message, hint: first.hint,
                details: diagnostics.map { DiagnosticView($0, source: source, name: name) }))
    }
}
