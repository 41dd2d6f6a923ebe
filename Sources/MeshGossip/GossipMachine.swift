public import IPLD
public import MeshCore
public import MeshDAG
public import MeshIdentity

/// A connection to a peer, as the transport numbers it.
public struct PeerLink: Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Spreads anchors and messages, keeps replicas equal, and knows who is alive.
///
///     links ──▶ Overlay ────▶ neighbours ──▶ BroadcastTree   what is pushed to whom
///                  ▲                │
///                  └── gone ── Membership                    who is alive
///     and beside them frontier reconciliation, which brings whatever the tree has lost
///
/// ``Overlay`` keeps a small active view of neighbours and a larger passive one (HyParView);
/// ``BroadcastTree`` pushes along a spanning tree of the neighbours and announces along the other
/// links (Plumtree); ``Membership`` probes neighbours and weighs suspicions (SWIM with Lifeguard's
/// local health). Links that join no neighbours carry what two nodes have to settle with each other.
/// Frontiers are compared when a link opens, and with one neighbour in turn every
/// ``syncMilliseconds``; what the other has and we lack is fetched.
///
/// The machine sees frames and marks, never the store: ``GossipEffect/serve(_:_:_:)`` asks its owner
/// to read.
public struct GossipMachine: Sendable {
    /// How often frontiers are compared with one of the neighbours.
    public static let syncMilliseconds: Int64 = 1_000
    /// Larger items are announced and pulled, in bytes.
    public static let pushByteCountMax = 16 * 1024
    /// Stands in place of the hops of a message that goes over every link and not only down the tree: who is
    /// suspected, and that they are not dead.
    public static let urgentHops: UInt8 = 255
    /// How many membership records a new neighbour is told at once.
    static let toldMemberCountMax = 128

    struct Link: Sendable {
        let peer: DID
        let address: String
        let outbound: Bool
        var greeted = false
        var isNeighbour = false
        /// The peer has said goodbye, or we have.
        var isEnding = false
    }

    let own: DID
    let network: String
    let scope: String
    var overlay: Overlay
    var tree: BroadcastTree
    public internal(set) var membership: Membership
    var links: [PeerLink: Link] = [:]
    /// The newest link to each peer.
    var linkOf: [DID: PeerLink] = [:]
    var fetch = FetchPlan()
    /// When the next neighbour's frontier is compared with ours, while there is one.
    var nextSync: Timestamp?
    private var lastSynced: PeerLink?
    /// The last missing block that was asked for.
    private var missingCursor: CID?
    var payloads = PayloadCache()
    /// Whether this node tells the whole mesh that it is there; whoever offers nothing need not.
    let isAnnouncing: Bool
    /// The incarnation that the mesh was told last.
    var announced: UInt64?
    /// Records whose signatures have been checked.
    var seenMembers: RecentSet<CID>
    var seenMessages = RecentSet<CID>(capacity: 16_384)
    /// Who is being dialled at which address.
    var dialled: [String: DID] = [:]
    private var faults: [DID: [PeerFault: Int]] = [:]
    var budget = PeerBudget()
    public internal(set) var scores = PeerScores()
    /// The broken promises of each link that its peer's score counts already.
    private var promisesCounted: [PeerLink: Int] = [:]

    /// At or below this score a peer is not linked with, until its misdeeds have faded.
    static let scoreMin = -30

    /// - Parameters:
    ///   - signer: Signs membership records and suspicions.
    ///   - network: Nodes with another network name do not talk to each other.
    ///   - scope: The scope of the feeds.
    ///   - addresses: Where others reach this node.
    ///   - invite: The invitation by which this node was let in, for those who ask for one; at most
    ///     ``MemberRecord/inviteSizeMax`` bytes.
    ///   - incarnation: The highest that this node may have published.
    ///   - isAnnouncing: Whether the whole mesh is told that this node is there.
    ///   - seed: Decides every random choice.
    ///   - now: The shell's clock.
    ///   - membershipSettings: How members are watched.
    ///   - overlaySettings: The sizes of the views and all waits.
    public init(
        signer: any Signer, network: String, scope: String, addresses: [String], invite: [UInt8]? = nil,
        incarnation: UInt64, isAnnouncing: Bool = true, seed: UInt64, now: Timestamp,
        membershipSettings: MembershipSettings = MembershipSettings(),
        overlaySettings: OverlaySettings = OverlaySettings()
    ) {
        own = signer.did
        self.isAnnouncing = isAnnouncing
        self.network = network
        self.scope = scope
        membership = Membership(
            signer: signer, addresses: addresses, invite: invite, restoredIncarnation: incarnation,
            seed: seed, settings: membershipSettings, now: now)
        overlay = Overlay(own: membership.own, seed: seed, settings: overlaySettings)
        tree = BroadcastTree()
        // Of those that it does not keep it is told again less often.
        seenMembers = RecentSet(capacity: max(256, min(4_096, membershipSettings.capacity)))
    }

