internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let jobStatus = CommandEntry(
        Command(
            "job-status", "Show how a job stands",
            flags: [
                .job,
                Flag("watch", .toggle, "Follow it until its verification is final, and end by its outcome"),
                .timeout, .format,
            ], operands: [.optionalJob],
            examples: [
                "meshctl job-status --job-id 3f0c", "meshctl job-status 3f0c -o json",
                "meshctl job-status 3f0c --watch",
            ])
    ) { context in
        let client = try context.client()
        let id = try context.arguments.either("job-id", "JOB")
        if context.arguments.has("watch") { return try follow(id, in: context, client: client) }
        let job: JobStatusView = try client.get(jobPath(id))
        context.show(job) { lines(of: job) }
        return .done
    }

    /// A job as `name value` lines.
    static func lines(of job: JobStatusView) -> [String] {
        let verification = job.verification
        var rows: [(String, String?)] = [
            ("Job ID", job.jobID),
            ("Manifest", job.manifestCID),
            ("Description", job.description.isEmpty ? nil : job.description),
            (
                "Status",
                job.status + (job.status == job.settledStatus ? "" : " (settled: \(job.settledStatus))")
            ),
            (
                "Verification",
                "\(verification.state) (\(verification.verifiedBy.count) of \(verification.quorum), \(verification.method))"
            ),
            ("Submitter", job.submitter.nodeID ?? job.submitter.did),
            ("Executor", job.executor.nodeID ?? job.executor.did),
            ("Epoch", job.epoch.map(String.init)),
            ("Created", job.createdAt),
            ("Assigned", job.assignedAt),
            ("Started", job.startedAt),
            ("Finished", job.finishedAt),
        ]
        if let parent = job.parent { rows.append(("Parent", "\(parent.jobID), submission \(parent.index)")) }
        if let reason = job.why { rows.append(("Reason", reason)) }
        rows += [
            ("Exit code", job.outcome.exitCode.map(String.init)),
            ("Receipt", job.receiptCID),
            ("Fuel used", job.metrics.fuelUsed.map(String.init)),
            ("Memory peak", job.metrics.memoryPeakBytes.map { "\($0) bytes" }),
            ("Wall time", job.metrics.wallMs.map { "\($0) ms" }),
            ("Charged", job.charged.amount.map { "\($0) \(job.charged.resourceType)" }),
        ]
        rows += job.outputs.map { ("Output \($0.name)", "\($0.size) bytes, \($0.cid)") }
        rows += job.children.map { child in
            let reason = (child.verification ?? child.reason).map { " (\($0))" } ?? ""
            return ("Child \(child.index)", "\(child.jobID ?? "-") \(child.status)\(reason)")
        }
        return CommandContext.block(rows)
    }
}
