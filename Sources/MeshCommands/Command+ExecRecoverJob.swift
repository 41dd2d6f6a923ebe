internal import CommandLineArguments
internal import ControlClient
internal import ExecutionDocuments
internal import MeshAPI

extension CommandEntry {
    /// Recovers the run of a job: what its start snapshot names is submitted again, as a new job.
    ///
    /// A run that its node's death has cut short needs nobody for that: the node begins it again from its start, and
    /// where it does not come back the job is awarded again.
    static func recoverJob(_ context: CommandContext) throws -> ExitStatus {
        let client = try context.client()
        let source = DaemonExecutions(client: client)
        let operand = context.arguments.operand("UID") ?? ""
        let log = try reading { try source.log(around: operand) }
        context.noteUntold(source)
        let named = try execution(context, log)
        var run = named
        for _ in 0..<2 {
            let isPart = [FlowDocument.passProtocol, FlowDocument.triggerProtocol].contains(
                "\(run.protocolName)")
            if isPart, let parent = run.parentUID.flatMap({ log[$0] }) { run = parent }
        }
        var sentences: [String] = []
        if run.uid != named.uid {
            sentences.append(
                "\(named.uid) is a \(named.protocolName) of the run \(run.uid), which is done again whole")
        }
        let plan = try reading {
            try RecoveryPlan(
                start: try source.read(run, .start), labels: try source.labels(run), uid: run.uid, log: log)
        }
        sentences += plan.sentences
        guard plan.status == .failed else {
            throw CommandFailure(
                code: "exec.still-running", "\(run.uid) still goes on",
                hint: "a node that dies in a run begins it again by itself, or the job is awarded again")
        }
        guard case .text(let manifest)? = plan.start["config"]?["manifest"] else {
            throw CommandFailure(
                code: "exec.bad-config", "the start snapshot of \(run.uid) does not name its job")
        }
        sentences.append("it has failed for good, so its job is submitted again, as a new one")
        var submitted: SubmitResponse?
        if context.format == .table { for sentence in sentences { context.console.line(sentence.onOneLine) } }
        if !context.arguments.has("dry-run") {
            var request: SubmitRequest = try client.get(jobPath(manifest.description, "/manifest"))
            // The old key would name the old job.
            request.idempotencyKey = nil
            submitted = try client.post("/v1/jobs", request)
        }
        guard context.format == .table else {
            context.show(
                .object([
                    .init(key: "uid", value: .text("\(run.uid)")),
                    .init(key: "status", value: .text(plan.status.rawValue)),
                    .init(key: "snapshots", value: .array(plan.redoneSnapshots.map { .text("\($0)") })),
                    .init(key: "children", value: .array(plan.redoneChildren.map { .text("\($0)") })),
                    .init(key: "sentences", value: .array(sentences.map { .text($0) })),
                    .init(key: "job_id", value: submitted.map { .text($0.jobID) } ?? .null),
                ])
            ) { [] }
            return .done
        }
        if let submitted { context.console.line("Job ID: \(submitted.jobID)") }
        return .done
    }
}
