internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let submitJob = CommandEntry(
        Command(
            "submit-job", "Submit a job to the mesh",
            discussion: """
                The module and the inputs are uploaded to the daemon, which signs and publishes the manifest.
                Arguments and environment are public to everybody in the scope. An input named stdin is the
                program's standard input; the others are the read-only files /in/NAME. A contract, FILE.ccl, is
                compiled first; unless --resource-amount says otherwise its job is given as much as the contract is
                known to use. A graph of dataflow is submitted with --language dataflow; the job's inputs are the files that
                its sources read.
                """,
            flags: submitFlags + [
                Flag("file", .text("job.json"), "Read the flags from a JSON file; those given here win"),
                Flag("wait", .toggle, "Wait for the result and end by the job's outcome"),
                Flag(
                    "follow", .toggle, "Show the program's output as it comes, and end by the job's outcome"),
                Flag(
                    "dry-run", .toggle, "Check everything, publish nothing, and show what would be submitted"),
                .timeout, .identifierOnly, .format,
            ],
            operands: [
                Operand(
                    "FILE", "A contract, or a graph with --language dataflow, in the place of --wasm",
                    isOptional: true)
            ],
            examples: [
                "meshctl submit-job --wasm program.wasm --description 'Count words' --input stdin=text.txt --auto --wait",
                "meshctl submit-job -w program.wasm --resource-amount 500 --min-memory 512 --priority high",
                "meshctl submit-job --language ccl budget.ccl --module report.wasm --auto --wait",
                "meshctl submit-job --language dataflow readings-job.json --input readings=readings.txt --auto --wait",
                "meshctl submit-job --file job.json --id-only",
            ])
    ) { context in
        let client = try context.client()
        let draft = try JobDraft(context)
        let request = try draft.uploaded(context, client)
        if context.arguments.has("dry-run") { return try tryOut(request, in: context, client: client) }
        return try submit(request, in: context, client: client)
    }

    /// Has the daemon check a request without publishing anything.
    private static func tryOut(
        _ request: SubmitRequest, in context: CommandContext, client: HTTPControlClient
    ) throws -> ExitStatus {
        let checked: SubmitRequest = try client.post("/v1/jobs?dry_run=1", request)
        context.show(checked) {
            [
                "The job would be accepted; nothing was submitted",
                "Module \(checked.wasm), \(checked.resourceAmount ?? 0) \(checked.resourceType ?? "compute"), "
                    + "fuel \(checked.fuel ?? 0), \(checked.minMemory ?? 0) MiB, bids up to \(checked.maxBid ?? 0)",
            ]
        }
        return .done
    }

    /// Posts a request and, with `--wait` or `--follow`, sees it through.
    static func submit(
        _ request: SubmitRequest, in context: CommandContext, client: HTTPControlClient
    ) throws -> ExitStatus {
        let submitted: SubmitResponse = try client.post("/v1/jobs", request)
        let isFollowing = context.arguments.has("follow")
        let isWaiting = context.arguments.has("wait") || isFollowing
        if context.arguments.has("id-only") {
            context.console.line(submitted.jobID)
            if isWaiting { return try quietly(submitted.jobID, context, client) }
            return .done
        }
        if context.format == .table || !isWaiting {
            context.show(submitted) { ["Job submitted successfully", "Job ID: \(submitted.jobID)"] }
        }
        if request.args != nil || request.env != nil, context.format == .table {
            context.console.message(
                "note: arguments and environment can be read by everybody in the scope "
                    + "\(request.scope ?? "default")")
        }
        if request.auto != true, request.bidWindowMs != 0 {
            context.hint("meshctl get-bids --job-id \(submitted.jobID)")
        }
        guard isWaiting else { return .done }
        if isFollowing { return try followOutput(submitted.jobID, context, client) }
        let status = try follow(submitted.jobID, in: context, client: client)
        if status == .jobFailed { context.hint("meshctl logs \(submitted.jobID) --stderr") }
        if context.format == .table, status == .done || status == .verificationFailed {
            let output = try? client.bytes(jobPath(submitted.jobID, "/outputs/stdout"))
            if let output, !output.isEmpty {
                context.console.line()
                context.console.writeOutput(output)
            }
        }
        return status
    }

    private static func quietly(
        _ id: String, _ context: CommandContext, _ client: HTTPControlClient
    ) throws -> ExitStatus {
        let watcher = JobWatcher(
            client: client, milliseconds: context.arguments.milliseconds("timeout") ?? 60_000)
        let result = try watcher.watch(id) { _ in }
        return result.isTimedOut ? .timedOut : result.job.exitStatus
    }

    /// Shows the program's streams live; progress goes to standard error so that it cannot mix in.
    private static func followOutput(
        _ id: String, _ context: CommandContext, _ client: HTTPControlClient
    ) throws -> ExitStatus {
        let console = context.console
        let isTable = context.format == .table
        let progress = JobProgress { if isTable { console.message($0) } }
        let interrupt = Interrupt(
            console, notice: "stopped watching; the job goes on: meshctl logs -f \(id)")
        defer { withExtendedLifetime(interrupt) {} }
        let timeout = context.arguments.milliseconds("timeout") ?? 60_000
        let deadline = JobWatcher.now() + timeout
        do {
            try client.events(
                jobPath(id, "/logs"), query: ["stream": "all", "follow": "1"], timeout: .milliseconds(timeout)
            ) { _, data in
                guard let chunk: LogChunkView = try? HTTPControlClient.decode(data) else { return true }
                let bytes = Array(chunk.text.utf8)
                if chunk.stream == "stdout", isTable {
                    console.writeOutput(bytes)
                } else {
                    console.writeMessage(bytes)
                }
                return JobWatcher.now() < deadline
            }
        } catch let refusal as ControlRefusal where refusal.error.code == "log.unavailable" {
            console.message("note: \(refusal.error.message)")
        }
        return try follow(id, in: context, client: client, progress: progress)
    }
}
