internal import MeshCore
internal import MeshIdentity

extension Overlay {
    private static let routeCountMax = 32
    private static let takeCountMax = 8

    mutating func receive(_ frame: OverlayFrame, from link: PeerLink, now: Timestamp) {
        guard let index = index(link), links[index].budget.take(now: now) else { return }
        switch frame {
        case .join(let member):
            guard introduce(member, at: index, now: now), let index = self.index(link) else { return }
            let isHeeded = joins.take(now: now)
            guard answer(at: index, isUrgent: isHeeded, now: now), isHeeded else { return }
            for other in links where other.isNeighbour && other.did != member.record.did {
                guard !member.record.addresses.isEmpty else { break }
                effects.append(.send(other.link, .forwardJoin(member, ttl: settings.activeWalkLength)))
            }
        case .neighbour(let member, let isUrgent):
            guard introduce(member, at: index, now: now), let index = self.index(link) else { return }
            _ = answer(at: index, isUrgent: isUrgent, now: now)
        case .forwardJoin(let member, let ttl):
            guard links[index].isNeighbour else { return }
            forward(member, ttl: min(ttl, settings.activeWalkLength), from: link, now: now)
        case .accepted(let member, let others):
            accepted(member, others, at: index, now: now)
        case .refused(let others):
            guard links[index].isAsked else { return }
            let did = links[index].did
            links[index].phase = .direct
            // A named peer's link is worth keeping: over it two halves of a mesh can still catch up.
            links[index].usedAt = isConfigured(did) ? now : now + (2000 - settings.directIdleMilliseconds)
            noteRefusal(by: did, now: now)
            learn(others, now: now)
        case .shuffle(let origin, let ttl, let members):
            guard links[index].isNeighbour else { return }
            passShuffle(
                origin, ttl: min(ttl, settings.activeWalkLength),
                Array(members.prefix(OverlayFrame.memberCountMax)), from: link, now: now)
        case .shuffleReply(let origin, let members):
            let members = Array(members.prefix(OverlayFrame.memberCountMax))
            if origin == own.record.did {
                guard awaitsShuffle, links[index].isNeighbour else { return }
                awaitsShuffle = false
                learn(members, now: now)
            } else if let route = routes.firstIndex(where: { $0.origin == origin }) {
                let back = routes.remove(at: route).link
                effects.append(.send(back, .shuffleReply(origin: origin, members)))
            }
        case .disconnect:
            part(at: index, now: now)
        }
    }

    /// Keeps the record by which the peer of a link introduces itself; closes the link if it is another's.
    private mutating func introduce(_ member: SignedMember, at index: Int, now: Timestamp) -> Bool {
        guard member.record.did == links[index].did else {
            close(at: index, reason: "the peer showed another member's record as its own", now: now)
            return false
        }
        if let held = links[index].member, !member.isNewer(than: held) { return true }
        links[index].member = member
        return true
    }

    /// Answers a question for neighbourhood.
    ///
    /// - Returns: Whether the peer is a neighbour now.
    private mutating func answer(at index: Int, isUrgent: Bool, now: Timestamp) -> Bool {
        let link = links[index].link
        let did = links[index].did
        if links[index].isNeighbour {
            effects.append(.send(link, .accepted(own, [])))
            return true
        }
        let isChosen = links[index].isAsked
        guard isChosen || isNeighbour(did) || hasPlace(for: index, isUrgent: isUrgent, now: now) else {
            let others = sample(4, excluding: did)
            effects.append(.send(link, .refused(others)))
            links[index].usedAt = isConfigured(did) ? now : now + (4000 - settings.directIdleMilliseconds)
            if let member = links[index].member { learn(member, now: now) }
            return false
        }
        let others = sample(isUrgent ? 8 : 2, excluding: did)
        effects.append(.send(link, .accepted(own, others)))
        guard let index = self.index(link) else { return false }
        befriend(at: index, isChosen: isChosen, now: now)
        return true
    }

    /// Whether there is a place for the peer of a link, if need be after dismissing somebody.
    private mutating func hasPlace(for index: Int, isUrgent: Bool, now: Timestamp) -> Bool {
        let entry = links[index]
        guard isConfigured(entry.did) || !isCrowded(entry.prefix) else { return false }
        let unchosen = links.reduce(0) { $0 + ($1.isNeighbour && !$1.isChosen ? 1 : 0) }
        let isFull = neighbourCount >= settings.activeCountMax
        let isQuotaUsed = unchosen >= settings.activeCountMax - settings.outboundCountMin
        if !isFull, !isQuotaUsed { return true }
        // Now and then a full view takes a stranger: so the halves of a healed partition grow together.
        let isLucky = isFull && Int.random(in: 0..<4, using: &generator) == 0
        guard isUrgent || isLucky else { return false }
        return evict(sparing: nil, onlyUnchosen: isQuotaUsed, now: now)
    }

