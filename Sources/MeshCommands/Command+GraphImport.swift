internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let graphImport = CommandEntry(
        Command(
            "import", "Read nodes and edges from JSON Lines or CSV",
            discussion: """
                A record is a node, or an edge when it has _targets (or its targets in columns named as the edge
                declares them, _target_1 and so on, from and to, source and target). _id, id or key names a node;
                attributes are the other columns. Empty cells of CSV are no value, and "" is an empty text.
                Each batch is one transaction; lines at fault are left out of it and listed. Import nodes first.
                An import that was cut off goes on with --resume: how far it came stands in FILE.progress.
                """,
            flags: [
                Flag(
                    "format", .choice(["jsonl", "csv"]),
                    "Which form (default: csv where the name ends so, else jsonl)"),
                Flag("type", .text("T"), "The type of nodes that have no _type"),
                Flag("edge", .text("E"), "Every record is an edge, this one where it has no _type"),
                Flag("key", .text("COLUMN"), "The column that names a node"),
                Flag(
                    "batch", .integer("N", 1...100_000), "How many records to a transaction", default: "1000"),
                Flag("max-errors", .integer("N", 1...1_000_000), "Give up after so many", default: "20"),
                Flag("skip-existing", .toggle, "Leave nodes alone whose key is there already"),
                Flag(
                    "parallel", .toggle, "Link edges although there is one with the same targets"),
                Flag("resume", .toggle, "Go on behind what an earlier import has committed"), .format,
            ],
            operands: [
                Operand("FILE", "What to read, in this order; - is standard input", isRepeatable: true)
            ],
            examples: [
                "meshctl graph import nodes.jsonl edges.jsonl",
                "meshctl graph import people.csv --type Person --resume",
                "meshctl graph import knows.csv --edge knows --max-errors 100",
            ])
    ) { context in
        if context.arguments.has("type"), context.arguments.has("edge") {
            throw UsageError("graph import takes --type or --edge, not both")
        }
        let client = try context.client()
        let interrupt = Interrupt(context.console, notice: "stopped; go on with --resume")
        defer { withExtendedLifetime(interrupt) {} }
        var catalog: GraphCatalog?
        var done: [(path: String, counts: ImportProgress.Counts)] = []
        var isWhole = true
        for path in context.arguments.operands("FILE") where isWhole {
            let schema = try catalog ?? GraphCatalog(context, client)
            catalog = schema
            let (counts, isFinished) = try load(path, schema, context, client)
            done.append((path, counts))
            isWhole = isFinished
        }
        context.show(
            .array(
                done.map { path, counts in
                    .object([
                        .init(key: "file", value: .text(path)),
                        .init(key: "spawned", value: .integer(counts.spawned)),
                        .init(key: "linked", value: .integer(counts.linked)),
                        .init(key: "existing", value: .integer(counts.existing)),
                        .init(key: "refused", value: .integer(counts.refused)),
                    ])
                })
        ) {
            done.map { path, counts in
                "\(path): \(counts.spawned) spawned, \(counts.linked) linked, \(counts.existing) there already, \(counts.refused) refused"
            }
        }
        return isWhole && done.allSatisfy { $0.counts.refused == 0 } ? .done : .error
    }

    /// Imports one file.
    private static func load(
        _ path: String, _ catalog: GraphCatalog, _ context: CommandContext, _ client: HTTPControlClient
    ) throws -> (counts: ImportProgress.Counts, isFinished: Bool) {
        let arguments = context.arguments
        let bytes = try context.contents(of: path)
        let format =
            arguments.text("format").flatMap(GraphRecordReader.Format.init) ?? .init(path: path)
        var reader = try GraphRecordReader(
            bytes, format: format,
            rules: .init(
                type: arguments.text("type"), edge: arguments.text("edge"), key: arguments.text("key"),
                catalog: catalog))
        let (start, isResumed) = try start(path, bytes, isResuming: arguments.has("resume"))
        var settings = GraphImporter.Settings()
        settings.batchCount = arguments.integer("batch") ?? settings.batchCount
        settings.faultCountMax = arguments.integer("max-errors") ?? settings.faultCountMax
        settings.skipsExisting = arguments.has("skip-existing")
        settings.allowsParallel = arguments.has("parallel")
        let bar = ProgressBar(context.console, label: path)
        var importer = GraphImporter(settings, from: start) { request in
            try context.run(request, client)
        } committed: { progress, fraction in
            if path != "-" { try progress.save(for: path) }
            bar.update(fraction, "line \(progress.line)")
        } fault: { line, message in
            bar.clear()
            context.console.message("\(path):\(line): \(message)")
        } warnUnnamed: {
            bar.clear()
            context.console.message(
                "\(path): records without an id: should the import be cut off, the batch in flight may be doubled"
            )
        }
        // Before the first commit too: what is cut off there may have committed all the same.
        if path != "-" { try start.save(for: path) }
        let isFinished = try importer.run(&reader, isResumed: isResumed)
        bar.clear()
        if isFinished {
            if path != "-" { ImportProgress.remove(for: path) }
        } else {
            context.console.message(
                "\(path): given up after \(importer.faultCount) errors; what was committed stays, up to line \(importer.progress.line) at least"
            )
        }
        return (importer.progress.counts, isFinished)
    }

    /// Where to begin, and whether an import that was cut off has been there.
    private static func start(
        _ path: String, _ bytes: [UInt8], isResuming: Bool
    ) throws -> (ImportProgress, isResumed: Bool) {
        let digest = ImportProgress.digest(of: bytes)
        guard path != "-", let earlier = try ImportProgress.load(for: path) else {
            return (ImportProgress(digest: digest), false)
        }
        let side = ImportProgress.path(for: path)
        guard isResuming else {
            throw CommandFailure(
                code: "import.progress", "an earlier import of \(path) stopped behind line \(earlier.line)",
                hint: "add --resume to go on there, or delete \(side) to begin again")
        }
        guard earlier.digest == digest else {
            throw CommandFailure(
                code: "import.changed", "\(path) has changed since the import that stopped",
                hint: "delete \(side) and begin again with --skip-existing")
        }
        return (earlier, true)
    }
}
