internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let graphLoad = CommandEntry(
        Command(
            "load", "Load ontologies and instances",
            discussion: """
                A file holds declarations, statements and instances in any order. What one file names, the
                files behind it may use. A file without BEGIN takes effect whole or not at all; the first fault
                ends the command, and --dry-run finds it beforehand.
                """,
            flags: [
                .parameter, Flag("dry-run", .toggle, "Check everything and keep nothing"), .format,
            ],
            operands: [
                Operand("FILE.mew", "What to load, in this order; - is standard input", isRepeatable: true)
            ],
            examples: ["meshctl graph load people.mew", "meshctl graph load types.mew data.mew --dry-run"])
    ) { context in
        let client = try context.client()
        var bindings: [String: String] = [:]
        var loaded: [(path: String, results: [GraphResultView])] = []
        for path in context.arguments.operands("FILE.mew") {
            let script =
                path == "-"
                ? try GraphScript(
                    GraphScript.text(context.console.readInput(), of: "standard input"), name: "stdin")
                : try GraphScript(file: path)
            let response = try context.run(
                GraphRequest(
                    source: script.source, parameters: context.parameters(), bindings: bindings,
                    dryRun: context.arguments.has("dry-run") ? true : nil, atomic: true, name: script.name),
                client)
            bindings = response.bindings
            loaded.append((path, response.results))
            for warning in response.results.flatMap(\.warnings) { context.console.message(warning.text) }
        }
        context.show(
            .array(
                loaded.map { path, results in
                    .object([
                        .init(key: "file", value: .text(path)),
                        .init(key: "results", value: .array(results.map(\.tree))),
                    ])
                })
        ) { loaded.flatMap { path, results in lines(path, results) } }
        return .done
    }

    /// Declarations one by one, instances by their number.
    private static func lines(_ path: String, _ results: [GraphResultView]) -> [String] {
        var lines: [String] = []
        var spawned = 0
        var linked = 0
        for result in results {
            switch result.statement {
            case "spawn", "instance": spawned += 1
            case "link", "edge_instance": linked += 1
            default: lines += result.lines()
            }
        }
        if spawned > 0 || linked > 0 {
            lines.append(
                "Spawned \(spawned) \(spawned == 1 ? "node" : "nodes"), linked \(linked) \(linked == 1 ? "edge" : "edges")"
            )
        }
        if lines.isEmpty { lines = ["Nothing to load"] }
        return lines.map { "\(path): \($0)" }
    }
}
