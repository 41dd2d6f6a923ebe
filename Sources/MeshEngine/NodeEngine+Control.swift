internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshCrypto
internal import MeshDAG
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

// The control API's commands. Each is answered in the step that decides it, or by a waiter.
extension NodeEngine {
    static let waitMillisecondsMax: Int64 = 60_000
    static let waiterCountMax = 8192

    struct Refused: Error {
        let status: Int
        let error: APIError

        init(_ status: Int, _ code: String, _ message: String, hint: String? = nil) {
            self.status = status
            error = APIError(code: code, message: message, hint: hint, retryable: status == 503)
        }
    }

    mutating func control(
        _ request: RequestID, _ command: ControlCommand, _ step: Step
    ) throws(StorageError) {
        do {
            if let reply = try answer(request, command, step) { effects.append(.reply(request, reply)) }
        } catch let refused as Refused {
            effects.append(.reply(request, .failure(status: refused.status, refused.error)))
        } catch let error as StorageError {
            throw error
        } catch {
            effects.append(
                .reply(request, .failure(status: 500, APIError(code: "internal", message: "\(error)"))))
        }
    }

    private mutating func answer(
        _ request: RequestID, _ command: ControlCommand, _ step: Step
    ) throws -> ControlReply? {
        switch command {
        case .submit(let submission, let nonce, let isDryRun):
            return try submit(request, submission, nonce, isDryRun: isDryRun, step)
        case .job(let text, let wait, let after, let until):
            let job = try resolveJob(text, step)
            let view = try jobView(job, step)
            if let until {
                guard wait > 0, !hasReached(until, view) else { return .job(view) }
                waitFor(.until(until), job, request, wait, step)
                return nil
            }
            guard let after, wait > 0, Self.state(view) == after, !isSettled(view) else { return .job(view) }
            waitFor(.changed(after: after), job, request, wait, step)
            return nil
        case .jobs(let limit, let status): return .jobs(try jobViews(limit: limit, status: status, step))
        case .bids(let text, let wait, let count):
            let job = try resolveJob(text, step)
            let view = try bidsView(job, step)
            guard wait > 0, view.windowOpen, view.bids.count <= count else { return .bids(view) }
            waitFor(.bids(count: count), job, request, wait, step)
            return nil
        case .history(let text): return .history(try historyView(try resolveJob(text, step), step))
        case .explain(let text):
            let job = try resolveJob(text, step)
            let question = ExplainRequest(manifest: job, asker: signer.did, time: step.now)
            try say(Envelope(signing: question.encoded, tag: ExplainRequest.tag, by: signer), to: nil, step)
            let others = profiles.keys.contains { $0 != signer.did }
            if !others { return .explained(try explainView(job, [:], step)) }
            waitFor(.explanations([:]), job, request, 2_000, step)
            return nil
        case .output(let text, let name):
            let job = try resolveJob(text, step)
            let cid = try output(name, of: job, step)
            let missing = try missingBlobs([cid], step)
            if missing.isEmpty { return .blob(cid) }
            let ledger = try jobs.ledger(job, in: step.storage)
            try fetch(missing, for: nil, from: ledger.settledReceipt?.record.executor, step)
            waitFor(.blob(cid), job, request, 5_000, step)
            return nil
        case .logs(let text): return .logs(try logs(try resolveJob(text, step), step))
        case .award(let text, let node): return try awardByHand(request, text, node, step)
        case .cancel(let text):
            let job = try resolveJob(text, step)
            let ledger = try jobs.ledger(job, in: step.storage)
            try requirePlacer(ledger)
            guard !ledger.status.isFinal else {
                throw Refused(409, "job.closed", "the job has ended already: \(ledger.status.rawValue)")
            }
            end(job, .cancelled, "cancelled", step)
            waitFor(.ended, job, request, 10_000, step)
            return nil
        case .resubmission(let text):
            let ledger = try jobs.ledger(try resolveJob(text, step), in: step.storage)
            guard let manifest = ledger.manifest?.record else { throw Self.unknownJob(text) }
            return .resubmission(Submission.request(manifest))
        case .status: return .status(statusView(step))
        case .nodes: return .nodes(nodeViews())
        case .peers: return .peers(peerViews())
        case .connect(let address):
            gossip.configure(peer: address, did: nil, now: step.now)
            return .peers([PeerView(address: address, state: "connecting", direction: "outgoing")])
        case .drain(let drain):
            isDraining = drain
            if !drain { for job in live.keys.sorted() { touch(job) } }
            return .status(statusView(step))
        case .federations: return .federations(federationViews())
        case .signFederation(let text):
            guard let bundle = settings.federation, "\(bundle.cid)".hasPrefix(text) || bundle.name == text
            else {
                throw Refused(404, "federation.unknown", "no federation \(text) is configured here")
            }
            guard bundle.member(signer.did) != nil else {
                throw Refused(409, "federation.not-a-member", "this node is not a member of \(bundle.name)")
            }
            try say(BundleEntry.signatureEnvelope(bundle.cid, by: signer), to: nil, step)
            return .federations(federationViews().filter { $0.cid == "\(bundle.cid)" })
        case .invite(let wish, let nonce): return .invited(try invitation(wish, nonce: nonce, step))
        case .heads: return .heads(headViews())
        case .receipt(let text): return .receipt(try receiptView(text, step))
        case .receiptCAR(let text): return try archive(request, text, step)
        case .executionLog(let limit, let after):
            return try executionLog(limit: limit, after: after, step)
        case .executionSnapshot(let uid, let label):
            return .executionSnapshot(try executionSnapshot(uid, label: label, step))
        case .importAnchors(let anchors): return .imported(try importAnchors(anchors, step))
        case .anchorReceipt(let manifest, let receipt, let submissions):
            return try anchorReceipt(request, manifest, receipt, submissions, step)
        case .publish(let entry): return try publishForeign(request, entry, step)
        case .resolveNode(let text): return .node(try resolveNode(text))
        case .graph(let script): return .graph(try run(script, step))
        case .systemRows(let type, let key, let after, let limit):
            return try systemRows(type, where: key, after: after, limit: limit, step)
        }
    }

