public import MeshCore
public import MeshIdentity

extension Membership {
    /// What is held against a member that may still refute it.
    struct Case: Sendable {
        let incarnation: UInt64
        let openedAt: Timestamp
        /// Up to when signs of life from it have been weighed.
        var weighedAt: Timestamp
        var deadline: Timestamp
        /// When enough witnesses had been refused.
        var refusedAt: Timestamp?
        /// Each once, in the order of arrival; at most ``witnessCountMax``.
        var witnesses: [Witness] = []
        /// The first suspicion, to confront the subject with.
        let envelope: [UInt8]

        static let witnessCountMax = 16
    }

    struct Witness: Sendable {
        let did: DID
        var cause: Suspicion.Cause
    }

    /// What is remembered of a member that is gone.
    struct Tombstone: Sendable {
        let incarnation: UInt64
        /// Counts up, to know the oldest.
        let order: UInt64
        /// What it was gone by, to confront it with when it comes back; `nil` where nobody had signed anything.
        let envelope: [UInt8]?
        /// Until when it is looked for; `nil` when it said goodbye.
        let soughtUntil: Timestamp?
    }

    /// How far a witness is to be believed.
    struct Reputation: Sendable {
        /// Its suspicions that are open.
        var openCount = 0
        /// Its suspicions that were refuted since ``countedFrom``.
        var strikes = 0
        var countedFrom: Timestamp
    }

    /// What stalls may add to the way of a suspicion and back of its refutation.
    ///
    /// Both cross several links, any of which may stall. An answer that took
    /// longer than any route does was sent again, and the next stall may well be twice as long.
    private var slack: Int64 { 4 * slowness + 12 * max(0, slowness - 500) }

    /// The shortest time to refute in, which grows with the mesh and with our own doubtful health.
    var suspicionMin: Int64 {
        // The tree grows by a hop with each factor of about six; 128 members count once, 10,000 twice.
        let bits = Int64(Int.bitWidth - (aliveCount + 1).leadingZeroBitCount)
        return settings.suspicionMin * max(7, bits) / 7 * Int64(1 + localHealth)
            + slack
    }

    /// A refutation has to cross the mesh twice, so slow links lengthen the grace.
    ///
    /// It crosses over all links at once, and the quickest way counts: one slow neighbour is no reason.
    private var refusedGrace: Int64 {
        var means: [Int64] = []
        // The middle one of them is the same in any order.
        for (_, link) in links { means.append(link.roundTrip.mean) }
        means.sort()
        return settings.refusedGrace + min(4_000, 4 * (means.isEmpty ? 0 : means[means.count / 2]))
    }

    /// Says that we have no answer from a member ourselves.
    mutating func suspect(
        _ subject: DID, _ cause: Suspicion.Cause, _ effects: inout [MembershipEffect], now: Timestamp
    ) {
        guard let entry = table[subject], gone[subject] == nil else { return }
        guard let record = entry.member?.record else {
            // Without its record nobody else can be told, and nothing but its process can answer.
            if cause == .refused { bury(subject, incarnation: 0, envelope: nil, &effects, now: now) }
            return
        }
        let suspicion = SignedSuspicion(
            signing: Suspicion(
                subject: subject, incarnation: record.incarnation, witness: own.record.did, cause: cause,
                time: now), by: signer)
        guard count(suspicion, &effects, now: now) else { return }
        // The fifth who probed in vain tells nobody anything new.
        let witnessCount = cases[subject]?.witnesses.count ?? 0
        if cause == .refused || witnessCount <= settings.probeWitnesses + 1 {
            effects.append(.broadcast(envelope: suspicion.envelope))
        }
    }

