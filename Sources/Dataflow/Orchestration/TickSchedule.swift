public import MeshCore

/// Ticks for an orchestrator, each at its time, and the moments in between at which what waits may begin.
///
/// A machine without clock: whoever has one asks ``next(dueAt:now:)`` again and again, and does what it says. A tick
/// that is late comes at once, and those behind it keep their distance: nothing is made up for in a burst.
public struct TickSchedule: Sendable {
    /// What is to be done now.
    public enum Step: Sendable, Hashable {
        /// Let the orchestrator receive this event.
        case tick(ExternalEvent)
        /// Tell the orchestrator that it is this late.
        case advance(Timestamp)
        /// Wait, and ask again then or before.
        case wait(until: Timestamp)
        /// Every tick has come, and nothing waits.
        case done
    }

    /// How many ticks are still to come.
    public private(set) var ticksLeft: Int
    /// Milliseconds from one tick to the next; 0 lets each come as soon as the one before is dealt with.
    public let interval: Int64
    private var number = 0
    private var nextTick: Timestamp?

    /// Numbers below zero count as zero.
    public init(ticks: Int, every interval: Int64 = 0) {
        ticksLeft = max(0, ticks)
        self.interval = min(max(0, interval), 1 << 40)
    }

    /// What to do at `now`; `dueAt` is the orchestrator's ``Orchestrator/dueAt``.
    public mutating func next(dueAt: Timestamp?, now: Timestamp) -> Step {
        // What waited longest goes first.
        if let dueAt, dueAt <= now { return .advance(now) }
        guard ticksLeft > 0 else { return dueAt.map { .wait(until: $0) } ?? .done }
        if let nextTick, nextTick > now { return .wait(until: min(nextTick, dueAt ?? nextTick)) }
        defer {
            ticksLeft -= 1
            number += 1
            nextTick = now + interval
        }
        return .tick(ExternalEvent(id: "tick-\(number)", time: now, kind: .tick))
    }
}
