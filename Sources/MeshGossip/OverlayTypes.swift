internal import MeshCore
public import MeshIdentity

/// How large the views of an ``Overlay`` are and how patient it is; times are milliseconds.
public struct OverlaySettings: Sendable {
    /// Neighbours at most.
    public var activeCountMax = 10
    /// Below this many neighbours a node of a large mesh looks for more; between the two it only accepts.
    public var activeCountWanted = 8
    /// Known members that are no neighbours, at most.
    public var passiveCountMax = 40
    /// Hops that the news of a newcomer walks before somebody must take it.
    public var activeWalkLength: UInt8 = 6
    /// Hops left at which a newcomer's record is kept on its way.
    public var passiveWalkLength: UInt8 = 3
    /// Between two exchanges of known members, give or take a quarter.
    public var shuffleMilliseconds: Int64 = 60_000
    public var shuffleActiveCount = 3
    public var shufflePassiveCount = 4
    /// Places among the neighbours that only members whom this node asked can fill.
    public var outboundCountMin = 2
    /// How many neighbours, the youngest, somebody in need may push out.
    public var evictableCount = 3
    /// How long a question for neighbourhood may stay without an answer.
    public var neighbourTimeoutMilliseconds: Int64 = 5000
    /// How long a dial may stay without a result.
    public var dialTimeoutMilliseconds: Int64 = 20_000
    /// Neighbours of one public IPv4 /16 or IPv6 /32.
    public var activePrefixCountMax = 4
    /// Known members of one public IPv4 /16 or IPv6 /32.
    public var passivePrefixCountMax = 16
    /// How long a link that is no neighbour's stays open unused.
    public var directIdleMilliseconds: Int64 = 30_000
    /// Links that are no neighbours'; beyond this the one idle longest is closed.
    public var directCountMax = 64
    /// The first wait after a failure; it doubles with each.
    public var delayFirstMilliseconds: Int64 = 200
    /// The longest wait after failures.
    public var delayMaxMilliseconds: Int64 = 30_000

    public init() {}
}

/// What overlays say to each other; no frame names more than ``memberCountMax`` members in a list.
public enum OverlayFrame: Hashable, Sendable {
    /// Members in one list at most; what exceeds it is ignored.
    public static let memberCountMax = 16

    /// The sender is new, or lost everyone: take it and tell others of it.
    case join(SignedMember)
    /// Somebody joined; whoever holds this when `ttl` is 0 becomes its neighbour.
    case forwardJoin(SignedMember, ttl: UInt8)
    /// The sender asks to be a neighbour; urgently when it has none.
    case neighbour(SignedMember, isUrgent: Bool)
    /// The asker is a neighbour from now on; with the answerer's record and some others it knows.
    case accepted(SignedMember, [SignedMember])
    /// There is no place; with some others to ask.
    case refused([SignedMember])
    /// Members that `origin` knows, on a walk of `ttl` more hops to somebody who swaps them for others.
    case shuffle(origin: SignedMember, ttl: UInt8, [SignedMember])
    /// The answer to a shuffle, passed back the way it came.
    case shuffleReply(origin: DID, [SignedMember])
    /// The receiver is a neighbour no longer; the link stays for a while.
    case disconnect
}

/// What happened that an ``Overlay`` must know of.
public enum OverlayInput: Sendable {
    /// A link has finished its hello. `address` is what was dialled, or where an inbound one comes from.
    case linkOpened(PeerLink, peer: DID, address: String, outbound: Bool)
    /// A link is closed for whatever reason; one that this overlay closed itself need not be told.
    case linkClosed(PeerLink)
    case dialFailed(address: String)
    case frame(PeerLink, OverlayFrame)
    /// Records that came some other way.
    case learned([SignedMember])
    /// The failure detector holds this member for dead.
    case gone(DID)
    /// Somebody needs a link to this member; the addresses are tried where there is no record of it here.
    case reach(DID, addresses: [String])
    /// A link carries traffic of its own, so it is not idle.
    case used(PeerLink)
    /// The instant in ``Overlay/nextDeadline`` has been reached; early delivery is harmless.
    case deadlineReached
}

/// What must be done for an ``Overlay``.
public enum OverlayEffect: Hashable, Sendable {
    case send(PeerLink, OverlayFrame)
    case dial(address: String, expecting: DID?)
    /// Close the link; the overlay has forgotten it already.
    case close(PeerLink, reason: String)
    /// The link's peer is a neighbour from now on.
    case neighbourUp(PeerLink, DID)
    /// The link's peer is a neighbour no longer, whether the link still stands or not.
    case neighbourDown(PeerLink, DID)
}
