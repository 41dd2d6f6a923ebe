internal import MeshRuntime
internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

// The placer's side: gather bids, award, watch the lease, award again, close.
extension NodeEngine {
    mutating func place(
        _ manifest: CID, _ record: JobManifest, _ ledger: JobLedger, _ step: Step
    ) throws(StorageError) {
        if live[manifest]?.auction?.isClosing == true { return }
        let receipts = ledger.validReceipts
        if let receipt = receipts.first(where: { !$0.record.outcome.outcomeClass.isNodeFault }) {
            close(manifest, record, ledger, with: receipt, step)
            return
        }
        guard step.now < record.expires else {
            end(manifest, .expired, "the job's deadline has passed", step)
            return
        }
        wakes.schedule(manifest, at: record.expires)
        let awards = ledger.validAwards
        if let current = awards.last {
            let failure = receipts.first { $0.record.epoch == current.record.epoch }
            let lease = leaseEnd(manifest, current, step)
            if failure == nil, step.now < lease || isPlanted(.leaseNeverLapses) {
                wakes.schedule(manifest, at: lease)
                return
            }
            guard UInt64(awards.count) < max(1, record.retry.attempts) else {
                if let failure {
                    close(manifest, record, ledger, with: failure, step)
                } else {
                    end(manifest, .expired, "\(awards.count) executors were lost", step)
                }
                return
            }
            let epoch = isPlanted(.epochKept) ? current.record.epoch : UInt64(awards.count)
            beginRound(manifest, record, epoch: epoch, after: current.record.executor, step)
        } else {
            beginRound(manifest, record, epoch: 0, after: nil, step)
        }
        try award(manifest, record, step)
    }

    /// When the lease of the current award ends.
    private mutating func leaseEnd(
        _ manifest: CID, _ award: Contribution<JobAward>, _ step: Step
    ) -> Timestamp {
        let epoch = award.record.epoch + 1
        if let auction = live[manifest]?.auction, auction.epoch >= epoch || auction.isAwarded,
            let lease = auction.leaseUntil, auction.epoch + 1 >= epoch
        {
            return lease
        }
        // Seen for the first time, after the award or after a restart: the executor gets a full lease.
        let lease = step.now + Int64(clamping: award.record.leaseMilliseconds)
        if live[manifest]?.auction == nil {
            live[manifest]?.auction = Auction(
                epoch: award.record.epoch, opened: step.now, windowEnds: step.now, isAwarded: true,
                leaseUntil: lease)
        } else {
            live[manifest]?.auction?.leaseUntil = lease
        }
        return lease
    }

    private mutating func beginRound(
        _ manifest: CID, _ record: JobManifest, epoch: UInt64, after failed: DID?, _ step: Step
    ) {
        let previous = live[manifest]?.auction
        if previous?.epoch == epoch { return }
        // The first round opens with the manifest itself; whoever resumes one must call for bids: what
        // was bid before a restart is lost.
        let isFirst = epoch == 0 && record.created >= started && step.now - record.created < 1_000
        let window = epoch == 0 ? Int64(clamping: record.market.windowMilliseconds) : 0
        var auction = Auction(
            epoch: epoch, opened: step.now,
            windowEnds: isFirst ? record.created + window : step.now + window)
        auction.excluded = previous?.excluded ?? []
        if let failed { auction.excluded.insert(failed) }
        auction.isResumed = epoch == 0 && !isFirst
        // A bid may get lost on its way: who waits for the first one asks again.
        // Where not everyone bids at once, there is time within the window to ask the others.
        auction.nextCall =
            !isFirst
            ? step.now
            : window == 0
                ? step.now + Auction.callMilliseconds
                : profiles.count > Self.bidderCountMax ? record.created + window / 2 : nil
        live[manifest]?.auction = auction
        if let failed {
            effects.append(
                .log(
                    .warning,
                    "job \(JobID(manifest: manifest)): \(name(of: failed)) failed it; calling for new bids"))
        }
    }