    /// Adds a peer that the operator named.
    public mutating func configure(peer address: String, did: DID?, now: Timestamp) {
        overlay.configure(address, did: did, now: now)
    }

    /// Takes the members that this node knew before its restart as candidates for its views.
    public mutating func restore(_ members: [SignedMember]) {
        overlay.restore(members)
    }

    // MARK: Reading

    /// When ``GossipInput/deadlineReached`` must next be delivered.
    public var nextDeadline: Timestamp? {
        var earliest = overlay.nextDeadline
        func consider(_ other: Timestamp?) {
            guard let other else { return }
            earliest = earliest.map { min($0, other) } ?? other
        }
        consider(tree.nextDeadline)
        consider(membership.nextDeadline)
        consider(nextSync)
        consider(fetch.nextDeadline)
        return earliest
    }

    /// Whether there is anyone to ask for our own frontier.
    public var hasPeers: Bool { overlay.knowsAnyone || !links.isEmpty }

    /// The link to a peer, if there is one.
    public func link(to peer: DID) -> PeerLink? { linkOf[peer] }

    public func peer(of link: PeerLink) -> DID? { links[link]?.peer }

    /// The links, in order of their numbers.
    public var linkedPeers: [(link: PeerLink, peer: DID, address: String, outbound: Bool, isNeighbour: Bool)]
    {
        links.sorted { $0.key < $1.key }.map {
            (
                link: $0.key, peer: $0.value.peer, address: $0.value.address, outbound: $0.value.outbound,
                isNeighbour: $0.value.isNeighbour
            )
        }
    }

    /// Whether a message with this CID has come before.
    public func hasSeen(_ message: CID) -> Bool { seenMessages.contains(message) }

    /// Whether the signature of the membership record with this CID was found good a while ago.
    public func hasChecked(_ member: CID) -> Bool { seenMembers.contains(member) }

    /// The peers that are being dialled or will be.
    public var waitingDials: [(address: String, did: DID?, isDialling: Bool)] { overlay.waitingDials }

    /// What each peer did wrong, and how often.
    public func faultCounts(_ peer: DID) -> [PeerFault: Int] { faults[peer] ?? [:] }

    /// The members worth knowing after a restart.
    public var membersToPersist: [SignedMember] { overlay.memorable }

    // MARK: Stepping

