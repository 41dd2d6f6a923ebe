public import MeshCore
public import MeshIdentity

internal import COpenSSL

/// Judging the certificate of a peer by the libp2p TLS profile, revision r0.
///
/// A peer makes a fresh certificate key for every run and signs its own certificate with it. What
/// proves who it is stands in one extension: the host key, and the host key's signature over the
/// certificate key. Nothing else in the certificate, no name and no issuer, has a meaning.
public enum PeerCertificate {
    /// What a certificate proves.
    public enum Verdict: Sendable, Equatable {
        /// It belongs to this identity.
        case valid(DID)
        /// It is in order, but its host key is of a kind that no DID of this mesh has. `hostKey` is
        /// the protobuf encoding of the key.
        case unsupportedKeyType(HostKeyType, hostKey: [UInt8])
        case refused(Refusal)
    }

    /// The kinds of host key that the profile knows, with their protobuf numbers.
    public enum HostKeyType: UInt8, Sendable, CaseIterable {
        case rsa = 0
        case ed25519 = 1
        case secp256k1 = 2
        case ecdsa = 3
    }

    /// Why a certificate proves nothing.
    public enum Refusal: String, Sendable, CaseIterable {
        /// Not one X.509 certificate, or one larger than 16 KiB.
        case malformed = "not one X.509 certificate"
        case notYetValid = "not valid yet"
        case expired = "expired"
        /// The certificate key is of a kind or size that the profile does not allow.
        case certificateKey = "a certificate key of an unsuitable kind"
        case selfSignature = "not signed by its own key"
        /// A critical extension that nobody here understands.
        case unknownCriticalExtension = "an unknown critical extension"
        case extensionMissing = "without a host key extension"
        case extensionMalformed = "a malformed host key extension"
        case hostKey = "a malformed host key"
        case hostSignature = "a host key signature that does not verify"
    }

    /// The most bytes of a certificate that are looked at.
    static let byteCountMax = 16 << 10

    /// Judges one DER certificate at the instant `now`.
    public static func check(der: [UInt8], now: Timestamp) -> Verdict {
        guard !der.isEmpty, der.count <= byteCountMax, let certificate = Certificate.parse(der) else {
            return .refused(.malformed)
        }
        if let refusal = certificate.validityRefusal(now: now) { return .refused(refusal) }
        guard certificate.hasSuitableKey else { return .refused(.certificateKey) }
        guard certificate.isSelfSigned else { return .refused(.selfSignature) }
        switch certificate.hostKeyExtension() {
        case .refused(let refusal): return .refused(refusal)
        case .found(let value):
            guard let fields = HostKeyExtension(der: value) else { return .refused(.extensionMalformed) }
            guard let (type, data) = HostKeyExtension.parseKey(fields.publicKey) else {
                return .refused(.hostKey)
            }
            let message = HostKeyExtension.message(subjectPublicKeyInfo: certificate.subjectPublicKeyInfo)
            guard let key = HostKey.make(type: type, data: data) else { return .refused(.hostKey) }
            guard key.isValid(fields.signature, of: message) else { return .refused(.hostSignature) }
            guard type == .ed25519 else { return .unsupportedKeyType(type, hostKey: fields.publicKey) }
            return .valid(DID(publicKey: Bytes32(data)))
        }
    }
}

/// One parsed X.509 certificate.
@safe
private struct Certificate: ~Copyable {
    enum Extension {
        case found([UInt8])
        case refused(PeerCertificate.Refusal)
    }

    private let handle: OpaquePointer

    private init(adopting handle: OpaquePointer) { unsafe self.handle = handle }

    /// Reads exactly one certificate.
    static func parse(_ der: [UInt8]) -> Certificate? {
        let (parsed, consumed) = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            let parsed = unsafe d2i_X509(nil, &cursor, buffer.count)
            let consumed = unsafe cursor.flatMap { end in unsafe buffer.baseAddress.map { unsafe end - $0 } }
            return unsafe (parsed, consumed)
        }
        guard let handle = unsafe parsed else {
            ERR_clear_error()
            return nil
        }
        let certificate = unsafe Certificate(adopting: handle)
        guard consumed == der.count else { return nil }
        return certificate
    }

    deinit { unsafe X509_free(handle) }

    func validityRefusal(now: Timestamp) -> PeerCertificate.Refusal? {
        var seconds = time_t(now.milliseconds / 1000)
        let start = unsafe X509_cmp_time(X509_get0_notBefore(handle), &seconds)
        let end = unsafe X509_cmp_time(X509_get0_notAfter(handle), &seconds)
        if start == 0 || end == 0 { return .malformed }
        if start > 0 { return .notYetValid }
        return end < 0 ? .expired : nil
    }

    var hasSuitableKey: Bool {
        guard let key = unsafe X509_get0_pubkey(handle) else {
            ERR_clear_error()
            return false
        }
        switch unsafe EVP_PKEY_get_id(key) {
        case EVP_PKEY_ED25519: return true
        case EVP_PKEY_EC: return unsafe EVP_PKEY_get_bits(key) >= 256
        // The upper bound keeps a hostile key from costing us much.
        case EVP_PKEY_RSA: return unsafe (2048...4096).contains(EVP_PKEY_get_bits(key))
        default: return false
        }
    }

    var isSelfSigned: Bool {
        let verdict = unsafe X509_verify(handle, X509_get0_pubkey(handle)) == 1
        if !verdict { ERR_clear_error() }
        return verdict
    }

    var subjectPublicKeyInfo: [UInt8] {
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_PUBKEY(X509_get0_pubkey(handle), &encoded)
        guard count > 0, let start = unsafe encoded else { return [] }
        defer { unsafe CRYPTO_free(start, "", 0) }
        return unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    /// The value of the host key extension, after every critical extension was looked at.
    func hostKeyExtension() -> Extension {
        var found: [UInt8]?
        let count = unsafe X509_get_ext_count(handle)
        for index in 0..<max(0, count) {
            guard let entry = unsafe X509_get_ext(handle, index),
                let object = unsafe X509_EXTENSION_get_object(entry)
            else { return .refused(.malformed) }
            var name = [CChar](repeating: 0, count: 80)
            unsafe OBJ_obj2txt(&name, 80, object, 1)
            if String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                == HostKeyExtension.objectIdentifier
            {
                guard found == nil, let data = unsafe X509_EXTENSION_get_data(entry),
                    let start = unsafe ASN1_STRING_get0_data(data)
                else { return .refused(.extensionMalformed) }
                let count = unsafe Int(ASN1_STRING_length(data))
                found = unsafe Array(UnsafeBufferPointer(start: start, count: count))
            } else if unsafe X509_EXTENSION_get_critical(entry) != 0 {
                let understood = [NID_basic_constraints, NID_key_usage, NID_ext_key_usage]
                guard understood.contains(unsafe OBJ_obj2nid(object)) else {
                    return .refused(.unknownCriticalExtension)
                }
            }
        }
        return found.map { .found($0) } ?? .refused(.extensionMissing)
    }
}
