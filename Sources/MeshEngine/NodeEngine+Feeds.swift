internal import MEW
internal import IPLD
internal import MeshCore
internal import MeshCrypto
internal import MeshDAG
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

extension NodeEngine {
    /// Does what gossip asks for; `prepared` is the frame that it is about.
    mutating func perform(
        _ asked: [GossipEffect], prepared: PreparedFrame?, _ step: Step
    ) throws(StorageError) {
        for effect in asked {
            switch effect {
            case .send(let link, let frame): effects.append(.send([link], frame.type, body: frame.encoded))
            case .broadcast(let links, let frame):
                if !links.isEmpty { effects.append(.send(links, frame.type, body: frame.encoded)) }
            case .dial(let address, let did):
                effects.append(.log(.debug, "dialling \(address)"))
                effects.append(.dial(address: address, expecting: did))
            case .close(let link, let code, let text): effects.append(.close(link, code: code, text: text))
            case .deliver(let link, let wires, let hops):
                guard let prepared else { continue }
                let accepted = try receive(prepared.anchors, from: link, step)
                guard let hops else {
                    for id in accepted { try tell(.obtained(id), step) }
                    continue
                }
                for wire in wires {
                    let id = CID(of: wire.envelope, codec: .dagCBOR)
                    if accepted.contains(id) {
                        let author = prepared.author(of: id)
                        try tell(.accepted(wire, id: id, author: author, hops: hops, from: link), step)
                    } else if isKnown(id) {
                        let isLarge = wire.byteCount > GossipMachine.pushByteCountMax
                        try tell(.repeated(id, isLarge: isLarge, hops: hops, from: link), step)
                    }
                }
            case .deliverMessage(let link, let envelope, let hops):
                guard let message = prepared?.message else { continue }
                guard try act(on: message, from: link, step), let hops else { continue }
                try tell(
                    .acceptedMessage(
                        envelope, id: CID(of: envelope, codec: .dagCBOR),
                        hops: message.isUrgent ? hops : min(hops, GossipMachine.urgentHops - 1), from: link),
                    step)
            case .serve(let link, let spans): try serve(link, spans, step)
            case .serveBlocks(let link, let cids):
                var size = 0
                for cid in cids where size < Self.servedByteCountMax {
                    var bytes = try step.storage.block(cid)
                    if bytes == nil { bytes = try step.blobs.blob(cid) }
                    size += bytes?.count ?? 0
                    let frame = Frame.block(cid, bytes)
                    effects.append(.send([link], frame.type, body: frame.encoded))
                }
            case .deliverBlock(let link, let cid, let bytes): try blockArrived(cid, bytes, from: link, step)
            case .ownFrontier(let link, let seq):
                if let peer = gossip.peer(of: link) { noteOwnFrontier(seq, by: peer, now: step.now) }
            case .servePush(let links, let id, let hops):
                guard let received = try FeedGraph.stored(id, in: step.storage) else { continue }
                let frame = Frame.carrying(try wire(restored(received), step), hops: hops)
                effects.append(.send(links, frame.type, body: frame.encoded))
            case .neighbourUp(let link, _):
                membersKeptNext = step.now
                try offerBundleSignatures(to: link, step)
            case .memberChanged(let did, let state): note(did, state)
            case .inviteShown(let did, let invite): _ = try noteInvite(invite, from: did, step)
            case .farewell(let link, let code, let text):
                if let peer = gossip.peer(of: link) {
                    effects.append(.log(.info, "\(name(of: peer)) ends the link: \(code): \(text)"))
                }
            case .report(let peer, let fault, let detail, let isFirst):
                if isFirst {
                    effects.append(.log(.warning, "\(name(of: peer)): \(fault.rawValue): \(detail)"))
                }
            }
        }
    }

    // MARK: Receiving

