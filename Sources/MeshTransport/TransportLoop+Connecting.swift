internal import CLinux
internal import COpenSSL
internal import MeshCore
internal import Glibc
internal import MeshIdentity

/// Dialling, accepting, and handshakes.
extension TransportLoop {
    // MARK: - Dialling

    func dial(_ address: SocketAddress, expecting: DID?) {
        let own = configuration.identity.did
        if expecting == own { return dialFailed(address, .ownIdentity, "\(own) is this node itself") }
        if let expecting, let link = open[expecting], link.isOutbound {
            return dialFailed(address, .duplicate, "there is already a link to \(expecting)")
        }
        if let name = SocketName(numeric: address) {
            connect(address, [name], expecting: expecting)
        } else if !resolver.resolve(address, expecting: expecting) {
            dialFailed(address, .nameUnresolved, "too many host names are being looked up")
        }
    }

    /// Starts a connection to the first of `names`; the others are tried when it fails.
    func connect(_ address: SocketAddress, _ names: [SocketName], expecting: DID?) {
        guard linkCount < configuration.linkCountMax else {
            return dialFailed(address, .linkLimit, "there are already \(linkCount) links")
        }
        var rest = names[...]
        var status: Int32 = 0
        while let name = rest.popFirst() {
            guard let descriptor = startConnection(to: name, status: &status) else { continue }
            let link = Link(
                id: makeID(), isOutbound: true, address: address, expecting: expecting, phase: .connecting,
                descriptor: descriptor, reader: FrameReader(byteCountMax: configuration.frameByteCountMax),
                interest: EPOLLOUT.rawValue, now: now)
            link.alternatives = Array(rest)
            links[link.id.rawValue] = link
            watch(link.descriptor.rawValue, token: link.id.rawValue, for: EPOLLOUT.rawValue, EPOLL_CTL_ADD)
            return
        }
        unreachable(address, status)
    }

    private func unreachable(_ address: SocketAddress, _ status: Int32) {
        dialFailed(
            address, status == ECONNREFUSED ? .connectionRefused : .connectFailed,
            "\(address) cannot be reached: \(systemMessage(status))")
    }

    private func startConnection(to name: SocketName, status: inout Int32) -> Descriptor? {
        guard let descriptor = Descriptor(socketOfFamily: name.family) else {
            status = errno
            return nil
        }
        tune(descriptor)
        if let source = configuration.dialFrom.flatMap({
            SocketName(numeric: SocketAddress(checkedHost: $0.host, port: 0))
        }), source.family == name.family {
            // The port is chosen with the connection, so that many may come from one address.
            descriptor.set(IP_BIND_ADDRESS_NO_PORT, of: Int32(IPPROTO_IP), to: 1)
            guard unsafe source.withPointer({ unsafe Glibc.bind(descriptor.rawValue, $0, $1) }) == 0 else {
                status = errno
                return nil
            }
        }
        let result = unsafe name.withPointer { unsafe Glibc.connect(descriptor.rawValue, $0, $1) }
        if result != 0 && errno != EINPROGRESS {
            status = errno
            return nil
        }
        return descriptor
    }

    private func tune(_ descriptor: borrowing Descriptor) {
        descriptor.set(TCP_NODELAY, of: Int32(IPPROTO_TCP), to: 1)
        let patience = configuration.idleDeadline / .milliseconds(1)
        descriptor.set(
            TCP_USER_TIMEOUT, of: Int32(IPPROTO_TCP), to: Int32(max(1000, min(patience, 3_600_000))))
    }

    /// The socket of a dial became ready: it is connected, or it failed.
    func connectionReady(_ link: Link) {
        let status = link.descriptor.takeError()
        guard status == 0 else {
            let (address, names, expecting) = (link.address, link.alternatives, link.expecting)
            discard(link)
            guard names.isEmpty else { return connect(address, names, expecting: expecting) }
            return unreachable(address, status)
        }
        link.phase = .handshaking
        guard let session = context.makeSession(descriptor: link.descriptor.rawValue, outbound: true) else {
            return rejected(link, .system, "OpenSSL could not make a session")
        }
        link.session = consume session
        advanceHandshake(link)
    }

    func dialFailed(_ address: SocketAddress, _ failure: TransportFailure, _ message: String) {
        board.count(failure)
        events.append(.dialFailed(address, TransportError(failure, message)))
    }

    // MARK: - Accepting

    /// Links that stand or are being dialled.
    var linkCount: Int { links.count - halfOpen.count - drainingCount }

    func makeID() -> LinkID {
        defer { nextID += 1 }
        return LinkID(rawValue: nextID)
    }

