internal import MeshCore
internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let graphWatch = CommandEntry(
        Command(
            "watch", "Follow a pattern of the graph",
            discussion: """
                Prints what matches now and every change of it. -o jsonl prints an object on a line for each.
                In mode consume an acknowledged match is deleted: --ack auto does that once it is printed, and
                without it ACK and NACK are statements of `meshctl query`.
                """,
            flags: [
                .parameter,
                Flag(
                    "ack", .choice(["auto", "none"]), "Whether to acknowledge consumed matches",
                    default: "none"),
                Flag("count", .integer("N", 1...Int.max), "End after so many events"),
                Flag(
                    "timeout", .duration,
                    "End when so long has passed; with status 5 where --count was not reached"),
                Flag(
                    "output", short: "o", .choice(OutputFormat.allCases.map(\.rawValue) + ["jsonl"]),
                    "How to print", default: "table"),
            ], operands: [Operand("WATCH", "The statement")],
            examples: [
                "meshctl graph watch 'WATCH j: Job WHERE j.status = \"Completed\" RETURN j.job_id'",
                "meshctl graph watch 'WATCH t: Task [mode: consume, group: \"workers\"] RETURN t' --ack auto -o jsonl",
            ])
    ) { context in
        let request = GraphRequest(
            source: context.arguments.operand("WATCH") ?? "", parameters: context.parameters(),
            name: "watch.mew")
        let isLines = context.arguments.text("output") == "jsonl"
        let records = isLines ? nil : RecordStream(context)
        let interrupt = Interrupt(context.console, notice: "stopped watching; the watch has ended") {
            records?.end()
        }
        defer { withExtendedLifetime(interrupt) { records?.end() } }
        // The watch keeps its connection to itself.
        let acknowledging = context.arguments.text("ack") == "auto" ? try context.client() : nil
        let wanted = context.arguments.integer("count")
        var seen = 0
        var failure: (any Error)?
        do {
            try context.client().events(
                "/v1/graph/watch", posting: request,
                timeout: .milliseconds(context.arguments.milliseconds("timeout") ?? 7 * 86_400_000)
            ) { _, data in
                guard let event: GraphWatchEvent = try? HTTPControlClient.decode(data) else { return true }
                if let records {
                    records.add(event) { event.line + "\n" }
                } else {
                    context.console.line(JSONTree(event).json(indent: nil))
                }
                if let acknowledging, let delivery = event.deliveryID {
                    do {
                        _ = try context.run(
                            GraphRequest(source: "ACK $delivery", parameters: ["delivery": .text(delivery)]),
                            acknowledging)
                    } catch {
                        failure = error
                        return false
                    }
                }
                seen += 1
                return wanted.map { seen < $0 } ?? true
            }
        } catch let error as ControlClientError where error.code == .timedOut {
            guard let wanted, seen < wanted else { return .done }
            throw CommandFailure(
                .timedOut, code: "graph.watch.timed-out", "\(seen) of \(wanted) events came in time",
                retryable: true)
        }
        if let failure { throw failure }
        return .done
    }
}

extension GraphWatchEvent {
    /// What the table format shows of it.
    var line: String {
        func text(_ columns: [String: JSONValue]) -> String {
            columns.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.cell)" }.joined(separator: "  ")
        }
        var parts = [type + String(repeating: " ", count: max(0, 9 - type.count)), text(match)]
        if let prev { parts.append("(before: \(text(prev)))") }
        if let deliveryID { parts.append("delivery \(deliveryID)") }
        if let lost { parts.append("\(lost) events are lost") }
        if let reason { parts.append(reason) }
        return parts.filter { !$0.isEmpty }.joined(separator: "  ")
    }
}
