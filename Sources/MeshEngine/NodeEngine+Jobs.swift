internal import MeshRuntime
internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

extension NodeEngine {
    private static let openPrefix = Array("open".utf8)

    /// Key of the row of a job that is not finished for this node.
    ///
    /// Its value is 1 where the node may bid on its own job, then what is under way, if anything is.
    static func openKey(_ manifest: CID) -> [UInt8] { openPrefix + manifest.digest.bytes }

    /// Reads which jobs are open for this node and has each looked at again.
    mutating func restoreJobs(_ storage: any StorageReader, now: Timestamp) throws(StorageError) {
        try storage.scan(.own, prefix: Self.openPrefix) { key, value in
            guard key.count == Self.openPrefix.count + 32, !isPlanted(.openJobsForgotten) else { return true }
            let manifest = CID(codec: .dagCBOR, digest: Bytes32(key, at: Self.openPrefix.count))
            live[manifest] = LiveJob(allowSelf: value.first == 1)
            wakes.schedule(manifest, at: now)
            return true
        }
    }

    /// Notes durably that a job is not finished for this node.
    mutating func open(_ manifest: CID, allowSelf: Bool, _ step: Step) throws(StorageError) {
        guard live[manifest] == nil else { return }
        live[manifest] = LiveJob(allowSelf: allowSelf)
        try noteOpen(manifest, allowSelf: allowSelf, step)
    }

    private func noteOpen(_ manifest: CID, allowSelf: Bool, _ step: Step) throws(StorageError) {
        try step.storage.put([allowSelf ? 1 : 0], forKey: Self.openKey(manifest), in: .own)
    }

    private mutating func finish(_ manifest: CID, _ step: Step) throws(StorageError) {
        release(manifest)
        live[manifest] = nil
        try step.storage.remove(Self.openKey(manifest), in: .own)
    }

    /// Looks at what the DAG says about a job and at what this node is doing about it, and does what
    /// is lacking.
    ///
    /// Calling it once too often changes nothing.
    mutating func reconsider(_ manifest: CID, _ step: Step) throws(StorageError) {
        let ledger = try jobs.ledger(manifest, in: step.storage)
        var isReopened = false
        if live[manifest] == nil {
            // A late receipt or attestation, or an undone close: the job may need us again.
            guard !ledger.isEmpty else { return }
            live[manifest] = LiveJob()
            isReopened = true
        }
        guard let record = ledger.manifest?.record else {
            if ledger.isEmpty { try finish(manifest, step) }
            return
        }
        let status = ledger.status
        announce(manifest, ledger, status, step)
        if status.isFinal {
            release(manifest)
            live[manifest]?.auction = nil
            live[manifest]?.execution = nil
            let checked = try verify(manifest, record, ledger, step)
            let fetched = try collect(record, ledger, step)
            let submitted = try publishChildren(manifest, record, ledger, step)
            if checked, fetched, submitted {
                try finish(manifest, step)
            } else if isReopened {
                try noteOpen(manifest, allowSelf: false, step)
            }
            return
        }
        if isReopened { try noteOpen(manifest, allowSelf: false, step) }
        if record.placer == signer.did { try place(manifest, record, ledger, step) }
        try bidOrWithdraw(manifest, record, ledger, step)
        try executeIfAwarded(manifest, record, ledger, step)
    }

    private mutating func announce(
        _ manifest: CID, _ ledger: JobLedger, _ status: SettledStatus, _ step: Step
    ) {
        guard live[manifest]?.announced != status else { return }
        live[manifest]?.announced = status
        let node =
            status == .assigned
            ? ledger.validAwards.last?.record.executor : ledger.settledReceipt?.record.executor
        effects.append(
            .event(
                kind: status.rawValue, job: JobID(manifest: manifest), node: node,
                cid: ledger.settledReceipt?.cid ?? manifest, detail: nil))
    }

    /// Fetches the outputs and logs of jobs that were submitted here, so that they outlive the executor.
    private mutating func collect(
        _ record: JobManifest, _ ledger: JobLedger, _ step: Step
    ) throws(StorageError) -> Bool {
        guard record.submitter == signer.did || record.placer == signer.did,
            let receipt = ledger.settledReceipt, receipt.record.executor != signer.did
        else { return true }
        let wanted = receipt.record.outputs.map(\.cid) + receipt.record.logs.map(\.cid)
        let missing = try missingBlobs(wanted, step)
        if missing.isEmpty { return true }
        try fetch(missing, for: ledger.manifestCID, from: receipt.record.executor, step)
        return false
    }

    /// Whether every job that must come first has completed.
    func isReady(_ record: JobManifest, _ step: Step) throws(StorageError) -> Bool {
        for earlier in record.after {
            var table = jobs
            guard try table.ledger(earlier, in: step.storage).status == .completed else { return false }
        }
        return true
    }