    /// Awards the job when it is time to, and otherwise sees to it that it will be.
    private mutating func award(_ manifest: CID, _ record: JobManifest, _ step: Step) throws(StorageError) {
        guard var auction = live[manifest]?.auction, !auction.isAwarded else { return }
        defer {
            if live[manifest]?.auction?.isAwarded != true {
                live[manifest]?.auction?.nextCall = auction.nextCall
            }
        }
        guard try isReady(record, step) else {
            wakes.schedule(manifest, at: step.now + 500)
            return
        }
        let candidates = acceptable(auction, step)
        let isAutomatic = record.market.mode == .auto || auction.epoch > 0
        let isOver = step.now >= auction.windowEnds
        if isAutomatic, !candidates.isEmpty, isOver || record.market.windowMilliseconds == 0 {
            let best = BidScoring.rank(candidates, needs: record.needs)[0]
            award(manifest, record, to: best.candidate.bidder, because: "highest score", step)
            return
        }
        if !isOver { wakes.schedule(manifest, at: auction.windowEnds) }
        if let due = auction.nextCall, due <= step.now, candidates.isEmpty {
            let call = BidCall(manifest: manifest, epoch: auction.epoch, placer: signer.did, time: step.now)
            try say(Envelope(signing: call.encoded, tag: BidCall.tag, by: signer), to: nil, step)
            live[manifest]?.calledEpoch = auction.epoch
            live[manifest]?.calls += 1
            auction.nextCall = step.now + Auction.callMilliseconds
            // A node that failed once is better than none at all.
            if step.now - auction.opened > 4 * Auction.callMilliseconds {
                live[manifest]?.auction?.excluded = []
            }
        }
        if let due = auction.nextCall, due > step.now { wakes.schedule(manifest, at: due) }
        guard isOver else { return }
        if candidates.isEmpty {
            let grace =
                record.market.windowMilliseconds == 0
                ? Auction.firstBidMilliseconds : auction.isResumed ? 2 * Auction.callMilliseconds : 0
            // Nobody sits before a job that a run has asked for: it waits for room as long as it may.
            if auction.epoch == 0, record.parent == nil,
                auction.bids.allSatisfy({ $0.value.refusal != nil || $0.value.bid.validUntil > step.now }),
                step.now >= auction.windowEnds + grace
            {
                end(manifest, .noBids, "no acceptable bid came within the window", step)
                return
            }
            if auction.nextCall == nil, auction.epoch > 0 || !auction.bids.isEmpty || record.parent != nil {
                auction.nextCall = step.now
            }
            wakes.schedule(
                manifest,
                at: auction.nextCall.map { max($0, step.now + 50) } ?? auction.windowEnds + max(grace, 50))
        } else {
            // A manual job waits for its submitter, as long as there is a bid to accept.
            let lapse = candidates.map(\.bid.validUntil).min() ?? step.now
            if auction.nextCall == nil { auction.nextCall = lapse }
            wakes.schedule(manifest, at: lapse)
        }
    }

    /// The bids that could win now.
    func acceptable(_ auction: Auction, _ step: Step) -> [BidScoring.Candidate] {
        auction.bids.filter { bidder, offered in
            offered.refusal == nil && offered.bid.validUntil > step.now && !auction.excluded.contains(bidder)
        }.map { bidder, offered in
            BidScoring.Candidate(bidder: bidder, bid: offered.bid, reputation: reputation(of: bidder))
        }.sorted { $0.bidder < $1.bidder }
    }

    /// What is known of a node's past: unknown is the bundle's constant until receipts are folded.
    func reputation(of node: DID) -> UInt64 {
        settings.federation?.foldParameters["reputation_unknown"] ?? 50
    }

