/// The certificate extension that carries the host key, read and written.
///
/// `SEQUENCE { OCTET STRING publicKey, OCTET STRING signature }`, where the public key is a protobuf
/// message of a key type (field 1) and the key's data (field 2).
struct HostKeyExtension {
    static let objectIdentifier = "1.3.6.1.4.1.53594.1.1"

    let publicKey: [UInt8]
    let signature: [UInt8]

    init(publicKey: [UInt8], signature: [UInt8]) {
        self.publicKey = publicKey
        self.signature = signature
    }

    /// Reads strict DER; anything beside the two octet strings is refused.
    init?(der: [UInt8]) {
        var outer = DERReader(der[...])
        guard let sequence = outer.element(tag: 0x30), outer.isAtEnd else { return nil }
        var inner = DERReader(sequence)
        guard let publicKey = inner.element(tag: 0x04), let signature = inner.element(tag: 0x04),
            inner.isAtEnd
        else { return nil }
        self.publicKey = Array(publicKey)
        self.signature = Array(signature)
    }

    var der: [UInt8] {
        DERReader.element(
            tag: 0x30,
            DERReader.element(tag: 0x04, publicKey) + DERReader.element(tag: 0x04, signature))
    }

    /// What the host key signs: a fixed text and the certificate key.
    static func message(subjectPublicKeyInfo: [UInt8]) -> [UInt8] {
        Array("libp2p-tls-handshake:".utf8) + subjectPublicKeyInfo
    }

    /// The protobuf form of an Ed25519 key.
    static func encodeKey(ed25519 key: [UInt8]) -> [UInt8] {
        [0x08, PeerCertificate.HostKeyType.ed25519.rawValue, 0x12, UInt8(truncatingIfNeeded: key.count)] + key
    }

    /// Reads the one deterministic protobuf encoding; reordered or further fields are refused.
    static func parseKey(_ bytes: [UInt8]) -> (type: PeerCertificate.HostKeyType, data: [UInt8])? {
        guard bytes.count >= 4, bytes[0] == 0x08, let type = PeerCertificate.HostKeyType(rawValue: bytes[1]),
            bytes[2] == 0x12
        else { return nil }
        var count = Int(bytes[3] & 0x7f)
        var offset = 4
        if bytes[3] & 0x80 != 0 {
            // Two bytes of varint reach 16,383, more than a whole certificate may have.
            guard bytes.count > 4, bytes[4] != 0, bytes[4] < 0x80 else { return nil }
            count |= Int(bytes[4]) << 7
            offset = 5
        }
        guard bytes.count - offset == count else { return nil }
        return (type, Array(bytes[offset...]))
    }
}

/// Just enough of DER for the extension and for key wrappers.
struct DERReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// The content of the next element, if it has this tag and the shortest form of its length.
    mutating func element(tag: UInt8) -> ArraySlice<UInt8>? {
        guard rest.popFirst() == tag, let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            let byteCount = Int(first & 0x7f)
            guard (1...3).contains(byteCount), rest.count >= byteCount, rest.first != 0 else { return nil }
            length = 0
            for byte in rest.prefix(byteCount) { length = length << 8 | Int(byte) }
            guard length >= 0x80 else { return nil }
            rest = rest.dropFirst(byteCount)
        }
        guard rest.count >= length else { return nil }
        let content = rest.prefix(length)
        rest = rest.dropFirst(length)
        return content
    }

    /// One element with a definite length below 64 KiB.
    static func element(tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        let low = UInt8(truncatingIfNeeded: count)
        let high = UInt8(truncatingIfNeeded: count >> 8)
        let length: [UInt8] = count < 0x80 ? [low] : count < 0x100 ? [0x81, low] : [0x82, high, low]
        return [tag] + length + content
    }
}
