internal import MeshCore
internal import MeshIdentity

extension Overlay {
    mutating func linkOpened(
        _ link: PeerLink, peer: DID, address: String, outbound: Bool, now: Timestamp
    ) {
        let attempt = outbound ? takeAttempt(address) : nil
        if outbound, let index = seeds.firstIndex(where: { $0.address == address }) {
            seeds[index].known = peer
            seeds[index].isDialling = false
            seeds[index].isOwn = peer == own.record.did
            seeds[index].failures = 0
            seeds[index].due = nil
        }
        guard peer != own.record.did else {
            effects.append(.close(link, reason: "this is our own address"))
            return
        }
        guard index(link) == nil else { return }
        var entry = OverlayLink(
            link: link, did: peer, prefix: OverlayPrefix(address), isOutbound: outbound, usedAt: now,
            since: now)
        entry.member = links.first { $0.did == peer }?.member ?? passive.member(peer)
        let place = links.firstIndex { $0.link > link } ?? links.endIndex
        links.insert(entry, at: place)
        let isWanted = settleDouble(link, peer: peer, outbound: outbound, now: now)
        if let purpose = attempt?.purpose, let index = index(to: peer) {
            pursue(purpose, at: index, now: now)
        } else if isWanted, let index = index(to: peer) {
            ask(at: index, isUrgent: neighbourCount == 0, now: now)
        }
        if links.count > settings.directCountMax + settings.activeCountMax { closeIdlest(now: now) }
    }

    /// Closes one of two links to the same peer where that is ours to do.
    ///
    /// The link that the smaller DID dialled stays. The larger one closes what it dialled itself, and only
    /// when it holds the other: so both sides never close both, even if one remembers a link that is dead.
    ///
    /// - Returns: Whether what was closed was a neighbour's link or waited to become one.
    private mutating func settleDouble(
        _ link: PeerLink, peer: DID, outbound: Bool, now: Timestamp
    ) -> Bool {
        guard let other = links.firstIndex(where: { $0.did == peer && $0.link != link }) else { return false }
        let doomed: PeerLink
        if links[other].isOutbound == outbound {
            // Two that we dialled by two addresses: the newer goes. Two of the peer's are the peer's to close.
            guard outbound else { return false }
            doomed = link
        } else {
            guard own.record.did > peer else { return false }
            doomed = outbound ? link : links[other].link
        }
        guard let index = index(doomed) else { return false }
        let isWanted = links[index].phase != .direct
        close(at: index, reason: "another link to the same peer stays", now: now)
        return isWanted
    }

    private mutating func pursue(_ purpose: OverlayAttempt.Purpose, at index: Int, now: Timestamp) {
        guard !links[index].isNeighbour, !links[index].isAsked else { return }
        switch purpose {
        case .reach: links[index].usedAt = now
        case .promote: ask(at: index, isUrgent: neighbourCount == 0, now: now)
        case .take: ask(at: index, isUrgent: true, now: now)
        case .seed:
            let isAlone = !links.contains { $0.isNeighbour || $0.isAsked }
            guard isAlone else { return ask(at: index, isUrgent: false, now: now) }
            links[index].phase = .asked(until: now + settings.neighbourTimeoutMilliseconds)
            effects.append(.send(links[index].link, .join(own)))
        }
    }

    /// Asks the peer of a direct link for neighbourhood.
    mutating func ask(at index: Int, isUrgent: Bool, now: Timestamp) {
        guard links[index].phase == .direct else { return }
        links[index].phase = .asked(until: now + settings.neighbourTimeoutMilliseconds)
        effects.append(.send(links[index].link, .neighbour(own, isUrgent: isUrgent)))
    }