    /// Hands checked anchors to the feeds.
    ///
    /// - Returns: Those that were new and not refused: others may want them too.
    @discardableResult
    mutating func receive(
        _ anchors: [PreparedAnchor], from link: PeerLink?, _ step: Step
    ) throws(StorageError) -> [CID] {
        var dealt: [(feed: FeedID, seq: UInt64)] = []
        var accepted: [CID] = []
        for anchor in anchors {
            guard case .good(let received, let entries, let attachments) = anchor else { continue }
            dealt.append((feed: received.anchor.feed, seq: received.anchor.seq))
            guard recentAnchors.insert(received.cid) else { continue }
            guard admits(received.anchor) else {
                // The ticket may be on its way.
                if case .invite = settings.admission { recentAnchors.forget(received.cid) }
                try fault(link, .notAdmitted, "\(received.anchor.author) may not publish here", step)
                continue
            }
            try keep(attachments, of: received, step)
            let outcome = try graph.receive(received, now: step.now, in: step.storage)
            if outcome.refusal != nil, let link {
                // It may be right later, when what it lacks is here.
                recentAnchors.forget(received.cid)
                try report(outcome, link, step)
            }
            if outcome.refusal == nil, !outcome.isRepetition || !outcome.freezes.isEmpty {
                accepted.append(received.cid)
            }
            try absorb(outcome, from: link, decoded: [received.cid: entries], step)
        }
        if let link {
            try perform(
                gossip.delivered(dealt, from: link, now: step.now, graph: graph), prepared: nil, step)
        }
        return accepted
    }

    /// Tells gossip something and does what it asks for.
    mutating func tell(_ input: GossipInput, _ step: Step) throws(StorageError) {
        try perform(gossip.step(input, now: step.now, graph: graph), prepared: nil, step)
    }

    /// Starts an anchor on its way that no peer has sent us.
    mutating func spread(_ cid: CID, _ step: Step) throws(StorageError) {
        guard let received = try FeedGraph.stored(cid, in: step.storage) else { return }
        try tell(
            .accepted(
                try wire(restored(received), step), id: cid, author: received.anchor.author, hops: 0,
                from: nil),
            step)
    }

    private func restored(_ received: ReceivedAnchor) -> ReceivedAnchor {
        var received = received
        received.restoreAttachments { (try? Entry(decoding: $0))?.attachments ?? [] }
        return received
    }

    /// Stores the blocks that came along, as far as an entry names them and they are new.
    private func keep(
        _ attachments: [Block], of received: ReceivedAnchor, _ step: Step
    ) throws(StorageError) {
        guard !attachments.isEmpty else { return }
        let named = Set(received.entries.flatMap(\.attachments))
        for block in attachments where named.contains(block.cid) {
            if try !step.storage.hasBlock(block.cid) {
                try step.storage.putBlock(block.bytes, cid: block.cid)
            }
        }
    }

    private mutating func report(_ outcome: FeedOutcome, _ link: PeerLink, _ step: Step) throws(StorageError)
    {
        guard let refusal = outcome.refusal else { return }
        let fault: PeerFault =
            switch refusal.code {
            case .wrongPredecessor: .fork
            case .timeOrder: .futureClock
            case .tooMuchWaiting: .tooMuchWaiting
            case .malformed: .malformedFrame
            case .badSignature: .badSignature
            case .notAdmitted: .notAdmitted
            }
        try self.fault(link, fault, refusal.message, step)
    }

    private mutating func fault(
        _ link: PeerLink?, _ fault: PeerFault, _ detail: String, _ step: Step
    ) throws(StorageError) {
        guard let link else { return }
        try tell(.fault(link, fault, detail: detail), step)
    }

    /// Whether feeds of this author are stored here.
    private func admits(_ anchor: Anchor) -> Bool {
        guard anchor.scope == settings.scope else { return false }
        return isAdmitted(anchor.author)
    }

    /// Folds what was applied, undoes what was frozen, spreads both, and asks for what is missing.
    mutating func absorb(
        _ outcome: FeedOutcome, from link: PeerLink?, decoded: [CID: [Entry?]], _ step: Step
    ) throws(StorageError) {
        for cid in outcome.dropped { recentAnchors.forget(cid) }
        for freeze in outcome.freezes { try undo(freeze, step) }
        for applied in outcome.applied {
            recentAnchors.insert(applied.received.cid)
            let entries =
                decoded[applied.received.cid]
                ?? applied.received.entries.map { try? Entry(decoding: $0.bytes) }
            let anchor = applied.received.anchor
            for (index, entry) in entries.enumerated() {
                // Asked for each entry anew: what has been folded since may have frozen this feed.
                if let entry, graph.counts(anchor.feed, anchor.seq) {
                    try fold(
                        entry, cid: applied.received.entries[index].cid, anchor: applied.received.cid,
                        position: applied.position(index), step)
                }
            }
        }
        if !outcome.wants.isEmpty {
            try tell(.wants(outcome.wants, from: link), step)
        }
    }

    /// How many bytes of blocks travel with an anchor.
    private static let attachedByteCountMax = 512 * 1024