    /// Applies one input and returns what must be done, in order.
    ///
    /// - Parameters:
    ///   - input: What happened.
    ///   - now: The shell's clock.
    ///   - graph: Our own feeds, for their marks.
    /// - Returns: What must be done, in order.
    public mutating func step(_ input: GossipInput, now: Timestamp, graph: FeedGraph) -> [GossipEffect] {
        switch input {
        case .linkOpened(let link, let peer, let address, let outbound):
            links[link] = Link(peer: peer, address: address, outbound: outbound)
            linkOf[peer] = link
            dialled[address] = nil
            scores.linkOpened(peer, now: now)
            if isShunned(peer, now) {
                links[link]?.isEnding = true
                return [.close(link, code: "score", text: "this peer has misbehaved too often of late")]
            }
            return [
                .send(
                    link,
                    .hello(
                        network: network, features: [], fingerprint: graph.fingerprint,
                        member: membership.own.envelope))
            ]
        case .linkClosed(let link, let isOrderly): return linkClosed(link, isOrderly: isOrderly, now: now)
        case .dialFailed(let address, let isRefused):
            var effects = perform(overlay.step(.dialFailed(address: address), now: now), now)
            if let did = dialled.removeValue(forKey: address) {
                effects += perform(membership.step(.dialFailed(did, isRefused: isRefused), now: now), now)
            }
            return effects
        case .frame(let link, let frame, let members):
            return receive(frame, members, on: link, now: now, graph: graph)
        case .accepted(let anchor, let id, let author, let hops, let source):
            credit(source, now)
            payloads.insert(.anchor(anchor), for: id, now: now)
            return spread(
                id, of: author, isLarge: anchor.byteCount > Self.pushByteCountMax, hops, source, now)
        case .acceptedMessage(let envelope, _, Self.urgentHops, let source):
            return flood(envelope, except: source)
        case .acceptedMessage(let envelope, let id, let hops, let source):
            credit(source, now)
            payloads.insert(.message(envelope), for: id, now: now)
            return spread(id, of: nil, isLarge: false, hops, source, now)
        case .obtained(let id): return perform(tree.step(.known(id), now: now), now)
        case .repeated(let id, let isLarge, let hops, let source):
            return repeated(id, isLarge: isLarge, hops, source, now)
        case .publish(let envelope, let recipient, let isRecurring):
            if let recipient, let link = link(to: recipient), links[link]?.greeted == true {
                seenMessages.insert(CID(of: envelope, codec: .dagCBOR))
                return [.send(link, .message(envelope: envelope, hops: nil))]
            }
            var effects = broadcast(envelope, now)
            if let recipient, isRecurring { effects += reach(recipient, now) }
            return effects
        case .offer(let envelope, let link):
            seenMessages.insert(CID(of: envelope, codec: .dagCBOR))
            return [.send(link, .message(envelope: envelope, hops: 0))]
        case .member(let member): return take(member, now)
        case .suspicion(let suspicion):
            return perform(membership.step(.suspicion(suspicion), now: now), now)
        case .reach(let did): return reach(did, now)
        case .wants(let wants, let source): return ask(wants, of: source, now: now)
        case .leave: return perform(membership.leave(now: now), now)
        case .fault(let link, let fault, let detail): return punish(link, fault, detail, now: now)
        case .deadlineReached: return deadlineReached(now, graph)
        }
    }

    private mutating func linkClosed(_ link: PeerLink, isOrderly: Bool, now: Timestamp) -> [GossipEffect] {
        guard let closed = links.removeValue(forKey: link) else { return [] }
        if linkOf[closed.peer] == link {
            linkOf[closed.peer] = links.filter { $0.value.peer == closed.peer }.map(\.key).max()
        }
        fetch.remove(link)
        budget.remove(link)
        promisesCounted[link] = nil
        scores.linkClosed(closed.peer, now: now)
        guard closed.greeted else {
            return closed.outbound
                ? perform(overlay.step(.dialFailed(address: closed.address), now: now), now) : []
        }
        return perform(overlay.step(.linkClosed(link), now: now), now)
            + perform(
                membership.step(
                    .linkLost(link, closed.peer, isOrderly: isOrderly || closed.isEnding), now: now), now)
    }

