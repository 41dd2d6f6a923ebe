public import ExecutionDocuments
internal import Glibc
public import MeshCore

extension ExecutionStore {
    /// The log as it stands; empty where nothing was ever logged.
    public func log() throws(ExecutionError) -> ExecutionLog {
        guard let spl = try root.existing(".spl"), let folder = try spl.existing("exec") else {
            return try ExecutionLog([])
        }
        return try ExecutionLog(try LogFile(folder: folder, onRepair: onRepair).read())
    }

    /// The executions that are not deleted, in the order in which they started; all where `includesDeleted`.
    public func list(includesDeleted: Bool = false) throws(ExecutionError) -> [LoggedExecution] {
        try log().filter { includesDeleted || $0.deletion == nil }
    }

    /// Who triggered whom, for the whole log or below one execution; positions are those of the log.
    public func tree(
        below uid: ExecutionUID? = nil
    ) throws(ExecutionError) -> (log: ExecutionLog, tree: ExecutionTree) {
        let log = try log()
        if let uid { _ = try entry(uid, log) }
        return (log, ExecutionTree(log, below: uid))
    }

    /// A snapshot, byte for byte.
    ///
    /// - Throws: ``ExecutionFailure/unknown``, ``ExecutionFailure/missingSnapshot``, what reading a document
    ///   throws, and ``ExecutionFailure/identity`` for a document of another execution.
    public func read(
        _ uid: ExecutionUID, _ label: SnapshotLabel, limits: DocumentLimits = .standard
    ) throws(ExecutionError) -> ExecutionDocument {
        try read(try entry(uid, try log()), label, limits: limits)
    }

    /// The labels of an execution's snapshots, sorted; what else lies there is passed over.
    public func labels(_ uid: ExecutionUID) throws(ExecutionError) -> [SnapshotLabel] {
        try labels(try entry(uid, try log()))
    }

    /// What an execution did: `start` against `end`.
    public func diff(_ uid: ExecutionUID) throws(ExecutionError) -> ChangeRecord {
        let logged = try entry(uid, try log())
        return ChangeRecord(from: try read(logged, .start), to: try read(logged, .end))
    }

    /// The start snapshot of an execution that did not complete, and what happens once more when it restarts.
    ///
    /// Nothing is changed. Whoever restarts processes the plan's document, and completes or fails it.
    public func recover(_ uid: ExecutionUID) throws(ExecutionError) -> RecoveryPlan {
        let log = try log()
        let logged = try entry(uid, log)
        return try RecoveryPlan(
            start: try read(logged, .start), labels: try labels(logged), uid: uid, log: log)
    }

    private func entry(_ uid: ExecutionUID, _ log: ExecutionLog) throws(ExecutionError) -> LoggedExecution {
        guard let logged = log[uid] else {
            throw ExecutionError(.unknown, "the log has no execution \(uid)")
        }
        return logged
    }

    private func labels(_ logged: LoggedExecution) throws(ExecutionError) -> [SnapshotLabel] {
        guard let folder = try snapshots(logged.context, logged.protocolName, logged.uid) else { return [] }
        return try folder.names().compactMap { name in
            name.hasSuffix(".json") ? try? SnapshotLabel(String(name.dropLast(5))) : nil
        }.sorted()
    }

    private func read(
        _ logged: LoggedExecution, _ label: SnapshotLabel, limits: DocumentLimits = .standard
    ) throws(ExecutionError) -> ExecutionDocument {
        let folder = try snapshots(logged.context, logged.protocolName, logged.uid)
        guard let file = try folder?.open(label.fileName, O_RDONLY) else {
            throw ExecutionError(
                .missingSnapshot, "\(logged.uid) has no snapshot \(label)",
                hint: logged.deletion == .hard ? "its snapshots were deleted" : nil)
        }
        let length = try file.length()
        guard length <= limits.byteCountMax else {
            throw ExecutionError(
                .tooLarge, "\(file.path) has \(length) bytes; \(limits.byteCountMax) are read")
        }
        let document = try ExecutionDocument(decoding: try file.read(0..<length), limits: limits)
        guard document.uid == logged.uid, document.protocolName == logged.protocolName,
            document.context == logged.context, document.parentUID == logged.parentUID
        else { throw ExecutionError(.identity, "\(file.path) is a document of another execution") }
        return document
    }

    /// The folder of an execution's snapshots; `nil` where it is missing.
    func snapshots(
        _ context: ContextPath, _ protocolName: ProtocolName, _ uid: ExecutionUID
    ) throws(ExecutionError) -> Folder? {
        var folder = root
        for name in context.storeNames(protocolName) + [uid.description] {
            guard let inner = try folder.existing(name) else { return nil }
            folder = inner
        }
        return folder
    }
}
