internal import MeshRuntime
internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

// What people see of nodes, links, federations and receipts.
extension NodeEngine {
    func nodeViews() -> [NodeView] {
        profiles.map { did, known in
            let state = did == signer.did ? .alive : gossip.membership.state(of: did) ?? .gone
            let profile = known.profile
            return NodeView(
                nodeID: profile.name, did: did.description, location: profile.location,
                memoryMib: Int(clamping: profile.capacity.memoryMiB),
                cpu: Int(clamping: profile.capacity.cpu),
                storageMib: Int(clamping: profile.capacity.storageMiB), languages: profile.languages,
                reputation: Int(clamping: reputation(of: did)), state: state.rawValue, labels: profile.labels)
        }.sorted { $0.nodeID != $1.nodeID ? $0.nodeID < $1.nodeID : $0.did < $1.did }
    }

    func peerViews() -> [PeerView] {
        let linked = gossip.linkedPeers.map { link in
            PeerView(
                nodeID: name(of: link.peer), did: link.peer.description, address: link.address,
                state: "connected",
                direction: link.outbound ? "outgoing" : "incoming", neighbour: link.isNeighbour,
                score: gossip.scores.score(link.peer, now: latestNow),
                scoreParts: Dictionary(
                    uniqueKeysWithValues: gossip.scores.reasons(link.peer, now: latestNow)),
                counters: counters(link.peer))
        }
        let attempts = gossip.waitingDials.map { target in
            PeerView(
                nodeID: target.did.map { name(of: $0) }, did: target.did?.description,
                address: target.address,
                state: target.isDialling ? "connecting" : "waiting", direction: "outgoing",
                counters: target.did.map { counters($0) } ?? [:])
        }
        let refused = gossip.shunned(latestNow).filter { gossip.link(to: $0) == nil }.map { peer in
            PeerView(
                nodeID: name(of: peer), did: peer.description, address: "-", state: "refused",
                direction: "incoming", score: gossip.scores.score(peer, now: latestNow),
                scoreParts: Dictionary(uniqueKeysWithValues: gossip.scores.reasons(peer, now: latestNow)),
                counters: counters(peer))
        }
        return (linked + attempts + refused).sorted { $0.address < $1.address }
    }

    private func counters(_ peer: DID) -> [String: Int] {
        var counters: [String: Int] = [:]
        for (fault, count) in gossip.faultCounts(peer) { counters["fault_" + fault.rawValue] = count }
        return counters
    }

    /// The status as far as the engine knows it; the shell fills in what is its own.
    func statusView(_ step: Step) -> NodeStatusView {
        let bundle = settings.federation
        return NodeStatusView(
            name: settings.name, did: signer.did.description, version: "", listenAddress: "",
            uptimeSeconds: Int((step.now - started) / 1000), peersConnected: gossip.linkedPeers.count,
            frontierFeeds: graph.frontier.count,
            capacityTotal: CapacityView(
                cpu: Int(clamping: settings.capacity.cpu),
                memoryMib: Int(clamping: settings.capacity.memoryMiB),
                storageMib: Int(clamping: settings.capacity.storageMiB)),
            capacityFree: CapacityView(
                cpu: Int(clamping: freeCPU), memoryMib: Int(clamping: freeMemoryMiB),
                storageMib: Int(clamping: settings.capacity.storageMiB)),
            draining: isDraining, publishingAllowed: publishingRefusal == nil,
            publishingRefusal: publishingRefusal,
            federation: FederationSummaryView(
                cid: settings.federationCID.map { "\($0)" }, name: bundle?.name,
                threshold: bundle.map { Int(clamping: $0.threshold) }, members: bundle?.members.count),
            storeBytes: 0, blobBytes: 0,
            engine: EngineView(
                name: settings.engine?.name, version: settings.engine?.version,
                profile: settings.engine.map { "\($0.profile)" }),
            queueLengths: [
                "jobs_open": live.count, "anchors_waiting": graph.waitingCount,
                "blobs_fetching": fetches.count,
                "entries_pending": pending.count, "requests_waiting": waiters.count,
                "jobs_waiting_for_capacity": waitingForCapacity.count,
            ], now: "\(step.now)")
    }

