/// A log without the lines of executions that are hard deleted.
///
/// One that triggered others stays while any of them does, so that no tree loses its root. Lines that cannot be
/// read stay: they may be somebody's evidence. What stays, stays byte for byte and in order.
public struct LogCompaction: Hashable, Sendable {
    /// The shorter log; a torn last line is not in it.
    public let bytes: [UInt8]
    /// Whose lines are gone, in the order of the log.
    public let dropped: [ExecutionUID]
    /// How many lines are gone.
    public let droppedLineCount: Int

    public init(_ log: ExecutionLog) {
        let tree = ExecutionTree(log)
        var goes = log.rows.map { $0.deletion == .hard }
        for row in tree.rows.reversed() where !goes[row.position] && tree.parents[row.position] >= 0 {
            goes[tree.parents[row.position]] = false
        }
        var kept: [UInt8] = []
        kept.reserveCapacity(log.bytes.count)
        var (start, count) = (0, 0)
        while let end = log.bytes[start...].firstIndex(of: 0x0A) {
            let fields = LogFields(log.bytes, start..<end)
            let position = fields.flatMap { fields in
                fields.kind(log.bytes) == nil ? nil : log.position(at: fields.uid)
            }
            if let position, goes[position] {
                count += 1
            } else {
                kept.append(contentsOf: log.bytes[start...end])
            }
            start = end + 1
        }
        bytes = kept
        dropped = log.indices.filter { goes[$0] }.map { log[$0].uid }
        droppedLineCount = count
    }
}
