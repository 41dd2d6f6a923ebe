internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage

// What people see of jobs: the entries' story, refined by what is live here.
extension NodeEngine {
    static func state(_ view: JobStatusView) -> String { "\(view.status)/\(view.verification.state)" }

    /// Whether waiting longer cannot show anything new.
    func isSettled(_ view: JobStatusView) -> Bool {
        (SettledStatus(rawValue: view.settledStatus)?.isFinal ?? false) && view.verification.final
    }

    func hasReached(_ end: JobEnd, _ view: JobStatusView) -> Bool {
        switch end {
        case .ended: SettledStatus(rawValue: view.settledStatus)?.isFinal ?? false
        case .verified: isSettled(view)
        }
    }

    func reference(_ did: DID?) -> NodeReferenceView {
        NodeReferenceView(nodeID: did.map { name(of: $0) }, did: did?.description)
    }

    func verification(_ ledger: JobLedger, _ step: Step) throws(StorageError) -> (
        Verification, [Contribution<Attestation>]
    ) {
        var table = jobs
        let receipt = ledger.settledReceipt
        let attestations =
            try receipt.map { r throws(StorageError) in try table.attestations(r.cid, in: step.storage) }
            ?? []
        let bundle = ledger.manifest?.record.trust.federation.flatMap { federation.bundles[$0] }
        return (
            Verification(
                receipt: receipt, manifest: ledger.manifest?.record, attestations: attestations,
                bundle: bundle),
            attestations
        )
    }

    func view(_ verification: Verification, _ ledger: JobLedger) -> VerificationView {
        let method = ledger.manifest?.record.trust.method ?? .none
        // Without a receipt, or without anyone to check it, nothing is being waited for.
        let isFinal =
            ledger.status.isFinal
            && (ledger.settledReceipt == nil || verification.isFinal)
        var reason: String?
        if verification.state == .unverified, ledger.settledReceipt != nil {
            reason =
                method == .none
                ? "the job asked for no verification" : "no federation that this node knows judges the job"
        }
        return VerificationView(
            state: verification.state.rawValue, verifiedBy: verification.verifiedBy.map(\.description),
            quorum: Int(clamping: verification.quorum), method: method.rawValue, final: isFinal,
            reason: reason)
    }

    mutating func jobView(_ job: CID, _ step: Step) throws -> JobStatusView {
        let ledger = try jobs.ledger(job, in: step.storage)
        guard let manifest = ledger.manifest else { throw Self.unknownJob("\(job)") }
        return try jobView(ledger, manifest.record, step)
    }

    private func jobView(
        _ ledger: JobLedger, _ record: JobManifest, _ step: Step
    ) throws(StorageError) -> JobStatusView {
        let status = ledger.status
        let award = ledger.validAwards.last
        let receipt = ledger.settledReceipt ?? ledger.validReceipts.last
        let (verification, _) = try self.verification(ledger, step)
        var shown = status.rawValue
        if status == .submitted, live[ledger.manifestCID]?.auction?.bids.isEmpty == false {
            shown = "Bidding"
        }
        if status == .assigned, isRunning(ledger) { shown = "Running" }
        let outcome = receipt?.record.outcome
        return JobStatusView(
            jobID: JobID(manifest: ledger.manifestCID).description, manifestCID: "\(ledger.manifestCID)",
            description: record.description, status: shown, settledStatus: status.rawValue,
            verification: view(verification, ledger),
            executor: reference(receipt?.record.executor ?? award?.record.executor),
            epoch: (receipt?.record.epoch ?? award?.record.epoch).map { Int(clamping: $0) },
            createdAt: "\(record.created)", assignedAt: award.map { "\($0.position.time.timestamp)" },
            startedAt: receipt.map { "\($0.record.started)" },
            finishedAt: receipt.map { "\($0.record.finished)" },
            outcome: Self.view(outcome), receiptCID: receipt.map { "\($0.cid)" },
            receiptAnchored: receipt != nil,
            outputs: (receipt?.record.outputs ?? []).map(Self.view),
            metrics: Self.view(receipt?.record.metering),
            charged: ChargeView(
                resourceType: record.resource.type,
                amount: ledger.close.map { Int(clamping: $0.record.charged) }),
            submitter: reference(record.submitter), language: record.language, code: "\(record.code)",
            priority: "\(record.priority)", scope: record.resource.scope,
            federation: record.trust.federation.map { "\($0)" }, reason: Self.reason(ledger),
            parent: record.parent.map { Self.view($0) },
            children: try childViews(ledger, record, verification, step))
    }

    private static func view(_ parent: JobManifest.Parent) -> ParentView {
        ParentView(
            jobID: JobID(manifest: parent.manifest).description, manifestCID: "\(parent.manifest)",
            index: Int(clamping: parent.index), depth: Int(clamping: parent.depth))
    }

