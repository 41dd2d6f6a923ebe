/// What lies ahead, by instant and then by the order in which it was put there.
///
/// The heap holds numbers alone and the events stay where they are, so that sifting counts no references.
struct EventQueue<Event> {
    private struct Entry {
        let time: Int64
        let number: UInt64
        /// Where in ``events`` it is.
        let place: Int

        static func < (a: Self, b: Self) -> Bool {
            a.time != b.time ? a.time < b.time : a.number < b.number
        }
    }

    private var heap: [Entry] = []
    private var events: [Event?] = []
    private var freePlaces: [Int] = []
    private var counter: UInt64 = 0

    var count: Int { heap.count }
    /// The instant of the next event, in microseconds.
    var nextTime: Int64? { heap.first?.time }

    mutating func push(_ event: Event, at time: Int64) {
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            events[free] = event
        } else {
            place = events.count
            events.append(event)
        }
        let entry = Entry(time: time, number: counter, place: place)
        counter += 1
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entry < heap[parent] else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    mutating func pop() -> (time: Int64, event: Event)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            var hole = 0
            while true {
                var child = 2 * hole + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
                guard heap[child] < last else { break }
                heap[hole] = heap[child]
                hole = child
            }
            heap[hole] = last
        }
        freePlaces.append(first.place)
        guard let event = events[first.place].take() else { return nil }
        return (first.time, event)
    }
}
