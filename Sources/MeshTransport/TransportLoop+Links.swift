internal import Glibc
internal import MeshIdentity

/// The life of a link after its handshake.
extension TransportLoop {
    // MARK: - One link for each peer

    /// Decides what becomes of a finished handshake.
    ///
    /// Both ends must keep the same link without talking about it. Of two links in opposite
    /// directions, the one dialled by the smaller DID stays. Of two that one side dialled, that side
    /// decides: it keeps the first, and the other side waits to see which of them carries a frame.
    func settle(_ link: Link, _ peer: DID) {
        halfOpen.removeAll { $0 === link }
        link.since = now
        link.lastHeard = now
        watch(link, writing: false)
        guard let rival = open[peer] else { return announce(link, peer) }
        if rival.isOutbound != link.isOutbound {
            let own = configuration.identity.did
            let dialler = link.isOutbound ? own : peer
            if dialler == min(own, peer) {
                if let waiting = parked[peer] { declineDuplicate(waiting) }
                ended(rival, .duplicate, isGraceful: true)
                announce(link, peer)
            } else {
                declineDuplicate(link)
            }
        } else if link.isOutbound || parked[peer] != nil {
            declineDuplicate(link)
        } else {
            link.phase = .parked
            parked[peer] = link
        }
    }

    private func declineDuplicate(_ link: Link) {
        link.session?.sendCloseNotify()
        rejected(link, .duplicate, "there is already a link to this peer")
    }

    private func announce(_ link: Link, _ peer: DID) {
        let outbox = Outbox(id: link.id, peer: peer, byteCountMax: configuration.sendQueueByteCountMax)
        link.outbox = outbox
        link.phase = .open
        open[peer] = link
        board.register(outbox)
        events.append(.linkOpened(link.id, peer: peer, address: link.address, outbound: link.isOutbound))
    }

    /// A parked link carries a frame, or its rival is gone: it becomes the link to its peer.
    func promote(_ link: Link) {
        guard link.phase == .parked, let peer = link.peer else { return }
        parked[peer] = nil
        if let rival = open[peer] { ended(rival, .duplicate, isGraceful: true) }
        announce(link, peer)
    }

    // MARK: - The end

    /// Ends a link of any kind after its handshake and says so.
    ///
    /// With `isGraceful` what is queued is sent first.
    func ended(_ link: Link, _ reason: TransportFailure, isGraceful: Bool = false) {
        guard let peer = link.peer else { return discard(link) }
        switch link.phase {
        case .connecting, .handshaking: rejected(link, reason, "the link ended")
        case .parked: rejected(link, reason == .closedByPeer ? .duplicate : reason, "the link ended")
        case .draining: discard(link)
        case .open:
            open[peer] = nil
            board.unregister(link.id)
            link.outbox?.seal()
            board.count(reason)
            events.append(.linkClosed(link.id, peer: peer, reason: reason))
            if isGraceful, drainingCount < Self.drainingCountMax {
                link.phase = .draining
                link.since = now
                drainingCount += 1
                if !link.isWriteBlocked { flush(link) }
            } else {
                if reason != .connectionLost { link.session?.sendCloseNotify() }
                discard(link)
            }
            if let successor = parked[peer] { promote(successor) }
        }
    }

    /// Everything was sent: tells the peer, then waits for it to close, so that no reset overtakes
    /// what is on its way.
    func sayGoodbye(_ link: Link) {
        guard !link.hasSaidGoodbye else { return }
        link.hasSaidGoodbye = true
        link.session?.sendCloseNotify()
        shutdown(link.descriptor.rawValue, Int32(SHUT_WR))
    }

    // MARK: - Deadlines

    /// Ends what has taken too long.
    func sweep() {
        if !isAccepting { setAccepting(true) }
        budget.sweep(now: now)
        for link in links.values.sorted(by: { $0.id < $1.id }) {
            let age = now - link.since
            switch link.phase {
            case .connecting where age > configuration.handshakeDeadline:
                rejected(link, .handshakeTimeout, "\(link.address) did not answer in time")
            case .handshaking where age > configuration.handshakeDeadline:
                rejected(link, .handshakeTimeout, "the handshake was not complete in time")
            case .parked where age > configuration.handshakeDeadline: declineDuplicate(link)
            case .draining where age > Self.drainDeadline: discard(link)
            case .open, .parked:
                if let began = link.frameSince, now - began > configuration.frameDeadline {
                    ended(link, .frameTimeout)
                } else if now - link.lastHeard > configuration.idleDeadline {
                    ended(link, .idle)
                }
            default: break
            }
        }
    }
}