    private func childViews(
        _ ledger: JobLedger, _ record: JobManifest, _ verification: Verification, _ step: Step
    ) throws(StorageError) -> [ChildView] {
        guard ledger.settledReceipt?.record.submissions.isEmpty == false else { return [] }
        var views: [ChildView] = []
        for child in try children(of: ledger, step) {
            var table = jobs
            let published = try child.cid.map { cid throws(StorageError) in
                try table.ledger(cid, in: step.storage)
            }.flatMap { $0.status == .unknown ? nil : $0 }
            var shown = published?.status.rawValue
            var reason: String?
            if child.cid == nil {
                shown = "Refused"
                reason = "what the run asks for cannot be a job"
            } else if shown == nil {
                shown = "Waiting"
                reason =
                    Self.isTrusted(verification, record)
                    ? "its module is not at its submitter, or the submitter is away"
                    : "the parent's receipt is not verified"
            }
            views.append(
                ChildView(
                    index: child.index, jobID: child.cid.map { JobID(manifest: $0).description },
                    manifestCID: child.cid.map { "\($0)" }, description: child.request.description,
                    code: "\(child.request.code)", resourceType: child.request.resource,
                    resourceAmount: Int(clamping: child.request.amount), status: shown ?? "Waiting",
                    verification: try published.map { ledger throws(StorageError) in
                        try self.verification(ledger, step).0.state.rawValue
                    }, reason: reason))
        }
        return views
    }

    /// Whether the job is known to run: here, or where its executor says so.
    func isRunning(_ ledger: JobLedger) -> Bool {
        if live[ledger.manifestCID]?.execution?.isRunning == true { return true }
        guard let award = ledger.validAwards.last else { return false }
        guard let auction = live[ledger.manifestCID]?.auction else { return false }
        return auction.isRunning && auction.epoch == award.record.epoch
            && !ledger.validReceipts.contains { $0.record.epoch == award.record.epoch }
    }

    private static func reason(_ ledger: JobLedger) -> String? {
        guard let close = ledger.close else { return nil }
        switch close.record.result {
        case .cancelled: return "cancelled by the submitter"
        case .noBids: return "no acceptable bid came within the window"
        case .expired: return "the deadline passed, or every executor was lost"
        case .receipt:
            guard let outcome = ledger.settledReceipt?.record.outcome, outcome.outcomeClass != .ok else {
                return nil
            }
            return describe(outcome)
        }
    }

    static func describe(_ outcome: RunOutcome) -> String {
        switch outcome.outcomeClass {
        case .ok: "ended normally"
        case .exit: "exited with status \(outcome.exitCode ?? 0)"
        case .trap: "trapped: \(outcome.trap ?? "unknown")"
        case .fuel: "used up its fuel"
        case .memory: "exceeded its memory limit"
        case .output: "exceeded its output limit"
        case .time: "exceeded its time limit"
        case .engine: "the runtime failed: \(outcome.trap ?? "unknown")"
        case .lost: "the executor was lost"
        case .nodeResources: "the executor lacked what it needs: \(outcome.trap ?? "unknown")"
        }
    }

    static func view(_ outcome: RunOutcome?) -> OutcomeView {
        guard let outcome else { return OutcomeView() }
        return OutcomeView(
            ok: outcome.outcomeClass == .ok, exitCode: outcome.exitCode.map { Int($0) },
            error: outcome.outcomeClass == .ok ? nil : describe(outcome),
            outcomeClass: outcome.outcomeClass.rawValue)
    }

    static func view(_ blob: NamedBlob) -> OutputView {
        OutputView(name: blob.name, cid: "\(blob.cid)", size: Int(clamping: blob.size))
    }

    static func view(_ metering: Metering?) -> MetricsView {
        guard let metering else { return MetricsView() }
        return MetricsView(
            fuelUsed: Int(clamping: metering.fuel), memoryPeakBytes: Int(clamping: metering.memoryPeakBytes),
            hostCalls: Int(clamping: metering.hostCalls), ioBytes: Int(clamping: metering.ioBytes),
            wallMs: Int(clamping: metering.wallMilliseconds))
    }

    /// The newest jobs, newest first.
    mutating func jobViews(limit: Int, status: String?, _ step: Step) throws -> [JobStatusView] {
        var found: [CID] = []
        try step.storage.scan(.jobs, prefix: [], from: [], reversed: true) { key, _ in
            if key.count == 40 { found.append(CID(codec: .dagCBOR, digest: Bytes32(key, at: 8))) }
            return status != nil ? found.count < 100_000 : found.count < limit
        }
        var views: [JobStatusView] = []
        for job in found {
            guard views.count < limit else { break }
            let ledger = try jobs.ledger(job, in: step.storage)
            guard let record = ledger.manifest?.record else { continue }
            let view = try jobView(ledger, record, step)
            if let status, view.status.lowercased() != status.lowercased() { continue }
            views.append(view)
        }
        return views
    }

