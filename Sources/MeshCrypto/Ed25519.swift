public import MeshCore

internal import COpenSSL

/// Why a key could not be used.
public enum CryptoFailure: String, Sendable, CaseIterable {
    /// The text is not a PKCS#8 PEM private key.
    case notPEM = "crypto.not-pem"
    /// The key is of another kind than Ed25519.
    case notEd25519 = "crypto.not-ed25519"
    /// OpenSSL refused an operation that cannot fail on good input.
    case library = "crypto.library"
}

public typealias CryptoError = CodedError<CryptoFailure>

/// An Ed25519 private key (RFC 8032) that stays inside OpenSSL.
///
/// The OpenSSL key object is made once and kept: rebuilding it doubles the price of a signature.
@safe
public final class Ed25519PrivateKey: @unchecked Sendable {
    // Sendable because OpenSSL key objects may be read by several threads at once and this one is
    // never written after `init`.
    private let key: OpaquePointer
    /// The 32 bytes of the public key.
    public let publicKey: Bytes32

    /// Makes the key that `seed`, 32 bytes of entropy from the caller, stands for.
    public init(seed: Bytes32) throws(CryptoError) {
        let bytes = seed.bytes
        guard let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, bytes, 32) else {
            throw CryptoError(.library, "OpenSSL refused a 32-byte Ed25519 seed")
        }
        unsafe self.key = key
        do throws(CryptoError) {
            unsafe publicKey = try Self.publicBytes(of: key)
        } catch {
            unsafe EVP_PKEY_free(key)
            throw error
        }
    }

    /// Reads an unencrypted PKCS#8 PEM document.
    ///
    /// - Throws: ``CryptoFailure/notPEM`` or ``CryptoFailure/notEd25519``; the text is not echoed.
    public init(pem: String) throws(CryptoError) {
        let bytes = Array(pem.utf8)
        guard let bio = unsafe BIO_new_mem_buf(bytes, Int32(clamping: bytes.count)) else {
            throw CryptoError(.library, "OpenSSL could not read from memory")
        }
        defer { unsafe BIO_free(bio) }
        // Our own passphrase callback, so that an encrypted key fails and does not prompt on the terminal;
        // zero would be taken as the empty passphrase.
        guard let key = unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil) else {
            ERR_clear_error()
            throw CryptoError(.notPEM, "this is not an unencrypted PKCS#8 PEM private key")
        }
        guard unsafe EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 else {
            unsafe EVP_PKEY_free(key)
            throw CryptoError(.notEd25519, "the private key is not an Ed25519 key")
        }
        unsafe self.key = key
        do throws(CryptoError) {
            unsafe publicKey = try Self.publicBytes(of: key)
        } catch {
            unsafe EVP_PKEY_free(key)
            throw error
        }
    }

    deinit { unsafe EVP_PKEY_free(key) }

    private static func publicBytes(of key: OpaquePointer) throws(CryptoError) -> Bytes32 {
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = 32
        guard unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1, count == 32 else {
            throw CryptoError(.library, "OpenSSL gave no public key")
        }
        return Bytes32(bytes)
    }

    /// The key as unencrypted PKCS#8 PEM, for a file of mode 0600.
    public var pem: String {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(bio) }
        unsafe PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe BIO_read(bio, &bytes, 4096)
        return String(decoding: bytes.prefix(Int(max(0, count))), as: UTF8.self)
    }

    /// The 64-byte signature of `message`; the same for the same message.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        sign(message, in: 0..<message.count)
    }

    /// The 64-byte signature of `message[range]`.
    public func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= message.count, "range outside the message")
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = 64
        let done = unsafe message.withUnsafeBufferPointer { bytes in
            unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1
                && EVP_DigestSign(
                    context, &signature, &count, bytes.baseAddress.map { unsafe $0 + range.lowerBound },
                    range.count) == 1
        }
        precondition(done && count == 64, "OpenSSL could not sign with a key it made itself")
        return signature
    }

    /// Lends the OpenSSL key object to code that wraps OpenSSL itself, such as the TLS adapter.
    ///
    /// - Parameter body: Uses the pointer, an `EVP_PKEY *`; it must not keep or free it.
    /// - Returns: What `body` returned.
    public func withOpenSSLKey<Result>(_ body: (OpaquePointer) throws -> Result) rethrows -> Result {
        try unsafe body(key)
    }
}

/// Checking Ed25519 signatures (RFC 8032).
public enum Ed25519 {
    /// Whether `signature` is `publicKey`'s signature of `message[range]`.
    ///
    /// Wrong lengths and keys that are not points are simply not valid.
    public static func isValid(
        _ signature: [UInt8], of message: [UInt8], in range: Range<Int>, by publicKey: Bytes32
    ) -> Bool {
        guard signature.count == 64, range.lowerBound >= 0, range.upperBound <= message.count else {
            return false
        }
        let bytes = publicKey.bytes
        guard let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, 32) else {
            ERR_clear_error()
            return false
        }
        defer { unsafe EVP_PKEY_free(key) }
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        let verdict = unsafe message.withUnsafeBufferPointer { buffer in
            unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
                && EVP_DigestVerify(
                    context, signature, 64, buffer.baseAddress.map { unsafe $0 + range.lowerBound },
                    range.count) == 1
        }
        if !verdict { ERR_clear_error() }
        return verdict
    }
}
