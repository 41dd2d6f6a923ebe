internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let logs = CommandEntry(
        Command(
            "logs", "Show what a job writes",
            discussion: "Standard output of the job by default.",
            flags: [
                Flag("follow", short: "f", .toggle, "Go on until the job has ended"),
                Flag("stderr", .toggle, "Its standard error"), Flag("all", .toggle, "Both streams"), .format,
            ], operands: [.job], examples: ["meshctl logs 3f0c -f", "meshctl logs 3f0c --stderr"])
    ) { context in
        let client = try context.client()
        let id = context.arguments.operand("JOB") ?? ""
        let stream =
            context.arguments.has("all") ? "all" : context.arguments.has("stderr") ? "stderr" : "stdout"
        if context.arguments.has("follow") {
            let records = RecordStream(context)
            let notice = "stopped watching; the job goes on: meshctl logs -f \(id)"
            let interrupt = Interrupt(context.console, notice: notice) { records.end() }
            defer { withExtendedLifetime(interrupt) { records.end() } }
            try client.events(jobPath(id, "/logs"), query: ["stream": stream, "follow": "1"]) { _, data in
                if let chunk: LogChunkView = try? HTTPControlClient.decode(data) {
                    records.add(chunk) { chunk.text }
                }
                return true
            }
            return .done
        }
        let chunks: [LogChunkView] = try client.get(jobPath(id, "/logs"), query: ["stream": stream])
        if context.format == .table {
            for chunk in chunks { context.console.writeOutput(Array(chunk.text.utf8)) }
        } else {
            context.show(.array(chunks.map { JSONTree($0) })) { [] }
        }
        return .done
    }

    static let output = CommandEntry(
        Command(
            "output", "Write an output of a job, stdout by default",
            flags: [
                Flag("name", .text("NAME"), "Which output", default: "stdout"),
                Flag("output", short: "o", .text("FILE"), "Where to; - is standard output", default: "-"),
            ], operands: [.job],
            examples: ["meshctl output 3f0c", "meshctl output 3f0c --name result.png -o result.png"])
    ) { context in
        let id = context.arguments.operand("JOB") ?? ""
        let name = HTTPControlClient.pathSegment(context.arguments.text("name") ?? "stdout")
        let bytes = try context.client().bytes(jobPath(id, "/outputs/\(name)"))
        try context.write(bytes, to: context.arguments.text("output"))
        return .done
    }

    static let events = CommandEntry(
        Command(
            "events", "Show what happens at the daemon",
            flags: [
                Flag("follow", short: "f", .toggle, "Go on until Ctrl+C"),
                Flag("job-id", short: "j", .text("JOB"), "Only this job"),
                Flag("after", .integer("ID", 0...Int.max), "Only events behind this one"), .format,
            ], examples: ["meshctl events -f", "meshctl events --job-id 3f0c -o json"])
    ) { context in
        let client = try context.client()
        var query: [String: String] = [:]
        query["job"] = context.arguments.text("job-id")
        query["after"] = context.arguments.text("after")
        if context.arguments.has("follow") { query["follow"] = "1" }
        let records = RecordStream(context)
        let interrupt = Interrupt(context.console, notice: "stopped watching") { records.end() }
        defer { withExtendedLifetime(interrupt) { records.end() } }
        try client.events("/v1/events", query: query) { _, data in
            guard let event: EventView = try? HTTPControlClient.decode(data) else { return true }
            records.add(event) {
                let subject = [event.nodeID, event.jobID, event.detail].compactMap(\.self).joined(
                    separator: "  ")
                return "\(event.time)  \(event.event)  \(subject)\n"
            }
            return true
        }
        return .done
    }
}