    // MARK: Submitting

    private mutating func submit(
        _ request: RequestID, _ submission: SubmitRequest, _ nonce: [UInt8], isDryRun: Bool, _ step: Step
    ) throws -> ControlReply? {
        try requirePublishing()
        var placer = signer.did
        if let delegate = submission.delegate {
            placer = try resolveNode(delegate)
            guard placer == signer.did else {
                throw Refused(
                    422, "job.delegate",
                    "delegates must first anchor that they hold every input, which no node does yet",
                    hint: "leave --delegate out: this node places the job itself")
            }
        }
        let after = try (submission.after ?? []).map { try resolveJob($0, step) }
        var seed = nonce
        if let key = submission.idempotencyKey { seed = SHA256.hash(Array("idempotency\0\(key)".utf8)).bytes }
        // A federation that is only pinned has its threshold from the mesh.
        var settings = settings
        if let cid = settings.federationCID, settings.federation == nil {
            settings.federation = federation.bundles[cid]
            if settings.federation == nil, submission.quorum == nil, submission.verify != "none" {
                throw Refused(
                    503, "job.federation",
                    "the federation \(cid) is not known here yet, so neither is how many must agree",
                    hint: "try again when a member is linked, or give --quorum")
            }
        }
        let manifest: JobManifest
        do throws(Submission.Refusal) {
            manifest = try Submission.manifest(
                submission, settings: settings, submitter: signer.did, placer: placer, after: after,
                nonce: seed,
                now: step.now)
        } catch {
            throw Refused(
                422, error.error.error.code, error.error.error.message, hint: error.error.error.hint)
        }
        if let refusal = try drawRefusal(manifest, step) { throw Refused(422, "job.tokens", refusal) }
        if isDryRun { return .resubmission(Submission.request(manifest)) }
        let cid = CID(of: manifest.encoded, codec: .dagCBOR)
        if submission.idempotencyKey != nil, let earlier = try idempotent(manifest, cid, step) {
            waitFor(.submitted, earlier, request, Self.waitMillisecondsMax, step)
            changed.insert(earlier)
            return nil
        }
        try open(cid, allowSelf: submission.allowSelf == true, step)
        publish(manifest.encoded, step)
        waitFor(.submitted, cid, request, Self.waitMillisecondsMax, step)
        return nil
    }