    func federationViews() -> [FederationView] {
        federation.bundles.map { cid, bundle in
            let signers = federation.complete(cid)?.signers ?? federation.signatures.keys.sorted()
            return FederationView(
                cid: "\(cid)", name: bundle.name, seq: Int(clamping: bundle.seq),
                threshold: Int(clamping: bundle.threshold),
                members: bundle.members.map {
                    MemberView(
                        did: $0.did.description, nodeID: name(of: $0.did), organisation: $0.organisation)
                },
                signatures: signers.sorted().map(\.description), complete: federation.complete(cid) != nil,
                pinned: cid == settings.federationCID)
        }.sorted { $0.pinned != $1.pinned ? $0.pinned : $0.cid < $1.cid }
    }

    func headViews() -> [HeadView] {
        graph.frontier.map { feed, head in
            HeadView(
                did: feed.author.description,
                nodeID: profiles[feed.author] == nil ? nil : name(of: feed.author),
                scope: feed.scope, seq: Int(clamping: head.frozenAt ?? head.seq), cid: "\(head.cid)",
                time: "\(head.time.timestamp)", frozen: head.frozenAt != nil)
        }
    }

    /// The receipt that a CID, or the id of its job, means.
    private func resolveReceipt(_ text: String, _ step: Step) throws -> (receipt: CID, ledger: JobLedger) {
        var table = jobs
        if let cid = try? CID(text), let job = try manifest(ofReceipt: cid, step.storage) {
            return (cid, try table.ledger(job, in: step.storage))
        }
        if text.hasPrefix("bafyrei") {
            // The beginning of a receipt's CID.
            var found: [(receipt: CID, job: CID)] = []
            try step.storage.scan(.projections, prefix: Self.receiptPrefix) { key, value in
                let cid = CID(codec: .dagCBOR, digest: Bytes32(key, at: Self.receiptPrefix.count))
                if cid.description.hasPrefix(text), let digest = Bytes32(exactly: value) {
                    found.append((cid, CID(codec: .dagCBOR, digest: digest)))
                }
                return found.count < 9
            }
            if found.count > 1 {
                throw Refused(
                    409, "receipt.ambiguous",
                    "\"\(text)\" may mean \(found.map(\.receipt.description).joined(separator: ", "))")
            }
            if let only = found.first { return (only.receipt, try table.ledger(only.job, in: step.storage)) }
        }
        let ledger = try table.ledger(try resolveJob(text, step), in: step.storage)
        guard let receipt = ledger.settledReceipt ?? ledger.validReceipts.last else {
            throw Refused(404, "receipt.unknown", "the job has no receipt yet")
        }
        return (receipt.cid, ledger)
    }

