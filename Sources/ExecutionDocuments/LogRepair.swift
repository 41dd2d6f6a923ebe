/// What a crash left at the end of a log, and what makes the log whole again.
///
/// Only the last line is looked at: a line is acknowledged when it and its newline are on the disk, so nothing
/// that anybody was told about is ever cut. A last line that lacks nothing but its newline is kept.
public struct LogRepair: Hashable, Sendable {
    /// How many bytes stay.
    public let kept: Int
    /// The bytes that are cut.
    public let cut: [UInt8]
    /// The bytes that are added: a newline, or nothing.
    public let added: [UInt8]

    /// Whether the log is whole as it is.
    public var isWhole: Bool { cut.isEmpty && added.isEmpty }

    /// What happened, in one sentence; empty where nothing did.
    public var sentence: String {
        if !cut.isEmpty {
            return "the log ended within a line: \(cut.count) bytes behind byte \(kept) were cut"
        }
        return added.isEmpty ? "" : "the log's last line lacked its newline, which was added at byte \(kept)"
    }

    /// Looks at a log, or at its end from the beginning of some line.
    public init(_ log: [UInt8]) {
        var start = log.count
        while start > 0, log[start - 1] != 0x0A { start -= 1 }
        let isEntry = LogFields(log, start..<log.count).flatMap { $0.entry(log) } != nil
        kept = isEntry ? log.count : start
        cut = Array(log[kept...])
        added = isEntry ? [0x0A] : []
    }

    /// The log that is whole.
    public func applied(to log: [UInt8]) -> [UInt8] { Array(log.prefix(kept)) + added }
}