    // MARK: Bidding

    /// Bids on a job that is open, and gives its place up when it went elsewhere.
    private mutating func bidOrWithdraw(
        _ manifest: CID, _ record: JobManifest, _ ledger: JobLedger, _ step: Step
    ) throws(StorageError) {
        // A run outside the market is no offer.
        guard ledger.validReceipts.allSatisfy({ $0.record.award != nil }) else { return }
        let awards = ledger.validAwards
        let epoch = UInt64(awards.count)
        if let last = awards.last {
            if last.record.executor == signer.did {
                decide(
                    manifest,
                    BidDecision(.awarded, code: "awarded", reason: "this node won the job", retryable: false))
            } else {
                if live[manifest]?.offer.map({ $0.epoch < epoch }) ?? false {
                    decide(
                        manifest,
                        BidDecision(
                            .notAwarded, code: "outbid",
                            reason: "the job was awarded to \(name(of: last.record.executor))",
                            retryable: true))
                    release(manifest)
                }
            }
            // Another round is open only once its placer has called for it.
            guard live[manifest]?.calledEpoch == epoch else { return }
        }
        if let offer = live[manifest]?.offer {
            if offer.epoch == epoch, offer.validUntil > step.now { return }
            release(manifest)
        }
        if let reason = try drawRefusal(record, step) {
            decide(manifest, BidDecision(.declined, code: "draws", reason: reason, retryable: true))
            wakes.schedule(manifest, at: step.now + 1_000)
            return
        }
        if let refusal = refusal(of: record, manifest, step) {
            decide(manifest, refusal)
            if refusal.code.hasPrefix("capacity.free"), !waitingForCapacity.contains(manifest) {
                waitingForCapacity.append(manifest)
            }
            return
        }
        guard try isReady(record, step) else {
            wakes.schedule(manifest, at: step.now + 500)
            return
        }
        // An old job whose placer is gone is not worth a place.
        if record.placer != signer.did, gossip.membership.state(of: record.placer) != .alive,
            gossip.link(to: record.placer) == nil, step.now - record.created > Self.bidValidityMilliseconds
        {
            return
        }
        guard isDrawn(record, manifest) else {
            decide(
                manifest,
                BidDecision(
                    .declined, code: "draw",
                    reason: "others were drawn to bid first; the placer has had bids from them",
                    retryable: true))
            return
        }
        let price = NodeProfile.price(units: record.pricedUnits, perThousand: settings.computePrice)
        let valid =
            max(step.now, record.created + Int64(clamping: record.market.windowMilliseconds))
            + Self.bidValidityMilliseconds
        let bid = Bids.Bid(
            manifest: manifest, epoch: epoch, amount: price,
            estimatedMilliseconds: max(1, record.limits.fuel / 500_000), freeCPU: freeCPU,
            freeMemoryMiB: freeMemoryMiB, engine: settings.engine?.profile ?? record.code, validUntil: valid)
        reservedCPU += record.needs.cpu
        reservedMemoryMiB += record.needs.memoryMiB
        live[manifest]?.offer = Offer(
            epoch: epoch, cpu: record.needs.cpu, memoryMiB: record.needs.memoryMiB, validUntil: valid)
        wakes.schedule(manifest, at: valid)
        outgoingBids[record.placer, default: []].append(bid)
        decide(
            manifest, BidDecision(.offered, code: "offered", reason: "bid \(price)", retryable: false))
    }

