/// An order in which what depends on others comes after them.
struct DependencyOrder {
    /// The places that depend on no cycle, each after all that it depends on; of several the earliest first.
    private(set) var order: [Int] = []
    /// The places on a cycle, or between two.
    private(set) var cyclic: Set<Int> = []

    /// - Parameter dependencies: For each place the places that it depends on; repetitions do not matter.
    init(_ dependencies: [[Int]]) {
        var dependents = [[Int]](repeating: [], count: dependencies.count)
        var left = [Int](repeating: 0, count: dependencies.count)
        for (place, needed) in dependencies.enumerated() {
            for other in Set(needed).sorted() {
                dependents[other].append(place)
                left[place] += 1
            }
        }
        // Level by level, each in the order of the places: the result depends on nothing else.
        var level = dependencies.indices.filter { left[$0] == 0 }
        while !level.isEmpty {
            order += level
            var next: [Int] = []
            for place in level {
                for dependent in dependents[place] {
                    left[dependent] -= 1
                    if left[dependent] == 0 { next.append(dependent) }
                }
            }
            level = next.sorted()
        }
        guard order.count < dependencies.count else { return }
        findCycles(dependencies, left: left)
    }

    /// Takes away, again and again, what nothing that is left depends on: that is below a cycle and not on one.
    private mutating func findCycles(_ dependencies: [[Int]], left: [Int]) {
        var remaining = Set(dependencies.indices.filter { left[$0] > 0 })
        var needs = [Int](repeating: 0, count: dependencies.count)
        for place in remaining.sorted() {
            for other in Set(dependencies[place]).sorted() where remaining.contains(other) {
                needs[other] += 1
            }
        }
        var free = remaining.sorted().filter { needs[$0] == 0 }
        while let place = free.popLast() {
            remaining.remove(place)
            for other in Set(dependencies[place]).sorted() where remaining.contains(other) {
                needs[other] -= 1
                if needs[other] == 0 { free.append(other) }
            }
        }
        cyclic = remaining
    }
}
