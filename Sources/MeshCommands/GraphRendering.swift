internal import ControlClient
internal import CommandLineArguments
internal import MeshAPI

extension GraphResultView {
    /// The rows as objects, each with the columns in their order.
    var objects: JSONTree {
        .array(
            rows.map { row in
                .object(
                    zip(columns, row).map { JSONTree.Member(key: $0, value: JSONTree($1)) })
            })
    }

    /// All of it, rows as lists of cells.
    var tree: JSONTree { JSONTree(self) }

    /// What else there is to say, as an object that begins with `statement`.
    var summaryTree: JSONTree {
        .object(
            [JSONTree.Member(key: "statement", value: .text(statement))]
                + summary.sorted { $0.key < $1.key }.map {
                    JSONTree.Member(key: $0.key, value: JSONTree($0.value))
                })
    }

    /// What the format `table` shows.
    func lines(emphasised: Bool = false) -> [String] {
        if columns.isEmpty { return [sentence] }
        return Table(headings: columns, rows: rows.map { $0.map(\.cell) }).lines(emphasised: emphasised)
    }

    /// One line about a statement without rows.
    var sentence: String {
        func count(_ key: String, _ one: String, _ many: String) -> String? {
            guard case .integer(let number)? = summary[key] else { return nil }
            return "\(number) \(number == 1 ? one : many)"
        }
        func list(_ parts: [String?]) -> String { parts.compactMap(\.self).joined(separator: ", ") }
        let id = summary["id"]?.cell
        switch statement {
        case "spawn", "instance": return "Spawned " + (id ?? list([count("spawned_count", "node", "nodes")]))
        case "link", "edge_instance":
            if summary["created"] == .boolean(false) { return "Linked before: \(id ?? "-")" }
            return "Linked " + (id ?? list([count("linked_count", "edge", "edges")]))
        case "unlink":
            return "Unlinked "
                + list([count("unlinked_count", "edge", "edges"), count("cascade_count", "more", "more")])
        case "set": return "Set " + list([count("modified_count", "entity", "entities")])
        case "kill":
            return "Killed "
                + list([
                    count("killed_count", "node", "nodes"), count("cascade_count", "more", "more"),
                    count("unlinked_count", "edge unlinked", "edges unlinked"),
                ])
        case "trigger": return "Fired " + list([count("fired", "time", "times")])
        default: break
        }
        let rest = summary.filter { $0.key != "success" }.sorted { $0.key < $1.key }.map {
            "\($0.key) \($0.value.cell)"
        }
        let words = statement.split(separator: "_").joined(separator: " ")
        return words.prefix(1).uppercased() + words.dropFirst() + (rest.isEmpty ? "" : ": ")
            + rest.joined(separator: ", ")
    }

    /// The ids of what it made or found.
    var ids: [String] {
        if columns.isEmpty {
            switch summary["id"] ?? summary["killed_ids"] ?? summary["modified_ids"]
                ?? summary["unlinked_ids"]
            {
            case .array(let elements)?: return elements.map(\.cell)
            case let id? where id != .null: return [id.cell]
            default: return []
            }
        }
        return rows.compactMap { row in
            if case .object(let members)? = row.first { return members["_id"]?.cell }
            return row.first?.cell
        }
    }
}

extension JSONValue {
    /// What a cell of a table shows: an entity is its id.
    var cell: String {
        switch self {
        case .null: "-"
        case .text(let text): text.contains(where: \.isNewline) ? JSONTree.quoted(text) : text
        case .object(let members): members["_id"]?.cell ?? JSONTree(self).json(indent: nil)
        case .array(let elements) where elements.contains { if case .object = $0 { true } else { false } }:
            "[" + elements.map(\.cell).joined(separator: ", ") + "]"
        default: JSONTree(self).json(indent: nil)
        }
    }
}

extension DiagnosticView {
    /// As it is printed: without a last line end.
    var text: String {
        var text = rendered
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}

extension CommandContext {
    /// Runs a script; a refusal is thrown as the failure that shows it.
    func run(_ request: GraphRequest, _ client: HTTPControlClient) throws -> GraphResponse {
        try client.post("/v1/graph/query", request, timeout: .seconds(600))
    }

    /// Prints what came of a script as `--output` says.
    ///
    /// One result is its rows or, without any, its summary; several are a list of whole results.
    func show(_ results: [GraphResultView]) throws {
        for warning in results.flatMap(\.warnings) { console.message(warning.text) }
        if arguments.has("id-only") {
            for id in results.flatMap(\.ids) { console.line(id) }
            return
        }
        switch format {
        case .table:
            for (index, result) in results.enumerated() {
                if index > 0, !result.columns.isEmpty || !results[index - 1].columns.isEmpty {
                    console.line()
                }
                for line in result.lines(emphasised: console.isColourful) { console.line(line) }
            }
        case .csv:
            let tables = results.filter { !$0.columns.isEmpty }
            guard tables.count < 2 else {
                throw CommandFailure(
                    code: "output.csv", "CSV holds one table, and \(tables.count) statements gave rows",
                    hint: "use -o json, or one statement")
            }
            let csv =
                tables.first.map { CSV.text(columns: $0.columns, rows: $0.rows) }
                ?? JSONTree.array(results.map(\.summaryTree)).csv()
            console.writeOutput(Array(csv.utf8))
        case .json, .yaml:
            let tree: JSONTree =
                switch results.count {
                case 1: results[0].columns.isEmpty ? results[0].summaryTree : results[0].objects
                default: .array(results.map(\.tree))
                }
            show(tree) { [] }
        }
    }
}
