internal import MeshCore
internal import MeshCrypto
internal import MeshDAG
internal import MeshIdentity

/// An identity that signs with a keyed digest: a hundredth of the cost of Ed25519.
///
/// Whoever knows the run's secret can sign for everyone, which in a simulator nobody does by accident:
/// the nodes that misbehave have behaviours that sign with their own key alone.
struct DigestSigner: Signer {
    let did: DID
    private let secret: UInt64

    init(secret: UInt64, name: String) {
        self.secret = secret
        did = DID(publicKey: SHA256.hash(DigestVerifier.bytes(secret) + Array("identity \(name)".utf8)))
    }

    func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8] {
        let half = DigestVerifier.digest(message, range, did, secret).bytes
        return half + half
    }
}

/// Checks what ``DigestSigner`` signs.
struct DigestVerifier: SignatureVerifier {
    let secret: UInt64

    func isSigned(_ envelope: Envelope, by author: DID) -> Bool {
        let half = Self.digest(envelope.bytes, envelope.signed, author, secret).bytes
        return envelope.signature == half + half
    }

    static func digest(_ message: [UInt8], _ range: Range<Int>, _ did: DID, _ secret: UInt64) -> Bytes32 {
        var keyed = bytes(secret)
        keyed.reserveCapacity(80)
        did.publicKey.append(to: &keyed)
        SHA256.hash(message, in: range).append(to: &keyed)
        return SHA256.hash(keyed)
    }

    static func bytes(_ value: UInt64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt64($0)) }
    }
}

/// The verifier of a run, of either kind.
enum RunVerifier: SignatureVerifier {
    case digest(DigestVerifier)
    case ed25519(Ed25519Verifier)

    func isSigned(_ envelope: Envelope, by author: DID) -> Bool {
        switch self {
        case .digest(let verifier): verifier.isSigned(envelope, by: author)
        case .ed25519(let verifier): verifier.isSigned(envelope, by: author)
        }
    }
}
