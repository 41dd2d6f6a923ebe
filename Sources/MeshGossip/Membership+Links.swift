internal import MeshCore
internal import MeshIdentity

extension Membership {
    /// One greeted link.
    struct Link: Sendable {
        let peer: DID
        var isNeighbour = false
        var lastHeard: Timestamp
        /// When its silence is looked at next.
        var nextProbe: Timestamp
        var probe: Probe?
        var lastPing: Ping?
        var roundTrip = RoundTrip()
        /// Whether the peer has been shown a record of its own that it seemed not to know.
        var wasReminded = false
        /// When the peer was last told what is held against it.
        var confrontedAt: Timestamp?

        /// Whether an answer or the next look at its silence is due.
        func isDue(_ now: Timestamp) -> Bool {
            probe.map { $0.deadline <= now } ?? (isNeighbour && nextProbe <= now)
        }
    }

    /// How many times as often as others a link is pinged that is not known yet.
    private static let hasteWhileUnknown: Int64 = 8

    struct Ping: Sendable {
        let token: UInt64
        let sentAt: Timestamp
    }

    /// A ping that nothing has been heard after.
    struct Probe: Sendable {
        let token: UInt64
        var deadline: Timestamp
        /// The helpers that have not answered yet; `nil` while only the peer itself has been asked.
        var helpers: [PeerLink]?
        /// Who asked us to find out, at most ``waiterCountMax``.
        var waiters: [Waiter] = []

        static let waiterCountMax = 8
    }

    struct Waiter: Sendable {
        let link: PeerLink
        let token: UInt64
    }

    /// The smoothed round trip of a link and its variation, as TCP keeps them (RFC 6298).
    struct RoundTrip: Sendable {
        /// In eighths of a millisecond.
        private var smoothed: Int64 = 0
        /// In quarters of a millisecond.
        private var variation: Int64 = 0
        /// The slowest answer of late; it is forgotten by a half in about 22 answers.
        private var peak: Int64 = 0
        private var fastest: Int64 = .max
        /// How slow an answer may be although none has been: few quick ones prove little, and where one had to
        /// be sent again the next may have to be sent again twice.
        private var doubt = Self.doubtMax
        private(set) var sampleCount = 0

        /// What a link may take that nothing is known about.
        static let doubtMax: Int64 = 2_000
        /// The least that TCP waits before it sends a segment again (RFC 6298 as Linux has it).
        static let retransmission: Int64 = 200
        /// After so many answers a link is known.
        static let sampleCountWanted = 12

        var isKnown: Bool { sampleCount >= Self.sampleCountWanted }
        var mean: Int64 { smoothed / 8 }
        /// Within this nearly every answer comes.
        var bound: Int64 { smoothed / 8 + variation }
        /// What an answer must be allowed to take before it means anything.
        var slowest: Int64 { max(peak, doubt) }

        mutating func sample(_ milliseconds: Int64) {
            let sample = max(0, min(60_000, milliseconds))
            peak = max(sample, peak - (peak + 31) / 32)
            fastest = min(fastest, sample)
            doubt = sample - fastest >= Self.retransmission ? Self.doubtMax : doubt - (doubt + 3) / 4
            sampleCount += 1
            guard sampleCount > 1 else {
                smoothed = sample * 8
                variation = sample * 2
                return
            }
            variation += abs(sample - smoothed / 8) - variation / 4
            smoothed += sample - smoothed / 8
        }
    }

    /// How long an answer on `link` may take.
    func timeout(of link: PeerLink) -> Int64 {
        let patience = settings.probeTimeout * Int64(1 + localHealth)
        return min(
            settings.probeTimeoutMax, max(patience, slowness, links[link]?.roundTrip.bound ?? 0))
    }

    /// How long a neighbour may be silent before it is pinged.
    ///
    /// The more neighbours a member has, the more of them would notice: each may wait longer.
    ///
    /// A link that is new is measured before its answers are needed.
    mutating func silence(of link: PeerLink) -> Int64 {
        let neighbours = Int64(clamping: neighbourCount)
        let span =
            max(settings.silence, min(settings.silenceMax, settings.silenceShare * neighbours))
            / (links[link]?.roundTrip.isKnown ?? true ? 1 : Self.hasteWhileUnknown)
        return span + Int64.random(in: -span / 7...span / 7, using: &generator)
    }

    mutating func linked(
        _ link: PeerLink, _ peer: DID, _ effects: inout [MembershipEffect], now: Timestamp
    ) {
        guard peer != own.record.did, links[link] == nil else { return }
        links[link] = Link(peer: peer, lastHeard: now, nextProbe: now)
        linksByPeer[peer, default: []].append(link)
        if table[peer] == nil, insert(peer, nil) {
            effects.append(.changed(peer, .alive, previous: nil))
        }
        table[peer]?.wasLinked = true
        table[peer]?.lostAt = nil
        table[peer]?.dialFailures = 0
        if let tombstone = gone[peer], tombstone.envelope == nil {
            gone[peer] = nil
            effects.append(.changed(peer, .alive, previous: .gone))
        }
        // Only the peer itself can end what is held against it, so it must hear of it.
        if let envelope = cases[peer]?.envelope ?? gone[peer]?.envelope {
            effects.append(.send(link, envelope: envelope))
        }
    }

