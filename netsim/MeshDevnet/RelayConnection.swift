/// One connection through a relay: the dialler's socket, the target's, and what is on its way.
final class RelayConnection {
    enum Phase {
        /// The target has not been dialled: a rule keeps the dialler's first packet, or nobody listens yet.
        case waiting
        case connecting
        case open
    }

    /// Even: the token of the near socket; one more is that of the far one.
    let token: UInt64
    /// The node that dialled; -1 when it is nobody we know.
    let dialler: Int
    let target: Int
    /// The dialler's socket.
    let near: Side
    /// The target's socket, once it is dialled.
    var far: Side?
    var phase = Phase.waiting
    /// From the dialler to the target.
    var forward = RelayQueue()
    /// From the target to the dialler.
    var backward = RelayQueue()

    /// One of the two sockets, with what epoll was told of it.
    final class Side {
        let socket: LoopbackSocket
        let token: UInt64
        /// What epoll watches for; `nil` when it does not watch at all.
        var interest: UInt32?
        /// Whether the socket took less than it was given.
        var isFull = false

        init(_ socket: LoopbackSocket, token: UInt64) {
            self.socket = socket
            self.token = token
        }
    }

    init(token: UInt64, dialler: Int, target: Int, near: LoopbackSocket) {
        self.token = token
        self.dialler = dialler
        self.target = target
        self.near = Side(near, token: token)
    }
}
