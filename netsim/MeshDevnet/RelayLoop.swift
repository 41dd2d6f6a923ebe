internal import CLinux
internal import Glibc
internal import MeshCore
internal import Synchronization

/// The relay's one thread: an epoll loop over the alarm, the listeners and both sockets of each connection.
///
/// What a socket sent is given its time of arrival at once (``RelayQueue``) and handed on then. A full queue
/// stops the reading, so that TCP makes the sender wait as a slow line would.
final class RelayLoop: @unchecked Sendable {
    // Sendable because whoever makes it hands it to the one thread that runs it.

    private static let alarmToken = UInt64.max
    private static let listenerBit: UInt64 = 1 << 62
    private static let pieceByteCount = 16 << 10

    private let board: RelayBoard
    private let poll: Int32
    private var generator: SeededGenerator
    private var listeners: [UInt64: (socket: LoopbackSocket, target: Int)] = [:]
    private var ports: [Int: UInt16] = [:]
    private var connections: [UInt64: RelayConnection] = [:]
    private var nextToken: UInt64 = 2
    private var buffer = [UInt8](repeating: 0, count: pieceByteCount)
    private var now = ContinuousClock.now

    init(board: RelayBoard, seed: UInt64) throws(DevnetError) {
        self.board = board
        generator = SeededGenerator(seed: seed)
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poll >= 0 else { throw .system("no epoll") }
        mesh_epoll_control(poll, EPOLL_CTL_ADD, board.alarm, EPOLLIN.rawValue, Self.alarmToken)
    }

    deinit { close(poll) }

    /// Runs until the board is told to stop.
    func run() {
        var ready = [mesh_epoll_event](repeating: mesh_epoll_event(), count: 128)
        while true {
            let count = unsafe mesh_epoll_wait(poll, &ready, 128, sleepMilliseconds)
            now = .now
            for event in ready.prefix(Int(max(0, count))) {
                if event.token == Self.alarmToken {
                    guard obey(board.take()) else { return }
                } else if event.token & Self.listenerBit != 0 {
                    acceptAll(event.token)
                } else if let connection = connections[event.token & ~1] {
                    happened(event.happened, on: connection, isFar: event.token & 1 == 1)
                }
            }
            for token in connections.keys.sorted() {
                if let connection = connections[token] { pump(connection) }
            }
            let waiting = connections.reduce(0) {
                $0 + $1.value.forward.byteCount + $1.value.backward.byteCount
            }
            board.statistics.withLock { $0.bytesWaiting = waiting }
        }
    }

    /// Until the next piece arrives that a socket can take.
    private var sleepMilliseconds: Int32 {
        let rules = board.rules.withLock { $0 }
        var earliest: ContinuousClock.Instant?
        for (_, connection) in connections where connection.phase == .open {
            let (dialler, target) = (connection.dialler, connection.target)
            if !rules[dialler, target].isBlocked, connection.far?.isFull == false,
                let due = connection.forward.nextDue
            {
                earliest = min(earliest ?? due, due)
            }
            if !rules[target, dialler].isBlocked, !connection.near.isFull,
                let due = connection.backward.nextDue
            {
                earliest = min(earliest ?? due, due)
            }
        }
        guard let earliest else { return -1 }
        return Int32(max(0, min(60_000, ((earliest - .now) / .milliseconds(1)).rounded(.up))))
    }

    // MARK: Commands

    /// - Returns: Whether to go on.
    private func obey(_ commands: [RelayBoard.Command]) -> Bool {
        for command in commands {
            switch command {
            case .listen(let socket, let target):
                let token = Self.listenerBit | UInt64(target)
                listeners[token] = (socket, target)
                mesh_epoll_control(poll, EPOLL_CTL_ADD, socket.descriptor, EPOLLIN.rawValue, token)
            case .aim(let target, let port): ports[target] = port
            case .reset(let first, let second):
                reset { [$0.dialler, $0.target].sorted() == [first, second].sorted() }
            case .lookAgain:
                let rules = board.rules.withLock { $0 }
                reset { rules[$0.dialler, $0.target].isCut || rules[$0.target, $0.dialler].isCut }
            case .stop:
                connections = [:]
                listeners = [:]
                return false
            }
        }
        return true
    }

    private func reset(where matches: (RelayConnection) -> Bool) {
        for token in connections.keys.sorted() {
            if let connection = connections[token], matches(connection) { breakOff(connection) }
        }
    }

    // MARK: Connecting

    private func acceptAll(_ token: UInt64) {
        guard let (listener, target) = listeners[token] else { return }
        while let (socket, host) = listener.accept() {
            let dialler = LoopbackNetwork.index(of: host) ?? -1
            let rules = board.rules.withLock { $0 }
            board.statistics.withLock { $0.connections += 1 }
            if rules[dialler, target].isCut || rules[target, dialler].isCut {
                socket.breakOff()
                board.statistics.withLock { $0.resets += 1 }
                continue
            }
            let connection = RelayConnection(token: nextToken, dialler: dialler, target: target, near: socket)
            nextToken += 2
            connections[connection.token] = connection
            // The dialler's kernel thinks that it is connected; what it says leaves only after a round trip.
            let there = rules[dialler, target].latency.draw(&generator)
            let back = rules[target, dialler].latency.draw(&generator)
            connection.forward.hold(until: now + there + back)
        }
    }