    /// Weighs a suspicion from a peer.
    mutating func take(
        _ signed: SignedSuspicion, _ effects: inout [MembershipEffect], now: Timestamp
    ) {
        let suspicion = signed.suspicion
        guard suspicion.time - now <= settings.clockLead else { return }
        if suspicion.subject == own.record.did { return answer(suspicion, &effects, now: now) }
        guard suspicion.witness != own.record.did else { return }
        guard let entry = table[suspicion.subject], gone[suspicion.subject] == nil else { return }
        if suspicion.cause == .left {
            guard suspicion.incarnation >= entry.member?.record.incarnation ?? 0 else { return }
            return bury(
                suspicion.subject, incarnation: suspicion.incarnation, envelope: signed.envelope,
                hasLeft: true,
                &effects, now: now)
        }
        guard entry.member?.record.incarnation == suspicion.incarnation,
            isBelieved(suspicion.witness, now: now)
        else { return }
        _ = count(signed, &effects, now: now)
    }

    /// Whether the word of `witness` about others counts.
    func isBelieved(_ witness: DID, now: Timestamp) -> Bool {
        guard let entry = table[witness], entry.member != nil, gone[witness] == nil else { return false }
        return !isDiscredited(witness, now: now)
    }

    /// Whether a witness has been wrong so often of late, or suspects so many at once, that its word does not
    /// count.
    ///
    /// Suspicions go over every link of the mesh. Were those of such a witness passed on, it could keep all
    /// links busy with what nobody heeds.
    public func isDiscredited(_ witness: DID, now: Timestamp) -> Bool {
        guard let reputation = reputations[witness] else { return false }
        return reputation.openCount >= settings.openSuspicionCountMax
            || (reputation.strikes >= settings.strikeCountMax
                && now - reputation.countedFrom <= settings.strikeWindow)
    }

    /// Adds a witness to the case of its subject, opening it where there is none.
    ///
    /// - Returns: Whether this witness had not said as much before.
    private mutating func count(
        _ signed: SignedSuspicion, _ effects: inout [MembershipEffect], now: Timestamp
    ) -> Bool {
        let suspicion = signed.suspicion
        let subject = suspicion.subject
        let isFirst = cases[subject] == nil
        var current =
            cases[subject]
            ?? Case(
                incarnation: suspicion.incarnation, openedAt: now, weighedAt: now, deadline: now,
                envelope: signed.envelope)
        if let index = current.witnesses.firstIndex(where: { $0.did == suspicion.witness }) {
            guard suspicion.cause == .refused, current.witnesses[index].cause != .refused else {
                return false
            }
            current.witnesses[index].cause = .refused
        } else {
            guard current.witnesses.count < Case.witnessCountMax else { return false }
            current.witnesses.append(Witness(did: suspicion.witness, cause: suspicion.cause))
            if suspicion.witness != own.record.did {
                reputations[suspicion.witness, default: Reputation(countedFrom: now)].openCount += 1
            }
        }
        schedule(&current, now: now)
        cases[subject] = current
        guard isFirst else { return true }
        effects.append(.changed(subject, .suspect, previous: .alive))
        // Who is linked with the subject asks it, and tells it what is said.
        for link in linksByPeer[subject] ?? [] {
            effects.append(.send(link, envelope: signed.envelope))
            links[link]?.confrontedAt = now
            probe(link, &effects, now: now)
        }
        return true
    }

    /// Sets a case's deadline by its witnesses.
    private func schedule(_ current: inout Case, now: Timestamp) {
        // We and every member but the subject; a small mesh has fewer witnesses to offer.
        let possible = max(1, aliveCount)
        let refused = current.witnesses.count { $0.cause == .refused }
        if refused >= min(settings.refusedWitnesses, possible) {
            let since = current.refusedAt ?? now
            current.refusedAt = since
            current.deadline = since + refusedGrace
            return
        }
        let shortest = suspicionMin
        let longest = shortest * settings.suspicionFactor
        if refused > 0 {
            current.deadline = current.openedAt + shortest
            return
        }
        let needed = min(settings.probeWitnesses, possible)
        let confirmations = Int64(current.witnesses.count - 1)
        let wanted = Int64(min(settings.probeWitnesses, possible - 1))
        guard wanted > 0, current.witnesses.count >= needed else {
            current.deadline = current.openedAt + longest
            return
        }
        // Lifeguard: the wait falls with the logarithm of the confirmations (in percent of the way).
        let fractions: [Int64] = [0, 50, 79, 100]
        let third = min(3, confirmations * 3 / wanted)
        let saved = (longest - shortest) * fractions[Int(third)] / 100
        current.deadline = current.openedAt + (longest - saved)
    }

