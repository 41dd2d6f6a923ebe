internal import MeshAPI
internal import MeshCore
internal import Synchronization

import Foundation

/// The last events, for those who follow them.
final class EventHub: @unchecked Sendable {
    // Sendable because everything is behind `condition`.
    static let keptCount = 1024

    private let condition = NSCondition()
    private var events: [EventView] = []
    private var next = 1
    private var isStopped = false

    func add(_ event: String, job: String?, node: String?, cid: String?, detail: String?) {
        condition.lock()
        events.append(
            EventView(
                id: next, time: "\(SystemClock.now)", event: event, jobID: job, nodeID: node, cid: cid, detail: detail))
        next += 1
        if events.count > Self.keptCount { events.removeFirst(events.count - Self.keptCount) }
        condition.broadcast()
        condition.unlock()
    }

    /// The events behind `after`, and how many of them are lost already.
    func events(after: Int) -> (events: [EventView], lost: Int) {
        condition.lock()
        defer { condition.unlock() }
        let first = events.first?.id ?? next
        return (events.filter { $0.id > after }, max(0, min(first, next) - 1 - after))
    }

    /// Waits for something behind `after`.
    ///
    /// - Returns: `false` when the hub has stopped.
    func wait(after: Int, seconds: Double) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        let limit = Date().addingTimeInterval(seconds)
        while next - 1 <= after, !isStopped {
            if !condition.wait(until: limit) { break }
        }
        return !isStopped
    }

    var latest: Int {
        condition.lock()
        defer { condition.unlock() }
        return next - 1
    }

    func stop() {
        condition.lock()
        isStopped = true
        condition.broadcast()
        condition.unlock()
    }
}
