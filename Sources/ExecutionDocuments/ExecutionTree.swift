/// The executions of a log by who triggered whom.
///
/// Built without recursion and in time that is linear in the log, whatever the log says: one that names a parent
/// which is not there stands as a root and is said, and a circle of parents is cut at its earliest member.
public struct ExecutionTree: Hashable, Sendable {
    /// One line of the tree, parents before their children, in the order in which they started.
    public struct Row: Hashable, Sendable {
        /// The execution's position in the log.
        public let position: Int
        /// How many stand above it.
        public let depth: Int
    }

    public private(set) var rows: [Row] = []
    /// Positions of executions whose parent the log does not have.
    public private(set) var orphans: [Int] = []
    /// Positions at which a circle of parents was cut.
    public private(set) var cycles: [Int] = []
    /// The position of each execution's parent, after circles were cut; -1 for none.
    let parents: [Int]

    /// The whole log, or what hangs below one execution, itself included.
    public init(_ log: ExecutionLog, below uid: ExecutionUID? = nil) {
        var parents = [Int](repeating: -1, count: log.count)
        for position in 0..<log.count {
            if let parent = log.parent(of: position) {
                parents[position] = parent
            } else if log.rows[position].parentUID.isPresent {
                orphans.append(position)
            }
        }
        cycles = Self.cut(&parents)
        self.parents = parents
        // Children as linked lists, filled from the last so that each list is in the log's order.
        var firstChild = [Int](repeating: -1, count: log.count)
        var nextSibling = [Int](repeating: -1, count: log.count)
        var firstRoot = -1
        for position in stride(from: log.count - 1, through: 0, by: -1) {
            if parents[position] >= 0 {
                nextSibling[position] = firstChild[parents[position]]
                firstChild[parents[position]] = position
            } else {
                nextSibling[position] = firstRoot
                firstRoot = position
            }
        }
        var stack: [Row] = []
        if let uid {
            guard let position = log.position(of: uid) else { return }
            nextSibling[position] = -1
            firstRoot = position
        }
        if firstRoot >= 0 { stack.append(Row(position: firstRoot, depth: 0)) }
        while let row = stack.popLast() {
            rows.append(row)
            let (sibling, child) = (nextSibling[row.position], firstChild[row.position])
            if sibling >= 0 { stack.append(Row(position: sibling, depth: row.depth)) }
            if child >= 0 { stack.append(Row(position: child, depth: row.depth + 1)) }
        }
    }

    /// Makes the earliest member of every circle a root.
    private static func cut(_ parents: inout [Int]) -> [Int] {
        // 0: not seen; otherwise the walk that saw it first.
        var seenBy = [Int](repeating: 0, count: parents.count)
        var cuts: [Int] = []
        for start in parents.indices where seenBy[start] == 0 {
            var position = start
            while position >= 0, seenBy[position] == 0 {
                seenBy[position] = start + 1
                position = parents[position]
            }
            // A walk that meets itself has found a circle; one that meets an earlier walk has not.
            guard position >= 0, seenBy[position] == start + 1 else { continue }
            var (earliest, member) = (position, parents[position])
            while member != position {
                earliest = min(earliest, member)
                member = parents[member]
            }
            parents[earliest] = -1
            cuts.append(earliest)
        }
        return cuts.sorted()
    }
}
