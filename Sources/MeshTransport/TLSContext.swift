internal import COpenSSL
internal import Glibc
internal import MeshCore
internal import MeshIdentity

/// Judges who is at the other end while a handshake runs.
///
/// OpenSSL asks in the middle of a handshake step, always on the transport's thread, so the question
/// and the answer of the step under way lie in two properties.
final class PeerJudge {
    enum Outcome {
        case peer(DID)
        case refused(TransportFailure, String)
    }

    private let own: DID
    private let admits: @Sendable (DID) -> Bool
    /// Who the session under way must be with.
    var expecting: DID?
    /// What the step under way found out, if a certificate arrived in it.
    var outcome: Outcome?

    init(own: DID, admits: @escaping @Sendable (DID) -> Bool) {
        self.own = own
        self.admits = admits
    }

    func judge(der: [UInt8], chainCount: Int) -> Outcome {
        guard chainCount == 1 else {
            return .refused(.wrongCertificate, "the peer sent \(chainCount) certificates")
        }
        switch PeerCertificate.check(der: der, now: .wallClock) {
        case .refused(let refusal):
            return .refused(.wrongCertificate, "the peer's certificate is \(refusal.rawValue)")
        case .unsupportedKeyType(let type, _):
            return .refused(
                .wrongCertificate, "the peer's host key is \(type), and only Ed25519 is used here")
        case .valid(let did):
            if did == own { return .refused(.ownIdentity, "the peer has our own identity") }
            if let expecting, expecting != did {
                return .refused(.wrongDID, "the peer is \(did), not \(expecting)")
            }
            guard admits(did) else { return .refused(.notAdmitted, "\(did) is not admitted") }
            return .peer(did)
        }
    }
}

extension Timestamp {
    /// The present, by the machine's clock.
    static var wallClock: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// What all sessions of one transport share: certificate, protocol rules and the judge of peers.
@safe
final class TLSContext {
    /// The only application protocol that is spoken.
    static let applicationProtocol: [UInt8] = Array("planetary-mesh/1".utf8)

    private let handle: OpaquePointer
    let judge: PeerJudge

    init(identity: Identity, admits: @escaping @Sendable (DID) -> Bool) throws(TransportError) {
        let certificate = try HostCertificate(of: identity, now: .wallClock)
        guard let handle = unsafe SSL_CTX_new(TLS_method()) else {
            throw TransportError(.system, "OpenSSL could not make a TLS context")
        }
        unsafe self.handle = handle
        judge = PeerJudge(own: identity.did, admits: admits)
        let wire = [UInt8(Self.applicationProtocol.count)] + Self.applicationProtocol
        let done =
            unsafe mesh_ssl_ctx_restrict(handle, PeerCertificate.byteCountMax) == 1
            && SSL_CTX_use_certificate(handle, certificate.certificate) == 1
            && SSL_CTX_use_PrivateKey(handle, certificate.key) == 1
            && SSL_CTX_set_alpn_protos(handle, wire, UInt32(wire.count)) == 0
        guard done else {
            throw TransportError(.system, "OpenSSL refused the rules of the TLS context")
        }
        unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        unsafe SSL_CTX_set_cert_verify_callback(
            handle, { store, judge in unsafe TLSContext.judgeCertificate(store, judge) },
            Unmanaged.passUnretained(judge).toOpaque())
        unsafe SSL_CTX_set_alpn_select_cb(
            handle,
            { _, chosen, chosenCount, offered, offeredCount, _ in
                unsafe TLSContext.selectProtocol(chosen, chosenCount, offered, Int(offeredCount))
            }, nil)
    }

    deinit { unsafe SSL_CTX_free(handle) }

    /// A session over a connected, non-blocking socket, which must outlive it.
    func makeSession(descriptor: Int32, outbound: Bool) -> TLSSession? {
        guard let session = unsafe SSL_new(handle) else {
            ERR_clear_error()
            return nil
        }
        guard unsafe SSL_set_fd(session, descriptor) == 1 else {
            ERR_clear_error()
            unsafe SSL_free(session)
            return nil
        }
        unsafe outbound ? SSL_set_connect_state(session) : SSL_set_accept_state(session)
        return unsafe TLSSession(adopting: session)
    }

    /// OpenSSL's question about the peer's certificate; replaces its own chain building.
    private static func judgeCertificate(_ store: OpaquePointer?, _ judge: UnsafeMutableRawPointer?) -> Int32
    {
        guard let store = unsafe store, let judge = unsafe judge else { return 0 }
        let owner = unsafe Unmanaged<PeerJudge>.fromOpaque(judge).takeUnretainedValue()
        var encoded: UnsafeMutablePointer<UInt8>?
        var der: [UInt8] = []
        if let leaf = unsafe X509_STORE_CTX_get0_cert(store) {
            let count = unsafe i2d_X509(leaf, &encoded)
            if count > 0, let start = unsafe encoded {
                der = unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
                unsafe CRYPTO_free(start, "", 0)
            }
        }
        let outcome = owner.judge(der: der, chainCount: unsafe Int(mesh_x509_chain_count(store)))
        owner.outcome = outcome
        if case .peer = outcome {
            unsafe X509_STORE_CTX_set_error(store, X509_V_OK)
            return 1
        }
        unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
        return 0
    }

    /// Picks our protocol out of a client's list; a list without it ends the handshake.
    private static func selectProtocol(
        _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ chosenCount: UnsafeMutablePointer<UInt8>?,
        _ offered: UnsafePointer<UInt8>?, _ offeredCount: Int
    ) -> Int32 {
        guard let offered = unsafe offered, let chosen = unsafe chosen, let chosenCount = unsafe chosenCount
        else {
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        let list = unsafe UnsafeBufferPointer(start: offered, count: offeredCount)
        var offset = 0
        while offset < list.count {
            let length = unsafe Int(list[offset])
            let range = offset + 1..<min(list.count, offset + 1 + length)
            if unsafe list[range].elementsEqual(applicationProtocol) {
                unsafe chosen.pointee = offered + range.lowerBound
                unsafe chosenCount.pointee = UInt8(truncatingIfNeeded: length)
                return SSL_TLSEXT_ERR_OK
            }
            offset += 1 + length
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
}
