internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshIdentity
internal import MeshMarket
internal import Synchronization

import Foundation

/// The last events, for those who follow them.
final class EventHub: @unchecked Sendable {
    // Sendable because everything is behind `condition`.
    static let keptCount = 1024

    private let condition = NSCondition()
    /// Kept as it came: most events are never looked at, and names are long to write out.
    private struct Kept {
        let id: Int
        let time: Timestamp
        let kind: String
        let job: JobID?
        let node: DID?
        let cid: CID?
        let detail: String?

        var view: EventView {
            EventView(
                id: id, time: "\(time)", event: kind, jobID: job?.description, nodeID: node?.description,
                cid: cid?.description, detail: detail)
        }
    }

    private var events: [Kept] = []
    private var next = 1
    private var isStopped = false

    func add(_ event: String, job: JobID?, node: DID?, cid: CID?, detail: String?) {
        condition.lock()
        events.append(
            Kept(id: next, time: SystemClock.now, kind: event, job: job, node: node, cid: cid, detail: detail)
        )
        next += 1
        if events.count > 2 * Self.keptCount { events.removeFirst(Self.keptCount) }
        condition.broadcast()
        condition.unlock()
    }

    /// The events behind `after`, and how many of them are lost already.
    func events(after: Int) -> (events: [EventView], lost: Int) {
        condition.lock()
        defer { condition.unlock() }
        let first = events.first?.id ?? next
        return (events.filter { $0.id > after }.map(\.view), max(0, min(first, next) - 1 - after))
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
