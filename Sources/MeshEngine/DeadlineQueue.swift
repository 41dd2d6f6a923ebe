internal import MeshCore

/// Instants at which keys want attention, earliest first.
///
/// A binary heap with lazy removal: asking for the same key twice is harmless, because whoever is
/// woken looks at the present state anyway.
struct DeadlineQueue<Key: Hashable & Comparable & Sendable>: Sendable {
    private struct Item: Sendable {
        let instant: Timestamp
        let key: Key
    }

    private var heap: [Item] = []
    /// The earliest instant that each key has asked for and not been given.
    private var earliest: [Key: Timestamp] = [:]

    var next: Timestamp? { heap.first?.instant }

    mutating func schedule(_ key: Key, at instant: Timestamp) {
        if let known = earliest[key], known <= instant { return }
        earliest[key] = instant
        heap.append(Item(instant: instant, key: key))
        var child = heap.count - 1
        while child > 0, Self.precedes(heap[child], heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Removes and returns the keys that are due, each once.
    mutating func popDue(_ now: Timestamp) -> [Key] {
        var due: [Key] = []
        while let first = heap.first, first.instant <= now {
            removeFirst()
            if earliest[first.key] == first.instant {
                earliest[first.key] = nil
                due.append(first.key)
            }
        }
        return due
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if Self.precedes(heap[child], heap[least]) { least = child }
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private static func precedes(_ a: Item, _ b: Item) -> Bool {
        a.instant != b.instant ? a.instant < b.instant : a.key < b.key
    }
}
