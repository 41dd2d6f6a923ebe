internal import MeshIdentity

/// One connection as the transport's thread sees it, from the first packet to the last.
final class Link {
    enum Phase: Equatable {
        /// TCP is being connected.
        case connecting
        case handshaking
        /// A second inbound connection of a peer that is already linked: it takes over once the peer
        /// sends a frame on it, because the dialler decides which of its own links lives.
        case parked
        case open
        /// Announced as closed; what was queued is still being sent.
        case draining
    }

    let id: LinkID
    let isOutbound: Bool
    /// As dialled, or where an inbound peer connects from.
    let address: SocketAddress
    let expecting: DID?
    var phase: Phase
    /// Further addresses of the dialled name.
    var alternatives: [SocketName] = []
    // The session uses the descriptor and is declared, hence released, before it.
    var session: TLSSession?
    var descriptor: Descriptor
    var peer: DID?
    var outbox: Outbox?
    var reader: FrameReader
    /// A record that the socket did not take yet.
    var record: [UInt8] = []
    /// What epoll watches for now.
    var interest: UInt32
    /// Whether `SSL_write` waits for the peer, or the socket is full.
    var isWriteBlocked = false
    /// Whether the peer's first handshake message has been answered.
    var hasAnswered = false
    /// When the phase began.
    var since: ContinuousClock.Instant
    var lastHeard: ContinuousClock.Instant
    /// When the frame under way began.
    var frameSince: ContinuousClock.Instant?
    /// Whether the end of what we send has been sent.
    var hasSaidGoodbye = false

    init(
        id: LinkID, isOutbound: Bool, address: SocketAddress, expecting: DID?, phase: Phase,
        descriptor: consuming Descriptor, reader: FrameReader, interest: UInt32, now: ContinuousClock.Instant
    ) {
        self.id = id
        self.isOutbound = isOutbound
        self.address = address
        self.expecting = expecting
        self.phase = phase
        self.descriptor = descriptor
        self.reader = reader
        self.interest = interest
        since = now
        lastHeard = now
    }
}