    /// Writes the award of the present round.
    mutating func award(
        _ manifest: CID, _ record: JobManifest, to winner: DID, because reason: String, _ step: Step
    ) {
        guard let auction = live[manifest]?.auction, let offered = auction.bids[winner] else { return }
        let ranked = BidScoring.rank(acceptable(auction, step), needs: record.needs)
        var considered = ranked.prefix(JobAward.consideredCountMax).map { one in
            JobAward.Considered(
                bidder: one.candidate.bidder, amount: one.candidate.bid.amount, score: one.score,
                parts: one.parts,
                reason: one.candidate.bidder == winner ? reason : "lower score")
        }
        // The winner stands first, whoever scored highest: its amount is what the close charges by.
        if let place = considered.firstIndex(where: { $0.bidder == winner }) {
            considered.insert(considered.remove(at: place), at: 0)
        } else if let one = ranked.first(where: { $0.candidate.bidder == winner }) {
            considered[considered.count - 1] = JobAward.Considered(
                bidder: winner, amount: one.candidate.bid.amount, score: one.score, parts: one.parts,
                reason: reason)
            considered.insert(considered.removeLast(), at: 0)
        }
        for bidder in auction.bids.keys.sorted() {
            guard considered.count < JobAward.consideredCountMax, let other = auction.bids[bidder],
                let refusal = other.refusal
            else { continue }
            considered.append(
                JobAward.Considered(
                    bidder: bidder, amount: other.bid.amount, score: 0, parts: [:], reason: refusal))
        }
        let award = JobAward(
            manifest: manifest, epoch: auction.epoch, executor: winner, bids: offered.envelopeCID,
            index: UInt64(offered.index), considered: considered, leaseMilliseconds: Self.leaseMilliseconds)
        do throws(StorageError) {
            try step.storage.putBlock(offered.envelope, cid: offered.envelopeCID)
        } catch {
            effects.append(.log(.error, "a winning bid could not be stored: \(error)"))
            return
        }
        live[manifest]?.auction?.isAwarded = !isPlanted(.awardForgotten)
        live[manifest]?.auction?.leaseUntil = step.now + Int64(Self.leaseMilliseconds)
        publish(award.encoded, step)
    }

    private mutating func close(
        _ manifest: CID, _ record: JobManifest, _ ledger: JobLedger, with receipt: Contribution<JobReceipt>,
        _ step: Step
    ) {
        let award = ledger.validAwards.first { $0.cid == receipt.record.award }
        let bid = award?.record.considered.first?.amount ?? 0
        let charge =
            receipt.record.outcome.outcomeClass.isNodeFault
            ? 0
            : BidScoring.charge(bid: bid, metered: receipt.record.metering.fuel, limit: record.limits.fuel)
        mark(closing: manifest, step)
        publish(
            JobClose(manifest: manifest, result: .receipt(receipt.cid), charged: charge, credited: charge)
                .encoded,
            step)
    }

    /// Closes a job without a receipt.
    mutating func end(_ manifest: CID, _ result: JobClose.Result, _ reason: String, _ step: Step) {
        if live[manifest]?.auction?.isClosing == true { return }
        mark(closing: manifest, step)
        effects.append(.log(.info, "job \(JobID(manifest: manifest)) ends: \(reason)"))
        publish(JobClose(manifest: manifest, result: result, charged: 0, credited: 0).encoded, step)
    }

    private mutating func mark(closing manifest: CID, _ step: Step) {
        if live[manifest]?.auction == nil {
            live[manifest]?.auction = Auction(epoch: 0, opened: step.now, windowEnds: step.now)
        }
        live[manifest]?.auction?.isClosing = true
    }

    // MARK: Messages

    /// Takes bids on jobs that are placed here.
    mutating func take(_ bids: Bids, _ envelope: Envelope, _ step: Step) {
        let envelopeCID = envelope.cid
        for (index, bid) in bids.bids.enumerated() {
            guard let auction = live[bid.manifest]?.auction, !auction.isAwarded, !auction.isClosing,
                bid.epoch == auction.epoch
            else { continue }
            var table = jobs
            guard let record = (try? table.ledger(bid.manifest, in: step.storage))?.manifest?.record else {
                continue
            }
            let offered = Auction.Offered(
                bid: bid, index: index, envelope: envelope.bytes, envelopeCID: envelopeCID,
                refusal: refusal(of: bid, by: bids.bidder, for: record, step))
            live[bid.manifest]?.auction?.bids[bids.bidder] = offered
            touch(bid.manifest)
        }
    }

