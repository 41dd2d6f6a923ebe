internal import CommandLineArguments
internal import ControlClient
internal import ExecutionDocuments
internal import ExecutionStore
internal import FoundationEssentials
internal import MeshAPI
internal import MeshCore

extension Operand {
    static let execution = Operand("UID", "The execution, or an unambiguous prefix of its uid")
}

extension Flag {
    static let executionRoot = Flag(
        "root", .text("DIR"), "The folder whose `.spl/exec/log` has the executions", default: ".")
    static let executionFiles = Flag(
        "root", .text("DIR"),
        "Read the files of this folder, whose `.spl/exec/log` has the executions, and not the daemon's")
}

extension CommandEntry {
    static let execList = CommandEntry(
        Command(
            "list", "List executions, the newest first",
            discussion:
                "Without --root these are the runs of jobs that the daemon's replica knows, on whichever node they ran.",
            flags: [
                .executionFiles,
                Flag("status", .choice(ExecutionStatus.allCases.map(\.rawValue)), "Only with this status"),
                Flag("limit", .integer("N", 1...1_000_000), "How many", default: "100"),
                Flag("all", .toggle, "Also those that are deleted"), .identifierOnly, .format,
            ],
            examples: [
                "meshctl exec list", "meshctl exec list --root runs --status failed -o json",
                "meshctl exec list --root runs --all",
            ])
    ) { context in
        let source = try context.executions()
        let status = context.arguments.text("status")
        let limit = context.arguments.integer("limit") ?? 100
        let includesDeleted = context.arguments.has("all")
        let found = try reading { try source.log() }.reversed()
            .filter { includesDeleted || $0.deletion == nil }
            .filter { status == nil || $0.status.rawValue == status }.prefix(limit)
        if context.arguments.has("id-only") {
            for one in found { context.console.line("\(one.uid)") }
            return .done
        }
        context.show(.array(found.map(tree))) {
            Table(
                headings: ["UID", "Status", "Protocol", "Context", "Started", "Ended", "Error"],
                rows: found.map { one in
                    [
                        "\(one.uid)", one.status.rawValue + (one.deletion == nil ? "" : ", deleted"),
                        "\(one.protocolName)", "\(one.context)",
                        "\(one.startedAt)", one.endedAt.map { "\($0)" } ?? "-", one.error ?? "",
                    ]
                }
            ).lines(emphasised: context.console.isColourful)
        }
        return .done
    }

    static let execShow = CommandEntry(
        Command(
            "show", "Print a snapshot of an execution, byte for byte",
            flags: [
                .executionFiles,
                Flag("label", .text("LABEL"), "Which (end where there is one, else start)"),
                Flag("labels", .toggle, "List the labels of its snapshots instead"),
                Flag(
                    "resolve", .toggle,
                    "Put the data in the place of references to it: from the daemon, each checked by its CID"),
            ], operands: [.execution],
            examples: [
                "meshctl exec show 3f0c", "meshctl exec show 3f0c --label start",
                "meshctl exec show 3f0c --resolve",
            ])
    ) { context in
        let source = try context.executions()
        let log = try reading { try source.log(around: context.arguments.operand("UID") ?? "") }
        context.noteUntold(source)
        let one = try execution(context, log)
        let labels = try reading { try source.labels(one) }
        if context.arguments.has("labels") {
            for label in labels { context.console.line("\(label)") }
            return .done
        }
        let label = try reading { () -> SnapshotLabel in
            if let text = context.arguments.text("label") { return try SnapshotLabel(text) }
            return labels.contains(.end) ? .end : .start
        }
        var document = try reading { try source.read(one, label) }
        if context.arguments.has("resolve") {
            let client = try context.client()
            document = try reading {
                try document.resolving { cid in try? client.bytes("/v1/dag/\(cid)") }
            }
        }
        context.console.writeOutput(document.bytes)
        return .done
    }

