internal import CommandLineArguments
internal import Dataflow
internal import FoundationEssentials
internal import MeshAPI

extension CommandEntry {
    static let dataflowRun = CommandEntry(
        Command(
            "run", "Run passes of a graph here",
            discussion: """
                What sources read is taken before each pass; actions are named and not done, unless --perform is
                given. All that the passes depended on goes into --capture, from which they can be run again. Files are
                read and written below --root alone; queries, blobs, jobs and changes of the graph go to the daemon;
                webhooks are called at and below the urls of --allow-webhook. Ctrl+C ends the run after the pass at
                hand. Ends with 3 when a pass fails, and is not tried again.
                """,
            flags: FlowRunSettings.flags + [.format], operands: [.graphFile],
            examples: [
                "meshctl dataflow run examples/dataflow/threshold.json",
                "meshctl dataflow run examples/dataflow/watch-file.json --root data --passes 3 --perform --capture run.json",
                "meshctl dataflow run alarm.json --perform --allow-webhook https://example.org/hooks --every 1m --passes 60 --retries 2",
                "meshctl dataflow run pipeline.json --perform --record plots/a --snapshots operations",
            ])
    ) { context in
        let arguments = context.arguments
        let source = try FlowSource(arguments.operand("FILE.json") ?? "-", context)
        let graph = try source.ready(context)
        let settings = try FlowRunSettings(arguments)
        let record = try arguments.text("record").map {
            try FlowRecord(
                try executionStore(context), context: $0, graph: graph, source: source.text,
                settings: settings)
        }
        let run = try run(graph, settings, record, context)
        context.show(passes(run)) { lines(run, isPerforming: settings.isPerforming) }
        return run.failure == nil ? .done : .jobFailed
    }

    /// Runs a graph, and writes the capture that is asked for.
    static func run(
        _ graph: PreparedGraph, _ settings: FlowRunSettings, _ record: FlowRecord?, _ context: CommandContext
    ) throws -> FlowRun {
        let surroundings = FlowSurroundings(
            context, root: context.arguments.text("root") ?? ".", webhooks: settings.webhooks)
        let stop = StopSignal(
            context.console, notice: "stopping after the pass at hand; once more to stop at once")
        let run = FlowRun(graph, settings: settings, surroundings: surroundings, record: record, stop: stop)
        let result = Result { try run.run() }
        // What had been done before it could not go on is worth having all the more.
        if let path = context.arguments.text("capture") {
            try context.write(Array(run.capture.json.utf8), to: path)
        }
        try result.get()
        if run.isStopped {
            let count = run.attempts.count
            context.console.message("stopped after \(count) \(count == 1 ? "pass" : "passes")")
        }
        return run
    }

    /// The report of every pass.
    static func passes(_ run: FlowRun) -> JSONTree {
        .array(
            run.attempts.map {
                (try? JSONDecoder().decode(JSONTree.self, from: Data($0.report.json.utf8))) ?? .null
            })
    }

    /// The same for people.
    static func lines(_ run: FlowRun, isPerforming: Bool) -> [String] {
        run.attempts.enumerated().flatMap { lines($1, pass: $0, isPerforming: isPerforming) }
    }

    private static func lines(_ attempt: FlowRun.Attempt, pass: Int, isPerforming: Bool) -> [String] {
        let report = attempt.report
        var lines = ["Pass \(pass)" + (attempt.retryCount > 0 ? ", again on the same tick" : "")]
        lines += report.outputs.map { "  \($0.name): \($0.value.shown)" }
        for record in report.acknowledgements {
            let command = report.commands.first { $0.node == record.node }
            let what = command.map { " (\($0.primitive.id))" } ?? ""
            let note = record.note.isEmpty ? "" : ": \(record.note)"
            lines.append("  action \(record.node)\(what) \(record.outcome.name)\(note)")
        }
        if !isPerforming, !report.commands.isEmpty {
            lines.append("  nothing was done; --perform does it")
        }
        if let failure = report.failure { lines.append("  failed at \(failure)") }
        if attempt.isTimedOut { lines.append("  took longer than its deadline") }
        return lines.map(\.onOneLine)
    }
}

extension FlowValue {
    fileprivate var shown: String {
        switch self {
        case .number(let value): value.description
        case .series(let values):
            "[" + values.prefix(20).map(\.description).joined(separator: ", ")
                + (values.count > 20 ? ", …]" : "]")
        case .bool(let flag): String(flag)
        case .event(let event): event.name
        case .string(let text): "\"\(text)\""
        }
    }
}