    /// The job that the same idempotency key made before, be it published or about to be; else the key names
    /// this one from now on.
    ///
    /// Entries wait a few milliseconds for company before they are anchored. A crash in between leaves a key
    /// that names a job which never was.
    private mutating func idempotent(_ manifest: JobManifest, _ cid: CID, _ step: Step) throws -> CID? {
        var content = manifest
        content.created = Timestamp(milliseconds: 0)
        content.expires = Timestamp(milliseconds: manifest.expires - manifest.created)
        let digest = SHA256.hash(content.encoded)
        let key = Array("idempotency".utf8) + manifest.nonce
        if let value = try step.storage.value(forKey: key, in: .own), value.count == 64 {
            let earlier = CID(codec: .dagCBOR, digest: Bytes32(value))
            let isThere =
                try jobs.ledger(earlier, in: step.storage).manifest != nil
                || pending.contains { CID(of: $0, codec: .dagCBOR) == earlier }
            guard !isThere || Bytes32(value, at: 32) == digest else {
                throw Refused(
                    409, "job.idempotency",
                    "this idempotency key has named another job: \(JobID(manifest: earlier))",
                    hint: "choose another key")
            }
            if isThere { return earlier }
        }
        try step.storage.put(cid.digest.bytes + digest.bytes, forKey: key, in: .own)
        return nil
    }

    /// Publishes a record that means nothing to this version; the known kinds have commands of their own.
    private mutating func publishForeign(
        _ request: RequestID, _ entry: [UInt8], _ step: Step
    ) throws -> ControlReply? {
        try requirePublishing()
        guard entry.count <= ReceivedAnchor.recordByteCountMax, case .unknown? = try? Entry(decoding: entry)
        else {
            throw Refused(
                422, "entry.invalid",
                "an entry is a DAG-CBOR map of at most \(ReceivedAnchor.recordByteCountMax) bytes whose kind is none of the mesh's own"
            )
        }
        publish(entry, step)
        waitFor(.anchored(false), CID(of: entry, codec: .dagCBOR), request, Self.waitMillisecondsMax, step)
        return nil
    }

    func requirePublishing() throws(Refused) {
        if let refusal = publishingRefusal {
            throw Refused(
                503, "node.not-publishing", "this node cannot publish yet: \(refusal)",
                hint: "start a peer, or start meshd with --alone")
        }
    }

    private func requirePlacer(_ ledger: JobLedger) throws(Refused) {
        guard ledger.manifest?.record.placer == signer.did else {
            let placer = ledger.manifest.map { name(of: $0.record.placer) } ?? "another node"
            throw Refused(409, "job.not-placer", "\(placer) places this job", hint: "ask that node's daemon")
        }
    }

    private mutating func awardByHand(
        _ request: RequestID, _ text: String, _ node: String, _ step: Step
    ) throws -> ControlReply? {
        let job = try resolveJob(text, step)
        let ledger = try jobs.ledger(job, in: step.storage)
        try requirePlacer(ledger)
        let winner = try resolveNode(node)
        if let award = ledger.validAwards.last {
            if award.record.executor == winner { return .job(try jobView(job, step)) }
            if !ledger.status.isFinal {
                throw Refused(409, "job.awarded", "the job was awarded to \(name(of: award.record.executor))")
            }
        }
        guard !ledger.status.isFinal else {
            throw Refused(409, "job.closed", "the job has ended already: \(ledger.status.rawValue)")
        }
        guard let record = ledger.manifest?.record, let auction = live[job]?.auction,
            let offered = auction.bids[winner]
        else {
            throw Refused(
                404, "bid.unknown", "\(name(of: winner)) has not bid on this job",
                hint: "meshctl get-bids --job-id \(text)")
        }
        if let reason = offered.refusal {
            throw Refused(422, "bid.not-acceptable", "\(name(of: winner)) \(reason)")
        }
        guard offered.bid.validUntil > step.now else {
            throw Refused(
                422, "bid.not-acceptable", "the bid of \(name(of: winner)) is no longer valid",
                hint: "meshctl get-bids --job-id \(text) shows the present ones")
        }
        guard !auction.isAwarded else { throw Refused(409, "job.awarded", "the job is being awarded") }
        award(job, record, to: winner, because: "accepted by the submitter", step)
        waitFor(.awarded(beyond: ledger.validAwards.count), job, request, 10_000, step)
        return nil
    }

