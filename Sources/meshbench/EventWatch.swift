internal import ControlClient
internal import Foundation
internal import MeshAPI

/// Follows the events of many daemons, and knows when each of them showed what.
final class EventWatch: @unchecked Sendable {
    // Sendable because all mutable state is behind `condition`.

    private let condition = NSCondition()
    /// By what it is about (a job's id or a node's DID), kind, and daemon.
    private var seen: [String: [String: [Int: ContinuousClock.Instant]]] = [:]
    private var kinds: Set<String> = []
    private var isStopped = false

    /// Subscribes to every socket, each on a thread of its own.
    init(_ sockets: [String]) {
        for (index, socket) in sockets.enumerated() {
            let thread = Thread { [self] in follow(socket, index) }
            thread.stackSize = 512 << 10
            thread.start()
        }
    }

    private func follow(_ socket: String, _ index: Int) {
        guard let client = try? HTTPControlClient(socketPath: socket) else { return }
        try? client.events("/v1/events", query: ["follow": "1", "after": "0"]) { [self] _, data in
            let now = ContinuousClock.now
            guard let event = try? JSONDecoder().decode(EventView.self, from: Data(data)) else { return true }
            return condition.withLock {
                for subject in [event.jobID, event.nodeID].compactMap({ $0 }) {
                    guard seen[subject]?[event.event]?[index] == nil else { continue }
                    seen[subject, default: [:]][event.event, default: [:]][index] = now
                }
                kinds.insert(event.event)
                condition.broadcast()
                return !isStopped
            }
        }
    }

    /// Whether an event of this kind has ever come.
    func knows(_ kind: String) -> Bool { condition.withLock { kinds.contains(kind) } }

    /// Waits until `count` daemons have shown an event about `subject`, of one kind or of any, or `seconds` are
    /// over.
    ///
    /// - Returns: When each of them first did, earliest first.
    func times(
        about subject: String, kind: String? = nil, count: Int, within seconds: Double
    ) -> [ContinuousClock.Instant] {
        let deadline = Date(timeIntervalSinceNow: seconds)
        return condition.withLock {
            while true {
                var first: [Int: ContinuousClock.Instant] = [:]
                for (name, times) in seen[subject] ?? [:] where kind == nil || name == kind {
                    first.merge(times) { min($0, $1) }
                }
                if first.count >= count || !condition.wait(until: deadline) {
                    return first.map(\.value).sorted()
                }
            }
        }
    }

    /// Lets the threads go with the next event or the daemon's end.
    func stop() { condition.withLock { isStopped = true } }
}
