package import MeshCore
package import MeshIdentity

internal import COpenSSL
internal import MeshCrypto

/// A certificate that a node makes for one run, with the key it is signed by.
///
/// The key is a fresh P-256 key that never leaves memory. What else the certificate says can be
/// chosen, because the refusals of ``PeerCertificate`` are worth nothing unless they are provoked.
@safe
package final class HostCertificate: @unchecked Sendable {
    // Sendable because neither OpenSSL object is written after `init`.
    let certificate: OpaquePointer
    let key: OpaquePointer
    /// The certificate as DER.
    package let der: [UInt8]

    /// An extension by its dotted object identifier, with the DER inside its octet string.
    package struct Extension: Sendable {
        package let objectIdentifier: String
        package let isCritical: Bool
        package let value: [UInt8]

        package init(objectIdentifier: String, isCritical: Bool, value: [UInt8]) {
            self.objectIdentifier = objectIdentifier
            self.isCritical = isCritical
            self.value = value
        }
    }

    /// The certificate of `identity`, valid from an hour before `now` for ten years.
    package convenience init(of identity: Identity, now: Timestamp) throws(TransportError) {
        try self.init(from: now + -3_600_000, until: now + 10 * 365 * 86_400_000) { subjectPublicKeyInfo in
            [Self.hostKeyExtension(of: identity, subjectPublicKeyInfo: subjectPublicKeyInfo)]
        }
    }

    /// What binds the certificate key to `identity`.
    package static func hostKeyExtension(
        of identity: Identity, subjectPublicKeyInfo: [UInt8], isCritical: Bool = false
    ) -> Extension {
        let value = HostKeyExtension(
            publicKey: HostKeyExtension.encodeKey(ed25519: identity.did.publicKey.bytes),
            signature: identity.key.sign(HostKeyExtension.message(subjectPublicKeyInfo: subjectPublicKeyInfo))
        )
        return Extension(
            objectIdentifier: HostKeyExtension.objectIdentifier, isCritical: isCritical, value: value.der)
    }

    /// Makes a certificate with the extensions that `extensions` returns for its key.
    ///
    /// - Throws: ``TransportFailure/system`` when OpenSSL refuses, which takes an exhausted machine.
    package init(
        from start: Timestamp, until end: Timestamp,
        extensions: (_ subjectPublicKeyInfo: [UInt8]) -> [Extension]
    ) throws(TransportError) {
        let failure = TransportError(.system, "OpenSSL could not make a certificate")
        guard let key = unsafe mesh_evp_p256_generate() else { throw failure }
        guard let certificate = unsafe X509_new() else {
            unsafe EVP_PKEY_free(key)
            throw failure
        }
        unsafe self.key = key
        unsafe self.certificate = certificate
        var done = unsafe X509_set_version(certificate, 2) == 1 && X509_set_pubkey(certificate, key) == 1
        unsafe done =
            done && ASN1_TIME_set(X509_getm_notBefore(certificate), time_t(start.milliseconds / 1000)) != nil
        unsafe done =
            done && ASN1_TIME_set(X509_getm_notAfter(certificate), time_t(end.milliseconds / 1000)) != nil
        var serial = [UInt8](repeating: 0, count: 8)
        unsafe done = done && RAND_bytes(&serial, 8) == 1
        let number = serial.reduce(0) { $0 << 8 | UInt64($1) } >> 1
        unsafe done = done && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number) == 1
        let name = unsafe X509_get_subject_name(certificate)
        let text = Array("planetary-mesh".utf8)
        unsafe done =
            done
            && X509_NAME_add_entry_by_txt(name, "CN", 0x1001, text, Int32(text.count), -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_PUBKEY(key, &encoded)
        guard done, count > 0, let start = unsafe encoded else {
            der = []
            throw failure
        }
        let subjectPublicKeyInfo = unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
        unsafe CRYPTO_free(start, "", 0)
        for entry in extensions(subjectPublicKeyInfo) {
            guard unsafe Self.add(entry, to: certificate) else {
                der = []
                throw failure
            }
        }
        var output: UnsafeMutablePointer<UInt8>?
        guard unsafe X509_sign(certificate, key, EVP_sha256()) > 0 else {
            der = []
            throw failure
        }
        let outputCount = unsafe i2d_X509(certificate, &output)
        guard outputCount > 0, let first = unsafe output else {
            der = []
            throw failure
        }
        der = unsafe Array(UnsafeBufferPointer(start: first, count: Int(outputCount)))
        unsafe CRYPTO_free(first, "", 0)
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    /// Lends the OpenSSL objects, an `X509 *` and an `EVP_PKEY *`, which `body` must not keep or free.
    package func withOpenSSL<Result>(_ body: (OpaquePointer, OpaquePointer) throws -> Result) rethrows
        -> Result
    {
        try unsafe body(certificate, key)
    }

    private static func add(_ entry: Extension, to certificate: OpaquePointer) -> Bool {
        let object = unsafe OBJ_txt2obj(entry.objectIdentifier, 1)
        let data = unsafe ASN1_OCTET_STRING_new()
        defer {
            unsafe ASN1_OBJECT_free(object)
            unsafe ASN1_OCTET_STRING_free(data)
        }
        guard unsafe ASN1_OCTET_STRING_set(data, entry.value, Int32(clamping: entry.value.count)) == 1,
            let made = unsafe X509_EXTENSION_create_by_OBJ(nil, object, entry.isCritical ? 1 : 0, data)
        else { return false }
        defer { unsafe X509_EXTENSION_free(made) }
        return unsafe X509_add_ext(certificate, made, -1) == 1
    }
}