    mutating func neighbour(_ link: PeerLink, _ peer: DID, isUp: Bool, now: Timestamp) {
        guard links[link]?.peer == peer else { return }
        if links[link]?.isNeighbour != isUp { neighbourCount += isUp ? 1 : -1 }
        links[link]?.isNeighbour = isUp
        let next = now + silence(of: link)
        if isUp { links[link]?.nextProbe = next }
    }

    mutating func linkLost(
        _ link: PeerLink, _ peer: DID, isOrderly: Bool, _ effects: inout [MembershipEffect], now: Timestamp
    ) {
        guard let lost = links.removeValue(forKey: link), lost.peer == peer else { return }
        if lost.isNeighbour { neighbourCount -= 1 }
        for waiter in lost.probe?.waiters ?? [] where links[waiter.link] != nil {
            effects.append(.answerProbe(waiter.link, token: waiter.token, isAlive: false))
        }
        linksByPeer[peer]?.removeAll { $0 == link }
        guard linksByPeer[peer]?.isEmpty ?? true else { return }
        linksByPeer[peer] = nil
        guard !isOrderly, gone[peer] == nil, table[peer] != nil else { return }
        table[peer]?.lostAt = now
        effects.append(.redial(peer))
    }

    mutating func dialFailed(
        _ peer: DID, isRefused: Bool, _ effects: inout [MembershipEffect], now: Timestamp
    ) {
        guard let entry = table[peer], gone[peer] == nil, linksByPeer[peer] == nil else { return }
        // A refusal means a dead process only where one was known to be: addresses grow old.
        if let lostAt = entry.lostAt, now - lostAt <= settings.redialWindow {
            return suspect(peer, isRefused ? .refused : .probe, &effects, now: now)
        }
        table[peer]?.dialFailures += 1
        if entry.dialFailures + 1 >= settings.dialFailureCountMax, cases[peer] == nil {
            remove(peer)
            effects.append(.forgotten(peer))
        }
    }

    mutating func heard(_ link: PeerLink, now: Timestamp) -> [MembershipEffect] {
        guard let index = links.index(forKey: link) else { return [] }
        links.values[index].lastHeard = now
        return links.values[index].probe == nil ? [] : settle(link, now: now)
    }

    mutating func pong(_ link: PeerLink, token: UInt64, now: Timestamp) -> [MembershipEffect] {
        guard let ping = links[link]?.lastPing, ping.token == token else { return [] }
        links[link]?.lastPing = nil
        links[link]?.roundTrip.sample(now - ping.sentAt)
        return heard(link, now: now)
    }

    /// Ends a probe because its peer lives.
    private mutating func settle(_ link: PeerLink, now: Timestamp) -> [MembershipEffect] {
        guard let probe = links[link]?.probe else { return [] }
        let next = now + silence(of: link)
        links[link]?.probe = nil
        links[link]?.nextProbe = next
        // The deadline of the probe that ends here mostly wakes this node in time, and looks up the next.
        if links[link]?.isNeighbour == true { wake = min(wake ?? next, next) }
        recover()
        return confront(link, now: now)
            + probe.waiters.filter { links[$0.link] != nil }
            .map { .answerProbe($0.link, token: $0.token, isAlive: true) }
    }

    /// Tells a peer that speaks, although it is suspected or taken for gone, what that is for.
    ///
    /// Only its own record can end it, and it may have missed the word or we its answer.
    private mutating func confront(_ link: PeerLink, now: Timestamp) -> [MembershipEffect] {
        guard !gone.isEmpty || !cases.isEmpty, let current = links[link],
            let envelope = cases[current.peer]?.envelope ?? gone[current.peer]?.envelope
        else { return [] }
        if let before = current.confrontedAt, now - before < 2 * settings.suspicionMin { return [] }
        links[link]?.confrontedAt = now
        return [.send(link, envelope: envelope)]
    }

    /// Pings unless a ping is under way already.
    mutating func probe(_ link: PeerLink, _ effects: inout [MembershipEffect], now: Timestamp) {
        guard let current = links[link], current.probe == nil else { return }
        // Of 53 bits, which every encoding carries. A ping that is still on its way is asked for again by the
        // same token: its answer tells how long the way was, whatever else came meanwhile.
        let token = current.lastPing?.token ?? generator.next() >> 11
        if current.lastPing == nil { links[link]?.lastPing = Ping(token: token, sentAt: now) }
        let probe = Probe(token: token, deadline: now + timeout(of: link))
        links[link]?.probe = probe
        effects.append(.ping(link, token: token))
    }

