internal import COpenSSL

/// A host key of any kind that the profile knows, for checking its signature.
@safe
struct HostKey: ~Copyable {
    private let type: PeerCertificate.HostKeyType
    private let handle: OpaquePointer

    private init(type: PeerCertificate.HostKeyType, adopting handle: OpaquePointer) {
        self.type = type
        unsafe self.handle = handle
    }

    /// Makes a key of what a peer sent, if it is one.
    ///
    /// - Parameters:
    ///   - type: The kind that the peer claims.
    ///   - data: 32 bytes for Ed25519, a SEC 1 point for secp256k1, otherwise a DER
    ///     SubjectPublicKeyInfo.
    /// - Returns: The key, or `nil` for bytes that are not a key of that kind.
    static func make(type: PeerCertificate.HostKeyType, data: [UInt8]) -> HostKey? {
        let made: OpaquePointer?
        switch type {
        case .ed25519:
            guard data.count == 32 else { return nil }
            unsafe made = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, data, 32)
        case .secp256k1:
            guard data.count == 33 || data.count == 65 else { return nil }
            // id-ecPublicKey, secp256k1
            let algorithm: [UInt8] = [
                0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
                0x04,
                0x00, 0x0a,
            ]
            unsafe made = Self.decode(
                DERReader.element(tag: 0x30, algorithm + DERReader.element(tag: 0x03, [0] + data)))
        case .ecdsa, .rsa:
            unsafe made = Self.decode(data)
        }
        guard let handle = unsafe made else {
            ERR_clear_error()
            return nil
        }
        let key = unsafe HostKey(type: type, adopting: handle)
        let bits = unsafe EVP_PKEY_get_bits(handle)
        switch (type, unsafe EVP_PKEY_get_id(handle)) {
        case (.ed25519, EVP_PKEY_ED25519), (.ecdsa, EVP_PKEY_EC), (.secp256k1, EVP_PKEY_EC): break
        case (.rsa, EVP_PKEY_RSA) where (2048...8192).contains(bits): break
        default: return nil
        }
        return key
    }

    deinit { unsafe EVP_PKEY_free(handle) }

    private static func decode(_ der: [UInt8]) -> OpaquePointer? {
        unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            guard let key = unsafe d2i_PUBKEY(nil, &cursor, buffer.count) else { return nil }
            guard let end = unsafe cursor, let start = buffer.baseAddress, unsafe end - start == buffer.count
            else {
                unsafe EVP_PKEY_free(key)
                return nil
            }
            return unsafe key
        }
    }

    /// Whether this key signed `message`; with SHA-256 for all kinds but Ed25519.
    func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        let digest = unsafe type == .ed25519 ? nil : EVP_sha256()
        let verdict =
            unsafe EVP_DigestVerifyInit(context, nil, digest, nil, handle) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        if !verdict { ERR_clear_error() }
        return verdict
    }
}