    private mutating func receive(
        _ frame: Frame, _ members: [SignedMember], on link: PeerLink, now: Timestamp, graph: FeedGraph
    ) -> [GossipEffect] {
        guard let index = links.index(forKey: link) else { return [] }
        if case .hello(let network, _, let fingerprint, _) = frame {
            return greet(link, links.values[index].peer, network, fingerprint, members.first, now, graph)
        }
        guard links.values[index].greeted else {
            return punish(link, .malformedFrame, "a frame came before the hello", now: now)
        }
        var effects = perform(membership.step(.heard(link), now: now), now)
        switch frame {
        case .hello: break
        case .frontier(let ranges): effects += compare(ranges, on: link, now: now, graph: graph)
        case .push(let anchor, let hops): effects.append(.deliver(link, [anchor], hops: hops))
        case .have([]): effects += answerEnded(link, now: now, graph: graph)
        case .have(let anchors): effects.append(.deliver(link, anchors, hops: nil))
        case .message(let envelope, let hops):
            effects += message(envelope, hops, on: link, now)
        case .want(let spans):
            effects += used(link, now)
            effects.append(.serve(link, spans))
        case .wantBlocks(let cids):
            effects += used(link, now)
            effects.append(.serveBlocks(link, cids))
        case .block(let cid, let bytes):
            effects += used(link, now)
            effects.append(.deliverBlock(link, cid, bytes))
        case .ping(let token): effects.append(.send(link, .pong(token)))
        case .pong(let token): effects += perform(membership.step(.pong(link, token: token), now: now), now)
        case .bye(let code, let text):
            links[link]?.isEnding = true
            effects.append(.farewell(link, code: code, text: text))
        case .overlay(let kind, let hopsLeft, let origin, _):
            guard let said = OverlayFrame(kind, hopsLeft: hopsLeft, origin: origin, members: members) else {
                return punish(
                    link, .malformedFrame, "an overlay frame lacks the record that it is about", now: now)
            }
            for member in members { effects += take(member, now) }
            effects += perform(overlay.step(.frame(link, said), now: now), now)
        case .members: for member in members { effects += take(member, now) }
        case .announce(let items):
            tree.roundTrip = membership.slowness
            effects += perform(tree.step(.announced(link, items), now: now), now)
        case .graft(let ids): effects += perform(tree.step(.grafted(link, ids), now: now), now)
        case .pull(let ids): effects += perform(tree.step(.pulled(link, ids), now: now), now)
        case .prune: effects += perform(tree.step(.pruned(link), now: now), now)
        case .probe(let target, let token):
            effects += perform(
                membership.step(.probeRequest(link, target: target, token: token), now: now), now)
        case .probed(let token, let isAlive):
            effects += perform(
                membership.step(.probeAnswer(link, token: token, isAlive: isAlive), now: now), now)
        }
        return effects
    }

    private mutating func greet(
        _ link: PeerLink, _ peer: DID, _ network: String, _ fingerprint: Bytes32, _ member: SignedMember?,
        _ now: Timestamp, _ graph: FeedGraph
    ) -> [GossipEffect] {
        guard network == self.network else {
            return punish(
                link, .wrongNetwork,
                "the peer is in network \"\(network)\", this node in \"\(self.network)\"", now: now)
        }
        guard let member, member.record.did == peer, let opened = links[link], !opened.greeted else {
            return punish(
                link, .malformedFrame, "a hello carries the sender's own membership record, once", now: now)
        }
        links[link]?.greeted = true
        if nextSync == nil, !isPlanted(.reconciledOnce) { nextSync = now + Self.syncMilliseconds }
        var effects = take(member, now)
        effects += perform(membership.step(.linked(link, peer), now: now), now)
        if !opened.outbound {
            overlay.recognise(peer, listeningAt: member.record.addresses, from: opened.address)
        }
        effects += perform(
            overlay.step(
                .linkOpened(link, peer: peer, address: opened.address, outbound: opened.outbound), now: now),
            now)
        effects += perform(overlay.step(.learned([member]), now: now), now)
        return effects
            + greeted(fingerprint, on: link, now: now, graph: graph)
    }

    private mutating func message(
        _ envelope: [UInt8], _ hops: UInt8?, on link: PeerLink, _ now: Timestamp
    ) -> [GossipEffect] {
        let id = CID(of: envelope, codec: .dagCBOR)
        if seenMessages.insert(id) { return [.deliverMessage(link, envelope: envelope, hops: hops)] }
        guard let hops, hops != Self.urgentHops else { return [] }
        return repeated(id, isLarge: false, hops, link, now)
    }

    private mutating func repeated(
        _ id: CID, isLarge: Bool, _ hops: UInt8, _ link: PeerLink, _ now: Timestamp
    ) -> [GossipEffect] {
        perform(
            tree.step(
                .received(id, author: nil, hops: hops, isLarge: isLarge, from: link, isNew: false), now: now),
            now)
    }

    private mutating func used(_ link: PeerLink, _ now: Timestamp) -> [GossipEffect] {
        links[link]?.isNeighbour == true ? [] : perform(overlay.step(.used(link), now: now), now)
    }

    /// Whether a peer's misdeeds weigh so much that this node wants no link with it.
    func isShunned(_ peer: DID, _ now: Timestamp) -> Bool { scores.score(peer, now: now) <= Self.scoreMin }

    /// The peers that this node wants no link with.
    public func shunned(_ now: Timestamp) -> [DID] { scores.peers(atMost: Self.scoreMin, now: now) }

    private mutating func credit(_ source: PeerLink?, _ now: Timestamp) {
        if let source, let peer = links[source]?.peer { scores.note(.firstDelivery, peer, now: now) }
    }