    mutating func caseDeadline(_ subject: DID, _ effects: inout [MembershipEffect], now: Timestamp) {
        guard let current = cases[subject] else { return }
        let links = linksByPeer[subject] ?? []
        let lastHeard = links.compactMap { self.links[$0]?.lastHeard }.max()
        if let lastHeard, lastHeard > current.weighedAt {
            // Whom we hear is not gone, whatever others say; it may not have heard what they say.
            cases[subject]?.weighedAt = now
            let deadline = now + suspicionMin
            cases[subject]?.deadline = deadline
            for link in links { effects.append(.send(link, envelope: current.envelope)) }
            return
        }
        bury(subject, incarnation: current.incarnation, envelope: current.envelope, &effects, now: now)
    }

    /// Ends a case because its subject has refuted it.
    mutating func acquit(_ subject: DID, now: Timestamp) {
        guard let current = cases.removeValue(forKey: subject) else { return }
        for witness in current.witnesses {
            release(witness.did)
            strike(witness.did, now: now)
        }
    }

    /// Counts a refuted suspicion against its witness.
    mutating func strike(_ witness: DID, now: Timestamp) {
        guard witness != own.record.did, table[witness] != nil else { return }
        var reputation = reputations[witness] ?? Reputation(countedFrom: now)
        if now - reputation.countedFrom > settings.strikeWindow {
            reputation.strikes = 0
            reputation.countedFrom = now
        }
        reputation.strikes = min(reputation.strikes + 1, settings.strikeCountMax)
        reputations[witness] = reputation
    }

    private mutating func release(_ witness: DID) {
        guard let reputation = reputations[witness] else { return }
        reputations[witness]?.openCount = max(0, reputation.openCount - 1)
    }

    /// Takes a member for gone.
    private mutating func bury(
        _ subject: DID, incarnation: UInt64, envelope: [UInt8]?, hasLeft: Bool = false,
        _ effects: inout [MembershipEffect], now: Timestamp
    ) {
        guard table[subject] != nil, gone[subject] == nil else { return }
        let previous = state(of: subject)
        for witness in cases.removeValue(forKey: subject)?.witnesses ?? [] { release(witness.did) }
        goneCount += 1
        gone[subject] = Tombstone(
            incarnation: incarnation, order: goneCount, envelope: envelope,
            soughtUntil: hasLeft ? nil : now + settings.searchWindow)
        if !hasLeft, searchAt == nil { searchAt = now + settings.searchInterval }
        effects.append(.changed(subject, .gone, previous: previous))
    }

    /// Looks for the next of the members that are gone.
    ///
    /// What we said against it, or its answer, may have been lost, and then nobody else would ever tell us that
    /// it lives: over a link it is shown what it is gone by, and refutes it. One that is dead costs a dial.
    mutating func search(_ effects: inout [MembershipEffect], now: Timestamp) {
        // The orders differ, so the least is the same in any order of the table.
        var first: (did: DID, order: UInt64)?
        var next: (did: DID, order: UInt64)?
        for (did, tombstone) in gone {
            guard let until = tombstone.soughtUntil, now < until else { continue }
            if first.map({ tombstone.order < $0.order }) ?? true { first = (did, tombstone.order) }
            guard tombstone.order > searchedOrder else { continue }
            if next.map({ tombstone.order < $0.order }) ?? true { next = (did, tombstone.order) }
        }
        guard let found = next ?? first else {
            searchAt = nil
            return
        }
        searchedOrder = found.order
        searchAt = now + settings.searchInterval
        if let link = linksByPeer[found.did]?.first, let envelope = gone[found.did]?.envelope {
            effects.append(.send(link, envelope: envelope))
        } else {
            effects.append(.redial(found.did))
        }
    }
}
