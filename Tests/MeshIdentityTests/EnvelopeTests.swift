import IPLD
import MeshCore
import MeshCrypto
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("Signed envelopes", .tags(.Size.small))
struct EnvelopeTests {
    private let identity: Identity
    private let payload: [UInt8]

    init() throws {
        identity = Identity(try Ed25519PrivateKey(seed: Bytes32([UInt8](repeating: 3, count: 32))))
        var encoder = DAGCBOREncoder()
        let did = identity.did
        encoder.map { map in
            map.field("seq") { $0.unsigned(7) }
            map.field("author") { $0.did(did) }
        }
        payload = encoder.bytes
    }

    @Test("what was signed is read back and found signed, by its author only")
    func roundTrip() throws {
        let envelope = Envelope(signing: payload, tag: "mesh/anchor@1", by: identity)
        #expect(try Envelope(decoding: envelope.bytes) == envelope)
        #expect(envelope.tag == "mesh/anchor@1")
        #expect(Array(envelope.bytes[envelope.payload]) == payload)
        #expect(envelope.isSigned(by: identity.did))
        let other = Identity(try Ed25519PrivateKey(seed: .zero))
        #expect(!envelope.isSigned(by: other.did))
        #expect(envelope.cid == CID(of: envelope.bytes, codec: .dagCBOR))
        #expect(try IPLDValue(decoding: envelope.bytes).encoded == envelope.bytes)
        let author = try envelope.decodePayload { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                _ = try map.field("seq") { decoder throws(IPLDError) in try decoder.unsigned() }
                return try map.field("author") { decoder throws(IPLDError) in try decoder.did() }
            }
        }
        #expect(author == identity.did)
    }

    @Test("an envelope with any one bit flipped is refused or not signed")
    func flipped() {
        let bytes = Envelope(signing: payload, tag: "mesh/anchor@1", by: identity).bytes
        var read = 0
        for index in bytes.indices {
            for bit in 0..<8 {
                var wrong = bytes
                wrong[index] ^= 1 << UInt8(bit)
                guard let envelope = try? Envelope(decoding: wrong) else { continue }
                read += 1
                #expect(!envelope.isSigned(by: identity.did), "bit \(bit) of byte \(index)")
            }
        }
        // Most flips of the signature are still of the right form, so the signature check did work.
        #expect(read >= 512)
    }

    @Test("an envelope cut off at any byte, or with a byte more, is refused")
    func truncated() {
        let bytes = Envelope(signing: payload, tag: "mesh/anchor@1", by: identity).bytes
        for length in 0..<bytes.count {
            #expect(throws: IPLDError.self) { try Envelope(decoding: Array(bytes[..<length])) }
        }
        #expect(throws: IPLDError.self) { try Envelope(decoding: bytes + [0]) }
    }

    @Test("another form of envelope is refused")
    func otherForms() {
        let signature = [UInt8](repeating: 5, count: 64)
        let header: [UInt8] = [0x34, 0x01, 0xed, 0x01, 0xed, 0x01, 0x13, 0x71]
        func entry(_ key: String, _ value: IPLDValue) -> IPLDValue.Entry { .init(key: key, value: value) }
        func form(_ signature: [UInt8], _ entries: IPLDValue.Entry...) -> [UInt8] {
            IPLDValue.list([.bytes(signature), .map(entries)]).encoded
        }
        #expect(throws: Never.self) {
            try Envelope(decoding: form(signature, entry("h", .bytes(header)), entry("tag", .null)))
        }
        var secp256k1 = header
        secp256k1[2] = 0xec
        let wrong: [(String, [UInt8])] = [
            ("no payload", form(signature, entry("h", .bytes(header)))),
            ("no header", form(signature, entry("tag", .null))),
            (
                "two payloads",
                form(signature, entry("h", .bytes(header)), entry("a1", .null), entry("b2", .null))
            ),
            ("a key in front of the header", form(signature, entry("a", .null), entry("h", .bytes(header)))),
            ("another algorithm", form(signature, entry("h", .bytes(secp256k1)), entry("tag", .null))),
            ("a longer header", form(signature, entry("h", .bytes(header + [0])), entry("tag", .null))),
            (
                "a shorter signature",
                form(Array(signature.dropLast()), entry("h", .bytes(header)), entry("tag", .null))
            ),
            ("one element", IPLDValue.list([.bytes(signature)]).encoded),
            ("three elements", IPLDValue.list([.bytes(signature), .map([]), .null]).encoded),
            ("a map", IPLDValue.map([]).encoded),
        ]
        for (what, bytes) in wrong {
            #expect(throws: IPLDError.self, "\(what)") { try Envelope(decoding: bytes) }
        }
    }

    @Test("a payload that is read only in part is refused")
    func partOfThePayload() {
        let envelope = Envelope(signing: payload, tag: "mesh/anchor@1", by: identity)
        let error = #expect(throws: IPLDError.self) {
            try envelope.decodePayload { decoder throws(IPLDError) in
                try decoder.map { map throws(IPLDError) in
                    try map.field("seq") { decoder throws(IPLDError) in try decoder.unsigned() }
                }
            }
        }
        #expect(error?.code == .schema)
    }
}
