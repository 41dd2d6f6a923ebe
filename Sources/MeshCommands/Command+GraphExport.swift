internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let graphExport = CommandEntry(
        Command(
            "export", "Write nodes or edges as JSON Lines or CSV",
            discussion: """
                Without --type everything that was declared here is written, type by type; CSV holds one type.
                What was exported can be imported into another mesh: the nodes keep their ids as keys. Edges on
                edges cannot, because an edge has no key.
                """,
            flags: [
                Flag("nodes", .toggle, "Write nodes"), Flag("edges", .toggle, "Write edges"),
                Flag("type", .text("T"), "Only this type, with its subtypes, or this edge"),
                Flag("format", .choice(["jsonl", "csv"]), "Which form", default: "jsonl"),
                Flag("output", short: "o", .text("FILE"), "Where to; - is standard output", default: "-"),
            ],
            examples: [
                "meshctl graph export --nodes -o nodes.jsonl",
                "meshctl graph export --edges --type knows --format csv -o knows.csv",
            ])
    ) { context in
        let wantsEdges = context.arguments.has("edges")
        guard wantsEdges != context.arguments.has("nodes") else {
            throw UsageError("graph export needs either --nodes or --edges")
        }
        let isCSV = context.arguments.text("format") == "csv"
        let only = context.arguments.text("type")
        guard only != nil || !isCSV else {
            throw UsageError("CSV holds one type: give --type", hint: "or use --format jsonl")
        }
        let client = try context.client()
        let catalog = try GraphCatalog(context, client)
        let known = wantsEdges ? catalog.edges : catalog.types
        let wanted: [GraphCatalog.Entry]
        if let only {
            guard let entry = known.first(where: { $0.name == only }) else {
                let near = Suggestion.nearest(to: only, among: known.map(\.name))
                throw CommandFailure(
                    code: "graph.type", "there is no \(wantsEdges ? "edge" : "type") \(only)",
                    hint: near.map { "did you mean \($0)?" })
            }
            wanted = [entry]
        } else {
            wanted = known.filter { !$0.isAbstract && !$0.isSystem }
        }
        var output: [UInt8] = []
        var count = 0
        for entry in wanted {
            let rows = try rows(of: entry, isExact: only == nil, context, client)
            count += rows.count
            output += Array((isCSV ? csv(rows, entry) : rows.map(jsonLine).joined()).utf8)
        }
        try context.write(output, to: context.arguments.text("output"))
        context.console.message("\(count) \(wantsEdges ? "edges" : "nodes") exported")
        return .done
    }

    /// The entities of one type; a subtype's too unless it is `isExact`.
    private static func rows(
        of entry: GraphCatalog.Entry, isExact: Bool, _ context: CommandContext, _ client: HTTPControlClient
    ) throws -> [[String: JSONValue]] {
        let blanks = entry.parameters.map { _ in "_" }.joined(separator: ", ")
        let pattern = entry.parameters.isEmpty ? "x: \(entry.name)" : "\(entry.name)(\(blanks)) AS x"
        let response = try context.run(
            GraphRequest(source: "MATCH \(pattern) RETURN x", name: "export.mew"), client)
        return (response.results.first?.rows ?? []).compactMap { row in
            guard case .object(let entity)? = row.first else { return nil }
            return !isExact || entity["_type"] == .text(entry.name) ? entity : nil
        }
    }

    /// The object on a line, what begins with an underscore first.
    private static func jsonLine(_ entity: [String: JSONValue]) -> String {
        let members = entity.sorted { first, second in
            let order = (first.key.hasPrefix("_") ? 0 : 1, second.key.hasPrefix("_") ? 0 : 1)
            return order.0 == order.1 ? first.key < second.key : order.0 < order.1
        }
        return JSONTree.object(members.map { .init(key: $0.key, value: JSONTree($0.value)) }).json(
            indent: nil)
            + "\n"
    }

    /// One table: id, type, targets, then the attributes as they are declared and those that only subtypes have.
    private static func csv(_ rows: [[String: JSONValue]], _ entry: GraphCatalog.Entry) -> String {
        var attributes = entry.attributes.map(\.name)
        let known = Set(attributes)
        attributes += Set(rows.flatMap(\.keys)).filter { !$0.hasPrefix("_") && !known.contains($0) }.sorted()
        let targets = (0..<entry.parameters.count).map { "_target_\($0 + 1)" }
        return CSV.text(
            columns: ["_id", "_type"] + targets + attributes,
            rows: rows.map { row in
                var cells = [row["_id"] ?? .null, row["_type"] ?? .null]
                if case .array(let ids)? = row["_targets"] { cells += ids.prefix(targets.count) }
                while cells.count < 2 + targets.count { cells.append(.null) }
                return cells + attributes.map { row[$0] ?? .null }
            })
    }

    static let graphDump = CommandEntry(
        Command(
            "dump", "Write the whole graph in its canonical form",
            discussion: "Replicas that know the same changes write the same bytes.",
            flags: [
                Flag("output", short: "o", .text("FILE"), "Where to; - is standard output", default: "-")
            ], examples: ["meshctl graph dump | sha256sum"])
    ) { context in
        try context.write(
            try context.client().bytes("/v1/graph/dump"), to: context.arguments.text("output"))
        return .done
    }
}