    /// The two sides of the link are neighbours from now on.
    mutating func befriend(at index: Int, isChosen: Bool, now: Timestamp) {
        let did = links[index].did
        let link = links[index].link
        for other in links.indices where links[other].did == did && links[other].isNeighbour {
            links[other].phase = .direct
            links[other].usedAt = now
            effects.append(.neighbourDown(links[other].link, did))
        }
        links[index].phase = .neighbour
        links[index].since = now
        links[index].isChosen = isChosen
        effects.append(.neighbourUp(link, did))
        passive.remove(did)
        refusals = 0
        promotionAt = now
        for seed in seeds.indices where seeds[seed].known == did {
            seeds[seed].due = nil
            seeds[seed].failures = 0
        }
        if shuffleAt == nil { scheduleShuffle(now: now) }
        if neighbourCount > settings.activeCountMax { evict(sparing: link, onlyUnchosen: false, now: now) }
    }

    /// Makes a place by dismissing one of the youngest neighbours.
    ///
    /// The older ones stay whoever presses, and so do the oldest of those that we chose ourselves.
    @discardableResult
    mutating func evict(sparing spared: PeerLink?, onlyUnchosen: Bool, now: Timestamp) -> Bool {
        let young = links.indices.filter { links[$0].isNeighbour && links[$0].link != spared }
            .sorted { (links[$1].since, links[$1].link) < (links[$0].since, links[$0].link) }
        let kept = young.filter { links[$0].isChosen }.suffix(settings.outboundCountMin)
        let evictable = young.filter {
            !kept.contains($0) && !(onlyUnchosen && links[$0].isChosen) && !isConfigured(links[$0].did)
        }
        let choice = evictable.isEmpty && spared != nil && !onlyUnchosen ? young : evictable
        guard let index = choice.prefix(settings.evictableCount).randomElement(using: &generator) else {
            return false
        }
        effects.append(.send(links[index].link, .disconnect))
        part(at: index, now: now)
        return true
    }

    /// The neighbour is one no longer, and its link stays until it is idle.
    mutating func part(at index: Int, now: Timestamp) {
        guard links[index].isNeighbour else { return }
        links[index].phase = .direct
        links[index].usedAt = now
        lostNeighbour(links[index], retry: now + 10_000, now: now)
    }

    private mutating func lostNeighbour(_ entry: OverlayLink, retry: Timestamp, now: Timestamp) {
        effects.append(.neighbourDown(entry.link, entry.did))
        refusals = 0
        promotionAt = now
        if let member = entry.member {
            passive.add(member, isTried: true, notBefore: retry, using: &generator)
        }
        scheduleSeeds(of: entry.did, now: now)
        if neighbourCount == 0 {
            // Alone: everyone who was named is worth a try again at once.
            for seed in seeds.indices where seeds[seed].isRare && !seeds[seed].isDialling {
                seeds[seed].isRare = false
                seeds[seed].due = now + jittered(settings.delayFirstMilliseconds, failures: 0)
            }
        }
    }

    mutating func close(at index: Int, reason: String, now: Timestamp) {
        effects.append(.close(links[index].link, reason: reason))
        forget(at: index, now: now)
    }

    /// The link is gone.
    mutating func forget(at index: Int, now: Timestamp) {
        let entry = links.remove(at: index)
        routes.removeAll { $0.link == entry.link }
        if entry.isNeighbour {
            lostNeighbour(
                entry, retry: now + jittered(settings.delayFirstMilliseconds, failures: 1), now: now)
        } else if entry.isAsked {
            passive.failed(entry.did, retry: now + settings.neighbourTimeoutMilliseconds)
            scheduleSeeds(of: entry.did, now: now)
        } else {
            scheduleSeeds(of: entry.did, now: now)
        }
        // Where a second link to the peer stands, it takes over.
        if entry.phase != .direct, let other = self.index(to: entry.did) {
            ask(at: other, isUrgent: neighbourCount == 0, now: now)
        }
    }

    private mutating func closeIdlest(now: Timestamp) {
        let direct = links.indices.filter { links[$0].phase == .direct }
        guard let idlest = direct.min(by: { links[$0].usedAt < links[$1].usedAt }) else { return }
        close(at: idlest, reason: "too many links", now: now)
    }
}
