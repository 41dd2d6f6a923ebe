internal import MEW
internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshGraph
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage

// What the system types read: the entries' story and what is live here, as rows. There is no second copy.
extension NodeEngine {
    typealias SystemPage = (rows: [VirtualRow], next: String?)

    mutating func systemRows(
        _ type: String, where key: (attribute: String, value: GraphValue)?, after: String?, limit: Int,
        _ step: Step
    ) throws -> ControlReply {
        let page = try rows(ofType: type, where: key, after: after, limit: limit, step)
        return .systemRows(page.rows, next: page.next)
    }

    /// Rows of a system type, those of at most `limit` jobs at a time.
    ///
    /// - `key`: Where it is one that rows are found by, only such rows; other keys are not looked at.
    /// - `after`: What the page before gave as `next`.
    mutating func rows(
        ofType type: String, where key: (attribute: String, value: GraphValue)?, after: String?, limit: Int,
        _ step: Step
    ) throws -> SystemPage {
        switch type {
        case "MeshNode": return (nodeViews().map(Self.row), nil)
        case "Feed": return (headViews().map(Self.row), nil)
        case "Token": return ([], nil)
        case "Bid":
            var rows: [VirtualRow] = []
            for job in try found(by: key, step) ?? live.keys.filter({ live[$0]?.auction != nil }).sorted() {
                rows += try bidsView(job, step).bids.map(Self.row)
            }
            return (rows, nil)
        default: break
        }
        let page: (jobs: [CID], next: String?) =
            if let found = try found(by: key, step) { (found, nil) } else {
                try jobPage(after: after, limit: limit, step)
            }
        var rows: [VirtualRow] = []
        for job in page.jobs { rows += try self.rows(ofType: type, about: job, step) }
        return (rows, page.next)
    }

    /// Whether rows are found by this attribute without a look at all of them.
    static func isSystemKey(_ attribute: String) -> Bool {
        ["job_id", "manifest_cid", "receipt_cid"].contains(attribute)
    }

    /// The job that a key names; `nil` where the key is not one of those.
    private func found(
        by key: (attribute: String, value: GraphValue)?, _ step: Step
    ) throws(StorageError) -> [CID]? {
        guard let key, case .string(let text) = key.value else { return nil }
        switch key.attribute {
        case "job_id", "manifest_cid":
            guard let job = try? resolveJob(text, step) else { return [] }
            return [job]
        case "receipt_cid":
            guard let cid = try? CID(text) else { return [] }
            return try manifest(ofReceipt: cid, step.storage).map { [$0] } ?? []
        default: return nil
        }
    }

    /// The jobs behind a place, oldest first.
    private func jobPage(
        after: String?, limit: Int, _ step: Step
    ) throws(StorageError) -> (jobs: [CID], next: String?) {
        let start = after.flatMap(Hexadecimal.decode) ?? []
        var jobs: [CID] = []
        var last: [UInt8] = []
        try step.storage.scan(.jobs, prefix: [], from: start, reversed: false) { key, _ in
            guard key.count == 40, key != start else { return true }
            jobs.append(CID(codec: .dagCBOR, digest: Bytes32(key, at: 8)))
            last = key
            return jobs.count < limit
        }
        return (jobs, jobs.count < limit ? nil : Hexadecimal.encode(last))
    }

    private mutating func rows(
        ofType type: String, about job: CID, _ step: Step
    ) throws -> [VirtualRow] {
        let ledger = try jobs.ledger(job, in: step.storage)
        guard ledger.manifest != nil else { return [] }
        let id = JobID(manifest: job).description
        switch type {
        case "Job": return [Self.row(try jobView(job, step))]
        case "Award":
            return ledger.validAwards.map { award in
                Self.row(
                    "\(award.cid)",
                    [
                        ("award_cid", .string("\(award.cid)")), ("job_id", .string(id)),
                        ("epoch", .int(Int64(clamping: award.record.epoch))),
                        ("executor", .string("\(award.record.executor)")),
                        (
                            "amount",
                            award.record.considered.first { $0.bidder == award.record.executor }
                                .map { .int(Int64(clamping: $0.amount)) }
                        ),
                        ("time", .timestamp(award.position.time.milliseconds)),
                    ])
            }
        case "Receipt":
            return ledger.validReceipts.map { receipt in
                let outcome = Self.view(receipt.record.outcome)
                return Self.row(
                    "\(receipt.cid)",
                    [
                        ("receipt_cid", .string("\(receipt.cid)")), ("job_id", .string(id)),
                        ("executor", .string("\(receipt.record.executor)")),
                        ("epoch", .int(Int64(clamping: receipt.record.epoch))),
                        ("outcome", .string(receipt.record.outcome.outcomeClass.rawValue)),
                        ("exit_code", outcome.exitCode.map { .int(Int64($0)) }),
                        ("error", outcome.error.map { .string($0) }),
                        ("fuel_used", .int(Int64(clamping: receipt.record.metering.fuel))),
                        ("started_at", .timestamp(receipt.record.started.milliseconds)),
                        ("finished_at", .timestamp(receipt.record.finished.milliseconds)),
                    ])
            }
        case "Attestation":
            var rows: [VirtualRow] = []
            for receipt in ledger.validReceipts {
                for attestation in try jobs.attestations(receipt.cid, in: step.storage) {
                    rows.append(
                        Self.row(
                            "\(attestation.cid)/\(attestation.position.author)",
                            [
                                ("attestation_cid", .string("\(attestation.cid)")),
                                ("receipt_cid", .string("\(receipt.cid)")), ("job_id", .string(id)),
                                ("member", .string("\(attestation.position.author)")),
                                ("verdict", .string(attestation.record.verdict.rawValue)),
                                ("method", .string(attestation.record.method.rawValue)),
                                ("reason", attestation.record.reason.map { .string($0) }),
                            ]))
                }
            }
            return rows
        default: return []
        }
    }

