internal import IPLD
internal import MeshCore
internal import MeshCrypto
internal import MeshDAG
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage

// The executor's side and, after the close, the member's: run what was won, repeat what others ran.
extension NodeEngine {
    /// At most this many members repeat a receipt.
    static let replayCountMax = 7

    mutating func executeIfAwarded(
        _ manifest: CID, _ record: JobManifest, _ ledger: JobLedger, _ step: Step
    ) throws(StorageError) {
        guard let award = ledger.validAwards.last, award.record.executor == signer.did else {
            live[manifest]?.execution = nil
            return
        }
        let epoch = award.record.epoch
        if ledger.validReceipts.contains(where: {
            $0.record.executor == signer.did && $0.record.epoch == epoch
        }) {
            live[manifest]?.execution = nil
            release(manifest)
            return
        }
        if live[manifest]?.execution?.epoch != epoch {
            live[manifest]?.execution = Execution(
                epoch: epoch, award: award.cid, begun: step.now,
                nextHeartbeat: step.now + Execution.firstHeartbeatMilliseconds)
            try takeUpExecution(manifest, step)
        }
        guard let execution = live[manifest]?.execution, !execution.isReported else { return }
        try sendHeartbeat(manifest, record, step)
        if execution.isRunning { return }
        let missing = try missingBlobs([record.code] + record.inputs.map(\.cid), step)
        guard missing.isEmpty else {
            guard step.now - execution.begun < Execution.fetchMilliseconds else {
                let outcome = RunOutcome(.nodeResources, trap: "code or inputs could not be fetched")
                try reportRun(
                    manifest, record,
                    RunReport(
                        outcome: outcome, metering: Metering(), outputs: [], logs: [],
                        started: execution.begun,
                        finished: step.now), step)
                return
            }
            try fetch(missing, for: manifest, from: record.placer, step)
            return
        }
        live[manifest]?.execution?.isRunning = true
        try beginExecution(manifest, record, step)
        effects.append(
            .run(
                RunOrder(
                    ticket: RunTicket(manifest: manifest, purpose: .execute(epoch: epoch)), manifest: record))
        )
        effects.append(
            .event(
                kind: "Running", job: JobID(manifest: manifest), node: signer.did, cid: manifest, detail: nil)
        )
    }

    private mutating func sendHeartbeat(
        _ manifest: CID, _ record: JobManifest, _ step: Step
    ) throws(StorageError) {
        guard var execution = live[manifest]?.execution else { return }
        if execution.nextHeartbeat <= step.now {
            // Until code and inputs are here there is life, and nothing runs: the counter stays at 0.
            if execution.isRunning { execution.heartbeats += 1 }
            execution.nextHeartbeat = step.now + Execution.heartbeatMilliseconds
            live[manifest]?.execution = execution
            if record.placer == signer.did {
                live[manifest]?.auction?.leaseUntil = step.now + Int64(Self.leaseMilliseconds)
            } else {
                let heartbeat = Heartbeat(
                    manifest: manifest, epoch: execution.epoch, executor: signer.did,
                    counter: execution.heartbeats,
                    fuel: 0, time: step.now)
                try say(
                    Envelope(signing: heartbeat.encoded, tag: Heartbeat.tag, by: signer), to: record.placer,
                    isRecurring: true, step)
            }
        }
        wakes.schedule(manifest, at: execution.nextHeartbeat)
    }

    mutating func runFinished(_ ticket: RunTicket, _ report: RunReport, _ step: Step) throws(StorageError) {
        switch ticket.purpose {
        case .execute(let epoch):
            guard let execution = live[ticket.manifest]?.execution, execution.epoch == epoch,
                !execution.isReported
            else { return }
            let ledger = try jobs.ledger(ticket.manifest, in: step.storage)
            guard let record = ledger.manifest?.record else { return }
            try reportRun(ticket.manifest, record, report, step)
        case .replay(let receipt): try attest(ticket.manifest, receipt, report, step)
        }
    }

    private mutating func reportRun(
        _ manifest: CID, _ record: JobManifest, _ report: RunReport, _ step: Step
    ) throws(StorageError) {
        guard let execution = live[manifest]?.execution, let engine = settings.engine else { return }
        live[manifest]?.execution?.isReported = true
        let submissions = JobSubmission.blocks(report.submissions)
        for block in submissions { try step.storage.putBlock(block.bytes, cid: block.cid) }
        let started = execution.started ?? report.started
        var receipt = JobReceipt(
            manifest: manifest, award: execution.award, epoch: execution.epoch, executor: signer.did,
            outcome: report.outcome, outputs: report.outputs, logs: report.logs, metering: report.metering,
            engine: engine, started: started, finished: max(started, report.finished),
            submissions: submissions.map(\.cid))
        receipt.execution = try endExecution(receipt, record, step)
        release(manifest)
        publish(receipt.encoded, step)
    }

