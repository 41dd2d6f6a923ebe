internal import CommandLineArguments
internal import ControlClient
internal import Glibc
internal import MeshAPI

/// Follows a job by long polling until its verification is final or time is up.
struct JobWatcher {
    let client: HTTPControlClient
    let milliseconds: Int
    /// How long one request waits; the connection stays open meanwhile.
    private static let pollMilliseconds = 10_000

    /// What the waiting came to.
    struct Result {
        let job: JobStatusView
        let isTimedOut: Bool
    }

    /// Calls `change` with the first view and every later one that differs in status or verification.
    func watch(_ id: String, from first: JobStatusView? = nil, change: (JobStatusView) -> Void) throws
        -> Result
    {
        let deadline = Self.now() + milliseconds
        var job = try first ?? client.get(jobPath(id))
        change(job)
        while !job.isFinal {
            let left = deadline - Self.now()
            if left <= 0 { return Result(job: job, isTimedOut: true) }
            let state = "\(job.status)/\(job.verification.state)"
            let wait = min(left, Self.pollMilliseconds)
            let next: JobStatusView = try client.get(
                jobPath(id), query: ["wait": String(wait), "after": state],
                timeout: .milliseconds(wait + 30_000))
            if "\(next.status)/\(next.verification.state)" != state || next.isFinal { change(next) }
            job = next
        }
        return Result(job: job, isTimedOut: false)
    }

    /// Milliseconds of a clock that only goes forward.
    static func now() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

extension JobStatusView {
    /// Whether nothing about the job can change any more.
    var isFinal: Bool {
        switch status {
        case "Cancelled", "Expired": true
        case "Completed", "Failed": verification.final
        default: false
        }
    }

    /// How a command that waited for this job ends.
    var exitStatus: ExitStatus {
        switch (status, verification.state) {
        case (_, "Disputed"): .verificationFailed
        case ("Expired", _): epoch == nil ? .notPlaced : .jobFailed
        case ("Failed", _), ("Cancelled", _): .jobFailed
        case ("Completed", "Unverifiable"): .verificationFailed
        default: .done
        }
    }
}

/// Prints a job's progress line by line, each line once and only when it is true.
final class JobProgress {
    private let print: (String) -> Void
    private var printed: Set<String> = []

    init(print: @escaping (String) -> Void) {
        self.print = print
    }

    private func once(_ line: String) {
        if printed.insert(line).inserted { print(line) }
    }

    func update(_ job: JobStatusView) {
        // A fast job may have passed through states between two looks; its times say so.
        if job.assignedAt != nil { once("Status: Assigned") }
        if job.startedAt != nil || job.status == "Running" { once("Status: Running") }
        switch job.status {
        case "Completed", "Failed", "Cancelled", "Expired":
            once(
                "Status: \(job.status)" + (job.status == "Completed" ? "" : job.why.map { " (\($0))" } ?? ""))
        default: break
        }
        guard let receipt = job.receiptCID, job.status == "Completed" || job.status == "Failed" else {
            return
        }
        once("Receipt CID: \(receipt)")
        if job.receiptAnchored { once("Receipt anchored to DAG ✓") }
        let verification = job.verification
        switch verification.state {
        case "Verified":
            once(
                "Receipt verified by federation ✓ (\(verification.verifiedBy.count) of \(verification.quorum))"
            )
        case "Disputed":
            once("Receipt disputed by federation" + (verification.reason.map { ": \($0)" } ?? ""))
        case "Unverifiable":
            once("Receipt cannot be verified" + (verification.reason.map { ": \($0)" } ?? ""))
        default: break
        }
    }
}

extension JobStatusView {
    /// Why it did not go well.
    var why: String? { reason ?? outcome.error }
}

/// Watches a job as the flags say, prints its progress and ends as its outcome demands.
///
/// In a data format standard output gets nothing but the job object at the end.
func follow(
    _ id: String, from first: JobStatusView? = nil, in context: CommandContext, client: HTTPControlClient,
    progress: JobProgress? = nil
) throws -> ExitStatus {
    let interrupt = Interrupt(
        context.console, notice: "stopped watching; the job goes on: meshctl job-status --job-id \(id)")
    defer { withExtendedLifetime(interrupt) {} }
    let isTable = context.format == .table
    let progress = progress ?? JobProgress { line in if isTable { context.console.line(line) } }
    let watcher = JobWatcher(
        client: client, milliseconds: context.arguments.milliseconds("timeout") ?? 60_000)
    let result = try watcher.watch(id, from: first, change: progress.update)
    if !isTable { context.show(result.job) { [] } }
    if result.isTimedOut {
        throw CommandFailure(
            .timedOut, code: "job.timed-out",
            "the job is \(result.job.status) and its receipt \(result.job.verification.state) when the time is up",
            hint: "meshctl job-status --job-id \(id) --watch", retryable: true)
    }
    return result.job.exitStatus
}
