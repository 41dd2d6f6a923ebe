public import MeshCore
public import MeshIdentity

/// Chooses whom a node is linked with: a small active view of neighbours and a larger passive one of
/// members to fall back on (HyParView, Leitão and others 2007), over links that the transport opens.
///
/// Neighbourhood is mutual: one side asks, the other accepts, and both keep the link. A mesh of no more
/// nodes than the active view has places becomes complete. Peers that the operator named are tried for
/// ever, rarely once there are neighbours enough. Hearsay fills neither the places reserved for members
/// whom this node asked itself nor those of the members that answered before.
public struct Overlay: Sendable {
    let settings: OverlaySettings
    var own: SignedMember
    var generator: SeededGenerator
    /// Sorted by link.
    var links: [OverlayLink] = []
    var passive: OverlayPassive
    /// Sorted by address.
    var seeds: [OverlaySeed] = []
    var attempts: [OverlayAttempt] = []
    /// The last shuffles passed on, oldest first.
    var routes: [OverlayRoute] = []
    var effects: [OverlayEffect] = []
    var shuffleAt: Timestamp?
    /// Whether an answer to our own shuffle may still come.
    var awaitsShuffle = false
    /// Refusals since somebody accepted.
    var refusals = 0
    var promotionAt = Timestamp(milliseconds: 0)
    var joins = OverlayBudget(capacity: 128, perSecond: 32)
    /// How many members there are as far as the owner can tell; it only makes a large mesh ask its seeds less.
    public var meshSize = 0

    /// - Parameters:
    ///   - own: The node's own record, which it shows to those it asks.
    ///   - seed: Decides every random choice.
    ///   - settings: The sizes of the views and all waits.
    public init(own: SignedMember, seed: UInt64, settings: OverlaySettings = OverlaySettings()) {
        self.own = own
        self.settings = settings
        generator = SeededGenerator(seed: seed)
        passive = OverlayPassive(
            countMax: settings.passiveCountMax, prefixCountMax: settings.passivePrefixCountMax)
    }

    /// Replaces the node's own record by a newer one.
    public mutating func setOwn(_ record: SignedMember) {
        precondition(record.record.did == own.record.did, "the overlay belongs to one node")
        own = record
    }

    /// Adds a peer that the operator named; it is dialled at the next step.
    public mutating func configure(_ address: String, did: DID?, now: Timestamp) {
        guard did != own.record.did, !own.record.addresses.contains(address) else { return }
        let index = seeds.firstIndex { $0.address >= address } ?? seeds.endIndex
        guard index == seeds.endIndex || seeds[index].address != address else { return }
        seeds.insert(OverlaySeed(address: address, expected: did, known: did, due: now), at: index)
        nextDeadline = earliestDeadline
    }

    /// Notes that a linked peer is one that the operator named: it says that it listens there, and it comes
    /// from that very host, so that nobody else can keep us from dialling the one that was meant.
    public mutating func recognise(_ peer: DID, listeningAt addresses: [String], from address: String) {
        func host(_ address: String) -> Substring {
            address[..<(address.lastIndex(of: ":") ?? address.endIndex)]
        }
        for index in seeds.indices
        where seeds[index].known == nil && (seeds[index].expected.map { $0 == peer } ?? true)
            && addresses.contains(seeds[index].address) && host(seeds[index].address) == host(address)
        {
            _ = takeAttempt(seeds[index].address)
            seeds[index].known = peer
            seeds[index].isDialling = false
            seeds[index].failures = 0
            seeds[index].due = nil
        }
        nextDeadline = earliestDeadline
    }

    /// Takes back the members of ``memorable``, as they were kept on disk.
    public mutating func restore(_ members: [SignedMember]) {
        for member in members.prefix(settings.passiveCountMax) where member.record.did != own.record.did {
            passive.add(
                member, isTried: true, notBefore: Timestamp(milliseconds: 0), using: &generator)
        }
        nextDeadline = earliestDeadline
    }

    /// Takes in what happened and says what is to be done about it, in that order.
    public mutating func step(_ input: OverlayInput, now: Timestamp) -> [OverlayEffect] {
        switch input {
        case .used(let link):
            // The deadline that this puts off comes early, which is harmless.
            if let index = index(link) { links[index].usedAt = now }
            return []
        case .linkOpened(let link, let peer, let address, let outbound):
            linkOpened(link, peer: peer, address: address, outbound: outbound, now: now)
        case .linkClosed(let link):
            if let index = index(link) { forget(at: index, now: now) }
        case .dialFailed(let address):
            dialFailed(address, now: now)
        case .frame(let link, let frame):
            receive(frame, from: link, now: now)
        case .learned(let members):
            for member in members { learn(member, now: now) }
        case .gone(let did):
            passive.remove(did)
            for index in links.indices.reversed() where links[index].did == did {
                close(at: index, reason: "the member is gone", now: now)
            }
            passive.remove(did)
        case .reach(let did, let addresses):
            reach(did, addresses: addresses, now: now)
        case .deadlineReached:
            break
        }
        maintain(now: now)
        nextDeadline = earliestDeadline
        let result = effects
        effects = []
        return result
    }

