public import IPLD
public import MeshCore
public import MeshDAG
public import MeshIdentity

/// A member's word that somebody may join: where to dial, which federation to trust, and who is meant.
///
/// The text form is `mesh-invite:` and the signed envelope in base32. A ticket without ``holder`` belongs to
/// whoever presents it first at each node; since member records carry tickets through the mesh, one for a
/// known DID is the safer kind.
public struct InviteTicket: Hashable, Sendable {
    public static let tag = "mesh/invite@1"
    public static let prefix = "mesh-invite:"
    /// The longest envelope, in bytes: what a member record has room for.
    public static let byteCountMax = 1024
    public static let addressCountMax = 4

    /// Sixteen bytes that tell tickets apart.
    public var nonce: [UInt8]
    /// The node that the ticket is for; `nil` admits whoever comes first.
    public var holder: DID?
    /// The instant from which on the ticket admits nobody new.
    public var expires: Timestamp
    public var inviter: DID
    public var network: String
    /// Where the mesh can be reached.
    public var addresses: [String]
    public var federation: CID?

    public init(
        inviter: DID, network: String, addresses: [String], federation: CID?, holder: DID?,
        expires: Timestamp, nonce: [UInt8]
    ) {
        precondition(nonce.count == 16, "a nonce of \(nonce.count) bytes")
        self.inviter = inviter
        self.network = network
        self.addresses = addresses
        self.federation = federation
        self.holder = holder
        self.expires = expires
        self.nonce = nonce
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 320)
        encoder.map { map in
            map.field("nonce") { $0.byteString(nonce) }
            map.field("holder", ifPresent: holder) { $0.did($1) }
            map.field("expires") { $0.timestamp(expires) }
            map.field("inviter") { $0.did(inviter) }
            map.field("network") { $0.text(network) }
            map.field("addresses") { $0.texts(addresses) }
            map.field("federation", ifPresent: federation) { $0.link($1) }
        }
        return encoder.bytes
    }

    public init(_ envelope: Envelope) throws(IPLDError) {
        guard envelope.tag == Self.tag, envelope.bytes.count <= Self.byteCountMax else {
            throw IPLDError(.schema, "this is no invite ticket")
        }
        self = try envelope.decodePayload { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let nonce = try map.field("nonce") { d throws(IPLDError) in try d.byteString(exactly: 16) }
                let holder = try map.optional("holder") { d throws(IPLDError) in try d.did() }
                let expires = try map.field("expires") { d throws(IPLDError) in try d.timestamp() }
                let inviter = try map.field("inviter") { d throws(IPLDError) in try d.did() }
                let network = try map.field("network") { d throws(IPLDError) in try d.text(atMost: 64) }
                let addresses = try map.field("addresses") { d throws(IPLDError) in
                    try d.texts(atMost: Self.addressCountMax, each: 128)
                }
                let federation = try map.optional("federation") { d throws(IPLDError) in try d.link() }
                return InviteTicket(
                    inviter: inviter, network: network, addresses: addresses, federation: federation,
                    holder: holder, expires: expires, nonce: nonce)
            }
        }
    }

    /// Whether `did` may join `network` with this ticket at `now`.
    public func admits(_ did: DID, to network: String, now: Timestamp) -> Bool {
        self.network == network && now < expires && (holder.map { $0 == did } ?? true)
    }
}

/// A ticket whose signature was checked against its inviter.
public struct SignedInvite: Hashable, Sendable {
    /// The envelope, canonical.
    public let bytes: [UInt8]
    public let ticket: InviteTicket

    /// Signs a ticket; `nil` when it names another inviter or is longer than a ticket may be.
    public init?(signing ticket: InviteTicket, by signer: some Signer) {
        let envelope = Envelope(signing: ticket.encoded, tag: InviteTicket.tag, by: signer)
        guard ticket.inviter == signer.did, (try? InviteTicket(envelope)) == ticket else { return nil }
        bytes = envelope.bytes
        self.ticket = ticket
    }

    /// Reads a ticket; `nil` when it is malformed, too long or not signed by its inviter.
    public init?(decoding bytes: [UInt8], verifier: some SignatureVerifier) {
        guard bytes.count <= InviteTicket.byteCountMax, let envelope = try? Envelope(decoding: bytes),
            let ticket = try? InviteTicket(envelope), verifier.isSigned(envelope, by: ticket.inviter)
        else { return nil }
        self.bytes = bytes
        self.ticket = ticket
    }

    /// Reads the text form.
    public init?(text: String, verifier: some SignatureVerifier) {
        guard text.utf8.count <= 2 * InviteTicket.byteCountMax, text.hasPrefix(InviteTicket.prefix),
            let bytes = Multibase.decodeBase32(text.dropFirst(InviteTicket.prefix.count).utf8)
        else { return nil }
        self.init(decoding: bytes, verifier: verifier)
    }

    public var text: String { InviteTicket.prefix + Multibase.base32(bytes) }
}
