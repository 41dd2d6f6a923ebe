public import IPLD
public import MeshCore
public import MeshDAG
internal import MEW
internal import MeshFederation
public import MeshGossip
internal import MeshGraph
public import MeshIdentity
internal import MeshMarket
public import MeshStorage

/// A node, as a value that performs no I/O.
///
///     inputs ──▶ step(inputs, now, transaction) ──▶ effects
///
/// The shell gathers the inputs that are ready, opens one write transaction, steps the engine,
/// commits, and only then performs the effects in order: what is claimed is durable before it is
/// said. Steps that claim nothing (``mustPersist``) may share a commit that comes a little later.
/// It calls ``nextDeadline`` after every step and delivers ``EngineInput/deadlineReached`` then.
///
/// Jobs are driven by levels, not edges: whatever changes, ``reconsider(_:_:)`` looks at what the
/// DAG says about the job and at what this node is doing about it, and does what is lacking. A
/// restart therefore needs no journal of its own: it reconsiders every job that is open.
///
/// - Important: When a step throws or its commit fails, the value no longer matches the store. Drop
///   it and make a new one from the store.
public struct NodeEngine: Sendable {
    /// How long an executor may be silent.
    static let leaseMilliseconds: UInt64 = 4_000
    /// How long entries wait for company under load.
    static let anchorWindowMilliseconds: Int64 = 2
    /// How long a bid stays valid beyond the window.
    static let bidValidityMilliseconds: Int64 = 60_000

    let settings: NodeSettings
    let signer: any Signer
    let verifier: any SignatureVerifier
    let started: Timestamp

    var graph: FeedGraph
    var gossip: GossipMachine
    var jobs = JobTable()
    var live: [CID: LiveJob] = [:]
    var wakes = DeadlineQueue<CID>()
    var profiles: [DID: KnownProfile] = [:]
    var federation = FederationState()
    /// The property graph, and what its programs are checked against.
    var replica = GraphReplica()
    /// What of the graph this step has touched, for those who watch.
    var graphTouched = GraphTouched()
    var fetches: [CID: Fetch] = [:]
    var waiters: [RequestID: Waiter] = [:]
    /// This node's own reason for what it did about a job, kept after the job is finished.
    var decisions: [CID: BidDecision] = [:]
    var decisionOrder: [CID] = []
    var reservedCPU: UInt64 = 0
    var reservedMemoryMiB: UInt64 = 0
    var waitingForCapacity: [CID] = []
    var isDraining = false
    var recentAnchors = RecentSet<CID>(capacity: 16_384)
    /// Whether a peer has told how far it knows our own feed, or nobody need be asked.
    var ownFrontierKnown: Bool
    /// How far peers say that our own feed reaches, as far as we have not got it back.
    var ownClaims: [DID: OwnClaim] = [:]

    /// A peer's word for how far our own feed reaches.
    struct OwnClaim: Sendable {
        /// How long a stranger's claim holds us back without anything coming of it.
        static let strangerMilliseconds: Int64 = 10_000

        let seq: UInt64
        /// Where our feed stood then: while it grows, the claim is being made good.
        let head: UInt64?
        let since: Timestamp
        /// Members and configured peers are believed for as long as it takes.
        let isTrusted: Bool
    }

    /// Whether the last step's effects may be told to anyone only once it is durable: it has published
    /// an anchor of our own, which is what every acknowledgement rests on.
    ///
    /// What the other steps say passes on what others signed, shows what is known, or makes offers that
    /// a restart may forget: the shell may release it at once and commit several such steps together.
    public private(set) var mustPersist = false

    // Within a step.
    var effects: [EngineEffect] = []
    var dirty: [CID] = []
    /// Jobs that something happened to, for those who wait.
    var changed: Set<CID> = []
    var latestNow: Timestamp
    var publishedCount = 0
    var pending: [[UInt8]] = []
    var pendingSince: Timestamp?
    /// Whom a ticket has admitted, and how many tickets have.
    var invited: Set<DID> = []
    var inviteCount = 0
    /// The links to peers that nobody has let in yet, and until when they may show why they should be.
    var guests: [PeerLink: Timestamp] = [:]
    var outgoingBids: [DID: [Bids.Bid]] = [:]

