internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshStorage

// Who has been invited: one row for each ticket that has admitted somebody, so that a restart does not shut
// anyone out and a ticket without a holder admits one node only.
extension NodeEngine {
    static let invitePrefix = Array("invite".utf8)
    /// The most tickets that are remembered; a member can sign any number.
    static let inviteCountMax = 16_384
    /// How long a link with somebody unknown stands who shows no good ticket.
    static let guestMilliseconds: Int64 = 5_000

    /// Whether feeds of `did` are stored here, and links with it stand.
    func isAdmitted(_ did: DID) -> Bool {
        switch settings.admission {
        case .open: true
        case .allowlist(let allowed): did == signer.did || allowed.contains(did) || isMember(did)
        case .invite(let allowed):
            did == signer.did || allowed.contains(did) || isMember(did) || invited.contains(did)
        }
    }

    /// Whether `did` is in the federation that the configuration describes, or in the one that it pins once
    /// that is known.
    func isMember(_ did: DID) -> Bool {
        guard let cid = settings.federationCID else { return false }
        return (settings.federation ?? federation.bundles[cid])?.member(did) != nil
    }

    /// Takes a ticket that a member record of `did` carries, and from then on stores the feeds of `did` if
    /// it is good.
    ///
    /// A node that is in by a ticket stays in when it expires.
    ///
    /// - Returns: Whether `did` is in, by this ticket or by one before: signed by a member of the federation or
    ///   by this node, for this network and this DID, not expired when it was first seen, and used by nobody
    ///   else.
    /// - Throws: What the store throws.
    mutating func noteInvite(_ bytes: [UInt8], from did: DID, _ step: Step) throws(StorageError) -> Bool {
        guard case .invite = settings.admission else { return false }
        // The signature need not be checked again with every new record of the same node.
        if invited.contains(did) { return true }
        return try inviteRefusal(bytes, from: did, step) == nil
    }

    /// Admits `did` by a ticket, or says why the ticket does not admit it.
    private mutating func inviteRefusal(
        _ bytes: [UInt8], from did: DID, _ step: Step
    ) throws(StorageError) -> String? {
        guard let signed = SignedInvite(decoding: bytes, verifier: verifier) else {
            return "its invitation is malformed, or not signed by the inviter whom it names"
        }
        let ticket = signed.ticket
        guard ticket.inviter == signer.did || isMember(ticket.inviter) else {
            return "its invitation is by \(ticket.inviter), who is no member of the federation"
        }
        guard ticket.network == settings.network else {
            return "its invitation is for the network \"\(ticket.network)\""
        }
        // A ticket is known by what was signed, not by the envelope: the same content is the same ticket.
        let key = Self.invitePrefix + CID(of: ticket.encoded, codec: .dagCBOR).digest.bytes
        if let holder = try step.storage.value(forKey: key, in: .own) {
            return holder == did.bytes ? nil : "its invitation has let somebody else in"
        }
        if let holder = ticket.holder, holder != did { return "its invitation is for \(holder)" }
        guard step.now < ticket.expires else { return "its invitation expired at \(ticket.expires)" }
        guard ticket.admits(did, to: settings.network, now: step.now) else {
            return "its invitation is not good"
        }
        guard inviteCount < Self.inviteCountMax else {
            return "this node remembers as many tickets as it can"
        }
        try step.storage.put(did.bytes, forKey: key, in: .own)
        inviteCount += 1
        invited.insert(did)
        effects.append(.log(.info, "\(name(of: did)) is in by an invitation of \(name(of: ticket.inviter))"))
        effects.append(
            .event(kind: "member.invited", job: nil, node: did, cid: nil, detail: "\(ticket.inviter)"))
        return nil
    }

    /// Reads who was admitted before.
    mutating func restoreInvites(_ storage: any StorageReader) throws(StorageError) {
        try storage.scan(.own, prefix: Self.invitePrefix) { _, value throws(StorageError) in
            guard let did = DID(bytes: value) else {
                throw StorageError(.corrupt, "the holder of an invite cannot be read")
            }
            invited.insert(did)
            inviteCount += 1
            return true
        }
    }

    // MARK: Guests

    /// Gives a peer that nobody has let in a few seconds to show its ticket.
    ///
    /// Peers whose DID the configuration names need none.
    mutating func receiveGuest(_ link: PeerLink, _ peer: DID, _ step: Step) {
        guard case .invite = settings.admission, !isAdmitted(peer),
            !settings.peers.contains(where: { $0.did == peer })
        else { return }
        guests[link] = step.now + Self.guestMilliseconds
    }

    /// Parts with those who have shown no good ticket in time, and says why.
    ///
    /// A ticket is looked at once more: its inviter may have become known since it came.
    mutating func dismissGuests(_ step: Step) throws(StorageError) {
        guard !guests.isEmpty else { return }
        for link in guests.filter({ $0.value <= step.now }).map(\.key).sorted() {
            guests[link] = nil
            guard let peer = gossip.peer(of: link), !isAdmitted(peer) else { continue }
            var reason: String? = "it has shown no invitation"
            if let invite = gossip.membership.record(of: peer)?.record.invite {
                reason = try inviteRefusal(invite, from: peer, step)
            }
            if let reason {
                try tell(.fault(link, .notInvited, detail: "\(peer) is not let in: \(reason)"), step)
            }
        }
    }

    // MARK: Inviting

    static let invitationMillisecondsMax: Int64 = 366 * 86_400_000

    /// Signs a ticket.
    func invitation(_ request: InviteRequest, nonce: [UInt8], _ step: Step) throws(Refused) -> InviteView {
        if let federation = settings.federationCID, !isMember(signer.did) {
            throw Refused(
                409, "invite.not-member",
                "this node is not a member of \(federation), so nobody would honour its invitation",
                hint: "ask a member")
        }
        var holder: DID?
        if let text = request.holder {
            guard let did = DID(text) else {
                throw Refused(
                    422, "invite.holder",
                    "“\(text.prefix(80))” is not a did:key of an Ed25519 key (did:key:z6Mk…)",
                    hint: "meshctl identity show FILE.pem prints it")
            }
            holder = did
        }
        let span = request.expiresMs.map { Int64($0) } ?? 7 * 86_400_000
        guard (1_000...Self.invitationMillisecondsMax).contains(span) else {
            throw Refused(422, "invite.expires", "an invitation lasts from a second to 366 days")
        }
        let addresses = settings.addresses.filter { $0.utf8.count <= 128 }.prefix(
            InviteTicket.addressCountMax)
        guard !addresses.isEmpty else {
            throw Refused(
                409, "invite.address", "this node listens nowhere, so nobody could come",
                hint: "set `listen` or `advertise` in its configuration")
        }
        let ticket = InviteTicket(
            inviter: signer.did, network: settings.network, addresses: Array(addresses),
            federation: settings.federationCID, holder: holder, expires: step.now + span, nonce: nonce)
        guard let signed = SignedInvite(signing: ticket, by: signer) else {
            throw Refused(422, "invite.too-long", "the invitation is longer than a ticket may be")
        }
        return InviteView(
            ticket: signed.text, inviter: "\(ticket.inviter)", network: ticket.network,
            addresses: ticket.addresses, federation: ticket.federation.map { "\($0)" },
            holder: holder.map { "\($0)" }, expiresAt: "\(ticket.expires)")
    }
}
