public import ExecutionDocuments
public import MeshCore

/// An execution that happened elsewhere, by its snapshots.
public struct AdoptedExecution: Hashable, Sendable {
    public let start: ExecutionDocument
    /// `nil` while it runs.
    public let end: ExecutionDocument?

    /// - Throws: ``ExecutionFailure/badStatus`` where the start is over or the end is not, and
    ///   ``ExecutionFailure/identity`` where the two are not of one execution.
    public init(start: ExecutionDocument, end: ExecutionDocument?) throws(ExecutionError) {
        guard !start.status.isFinal, end?.status.isFinal ?? true else {
            throw ExecutionError(
                .badStatus,
                "start is \(start.status.rawValue) and end is \(end?.status.rawValue ?? "not there")")
        }
        if let end {
            guard end.uid == start.uid, end.protocolName == start.protocolName,
                end.context == start.context, end.parentUID == start.parentUID,
                end.timestamp == start.timestamp
            else { throw ExecutionError(.identity, "start and end are of two executions") }
        }
        self.start = start
        self.end = end
    }

    /// When it ended, as its end says; the instant of its start where it says nothing.
    var endedAt: Timestamp {
        let key: DocumentText = end?.status == .completed ? "completedAt" : "failedAt"
        guard case .text(let text)? = end?[key], let instant = Timestamp(text.description) else {
            return start.timestamp
        }
        return instant
    }

    var error: String? {
        guard case .text(let text)? = end?["error"] else { return nil }
        return text.description
    }

    /// Its lines as a global log has them.
    public var lines: [UInt8] { LogEntry.start(start).line + endingLines(from: start.status) }

    /// The lines that follow on a status; none while it runs.
    func endingLines(from status: ExecutionStatus) -> [UInt8] {
        guard let end else { return [] }
        var lines: [UInt8] = []
        // No status is passed over.
        if status == .created {
            lines +=
                LogEntry.transition(
                    uid: end.uid, status: .running, timestamp: start.timestamp, error: nil
                ).line
        }
        return lines
            + LogEntry.transition(uid: end.uid, status: end.status, timestamp: endedAt, error: error).line
    }
}

/// What became of executions that were to be adopted.
public struct Adoption: Hashable, Sendable {
    /// Executions that were new here.
    public var added = 0
    /// Executions that ran when they were adopted, and whose end has come since.
    public var ended = 0
    /// Executions of which nothing new was known.
    public var unchanged = 0

    public init() {}
}

extension ExecutionStore {
    /// Takes over executions that happened elsewhere.
    ///
    /// Snapshots are kept byte for byte, and lines have the instants that the snapshots name. Doing it again adds
    /// nothing.
    /// - Throws: What ``commit(_:)`` throws; then nothing was taken over.
    public func adopt(_ executions: [AdoptedExecution]) throws(ExecutionError) -> Adoption {
        let log = try log()
        var group = ExecutionGroup(root: root, operationCount: executions.count)
        var adoption = Adoption()
        var lines: [UInt8] = []
        for one in executions {
            let known = log[one.start.uid]
            if known?.status.isFinal == true || known != nil && one.end == nil {
                adoption.unchanged += 1
                continue
            }
            if let known {
                lines += one.endingLines(from: known.status)
                adoption.ended += 1
            } else {
                try group.write(one.start, .start)
                lines += one.lines
                adoption.added += 1
            }
            if let end = one.end { try group.write(end, .end) }
        }
        try group.sync()
        let written = lines
        if !written.isEmpty { try logFile().append { _ in written } }
        return adoption
    }
}