    /// An anchor with its entries and the blocks that travel with them.
    private func wire(_ received: ReceivedAnchor, _ step: Step) throws(StorageError) -> WireAnchor {
        var attached: Set<CID> = []
        var blocks: [[UInt8]] = []
        var size = 0
        attaching: for (index, entry) in received.entries.enumerated() {
            // Who has its author's earlier changes has a change's ontology too; others ask for it.
            let isKnown =
                entry.attachments.first.map {
                    replica.hasNamed($0, by: received.anchor.author, before: received.anchor.seq, index)
                } ?? false
            for cid in entry.attachments where attached.insert(cid).inserted {
                if isKnown, cid.codec == .dagCBOR { continue }
                guard let bytes = try step.storage.block(cid) else { continue }
                size += bytes.count
                // What is more than a frame carries is asked for block by block.
                if size > Self.attachedByteCountMax || blocks.count == WireAnchor.attachmentCountMax {
                    break attaching
                }
                blocks.append(bytes)
            }
        }
        return WireAnchor(
            envelope: received.envelope.bytes, entries: received.entries.map(\.bytes), attachments: blocks)
    }

    /// How many bytes of anchors answer one want: a peer that is far behind streams, and the queue to it
    /// stays short.
    static let servedAnchorByteCountMax = 2 * 1024 * 1024

    private mutating func serve(_ link: PeerLink, _ spans: [FeedSpan], _ step: Step) throws(StorageError) {
        var batch: [WireAnchor] = []
        var size = 0
        var total = 0
        func send(_ anchors: [WireAnchor]) {
            let frame = Frame.have(anchors)
            effects.append(.send([link], frame.type, body: frame.encoded))
        }
        serving: for span in spans {
            guard let head = graph.head(span.feed), span.range.lowerBound <= head.seq else { continue }
            for seq in span.range.lowerBound...min(span.range.upperBound, head.seq) {
                guard let cid = try graph.anchorCID(span.feed, seq: seq, in: step.storage),
                    let received = try FeedGraph.stored(cid, in: step.storage)
                else { break }
                let anchor = try wire(restored(received), step)
                if !batch.isEmpty, size + anchor.byteCount > 512 * 1024 || batch.count == Frame.anchorCountMax
                {
                    send(batch)
                    batch = []
                    size = 0
                    if total >= Self.servedAnchorByteCountMax { break serving }
                }
                batch.append(anchor)
                size += anchor.byteCount
                total += anchor.byteCount
            }
        }
        if !batch.isEmpty { send(batch) }
        send([])
    }

    // MARK: Publishing

    /// Anchors what waits, as much as fits into one anchor.
    mutating func publishPending(_ step: Step) throws(StorageError) {
        var count = 0
        var size = 0
        while count < min(pending.count, Anchor.entryCountMax) {
            size += pending[count].count
            if count > 0, size > 160 * 1024 { break }
            count += 1
        }
        var seen: Set<CID> = []
        let entries = pending.prefix(count).filter { seen.insert(CID(of: $0, codec: .dagCBOR)).inserted }
        pending.removeFirst(count)
        pendingSince = pending.isEmpty ? nil : step.now
        let decoded = entries.map { try? Entry(decoding: $0) }
        var index = 0
        let outcome = try graph.publish(
            Array(entries),
            attachments: { _ in
                defer { index += 1 }
                return decoded[index]?.attachments ?? []
            }, by: signer, scope: settings.scope, now: step.now, in: step.storage)
        publishedCount += 1
        guard let received = outcome.applied.first?.received else { return }
        try absorb(outcome, from: nil, decoded: [received.cid: decoded], step)
        try tell(
            .accepted(
                try wire(received, step), id: received.cid, author: signer.did, hops: 0, from: nil), step)
        noteAnchored(seen)
    }

    // MARK: Folding

