internal import MeshCore
internal import MeshIdentity

/// One link of an ``Overlay`` and what it is to it.
struct OverlayLink: Sendable {
    enum Phase: Hashable, Sendable {
        case direct
        /// We asked for neighbourhood and wait for the answer.
        case asked(until: Timestamp)
        case neighbour
    }

    let link: PeerLink
    let did: DID
    let prefix: OverlayPrefix?
    let isOutbound: Bool
    var phase = Phase.direct
    var member: SignedMember?
    var usedAt: Timestamp
    /// Since when it is a neighbour.
    var since: Timestamp
    /// Whether we asked for it, rather than the peer.
    var isChosen = false
    var budget = OverlayBudget(capacity: 256, perSecond: 32)

    var isNeighbour: Bool { phase == .neighbour }
    var isAsked: Bool { if case .asked = phase { true } else { false } }
}

/// How many frames of a kind are heeded: a burst, and then so many a second.
struct OverlayBudget: Sendable {
    private var left: Int64
    private var filledAt: Timestamp?
    private let capacity: Int64
    private let perSecond: Int64

    init(capacity: Int64, perSecond: Int64) {
        left = capacity * 1000
        self.capacity = capacity * 1000
        self.perSecond = perSecond
    }

    mutating func take(now: Timestamp) -> Bool {
        // An hour fills every bucket; more would only invite overflow.
        let elapsed = min(3_600_000, max(0, filledAt.map { now - $0 } ?? 0))
        filledAt = now
        left = min(capacity, left + elapsed * perSecond)
        guard left >= 1000 else { return false }
        left -= 1000
        return true
    }
}

/// A peer that the operator named.
struct OverlaySeed: Sendable {
    let address: String
    /// Who must answer there, if the operator said so.
    let expected: DID?
    /// Who answered there last.
    var known: DID?
    var isOwn = false
    var isDialling = false
    /// Whether `due` was put off because we have neighbours enough.
    var isRare = false
    var failures = 0
    /// `nil` while it is a neighbour or being dialled.
    var due: Timestamp?
}

/// A dial under way.
struct OverlayAttempt: Sendable {
    enum Purpose: Sendable {
        case seed, promote, take, reach
    }

    let address: String
    let did: DID?
    let purpose: Purpose
    /// What to try next.
    let rest: [String]
    let until: Timestamp
}

/// Where the answer to somebody's shuffle goes back to.
struct OverlayRoute: Sendable {
    let origin: DID
    let link: PeerLink
}