    // MARK: What there is

    /// The active view, by link.
    public var neighbours: [(link: PeerLink, did: DID)] {
        links.filter(\.isNeighbour).map { (link: $0.link, did: $0.did) }
    }

    /// The passive view, by DID.
    public var passiveMembers: [SignedMember] {
        passive.candidates.map(\.member).sorted { $0.record.did < $1.record.did }
    }

    /// The members worth keeping on disk for ``restore(_:)``: neighbours first.
    public var memorable: [SignedMember] {
        let near = links.filter { $0.isNeighbour && $0.member?.record.addresses.isEmpty == false }
            .compactMap(\.member)
        let tried = passive.candidates.filter(\.isTried).map(\.member)
        let heard = passive.candidates.filter { !$0.isTried }.map(\.member)
        return Array((near + tried + heard).prefix(settings.passiveCountMax))
    }

    /// The named peers without a link and the dials under way, by address; to be shown.
    public var waitingDials: [(address: String, did: DID?, isDialling: Bool)] {
        let named = seeds.filter { !$0.isOwn && !isLinked(seed: $0) }
            .map { (address: $0.address, did: $0.expected ?? $0.known, isDialling: $0.isDialling) }
        let others = attempts.filter { attempt in !seeds.contains { $0.address == attempt.address } }
            .map { (address: $0.address, did: $0.did, isDialling: true) }
        return (named + others).sorted { $0.address < $1.address }
    }

    /// Whether there is anyone to be linked with.
    public var knowsAnyone: Bool { !links.isEmpty || passive.count > 0 || seeds.contains { !$0.isOwn } }

    /// When ``OverlayInput/deadlineReached`` is wanted next.
    public private(set) var nextDeadline: Timestamp?

    private var earliestDeadline: Timestamp? {
        var earliest: Timestamp?
        func consider(_ instant: Timestamp?) {
            guard let instant else { return }
            earliest = min(earliest ?? instant, instant)
        }
        for entry in links {
            switch entry.phase {
            case .direct: consider(entry.usedAt + settings.directIdleMilliseconds)
            case .asked(let until): consider(until)
            case .neighbour: break
            }
        }
        for seed in seeds { consider(seed.due) }
        for attempt in attempts { consider(attempt.until) }
        if placesOpen > 0, let ready = passive.readyAt { consider(max(ready, promotionAt)) }
        consider(shuffleAt)
        return earliest
    }

    // MARK: Looking up

    func index(_ link: PeerLink) -> Int? {
        var low = 0
        var high = links.count
        while low < high {
            let middle = (low + high) / 2
            if links[middle].link < link { low = middle + 1 } else { high = middle }
        }
        return low < links.count && links[low].link == link ? low : nil
    }

    /// The link to use for `did`: a neighbour's before one that waits for an answer before the newest.
    func index(to did: DID) -> Int? {
        var best: Int?
        for index in links.indices where links[index].did == did {
            guard let held = best else {
                best = index
                continue
            }
            if links[held].isNeighbour || (links[held].isAsked && !links[index].isNeighbour) { continue }
            best = index
        }
        return best
    }

    func isNeighbour(_ did: DID) -> Bool {
        links.contains { $0.did == did && $0.isNeighbour }
    }

    func isLinked(seed: OverlaySeed) -> Bool {
        seed.known.map { known in links.contains { $0.did == known } } ?? false
    }

    func isConfigured(_ did: DID) -> Bool {
        seeds.contains { $0.known == did || $0.expected == did }
    }

    var neighbourCount: Int { links.reduce(0) { $0 + ($1.isNeighbour ? 1 : 0) } }

    /// Whether the mesh may have fewer members than we have places, as far as we know.
    private var isSmall: Bool { neighbourCount + passive.count <= 2 * settings.activeCountMax }

    /// Whether there are neighbours enough, so that nobody need be sought.
    var isContent: Bool {
        neighbourCount >= (isSmall ? settings.activeCountMax : settings.activeCountWanted)
    }

    /// How many members may be asked now besides those already asked.
    var placesOpen: Int {
        let pending =
            links.reduce(0) { $0 + ($1.isAsked ? 1 : 0) }
            + attempts.reduce(0) { $0 + ($1.purpose == .promote || $1.purpose == .take ? 1 : 0) }
        return (isSmall ? settings.activeCountMax : settings.activeCountWanted) - neighbourCount - pending
    }

    /// `delay` doubled `failures` times up to the longest, less up to a half by chance.
    mutating func jittered(_ delay: Int64, failures: Int) -> Int64 {
        let whole = min(settings.delayMaxMilliseconds, delay << Int64(min(failures, 12)))
        return whole - Int64.random(in: 0...whole / 2, using: &generator)
    }
}
