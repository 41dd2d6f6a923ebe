/// What clients asked of a set and what they were told, and whether it holds together.
///
/// Knows nothing of nodes: values and instants only.
struct MaelstromHistory {
    private struct Value {
        let asked: ContinuousClock.Instant
        /// When the client was told that it is in.
        var known: ContinuousClock.Instant?
        /// When a read was begun that did not find it although it was known.
        var lastAbsent: ContinuousClock.Instant?
    }

    private var values: [Int: Value] = [:]
    private(set) var addCount = 0
    private(set) var readCount = 0
    /// Values that were read and never asked for.
    private(set) var invented: Set<Int> = []
    /// Values that one read gave twice.
    private(set) var doubled: Set<Int> = []

    mutating func asked(_ value: Int, at now: ContinuousClock.Instant) {
        values[value] = Value(asked: now)
        addCount += 1
    }

    mutating func acknowledged(_ value: Int, at now: ContinuousClock.Instant) { values[value]?.known = now }

    mutating func read(_ found: [Int], begun: ContinuousClock.Instant) {
        readCount += 1
        let set = Set(found)
        if set.count != found.count {
            var seen: Set<Int> = []
            for value in found where !seen.insert(value).inserted { doubled.insert(value) }
        }
        invented.formUnion(set.filter { values[$0] == nil })
        for (value, entry) in values where !set.contains(value) {
            guard let known = entry.known, known <= begun else { continue }
            values[value]?.lastAbsent = max(entry.lastAbsent ?? begun, begun)
        }
    }

    /// The acknowledged values that a last read of some node lacks.
    func lost(_ finalReads: [[Int]]) -> [Int] {
        let sets = finalReads.map { Set($0) }
        return values.filter { value, entry in entry.known != nil && !sets.allSatisfy { $0.contains(value) } }
            .map(\.key).sorted()
    }

    var acknowledgedCount: Int { values.filter { $0.value.known != nil }.count }

    /// For each acknowledged value, how long after that the last read was begun that lacked it; sorted.
    ///
    /// This is Maelstrom's own measure of when a value is stable: 0 when no read ever lacked it.
    var stableLatencies: [Duration] {
        values.compactMap { _, entry in
            entry.known.map { known in entry.lastAbsent.map { max(.zero, $0 - known) } ?? .zero }
        }.sorted()
    }
}
