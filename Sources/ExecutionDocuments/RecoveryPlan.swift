public import MeshCore

/// Where an execution restarts, and what happens once more when it does.
public struct RecoveryPlan: Hashable, Sendable {
    /// The snapshot to restart from.
    public let start: ExecutionDocument
    /// What had become of the execution.
    public let status: ExecutionStatus
    /// Snapshots after the start: processing up to them is redone, and they are written anew.
    public let redoneSnapshots: [SnapshotLabel]
    /// Executions that it had triggered and that it would trigger again, in the order of the log.
    public let redoneChildren: [ExecutionUID]

    /// - Throws: ``ExecutionFailure/badTransition`` for an execution that has completed, as there is nothing to
    ///   recover; ``ExecutionFailure/identity`` where the snapshot is of another one;
    ///   ``ExecutionFailure/badStatus`` where it is not from the start; ``ExecutionFailure/unknown`` where
    ///   the log does not have it.
    public init(
        start: ExecutionDocument, labels: [SnapshotLabel], uid: ExecutionUID, log: ExecutionLog
    ) throws(ExecutionError) {
        guard let logged = log[uid] else {
            throw ExecutionError(.unknown, "the log has no execution \(uid)")
        }
        guard logged.status != .completed else {
            throw ExecutionError(.badTransition, "\(uid) has completed: there is nothing to recover")
        }
        guard start.uid == uid, start.protocolName == logged.protocolName, start.context == logged.context,
            start.parentUID == logged.parentUID
        else { throw ExecutionError(.identity, "the start snapshot of \(uid) is of another execution") }
        guard !start.status.isFinal else {
            throw ExecutionError(
                .badStatus, "the start snapshot of \(uid) is \(start.status.rawValue) already")
        }
        self.start = start
        status = logged.status
        redoneSnapshots = labels.filter { $0 != .start }.sorted()
        let children = log.position(of: uid).map { parent in
            log.indices.filter { log.parent(of: $0) == parent }.map { log[$0].uid }
        }
        redoneChildren = children ?? []
    }

    /// What would be redone, one sentence each; the first names the place of the restart.
    public var sentences: [String] {
        var sentences = ["\(start.uid) was \(status.rawValue) and restarts from its start snapshot"]
        sentences += redoneSnapshots.map { "processing up to the snapshot \($0) is redone" }
        sentences += redoneChildren.map { "\($0), which it triggered, is triggered anew" }
        if redoneSnapshots.isEmpty && redoneChildren.isEmpty {
            sentences.append("nothing had been written since, so all processing is redone")
        }
        return sentences
    }
}
