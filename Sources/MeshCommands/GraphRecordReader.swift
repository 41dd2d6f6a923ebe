internal import CommandLineArguments
internal import MeshAPI

/// Reads the records of an import from JSON Lines or CSV.
struct GraphRecordReader {
    enum Item: Hashable {
        case record(GraphRecord)
        case fault(line: Int, String)
    }

    enum Format: String {
        case jsonl, csv

        /// What a file's name says; JSON Lines where it says nothing.
        init(path: String) { self = path.lowercased().hasSuffix(".csv") ? .csv : .jsonl }
    }

    /// What the command line says about every record.
    struct Rules {
        /// The type of nodes that do not name theirs.
        var type: String?
        /// The edge of edges that do not name theirs; with it every record is an edge.
        var edge: String?
        /// The column that a node's key is in; by default `_id`, else `id`, else `key`.
        var key: String?
        /// What CSV's cells are.
        var catalog = GraphCatalog()
    }

    private let rules: Rules
    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var table: CSVReader?
    private let columns: [String]

    /// Throws a ``CommandFailure`` where CSV has no heading, or one that cannot be understood.
    init(_ bytes: [UInt8], format: Format, rules: Rules) throws {
        self.rules = rules
        self.bytes = bytes
        guard format == .csv else {
            columns = []
            if bytes.starts(with: [0xef, 0xbb, 0xbf]) { offset = 3 }
            return
        }
        var reader = CSVReader(bytes)
        switch reader.next() {
        case nil: columns = []
        case .broken(let message, let line)?:
            throw CommandFailure(code: "import.heading", "line \(line): \(message)")
        case .cells(let cells, _)?: columns = cells.map(\.text)
        }
        table = reader
        try checkHeading()
    }

    private func checkHeading() throws {
        var seen: Set<String> = []
        for column in columns {
            guard GraphRecord.isName(column) else {
                throw CommandFailure(
                    code: "import.heading", "line 1: “\(column.prefix(80))” is not the name of a column",
                    hint: "the first line of CSV names the columns")
            }
            guard seen.insert(column).inserted else {
                throw CommandFailure(code: "import.heading", "line 1: the column \(column) is there twice")
            }
        }
        let entry = rules.edge.flatMap(rules.catalog.edge) ?? rules.type.flatMap(rules.catalog.type)
        guard let entry else { return }
        let known = entry.attributes.map(\.name)
        let special =
            Self.targetColumns(entry, in: seen) + ["_id", "id", "_type", "_targets", rules.key ?? "key"]
        for column in columns where !known.contains(column) && !special.contains(column) {
            let near = Suggestion.nearest(to: column, among: known)
            throw CommandFailure(
                code: "import.heading", "line 1: \(entry.name) has no attribute \(column)",
                hint: near.map { "did you mean \($0)?" })
        }
    }

    /// How much has been read, from 0 to 1.
    var fraction: Double {
        if let table { return table.fraction }
        return bytes.isEmpty ? 1 : Double(offset) / Double(bytes.count)
    }

    /// The next record or fault; `nil` at the end.
    mutating func next() -> Item? { table == nil ? nextLine() : nextRow() }

    private mutating func nextLine() -> Item? {
        while offset < bytes.count {
            let end = bytes[offset...].firstIndex(of: 0x0a) ?? bytes.count
            let text = bytes[offset..<end]
            let number = line
            offset = min(end + 1, bytes.count)
            line += 1
            if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { continue }
            do throws(JSONFault) {
                let tree = try JSONTree(reading: text)
                guard case .object(let members) = tree else {
                    return .fault(line: number, "a record is a JSON object")
                }
                let fields = members.map { (name: $0.key, value: $0.value.value) }
                return record(fields, line: number) { _, value in value }
            } catch {
                return .fault(line: number, "not JSON: \(error.message) (column \(error.offset + 1))")
            }
        }
        return nil
    }

    private mutating func nextRow() -> Item? {
        switch table?.next() {
        case nil: return nil
        case .broken(let message, let line)?: return .fault(line: line, message)
        case .cells(let cells, let line)?:
            guard cells.count == columns.count else {
                return .fault(
                    line: line,
                    "\(cells.count) \(cells.count == 1 ? "cell" : "cells") under \(columns.count) columns")
            }
            let fields = zip(columns, cells).map { column, cell in
                (
                    name: column,
                    value: cell.text.isEmpty && !cell.isQuoted ? JSONValue.null : .text(cell.text)
                )
            }
            return record(fields, line: line) { type, value throws(FieldFault) in
                guard case .text(let text) = value else { return value }
                return try Self.value(of: text, as: type)
            }
        }
    }

    private struct FieldFault: Error { let message: String }