    /// Proofs of forks that this node publishes unless somebody else does first.
    var evidence: [FeedID: PendingEvidence] = [:]

    struct PendingEvidence: Sendable {
        let proof: Equivocation
        let due: Timestamp
    }

    // What of the membership is in the store.
    var keptIncarnation: UInt64?
    var keptMembers: [[UInt8]] = []
    var membersKeptNext: Timestamp

    struct KnownProfile: Sendable {
        let position: EntryPosition
        let profile: NodeProfile
    }

    /// What a step works with.
    struct Step {
        let now: Timestamp
        let storage: any StorageWriter
        let blobs: any BlobStorage
    }

    /// Makes the engine out of what the store holds; an empty store is a new node.
    public init(
        settings: NodeSettings, signer: any Signer, verifier: any SignatureVerifier, now: Timestamp,
        restoring storage: any StorageWriter
    ) throws(StorageError) {
        self.settings = settings
        self.signer = signer
        self.verifier = verifier
        started = now
        latestNow = now
        graph = try FeedGraph(restoring: storage)
        let (incarnation, members) = try Self.restoreMembers(storage, verifier: verifier)
        var membershipSettings = MembershipSettings()
        membershipSettings.capacity = settings.memberCountMax
        gossip = GossipMachine(
            signer: signer, network: settings.network, scope: settings.scope, addresses: settings.addresses,
            invite: settings.invite, incarnation: incarnation, isAnnouncing: !settings.roles.isEmpty,
            seed: settings.seed, now: now, membershipSettings: membershipSettings)
        gossip.restore(members)
        for peer in settings.peers { gossip.configure(peer: peer.address, did: peer.did, now: now) }
        membersKeptNext = now
        keptMembers = members.map(\.envelope)
        ownFrontierKnown = settings.alone
        try restoreInvites(storage)
        try restoreRegistry(storage, now: now)
        replica = try GraphReplica(restoring: storage)
        try restoreJobs(storage, now: now)
        if !gossip.hasPeers { ownFrontierKnown = true }
        try announceProfile(storage)
    }

    // MARK: Driving

    /// Whether an anchor or message was dealt with a moment ago; for ``PreparedFrame``.
    public func isKnown(_ cid: CID) -> Bool {
        recentAnchors.contains(cid) || gossip.hasSeen(cid)
    }

    /// Whether the signature of this membership record was found good before; for ``PreparedFrame``.
    public func isChecked(_ member: CID) -> Bool { gossip.hasChecked(member) }

    /// Whether a frame is within what its sender may cost; asked before it is decoded, and a frame that is
    /// not is dropped.
    public mutating func admits(
        _ type: FrameType, byteCount: Int, on link: PeerLink, now: Timestamp
    ) -> Bool {
        gossip.admits(type, byteCount: byteCount, on: link, now: now) == nil
    }

    /// A digest of all frontier marks: equal exactly when two replicas hold the same feeds.
    public var frontierFingerprint: Bytes32 { graph.fingerprint }

    /// When the shell must next deliver ``EngineInput/deadlineReached``.
    public var nextDeadline: Timestamp? {
        // Asked after every step: nothing here may allocate.
        var earliest = gossip.nextDeadline
        if let wake = wakes.next, earliest.map({ wake < $0 }) ?? true { earliest = wake }
        if let due = graph.nextDeadline, earliest.map({ due < $0 }) ?? true { earliest = due }
        // The least of them is the same in any order.
        for (_, waiter) in waiters where earliest.map({ waiter.deadline < $0 }) ?? true {
            earliest = waiter.deadline
        }
        for (_, due) in guests where earliest.map({ due < $0 }) ?? true { earliest = due }
        for (_, proof) in evidence where earliest.map({ proof.due < $0 }) ?? true { earliest = proof.due }
        if !pending.isEmpty, publishingRefusal == nil, let pendingSince {
            let due = pendingSince + Self.anchorWindowMilliseconds
            earliest = earliest.map { min($0, due) } ?? due
        }
        return earliest
    }