    /// The first reason that speaks against running a job here.
    func refusal(of record: JobManifest, _ manifest: CID, _ step: Step) -> BidDecision? {
        func decline(_ code: String, _ reason: String, retryable: Bool = false) -> BidDecision {
            BidDecision(.declined, code: code, reason: reason, retryable: retryable)
        }
        let capacity = settings.capacity
        guard settings.roles.contains(.executor) else {
            return decline("role", "this node does not execute jobs")
        }
        guard let engine = settings.engine else { return decline("engine", "this node has no runtime") }
        if isFrozen(signer.did) {
            return decline("frozen", "this node's feed is frozen: it could publish no receipt")
        }
        if isDraining { return decline("draining", "this node is draining", retryable: true) }
        if record.submitter == signer.did, live[manifest]?.allowSelf != true {
            return decline("self", "this node submitted the job; --allow-self lets it bid")
        }
        guard engine.languages.contains(record.language),
            record.needs.languages.allSatisfy(engine.languages.contains)
        else {
            return decline(
                "language",
                "this node runs \(engine.languages.joined(separator: " and ")), not \(record.language)")
        }
        if let location = record.needs.location, location != settings.location {
            return decline(
                "location",
                "the job asks for location \(location); this node is in \(settings.location ?? "none")")
        }
        for key in record.needs.labels.keys.sorted()
        where settings.labels[key] != record.needs.labels[key] {
            return decline("label", "the job asks for label \(key)=\(record.needs.labels[key] ?? "")")
        }
        if let federation = record.trust.federation, federation != settings.federationCID {
            return decline("federation", "the job is judged by another federation")
        }
        guard record.needs.cpu <= capacity.cpu else {
            return decline(
                "capacity.cpu",
                "the job needs \(record.needs.cpu) processors; this node offers \(capacity.cpu)")
        }
        guard record.needs.memoryMiB <= capacity.memoryMiB else {
            return decline(
                "capacity.memory",
                "the job needs \(record.needs.memoryMiB) MiB; this node offers \(capacity.memoryMiB)")
        }
        let price = NodeProfile.price(units: record.pricedUnits, perThousand: settings.computePrice)
        guard price <= record.market.maxBid else {
            return decline("price", "this node asks \(price); the job pays \(record.market.maxBid) at most")
        }
        guard record.needs.cpu <= freeCPU, record.needs.memoryMiB <= freeMemoryMiB else {
            return decline(
                "capacity.free", "\(freeCPU) processors and \(freeMemoryMiB) MiB are free at the moment",
                retryable: true)
        }
        return nil
    }

    /// Why a manifest may not draw on what it names; while something is missing it waits.
    ///
    /// The federation's policy admits everyone, so drawing on nothing is fine. What is named must be
    /// a close that has credited the submitter for work of its own, in the same resource.
    func drawRefusal(_ record: JobManifest, _ step: Step) throws(StorageError) -> String? {
        for draw in record.draws {
            guard let bytes = try step.storage.block(draw) else {
                return "it draws on \(draw), which is not here"
            }
            guard case .close(let close)? = try? Entry(decoding: bytes), close.credited > 0 else {
                return "it draws on \(draw), which is neither a grant nor a close that credits anyone"
            }
            var table = jobs
            let earned = try table.ledger(close.manifest, in: step.storage)
            guard earned.close?.cid == draw, earned.settledReceipt?.record.executor == record.submitter else {
                return "it draws on \(draw), which credits somebody else"
            }
            guard earned.manifest?.record.resource.type == record.resource.type else {
                return "it draws on \(draw), which is of another resource"
            }
        }
        return nil
    }

    /// Gives up what was set aside for a job, and bids on others that waited for room.
    mutating func release(_ manifest: CID) {
        guard let offer = live[manifest]?.offer else { return }
        live[manifest]?.offer = nil
        if isPlanted(.capacityLeaks) { return }
        reservedCPU -= min(reservedCPU, offer.cpu)
        reservedMemoryMiB -= min(reservedMemoryMiB, offer.memoryMiB)
        for waiting in waitingForCapacity.prefix(4) { touch(waiting) }
        waitingForCapacity.removeFirst(min(4, waitingForCapacity.count))
    }

    /// Signs the bids of this step, one envelope for each placer.
    mutating func flushBids(_ step: Step) throws(StorageError) {
        for placer in outgoingBids.keys.sorted() {
            let bids = outgoingBids[placer] ?? []
            for start in stride(from: 0, to: bids.count, by: Bids.countMax) {
                let batch = Bids(
                    bidder: signer.did, time: step.now,
                    bids: Array(bids[start..<min(start + Bids.countMax, bids.count)]))
                let envelope = Envelope(signing: batch.encoded, tag: Bids.tag, by: signer)
                if placer == signer.did {
                    take(batch, envelope, step)
                } else {
                    try say(envelope, to: placer, step)
                }
            }
        }
        if !outgoingBids.isEmpty { outgoingBids = [:] }
        // Our own bids on our own jobs may have decided an award.
        if !dirty.isEmpty {
            for job in dirty { wakes.schedule(job, at: step.now) }
            dirty = []
        }
    }

    /// Sends a message of our own, to one node or to everyone.
    mutating func say(
        _ envelope: Envelope, to recipient: DID?, isRecurring: Bool = false, _ step: Step
    ) throws(StorageError) {
        try tell(.publish(envelope: envelope.bytes, to: recipient, isRecurring: isRecurring), step)
    }

    /// Keeps this node's reason for `explain`; the newest stands.
    mutating func decide(_ manifest: CID, _ decision: BidDecision) {
        if decisions.updateValue(decision, forKey: manifest) == nil {
            decisionOrder.append(manifest)
            if decisionOrder.count > 8192 {
                for old in decisionOrder.prefix(2048) { decisions[old] = nil }
                decisionOrder.removeFirst(2048)
            }
        }
    }
}
