public import IPLD
public import MeshCore

/// What followed from handing something to a ``FeedGraph``.
public struct FeedOutcome: Sendable {
    /// Newly applied anchors in the order of application; fold them in this order.
    public var applied: [AppliedAnchor] = []
    /// Feeds that were frozen, or frozen lower: undo what they contributed from there on.
    public var freezes: [Freeze] = []
    /// What would help whoever sent this to get further.
    public var wants: [FeedWant] = []
    /// Anchors that waited, or were about to, and are kept no longer: they are news if they come again.
    public var dropped: [CID] = []
    /// Why what was handed in was not taken; the anchors in ``applied`` are unaffected.
    public var refusal: FeedError?
    /// Whether we had it already.
    public var isRepetition = false

    public init() {}

    /// Takes over what another call gave.
    public mutating func merge(_ other: FeedOutcome) {
        applied.append(contentsOf: other.applied)
        freezes.append(contentsOf: other.freezes)
        wants.append(contentsOf: other.wants)
        dropped.append(contentsOf: other.dropped)
        refusal = refusal ?? other.refusal
    }
}

/// An anchor that has been linked into its feed.
public struct AppliedAnchor: Sendable {
    public let received: ReceivedAnchor
    /// Whether its entries count; they do not from a freeze point on.
    public let counts: Bool

    /// Where the entry at `index` stands.
    public func position(_ index: Int) -> EntryPosition { received.position(index) }
}

/// Two envelopes of one author at one `seq`: the proof of a fork.
public struct Equivocation: Hashable, Sendable {
    public let feed: FeedID
    public let seq: UInt64
    /// The smaller CID of the two.
    public let first: CID
    public let second: CID
}

/// A feed's freeze point, newly set or lowered.
public struct Freeze: Hashable, Sendable {
    public let proof: Equivocation
    /// The freeze point before; entries from there on counted no longer already.
    public let previous: UInt64?
}

/// What is missing, and could be asked for.
public enum FeedWant: Hashable, Sendable {
    case anchors(FeedID, ClosedRange<UInt64>)
    case blocks([CID])
}