    // MARK: Rows of views

    private static func row(_ key: String, _ attributes: [(String, GraphValue?)]) -> VirtualRow {
        VirtualRow(
            key: key, attributes: attributes.map { GraphAttribute(name: $0.0, value: $0.1 ?? .null) })
    }

    private static func text(_ value: String?) -> GraphValue? { value.map { .string($0) } }
    private static func number(_ value: Int?) -> GraphValue? { value.map { .int(Int64($0)) } }
    private static func time(_ value: String?) -> GraphValue? {
        value.flatMap { Timestamp($0) }.map { .timestamp($0.milliseconds) }
    }

    private static func row(_ view: JobStatusView) -> VirtualRow {
        row(
            view.jobID,
            [
                ("job_id", .string(view.jobID)), ("manifest_cid", .string(view.manifestCID)),
                ("description", .string(view.description)), ("status", .string(view.status)),
                ("settled_status", .string(view.settledStatus)),
                ("verification", .string(view.verification.state)),
                ("executor", text(view.executor.did)), ("submitter", text(view.submitter.did)),
                ("epoch", number(view.epoch)), ("created_at", time(view.createdAt)),
                ("assigned_at", time(view.assignedAt)), ("started_at", time(view.startedAt)),
                ("finished_at", time(view.finishedAt)), ("outcome", text(view.outcome.outcomeClass)),
                ("exit_code", number(view.outcome.exitCode)), ("error", text(view.outcome.error)),
                ("receipt_cid", text(view.receiptCID)), ("receipt_anchored", .bool(view.receiptAnchored)),
                ("fuel_used", number(view.metrics.fuelUsed)),
                ("memory_peak_bytes", number(view.metrics.memoryPeakBytes)),
                ("host_calls", number(view.metrics.hostCalls)), ("io_bytes", number(view.metrics.ioBytes)),
                ("wall_ms", number(view.metrics.wallMs)), ("charged", number(view.charged.amount)),
                ("resource_type", .string(view.charged.resourceType)), ("language", .string(view.language)),
                ("code", .string(view.code)), ("priority", .string(view.priority)),
                ("scope", .string(view.scope)), ("federation", text(view.federation)),
                ("reason", text(view.reason)), ("parent", text(view.parent?.jobID)),
            ])
    }

    private static func row(_ view: NodeView) -> VirtualRow {
        row(
            view.did,
            [
                ("did", .string(view.did)), ("node_id", .string(view.nodeID)),
                ("location", text(view.location)), ("memory_mib", number(view.memoryMib)),
                ("cpu", number(view.cpu)), ("storage_mib", number(view.storageMib)),
                ("languages", .list(view.languages.map { .string($0) })),
                ("reputation", number(view.reputation)), ("state", .string(view.state)),
            ])
    }

    private static func row(_ view: HeadView) -> VirtualRow {
        row(
            "\(view.did)/\(view.scope)",
            [
                ("did", .string(view.did)), ("node_id", text(view.nodeID)), ("scope", .string(view.scope)),
                ("seq", number(view.seq)), ("cid", text(view.cid)), ("time", time(view.time)),
                ("frozen", .bool(view.frozen)),
            ])
    }

    private static func row(_ view: BidView) -> VirtualRow {
        row(
            "\(view.jobID)/\(view.did)",
            [
                ("job_id", .string(view.jobID)), ("node_id", .string(view.nodeID)),
                ("did", .string(view.did)), ("bid", number(view.bid)),
                ("estimated_seconds", .float(view.estimatedSeconds)),
                ("reputation", number(view.reputation)), ("location", text(view.location)),
                ("score", number(view.score)), ("valid_until", time(view.validUntil)),
                ("acceptable", .bool(view.acceptable)), ("reason", text(view.reason)),
            ])
    }
}
