import MeshCore

/// What happens when, in the order of instants and then of entry (a binary heap).
struct EventQueue<Event> {
    private var heap: [(at: Timestamp, order: UInt64, event: Event)] = []
    private var count: UInt64 = 0

    mutating func add(_ event: Event, at instant: Timestamp) {
        heap.append((instant, count, event))
        count += 1
        var child = heap.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the earliest event, unless it lies at `end` or later.
    mutating func next(before end: Timestamp) -> (Timestamp, Event)? {
        guard let first = heap.first, first.at < end else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(child, least) {
                least = child
            }
            guard least != parent else { return (first.at, first.event) }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        (heap[a].at, heap[a].order) < (heap[b].at, heap[b].order)
    }
}