    mutating func bidsView(_ job: CID, _ step: Step) throws -> BidsView {
        let ledger = try jobs.ledger(job, in: step.storage)
        guard let record = ledger.manifest?.record else { throw Self.unknownJob("\(job)") }
        let id = JobID(manifest: job).description
        let status = ledger.status
        guard status == .submitted, let auction = live[job]?.auction else {
            return BidsView(
                jobID: id, status: status.rawValue, windowOpen: false, windowEndsAt: nil, bids: [])
        }
        let acceptable = BidScoring.rank(acceptable(auction, step), needs: record.needs)
        let others = auction.bids.filter { bidder, _ in !acceptable.contains { $0.candidate.bidder == bidder }
        }
        .sorted { $0.key < $1.key }
        func view(_ bidder: DID, _ bid: Bids.Bid, score: UInt64?, reason: String?) -> BidView {
            BidView(
                jobID: id, nodeID: name(of: bidder), did: bidder.description, bid: Int(clamping: bid.amount),
                estimatedSeconds: Double(bid.estimatedMilliseconds) / 1000,
                reputation: Int(reputation(of: bidder)),
                location: profiles[bidder]?.profile.location, score: score.map { Int(clamping: $0) },
                validUntil: "\(bid.validUntil)", acceptable: score != nil, reason: reason)
        }
        let bids =
            acceptable.map { view($0.candidate.bidder, $0.candidate.bid, score: $0.score, reason: nil) }
            + others.map { bidder, offered in
                view(bidder, offered.bid, score: nil, reason: offered.refusal ?? "no longer valid")
            }
        return BidsView(
            jobID: id, status: status.rawValue, windowOpen: step.now < auction.windowEnds,
            windowEndsAt: "\(auction.windowEnds)", bids: bids)
    }

    mutating func historyView(_ job: CID, _ step: Step) throws -> [HistoryEventView] {
        let ledger = try jobs.ledger(job, in: step.storage)
        guard let manifest = ledger.manifest else { throw Self.unknownJob("\(job)") }
        var events: [(EntryPosition, HistoryEventView)] = []
        func add<Record>(_ entry: Contribution<Record>, _ event: String, _ node: DID, _ detail: String?) {
            events.append(
                (
                    entry.position,
                    HistoryEventView(
                        time: "\(entry.position.time.timestamp)", event: event, nodeID: name(of: node),
                        cid: "\(entry.cid)", detail: detail)
                ))
        }
        add(manifest, "Submitted", manifest.record.submitter, manifest.record.description)
        for award in ledger.validAwards {
            add(award, "Assigned", award.record.executor, "epoch \(award.record.epoch)")
        }
        for receipt in ledger.validReceipts {
            add(receipt, "Receipt", receipt.record.executor, Self.describe(receipt.record.outcome))
        }
        if let close = ledger.close {
            add(close, ledger.status.rawValue, close.position.author, Self.reason(ledger))
        }
        let (_, attestations) = try verification(ledger, step)
        for attestation in attestations {
            add(
                attestation, "Attested", attestation.position.author,
                attestation.record.verdict.rawValue + (attestation.record.reason.map { ": \($0)" } ?? ""))
        }
        return events.sorted { $0.0 < $1.0 }.map(\.1)
    }

    mutating func explainView(
        _ job: CID, _ answers: [DID: BidDecision], _ step: Step
    ) throws -> [ExplainView] {
        let ledger = try jobs.ledger(job, in: step.storage)
        var scores: [DID: JobAward.Considered] = [:]
        for award in ledger.validAwards { for one in award.record.considered { scores[one.bidder] = one } }
        var nodes = Set(profiles.keys).union(scores.keys).union(answers.keys)
        nodes.insert(signer.did)
        return nodes.sorted { name(of: $0) != name(of: $1) ? name(of: $0) < name(of: $1) : $0 < $1 }.map {
            node in
            let considered = scores[node]
            let decision = node == signer.did ? decision(on: job) : answers[node]
            let wasAwarded = ledger.validAwards.contains { $0.record.executor == node }
            return ExplainView(
                nodeID: name(of: node), did: node.description,
                stage: wasAwarded ? "awarded" : decision?.stage.rawValue ?? "no_answer",
                reasonCode: decision?.code,
                reason: considered?.reason ?? decision?.reason
                    ?? "the node did not answer within two seconds",
                score: considered.map { Int(clamping: $0.score) },
                parts: (considered?.parts ?? [:]).mapValues { Int(clamping: $0) },
                retryable: decision?.retryable ?? true)
        }
    }
}
