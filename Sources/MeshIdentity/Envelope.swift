public import IPLD
public import MeshCore
internal import MeshCrypto

/// A signed payload in the envelope form of UCAN 1.0: `[signature, {"h": header, tag: payload}]`.
///
/// The signature covers the DAG-CBOR of the second element, as it stands in the bytes; the CID
/// covers the whole envelope. The header is the one for Ed25519 over dag-cbor
/// (`34 01 ed 01 ed 01 13 71`, varsig v1); any other is refused.
public struct Envelope: Hashable, Sendable {
    /// The whole envelope, canonical.
    public let bytes: [UInt8]
    public let signature: [UInt8]
    /// The payload's key, such as `mesh/anchor@1`.
    public let tag: String
    /// Where the payload lies in ``bytes``.
    public let payload: Range<Int>
    /// Where the signed part lies in ``bytes``.
    public let signed: Range<Int>

    static let header: [UInt8] = [0x34, 0x01, 0xed, 0x01, 0xed, 0x01, 0x13, 0x71]

    /// Reads an envelope and checks its form, but not its signature.
    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        var decoder = DAGCBORDecoder(bytes)
        let start = decoder.offset
        guard try decoder.arrayHead(atMost: 2) == 2 else {
            throw IPLDError(.schema, "an envelope has two elements, at byte \(start)")
        }
        signature = try decoder.byteString(exactly: 64)
        let signedStart = decoder.offset
        (tag, payload) = try decoder.map { map throws(IPLDError) in
            let header = try map.field("h") { decoder throws(IPLDError) in try decoder.byteString(exactly: 8)
            }
            guard header == Self.header else {
                throw IPLDError(.schema, "the envelope is not signed with Ed25519 over dag-cbor")
            }
            guard let tag = try map.nextKey() else {
                throw IPLDError(.schema, "the envelope has no payload")
            }
            let payload = try map.value { decoder throws(IPLDError) in try decoder.skip() }
            return (tag, payload)
        }
        signed = signedStart..<decoder.offset
        try decoder.finish()
        self.bytes = bytes
    }

    /// Signs `payload`, one canonical DAG-CBOR item, under `tag`.
    public init(signing payload: [UInt8], tag: String, by signer: some Signer) {
        var encoder = DAGCBOREncoder(capacity: payload.count + 160)
        encoder.map { map in
            map.field("h") { $0.byteString(Self.header) }
            map.field(tag) { $0.encoded(payload) }
        }
        let inner = encoder.bytes
        let signature = signer.sign(inner, in: 0..<inner.count)
        var outer: [UInt8] = [0x82, 0x58, 0x40]
        outer.reserveCapacity(inner.count + 67)
        outer.append(contentsOf: signature)
        outer.append(contentsOf: inner)
        bytes = outer
        self.signature = signature
        self.tag = tag
        self.payload = outer.count - payload.count..<outer.count
        signed = 67..<outer.count
    }

    /// Whether `author` signed this.
    public func isSigned(by author: DID) -> Bool {
        Ed25519.isValid(signature, of: bytes, in: signed, by: author.publicKey)
    }

    /// The name of the whole envelope.
    public var cid: CID { CID(of: bytes, codec: .dagCBOR) }

    /// Decodes the payload, which must be all of what stands under the tag.
    public func decodePayload<Value>(
        _ body: (inout DAGCBORDecoder) throws(IPLDError) -> Value
    ) throws(IPLDError) -> Value {
        var decoder = DAGCBORDecoder(bytes, in: payload)
        let value = try body(&decoder)
        try decoder.finish()
        return value
    }
}
