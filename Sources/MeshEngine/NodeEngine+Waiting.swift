internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

// Control requests that are answered later, when what they wait for has happened.
extension NodeEngine {
    mutating func waitFor(
        _ condition: Waiter.Condition, _ job: CID, _ request: RequestID, _ milliseconds: Int64, _ step: Step
    ) {
        guard waiters.count < Self.waiterCountMax else {
            effects.append(
                .reply(
                    request,
                    .failure(
                        status: 503,
                        APIError(
                            code: "node.busy", message: "too many requests wait already", retryable: true))))
            return
        }
        waiters[request] = Waiter(
            job: job, condition: condition,
            deadline: step.now + min(Self.waitMillisecondsMax, max(0, milliseconds)))
    }

    /// Notes that entries stand in an anchor of ours, for those who asked to publish them.
    mutating func noteAnchored(_ entries: Set<CID>) {
        for request in waiters.keys.sorted() {
            guard let waiter = waiters[request], case .anchored(false) = waiter.condition,
                entries.contains(waiter.job)
            else { continue }
            waiters[request]?.condition = .anchored(true)
            changed.insert(waiter.job)
        }
    }

    /// Answers the requests whose time has come.
    mutating func answerWaiters(_ step: Step) throws(StorageError) {
        defer { if !changed.isEmpty { changed.removeAll(keepingCapacity: true) } }
        guard !waiters.isEmpty else { return }
        for request in waiters.keys.sorted() {
            guard let waiter = waiters[request] else { continue }
            let isDue = waiter.deadline <= step.now
            guard isDue || changed.contains(waiter.job) || waiter.condition.polls else { continue }
            do {
                guard let reply = try reply(to: waiter, isDue: isDue, step) else { continue }
                effects.append(.reply(request, reply))
            } catch let refused as Refused {
                effects.append(.reply(request, .failure(status: refused.status, refused.error)))
            } catch let error as StorageError {
                throw error
            } catch {
                effects.append(
                    .reply(request, .failure(status: 500, APIError(code: "internal", message: "\(error)"))))
            }
            waiters[request] = nil
        }
    }

    private mutating func reply(to waiter: Waiter, isDue: Bool, _ step: Step) throws -> ControlReply? {
        switch waiter.condition {
        case .submitted:
            let ledger = try jobs.ledger(waiter.job, in: step.storage)
            if ledger.manifest != nil {
                return .submitted(
                    SubmitResponse(
                        jobID: JobID(manifest: waiter.job).description, manifestCID: "\(waiter.job)"))
            }
            return isDue ? Self.late("the job has not been anchored") : nil
        case .anchored(let isAnchored):
            if isAnchored { return .published(waiter.job) }
            return isDue ? Self.late("the entry has not been anchored") : nil
        case .changed(let after):
            let view = try jobView(waiter.job, step)
            return isDue || Self.state(view) != after || isSettled(view) ? .job(view) : nil
        case .until(let end):
            // The entries alone tell whether it is worth drawing the whole picture.
            guard try isDue || jobs.ledger(waiter.job, in: step.storage).status.isFinal else { return nil }
            let view = try jobView(waiter.job, step)
            return isDue || hasReached(end, view) ? .job(view) : nil
        case .bids(let count):
            let view = try bidsView(waiter.job, step)
            return isDue || !view.windowOpen || view.bids.count > count ? .bids(view) : nil
        case .awarded(let count):
            let ledger = try jobs.ledger(waiter.job, in: step.storage)
            if ledger.validAwards.count > count || ledger.status.isFinal {
                return .job(try jobView(waiter.job, step))
            }
            return isDue ? Self.late("the award has not been anchored") : nil
        case .ended:
            let ledger = try jobs.ledger(waiter.job, in: step.storage)
            if ledger.status.isFinal {
                if let receipt = ledger.settledReceipt, receipt.record.award == nil {
                    return .anchored(receipt: receipt.cid, job: try jobView(waiter.job, step))
                }
                return .job(try jobView(waiter.job, step))
            }
            return isDue ? Self.late("the close has not been anchored") : nil
        case .blob(let cid):
            let missing = try missingBlobs([cid], step)
            if missing.isEmpty { return .blob(cid) }
            let ledger = try jobs.ledger(waiter.job, in: step.storage)
            try fetch(missing, for: nil, from: ledger.settledReceipt?.record.executor, step)
            return isDue
                ? .failure(
                    status: 503,
                    APIError(
                        code: "output.unavailable",
                        message: "the bytes are not here and no linked peer has sent them",
                        retryable: true)) : nil
        case .archive:
            return try archiveReply(waiter.job, isDue: isDue, step)
        case .explanations(let answers):
            let asked = profiles.keys.filter { $0 != signer.did }
            guard isDue || asked.allSatisfy({ answers[$0] != nil }) else { return nil }
            return .explained(try explainView(waiter.job, answers, step))
        }
    }

    private static func late(_ what: String) -> ControlReply {
        .failure(
            status: 503,
            APIError(
                code: "node.busy", message: "\(what) in time", hint: "look again with job-status",
                retryable: true))
    }
}

extension Waiter.Condition {
    /// Whether something other than the job itself may satisfy it.
    var polls: Bool {
        switch self {
        case .blob, .archive, .bids: true
        case .submitted, .anchored, .changed, .until, .awarded, .ended, .explanations: false
        }
    }
}
