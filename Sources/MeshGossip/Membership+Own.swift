public import MeshCore
internal import MeshIdentity

extension Membership {
    /// A record of our own whose incarnation is above `incarnation`, as far as its bound allows.
    static func signed(
        addresses: [String], invite: [UInt8]?, after incarnation: UInt64, by signer: any Signer,
        now: Timestamp
    ) -> SignedMember {
        let highest = MemberRecord.incarnationMax(at: now)
        let next = incarnation < highest ? incarnation + 1 : highest
        return SignedMember(
            signing: MemberRecord(
                did: signer.did, addresses: addresses, incarnation: next, time: now, invite: invite),
            by: signer)
    }

    /// Publishes other addresses or another invite; both must keep the bounds of ``MemberRecord``.
    public mutating func advertise(
        addresses: [String], invite: [UInt8]?, now: Timestamp
    ) -> [MembershipEffect] {
        guard addresses != own.record.addresses || invite != own.record.invite else { return [] }
        own = Self.signed(
            addresses: addresses, invite: invite, after: own.record.incarnation, by: signer, now: now)
        return [.broadcast(envelope: own.envelope)]
    }

    /// Says goodbye to everyone.
    ///
    /// Nothing that comes after is acted upon.
    public mutating func leave(now: Timestamp) -> [MembershipEffect] {
        guard !hasLeft else { return [] }
        hasLeft = true
        wake = nil
        let goodbye = Suspicion(
            subject: own.record.did, incarnation: own.record.incarnation, witness: own.record.did,
            cause: .left, time: now)
        return [.broadcast(envelope: SignedSuspicion(signing: goodbye, by: signer).envelope)]
    }

    /// Answers what a peer says against ourselves.
    mutating func answer(_ suspicion: Suspicion, _ effects: inout [MembershipEffect], now: Timestamp) {
        if suspicion.cause == .left {
            // A goodbye of ours from before: it must not outlast our return.
            return outgrow(suspicion.incarnation, &effects, now: now)
        }
        // A higher incarnation than ours is believed only under our own signature.
        guard suspicion.incarnation <= own.record.incarnation, !isPlanted(.suspicionUnrefuted) else { return }
        if suspicion.incarnation < own.record.incarnation {
            // Most of these crossed a refutation that is under way. A witness that missed it speaks again.
            if let lastRefutation, now - lastRefutation < settings.suspicionMin { return }
        } else if isBelieved(suspicion.witness, now: now) {
            worsen(by: 1)
        }
        strike(suspicion.witness, now: now)
        refute(&effects, now: now)
    }

    /// Goes beyond what we have signed once and do not remember.
    mutating func outgrow(_ incarnation: UInt64, _ effects: inout [MembershipEffect], now: Timestamp) {
        guard incarnation >= own.record.incarnation else { return }
        own = Self.signed(
            addresses: own.record.addresses, invite: own.record.invite, after: incarnation, by: signer,
            now: now)
        refute(&effects, now: now)
    }

    /// Publishes a record of higher incarnation now, or as soon as our own bound on these allows.
    mutating func refute(_ effects: inout [MembershipEffect], now: Timestamp) {
        let gained = max(0, now - refutationsCountedAt) / max(1, settings.refutationInterval)
        if gained > 0 {
            refutations = Int(min(Int64(settings.refutationBurst), Int64(refutations) + min(gained, 1 << 32)))
            refutationsCountedAt = now
        }
        guard refutations > 0 else {
            refutationDue = now + settings.refutationInterval
            return
        }
        refutations -= 1
        refutationDue = nil
        lastRefutation = now
        own = Self.signed(
            addresses: own.record.addresses, invite: own.record.invite, after: own.record.incarnation,
            by: signer, now: now)
        effects.append(.broadcast(envelope: own.envelope))
    }
}
