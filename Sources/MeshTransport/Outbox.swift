internal import MeshIdentity
internal import Synchronization

/// The end of a link that other threads see: its send queue and its counters.
final class Outbox: Sendable {
    struct State {
        var queue: SendQueue
        /// Whether the transport's thread knows that something waits.
        var isScheduled = false
        /// Whether a frame that may not be dropped did not fit; the link is about to be closed.
        var hasOverflowed = false
        /// Whether the link takes no more frames.
        var isSealed = false
        var bytesOut: UInt64 = 0
        var framesOut: UInt64 = 0
        var framesDropped: UInt64 = 0
    }

    let id: LinkID
    let peer: DID
    let state: Mutex<State>
    /// Written by the transport's thread alone.
    let bytesIn = Atomic<UInt64>(0)
    let framesIn = Atomic<UInt64>(0)

    init(id: LinkID, peer: DID, byteCountMax: Int) {
        self.id = id
        self.peer = peer
        state = Mutex(State(queue: SendQueue(byteCountMax: byteCountMax)))
    }

    /// Queues one frame.
    ///
    /// - Returns: Whether it waits now, and whether the transport's thread must be told.
    func append(type: UInt8, body: [UInt8], isDroppable: Bool) -> (isQueued: Bool, mustSchedule: Bool) {
        state.withLock { state in
            guard !state.isSealed, !state.hasOverflowed else { return (false, false) }
            var isQueued = true
            switch state.queue.append(type: type, body: body, isDroppable: isDroppable) {
            case .queued(let dropped): state.framesDropped += UInt64(dropped)
            case .dropped:
                state.framesDropped += 1
                return (false, false)
            case .overflow:
                state.hasOverflowed = true
                isQueued = false
            }
            // An overflow is scheduled even when the link is: it must not wait for the slow peer.
            let mustSchedule = !state.isScheduled || state.hasOverflowed
            state.isScheduled = true
            return (isQueued, mustSchedule)
        }
    }

    /// Fills `record`; when nothing is left, later frames schedule the link anew.
    func take(into record: inout [UInt8], recordByteCountMax: Int) {
        state.withLock { state in
            let frameCount = state.queue.take(into: &record, recordByteCountMax: recordByteCountMax)
            state.framesOut += UInt64(frameCount)
            state.bytesOut += UInt64(record.count)
            if record.isEmpty { state.isScheduled = false }
        }
    }

    var hasOverflowed: Bool { state.withLock { $0.hasOverflowed } }

    func seal() { state.withLock { $0.isSealed = true } }

    var statistics: TransportStatistics.Link {
        state.withLock { state in
            TransportStatistics.Link(
                id: id, peer: peer, bytesIn: bytesIn.load(ordering: .relaxed), bytesOut: state.bytesOut,
                framesIn: framesIn.load(ordering: .relaxed), framesOut: state.framesOut,
                framesDropped: state.framesDropped, queuedByteCount: state.queue.byteCount)
        }
    }
}
