public import MeshCore

/// What a log says about one execution.
public struct LoggedExecution: Hashable, Sendable {
    public let uid: ExecutionUID
    public let protocolName: ProtocolName
    public let context: ContextPath
    public let parentUID: ExecutionUID?
    public let startedAt: Timestamp
    public let status: ExecutionStatus
    /// When it completed or failed.
    public let endedAt: Timestamp?
    /// Why it failed, where that was said.
    public let error: String?
    public let deletion: Deletion?
    /// When the deletion was said.
    public let deletedAt: Timestamp?
}

/// Something in a log that was passed over, by its line from 1.
public struct LogFinding: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable {
        case unreadable = "the line cannot be read"
        case torn = "the last line is cut off"
        case startedTwice = "an execution of that uid has started already"
        case unknownExecution = "no execution of that uid has started"
        case badTransition = "the lifecycle has no such step"
    }

    public let line: Int
    public let kind: Kind

    public var description: String { "line \(line): \(kind.rawValue)" }
}

/// A global log, folded into its executions in the order in which they started.
///
/// The log's bytes are kept and executions are made of them when asked for. A line that cannot be believed is
/// passed over and said: reading goes on.
public struct ExecutionLog: Sendable {
    /// The most bytes of a log; 32 bits count them.
    public static let byteCountMax = 1 << 31
    /// The most findings that are kept; ``findingCount`` counts them all.
    public static let findingsMax = 1000

    struct Row: Sendable {
        var uid: LogSlice
        var protocolName: LogSlice
        var context: LogSlice
        var parentUID: LogSlice
        var error = LogSlice()
        var startedAt: Timestamp
        var endedAt: Timestamp?
        var status: ExecutionStatus
        var deletion: Deletion?
        var deletedAt: Timestamp?
    }

    let bytes: [UInt8]
    private(set) var rows: [Row] = []
    private var table = UIDTable()
    public private(set) var findings: [LogFinding] = []
    public private(set) var findingCount = 0
    /// Lines that were there, a torn one not among them.
    public private(set) var lineCount = 0

    /// Reads a log.
    ///
    /// - Throws: ``ExecutionFailure/tooLarge`` beyond ``byteCountMax``; nothing else is refused.
    public init(_ bytes: [UInt8]) throws(ExecutionError) {
        guard bytes.count <= Self.byteCountMax else {
            throw ExecutionError(
                .tooLarge, "the log has \(bytes.count) bytes; \(Self.byteCountMax) are read",
                hint: "compact it")
        }
        self.bytes = bytes
        var start = 0
        while start < bytes.count {
            let end = Self.newline(bytes, from: start)
            guard end < bytes.count else {
                find(.torn, lineCount + 1)
                break
            }
            lineCount += 1
            read(start..<end)
            start = end + 1
        }
    }

    /// Where the next newline is, or the end; eight bytes at a time.
    private static func newline(_ bytes: [UInt8], from start: Int) -> Int {
        let span = unsafe bytes.span.bytes
        var index = start
        while index + 8 <= span.byteCount {
            // Exact for the lowest byte that matches, which is all that is asked.
            let word = unsafe UInt64(
                littleEndian: span.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
            let difference = word ^ 0x0A0A_0A0A_0A0A_0A0A
            let found = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < bytes.count, bytes[index] != 0x0A { index += 1 }
        return index
    }

    private mutating func find(_ kind: LogFinding.Kind, _ line: Int) {
        findingCount += 1
        if findings.count < Self.findingsMax { findings.append(LogFinding(line: line, kind: kind)) }
    }

    private mutating func read(_ line: Range<Int>) {
        guard let fields = LogFields(bytes, line), let (instant, kind) = fields.kind(bytes) else {
            find(.unreadable, lineCount)
            return
        }
        let position = table.find(bytes, fields.uid.range, in: bytes)
        if case .start(let status) = kind {
            guard position == nil else {
                find(.startedTwice, lineCount)
                return
            }
            table.add(fields.uid, in: bytes)
            rows.append(
                Row(
                    uid: fields.uid, protocolName: fields.protocolName, context: fields.context,
                    parentUID: fields.parentUID, startedAt: instant, status: status))
            return
        }
        guard let position else {
            find(.unknownExecution, lineCount)
            return
        }
        switch kind {
        case .transition(let status):
            guard rows[position].status.allows(status) else {
                find(.badTransition, lineCount)
                return
            }
            rows[position].status = status
            if status.isFinal {
                rows[position].endedAt = instant
                rows[position].error = fields.error
            }
        case .deletion(let deletion):
            guard rows[position].deletion != .hard else {
                find(.badTransition, lineCount)
                return
            }
            rows[position].deletion = deletion
            rows[position].deletedAt = instant
        case .start: return
        }
    }
}

extension ExecutionLog: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { rows.count }

    /// The execution that started as the `position`th, from 0.
    public subscript(position: Int) -> LoggedExecution {
        let row = rows[position]
        func name(_ slice: LogSlice) -> String { String(decoding: bytes[slice.range], as: UTF8.self) }
        return LoggedExecution(
            uid: ExecutionUID(checked: name(row.uid)),
            protocolName: ProtocolName(checked: name(row.protocolName)), context: context(row.context),
            parentUID: row.parentUID.isPresent ? ExecutionUID(checked: name(row.parentUID)) : nil,
            startedAt: row.startedAt, status: row.status, endedAt: row.endedAt,
            error: row.error.isPresent ? LogFields.text(bytes, row.error.range) : nil,
            deletion: row.deletion, deletedAt: row.deletedAt)
    }

    /// The position of an execution, or `nil`.
    public func position(of uid: ExecutionUID) -> Int? {
        let key = Array(uid.description.utf8)
        return table.find(key, 0..<key.count, in: bytes)
    }

    /// The execution of that uid, or `nil`.
    public subscript(uid: ExecutionUID) -> LoggedExecution? { position(of: uid).map { self[$0] } }

    /// The position of the execution that triggered the one at `position`; `nil` where the log has none.
    func parent(of position: Int) -> Int? {
        let parent = rows[position].parentUID
        return parent.isPresent ? table.find(bytes, parent.range, in: bytes) : nil
    }

    /// The position of the execution whose uid stands at `slice`.
    func position(at slice: LogSlice) -> Int? { table.find(bytes, slice.range, in: bytes) }

    /// The path was checked when the line was read.
    private func context(_ slice: LogSlice) -> ContextPath {
        if slice.count > 1, LogFields.isPlainContext(bytes, slice) {
            let names = bytes[(slice.range.lowerBound + 1)..<slice.range.upperBound].split(separator: 0x2F)
            return ContextPath(checked: names.map { String(decoding: $0, as: UTF8.self) })
        }
        return (LogFields.text(bytes, slice.range).flatMap { try? ContextPath($0) }) ?? .root
    }
}
