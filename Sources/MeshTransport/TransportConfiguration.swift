public import MeshIdentity

/// What a transport is told once, when it is made.
///
/// The closures are called on the transport's own thread and, for ``frameByteCountMax`` and
/// ``droppable``, on the threads that send; they must not block.
public struct TransportConfiguration: Sendable {
    /// Who this node is; its key signs the certificate of every run.
    public var identity: Identity
    /// Where to accept links, or `nil` only to dial.
    ///
    /// Port 0 takes any free one.
    public var listen: SocketAddress?
    /// The address of this machine that dialled links come from, or `nil` for the system's choice; its
    /// port counts for nothing, and addresses of the other family are dialled as if it were not there.
    public var dialFrom: SocketAddress?
    /// The most bytes that the body of a frame of this type may have; `nil` for an unknown type.
    public var frameByteCountMax: @Sendable (UInt8) -> Int?
    /// From the start of a connection to the end of its handshake.
    public var handshakeDeadline: Duration = .seconds(5)
    /// From the first byte of a frame to its last.
    public var frameDeadline: Duration = .seconds(10)
    /// How long a link may be silent; the caller sends something every third of it.
    public var idleDeadline: Duration = .seconds(45)
    /// The most that waits for one slow peer, in bytes; a frame counts for at least 64.
    public var sendQueueByteCountMax = 8 << 20
    /// The most links, dialled ones under way included.
    public var linkCountMax = 256
    /// The most inbound handshakes under way; one that has not yet sent its first message gives way
    /// to a newer connection.
    public var halfOpenMax = 32
    /// Inbound connections a second that one /24 (IPv4) or /64 (IPv6) may open in the long run.
    public var handshakeRate = 50
    /// Inbound connections that one prefix may open at once before the rate applies.
    public var handshakeBurst = 400
    /// Whether this identity may have a link, whoever dials.
    public var admits: @Sendable (DID) -> Bool = { _ in true }
    /// Whether frames of this type are dropped, oldest first, when a queue is full; if nothing can
    /// be dropped the link is closed.
    public var droppable: @Sendable (UInt8) -> Bool = { _ in false }

    public init(
        identity: Identity, listen: SocketAddress? = nil,
        frameByteCountMax: @escaping @Sendable (UInt8) -> Int?
    ) {
        self.identity = identity
        self.listen = listen
        self.frameByteCountMax = frameByteCountMax
    }
}
