import COpenSSL
import Foundation
import MeshCore
import MeshCrypto
import MeshIdentity
import MeshTransport
import Testing

/// A plain TCP connection that says what a test wants it to say.
final class RawConnection {
    let descriptor: Int32

    struct Unreachable: Error {}

    init(to address: SocketAddress) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = address.port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        // No test hangs on a peer that never answers.
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let status = unsafe withUnsafePointer(to: name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Unreachable() }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) {
        unsafe Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Whether the other side closes without having said anything but an alert.
    func isClosedByPeer() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
            if count < 0 { return false }
        }
    }
}

/// A blocking TLS client that may break the rules.
@safe
final class RawPeer {
    let did: DID
    private let context: OpaquePointer
    private var session: OpaquePointer?
    private var connection: RawConnection?

    struct Refused: Error {}

    /// - Parameters:
    ///   - number: Stands for the identity.
    ///   - certificate: What to show instead of a certificate in order; `.none` shows none.
    ///   - versionMax: The highest TLS version to offer.
    ///   - protocolName: The application protocol to offer; `nil` offers none.
    /// - Throws: What OpenSSL refuses.
    init(
        _ number: UInt8, certificate: Certificate = .inOrder, versionMax: Int32 = TLS1_3_VERSION,
        protocolName: String? = "planetary-mesh/1"
    ) throws {
        let identity = try Identity(Ed25519PrivateKey(seed: Bytes32([UInt8](repeating: number, count: 32))))
        did = identity.did
        unsafe context = try #require(unsafe SSL_CTX_new(TLS_client_method()))
        unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(versionMax), nil)
        if let protocolName {
            let name = Array(protocolName.utf8)
            unsafe SSL_CTX_set_alpn_protos(context, [UInt8(name.count)] + name, UInt32(name.count + 1))
        }
        if let made = try certificate.make(identity) {
            unsafe made.withOpenSSL { certificate, key in
                unsafe SSL_CTX_use_certificate(context, certificate)
                unsafe SSL_CTX_use_PrivateKey(context, key)
            }
        }
    }

    deinit {
        unsafe SSL_free(session)
        unsafe SSL_CTX_free(context)
    }

    /// What a peer may show.
    enum Certificate: String, CaseIterable, Sendable {
        case inOrder, none, withoutExtension, forged, expired, twoKeys

        func make(_ identity: Identity) throws -> HostCertificate? {
            let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
            switch self {
            case .none: return nil
            case .inOrder: return try HostCertificate(of: identity, now: now)
            case .withoutExtension:
                return try HostCertificate(from: now + -1000, until: now + 100_000) { _ in [] }
            case .forged:
                return try HostCertificate(from: now + -1000, until: now + 100_000) { key in
                    [HostCertificate.hostKeyExtension(of: identity, subjectPublicKeyInfo: key + [0])]
                }
            case .expired:
                return try HostCertificate(from: now + -100_000, until: now + -50_000) { key in
                    [HostCertificate.hostKeyExtension(of: identity, subjectPublicKeyInfo: key)]
                }
            case .twoKeys:
                return try HostCertificate(from: now + -1000, until: now + 100_000) { key in
                    let one = HostCertificate.hostKeyExtension(of: identity, subjectPublicKeyInfo: key)
                    return [one, one]
                }
            }
        }
    }

    /// Shakes hands; throws when this side notices the refusal, which it need not.
    func connect(to address: SocketAddress) throws {
        let connection = try RawConnection(to: address)
        self.connection = connection
        let session = unsafe try #require(unsafe SSL_new(context))
        unsafe self.session = session
        unsafe SSL_set_fd(session, connection.descriptor)
        guard unsafe SSL_connect(session) == 1 else {
            ERR_clear_error()
            throw Refused()
        }
    }

    func write(_ bytes: [UInt8]) {
        unsafe SSL_write(session, bytes, Int32(bytes.count))
    }

    private func read(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while bytes.count < count {
            let got = unsafe SSL_read(session, &buffer, Int32(min(buffer.count, count - bytes.count)))
            guard got > 0 else {
                ERR_clear_error()
                throw Refused()
            }
            bytes.append(contentsOf: buffer.prefix(Int(got)))
        }
        return bytes
    }

    /// Reads whole frames until one of `type`, and returns its body.
    func readFrames(untilType type: UInt8) throws -> [UInt8] {
        while true {
            let header = try read(5)
            let length = header.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let body = try read(length - 1)
            if header[4] == type { return body }
        }
    }
}
