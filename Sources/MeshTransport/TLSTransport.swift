public import MeshCore
public import MeshIdentity

internal import CLinux
internal import COpenSSL
internal import Glibc
internal import Synchronization

/// Mutually authenticated links to other nodes, over TLS 1.3.
///
///     dial, send, close ──▶ switchboard ──▶ one epoll thread ──▶ events
///                                            │
///                               listener, sockets, OpenSSL
///
/// Every link proves its peer's DID in the handshake, by the libp2p TLS profile (see
/// ``PeerCertificate``), and carries frames: a big-endian `u32` length of type and body together, one
/// type byte, the body. There is at most one link to each peer. The caller decides when to dial
/// again after a failure.
///
/// There are no session tickets and no early data, so nothing that arrives can be a replay.
///
/// Making a transport ignores SIGPIPE for the whole process: OpenSSL writes to its sockets with
/// `write`, and a peer that hangs up would otherwise end the program.
public final class TLSTransport: Sendable {
    /// The type of the frame that ``close(_:farewell:)`` sends last.
    public static let farewellType: UInt8 = 11

    /// Where this transport accepts links, with the port that was really taken; `nil` if it only dials.
    public let listeningAddress: SocketAddress?
    private let configuration: TransportConfiguration
    private let board: Switchboard
    private let thread: Mutex<pthread_t?>

    /// Binds the listening address and starts the thread.
    ///
    /// - Parameters:
    ///   - configuration: Identity, limits and rules; not read again later.
    ///   - events: Called on the transport's thread with what one round produced, in order. It must
    ///     not block; it may call ``send(_:_:to:)`` and the other methods.
    /// - Throws: ``TransportFailure/addressInUse``, ``TransportFailure/listenFailed``,
    ///   ``TransportFailure/nameUnresolved`` or ``TransportFailure/system``.
    public init(
        _ configuration: TransportConfiguration, events: @escaping @Sendable ([TransportEvent]) -> Void
    ) throws(TransportError) {
        signal(SIGPIPE, SIG_IGN)
        let board = try Switchboard()
        let context = try TLSContext(identity: configuration.identity, admits: configuration.admits)
        var bound: SocketAddress?
        let loop: TransportLoop
        if let address = configuration.listen {
            let listener = try Self.listen(on: address)
            bound = Self.name(of: listener)
            loop = try TransportLoop(
                configuration, board: board, context: context, listener: consume listener, deliver: events)
        } else {
            loop = try TransportLoop(
                configuration, board: board, context: context, listener: nil, deliver: events)
        }
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(loop)
        let status = unsafe pthread_create(
            &thread, nil,
            { box in
                if let box = unsafe box {
                    unsafe Unmanaged<TransportLoop>.fromOpaque(box).takeRetainedValue().run()
                }
                return nil
            }, box.toOpaque())
        guard status == 0 else {
            unsafe box.release()
            throw TransportError(.system, "no thread: \(systemMessage(status))")
        }
        unsafe mesh_thread_set_name(thread, "mesh-tls-\(bound?.port ?? 0)")
        self.board = board
        self.configuration = configuration
        listeningAddress = bound
        self.thread = Mutex(thread)
    }

    deinit { shutdown() }

    /// Opens a link to `address`; the outcome is an event.
    ///
    /// - Parameters:
    ///   - address: Where the peer listens; a host name is looked up on another thread.
    ///   - expecting: Who must answer; with `nil` whoever answers is taken, if admitted.
    public func dial(_ address: SocketAddress, expecting: DID?) {
        board.command(.dial(address, expecting: expecting))
    }

    /// Queues one frame; from any thread, without waiting.
    ///
    /// When the link's queue is full its oldest droppable frames give way, or the link is closed with
    /// ``TransportFailure/overflow``.
    ///
    /// - Returns: Whether the frame is queued. It is not when the link is gone, when the body is over
    ///   the cap of its type, and when it had to give way itself.
    @discardableResult
    public func send(_ type: UInt8, _ body: [UInt8], to link: LinkID) -> Bool {
        guard let most = configuration.frameByteCountMax(type), body.count <= most else {
            board.count(configuration.frameByteCountMax(type) == nil ? .unknownFrame : .oversized)
            return false
        }
        guard let outbox = board.outbox(link) else { return false }
        let (isQueued, mustSchedule) = outbox.append(
            type: type, body: body, isDroppable: configuration.droppable(type))
        if mustSchedule { board.schedule(link) }
        return isQueued
    }

    /// Ends a link after everything that is queued for it, and tells the peer why.
    ///
    /// - Parameters:
    ///   - link: The link; nothing happens if it is gone.
    ///   - farewell: The encoded body of the last frame, of type ``farewellType``; `nil` sends none.
    public func close(_ link: LinkID, farewell: [UInt8]? = nil) {
        board.command(.close(link, farewell: farewell.map { (Self.farewellType, $0) }))
    }

    /// What has been counted and which links stand.
    public var statistics: TransportStatistics { board.statistics }

    /// Closes the listener and all links and ends the thread.
    ///
    /// Returns when the thread has ended and every socket is closed, unless it is called by the
    /// thread itself, that is, inside `events`. What fits into the sockets is still sent. The last
    /// events are delivered before it returns; a second call does
    /// nothing, nor does any other call after it.
    public func shutdown() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        board.command(.stop)
        if pthread_equal(thread, pthread_self()) != 0 {
            pthread_detach(thread)
        } else {
            pthread_join(thread, nil)
        }
    }

    // MARK: - Listening

    /// Finds out whether `address` could be listened on now, and lets it go again.
    ///
    /// - Throws: What ``init(_:events:)`` would throw.
    public static func probe(_ address: SocketAddress) throws(TransportError) {
        _ = try listen(on: address)
    }

    private static func listen(on address: SocketAddress) throws(TransportError) -> Descriptor {
        let names = SocketName(numeric: address).map { [$0] } ?? SocketName.resolve(address)
        guard let name = names.first else {
            throw TransportError(
                .nameUnresolved, "\(address.host) has no address to listen on",
                hint: "set `listen` to an address of this machine, such as 127.0.0.1:7420")
        }
        guard let descriptor = Descriptor(socketOfFamily: name.family) else {
            throw TransportError(.listenFailed, "no socket for \(address): \(systemMessage(errno))")
        }
        descriptor.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1)
        if name.family == AF_INET6 { descriptor.set(IPV6_V6ONLY, of: Int32(IPPROTO_IPV6), to: 1) }
        let isBound = unsafe name.withPointer { unsafe bind(descriptor.rawValue, $0, $1) == 0 }
        guard isBound, Glibc.listen(descriptor.rawValue, 1024) == 0 else {
            let status = errno
            if status == EADDRINUSE {
                throw TransportError(
                    .addressInUse, "\(address) is already in use",
                    hint: "stop the program that listens there, or set another `listen` address")
            }
            throw TransportError(
                .listenFailed, "cannot listen on \(address): \(systemMessage(status))",
                hint: "set `listen` to an address of this machine, such as 127.0.0.1:7420")
        }
        return descriptor
    }

    private static func name(of descriptor: borrowing Descriptor) -> SocketAddress? {
        let raw = descriptor.rawValue
        return unsafe SocketName { address, length in unsafe getsockname(raw, address, length) == 0 }?.address
    }
}
