public import MeshCore
public import MeshIdentity

/// What a node thinks of a member.
public enum MemberState: String, Hashable, Sendable, CaseIterable {
    case alive
    /// Somebody has no answer from it; it still counts as a member.
    case suspect
    case gone
}

/// What happened that membership must know of.
public enum MembershipInput: Sendable {
    /// A link has been greeted, whatever it is for.
    case linked(PeerLink, DID)
    case neighbourUp(PeerLink, DID)
    case neighbourDown(PeerLink, DID)
    /// Orderly: we closed it, or the peer said goodbye.
    case linkLost(PeerLink, DID, isOrderly: Bool)
    /// None of a member's addresses could be reached; refused: something answered that nobody listens there.
    case dialFailed(DID, isRefused: Bool)
    /// Any frame came.
    case heard(PeerLink)
    case pong(PeerLink, token: UInt64)
    /// A neighbour asks whether we reach `target`.
    case probeRequest(PeerLink, target: DID, token: UInt64)
    /// Not alive: the helper has no link to the target, or no answer from it.
    case probeAnswer(PeerLink, token: UInt64, isAlive: Bool)
    case member(SignedMember)
    case suspicion(SignedSuspicion)
    /// The instant in ``Membership/nextDeadline`` has been reached; early delivery is harmless.
    case deadlineReached
}

/// What must be done for membership.
public enum MembershipEffect: Hashable, Sendable {
    case ping(PeerLink, token: UInt64)
    case requestProbe(PeerLink, target: DID, token: UInt64)
    case answerProbe(PeerLink, token: UInt64, isAlive: Bool)
    /// Dial the member at once, and say how it went.
    case redial(DID)
    /// A record or a suspicion of our own, for every member.
    case broadcast(envelope: [UInt8])
    /// A suspicion or a record for its subject, which is at the other end of this link.
    case send(PeerLink, envelope: [UInt8])
    /// `previous` is `nil` for a member that is new.
    case changed(DID, MemberState, previous: MemberState?)
    /// A newer record of the member is held: its addresses may have changed.
    case learned(DID)
    /// The member is no longer in the table, without anything being known against it.
    case forgotten(DID)
}

/// Who is a member and who of them is alive, as far as this node can tell: SWIM with Lifeguard over TCP.
///
/// A neighbour that has been silent for a while is pinged. Where no answer comes in time, other neighbours
/// are asked; where these have none either, a signed suspicion goes to everyone. Its subject hears of it by
/// other ways and refutes it with a record of higher incarnation; if it does not, it is gone. Each member
/// decides for itself, from the suspicions that it has seen and from its own links: nobody whom this node
/// hears is gone.
///
/// A process that dies leaves harder evidence, because its links break and its address refuses. Two
/// witnesses of that are enough after a moment's grace.
///
/// All that a peer can fill is bounded by ``MembershipSettings``. `heard` costs one look-up, and `pong` no more;
/// other inputs walk this node's links and the suspicions that are open.
public struct Membership: Sendable {
    let signer: any Signer
    let settings: MembershipSettings
    var generator: SeededGenerator

    /// This node's own record, as it stands now.
    public internal(set) var own: SignedMember
    /// How badly this node itself seems to run: 0 is well, and all waits are 1 + this times as long.
    public internal(set) var localHealth = 0
    /// The middle one of the neighbours' slowest answers of late, in milliseconds: high where the network is
    /// slow, and low where a single peer is.
    var slowness = RoundTrip.doubtMax
    var hasLeft = false
    var refutations: Int
    var refutationsCountedAt: Timestamp
    var lastRefutation: Timestamp?
    /// When a refutation that could not be sent at once is due.
    var refutationDue: Timestamp?

    var table: [DID: Entry] = [:]
    /// The keys of ``table``, for drawing one at random.
    var drawing: [DID] = []
    var gone: [DID: Tombstone] = [:]
    var goneCount: UInt64 = 0
    /// When the next member that is gone is looked for; `nil` while there is none to look for.
    var searchAt: Timestamp?
    /// The ``Tombstone/order`` of the one that was looked for last.
    var searchedOrder: UInt64 = 0
    var cases: [DID: Case] = [:]
    var reputations: [DID: Reputation] = [:]

    var links: [PeerLink: Link] = [:]
    /// How many of the links are neighbours'.
    var neighbourCount = 0
    /// In the order in which they were linked.
    var linksByPeer: [DID: [PeerLink]] = [:]
    var wake: Timestamp?

    /// A membership that knows only this node.
    ///
    /// `incarnation` is the highest one that this node may have published, from ``incarnationToPersist``.
    public init(
        signer: any Signer, addresses: [String], invite: [UInt8]? = nil,
        restoredIncarnation incarnation: UInt64,
        seed: UInt64, settings: MembershipSettings = MembershipSettings(), now: Timestamp
    ) {
        self.signer = signer
        self.settings = settings
        generator = SeededGenerator(seed: seed)
        refutations = settings.refutationBurst
        refutationsCountedAt = now
        own = Self.signed(
            addresses: addresses, invite: invite, after: incarnation, by: signer, now: now)
    }

    /// When ``step(_:now:)`` wants `deadlineReached`; never later than anything falls due.
    public var nextDeadline: Timestamp? { wake }

    /// The own incarnation to restore with the next start: durable before effects leave, or the
    /// first peer that remembers a higher one brings it back.
    public var incarnationToPersist: UInt64 { own.record.incarnation }