    // MARK: Verifying

    /// Checks the receipt that a job was closed with, if that is for this node to do.
    ///
    /// - Returns: Whether nothing is left to do.
    mutating func verify(
        _ manifest: CID, _ record: JobManifest, _ ledger: JobLedger, _ step: Step
    ) throws(StorageError) -> Bool {
        guard settings.roles.contains(.verifier), record.trust.method != .none,
            let receipt = ledger.settledReceipt,
            let body = record.trust.federation, let bundle = federation.bundles[body],
            let close = ledger.close
        else { return true }
        let eligible = bundle.eligible(for: receipt.record.executor).map(\.did)
        guard eligible.contains(signer.did) else { return true }
        let known = try jobs.attestations(receipt.cid, in: step.storage)
        if known.contains(where: { $0.position.author == signer.did }) { return true }
        let disputed = known.contains { $0.record.verdict == .mismatch }
        guard disputed || Self.isDrawn(signer.did, of: eligible, receipt: receipt.cid, close: close.anchor)
        else {
            // A dispute may still call everyone, while it is fresh.
            return true
        }
        if live[manifest]?.replay?.receipt != receipt.cid {
            live[manifest]?.replay = Replay(receipt: receipt.cid)
        }
        guard let replay = live[manifest]?.replay, !replay.isReported, !replay.isRunning else { return false }
        if record.trust.method == .signature || !receipt.record.outcome.isReplayable
            || receipt.record.engine != settings.engine
        {
            try attest(manifest, receipt.cid, nil, step)
            return false
        }
        let missing = try missingBlobs([record.code] + record.inputs.map(\.cid), step)
        guard missing.isEmpty else {
            try fetch(missing, for: manifest, from: record.placer, step)
            return false
        }
        live[manifest]?.replay?.isRunning = true
        effects.append(
            .run(
                RunOrder(
                    ticket: RunTicket(manifest: manifest, purpose: .replay(receipt: receipt.cid)),
                    manifest: record)))
        return false
    }

    /// Whether a member is among those who repeat a receipt: all where there are few, else the ones
    /// that a hash which nobody controls draws.
    static func isDrawn(_ member: DID, of eligible: [DID], receipt: CID, close: CID) -> Bool {
        guard eligible.count > replayCountMax else { return true }
        let ranked = eligible.map { did in
            (rank: SHA256.hash(receipt.bytes + close.bytes + did.bytes), did: did)
        }.sorted { $0.rank < $1.rank }
        return ranked.prefix(replayCountMax).contains { $0.did == member }
    }

    private mutating func attest(
        _ manifest: CID, _ receiptCID: CID, _ report: RunReport?, _ step: Step
    ) throws(StorageError) {
        let ledger = try jobs.ledger(manifest, in: step.storage)
        guard let record = ledger.manifest?.record, let body = record.trust.federation,
            let receipt = ledger.validReceipts.first(where: { $0.cid == receiptCID }),
            live[manifest]?.replay?.isReported == false, let engine = settings.engine
        else { return }
        live[manifest]?.replay?.isReported = true
        let observed = report.map {
            Attestation.Observation(
                outcome: $0.outcome, outputs: $0.outputs, fuel: $0.metering.fuel,
                submissions: JobSubmission.blocks($0.submissions).map(\.cid))
        }
        let judged =
            record.trust.method == .signature
            ? (verdict: Attestation.Verdict.verified, reason: nil)
            : Attestation.judge(receipt.record, of: record, engine: engine, observed: observed)
        let attestation = Attestation(
            member: signer.did, receipt: receiptCID, close: ledger.close?.cid, bundle: body,
            verdict: judged.verdict,
            method: record.trust.method == .signature || report == nil ? .signature : .replay,
            observed: observed,
            reason: judged.reason)
        if judged.verdict == .mismatch {
            effects.append(
                .log(
                    .error,
                    "job \(JobID(manifest: manifest)): the receipt of \(name(of: receipt.record.executor)) does not hold: \(judged.reason ?? "")"
                ))
        }
        let published = attestation.encoded
        publish(published, step)
        if judged.verdict == .mismatch {
            publish(
                Entry.encodedMismatch(
                    receipt: receiptCID, attestations: [CID(of: published, codec: .dagCBOR)]), step)
        }
    }
}