    /// Whether the listener is watched; it is not for a while when descriptors have run out.
    func setAccepting(_ accepts: Bool, isNew: Bool = false) {
        isAccepting = accepts
        guard let listening else { return }
        watch(
            listening, token: Self.listenerToken, for: accepts ? EPOLLIN.rawValue : 0,
            isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD)
    }

    func acceptNewcomers() {
        guard let listening else { return }
        for _ in 0..<Self.handshakesPerRound {
            var accepted: Int32 = -1
            let name = unsafe SocketName { address, length in
                unsafe accepted = mesh_accept(listening, address, length)
                return accepted >= 0
            }
            guard let name, let descriptor = Descriptor(adopting: accepted) else {
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) {
                    board.count(.system)
                    setAccepting(false)
                }
                return
            }
            welcome(descriptor, from: name)
        }
    }

    private func welcome(_ descriptor: consuming Descriptor, from name: SocketName) {
        let address = name.address
        guard budget.take(name.prefix, now: now) else { return refused(address, .rateLimited) }
        guard linkCount < configuration.linkCountMax else { return refused(address, .linkLimit) }
        guard makeRoomForHandshake() else { return refused(address, .halfOpenLimit) }
        tune(descriptor)
        guard let session = context.makeSession(descriptor: descriptor.rawValue, outbound: false) else {
            return refused(address, .system)
        }
        let link = Link(
            id: makeID(), isOutbound: false, address: address, expecting: nil, phase: .handshaking,
            descriptor: descriptor, reader: FrameReader(byteCountMax: configuration.frameByteCountMax),
            interest: EPOLLIN.rawValue, now: now)
        link.session = consume session
        links[link.id.rawValue] = link
        halfOpen.append(link)
        watch(link.descriptor.rawValue, token: link.id.rawValue, for: EPOLLIN.rawValue, EPOLL_CTL_ADD)
        // A dialler speaks first, and what it said is often here already.
        advanceHandshake(link)
    }

    /// Frees a place by giving up the oldest handshake that has not begun in earnest, or the oldest
    /// that has been under way for a second.
    private func makeRoomForHandshake() -> Bool {
        guard halfOpen.count >= configuration.halfOpenMax else { return true }
        let victim =
            halfOpen.first { !$0.hasAnswered }
            ?? halfOpen.first.flatMap { now - $0.since > .seconds(1) ? $0 : nil }
        guard let victim else { return false }
        rejected(victim, .halfOpenLimit, "a newer connection took its place")
        return true
    }

    private func refused(_ address: SocketAddress, _ failure: TransportFailure) {
        board.count(failure)
        events.append(.refused(address: address, failure))
    }

    // MARK: - Handshake

    func advanceHandshake(_ link: Link) {
        context.judge.expecting = link.expecting
        context.judge.outcome = nil
        guard let progress = link.session?.handshake() else { return }
        switch context.judge.outcome {
        case .peer(let did): link.peer = did
        case .refused(let failure, let message): return rejected(link, failure, message)
        case nil: break
        }
        switch progress {
        case .done:
            guard link.session?.hasApplicationProtocol == true, let peer = link.peer else {
                return rejected(link, .handshakeFailed, "the peer does not speak planetary-mesh/1")
            }
            settle(link, peer)
        case .wantsRead:
            // A server wants to read again only after it has answered, unless it has read nothing whole.
            link.hasAnswered = link.hasAnswered || link.session?.hasAnswered == true
            watch(link, writing: false)
        case .wantsWrite: watch(link, writing: true)
        case .closed: rejected(link, .handshakeFailed, "the peer ended the connection")
        case .failed(let message): rejected(link, .handshakeFailed, "the handshake failed: \(message)")
        }
    }

    /// Gives up a connection that never became a link.
    func rejected(_ link: Link, _ failure: TransportFailure, _ message: String) {
        if link.isOutbound {
            dialFailed(link.address, failure, message)
        } else {
            refused(link.address, failure)
        }
        discard(link)
    }

    /// Forgets a link and closes its socket.
    func discard(_ link: Link) {
        links[link.id.rawValue] = nil
        halfOpen.removeAll { $0 === link }
        if link.phase == .draining { drainingCount -= 1 }
        if let peer = link.peer {
            if open[peer] === link { open[peer] = nil }
            if parked[peer] === link { parked[peer] = nil }
        }
        link.session = nil
        // Epoll forgets a descriptor when it is closed, which happens when the last reference goes;
        // an event of this round may still hold one.
        watch(link.descriptor.rawValue, token: link.id.rawValue, for: 0, EPOLL_CTL_DEL)
    }
}