    /// Makes a record of fields; `convert` reads a value under the type that its attribute was declared with.
    private func record(
        _ fields: [(name: String, value: JSONValue)], line: Int,
        convert: (_ type: String, JSONValue) throws(FieldFault) -> JSONValue
    ) -> Item {
        do throws(FieldFault) {
            let values = Dictionary(fields.map { ($0.name, $0.value) }) { _, last in last }
            var type = rules.edge ?? rules.type
            if case .text(let named)? = values["_type"] { type = named }
            guard let type else {
                throw FieldFault(message: "it has no _type, and there is no --type or --edge")
            }
            guard GraphRecord.isTypeName(type) else {
                throw FieldFault(message: "“\(type.prefix(80))” is not the name of a type")
            }
            let hasTargets = values["_targets"] ?? values["_target_1"] != nil
            let isEdge =
                rules.edge != nil || hasTargets || type != rules.type && rules.catalog.edge(type) != nil
            let entry = isEdge ? rules.catalog.edge(type) : rules.catalog.type(type)
            var used: Set<String> = ["_id", "id", "_type", "_targets"]
            let shape: GraphRecord.Shape
            if isEdge {
                let columns = Self.targetColumns(entry, in: Set(values.keys))
                used.formUnion(columns)
                shape = .edge(targets: try targets(values, columns: columns, of: type))
            } else {
                let column = rules.key ?? ["_id", "id", "key"].first { values[$0] != nil }
                if column == "key", rules.key == nil { used.insert("key") }
                shape = .node(
                    key: try column.flatMap { values[$0] }.map { value throws(FieldFault) in
                        try Self.key(value, type: type)
                    } ?? nil)
            }
            var attributes: [GraphRecord.Attribute] = []
            for (name, _) in fields where used.insert(name).inserted {
                guard let value = values[name], value != .null else { continue }
                guard GraphRecord.isName(name) else {
                    throw FieldFault(message: "“\(name.prefix(80))” is not the name of an attribute")
                }
                let declared = entry?.attributes.first { $0.name == name }?.base ?? "String"
                do throws(FieldFault) {
                    attributes.append(.init(name: name, value: try convert(declared, value)))
                } catch {
                    throw FieldFault(message: "\(name): \(error.message)")
                }
            }
            return .record(GraphRecord(line: line, type: type, shape: shape, attributes: attributes))
        } catch {
            return .fault(line: line, error.message)
        }
    }

    /// The columns that hold the targets where no `_targets` does: those of an export, those named as the edge's
    /// parameters are, or the usual pairs.
    private static func targetColumns(_ entry: GraphCatalog.Entry?, in names: Set<String>) -> [String] {
        if names.contains("_target_1") {
            return (1...max(1, names.count)).map { "_target_\($0)" }.filter(names.contains)
        }
        if let parameters = entry?.parameters.map(\.name), !parameters.isEmpty,
            parameters.allSatisfy(names.contains)
        {
            return parameters
        }
        return [["_from", "_to"], ["from", "to"], ["source", "target"]].first {
            $0.allSatisfy(names.contains)
        } ?? []
    }

    private func targets(
        _ values: [String: JSONValue], columns: [String], of edge: String
    ) throws(FieldFault) -> [String] {
        var found = columns.map { values[$0] ?? .null }
        switch values["_targets"] {
        case .array(let list)?: found = list
        case .text(let text)?:
            // CSV holds the list as JSON.
            guard case .array(let list)? = try? JSONTree(reading: text.utf8).value else {
                throw FieldFault(message: "_targets is not a list")
            }
            found = list
        default: break
        }
        guard !found.isEmpty else {
            throw FieldFault(message: "\(edge) needs _targets, or its targets in columns of their own")
        }
        var targets: [String] = []
        for value in found {
            switch value {
            case .text(let id) where !id.isEmpty: targets.append(id)
            case .object(let entity):
                guard case .text(let id)? = entity["_id"] else {
                    throw FieldFault(message: "a target has no id")
                }
                targets.append(id)
            default: throw FieldFault(message: "a target of \(edge) is not an id")
            }
        }
        return targets
    }

    /// The key of a node: an id without its type in front, so that exported nodes keep theirs.
    private static func key(_ value: JSONValue, type: String) throws(FieldFault) -> String? {
        let text: String
        switch value {
        case .null: return nil
        case .text(let id): text = id.hasPrefix(type + "/") ? String(id.dropFirst(type.count + 1)) : id
        case .integer(let number): text = String(number)
        default: throw FieldFault(message: "an id is a text or a whole number")
        }
        guard (1...256).contains(text.utf8.count) else {
            throw FieldFault(message: "an id has between 1 and 256 bytes")
        }
        return text
    }

    /// A cell of CSV under the type that was declared.
    private static func value(of text: String, as type: String) throws(FieldFault) -> JSONValue {
        switch type {
        case "Int", "Duration":
            guard let number = Int(text) else {
                throw FieldFault(
                    message: type == "Int"
                        ? "“\(text.prefix(40))” is not a whole number"
                        : "“\(text.prefix(40))” is not a whole number of milliseconds")
            }
            return .integer(number)
        case "Float":
            guard let number = Double(text), number.isFinite else {
                throw FieldFault(message: "“\(text.prefix(40))” is not a number")
            }
            return .number(number)
        case "Bool":
            switch text.lowercased() {
            case "true": return true
            case "false": return false
            default: throw FieldFault(message: "“\(text.prefix(40))” is neither true nor false")
            }
        default: return .text(text)
        }
    }
}