    /// Applies a batch of inputs.
    ///
    /// - Parameters:
    ///   - inputs: What happened, in order.
    ///   - now: The shell's clock; must not run backwards between calls.
    ///   - isIdle: Whether nothing else is ready: entries are then anchored at once, else they wait
    ///     for company for 2 ms at most.
    ///   - storage: The step's transaction.
    ///   - blobs: Where blobs are looked up; the engine does not write to it.
    /// - Returns: What must be done once the transaction is durable, in order.
    /// - Throws: What the store throws; the value is then to be dropped.
    public mutating func step(
        _ inputs: [EngineInput], now: Timestamp, isIdle: Bool, storage: any StorageWriter,
        blobs: any BlobStorage
    ) throws(StorageError) -> [EngineEffect] {
        let step = Step(now: now, storage: storage, blobs: blobs)
        latestNow = now
        let before = publishedCount
        for input in inputs {
            try handle(input, step)
            try settle(step)
        }
        // Folding our own anchors may lead to further entries, which go into the next anchor.
        var rounds = 0
        while !pending.isEmpty, publishingRefusal == nil, rounds < 8,
            isIdle || (pendingSince.map { now - $0 >= Self.anchorWindowMilliseconds } ?? true)
                || pending.count >= 64
        {
            rounds += 1
            try publishPending(step)
            try settle(step)
        }
        try flushBids(step)
        try answerWaiters(step)
        try keepMembers(step)
        tellWatchers()
        defer { effects = [] }
        mustPersist = publishedCount != before && !isPlanted(.effectsBeforeCommit)
        return effects
    }

    /// Drops what folds have made of the DAG and makes it again from the order of arrival.
    public mutating func rebuild(
        now: Timestamp, storage: any StorageWriter, blobs: any BlobStorage
    ) throws(StorageError) {
        // The indexes that somebody made here stand in no feed.
        let indexes = try GraphReplica.ownIndexes(in: storage)
        for table in [StorageTable.jobs, .jobEntries, .registry, .projections] + StorageTable.graph {
            try storage.removeAll(in: table)
        }
        var writer = GraphWriter(storage)
        try writer.setIndexes(indexes)
        replica = GraphReplica()
        jobs = JobTable()
        profiles = [:]
        federation.entries = [:]
        var anchors: [CID] = []
        try storage.scan(.arrival, prefix: []) { _, value throws(StorageError) in
            guard let cid = try? CID(bytes: value) else {
                throw StorageError(.corrupt, "an arrival cannot be read")
            }
            anchors.append(cid)
            return true
        }
        let step = Step(now: now, storage: storage, blobs: blobs)
        for cid in anchors {
            guard let received = try FeedGraph.stored(cid, in: storage) else {
                throw StorageError(.corrupt, "the anchor \(cid) cannot be read")
            }
            let counts = graph.head(received.anchor.feed)?.counts(received.anchor.seq) ?? true
            guard counts else { continue }
            for index in received.entries.indices {
                guard let entry = try? Entry(decoding: received.entries[index].bytes) else { continue }
                try fold(
                    entry, cid: received.entries[index].cid, anchor: received.cid,
                    position: received.position(index), step)
            }
        }
        dirty = []
        effects = []
    }

