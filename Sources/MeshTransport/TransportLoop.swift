internal import CLinux
internal import COpenSSL
internal import MeshCore
internal import Glibc
internal import MeshIdentity
internal import Synchronization

/// The one thread that moves all bytes: an epoll loop over the listener, the alarm and every link.
///
/// Nothing here is shared. Other threads speak to it through the ``Switchboard``. One round moves at
/// most a fair share for each link, so that a peer that floods us cannot starve the others, and
/// hands the caller everything it produced as one batch.
@safe
final class TransportLoop {
    /// The most bytes read from, or written to, one link in one round.
    static let fairShareByteCount = 256 << 10
    /// The plaintext of one TLS record.
    static let recordByteCountMax = 16 << 10
    /// Handshake steps in one round; each may cost a signature and two checks.
    static let handshakesPerRound = 4
    /// How long a closed link may take to send what was queued.
    static let drainDeadline: Duration = .seconds(2)
    static let drainingCountMax = 64

    static let alarmToken: UInt64 = 0
    static let listenerToken: UInt64 = 1

    let configuration: TransportConfiguration
    let board: Switchboard
    let context: TLSContext
    private let deliver: @Sendable ([TransportEvent]) -> Void
    let poll: Descriptor
    private let listener: Descriptor?
    /// The number of the listener, for system calls.
    let listening: Int32?
    let resolver: Resolver

    var links: [UInt64: Link] = [:]
    var nextID: UInt64 = 2
    /// The open link to each peer.
    var open: [DID: Link] = [:]
    /// The parked link of each peer.
    var parked: [DID: Link] = [:]
    /// Inbound handshakes under way, oldest first.
    var halfOpen: [Link] = []
    var drainingCount = 0
    var budget: HandshakeBudget
    var events: [TransportEvent] = []
    /// Links that have something to send and are not waiting for their socket.
    var ready: [LinkID] = []
    var now = ContinuousClock.now
    var isAccepting = true
    private var scratch = [UInt8](repeating: 0, count: recordByteCountMax)
    private var nextSweep = ContinuousClock.now
    private let sweepPeriod: Duration
    private var isStopping = false

    init(
        _ configuration: TransportConfiguration, board: Switchboard, context: TLSContext,
        listener: consuming Descriptor?, deliver: @escaping @Sendable ([TransportEvent]) -> Void
    ) throws(TransportError) {
        guard let poll = Descriptor(adopting: epoll_create1(Int32(EPOLL_CLOEXEC))) else {
            throw TransportError(.system, "no epoll: \(systemMessage(errno))")
        }
        self.configuration = configuration
        self.board = board
        self.context = context
        self.deliver = deliver
        self.poll = poll
        if let listener = consume listener {
            listening = listener.rawValue
            self.listener = consume listener
        } else {
            listening = nil
            self.listener = nil
        }
        resolver = Resolver(board: board)
        budget = HandshakeBudget(rate: configuration.handshakeRate, burst: configuration.handshakeBurst)
        let shortest = min(
            configuration.handshakeDeadline, configuration.frameDeadline, configuration.idleDeadline)
        sweepPeriod = max(.milliseconds(5), min(.milliseconds(250), shortest / 8))
        watch(board.alarm.rawValue, token: Self.alarmToken, for: EPOLLIN.rawValue, EPOLL_CTL_ADD)
        setAccepting(true, isNew: true)
    }

    /// Runs until the switchboard is told to stop.
    func run() {
        var ready = [mesh_epoll_event](repeating: mesh_epoll_event(), count: 128)
        while !isStopping {
            let isIdle = self.ready.isEmpty && board.fallAsleep()
            let count = unsafe mesh_epoll_wait(poll.rawValue, &ready, 128, isIdle ? sleepMilliseconds : 0)
            if isIdle { board.wokeUp() }
            now = .now
            handle(ready.prefix(Int(max(0, count))))
            if now >= nextSweep {
                nextSweep = now + sweepPeriod
                sweep()
            }
            deliverEvents()
            for command in board.drain(ready: &self.ready) { perform(command) }
            flushReady()
            deliverEvents()
        }
        stop()
    }

    private var sleepMilliseconds: Int32 {
        if links.isEmpty && isAccepting { return -1 }
        let rest = (nextSweep - .now) / .milliseconds(1)
        return Int32(max(0, min(1000, rest.rounded(.up))))
    }

    private func deliverEvents() {
        guard !events.isEmpty else { return }
        let batch = events
        events = []
        events.reserveCapacity(min(batch.count, 256))
        deliver(batch)
    }

    /// Established links first, then handshakes, then newcomers.
    private func handle(_ happened: ArraySlice<mesh_epoll_event>) {
        var handshakes: [Link] = []
        var hasNewcomers = false
        for event in happened {
            let token = event.token
            switch token {
            case Self.alarmToken: board.acknowledge()
            case Self.listenerToken: hasNewcomers = true
            default:
                guard let link = links[token] else { continue }
                switch link.phase {
                case .connecting, .handshaking: handshakes.append(link)
                case .open, .parked, .draining: handle(event.happened, on: link)
                }
            }
        }
        // The others are reported again by the next round.
        for link in handshakes.prefix(Self.handshakesPerRound) where links[link.id.rawValue] != nil {
            link.phase == .connecting ? connectionReady(link) : advanceHandshake(link)
        }
        if hasNewcomers { acceptNewcomers() }
    }

