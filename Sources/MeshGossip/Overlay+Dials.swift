internal import MeshCore
internal import MeshIdentity

extension Overlay {
    private static let attemptCountMax = 64

    /// Does what is due; everything that is put off has a deadline of its own.
    mutating func maintain(now: Timestamp) {
        for index in links.indices.reversed() {
            switch links[index].phase {
            case .asked(let until) where until <= now:
                links[index].phase = .direct
                links[index].usedAt = now
                passive.failed(links[index].did, retry: now + settings.delayMaxMilliseconds)
                noteRefusal(by: links[index].did, now: now)
            case .direct where links[index].usedAt + settings.directIdleMilliseconds <= now:
                close(at: index, reason: "idle", now: now)
            default: break
            }
        }
        while let overdue = attempts.first(where: { $0.until <= now }) {
            dialFailed(overdue.address, now: now)
        }
        for index in seeds.indices {
            if let due = seeds[index].due, due <= now { trySeed(at: index, now: now) }
        }
        promote(now: now)
        if let at = shuffleAt, at <= now { shuffle(now: now) }
    }

    /// Asks known members while there are places for them.
    private mutating func promote(now: Timestamp) {
        while placesOpen > 0, promotionAt <= now {
            let until = now + (settings.dialTimeoutMilliseconds + settings.neighbourTimeoutMilliseconds)
            guard let member = passive.take(now: now, until: until, using: &generator) else { return }
            seek(member, purpose: .promote, now: now)
        }
    }

    /// Whether one network already has, or is asked to take, as many of our places as it may.
    func isCrowded(_ prefix: OverlayPrefix?) -> Bool {
        guard let prefix else { return false }
        let held = links.reduce(0) { $0 + ($1.phase != .direct && $1.prefix == prefix ? 1 : 0) }
        let sought = attempts.reduce(0) {
            $0 + ($1.purpose != .reach && OverlayPrefix($1.address) == prefix ? 1 : 0)
        }
        return held + sought >= settings.activePrefixCountMax
    }

    /// Asks `member` over the link there is, or dials it.
    mutating func seek(_ member: SignedMember, purpose: OverlayAttempt.Purpose, now: Timestamp) {
        let did = member.record.did
        guard did != own.record.did, !isNeighbour(did) else { return }
        let prefix = member.record.addresses.first.flatMap { OverlayPrefix($0) }
        guard isConfigured(did) || !isCrowded(prefix) else { return }
        if let index = index(to: did) {
            if links[index].member == nil { links[index].member = member }
            ask(at: index, isUrgent: purpose == .take || neighbourCount == 0, now: now)
            return
        }
        guard !attempts.contains(where: { $0.did == did }) else { return }
        dial(member.record.addresses, did: did, purpose: purpose, now: now)
    }

    mutating func reach(_ did: DID, addresses: [String], now: Timestamp) {
        if let index = index(to: did) {
            links[index].usedAt = now
            return
        }
        guard did != own.record.did, !attempts.contains(where: { $0.did == did }) else { return }
        let known = passive.member(did)?.record.addresses ?? []
        dial(
            (addresses.isEmpty ? known : addresses).prefix(MemberRecord.addressCountMax).map { $0 },
            did: did, purpose: .reach, now: now)
    }

    private mutating func dial(
        _ addresses: [String], did: DID, purpose: OverlayAttempt.Purpose, now: Timestamp
    ) {
        guard attempts.count < Self.attemptCountMax, let address = addresses.first,
            !attempts.contains(where: { $0.address == address })
        else { return }
        attempts.append(
            OverlayAttempt(
                address: address, did: did, purpose: purpose, rest: Array(addresses.dropFirst()),
                until: now + settings.dialTimeoutMilliseconds))
        effects.append(.dial(address: address, expecting: did))
    }

    mutating func takeAttempt(_ address: String) -> OverlayAttempt? {
        attempts.firstIndex { $0.address == address }.map { attempts.remove(at: $0) }
    }

    mutating func dialFailed(_ address: String, now: Timestamp) {
        guard let attempt = takeAttempt(address) else { return }
        if let index = seeds.firstIndex(where: { $0.address == address }), seeds[index].isDialling {
            seeds[index].isDialling = false
            scheduleSeed(at: index, now: now)
            seeds[index].failures += 1
        }
        guard let did = attempt.did, attempt.purpose != .seed else { return }
        if attempt.rest.isEmpty {
            passive.failed(did, retry: now + jittered(settings.delayFirstMilliseconds, failures: 3))
        } else {
            dial(attempt.rest, did: did, purpose: attempt.purpose, now: now)
        }
    }

    // MARK: Named peers

    private mutating func trySeed(at index: Int, now: Timestamp) {
        seeds[index].due = nil
        guard !seeds[index].isOwn else { return }
        if let known = seeds[index].known, isNeighbour(known) { return }
        if isContent, !seeds[index].isRare { return scheduleSeed(at: index, now: now) }
        if let known = seeds[index].known, let link = self.index(to: known) {
            // The answer, or its absence, sets the next time.
            return ask(at: link, isUrgent: neighbourCount == 0, now: now)
        }
        let address = seeds[index].address
        seeds[index].isDialling = true
        guard !attempts.contains(where: { $0.address == address }) else { return }
        attempts.append(
            OverlayAttempt(
                address: address, did: seeds[index].expected, purpose: .seed, rest: [],
                until: now + settings.dialTimeoutMilliseconds))
        effects.append(.dial(address: address, expecting: seeds[index].expected))
    }

    /// When to try a named peer again: soon while neighbours are wanted, and otherwise so that the whole mesh
    /// together asks about every three seconds, however large it is.
    mutating func scheduleSeed(at index: Int, now: Timestamp) {
        guard !seeds[index].isDialling, !seeds[index].isOwn else { return }
        seeds[index].isRare = isContent
        if isContent {
            let members = Int64(max(meshSize, neighbourCount + passive.count))
            let period = settings.delayMaxMilliseconds * max(1, min(members, 1_000_000) / 16)
            seeds[index].due = now + (period + Int64.random(in: 0...period, using: &generator))
        } else {
            seeds[index].due =
                now + jittered(settings.delayFirstMilliseconds, failures: seeds[index].failures)
        }
    }

    mutating func scheduleSeeds(of did: DID, now: Timestamp) {
        for index in seeds.indices where seeds[index].known == did { scheduleSeed(at: index, now: now) }
    }

    /// The peer has no place for us, or keeps silent.
    mutating func noteRefusal(by did: DID, now: Timestamp) {
        passive.postpone(
            did, until: now + 5000 + Int64.random(in: 0...5000, using: &generator))
        if neighbourCount > 0 {
            promotionAt = now + jittered(settings.delayFirstMilliseconds, failures: refusals)
            refusals += 1
        }
        for index in seeds.indices where seeds[index].known == did {
            scheduleSeed(at: index, now: now)
            seeds[index].failures += 1
        }
    }
}
