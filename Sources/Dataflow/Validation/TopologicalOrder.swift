/// Kahn's order of nodes that are numbered by their ids' order: of those that are ready the lowest comes first.
struct TopologicalOrder {
    /// Every node behind all that it depends on; shorter than the graph where there is a cycle.
    let order: [Int32]
    /// One cycle, from its lowest node on, each feeding the next; empty where there is none.
    let cycle: [Int32]

    /// Sorts `nodeCount` nodes; `edges` are pairs of a node that feeds and one that is fed.
    init(nodeCount: Int, edges: [(from: Int32, to: Int32)]) {
        // Neighbours in one array, each node's behind the one before.
        var starts = [Int32](repeating: 0, count: nodeCount + 1)
        var waiting = [Int32](repeating: 0, count: nodeCount)
        for edge in edges {
            starts[Int(edge.from) + 1] += 1
            waiting[Int(edge.to)] += 1
        }
        for index in 0..<nodeCount { starts[index + 1] += starts[index] }
        var cursor = starts
        var targets = [Int32](repeating: 0, count: edges.count)
        for edge in edges {
            targets[Int(cursor[Int(edge.from)])] = edge.to
            cursor[Int(edge.from)] += 1
        }

        var ready = LowestFirst()
        for node in 0..<nodeCount where waiting[node] == 0 { ready.insert(Int32(node)) }
        var order: [Int32] = []
        order.reserveCapacity(nodeCount)
        while let node = ready.removeLowest() {
            order.append(node)
            for index in starts[Int(node)]..<starts[Int(node) + 1] {
                let target = targets[Int(index)]
                waiting[Int(target)] -= 1
                if waiting[Int(target)] == 0 { ready.insert(target) }
            }
        }
        self.order = order
        cycle = order.count == nodeCount ? [] : Self.cycle(waiting: waiting, edges: edges)
    }

    /// Walks from the lowest node left to what it waits for, until the walk meets itself: each node that is left
    /// waits for another.
    private static func cycle(waiting: [Int32], edges: [(from: Int32, to: Int32)]) -> [Int32] {
        var before = [Int32](repeating: -1, count: waiting.count)
        for edge in edges where waiting[Int(edge.from)] > 0 && waiting[Int(edge.to)] > 0 {
            let known = before[Int(edge.to)]
            if known < 0 || edge.from < known { before[Int(edge.to)] = edge.from }
        }
        var seenAt = [Int32](repeating: -1, count: waiting.count)
        var walk: [Int32] = []
        var node = Int32(waiting.firstIndex { $0 > 0 } ?? 0)
        while node >= 0, seenAt[Int(node)] < 0 {
            seenAt[Int(node)] = Int32(walk.count)
            walk.append(node)
            node = before[Int(node)]
        }
        guard node >= 0 else { return [] }
        let found = Array(walk[Int(seenAt[Int(node)])...].reversed())
        let lowest = found.indices.min { found[$0] < found[$1] } ?? 0
        return Array(found[lowest...] + found[..<lowest])
    }
}

/// A heap that gives the lowest number first.
private struct LowestFirst {
    private var heap: [Int32] = []

    mutating func insert(_ value: Int32) {
        heap.append(value)
        var index = heap.count - 1
        while index > 0, heap[(index - 1) / 2] > heap[index] {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func removeLowest() -> Int32? {
        guard let lowest = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return lowest }
        heap[0] = last
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { return lowest }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < heap[index] else { return lowest }
            heap.swapAt(index, child)
            index = child
        }
    }
}
