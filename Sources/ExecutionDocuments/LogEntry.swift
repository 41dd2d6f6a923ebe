public import MeshCore

/// How an execution is deleted: first out of sight, then with its snapshots.
public enum Deletion: String, Hashable, Sendable, CaseIterable {
    /// Lists leave it out; everything is still there.
    case soft
    /// Its snapshots are gone; its lines stay until the log is compacted.
    case hard
}

/// One line of the global log: identity, status, instant, and nothing of the document's content.
public enum LogEntry: Hashable, Sendable {
    /// An execution begins; its status is `created` or `running`.
    case start(
        uid: ExecutionUID, protocolName: ProtocolName, context: ContextPath, parentUID: ExecutionUID?,
        timestamp: Timestamp, status: ExecutionStatus)
    /// An execution takes its next status; a failure may say why.
    case transition(uid: ExecutionUID, status: ExecutionStatus, timestamp: Timestamp, error: String?)
    /// An execution is deleted.
    case deletion(uid: ExecutionUID, deletion: Deletion, timestamp: Timestamp)

    /// The most bytes of an error that the log keeps; the rest is in the `end` snapshot.
    public static let errorLengthMax = 1024
    /// The most bytes of a line, its newline included; longer ones are not read.
    public static let lineLengthMax = 16 << 10

    /// The line that a new document has in the log.
    public static func start(_ document: ExecutionDocument) -> LogEntry {
        .start(
            uid: document.uid, protocolName: document.protocolName, context: document.context,
            parentUID: document.parentUID, timestamp: document.timestamp, status: document.status)
    }

    /// The line as JSON, closed by a newline.
    public var line: [UInt8] {
        var members: [DocumentMember] = []
        switch self {
        case .start(let uid, let protocolName, let context, let parentUID, let timestamp, let status):
            members = [
                DocumentMember("uid", .string(uid.description)),
                DocumentMember("protocol", .string(protocolName.description)),
                DocumentMember("context", .string(context.description)),
                DocumentMember("parentUid", parentUID.map { .string($0.description) } ?? .null),
                DocumentMember("timestamp", .string(timestamp.description)),
                DocumentMember("status", .string(status.rawValue)),
            ]
        case .transition(let uid, let status, let timestamp, let error):
            members = [
                DocumentMember("uid", .string(uid.description)),
                DocumentMember("status", .string(status.rawValue)),
                DocumentMember("timestamp", .string(timestamp.description)),
            ]
            if let error { members.append(DocumentMember("error", .string(Self.shortened(error)))) }
        case .deletion(let uid, let deletion, let timestamp):
            members = [
                DocumentMember("uid", .string(uid.description)),
                DocumentMember("deletion", .string(deletion.rawValue)),
                DocumentMember("timestamp", .string(timestamp.description)),
            ]
        }
        var bytes = DocumentValue.object(members).compact
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// Reads one line, with or without its newline.
    ///
    /// - Throws: ``ExecutionFailure/badJSON`` for anything that is no line of a log.
    public init(line: [UInt8]) throws(ExecutionError) {
        let end = line.last == UInt8(ascii: "\n") ? line.count - 1 : line.count
        guard let fields = LogFields(line, 0..<end), let entry = fields.entry(line) else {
            throw ExecutionError(.badJSON, "the bytes are no line of an execution log")
        }
        self = entry
    }

    /// `error` up to the bound, cut between characters.
    private static func shortened(_ error: String) -> String {
        guard error.utf8.count > errorLengthMax else { return error }
        var length = 0
        var short = ""
        for scalar in error.unicodeScalars {
            length += scalar.utf8.count
            if length > errorLengthMax { break }
            short.unicodeScalars.append(scalar)
        }
        return short
    }
}
