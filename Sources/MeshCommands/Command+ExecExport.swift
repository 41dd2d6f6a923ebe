internal import CommandLineArguments
internal import ExecutionDocuments
internal import ExecutionStore
internal import MeshAPI

extension CommandEntry {
    /// How many executions share one wait for the disk.
    private static let exportGroup = 512

    static let execExport = CommandEntry(
        Command(
            "export", "Write the executions of jobs that the daemon knows into files",
            discussion: """
                Each gets its snapshots below DIR, and its lines in DIR/.spl/exec/log, where the other commands find them
                with --root DIR. With UID only that one and what it triggered. What is there already stays as it is.
                """,
            flags: [
                Flag("root", .text("DIR"), "The folder; made where it is missing", required: true), .format,
            ],
            operands: [
                Operand("UID", "The execution, or an unambiguous prefix of its uid", isOptional: true)
            ],
            examples: ["meshctl exec export --root runs", "meshctl exec export 3f0c --root runs"])
    ) { context in
        let source = DaemonExecutions(client: try context.client())
        let log = try reading { try source.log() }
        // Passes of graphs are added to their runs below.
        let root = context.arguments.operand("UID") == nil ? nil : try execution(context, log).uid
        try context.makeFolder(context.arguments.text("root") ?? "")
        let store = try executionStore(context)
        var adoption = Adoption()
        var missing: [LoggedExecution] = []
        var group: [AdoptedExecution] = []
        func flush() throws {
            let adopted = try reading { try store.adopt(group) }
            group = []
            adoption.added += adopted.added
            adoption.ended += adopted.ended
            adoption.unchanged += adopted.unchanged
        }
        for row in ExecutionTree(log, below: root).rows {
            let one = log[row.position]
            let labels = try reading { try source.labels(one) }
            guard labels.contains(.start) else {
                missing.append(one)
                continue
            }
            group.append(
                try reading {
                    try AdoptedExecution(
                        start: try source.read(one, .start),
                        end: labels.contains(.end) ? try source.read(one, .end) : nil)
                })
            group += source.passes(of: one)
            if group.count >= exportGroup { try flush() }
        }
        try flush()
        context.noteUntold(source)
        for one in missing {
            context.console.message("note: \(one.uid) has no snapshots here; its executor has them")
        }
        context.show(
            .object([
                .init(key: "added", value: .integer(adoption.added)),
                .init(key: "ended", value: .integer(adoption.ended)),
                .init(key: "unchanged", value: .integer(adoption.unchanged)),
                .init(key: "missing", value: .array(missing.map { .text("\($0.uid)") })),
            ])
        ) {
            [
                "\(adoption.added) executions written, \(adoption.ended) ended, \(adoption.unchanged) there already"
            ]
        }
        return .done
    }
}