    /// Why a bid cannot win, from what the manifest asks for and the bidder's profile says.
    private func refusal(of bid: Bids.Bid, by bidder: DID, for record: JobManifest, _ step: Step) -> String? {
        if bid.amount > record.market.maxBid {
            return "asks \(bid.amount), above the limit of \(record.market.maxBid)"
        }
        if bid.validUntil <= step.now { return "the bid is no longer valid" }
        if isFrozen(bidder) { return "has signed two histories" }
        if bid.freeCPU < record.needs.cpu || bid.freeMemoryMiB < record.needs.memoryMiB {
            return "has \(bid.freeCPU) processors and \(bid.freeMemoryMiB) MiB free"
        }
        if reputation(of: bidder) < record.needs.minReputation {
            return "its reputation is \(reputation(of: bidder)), below \(record.needs.minReputation)"
        }
        if let location = record.needs.location, profiles[bidder]?.profile.location != location {
            return "is not in \(location)"
        }
        return nil
    }

    /// Whether a node has signed two histories: nothing that it publishes now counts.
    func isFrozen(_ node: DID) -> Bool {
        graph.head(FeedID(author: node, scope: settings.scope))?.frozenAt != nil
    }

    /// Whether a message of this time is young enough to be acted on.
    ///
    /// A peer may name any instant, also one whose distance has no positive counterpart.
    private func isCurrent(_ time: Timestamp, _ step: Step) -> Bool {
        let age = step.now - time
        return age < Self.bidValidityMilliseconds && age > -Self.bidValidityMilliseconds
    }

    /// Acts on a signed message.
    ///
    /// - Returns: Whether it is worth passing on.
    mutating func act(on message: LiveMessage, from link: PeerLink, _ step: Step) throws(StorageError) -> Bool
    {
        switch message {
        case .bids(let bids, let envelope):
            guard isCurrent(bids.time, step) else { return false }
            take(bids, envelope, step)
        case .heartbeat(let heartbeat):
            guard isCurrent(heartbeat.time, step) else { return false }
            guard let auction = live[heartbeat.manifest]?.auction, auction.isAwarded,
                auction.epoch == heartbeat.epoch
            else { return true }
            let ledger = try jobs.ledger(heartbeat.manifest, in: step.storage)
            if ledger.validAwards.last?.record.executor == heartbeat.executor {
                live[heartbeat.manifest]?.auction?.leaseUntil = step.now + Int64(Self.leaseMilliseconds)
                if heartbeat.counter > 0, !auction.isRunning {
                    live[heartbeat.manifest]?.auction?.isRunning = true
                    changed.insert(heartbeat.manifest)
                }
            }
        case .call(let call):
            guard isCurrent(call.time, step) else { return false }
            let ledger = try jobs.ledger(call.manifest, in: step.storage)
            guard ledger.manifest?.record.placer == call.placer, !ledger.status.isFinal,
                UInt64(ledger.validAwards.count) == call.epoch
            else { return true }
            try open(call.manifest, allowSelf: false, step)
            live[call.manifest]?.calledEpoch = call.epoch
            live[call.manifest]?.calls += 1
            // The placer has lost what we said before, or has never heard it.
            release(call.manifest)
            touch(call.manifest)
        case .explainRequest(let request): try answerExplain(request, step)
        case .explainAnswer(let answer): takeExplanation(answer)
        case .bundleSignature(let body, let envelope): takeBundleSignature(body, envelope, step)
        case .member(let member): try tell(.member(member), step)
        case .suspicion(let signed):
            // What is held against ourselves is answered however old it is: who has missed our first answer
            // confronts us with the same suspicion, and takes us for gone until we go beyond it.
            let isYoung = isCurrent(signed.suspicion.time, step)
            guard isYoung || signed.suspicion.subject == signer.did else { return false }
            let isEmpty =
                signed.suspicion.cause != .left
                && gossip.membership.isDiscredited(signed.suspicion.witness, now: step.now)
            try tell(.suspicion(signed), step)
            return isYoung && !isEmpty
        // Nobody can vouch for what nobody here can check.
        case .unknown: return false
        }
        return true
    }
}
