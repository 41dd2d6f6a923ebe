internal import CommandLineArguments
internal import ExecutionDocuments
internal import ExecutionStore
internal import MeshAPI
internal import MeshCore

extension CommandEntry {
    static let execPrune = CommandEntry(
        Command(
            "prune", "Delete executions by age and count, and make their log shorter",
            discussion: """
                Only what has ended is deleted, and nothing before all that it triggered. Deleting takes an execution
                out of the lists, and everything of it stays; purging removes its snapshots; compacting takes the
                lines of what was purged out of the log. exec list --root DIR --all shows what is deleted and not compacted.
                """,
            flags: [
                .executionRoot,
                Flag("older-than", .duration, "Delete what has ended this long ago"),
                Flag("keep", .integer("N", 0...1_000_000_000), "Delete all but the N that ended last"),
                Flag("purge-after", .duration, "Purge what was deleted this long ago"),
                Flag("compact", .toggle, "Compact the log behind it"),
                Flag("dry-run", .toggle, "Say what would be done"), .format,
            ],
            examples: [
                "meshctl exec prune --older-than 30d --dry-run",
                "meshctl exec prune --keep 1000 --purge-after 7d --compact",
            ])
    ) { context in
        let arguments = context.arguments
        guard ["older-than", "keep", "purge-after", "compact"].contains(where: arguments.has) else {
            throw UsageError(
                "exec prune needs --older-than, --keep, --purge-after or --compact",
                hint: "see meshctl exec prune --help")
        }
        let policy = RetentionPolicy(
            softAge: arguments.milliseconds("older-than").map { Int64($0) },
            keptMax: arguments.integer("keep"),
            hardAge: arguments.milliseconds("purge-after").map { Int64($0) },
            compactionMin: arguments.has("compact") ? 1 : nil)
        let store = try executionStore(context)
        let isDry = arguments.has("dry-run")
        let (decision, lineCount) = try reading { () -> (RetentionDecision, Int) in
            let log = try store.log()
            let decision = policy.decide(log, now: ExecutionStore.clock())
            if isDry { return (decision, 0) }
            try store.softDelete(decision.softDeletions)
            try store.hardDelete(decision.hardDeletions)
            return (decision, arguments.has("compact") ? try store.compact().droppedLineCount : 0)
        }
        context.show(
            .object([
                .init(key: "dry_run", value: .boolean(isDry)),
                .init(key: "deleted", value: .array(decision.softDeletions.map { .text("\($0)") })),
                .init(key: "purged", value: .array(decision.hardDeletions.map { .text("\($0)") })),
                .init(key: "compacted", value: .boolean(!isDry && arguments.has("compact"))),
                .init(key: "lines_dropped", value: .integer(lineCount)),
            ])
        ) {
            var lines = decision.softDeletions.map { "\(isDry ? "would delete" : "deleted") \($0)" }
            lines += decision.hardDeletions.map { "\(isDry ? "would purge" : "purged") \($0)" }
            if isDry, decision.compacts { lines.append("would compact the log") }
            if !isDry, arguments.has("compact") {
                lines.append("compacted the log: \(lineCount) \(lineCount == 1 ? "line" : "lines") dropped")
            }
            return lines.isEmpty ? ["nothing to do"] : lines
        }
        return .done
    }
}
