public import IPLD
public import MeshCore

/// A `did:key` of an Ed25519 public key: a node, a person or an issuer.
///
/// In records it is the 34 bytes `ed 01 ‖ key`; as text `did:key:z6Mk…` (W3C did:key method).
public struct DID: Hashable, Comparable, Sendable {
    /// The Ed25519 public key.
    public let publicKey: Bytes32

    public init(publicKey: Bytes32) {
        self.publicKey = publicKey
    }

    public static func < (a: Self, b: Self) -> Bool { a.publicKey < b.publicKey }

    /// `ed 01 ‖ key`.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = [0xed, 0x01]
        publicKey.append(to: &bytes)
        return bytes
    }

    /// Reads the 34-byte form.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 34, bytes[0] == 0xed, bytes[1] == 0x01 else { return nil }
        publicKey = Bytes32(bytes, at: 2)
    }
}

extension DID: CustomStringConvertible {
    public var description: String { "did:key:z" + Multibase.base58(bytes) }

    /// Reads `did:key:z6Mk…`; other methods and other key types are `nil`.
    public init?(_ text: String) {
        guard text.hasPrefix("did:key:z"), let bytes = Multibase.decodeBase58(text.utf8.dropFirst(9)) else {
            return nil
        }
        self.init(bytes: bytes)
    }
}

extension DAGCBOREncoder {
    /// The 34 bytes of `did`.
    @inlinable
    public mutating func did(_ did: DID) { byteString((0xed, 0x01), did.publicKey) }
}

extension DAGCBORDecoder {
    /// The 34 bytes of a DID.
    public mutating func did() throws(IPLDError) -> DID {
        let content = try byteStringRange(exactly: 34)
        guard bytes[content.lowerBound] == 0xed, bytes[content.lowerBound + 1] == 0x01 else {
            throw IPLDError(.schema, "the bytes at \(content.lowerBound) are not an Ed25519 did:key")
        }
        return DID(publicKey: Bytes32(bytes, at: content.lowerBound + 2))
    }
}
