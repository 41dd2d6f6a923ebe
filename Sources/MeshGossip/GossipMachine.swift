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

/// What happened that gossip must know of.
public enum GossipInput: Sendable {
    case linkOpened(PeerLink, peer: DID, address: String, outbound: Bool)
    case linkClosed(PeerLink)
    case dialFailed(address: String)
    case frame(PeerLink, Frame)
    /// An anchor was applied and should spread; `from` sent it to us, `nil` when it is our own.
    case applied(WireAnchor, author: DID, from: PeerLink?)
    /// A signed message of our own; it goes straight to `to` where there is a link, else to everyone.
    case publish(envelope: [UInt8], to: DID?)
    /// Applying got stuck for want of this.
    case wants([FeedWant], from: PeerLink?)
    /// Somebody published where they can be reached.
    case addresses(DID, [String])
    /// A peer misbehaved beyond what this machine sees itself.
    case fault(PeerLink, PeerFault, detail: String)
    /// The instant in ``GossipMachine/nextDeadline`` has been reached; early delivery is harmless.
    case deadlineReached
}

/// What must be done for gossip.
public enum GossipEffect: Sendable {
    case send(PeerLink, Frame)
    /// The same frame to several links, to be encoded once.
    case broadcast([PeerLink], Frame)
    case dial(address: String, expecting: DID?)
    case close(PeerLink, code: String, text: String)
    /// Check these and hand them to the feeds.
    case deliver(PeerLink, [WireAnchor])
    /// Check the signature and act on it; it is new to us.
    case deliverMessage(PeerLink, envelope: [UInt8], hops: UInt8)
    /// Send the peer what it wants, as far as we have it, and end with an empty ``Frame/have(_:)``.
    case serve(PeerLink, [FeedSpan])
    case serveBlocks(PeerLink, [CID])
    /// A wanted block came, or the peer does not have it.
    case deliverBlock(PeerLink, CID, [UInt8]?)
    /// A peer has told how far it knows our own feed; `nil` when it knows none of it, or nothing beyond what
    /// we hold.
    case ownFrontier(PeerLink, seq: UInt64?)
    /// A peer did wrong; logged once for each class.
    case report(DID, PeerFault, detail: String, isFirst: Bool)
}

/// What a peer can do wrong.
public enum PeerFault: String, Hashable, Sendable, CaseIterable {
    case malformedFrame = "malformed_frame"
    case badSignature = "bad_signature"
    case notAdmitted = "not_admitted"
    case futureClock = "future_clock"
    case gap
    case fork
    case tooMuchWaiting = "too_much_waiting"
    case wrongNetwork = "wrong_network"
    case staleMessage = "stale_message"

    /// Whether the link is closed for it.
    var closesLink: Bool {
        switch self {
        case .malformedFrame, .badSignature, .wrongNetwork: true
        case .notAdmitted, .futureClock, .gap, .fork, .tooMuchWaiting, .staleMessage: false
        }
    }
}

/// Spreads anchors and messages and keeps replicas equal.
///
/// Eager push to every link with de-duplication, and exact reconciliation of frontiers when a link
/// opens and every ``syncMilliseconds``: fingerprints of ever narrower ranges, marks where they differ, then
/// just the missing anchors, from several peers at once. Anything that push loses, the next
/// reconciliation brings.
///
/// The machine sees frames and marks, never the store: ``GossipEffect/serve(_:_:_:)`` asks its owner
/// to read.
public struct GossipMachine: Sendable {
    /// How often frontiers are compared with each peer.
    public static let syncMilliseconds: Int64 = 1_000
    static let messageHops: UInt8 = 4

    struct Link: Sendable {
        let peer: DID
        let address: String
        let outbound: Bool
        var greeted = false
        var nextSync: Timestamp
    }

    let own: DID
    let network: String
    let scope: String
    var dialer: Dialer
    var links: [PeerLink: Link] = [:]
    var fetch = FetchPlan()
    /// The last missing block that was asked for.
    private var missingCursor: CID?
    var seenMessages = RecentSet<CID>(capacity: 16_384)
    private var faults: [DID: [PeerFault: Int]] = [:]
    private var penalised: Set<PeerLink> = []

    public init(own: DID, network: String, scope: String, seed: UInt64) {
        self.own = own
        self.network = network
        self.scope = scope
        dialer = Dialer(own: own, seed: seed)
    }

    /// Adds a peer that the operator named.
    public mutating func configure(peer address: String, did: DID?, now: Timestamp) {
        dialer.configure(address, did: did, now: now)
    }

    /// Notes where a peer said last that it can be reached.
    public mutating func learn(_ addresses: [String], did: DID, now: Timestamp) {
        dialer.learn(Array(addresses.prefix(4)), did: did, linked: link(to: did) != nil, now: now)
    }

    // MARK: Reading

    /// When ``GossipInput/deadlineReached`` must next be delivered.
    public var nextDeadline: Timestamp? {
        let sync = links.map(\.value.nextSync).min()
        return [dialer.nextDeadline, sync, fetch.nextDeadline].compactMap { $0 }.min()
    }

    /// Whether there is anyone to ask for our own frontier.
    public var hasPeers: Bool { dialer.hasTargets || !links.isEmpty }

    /// The link to a peer, if there is one.
    public func link(to peer: DID) -> PeerLink? {
        links.filter { $0.value.peer == peer }.map(\.key).min()
    }

    public func peer(of link: PeerLink) -> DID? { links[link]?.peer }

    /// The links, in order of their numbers.
    public var linkedPeers: [(link: PeerLink, peer: DID, address: String, outbound: Bool)] {
        links.sorted { $0.key < $1.key }.map {
            (link: $0.key, peer: $0.value.peer, address: $0.value.address, outbound: $0.value.outbound)
        }
    }