    private func handle(_ happened: UInt32, on link: Link) {
        let isReadable = happened & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
        // Room to write without anything waiting to be sent: reading had to answer something first.
        let mayReadOn = happened & EPOLLOUT.rawValue != 0 && !link.isWriteBlocked
        if mayReadOn { watch(link, writing: false) }
        if isReadable || mayReadOn { read(link) }
        guard links[link.id.rawValue] != nil else { return }
        if link.isWriteBlocked {
            link.isWriteBlocked = false
            ready.append(link.id)
        }
    }

    // MARK: - Reading

    func read(_ link: Link) {
        var share = Self.fairShareByteCount
        var frameCount: UInt64 = 0
        var byteCount: UInt64 = 0
        defer {
            link.outbox?.framesIn.wrappingAdd(frameCount, ordering: .relaxed)
            link.outbox?.bytesIn.wrappingAdd(byteCount, ordering: .relaxed)
        }
        while share > 0, let progress = link.session?.read(into: &scratch) {
            switch progress {
            case .done(let count):
                share -= count
                byteCount += UInt64(count)
                link.lastHeard = now
                guard link.phase != .draining else { continue }
                let wasInside = link.reader.isInsideFrame
                let before = frameCount
                let refusal = link.reader.consume(scratch, count: count) { type, body in
                    if link.phase == .parked { promote(link) }
                    frameCount += 1
                    events.append(.frame(link.id, type: type, body: body))
                }
                if let refusal { return refuse(link, refusal) }
                if !link.reader.isInsideFrame {
                    link.frameSince = nil
                } else if !wasInside || frameCount > before {
                    link.frameSince = now
                }
            case .wantsRead: return
            case .wantsWrite:
                watch(link, writing: true)
                return
            case .closed:
                return ended(link, link.reader.isInsideFrame ? .truncated : .closedByPeer)
            case .failed:
                link.session = nil
                return ended(link, link.reader.isInsideFrame ? .truncated : .connectionLost)
            }
        }
    }

    private func refuse(_ link: Link, _ refusal: FrameReader.Refusal) {
        switch refusal {
        case .empty: ended(link, .malformedFrame)
        case .unknownType: ended(link, .unknownFrame)
        case .oversized: ended(link, .oversized)
        }
    }

    // MARK: - Writing

    private func flushReady() {
        guard !ready.isEmpty else { return }
        let batch = ready
        ready = []
        for id in batch {
            guard let link = links[id.rawValue] else { continue }
            if link.phase == .open, let outbox = link.outbox, outbox.hasOverflowed {
                ended(link, .overflow)
            } else if !link.isWriteBlocked {
                flush(link)
            }
        }
    }

    /// Sends what is queued, gathered into whole records, until the socket is full or the share used up.
    func flush(_ link: Link) {
        guard let outbox = link.outbox, link.session != nil, !link.hasSaidGoodbye else { return }
        var share = Self.fairShareByteCount
        while share > 0 {
            if link.record.isEmpty {
                outbox.take(into: &link.record, recordByteCountMax: Self.recordByteCountMax)
                if link.record.isEmpty {
                    watch(link, writing: false)
                    if link.phase == .draining { sayGoodbye(link) }
                    return
                }
            }
            guard let progress = link.session?.write(link.record) else { return }
            switch progress {
            case .done(let count):
                share -= count
                link.record.removeFirst(min(count, link.record.count))
            case .wantsWrite:
                link.isWriteBlocked = true
                watch(link, writing: true)
                return
            case .wantsRead:
                link.isWriteBlocked = true
                return
            case .closed: return ended(link, .closedByPeer)
            case .failed:
                link.session = nil
                return ended(link, .connectionLost)
            }
        }
        ready.append(link.id)
    }

    // MARK: - Epoll

    func watch(_ link: Link, writing: Bool) {
        let interest = EPOLLIN.rawValue | (writing ? EPOLLOUT.rawValue : 0)
        guard interest != link.interest else { return }
        link.interest = interest
        watch(link.descriptor.rawValue, token: link.id.rawValue, for: interest, EPOLL_CTL_MOD)
    }

    func watch(_ descriptor: Int32, token: UInt64, for interest: UInt32, _ operation: Int32) {
        mesh_epoll_control(poll.rawValue, operation, descriptor, interest, token)
    }

    // MARK: - Commands

    private func perform(_ command: Switchboard.Command) {
        switch command {
        case .dial(let address, let expecting): dial(address, expecting: expecting)
        case .resolved(let address, let names, let expecting):
            guard !names.isEmpty else {
                return dialFailed(address, .nameUnresolved, "\(address.host) has no address")
            }
            connect(address, names, expecting: expecting)
        case .close(let id, let farewell):
            guard let link = links[id.rawValue], link.phase == .open, let outbox = link.outbox else { return }
            if let farewell {
                _ = outbox.append(type: farewell.type, body: farewell.body, isDroppable: false)
            }
            ended(link, .closed, isGraceful: true)
        case .stop: isStopping = true
        }
    }

    private func stop() {
        board.stop()
        // Nothing takes the place of a link that ends now.
        parked = [:]
        for link in links.values.sorted(by: { $0.id < $1.id }) {
            if link.phase == .open {
                flush(link)
                link.session?.sendCloseNotify()
                ended(link, .shutdown)
            } else if link.phase == .connecting || (link.phase == .handshaking && link.isOutbound) {
                dialFailed(link.address, .shutdown, "the transport was shut down")
            }
        }
        links = [:]
        open = [:]
        halfOpen = []
        deliverEvents()
    }
}