    private mutating func anchorReceipt(
        _ request: RequestID, _ manifest: JobManifest, _ receipt: JobReceipt, _ submissions: [Block],
        _ step: Step
    ) throws -> ControlReply? {
        try requirePublishing()
        guard let engine = settings.engine, engine == receipt.engine else {
            throw Refused(
                422, "receipt.mismatch", "the receipt was made by another engine or profile than this node's")
        }
        for block in submissions where try !step.storage.hasBlock(block.cid) {
            try step.storage.putBlock(block.bytes, cid: block.cid)
        }
        _ = try endExecution(receipt, manifest, step)
        publish(manifest.encoded, step)
        publish(receipt.encoded, step)
        waitFor(.ended, receipt.manifest, request, 10_000, step)
        return nil
    }

    private mutating func importAnchors(_ anchors: [PreparedAnchor], _ step: Step) throws -> ImportView {
        var imported = 0
        var known = 0
        var refused = 0
        let before = graph.arrivalTotal
        for anchor in anchors {
            switch anchor {
            case .good(let received, _, _):
                if try step.storage.hasBlock(received.cid) { known += 1 } else { imported += 1 }
            case .repetition: known += 1
            case .bad: refused += 1
            }
        }
        try receive(anchors, from: nil, step)
        let applied = Int(clamping: graph.arrivalTotal - before)
        if applied < imported {
            refused += imported - applied
            imported = applied
        }
        return ImportView(imported: imported, known: known, refused: refused)
    }

    // MARK: Explaining

    mutating func answerExplain(_ request: ExplainRequest, _ step: Step) throws(StorageError) {
        let answer = ExplainAnswer(
            manifest: request.manifest, node: signer.did, decision: decision(on: request.manifest),
            time: step.now)
        try say(
            Envelope(signing: answer.encoded, tag: ExplainAnswer.tag, by: signer), to: request.asker, step)
    }

    /// What this node made of a job, as far as it remembers: decisions do not outlive the daemon.
    func decision(on job: CID) -> BidDecision {
        decisions[job]
            ?? BidDecision(
                .unknown, code: "unknown", reason: "this node was started after it, or never knew the job",
                retryable: false)
    }

    mutating func takeExplanation(_ answer: ExplainAnswer) {
        for request in waiters.keys.sorted() {
            guard let waiter = waiters[request], waiter.job == answer.manifest,
                case .explanations(var answers) = waiter.condition
            else { continue }
            answers[answer.node] = answer.decision
            waiters[request]?.condition = .explanations(answers)
        }
        if !changed.contains(answer.manifest) { changed.insert(answer.manifest) }
    }

    private func output(_ name: String, of job: CID, _ step: Step) throws -> CID {
        var table = jobs
        let ledger = try table.ledger(job, in: step.storage)
        guard ledger.manifest != nil else { throw Self.unknownJob("\(job)") }
        guard ledger.status.isFinal else {
            throw Refused(
                409, "output.pending", "the job has not ended",
                hint: "meshctl job-status --watch --job-id \(JobID(manifest: job))")
        }
        guard let receipt = ledger.settledReceipt?.record else {
            throw Refused(404, "output.unknown", "the job ended without a run: \(ledger.status.rawValue)")
        }
        guard let blob = (receipt.outputs + receipt.logs).first(where: { $0.name == name }) else {
            throw Refused(
                404, "output.unknown",
                "there is no output \"\(name)\"; there are \((receipt.outputs + receipt.logs).map(\.name).joined(separator: ", "))"
            )
        }
        return blob.cid
    }

    private func logs(_ job: CID, _ step: Step) throws -> [(
        stream: String, epoch: Int, blob: CID, time: String
    )] {
        var table = jobs
        let ledger = try table.ledger(job, in: step.storage)
        return ledger.validReceipts.flatMap { receipt in
            (receipt.record.outputs.filter { $0.name == "stdout" } + receipt.record.logs).map {
                (
                    stream: $0.name, epoch: Int(clamping: receipt.record.epoch), blob: $0.cid,
                    time: "\(receipt.record.finished)"
                )
            }
        }
    }
}
