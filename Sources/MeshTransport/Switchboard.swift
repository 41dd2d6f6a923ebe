internal import CLinux
internal import COpenSSL
internal import MeshCore
internal import Glibc
internal import MeshIdentity
internal import Synchronization

/// What the transport's thread and its callers share: commands, links that want to send, counters.
final class Switchboard: Sendable {
    /// What a caller asks for.
    enum Command {
        case dial(SocketAddress, expecting: DID?)
        case resolved(SocketAddress, [SocketName], expecting: DID?)
        case close(LinkID, farewell: (type: UInt8, body: [UInt8])?)
        case stop
    }

    private struct State {
        var commands: [Command] = []
        var ready: [LinkID] = []
        /// Whether the thread will look again before it sleeps, so that nobody need wake it.
        var isAwake = true
        var outboxes: [LinkID: Outbox] = [:]
        var isStopped = false
    }

    /// An eventfd that ends the thread's sleep.
    let alarm: Descriptor
    private let state = Mutex(State())
    private let failures = Mutex<[TransportFailure: UInt64]>([:])

    init() throws(TransportError) {
        guard let alarm = Descriptor(adopting: eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))) else {
            throw TransportError(.system, "no eventfd: \(systemMessage(errno))")
        }
        self.alarm = alarm
    }

    func command(_ command: Command) {
        let mustWake = state.withLock { state in
            guard !state.isStopped else { return false }
            state.commands.append(command)
            return wake(&state)
        }
        if mustWake { ring() }
    }

    func outbox(_ id: LinkID) -> Outbox? { state.withLock { $0.outboxes[id] } }

    func schedule(_ id: LinkID) {
        let mustWake = state.withLock { state in
            state.ready.append(id)
            return wake(&state)
        }
        if mustWake { ring() }
    }

    private func wake(_ state: inout State) -> Bool {
        if state.isAwake { return false }
        state.isAwake = true
        return true
    }

    private func ring() {
        var one: UInt64 = 1
        unsafe write(alarm.rawValue, &one, 8)
    }

    // MARK: - For the transport's thread

    /// Takes everything that was asked for since the last time.
    func drain(ready: inout [LinkID]) -> [Command] {
        state.withLock { state in
            ready.append(contentsOf: state.ready)
            state.ready.removeAll(keepingCapacity: true)
            guard !state.commands.isEmpty else { return [] }
            let commands = state.commands
            state.commands = []
            return commands
        }
    }

    /// Whether nothing is waiting; from then on a caller rings the alarm.
    func fallAsleep() -> Bool {
        state.withLock { state in
            guard state.commands.isEmpty, state.ready.isEmpty else { return false }
            state.isAwake = false
            return true
        }
    }

    /// Silences the alarm after it rang.
    func acknowledge() {
        var count: UInt64 = 0
        unsafe read(alarm.rawValue, &count, 8)
    }

    func wokeUp() { state.withLock { $0.isAwake = true } }

    func register(_ outbox: Outbox) { state.withLock { $0.outboxes[outbox.id] = outbox } }

    func unregister(_ id: LinkID) { state.withLock { _ = $0.outboxes.removeValue(forKey: id) } }

    /// Refuses all further commands.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.commands = []
            state.ready = []
        }
    }

    // MARK: - Counters

    func count(_ failure: TransportFailure) {
        failures.withLock { $0[failure, default: 0] += 1 }
    }

    var statistics: TransportStatistics {
        let outboxes = state.withLock { Array($0.outboxes.values) }
        return TransportStatistics(
            failures: failures.withLock { $0 },
            links: outboxes.map(\.statistics).sorted { $0.id < $1.id })
    }
}