    private mutating func handle(_ input: EngineInput, _ step: Step) throws(StorageError) {
        switch input {
        case .linkOpened(let link, let peer, let address, let outbound):
            try tell(.linkOpened(link, peer: peer, address: address, outbound: outbound), step)
            effects.append(.log(.info, "linked with \(name(of: peer)) at \(address)"))
            receiveGuest(link, peer, step)
        case .linkClosed(let link, let isOrderly):
            guests[link] = nil
            if let peer = gossip.peer(of: link) {
                effects.append(.log(.info, "lost the link with \(name(of: peer))"))
            }
            try tell(.linkClosed(link, isOrderly: isOrderly), step)
        case .dialFailed(let address, let isRefused):
            effects.append(.log(.debug, "no link to \(address)\(isRefused ? ": nobody listens there" : "")"))
            try tell(.dialFailed(address: address, isRefused: isRefused), step)
        case .frame(let link, let prepared):
            if let (fault, detail) = prepared.fault {
                try tell(.fault(link, fault, detail: detail), step)
                return
            }
            try perform(
                gossip.step(
                    .frame(link, prepared.frame, members: prepared.members), now: step.now, graph: graph),
                prepared: prepared, step)
        case .runFinished(let ticket, let report): try runFinished(ticket, report, step)
        case .blobsStored(let cids): try blobsStored(cids, step)
        case .blobsNotStored(let cids):
            for cid in cids { fetches[cid]?.isStoring = false }
        case .control(let request, let command): try control(request, command, step)
        case .leaving: try tell(.leave, step)
        case .deadlineReached:
            try tell(.deadlineReached, step)
            try dismissGuests(step)
            let outcome = try graph.deadlineReached(now: step.now, in: step.storage)
            try absorb(outcome, from: nil, decoded: [:], step)
            publishDueEvidence(step)
            for job in wakes.popDue(step.now) { touch(job) }
            try retryFetches(step)
            publishBundleIfDue(step)
        }
    }

    /// Marks a job as to be reconsidered before the step ends.
    mutating func touch(_ manifest: CID) {
        changed.insert(manifest)
        if !dirty.contains(manifest) { dirty.append(manifest) }
    }

    /// Reconsiders jobs until nothing more follows within this step.
    mutating func settle(_ step: Step) throws(StorageError) {
        var index = 0
        while index < dirty.count {
            let job = dirty[index]
            index += 1
            try reconsider(job, step)
            if index > 64 {
                dirty.removeFirst(index)
                index = 0
            }
        }
        dirty.removeAll(keepingCapacity: true)
    }

    /// Puts an entry into the next anchor.
    mutating func publish(_ entry: [UInt8], _ step: Step) {
        pending.append(entry)
        if pendingSince == nil { pendingSince = step.now }
    }

    /// Why this node may not publish now, if it may not.
    ///
    /// One key, one running node: before the first anchor after a start, peers are asked for our own
    /// frontier, so that a restored backup cannot fork itself.
    var publishingRefusal: String? {
        guard ownFrontierKnown else {
            return "no peer has been reached yet that could know this node's own feed"
        }
        let head = graph.head(FeedID(author: signer.did, scope: settings.scope))
        if head?.frozenAt != nil { return "this node's feed is frozen: its key has signed two histories" }
        let open = ownClaims.filter { _, claim in
            (head.map { $0.seq < claim.seq } ?? true)
                && (claim.isTrusted || latestNow - claim.since < OwnClaim.strangerMilliseconds)
        }
        if let goal = open.map(\.value.seq).max() {
            return "peers know \(goal + 1) anchors of this node, which are being fetched first"
        }
        return nil
    }

    /// Notes how far a peer knows our own feed.
    mutating func noteOwnFrontier(_ seq: UInt64?, by peer: DID, now: Timestamp) {
        ownFrontierKnown = true
        let head = graph.head(FeedID(author: signer.did, scope: settings.scope))?.seq
        guard let seq, head.map({ $0 < seq }) ?? true else {
            ownClaims[peer] = nil
            return
        }
        if let known = ownClaims[peer], known.head == head {
            ownClaims[peer] = OwnClaim(
                seq: max(seq, known.seq), head: head, since: known.since, isTrusted: known.isTrusted)
            return
        }
        guard ownClaims.count < 256 || ownClaims[peer] != nil else { return }
        ownClaims[peer] = OwnClaim(
            seq: seq, head: head, since: now,
            isTrusted: settings.federation?.member(peer) != nil || settings.peers.contains { $0.did == peer })
    }

    var freeCPU: UInt64 { settings.capacity.cpu > reservedCPU ? settings.capacity.cpu - reservedCPU : 0 }
    var freeMemoryMiB: UInt64 {
        settings.capacity.memoryMiB > reservedMemoryMiB ? settings.capacity.memoryMiB - reservedMemoryMiB : 0
    }

    /// A node's display name, or the end of its DID where it has published none.
    func name(of did: DID) -> String {
        if did == signer.did { return settings.name }
        return profiles[did]?.profile.name ?? String(did.description.suffix(12))
    }
}