    static let execTree = CommandEntry(
        Command(
            "tree", "Show which execution triggered which",
            discussion: """
                A job that submits jobs stands above their runs, on whichever nodes they were. Below UID the passes of
                graphs that ran as jobs are there too, and the triggers that emitted in them.
                """,
            flags: [.executionFiles, .format],
            operands: [
                Operand("UID", "Only what is below this one, or below what a prefix names", isOptional: true)
            ], examples: ["meshctl exec tree", "meshctl exec tree 3f0c"])
    ) { context in
        let source = try context.executions()
        let operand = context.arguments.operand("UID")
        let log = try reading { try operand.map { try source.log(around: $0) } ?? source.log() }
        context.noteUntold(source)
        let uid = operand == nil ? nil : try execution(context, log).uid
        let found = ExecutionTree(log, below: uid)
        context.show(
            .object([
                .init(
                    key: "executions",
                    value: .array(
                        found.rows.map { row in
                            guard case .object(let members) = tree(log[row.position]) else { return .null }
                            return .object(members + [.init(key: "depth", value: .integer(row.depth))])
                        })),
                .init(
                    key: "orphans",
                    value: .array(found.orphans.map { .text("\(log[$0].uid)") })),
                .init(key: "cycles", value: .array(found.cycles.map { .text("\(log[$0].uid)") })),
            ])
        ) {
            found.rows.map { row in
                let one = log[row.position]
                let indent = String(repeating: "  ", count: row.depth)
                return "\(indent)\(one.uid)  \(one.protocolName)  \(one.status.rawValue)".onOneLine
            }
        }
        for position in found.orphans {
            context.console.message("warning: the parent of \(log[position].uid) is not in the log")
        }
        for position in found.cycles {
            context.console.message("warning: \(log[position].uid) is its own ancestor")
        }
        return .done
    }

    static let execDiff = CommandEntry(
        Command(
            "diff", "Show what an execution changed: its start against its end",
            flags: [.executionFiles, .format], operands: [.execution],
            examples: ["meshctl exec diff 3f0c"])
    ) { context in
        let source = try context.executions()
        let log = try reading { try source.log(around: context.arguments.operand("UID") ?? "") }
        context.noteUntold(source)
        let one = try execution(context, log)
        let record = try reading {
            ChangeRecord(from: try source.read(one, .start), to: try source.read(one, .end))
        }
        func text(_ value: DocumentValue) -> String { String(decoding: value.compact, as: UTF8.self) }
        func json(_ value: DocumentValue?) -> JSONTree {
            guard let value else { return .null }
            return (try? JSONDecoder().decode(JSONTree.self, from: Data(value.compact))) ?? .null
        }
        context.show(
            .array(
                record.changes.map { change in
                    .object([
                        .init(key: "path", value: .text(change.path)),
                        .init(key: "before", value: json(change.before)),
                        .init(key: "after", value: json(change.after)),
                    ])
                })
        ) {
            record.changes.map { change in
                switch (change.before, change.after) {
                case (nil, let after?): "+ \(change.path): \(text(after))"
                case (let before?, nil): "- \(change.path): \(text(before))"
                case (let before?, let after?): "~ \(change.path): \(text(before)) → \(text(after))"
                case (nil, nil): change.path
                }
            }.map(\.onOneLine)
        }
        return .done
    }

    // MARK: Shared

    static func executionStore(_ context: CommandContext) throws -> ExecutionStore {
        let console = context.console
        return try reading {
            try ExecutionStore(root: context.arguments.text("root") ?? ".") { repair in
                console.message("note: \(repair)")
            }
        }
    }

    /// Runs what throws errors of executions, and gives them as this program's own.
    static func reading<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as ExecutionError {
            throw CommandFailure(code: error.code.rawValue, error.message, hint: error.hint)
        }
    }

    /// The execution that the operand names, by its uid or a prefix of it.
    static func execution(_ context: CommandContext, _ log: ExecutionLog) throws -> LoggedExecution {
        let text = context.arguments.operand("UID") ?? ""
        if let uid = try? ExecutionUID(text), let one = log[uid] { return one }
        var found: [LoggedExecution] = []
        for one in log where one.uid.description.hasPrefix(text) {
            found.append(one)
            if found.count > 9 { break }
        }
        guard let only = found.first else {
            throw CommandFailure(
                code: "exec.unknown", "the log has no execution \(text)", hint: "meshctl exec list")
        }
        guard found.count == 1 else {
            throw CommandFailure(
                code: "exec.ambiguous",
                "\"\(text)\" may mean \(found.map { "\($0.uid)" }.joined(separator: ", "))")
        }
        return only
    }

    private static func tree(_ one: LoggedExecution) -> JSONTree {
        .object([
            .init(key: "uid", value: .text("\(one.uid)")),
            .init(key: "protocol", value: .text("\(one.protocolName)")),
            .init(key: "context", value: .text("\(one.context)")),
            .init(key: "parent_uid", value: one.parentUID.map { .text("\($0)") } ?? .null),
            .init(key: "status", value: .text(one.status.rawValue)),
            .init(key: "started_at", value: .text("\(one.startedAt)")),
            .init(key: "ended_at", value: one.endedAt.map { .text("\($0)") } ?? .null),
            .init(key: "error", value: one.error.map { .text($0) } ?? .null),
            .init(key: "deletion", value: one.deletion.map { .text($0.rawValue) } ?? .null),
        ])
    }
}
