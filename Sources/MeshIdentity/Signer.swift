public import MeshCore
public import MeshCrypto

/// What signs for one identity.
///
/// The daemon signs with an Ed25519 key; a simulator may substitute something cheaper, which is why
/// the engine sees this protocol and not the key.
public protocol Signer: Sendable {
    var did: DID { get }
    /// A 64-byte signature of `message[range]`.
    func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8]
}

/// A key pair as an identity.
public struct Identity: Signer {
    public let key: Ed25519PrivateKey
    public let did: DID

    public init(_ key: Ed25519PrivateKey) {
        self.key = key
        did = DID(publicKey: key.publicKey)
    }

    /// Reads a PKCS#8 PEM document.
    public init(pem: String) throws(CryptoError) {
        self.init(try Ed25519PrivateKey(pem: pem))
    }

    public func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8] {
        key.sign(message, in: range)
    }
}
