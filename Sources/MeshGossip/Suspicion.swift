public import IPLD
public import MeshCore
public import MeshDAG
public import MeshIdentity

/// One member's word that another, in one incarnation, does not answer; or its own word that it leaves.
///
/// It says nothing of any other incarnation: the subject's next record ends it.
public struct Suspicion: Hashable, Sendable {
    public static let tag = "mesh/suspicion@1"
    /// The most bytes that an envelope of a suspicion takes.
    public static let envelopeSizeMax = 512

    public enum Cause: String, Hashable, Sendable, CaseIterable {
        /// Probes went unanswered: the member, the way to it or the witness is slow.
        case probe
        /// The member's address refused a connection just after its links broke: no process listens there.
        case refused
        /// The member says so itself; nobody else's word counts.
        case left
    }

    public var subject: DID
    /// The only incarnation that this is about.
    public var incarnation: UInt64
    public var witness: DID
    public var cause: Cause
    public var time: Timestamp

    public init(subject: DID, incarnation: UInt64, witness: DID, cause: Cause, time: Timestamp) {
        self.subject = subject
        self.incarnation = incarnation
        self.witness = witness
        self.cause = cause
        self.time = time
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 192)
        encoder.map { map in
            map.field("time") { $0.timestamp(time) }
            map.field("cause") { $0.text(cause.rawValue) }
            map.field("subject") { $0.did(subject) }
            map.field("witness") { $0.did(witness) }
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
                let time = try map.field("time") { d throws(IPLDError) in try d.timestamp() }
                let word = try map.field("cause") { d throws(IPLDError) in try d.text(atMost: 16) }
                guard let cause = Cause(rawValue: word) else {
                    throw IPLDError(.schema, "\"\(word)\" is not a cause of suspicion")
                }
                let subject = try map.field("subject") { d throws(IPLDError) in try d.did() }
                let witness = try map.field("witness") { d throws(IPLDError) in try d.did() }
                guard (cause == .left) == (subject == witness) else {
                    throw IPLDError(.schema, "a member suspects others and leaves for itself")
                }
                let incarnation = try map.field("incarnation") { d throws(IPLDError) in
                    try d.unsigned(atMost: MemberRecord.incarnationMax(at: time))
                }
                return Suspicion(
                    subject: subject, incarnation: incarnation, witness: witness, cause: cause, time: time)
            }
        }
    }
}

/// A ``Suspicion`` with the envelope whose signature its witness's key has made.
public struct SignedSuspicion: Hashable, Sendable {
    /// As it was signed, to be passed on.
    public let envelope: [UInt8]
    public let suspicion: Suspicion

    /// Reads an envelope from a peer.
    ///
    /// - Returns: `nil` when it is no suspicion, or its witness has not signed it.
    public init?(decoding bytes: [UInt8], verifier: some SignatureVerifier) {
        guard bytes.count <= Suspicion.envelopeSizeMax, let envelope = try? Envelope(decoding: bytes),
            let suspicion = try? Suspicion(envelope), verifier.isSigned(envelope, by: suspicion.witness)
        else { return nil }
        self.envelope = bytes
        self.suspicion = suspicion
    }

    /// Signs a suspicion whose witness is the signer.
    public init(signing suspicion: Suspicion, by signer: any Signer) {
        precondition(suspicion.witness == signer.did, "a witness signs for itself")
        self.suspicion = suspicion
        envelope = Envelope(signing: suspicion.encoded, tag: Suspicion.tag, by: signer).bytes
    }
}