    private mutating func accepted(
        _ member: SignedMember, _ others: [SignedMember], at index: Int, now: Timestamp
    ) {
        let link = links[index].link
        guard introduce(member, at: index, now: now), let index = self.index(link) else { return }
        switch links[index].phase {
        case .asked:
            befriend(at: index, isChosen: true, now: now)
            learn(others, now: now)
        case .direct: effects.append(.send(link, .disconnect))
        case .neighbour: break
        }
    }

    /// Passes the news of a newcomer on, or takes it.
    private mutating func forward(_ member: SignedMember, ttl: UInt8, from link: PeerLink, now: Timestamp) {
        let did = member.record.did
        guard did != own.record.did, !isNeighbour(did) else { return }
        let others = links.filter { $0.isNeighbour && $0.link != link && $0.did != did }
        if ttl == 0 || neighbourCount <= 1 || others.isEmpty {
            let taking = attempts.reduce(0) { $0 + ($1.purpose == .take ? 1 : 0) }
            if taking < Self.takeCountMax { seek(member, purpose: .take, now: now) }
        } else if let next = others.randomElement(using: &generator) {
            effects.append(.send(next.link, .forwardJoin(member, ttl: ttl - 1)))
        }
        if ttl == settings.passiveWalkLength || !isContent { learn(member, now: now) }
    }

    mutating func learn(_ member: SignedMember, now: Timestamp) {
        let did = member.record.did
        guard did != own.record.did else { return }
        if let index = links.firstIndex(where: { $0.did == did && $0.isNeighbour }) {
            if let held = links[index].member, !member.isNewer(than: held) { return }
            links[index].member = member
            return
        }
        passive.add(member, isTried: false, notBefore: now, using: &generator)
    }

    mutating func learn(_ members: [SignedMember], now: Timestamp) {
        for member in members.prefix(OverlayFrame.memberCountMax) { learn(member, now: now) }
    }

    // MARK: Shuffles

    mutating func scheduleShuffle(now: Timestamp) {
        let period = settings.shuffleMilliseconds
        shuffleAt = now + (period + Int64.random(in: -period / 4...period / 4, using: &generator))
    }

    /// Sends some of the members we know for a walk, to be swapped for others.
    mutating func shuffle(now: Timestamp) {
        let near = links.filter(\.isNeighbour)
        guard let first = near.randomElement(using: &generator) else {
            shuffleAt = nil
            return
        }
        scheduleShuffle(now: now)
        let some = near.filter { $0.did != first.did }.compactMap(\.member).filter {
            !$0.record.addresses.isEmpty
        }
        .shuffled(using: &generator).prefix(settings.shuffleActiveCount)
        let known = passive.candidates.map(\.member).shuffled(using: &generator)
            .prefix(settings.shufflePassiveCount)
        passive.given = known.map(\.record.did)
        awaitsShuffle = true
        effects.append(
            .send(
                first.link, .shuffle(origin: own, ttl: settings.activeWalkLength, Array(some) + Array(known)))
        )
    }

    private mutating func passShuffle(
        _ origin: SignedMember, ttl: UInt8, _ members: [SignedMember], from link: PeerLink, now: Timestamp
    ) {
        let did = origin.record.did
        guard did != own.record.did else { return }
        let others = links.filter { $0.isNeighbour && $0.link != link && $0.did != did }
        if ttl > 1, let next = others.randomElement(using: &generator) {
            routes.removeAll { $0.origin == did }
            if routes.count >= Self.routeCountMax { routes.removeFirst() }
            routes.append(OverlayRoute(origin: did, link: link))
            effects.append(.send(next.link, .shuffle(origin: origin, ttl: ttl - 1, members)))
            return
        }
        let given = passive.candidates.map(\.member).filter { $0.record.did != did }
            .shuffled(using: &generator).prefix(max(1, members.count))
        passive.given = given.map(\.record.did)
        effects.append(.send(link, .shuffleReply(origin: did, Array(given))))
        learn([origin] + members, now: now)
    }

    /// Some of the members we know, neighbours among them.
    private mutating func sample(_ count: Int, excluding did: DID) -> [SignedMember] {
        let near = links.filter { $0.isNeighbour && $0.did != did }.compactMap(\.member)
            .filter { !$0.record.addresses.isEmpty }
        let far = passive.candidates.map(\.member).filter { $0.record.did != did }
        return Array((near + far).shuffled(using: &generator).prefix(count))
    }
}
