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
        let (uid, belonging) = wholeRun(try execution(context, log), log)
        guard let run = log[uid] else {
            throw CommandFailure(
                code: "exec.unknown", "the log has no execution \(uid)", hint: "meshctl exec list")
        }
        var sentences = belonging
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
            submitted = try client.post("/v1/jobs", try resubmission(of: manifest.description, client))
        }
        guard context.format == .table else {
            context.show(
                .object(
                    members(plan, sentences) + [
                        .init(key: "job_id", value: submitted.map { .text($0.jobID) } ?? .null)
                    ])
            ) { [] }
            return .done
        }
        if let submitted { context.console.line("Job ID: \(submitted.jobID)") }
        return .done
    }
}
