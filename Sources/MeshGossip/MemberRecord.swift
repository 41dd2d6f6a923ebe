public import IPLD
public import MeshCore
public import MeshDAG
public import MeshIdentity

/// What a node says of itself: that it is a member, and where it can be dialled.
///
/// Only its subject signs it, and of two records the one with the higher incarnation holds. Time never
/// decides between two records: a replayed one is old by its incarnation, whatever the clocks say.
///
/// An incarnation may be at most ``incarnationLeadMax`` above the record's own milliseconds since 1970, and
/// a record is refused while its time is more than a minute ahead of its reader. A node that burns its
/// incarnations in one go can therefore always sign a higher one a moment later, and every reader decides
/// alike, because neither bound depends on what the reader has seen before.
public struct MemberRecord: Hashable, Sendable {
    public static let tag = "mesh/member@1"

    /// The most addresses in a record.
    public static let addressCountMax = 4
    /// In bytes of UTF-8, for one address.
    public static let addressSizeMax = 128
    /// In bytes.
    public static let inviteSizeMax = 1024
    /// How far an incarnation may run ahead of the milliseconds of its record's time.
    public static let incarnationLeadMax: UInt64 = 1_000_000
    /// The most bytes that an envelope of a record takes.
    public static let envelopeSizeMax = 2048

    public var did: DID
    /// Where the node accepts connections, best first; empty when it only dials.
    public var addresses: [String]
    /// Raised by the node to refute a suspicion, and with every start.
    public var incarnation: UInt64
    public var time: Timestamp
    /// The proof by which the node was let in, where the mesh asks for one.
    public var invite: [UInt8]?

    public init(
        did: DID, addresses: [String], incarnation: UInt64, time: Timestamp, invite: [UInt8]? = nil
    ) {
        self.did = did
        self.addresses = addresses
        self.incarnation = incarnation
        self.time = time
        self.invite = invite
    }

    /// The highest incarnation that a record of `time` may have.
    public static func incarnationMax(at time: Timestamp) -> UInt64 {
        UInt64(max(0, min(time.milliseconds, 1 << 48))) + incarnationLeadMax
    }

    /// Whether every field keeps its bound.
    var isWithinBounds: Bool {
        addresses.count <= Self.addressCountMax
            && addresses.allSatisfy { !$0.isEmpty && $0.utf8.count <= Self.addressSizeMax }
            && (invite?.count ?? 0) <= Self.inviteSizeMax
            && incarnation <= Self.incarnationMax(at: time)
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 128 + addresses.count * 32 + (invite?.count ?? 0))
        encoder.map { map in
            map.field("did") { $0.did(did) }
            map.field("time") { $0.timestamp(time) }
            if let invite { map.field("invite") { $0.byteString(invite) } }
            map.field("addresses") { $0.texts(addresses) }
            map.field("incarnation") { $0.unsigned(incarnation) }
        }
        return encoder.bytes
    }

    /// Reads the payload of `envelope`, whose signature is not looked at.
    public init(_ envelope: Envelope) throws(IPLDError) {
        guard envelope.tag == Self.tag else {
            throw IPLDError(.schema, "a \(Self.tag) expected, \(envelope.tag) found")
        }
        self = try envelope.decodePayload { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let did = try map.field("did") { d throws(IPLDError) in try d.did() }
                let time = try map.field("time") { d throws(IPLDError) in try d.timestamp() }
                let invite = try map.optional("invite") { d throws(IPLDError) in
                    try d.byteString(atMost: Self.inviteSizeMax)
                }
                let addresses = try map.field("addresses") { d throws(IPLDError) in
                    try d.texts(atMost: Self.addressCountMax, each: Self.addressSizeMax)
                }
                let incarnation = try map.field("incarnation") { d throws(IPLDError) in
                    try d.unsigned(atMost: Self.incarnationMax(at: time))
                }
                return MemberRecord(
                    did: did, addresses: addresses, incarnation: incarnation, time: time, invite: invite)
            }
        }
        guard isWithinBounds else { throw IPLDError(.schema, "a member's address is empty") }
    }
}

/// A ``MemberRecord`` with the envelope whose signature its subject's key has made.
public struct SignedMember: Hashable, Sendable {
    /// As it was signed, to be passed on.
    public let envelope: [UInt8]
    public let record: MemberRecord

    /// Reads an envelope from a peer.
    ///
    /// - Returns: `nil` when it is no record, or its subject has not signed it.
    public init?(decoding bytes: [UInt8], verifier: some SignatureVerifier) {
        guard bytes.count <= MemberRecord.envelopeSizeMax, let envelope = try? Envelope(decoding: bytes),
            let record = try? MemberRecord(envelope), verifier.isSigned(envelope, by: record.did)
        else { return nil }
        self.envelope = bytes
        self.record = record
    }

    /// Signs a record of the signer's own, which must keep the bounds of ``MemberRecord``.
    public init(signing record: MemberRecord, by signer: any Signer) {
        precondition(record.did == signer.did, "a member signs for itself")
        precondition(record.isWithinBounds, "a member's record keeps its bounds")
        self.record = record
        envelope = Envelope(signing: record.encoded, tag: MemberRecord.tag, by: signer).bytes
    }

    /// Whether this takes the place of `other`, a record of the same member.
    public func isNewer(than other: SignedMember) -> Bool {
        record.incarnation > other.record.incarnation
    }
}