    mutating func linkDeadline(_ link: PeerLink, _ effects: inout [MembershipEffect], now: Timestamp) {
        guard let current = links[link] else { return }
        guard let probe = current.probe else {
            guard current.isNeighbour, current.nextProbe <= now else { return }
            let due = current.roundTrip.isKnown ? current.lastHeard + silence(of: link) : now
            guard due > now else { return self.probe(link, &effects, now: now) }
            links[link]?.nextProbe = due
            effects += confront(link, now: now)
            return
        }
        guard probe.deadline <= now else { return }
        // Whoever asked wants what we know ourselves, and not what others tell us.
        dismiss(link, &effects)
        // Where somebody else suspects the peer too, no third opinion is needed.
        if probe.helpers == nil, cases[current.peer] == nil {
            let helpers = self.helpers(for: current.peer)
            if !helpers.isEmpty {
                links[link]?.probe?.helpers = helpers
                // They ask the peer first, and say no when it has let them wait as long.
                let deadline = now + 2 * timeout(of: link)
                links[link]?.probe?.deadline = deadline
                for helper in helpers {
                    effects.append(.requestProbe(helper, target: current.peer, token: probe.token))
                }
                return
            }
        }
        // A helper that says nothing at all casts doubt on ourselves, as does having none.
        if probe.helpers.map({ !$0.isEmpty }) ?? (cases[current.peer] == nil) { worsen(by: 1) }
        fail(link, &effects, now: now)
    }

    /// Whether no link to `peer`, besides one that is known to be silent, has brought anything within one wait.
    private func isSilent(_ peer: DID, besides: PeerLink? = nil, now: Timestamp) -> Bool {
        (linksByPeer[peer] ?? []).allSatisfy { link in
            guard link != besides, let lastHeard = links[link]?.lastHeard else { return true }
            return now - lastHeard >= timeout(of: link)
        }
    }

    private mutating func helpers(for peer: DID) -> [PeerLink] {
        let others = links.filter { $0.value.isNeighbour && $0.value.peer != peer }.keys.sorted()
        return Array(others.shuffled(using: &generator).prefix(settings.helperCount))
    }

    /// Tells those who have asked about a link's peer that nothing has come from it.
    private mutating func dismiss(_ link: PeerLink, _ effects: inout [MembershipEffect]) {
        for waiter in links[link]?.probe?.waiters ?? [] where links[waiter.link] != nil {
            effects.append(.answerProbe(waiter.link, token: waiter.token, isAlive: false))
        }
        links[link]?.probe?.waiters = []
    }

    /// Ends a probe without an answer.
    private mutating func fail(_ link: PeerLink, _ effects: inout [MembershipEffect], now: Timestamp) {
        guard let current = links[link] else { return }
        dismiss(link, &effects)
        links[link]?.probe = nil
        let nextProbe = now + silence(of: link)
        links[link]?.nextProbe = nextProbe
        if isSilent(current.peer, besides: link, now: now) {
            suspect(current.peer, .probe, &effects, now: now)
        }
    }

    mutating func probeRequest(
        _ asker: PeerLink, target: DID, token: UInt64, _ effects: inout [MembershipEffect], now: Timestamp
    ) {
        guard links[asker] != nil else { return }
        let answer = { (isAlive: Bool) in
            MembershipEffect.answerProbe(asker, token: token, isAlive: isAlive)
        }
        guard let link = linksByPeer[target]?.first, let current = links[link] else {
            return effects.append(answer(target == own.record.did))
        }
        guard isSilent(target, now: now) else { return effects.append(answer(true)) }
        probe(link, &effects, now: now)
        guard current.probe?.waiters.count ?? 0 < Probe.waiterCountMax else {
            return effects.append(answer(false))
        }
        links[link]?.probe?.waiters.append(Waiter(link: asker, token: token))
    }

    mutating func probeAnswer(
        _ helper: PeerLink, token: UInt64, isAlive: Bool, _ effects: inout [MembershipEffect], now: Timestamp
    ) {
        // Tokens are drawn at random, and one matches at most.
        guard let link = links.first(where: { $0.value.probe?.token == token })?.key,
            let helpers = links[link]?.probe?.helpers, helpers.contains(helper)
        else { return }
        let open = helpers.filter { $0 != helper }
        links[link]?.probe?.helpers = open
        if isAlive {
            // The peer lives and the link to it is slow: for this node to bear, not for the peer.
            worsen(by: 1)
            dismiss(link, &effects)
            links[link]?.probe = nil
            let nextProbe = now + silence(of: link)
            links[link]?.nextProbe = nextProbe
        } else if open.isEmpty {
            fail(link, &effects, now: now)
        }
    }
}
