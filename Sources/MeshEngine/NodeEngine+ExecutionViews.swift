internal import ExecutionDocuments
internal import IPLD
internal import MeshAPI
public import MeshCore
internal import MeshDAG
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage

/// One execution as a global log has it.
public struct ExecutionLines: Hashable, Comparable, Sendable {
    public let startedAt: Timestamp
    public let uid: String
    /// Its lines, each closed by a newline.
    public let bytes: [UInt8]

    /// In the order in which they started.
    public static func < (a: Self, b: Self) -> Bool { (a.startedAt, a.uid) < (b.startedAt, b.uid) }
}

// What the replica knows of the executions of jobs, on whichever node they ran: the log that a node would keep of
// them, and their snapshots, which follow from manifest and receipt.
extension NodeEngine {
    /// One execution of a job, as far as the entries and this node's own work tell.
    private struct KnownExecution {
        let uid: String
        let protocolName: String
        let parentUID: String?
        let startedAt: Timestamp
        let status: ExecutionStatus
        let ending: (at: Timestamp, error: String?)?
    }

    /// The most jobs that one step looks at for the log: whoever wants more asks again.
    public static let executionPageMax = 250

    /// The executions of a page of jobs, the newest jobs first.
    ///
    /// Where no receipt says when a run began it counts from its award.
    mutating func executionLog(limit: Int, after: [UInt8]?, _ step: Step) throws -> ControlReply {
        let most = min(limit, Self.executionPageMax)
        var keys: [[UInt8]] = []
        try step.storage.scan(.jobs, prefix: [], from: after ?? [], reversed: true) { key, _ in
            if key.count == 40, key != after { keys.append(key) }
            return keys.count < most
        }
        var found: [ExecutionLines] = []
        for key in keys {
            let job = CID(codec: .dagCBOR, digest: Bytes32(key, at: 8))
            let ledger = try jobs.ledger(job, in: step.storage)
            guard let record = ledger.manifest?.record else { continue }
            found += try executions(of: ledger, record).map(Self.lines)
        }
        return .executionLog(found, next: keys.count < most ? nil : keys.last)
    }

    /// A snapshot of an execution, byte for byte.
    mutating func executionSnapshot(_ uid: String, label: String, _ step: Step) throws -> Block {
        func unknown() -> Refused {
            Refused(
                404, "execution.unknown", "no execution \(uid.prefix(64)) is known here",
                hint: "meshctl exec list")
        }
        let parts = uid.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = UInt64(parts[1]) else { throw unknown() }
        let job: CID
        do { job = try resolveJob(String(parts[0]), step) } catch { throw unknown() }
        let ledger = try jobs.ledger(job, in: step.storage)
        guard let record = ledger.manifest?.record, JobExecution.uid(job: job, epoch: epoch) == uid else {
            throw unknown()
        }
        if let receipt = Self.receipt(of: ledger, epoch: epoch) {
            let (start, end) = JobExecution.blocks(of: receipt, manifest: record)
            if label == "start" { return start }
            if label == "end" { return end }
        } else if label == "start", let execution = live[job]?.execution, execution.epoch == epoch,
            let started = execution.started, let engine = settings.engine
        {
            return JobExecution(
                manifestCID: job, manifest: record, award: execution.award, epoch: epoch,
                executor: signer.did, engine: engine, started: started
            ).start
        } else if !ledger.validAwards.contains(where: { $0.record.epoch == epoch }) {
            throw unknown()
        }
        throw Refused(
            404, "execution.missing-snapshot",
            "the execution \(uid) has no snapshot \(label.prefix(64)) here",
            hint: label == "start"
                ? "until its receipt is here only its executor has the start"
                : "meshctl exec show --labels \(uid)"
        )
    }

    private func executions(of ledger: JobLedger, _ record: JobManifest) -> [KnownExecution] {
        let job = ledger.manifestCID
        let protocolName = JobExecution.protocolName(language: record.language)
        let parentUID = record.parent.map { JobExecution.uid(job: $0.manifest, epoch: $0.epoch) }
        var known: [KnownExecution] = []
        let epochs = Set(ledger.validReceipts.map(\.record.epoch)).sorted()
        for receipt in epochs.compactMap({ Self.receipt(of: ledger, epoch: $0) }) {
            known.append(
                KnownExecution(
                    uid: JobExecution.uid(job: job, epoch: receipt.epoch), protocolName: protocolName,
                    parentUID: parentUID,
                    startedAt: JobExecution.instant(receipt.started),
                    status: JobExecution.status(receipt.outcome),
                    ending: (
                        JobExecution.instant(receipt.finished), JobExecution.error(receipt.outcome)
                    )))
        }
        for (index, award) in ledger.validAwards.enumerated()
        where !epochs.contains(award.record.epoch) {
            let next = index + 1 < ledger.validAwards.count ? ledger.validAwards[index + 1] : nil
            var status = ExecutionStatus.created
            var ending: (at: Timestamp, error: String?)?
            var startedAt = JobExecution.instant(award.position.time.timestamp)
            if let next {
                ending = (
                    JobExecution.instant(next.position.time.timestamp), "lost: the job was awarded again"
                )
            } else if let close = ledger.close {
                ending = (
                    JobExecution.instant(close.position.time.timestamp),
                    "lost: the job has ended without it"
                )
            } else if let execution = live[job]?.execution, execution.epoch == award.record.epoch {
                if let started = execution.started { (status, startedAt) = (.running, started) }
            } else if isRunning(ledger) {
                status = .running
            }
            known.append(
                KnownExecution(
                    uid: JobExecution.uid(job: job, epoch: award.record.epoch), protocolName: protocolName,
                    parentUID: parentUID,
                    startedAt: startedAt, status: ending == nil ? status : .failed, ending: ending))
        }
        return known
    }

    /// The receipt of a run: the one that the job was closed with, else the first.
    private static func receipt(of ledger: JobLedger, epoch: UInt64) -> JobReceipt? {
        if let settled = ledger.settledReceipt?.record, settled.epoch == epoch { return settled }
        return ledger.validReceipts.first { $0.record.epoch == epoch }?.record
    }

    private static func lines(_ known: KnownExecution) throws(ExecutionError) -> ExecutionLines {
        let uid = try ExecutionUID(known.uid)
        var lines = LogEntry.start(
            uid: uid, protocolName: try ProtocolName(known.protocolName), context: .root,
            parentUID: try known.parentUID.map { text throws(ExecutionError) in try ExecutionUID(text) },
            timestamp: known.startedAt, status: known.status == .created ? .created : .running
        ).line
        if let ending = known.ending {
            lines +=
                LogEntry.transition(
                    uid: uid, status: known.status, timestamp: ending.at, error: ending.error
                ).line
        }
        return ExecutionLines(startedAt: known.startedAt, uid: known.uid, bytes: lines)
    }
}
