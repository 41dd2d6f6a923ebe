public import MeshCore

/// Why an address, a dial, a handshake or a link came to nothing.
///
/// The same codes name what ``TransportStatistics`` counts, so a log line and a counter agree.
public enum TransportFailure: String, Sendable, CaseIterable, Comparable {
    /// The text is not an address of the form `host:port`.
    case addressInvalid = "transport.address-invalid"
    /// Another socket already listens on the address.
    case addressInUse = "transport.address-in-use"
    /// The address cannot be listened on for another reason.
    case listenFailed = "transport.listen-failed"
    /// The host name has no address.
    case nameUnresolved = "transport.name-unresolved"
    /// Nothing answered at the address.
    case connectFailed = "transport.connect-failed"
    /// The host answered that nobody listens there: the process is gone.
    case connectionRefused = "transport.connection-refused"
    /// The other side does not speak TLS 1.3 with our protocol name, or broke off.
    case handshakeFailed = "transport.handshake-failed"
    /// The handshake was not complete within its deadline.
    case handshakeTimeout = "transport.handshake-timeout"
    /// The peer's certificate does not prove a host key.
    case wrongCertificate = "transport.wrong-certificate"
    /// The peer is not who was expected at that address.
    case wrongDID = "transport.wrong-did"
    /// The peer carries our own identity.
    case ownIdentity = "transport.own-identity"
    /// Admission does not let this peer in.
    case notAdmitted = "transport.not-admitted"
    /// Another link to the same peer is kept instead.
    case duplicate = "transport.duplicate"
    /// There are already as many links as are allowed.
    case linkLimit = "transport.link-limit"
    /// A newer connection took the place of this unfinished handshake.
    case halfOpenLimit = "transport.half-open-limit"
    /// The address opens connections faster than its allowance.
    case rateLimited = "transport.rate-limited"
    /// A frame announced more bytes than its type may have.
    case oversized = "transport.frame-oversized"
    /// A frame of a type that nobody knows.
    case unknownFrame = "transport.frame-unknown"
    /// A frame that does not even hold its type.
    case malformedFrame = "transport.frame-malformed"
    /// A frame was begun and not finished within its deadline.
    case frameTimeout = "transport.frame-timeout"
    /// The connection ended inside a frame.
    case truncated = "transport.frame-truncated"
    /// Nothing was heard for too long.
    case idle = "transport.idle"
    /// The peer reads too slowly and frames that may not be dropped filled its queue.
    case overflow = "transport.overflow"
    /// The peer ended the link in good order.
    case closedByPeer = "transport.closed-by-peer"
    /// This side ended the link.
    case closed = "transport.closed"
    /// The connection broke.
    case connectionLost = "transport.connection-lost"
    /// The transport was shut down.
    case shutdown = "transport.shutdown"
    /// OpenSSL or the kernel refused something that cannot fail in good order.
    case system = "transport.system"

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// Whether a link that ended so was ended by one of its sides, and not by the network or a death.
    public var isOrderlyEnd: Bool {
        switch self {
        case .connectionLost, .truncated, .idle, .frameTimeout, .system: false
        default: true
        }
    }
}

public typealias TransportError = CodedError<TransportFailure>
