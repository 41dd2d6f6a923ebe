internal import MeshEngine
internal import Synchronization

import Foundation

/// Control requests that wait for the engine's answer, each on its connection's thread.
final class PendingReplies: Sendable {
    private final class Slot: @unchecked Sendable {
        // Sendable because `reply` is written before the semaphore is signalled and read after.
        let semaphore = DispatchSemaphore(value: 0)
        var reply: ControlReply?
    }

    private struct State {
        var next: UInt64 = 1
        var slots: [RequestID: Slot] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())

    /// Hands `command` over and waits for its answer.
    ///
    /// - Returns: `nil` when the daemon stops or gives no answer in time.
    func ask(_ command: ControlCommand, seconds: Double = 75, send: (RequestID) -> Void) -> ControlReply? {
        let slot = Slot()
        let request: RequestID? = state.withLock { state in
            guard !state.isStopped else { return nil }
            let request = RequestID(rawValue: state.next)
            state.next += 1
            state.slots[request] = slot
            return request
        }
        guard let request else { return nil }
        send(request)
        _ = slot.semaphore.wait(timeout: .now() + seconds)
        state.withLock { $0.slots[request] = nil }
        return slot.reply
    }

    func fulfil(_ request: RequestID, _ reply: ControlReply) {
        guard let slot = state.withLock({ $0.slots.removeValue(forKey: request) }) else { return }
        slot.reply = reply
        slot.semaphore.signal()
    }

    /// Lets everybody who waits go.
    func stop() {
        let slots = state.withLock { state in
            state.isStopped = true
            defer { state.slots = [:] }
            return Array(state.slots.values)
        }
        for slot in slots { slot.semaphore.signal() }
    }
}
