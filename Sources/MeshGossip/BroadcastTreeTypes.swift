public import IPLD
public import MeshIdentity

/// How patient a ``BroadcastTree`` is and how much it remembers; times are milliseconds.
public struct BroadcastTreeSettings: Sendable {
    /// Items remembered as seen.
    public var seenCountMax = 8192
    /// Items announced to us and not here yet.
    public var missingCountMax = 2048
    /// Announcers remembered for each missing item.
    public var announcerCountMax = 8
    /// Items in one announcement at most; more of a peer's are ignored, more of ours start a new one.
    public var announcementCountMax = 64
    /// How long announcements are gathered.
    public var gatherMilliseconds: Int64 = 15
    /// How long an announced item may take by the tree, before anything was measured and on slow networks.
    public var patienceMilliseconds: Int64 = 1000
    /// The same where a round trip takes no time at all.
    public var patienceMinMilliseconds: Int64 = 40
    /// The most that late items make of it.
    public var patienceMaxMilliseconds: Int64 = 2000
    /// Between asking one announcer and the next.
    public var nextAnnouncerMilliseconds: Int64 = 120
    /// The same for an item pulled because of its size.
    public var nextPullMilliseconds: Int64 = 3000
    /// A peer asked this long ago that has not sent what it announced has broken its promise.
    public var promiseMilliseconds: Int64 = 2000
    /// How often all announcers are asked before the item is left to reconciliation.
    public var roundCountMax = 3
    /// An item that came by more hops than this is worth looking for a shorter way.
    public var hopCountWanted = 4
    /// For how many items in a row, all by one link, another must have been nearer before the one is exchanged
    /// for the other.
    public var shortenAfterCount = 3
    /// Items closer together than this count once: a burst is no evidence, and where many publish in turn
    /// most of them must have been heard.
    public var shortenPaceMilliseconds: Int64 = 1000
    /// How many hops shorter it must be.
    public var shorterHopCount = 1
    /// How many items of the tree make up for one that reconciliation had to bring, and how much of that is too
    /// much.
    public var strayWeight = 4
    public var strayMax = 8
    /// How many first deliveries a link may be ahead of its repetitions.
    public var creditMax = 6

    public init() {}
}

/// One item that a peer has and offers.
public struct BroadcastAnnouncement: Hashable, Sendable {
    public var id: CID
    /// How many links the item has crossed to the announcer.
    public var hops: UInt8
    /// Whether it is never pushed, so that it must be asked for at once.
    public var isLarge: Bool

    public init(id: CID, hops: UInt8, isLarge: Bool = false) {
        self.id = id
        self.hops = hops
        self.isLarge = isLarge
    }
}

/// What happened that a ``BroadcastTree`` must know of.
public enum BroadcastTreeInput: Sendable {
    case neighbourUp(PeerLink)
    case neighbourDown(PeerLink)
    /// A new item of our own.
    case publish(CID, isLarge: Bool)
    /// An item came and was found good; `isNew` says whether its content was unknown until now.
    ///
    /// Items with an author are those of which the same author may publish many.
    case received(CID, author: DID?, hops: UInt8, isLarge: Bool, from: PeerLink, isNew: Bool)
    /// A peer offers items.
    case announced(PeerLink, [BroadcastAnnouncement])
    /// A peer wants to be pushed to, and these items, if any, at once.
    case grafted(PeerLink, [CID])
    /// A peer wants these large items.
    case pulled(PeerLink, [CID])
    /// A peer wants announcements instead of items.
    case pruned(PeerLink)
    /// An item is here by other means, such as reconciliation.
    case known(CID)
    /// The instant in ``BroadcastTree/nextDeadline`` has been reached; early delivery is harmless.
    case deadlineReached
}

/// What must be done for a ``BroadcastTree``.
public enum BroadcastTreeEffect: Hashable, Sendable {
    /// Send the item's content, which the owner has, with this number of hops.
    case push([PeerLink], CID, hops: UInt8)
    case announce(PeerLink, [BroadcastAnnouncement])
    case graft(PeerLink, [CID])
    case pull(PeerLink, [CID])
    case prune(PeerLink)
}