    /// What is held of a member; `nil` for one that is unknown, and for this node itself.
    public func state(of did: DID) -> MemberState? {
        guard table[did] != nil else { return nil }
        return gone[did] != nil ? .gone : cases[did] != nil ? .suspect : .alive
    }

    /// The newest record of a member, gone or not.
    public func record(of did: DID) -> SignedMember? { table[did]?.member }

    /// All other members that are known, gone ones included, in the order of their names.
    public var members: [DID] { table.keys.sorted() }

    /// Up to `count` members that are not gone, the same for the same table: where there are more, a window
    /// that begins at this node's own place among them, so that different nodes tell of different ones.
    public func sample(of count: Int) -> [DID] {
        let alive = members.filter { gone[$0] == nil }
        guard alive.count > count else { return alive }
        let start = alive.firstIndex { own.record.did < $0 } ?? 0
        return (0..<count).map { alive[(start + $0) % alive.count] }
    }

    /// How many other members are not gone.
    public var aliveCount: Int { table.count - gone.count }

    /// Takes one event and says what to do about it.
    public mutating func step(_ input: MembershipInput, now: Timestamp) -> [MembershipEffect] {
        guard !hasLeft else { return [] }
        if let wake, now - wake > settings.stall { excuseStall(now: now) }
        switch input {
        case .heard(let link): return heard(link, now: now)
        case .pong(let link, let token): return pong(link, token: token, now: now)
        default: break
        }
        var effects: [MembershipEffect] = []
        switch input {
        case .heard, .pong: break
        case .linked(let link, let peer): linked(link, peer, &effects, now: now)
        case .neighbourUp(let link, let peer): neighbour(link, peer, isUp: true, now: now)
        case .neighbourDown(let link, let peer): neighbour(link, peer, isUp: false, now: now)
        case .linkLost(let link, let peer, let isOrderly):
            linkLost(link, peer, isOrderly: isOrderly, &effects, now: now)
        case .dialFailed(let peer, let isRefused):
            dialFailed(peer, isRefused: isRefused, &effects, now: now)
        case .probeRequest(let link, let target, let token):
            probeRequest(link, target: target, token: token, &effects, now: now)
        case .probeAnswer(let link, let token, let isAlive):
            probeAnswer(link, token: token, isAlive: isAlive, &effects, now: now)
        case .member(let member): take(member, &effects, now: now)
        case .suspicion(let suspicion): take(suspicion, &effects, now: now)
        case .deadlineReached:
            guard let wake, wake <= now else { return [] }
            deadlineReached(&effects, now: now)
        }
        reschedule()
        return effects
    }

    private mutating func deadlineReached(_ effects: inout [MembershipEffect], now: Timestamp) {
        // What one deadline leads to makes no other link due.
        var due: [PeerLink] = []
        for (link, state) in links where state.isDue(now) { due.append(link) }
        due.sort()
        for link in due { linkDeadline(link, &effects, now: now) }
        for subject in cases.keys.sorted() {
            if let due = cases[subject]?.deadline, due <= now { caseDeadline(subject, &effects, now: now) }
        }
        if let due = refutationDue, due <= now { refute(&effects, now: now) }
        if let due = searchAt, due <= now { search(&effects, now: now) }
    }

    /// Looks up anew when the next thing falls due.
    private mutating func reschedule() {
        var next = Timestamp(milliseconds: .max)
        var peaks: [Int64] = []
        // The least and the middle of them are the same in any order.
        for (_, link) in links {
            if link.isNeighbour { peaks.append(link.roundTrip.slowest) }
            if let probe = link.probe {
                next = min(next, probe.deadline)
            } else if link.isNeighbour {
                next = min(next, link.nextProbe)
            }
        }
        // Looking at links may wait for company, so that one step serves several; judging members may not.
        if next.milliseconds < .max - settings.grid {
            let late = next.milliseconds % settings.grid
            if late > 0 { next = next + (settings.grid - late) }
        }
        next = min(next, refutationDue ?? next)
        for (_, suspicion) in cases { next = min(next, suspicion.deadline) }
        if let searchAt { next = min(next, searchAt) }
        wake = next.milliseconds == .max ? nil : next
        peaks.sort()
        slowness = peaks.isEmpty ? RoundTrip.doubtMax : peaks[peaks.count / 2]
    }

    /// A deadline that comes much too late says that this node was not running.
    ///
    /// What others sent meanwhile
    /// may be waiting unread, so nobody is judged by the time that has passed.
    private mutating func excuseStall(now: Timestamp) {
        worsen(by: 1)
        for link in links.keys.sorted() {
            if let probe = links[link]?.probe {
                let deadline = max(probe.deadline, now + timeout(of: link))
                links[link]?.probe?.deadline = deadline
            }
        }
        for subject in cases.keys.sorted() {
            if let suspicion = cases[subject] {
                let deadline = max(suspicion.deadline, now + suspicionMin)
                cases[subject]?.deadline = deadline
            }
        }
        reschedule()
        // What is due is due from now on; it must not count as late a second time.
        if let earliest = wake, earliest < now { wake = now }
    }

    /// Counts something against this node's own health.
    mutating func worsen(by count: Int) { localHealth = min(settings.healthMax, localHealth + count) }

    mutating func recover() { localHealth = max(0, localHealth - 1) }
}
