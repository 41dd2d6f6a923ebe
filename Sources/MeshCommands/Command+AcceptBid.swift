internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let acceptBid = CommandEntry(
        Command(
            "accept-bid", "Award a job to a bidder and follow it to the end",
            discussion: "Each line is printed when it has become true. The exit status is the job's outcome.",
            flags: [
                .job,
                Flag(
                    "node-id", short: "n", .text("NODE"), "The bidder, by name, DID or prefix", required: true
                ),
                Flag("no-wait", .toggle, "End as soon as the job is awarded"), .timeout, .format,
            ], operands: [.optionalJob],
            examples: ["meshctl accept-bid --job-id 3f0c --node-id mesh-node-2"])
    ) { context in
        let client = try context.client()
        let id = try context.arguments.either("job-id", "JOB")
        let award = AwardRequest(nodeID: context.arguments.text("node-id") ?? "")
        let job: JobStatusView = try client.post(jobPath(id, "/award"), award)
        if context.arguments.has("no-wait") {
            context.show(job) { ["Bid accepted successfully"] }
            return .done
        }
        if context.format == .table {
            for line in ["Bid accepted successfully", "", "Job execution progress:"] {
                context.console.line(line)
            }
        }
        return try follow(job.jobID, from: job, in: context, client: client)
    }
}