    /// Lets one entry take effect.
    mutating func fold(
        _ entry: Entry, cid: CID, anchor: CID, position: EntryPosition, _ step: Step
    ) throws(StorageError) {
        switch entry {
        case .manifest:
            try jobs.insert(entry, cid: cid, anchor: anchor, position: position, in: step.storage)
            try open(cid, allowSelf: false, step)
            touch(cid)
        case .award(let record):
            try jobs.insert(entry, cid: cid, anchor: anchor, position: position, in: step.storage)
            touch(record.manifest)
        case .receipt(let record):
            try jobs.insert(entry, cid: cid, anchor: anchor, position: position, in: step.storage)
            try step.storage.put(
                record.manifest.digest.bytes, forKey: Self.receiptKey(cid), in: .projections)
            touch(record.manifest)
        case .close(let record):
            try jobs.insert(entry, cid: cid, anchor: anchor, position: position, in: step.storage)
            touch(record.manifest)
        case .attestation(let record):
            try jobs.insert(entry, cid: cid, anchor: anchor, position: position, in: step.storage)
            if let manifest = try manifest(ofReceipt: record.receipt, step.storage) { touch(manifest) }
        case .profile(let record): try foldProfile(record, cid: cid, position: position, step)
        case .bundle(let record): try foldBundle(record, cid: cid, anchor: anchor, position: position, step)
        case .equivocation(let first, let second):
            let outcome = try graph.judge(first: first, second: second, verifier: verifier, in: step.storage)
            try absorb(outcome, from: nil, decoded: [:], step)
            // Somebody has published it: nobody else need.
            for feed in evidence.filter({ [first, second].contains($0.value.proof.first) }).map(\.key) {
                evidence[feed] = nil
            }
        case .mismatch(let receipt, _):
            // The attestations themselves decide; the evidence calls those who have not looked yet.
            if let manifest = try manifest(ofReceipt: receipt, step.storage) { touch(manifest) }
        case .graphChange(let record): try foldGraph(record, cid: cid, position: position, step)
        case .unknown:
            if let bytes = try step.storage.block(cid) {
                effects.append(.foreignEntry(author: position.author, cid: cid, bytes: bytes))
            }
        }
    }

    /// Takes back what a frozen feed contributed from its fork on, and publishes the proof.
    private mutating func undo(_ freeze: Freeze, _ step: Step) throws(StorageError) {
        let feed = freeze.proof.feed
        for received in try graph.suffix(
            of: feed, from: freeze.proof.seq, below: freeze.previous, in: step.storage)
        where !isPlanted(.suffixKept) {
            for index in received.entries.indices.reversed() {
                guard let entry = try? Entry(decoding: received.entries[index].bytes) else { continue }
                let position = received.position(index)
                let cid = received.entries[index].cid
                try jobs.remove(entry, cid: cid, position: position, in: step.storage)
                try removeFromRegistry(entry, cid: cid, position: position, step)
                switch entry {
                case .graphChange(let record): try undoGraph(record, position: position, step)
                case .manifest: touch(cid)
                case .award(let record): touch(record.manifest)
                case .receipt(let record):
                    if try !jobs.ledger(record.manifest, in: step.storage).receipts.contains(where: {
                        $0.cid == cid
                    }) {
                        try step.storage.remove(Self.receiptKey(cid), in: .projections)
                    }
                    touch(record.manifest)
                case .close(let record): touch(record.manifest)
                case .attestation(let record):
                    if let manifest = try manifest(ofReceipt: record.receipt, step.storage) {
                        touch(manifest)
                    }
                default: break
                }
            }
        }
        effects.append(
            .log(
                .error,
                "\(name(of: feed.author)) signed two histories: its feed is frozen from anchor \(freeze.proof.seq) on"
            ))
        effects.append(
            .event(
                kind: "frozen", job: nil, node: feed.author, cid: freeze.proof.first,
                detail: "\(freeze.proof.seq)"))
        if feed.author != signer.did { schedule(freeze.proof, step) }
    }

    // MARK: Evidence

    /// Puts off publishing a proof, so that one of those who find it does and the others see it done.
    ///
    /// Every node waits a time of its own, drawn from the proof, that grows with the number of nodes.
    private mutating func schedule(_ proof: Equivocation, _ step: Step) {
        let share = SHA256.hash(proof.first.digest.bytes + signer.did.publicKey.bytes).bytes.bigEndian(at: 0)
        let span = UInt64(min(64, max(1, profiles.count))) * 50
        evidence[proof.feed] = PendingEvidence(proof: proof, due: step.now + Int64(share % span))
    }

    mutating func publishDueEvidence(_ step: Step) {
        guard !evidence.isEmpty else { return }
        for feed in evidence.filter({ $0.value.due <= step.now }).map(\.key).sorted() {
            guard let due = evidence.removeValue(forKey: feed) else { continue }
            publish(Entry.encodedEquivocation(first: due.proof.first, second: due.proof.second), step)
        }
    }

    static let receiptPrefix = Array("receipt".utf8)

    static func receiptKey(_ receipt: CID) -> [UInt8] { receiptPrefix + receipt.digest.bytes }

    /// The job that a receipt is about.
    func manifest(ofReceipt receipt: CID, _ storage: any StorageReader) throws(StorageError) -> CID? {
        guard let value = try storage.value(forKey: Self.receiptKey(receipt), in: .projections),
            let digest = Bytes32(exactly: value)
        else { return nil }
        return CID(codec: .dagCBOR, digest: digest)
    }
}