    /// Whether a frame is within what its sender may cost; to be asked before it is decoded.
    ///
    /// One that is not is dropped by the owner; what a peer loses by that, reconciliation brings again.
    public mutating func admits(
        _ type: FrameType, byteCount: Int, on link: PeerLink, now: Timestamp
    ) -> PeerBudget.Excess? {
        guard let excess = budget.charge(link, type: type, byteCount: byteCount, now: now) else { return nil }
        if let peer = links[link]?.peer { scores.note(.overBudget, peer, now: now) }
        return excess
    }

    mutating func punish(
        _ link: PeerLink, _ fault: PeerFault, _ detail: String, now: Timestamp
    ) -> [GossipEffect] {
        guard let peer = links[link]?.peer else { return [] }
        let count = faults[peer, default: [:]][fault, default: 0] + 1
        faults[peer, default: [:]][fault] = count
        var effects: [GossipEffect] = [.report(peer, fault, detail: detail, isFirst: count == 1)]
        if fault.isBlameworthy { scores.note(.fault, peer, now: now) }
        if fault.closesLink {
            links[link]?.isEnding = true
            effects.append(.close(link, code: fault.rawValue, text: detail))
        }
        return effects
    }

    /// The blocks to ask for next: where more are missing than one frame names, each has its turn, so
    /// that blocks that nobody has cannot keep the others from being asked for.
    private mutating func nextMissing(_ graph: FeedGraph) -> [CID] {
        let missing = graph.missingBlocks
        let start = missingCursor.flatMap { cursor in missing.firstIndex { cursor < $0 } } ?? 0
        let turn = missing[start...] + missing[..<start]
        let wanted = Array(turn.prefix(Frame.blockCountMax))
        missingCursor = wanted.last
        return wanted
    }

    private mutating func deadlineReached(_ now: Timestamp, _ graph: FeedGraph) -> [GossipEffect] {
        var effects: [GossipEffect] = []
        if overlay.nextDeadline.map({ $0 <= now }) ?? false {
            effects += perform(overlay.step(.deadlineReached, now: now), now)
        }
        if membership.nextDeadline.map({ $0 <= now }) ?? false {
            effects += perform(membership.step(.deadlineReached, now: now), now)
        }
        if tree.nextDeadline.map({ $0 <= now }) ?? false {
            effects += perform(tree.step(.deadlineReached, now: now), now)
        }
        effects += expireRequests(now, graph)
        effects += shun(now)
        guard let due = nextSync, due <= now else { return effects }
        guard let link = nextToSync() else {
            nextSync = nil
            return effects
        }
        nextSync = now + Self.syncMilliseconds
        effects.append(.send(link, comparison(graph)))
        let wanted = nextMissing(graph)
        if !wanted.isEmpty { effects.append(.send(link, .wantBlocks(wanted))) }
        return effects + requestMissing(from: link, now: now, graph: graph)
    }

    /// Counts promises that were broken, and parts with those whose misdeeds weigh too much.
    private mutating func shun(_ now: Timestamp) -> [GossipEffect] {
        guard nextSync.map({ $0 <= now }) ?? false else { return [] }
        var effects: [GossipEffect] = []
        for link in links.keys.sorted() {
            guard let state = links[link], !state.isEnding else { continue }
            let broken = tree.brokenPromises(link)
            if broken > promisesCounted[link] ?? 0 {
                scores.note(
                    .brokenPromise, state.peer, times: broken - (promisesCounted[link] ?? 0), now: now)
            }
            promisesCounted[link] = broken
            if isShunned(state.peer, now) {
                links[link]?.isEnding = true
                effects.append(
                    .close(link, code: "score", text: "this peer has misbehaved too often of late"))
            }
        }
        return effects
    }

    /// The links take turns, neighbours or not: a direct link is as good for comparing as any.
    private mutating func nextToSync() -> PeerLink? {
        var first: PeerLink?
        var next: PeerLink?
        for (link, state) in links where state.greeted && !state.isEnding {
            first = first.map { min($0, link) } ?? link
            if let lastSynced, link > lastSynced { next = next.map { min($0, link) } ?? link }
        }
        lastSynced = next ?? first
        return lastSynced
    }
}
