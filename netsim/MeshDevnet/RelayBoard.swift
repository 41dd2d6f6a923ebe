internal import CLinux
internal import Glibc
internal import Synchronization

/// What the relay's thread shares with those who steer it.
final class RelayBoard: Sendable {
    enum Command: Sendable {
        case listen(LoopbackSocket, target: Int)
        case aim(target: Int, port: UInt16)
        case reset(Int, Int)
        /// A rule was changed.
        case lookAgain
        case stop
    }

    private struct Queue {
        var commands: [Command] = []
        var isStopped = false
    }

    /// An eventfd that ends the thread's sleep.
    let alarm: Int32
    let rules = Mutex(RuleTable())
    let statistics = Mutex(Relay.Statistics())
    private let queue = Mutex(Queue())

    init() throws(DevnetError) {
        alarm = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard alarm >= 0 else { throw .system("no eventfd") }
    }

    deinit { close(alarm) }

    func ask(_ command: Command) {
        queue.withLock { queue in
            guard !queue.isStopped else { return }
            queue.commands.append(command)
            if case .stop = command { queue.isStopped = true }
        }
        var one: UInt64 = 1
        unsafe write(alarm, &one, 8)
    }

    /// Takes what was asked since the last time.
    func take() -> [Command] {
        var count: UInt64 = 0
        unsafe read(alarm, &count, 8)
        return queue.withLock { queue in
            defer { queue.commands = [] }
            return queue.commands
        }
    }
}