    func receiptView(_ text: String, _ step: Step) throws -> ReceiptView {
        let (cid, ledger) = try resolveReceipt(text, step)
        guard let receipt = ledger.receipts.first(where: { $0.cid == cid }) else {
            throw Refused(404, "receipt.unknown", "no receipt \(text) is known here")
        }
        let (verification, attestations) = try verification(ledger, step)
        let record = receipt.record
        return ReceiptView(
            receiptCID: "\(cid)", jobID: JobID(manifest: record.manifest).description,
            manifestCID: "\(record.manifest)",
            awardCID: record.award.map { "\($0)" }, epoch: Int(clamping: record.epoch),
            executor: reference(record.executor), outcome: Self.view(record.outcome),
            outputs: record.outputs.map(Self.view), logs: record.logs.map(Self.view),
            metrics: Self.view(record.metering),
            engine: EngineView(
                name: record.engine.name, version: record.engine.version, profile: "\(record.engine.profile)"),
            startedAt: "\(record.started)", finishedAt: "\(record.finished)",
            submissions: record.submissions.map { "\($0)" },
            execution: record.execution.map {
                ExecutionLinksView(
                    uid: JobExecution.uid(job: record.manifest, epoch: record.epoch), startCID: "\($0.start)",
                    endCID: "\($0.end)")
            },
            anchor: HeadView(
                did: receipt.position.author.description, nodeID: name(of: receipt.position.author),
                scope: receipt.position.scope, seq: Int(clamping: receipt.position.seq),
                cid: "\(receipt.anchor)",
                time: "\(receipt.position.time.timestamp)", frozen: false),
            closeCID: ledger.close.map { "\($0.cid)" },
            charged: ChargeView(
                resourceType: ledger.manifest?.record.resource.type ?? "compute",
                amount: ledger.close.map { Int(clamping: $0.record.charged) }),
            federation: ledger.manifest?.record.trust.federation.map { "\($0)" },
            attestations: attestations.map { one in
                AttestationView(
                    did: one.position.author.description, nodeID: name(of: one.position.author),
                    cid: "\(one.cid)",
                    time: "\(one.position.time.timestamp)", verdict: one.record.verdict.rawValue,
                    method: one.record.method.rawValue,
                    counted: verification.verifiedBy.contains(one.position.author)
                        || verification.mismatchedBy.contains(one.position.author),
                    reason: one.record.reason)
            }, verification: view(verification, ledger))
    }

    // MARK: Archives

    mutating func archive(_ request: RequestID, _ text: String, _ step: Step) throws -> ControlReply? {
        let (_, ledger) = try resolveReceipt(text, step)
        if let reply = try archiveReply(ledger.manifestCID, isDue: false, step) { return reply }
        waitFor(.archive, ledger.manifestCID, request, 5_000, step)
        return nil
    }

    /// The blocks of a receipt's archive, once its blobs are here.
    mutating func archiveReply(_ job: CID, isDue: Bool, _ step: Step) throws -> ControlReply? {
        let ledger = try jobs.ledger(job, in: step.storage)
        guard let receipt = ledger.settledReceipt ?? ledger.validReceipts.last,
            let record = ledger.manifest?.record
        else {
            throw Refused(404, "receipt.unknown", "the job has no receipt yet")
        }
        let blobs =
            [record.code] + record.inputs.map(\.cid) + receipt.record.outputs.map(\.cid)
            + receipt.record.logs.map(\.cid)
        let missing = try missingBlobs(blobs, step)
        guard missing.isEmpty else {
            try fetch(missing, for: nil, from: receipt.record.executor, step)
            if !isDue { return nil }
            throw Refused(
                503, "blob.unavailable",
                "\(missing.count) blobs of the receipt are not here and no linked peer has sent them")
        }
        let (_, attestations) = try verification(ledger, step)
        let bundle = record.trust.federation.flatMap { federation.complete($0)?.cid }
        let order = ReceiptArchive.records(
            of: receipt, in: ledger,
            attestations: ReceiptArchive.counted(
                attestations, for: receipt, in: ledger,
                bundle: record.trust.federation.flatMap { federation.bundles[$0] }), bundleEntry: bundle,
            bundleBody: bundle == nil ? nil : record.trust.federation)
        // The executor alone keeps the snapshots of an execution; they follow from what everybody has.
        let execution = JobExecution.blocks(of: receipt.record, manifest: record)
        var blocks: [Block] = []
        for cid in order {
            let snapshot = [execution.start, execution.end].first { $0.cid == cid }?.bytes
            guard let bytes = try snapshot ?? step.storage.block(cid) else {
                throw Refused(503, "receipt.incomplete", "the record \(cid) is not here")
            }
            blocks.append(Block(cid: cid, bytes: bytes))
        }
        return .receiptCAR(root: receipt.cid, blocks: blocks, blobs: blobs)
    }
}