    /// Whether a message with this CID has come before.
    public func hasSeen(_ message: CID) -> Bool { seenMessages.contains(message) }

    /// The peers that are being dialled or will be.
    public var waitingDials: [(address: String, did: DID?, isDialling: Bool)] { dialer.waiting }

    /// What each peer did wrong, and how often.
    public func faultCounts(_ peer: DID) -> [PeerFault: Int] { faults[peer] ?? [:] }

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
            links[link] = Link(
                peer: peer, address: address, outbound: outbound, nextSync: now + Self.syncMilliseconds)
            dialer.linkOpened(peer, address: address, outbound: outbound)
            return [.send(link, .hello(network: network, features: [], fingerprint: graph.fingerprint))]
        case .linkClosed(let link):
            guard let closed = links.removeValue(forKey: link) else { return [] }
            fetch.remove(link)
            let penalty = penalised.remove(link) != nil
            if self.link(to: closed.peer) == nil {
                dialer.linkClosed(closed.peer, penalty: penalty, now: now)
            }
            return dials(now)
        case .dialFailed(let address):
            dialer.dialFailed(address, now: now)
            return dials(now)
        case .frame(let link, let frame): return receive(frame, on: link, now: now, graph: graph)
        case .applied(let anchor, let author, let source):
            let frame: Frame =
                anchor.byteCount + 64 <= FrameType.push.byteCountMax ? .push(anchor) : .have([anchor])
            let receivers = links.filter { $0.key != source && $0.value.peer != author }.map(\.key).sorted()
            return receivers.isEmpty ? [] : [.broadcast(receivers, frame)]
        case .publish(let envelope, let recipient):
            seenMessages.insert(CID(of: envelope, codec: .dagCBOR))
            if let recipient, let link = link(to: recipient) {
                return [.send(link, .message(envelope: envelope, hops: 0))]
            }
            return [.broadcast(links.keys.sorted(), .message(envelope: envelope, hops: Self.messageHops))]
        case .wants(let wants, let source): return ask(wants, of: source, now: now)
        case .addresses(let did, let addresses):
            learn(addresses, did: did, now: now)
            return dials(now)
        case .fault(let link, let fault, let detail): return punish(link, fault, detail)
        case .deadlineReached: return deadlineReached(now, graph)
        }
    }

    private mutating func receive(
        _ frame: Frame, on link: PeerLink, now: Timestamp, graph: FeedGraph
    ) -> [GossipEffect] {
        guard links[link] != nil else { return [] }
        switch frame {
        case .hello(let network, _, let fingerprint):
            guard network == self.network else {
                return punish(
                    link, .wrongNetwork,
                    "the peer is in network \"\(network)\", this node in \"\(self.network)\"")
            }
            links[link]?.greeted = true
            return self.greeted(fingerprint, on: link, now: now, graph: graph)
        case _ where links[link]?.greeted != true:
            return punish(link, .malformedFrame, "a frame came before the hello")
        case .frontier(let ranges): return compare(ranges, on: link, now: now, graph: graph)
        case .push(let anchor): return [.deliver(link, [anchor])]
        case .have([]): return answerEnded(link, now: now, graph: graph)
        case .have(let anchors): return [.deliver(link, anchors)]
        case .message(let envelope, let hops):
            guard seenMessages.insert(CID(of: envelope, codec: .dagCBOR)) else { return [] }
            return [.deliverMessage(link, envelope: envelope, hops: hops)]
        case .want(let spans): return [.serve(link, spans)]
        case .wantBlocks(let cids): return [.serveBlocks(link, cids)]
        case .block(let cid, let bytes): return [.deliverBlock(link, cid, bytes)]
        case .ping(let token): return [.send(link, .pong(token))]
        case .pong, .bye: return []
        }
    }

    /// Sends a message on to everyone but the peer it came from; called once its signature is known good.
    public func forward(_ envelope: [UInt8], hops: UInt8, from source: PeerLink) -> [GossipEffect] {
        guard hops > 0 else { return [] }
        let receivers = links.keys.sorted().filter { $0 != source }
        return receivers.isEmpty ? [] : [.broadcast(receivers, .message(envelope: envelope, hops: hops - 1))]
    }

    mutating func punish(_ link: PeerLink, _ fault: PeerFault, _ detail: String) -> [GossipEffect] {
        guard let peer = links[link]?.peer else { return [] }
        let count = faults[peer, default: [:]][fault, default: 0] + 1
        faults[peer, default: [:]][fault] = count
        var effects: [GossipEffect] = [.report(peer, fault, detail: detail, isFirst: count == 1)]
        if fault.closesLink {
            penalised.insert(link)
            effects.append(.close(link, code: fault.rawValue, text: detail))
        }
        return effects
    }

    private mutating func dials(_ now: Timestamp) -> [GossipEffect] {
        dialer.due(now: now).filter { target in target.did.map { link(to: $0) == nil } ?? true }
            .map { .dial(address: $0.address, expecting: $0.did) }
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
        var effects = dials(now)
        effects += expireRequests(now, graph)
        let comparison = comparison(graph)
        for link in links.keys.sorted() {
            guard let due = links[link]?.nextSync, due <= now else { continue }
            links[link]?.nextSync = now + Self.syncMilliseconds
            guard links[link]?.greeted == true else { continue }
            effects.append(.send(link, comparison))
            let wanted = nextMissing(graph)
            if !wanted.isEmpty { effects.append(.send(link, .wantBlocks(wanted))) }
            effects += requestMissing(from: link, now: now, graph: graph)
        }
        return effects
    }
}
