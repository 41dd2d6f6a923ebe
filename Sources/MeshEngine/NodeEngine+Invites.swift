internal import IPLD
internal import MeshCore
internal import MeshFederation
internal import MeshIdentity
internal import MeshStorage

// Who has been invited: one row for each ticket that has admitted somebody, so that a restart does not shut
// anyone out and a ticket without a holder admits one node only.
extension NodeEngine {
    static let invitePrefix = Array("invite".utf8)
    /// The most tickets that are remembered; a member can sign any number.
    static let inviteCountMax = 16_384

    /// Takes a ticket that a member record of `did` carries, and from then on stores the feeds of `did` if
    /// it is good.
    ///
    /// A node that is in by a ticket stays in when it expires.
    ///
    /// - Returns: Whether the ticket admits `did`: signed by a member of the federation or by this node, for
    ///   this network and this DID, not expired when it was first seen, and used by nobody else.
    /// - Throws: What the store throws.
    mutating func noteInvite(_ bytes: [UInt8], from did: DID, _ step: Step) throws(StorageError) -> Bool {
        guard case .invite = settings.admission,
            let signed = SignedInvite(decoding: bytes, verifier: verifier)
        else { return false }
        let ticket = signed.ticket
        guard ticket.inviter == signer.did || settings.federation?.member(ticket.inviter) != nil,
            ticket.network == settings.network
        else { return false }
        // A ticket is known by what was signed, not by the envelope: the same content is the same ticket.
        let key = Self.invitePrefix + CID(of: ticket.encoded, codec: .dagCBOR).digest.bytes
        if let holder = try step.storage.value(forKey: key, in: .own) { return holder == did.bytes }
        guard ticket.admits(did, to: settings.network, now: step.now), inviteCount < Self.inviteCountMax
        else {
            return false
        }
        try step.storage.put(did.bytes, forKey: key, in: .own)
        inviteCount += 1
        invited.insert(did)
        return true
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
}
