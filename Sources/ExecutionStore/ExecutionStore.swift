public import ExecutionDocuments
internal import Glibc
public import MeshCore

/// Execution documents in files: a lean global log, and full snapshots where each execution belongs.
///
/// `<root>/.spl/exec/log` says what happened and is the source of truth;
/// `<root>/<context>/.spl/exec/<protocol>/<uid>/<label>.json` holds the documents. A snapshot is on the disk
/// before the log speaks of it. Several stores, also in several processes, may use one root at once: the log has
/// a lock. Two that write snapshots of the same execution are not kept apart: the log keeps the first ending.
public final class ExecutionStore: Sendable {
    let root: Folder
    let onRepair: @Sendable (LogRepair) -> Void
    let now: @Sendable () -> Timestamp

    /// Opens a store and repairs its log, if a crash has left half a line.
    ///
    /// - Parameters:
    ///   - root: An existing folder; nothing is ever written outside of it.
    ///   - now: The present, for what is logged.
    ///   - onRepair: Told what was cut from the log or added, each time, on the thread that found it.
    /// - Throws: ``ExecutionFailure/access``, ``ExecutionFailure/outsideRoot`` or ``ExecutionFailure/full``.
    public init(
        root: String, now: @escaping @Sendable () -> Timestamp = ExecutionStore.clock,
        onRepair: @escaping @Sendable (LogRepair) -> Void
    ) throws(ExecutionError) {
        self.root = try Folder.root(root)
        self.now = now
        self.onRepair = onRepair
        if let spl = try self.root.existing(".spl"), let folder = try spl.existing("exec") {
            try LogFile(folder: folder, onRepair: onRepair).repair()
        }
    }

    /// The system's clock.
    public static let clock: @Sendable () -> Timestamp = {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// A uid that nobody has: a random UUID of version 4.
    public static func freshUID() -> ExecutionUID {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Hexadecimal.encode(bytes)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return (try? ExecutionUID(text)) ?? freshUID()
    }

    /// Where the log is, made where it is missing.
    func logFile() throws(ExecutionError) -> LogFile {
        let (spl, isNew) = try root.made(".spl")
        let (folder, isNewFolder) = try spl.made("exec")
        if isNew { try root.sync() }
        if isNewFolder { try spl.sync() }
        return LogFile(folder: folder, onRepair: onRepair)
    }
}

extension ExecutionStore {
    /// Begins an execution: a document with its identity, its `start` snapshot, and its line in the log.
    public func create(
        _ protocolName: ProtocolName, context: ContextPath, parentUID: ExecutionUID? = nil
    ) throws(ExecutionError) -> ExecutionDocument {
        let document = ExecutionDocument(
            uid: Self.freshUID(), protocolName: protocolName, context: context, parentUID: parentUID,
            timestamp: now())
        return try one(.create(document))
    }

    /// Lets an execution run, its inputs put together: `start` is snapshotted anew.
    public func begin(_ document: ExecutionDocument) throws(ExecutionError) -> ExecutionDocument {
        try one(.begin(document))
    }

    /// Snapshots a document; without a label under the next sequence number, which is returned.
    ///
    /// - Throws: ``ExecutionFailure/badName`` for `start` and `end`, which the lifecycle writes.
    @discardableResult
    public func snapshot(
        _ document: ExecutionDocument, label: SnapshotLabel? = nil
    ) throws(ExecutionError) -> SnapshotLabel {
        let label = if let label { label } else { try nextLabel(document) }
        _ = try one(.snapshot(document, label))
        return label
    }

    /// Ends an execution well.
    public func complete(_ document: ExecutionDocument) throws(ExecutionError) -> ExecutionDocument {
        try one(.complete(document))
    }

    /// Ends an execution badly; the error is in the `end` snapshot, and its beginning in the log.
    public func fail(
        _ document: ExecutionDocument, error: String? = nil
    ) throws(ExecutionError) -> ExecutionDocument {
        try one(.fail(document, error: error))
    }

    private func one(_ operation: ExecutionOperation) throws(ExecutionError) -> ExecutionDocument {
        guard let document = try commit([operation]).first else {
            throw ExecutionError(.access, "the operation gave no document")
        }
        return document
    }

    /// Does several things with one wait for the disk, and returns the documents as they are then.
    ///
    /// When it returns, all of it is durable. When it throws, no line is in the log; snapshots may have been
    /// written that no line speaks of.
    public func commit(_ operations: [ExecutionOperation]) throws(ExecutionError) -> [ExecutionDocument] {
        var group = ExecutionGroup(root: root, operationCount: operations.count)
        var documents: [ExecutionDocument] = []
        documents.reserveCapacity(operations.count)
        for operation in operations { documents.append(try write(operation, &group)) }
        try group.sync()
        guard !group.lines.isEmpty else { return documents }
        let lines = group.lines
        try logFile().append { _ in lines }
        return documents
    }

    private func write(
        _ operation: ExecutionOperation, _ group: inout ExecutionGroup
    ) throws(ExecutionError) -> ExecutionDocument {
        switch operation {
        case .create(let document):
            guard !document.status.isFinal else {
                throw ExecutionError(.badTransition, "\(document.uid) is \(document.status.rawValue) already")
            }
            try checkIsNew(document)
            try group.write(document, .start)
            group.log(.start(document))
            return document
        case .begin(let document):
            let running = try document.becoming(.running)
            try group.write(running, .start)
            group.log(.transition(uid: document.uid, status: .running, timestamp: now(), error: nil))
            return running
        case .snapshot(let document, let label):
            guard label != .start, label != .end else {
                throw ExecutionError(.badName, "the snapshot \(label) is written by the lifecycle alone")
            }
            try group.write(document, label)
            return document
        case .complete(let document): return try end(document, .completed, nil, &group)
        case .fail(let document, let error): return try end(document, .failed, error, &group)
        }
    }

    private func end(
        _ document: ExecutionDocument, _ status: ExecutionStatus, _ error: String?,
        _ group: inout ExecutionGroup
    ) throws(ExecutionError) -> ExecutionDocument {
        let instant = now()
        var ended = document
        // What never ran by a word of its own does so now: no status is passed over.
        if document.status == .created {
            ended = try ended.becoming(.running)
            group.log(.transition(uid: document.uid, status: .running, timestamp: instant, error: nil))
        }
        ended = try ended.becoming(status)
        try ended.set(
            status == .completed ? "completedAt" : "failedAt", to: .string(instant.description))
        if let error { try ended.set("error", to: .string(error)) }
        try group.write(ended, .end)
        group.log(.transition(uid: document.uid, status: status, timestamp: instant, error: error))
        return ended
    }

    /// A uid is good once; what a crash left before its line was written may be written again.
    private func checkIsNew(_ document: ExecutionDocument) throws(ExecutionError) {
        guard let folder = try snapshots(document.context, document.protocolName, document.uid),
            folder.has(SnapshotLabel.start.fileName), try log().position(of: document.uid) != nil
        else { return }
        throw ExecutionError(.badTransition, "\(document.uid) has started already")
    }

    private func nextLabel(_ document: ExecutionDocument) throws(ExecutionError) -> SnapshotLabel {
        guard let folder = try snapshots(document.context, document.protocolName, document.uid) else {
            return SnapshotLabel(sequence: 1)
        }
        var number: UInt32 = 1
        while folder.has(SnapshotLabel(sequence: number).fileName), number < .max { number += 1 }
        return SnapshotLabel(sequence: number)
    }
}
