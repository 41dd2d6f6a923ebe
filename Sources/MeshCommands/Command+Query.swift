internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension Flag {
    /// `--param` of commands that send statements.
    static let parameter = Flag(
        "param", .pair("NAME=VALUE"), "A value for $NAME: JSON, and else text", repeatable: true)
}

extension CommandEntry {
    static let query = CommandEntry(
        Command(
            "query", "Run statements against the graph",
            discussion: """
                One result with rows is printed as a list of objects, one without as its summary, and several
                as a list of whole results. LOAD ONTOLOGY FROM "FILE" reads the file here.
                """,
            flags: [
                Flag("file", short: "f", .text("F.mew"), "Read the statements from a file"),
                .parameter,
                Flag("dry-run", .toggle, "Undo everything at the end"), .identifierOnly, .format,
            ],
            operands: [
                Operand("STATEMENTS", "What to run; - or nothing is standard input", isOptional: true)
            ],
            examples: [
                "meshctl query 'MATCH j: Job WHERE j.status = \"Completed\" RETURN j.job_id, j.fuel_used LIMIT 5' -o json",
                "meshctl query 'MATCH p: Person WHERE p.name = $name RETURN p' --param name=Ada",
                "meshctl query --file changes.mew --dry-run", "echo 'SHOW TYPES' | meshctl query",
            ])
    ) { context in
        let script = try script(context)
        let request = GraphRequest(
            source: script.source, parameters: context.parameters(),
            dryRun: context.arguments.has("dry-run") ? true : nil, name: script.name)
        let response = try context.run(request, try context.client())
        try context.show(response.results)
        if context.arguments.has("dry-run"), context.format == .table {
            context.console.message("nothing was kept (--dry-run)")
        }
        return .done
    }

    private static func script(_ context: CommandContext) throws -> GraphScript {
        let given = context.arguments.operand("STATEMENTS")
        if let file = context.arguments.text("file"), file != "-" {
            if given != nil { throw UsageError("query takes STATEMENTS or --file, not both") }
            return try GraphScript(file: file)
        }
        if let given, given != "-" { return try GraphScript(given, name: "query.mew") }
        guard !context.console.isInputTerminal || given == "-" else {
            throw UsageError(
                "query needs STATEMENTS",
                hint: "see meshctl query --help, or type them in meshctl graph shell")
        }
        return try GraphScript(
            GraphScript.text(context.console.readInput(), of: "standard input"), name: "stdin")
    }
}
