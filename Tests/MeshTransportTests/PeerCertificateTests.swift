import Foundation
import IPLD
import MeshCore
import MeshCrypto
import MeshIdentity
import MeshTestSupport
import MeshTransport
import Testing

@Suite("PeerCertificate", .tags(.Size.small))
struct PeerCertificateTests {
    private struct Vectors: Decodable {
        struct Vector: Decodable {
            let name: String
            let certificate_der_hex: String
            let host_key_type: String
            let valid: Bool
            let peer_id: String?
        }
        let vectors: [Vector]
    }

    private let now = Timestamp(milliseconds: 1_790_000_000_000)

    private func identity(_ number: UInt8) throws -> Identity {
        try Identity(Ed25519PrivateKey(seed: Bytes32([UInt8](repeating: number, count: 32))))
    }

    private static func bytes(hexadecimal text: String) -> [UInt8] {
        let digits = Array(text)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }

    /// The libp2p name of a key: base58 of an identity multihash up to 42 bytes, of a digest beyond.
    private static func peerID(_ hostKey: [UInt8]) -> String {
        if hostKey.count <= 42 { return Multibase.base58([0x00, UInt8(hostKey.count)] + hostKey) }
        return Multibase.base58([0x12, 0x20] + SHA256.hash(hostKey).bytes)
    }

    @Test(
        "the published certificates are judged as published",
        .enabled(if: PublicVectors.has("libp2p-tls.json"), Comment(rawValue: PublicVectors.missing)))
    func publishedVectors() throws {
        let data = Data(try #require(PublicVectors.bytes("libp2p-tls.json")))
        let vectors = try JSONDecoder().decode(Vectors.self, from: data).vectors
        #expect(vectors.count == 4)
        for vector in vectors {
            let verdict = PeerCertificate.check(
                der: Self.bytes(hexadecimal: vector.certificate_der_hex), now: now)
            switch verdict {
            case .valid(let did):
                #expect(vector.valid && vector.host_key_type == "Ed25519", "\(vector.name)")
                #expect(Self.peerID([8, 1, 0x12, 32] + did.publicKey.bytes) == vector.peer_id)
            case .unsupportedKeyType(let type, let hostKey):
                #expect(vector.valid && "\(type)" == vector.host_key_type.lowercased(), "\(vector.name)")
                #expect(Self.peerID(hostKey) == vector.peer_id)
            case .refused(let refusal):
                #expect(!vector.valid && refusal == .hostSignature, "\(vector.name): \(refusal)")
            }
        }
    }

    @Test(
        "no single bit of a published certificate may be flipped",
        .enabled(if: PublicVectors.has("libp2p-tls.json"), Comment(rawValue: PublicVectors.missing)))
    func flippedBits() throws {
        let data = Data(try #require(PublicVectors.bytes("libp2p-tls.json")))
        let vector = try #require(try JSONDecoder().decode(Vectors.self, from: data).vectors.first)
        var der = Self.bytes(hexadecimal: vector.certificate_der_hex)
        var accepted: [Int] = []
        for bit in 0..<der.count * 8 {
            der[bit / 8] ^= 1 << UInt8(bit % 8)
            if case .refused = PeerCertificate.check(der: der, now: now) {} else { accepted.append(bit) }
            der[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        #expect(accepted == [])
        guard case .valid = PeerCertificate.check(der: der, now: now) else {
            Issue.record("the certificate is refused even as it was published")
            return
        }
    }

    @Test("our own certificate proves our DID")
    func own() throws {
        let identity = try identity(1)
        let certificate = try HostCertificate(of: identity, now: now)
        #expect(PeerCertificate.check(der: certificate.der, now: now) == .valid(identity.did))
    }

    @Test("the extension may be critical")
    func critical() throws {
        let identity = try identity(1)
        let certificate = try HostCertificate(from: now + -1000, until: now + 100_000) {
            [HostCertificate.hostKeyExtension(of: identity, subjectPublicKeyInfo: $0, isCritical: true)]
        }
        #expect(PeerCertificate.check(der: certificate.der, now: now) == .valid(identity.did))
    }

    @Test("a certificate is refused outside its window")
    func window() throws {
        let certificate = try HostCertificate(of: try identity(1), now: now)
        #expect(PeerCertificate.check(der: certificate.der, now: now + -4_000_000) == .refused(.notYetValid))
        #expect(
            PeerCertificate.check(der: certificate.der, now: now + 4_000_000_000_000) == .refused(.expired))
    }

    @Test("an unknown critical extension is refused, an unknown one that is not critical is not")
    func unknownExtension() throws {
        let identity = try identity(1)
        func make(isCritical: Bool) throws -> [UInt8] {
            try HostCertificate(from: now + -1000, until: now + 100_000) {
                [
                    HostCertificate.Extension(
                        objectIdentifier: "1.2.3.4", isCritical: isCritical, value: [5, 0]),
                    HostCertificate.hostKeyExtension(of: identity, subjectPublicKeyInfo: $0),
                ]
            }.der
        }
        #expect(
            PeerCertificate.check(der: try make(isCritical: true), now: now)
                == .refused(.unknownCriticalExtension))
        #expect(PeerCertificate.check(der: try make(isCritical: false), now: now) == .valid(identity.did))
    }

    @Test("a certificate without the extension, with two, or with a malformed one is refused")
    func extensionShape() throws {
        let identity = try identity(1)
        func verdict(_ extensions: @escaping ([UInt8]) -> [HostCertificate.Extension]) throws
            -> PeerCertificate.Verdict
        {
            let certificate = try HostCertificate(
                from: now + -1000, until: now + 100_000, extensions: extensions)
            return PeerCertificate.check(der: certificate.der, now: now)
        }
        #expect(try verdict { _ in [] } == .refused(.extensionMissing))
        #expect(
            try verdict { key in
                let one = HostCertificate.hostKeyExtension(of: identity, subjectPublicKeyInfo: key)
                return [one, one]
            } == .refused(.extensionMalformed))
        #expect(
            try verdict { key in
                let one = HostCertificate.hostKeyExtension(of: identity, subjectPublicKeyInfo: key)
                return [
                    HostCertificate.Extension(
                        objectIdentifier: one.objectIdentifier, isCritical: false, value: one.value + [0])
                ]
            } == .refused(.extensionMalformed))
    }

    @Test("a host key signature over another certificate key is refused")
    func forged() throws {
        let identity = try identity(1)
        let certificate = try HostCertificate(from: now + -1000, until: now + 100_000) { key in
            [HostCertificate.hostKeyExtension(of: identity, subjectPublicKeyInfo: key.reversed())]
        }
        #expect(PeerCertificate.check(der: certificate.der, now: now) == .refused(.hostSignature))
    }

    @Test("garbage, nothing and trailing bytes are malformed")
    func malformed() throws {
        let der = try HostCertificate(of: try identity(1), now: now).der
        for bytes in [
            [], [0x30], Array("certificate".utf8), der + [0], Array(der.dropLast()),
            [UInt8](repeating: 0x30, count: 20_000),
        ] {
            #expect(PeerCertificate.check(der: bytes, now: now) == .refused(.malformed))
        }
    }
}