    /// Dials the target, unless a rule keeps the packets that would make the connection.
    private func connect(_ connection: RelayConnection) {
        let rules = board.rules.withLock { $0 }
        let (dialler, target) = (connection.dialler, connection.target)
        guard let port = ports[target], !rules[dialler, target].isBlocked, !rules[target, dialler].isBlocked
        else { return }
        let source = dialler >= 0 ? LoopbackNetwork.bytes(of: dialler) : nil
        guard
            let socket = LoopbackSocket.connecting(
                to: LoopbackNetwork.bytes(of: target), port, from: source)
        else { return breakOff(connection) }
        connection.far = .init(socket, token: connection.token | 1)
        connection.phase = .connecting
    }

    // MARK: Moving

    private func happened(_ what: UInt32, on connection: RelayConnection, isFar: Bool) {
        guard let side = isFar ? connection.far : connection.near else { return }
        if what & EPOLLOUT.rawValue != 0 { side.isFull = false }
        if isFar, connection.phase == .connecting {
            guard side.socket.isConnected else { return breakOff(connection) }
            connection.phase = .open
        }
        if what & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            read(side, of: connection, isFar: isFar)
        }
    }

    private func read(_ side: RelayConnection.Side, of connection: RelayConnection, isFar: Bool) {
        let rules = board.rules.withLock { $0 }
        let (dialler, target) = (connection.dialler, connection.target)
        let rule = isFar ? rules[target, dialler] : rules[dialler, target]
        func push(_ piece: RelayQueue.Piece) {
            if isFar {
                connection.backward.push(piece, now: now, rule: rule, &generator)
            } else {
                connection.forward.push(piece, now: now, rule: rule, &generator)
            }
        }
        while !(isFar
            ? connection.backward.isFull || connection.backward.isEnded
            : connection.forward.isFull || connection.forward.isEnded)
        {
            switch side.socket.receive(into: &buffer) {
            case .bytes(let bytes): push(.bytes(bytes))
            case .end: push(.end)
            case .reset: push(.reset)
            case .nothing: return
            }
        }
    }

    /// Hands on what has arrived, and says what each socket is watched for next.
    private func pump(_ connection: RelayConnection) {
        if connection.phase == .waiting {
            // A dialler that gave up before its first packet came through was never there.
            if connection.forward.isEnded { return forget(connection) }
            connect(connection)
            guard connections[connection.token] != nil else { return }
        }
        if connection.phase == .open, let far = connection.far {
            let rules = board.rules.withLock { $0 }
            let (dialler, target) = (connection.dialler, connection.target)
            if !rules[dialler, target].isBlocked, !deliver(&connection.forward, to: far, connection) {
                return
            }
            if !rules[target, dialler].isBlocked,
                !deliver(&connection.backward, to: connection.near, connection)
            {
                return
            }
        }
        watch(connection.near, mayRead: !connection.forward.isFull && !connection.forward.isEnded)
        if let far = connection.far {
            watch(
                far, mayRead: !connection.backward.isFull && !connection.backward.isEnded,
                isConnecting: connection.phase == .connecting)
        }
    }

    /// - Returns: Whether the connection still stands.
    private func deliver(
        _ queue: inout RelayQueue, to side: RelayConnection.Side, _ connection: RelayConnection
    ) -> Bool {
        while !side.isFull, let (piece, start) = queue.arrived(now) {
            switch piece {
            case .bytes(let bytes):
                guard let count = side.socket.send(bytes, from: start) else {
                    breakOff(connection)
                    return false
                }
                queue.consume(count)
                board.statistics.withLock { $0.bytes += count }
                side.isFull = start + count < bytes.count
            case .end:
                forget(connection)
                return false
            case .reset:
                breakOff(connection)
                return false
            }
        }
        return true
    }

    /// A socket that is watched for nothing is taken out of epoll, which else reports its end for ever.
    private func watch(_ side: RelayConnection.Side, mayRead: Bool, isConnecting: Bool = false) {
        var interest: UInt32 = mayRead && !isConnecting ? EPOLLIN.rawValue : 0
        if side.isFull || isConnecting { interest |= EPOLLOUT.rawValue }
        let wanted = interest == 0 ? nil : interest
        guard wanted != side.interest else { return }
        let operation = wanted == nil ? EPOLL_CTL_DEL : side.interest == nil ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        mesh_epoll_control(poll, operation, side.socket.descriptor, interest, side.token)
        side.interest = wanted
    }

    private func forget(_ connection: RelayConnection) {
        // Closing the descriptors takes them out of epoll.
        connections[connection.token] = nil
    }

    private func breakOff(_ connection: RelayConnection) {
        connection.near.socket.breakOff()
        connection.far?.socket.breakOff()
        board.statistics.withLock { $0.resets += 1 }
        forget(connection)
    }
}
