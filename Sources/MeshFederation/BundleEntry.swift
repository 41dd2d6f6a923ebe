public import IPLD
public import MeshCore
public import MeshDAG
public import MeshIdentity
internal import MeshMarket

/// A bundle as an entry: its body's CID and the signatures of members under it.
public struct BundleEntry: Hashable, Sendable {
    public static let kind = "federation.bundle"
    /// The tag of the envelope that a member signs; its payload is the body's CID.
    public static let signatureTag = "mesh/bundle-signature@1"

    public struct Signature: Hashable, Sendable {
        public var did: DID
        /// 64 bytes, over the signed part of the signature envelope.
        public var signature: [UInt8]

        public init(did: DID, signature: [UInt8]) {
            self.did = did
            self.signature = signature
        }
    }

    public var body: CID
    /// Sorted by DID, distinct.
    public var signatures: [Signature]

    public init(body: CID, signatures: [Signature]) {
        self.body = body
        self.signatures = signatures
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            map.field("body") { $0.link(body) }
            map.field("kind") { $0.text(Self.kind) }
            map.field("signatures") { encoder in
                encoder.array(signatures) { encoder, one in
                    encoder.map { map in
                        map.field("did") { $0.did(one.did) }
                        map.field("signature") { $0.byteString(one.signature) }
                    }
                }
            }
        }
        return encoder.bytes
    }

    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let body = try map.field("body") { d throws(IPLDError) in try d.link() }
                try map.kind(Self.kind)
                let signatures = try map.field("signatures") { d throws(IPLDError) in
                    try d.array(atMost: FederationBundle.memberCountMax) { d throws(IPLDError) in
                        try d.map { map throws(IPLDError) in
                            let did = try map.field("did") { d throws(IPLDError) in try d.did() }
                            let signature = try map.field("signature") { d throws(IPLDError) in
                                try d.byteString(exactly: 64)
                            }
                            return Signature(did: did, signature: signature)
                        }
                    }
                }
                return BundleEntry(body: body, signatures: signatures)
            }
        }
    }

    /// The envelope in which a member puts its name under the bundle `body`.
    public static func signatureEnvelope(_ body: CID, by signer: some Signer) -> Envelope {
        var encoder = DAGCBOREncoder(capacity: 48)
        encoder.link(body)
        return Envelope(signing: encoder.bytes, tag: signatureTag, by: signer)
    }

    /// The same envelope again, out of the signature that came in it.
    public static func signatureEnvelope(_ body: CID, by member: DID, signature: [UInt8]) -> Envelope {
        signatureEnvelope(body, by: Signed(did: member, signature: signature))
    }

    /// Somebody who has signed already.
    private struct Signed: Signer {
        let did: DID
        let signature: [UInt8]

        func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8] { signature }
    }

    /// The bundle that a signature envelope is about.
    public static func signedBody(_ envelope: Envelope) throws(IPLDError) -> CID {
        try envelope.decodePayload { d throws(IPLDError) in try d.link() }
    }

    /// The members of `bundle` whose valid signatures this entry holds.
    public func signers(of bundle: FederationBundle, verifier: some SignatureVerifier) -> [DID] {
        var signers: [DID] = []
        for one in signatures where bundle.member(one.did) != nil && !signers.contains(one.did) {
            // The envelope is rebuilt from its parts: what was signed is fully decided by the body's CID.
            let claimed = Envelope(
                signing: { () -> [UInt8] in
                    var encoder = DAGCBOREncoder(capacity: 48)
                    encoder.link(body)
                    return encoder.bytes
                }(), tag: Self.signatureTag, by: Quoted(did: one.did, signature: one.signature))
            if verifier.isSigned(claimed, by: one.did) { signers.append(one.did) }
        }
        return signers
    }

    /// Puts a signature that somebody else made into an envelope.
    private struct Quoted: Signer {
        let did: DID
        let signature: [UInt8]
        func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8] { signature }
    }
}
