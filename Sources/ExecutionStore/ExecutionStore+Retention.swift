public import ExecutionDocuments
public import MeshCore

extension ExecutionStore {
    /// Takes executions out of sight; everything of theirs is still there.
    ///
    /// - Throws: ``ExecutionFailure/unknown``, or ``ExecutionFailure/badTransition`` for one that has not ended;
    ///   then none is deleted.
    public func softDelete(_ uids: [ExecutionUID]) throws(ExecutionError) { try delete(uids, .soft) }

    /// Removes the snapshots of executions; their lines stay until the log is compacted.
    ///
    /// The log speaks first, so that after a crash nothing is believed to have snapshots that are gone. Doing
    /// it again finishes what a crash left.
    /// - Throws: As ``softDelete(_:)`` does.
    public func hardDelete(_ uids: [ExecutionUID]) throws(ExecutionError) {
        try delete(uids, .hard)
        let log = try log()
        for uid in uids {
            if let logged = log[uid] { try removeSnapshots(logged) }
        }
    }

    /// Drops the lines of hard deleted executions from the log, and whatever is left of their snapshots.
    public func compact() throws(ExecutionError) -> LogCompaction {
        try logFile().compact { log, compaction throws(ExecutionError) in
            for uid in compaction.dropped {
                if let logged = log[uid] { try removeSnapshots(logged) }
            }
        }
    }

    /// Does what a policy asks for now, and says what that was.
    @discardableResult
    public func retain(_ policy: RetentionPolicy) throws(ExecutionError) -> RetentionDecision {
        let decision = policy.decide(try log(), now: now())
        try softDelete(decision.softDeletions)
        try hardDelete(decision.hardDeletions)
        if decision.compacts { _ = try compact() }
        return decision
    }

    private func delete(_ uids: [ExecutionUID], _ deletion: Deletion) throws(ExecutionError) {
        guard !uids.isEmpty else { return }
        let instant = now()
        try logFile().append(isReading: true) { log throws(ExecutionError) in
            var lines: [UInt8] = []
            for uid in uids {
                guard let logged = log?[uid] else {
                    throw ExecutionError(.unknown, "the log has no execution \(uid)")
                }
                guard logged.status.isFinal else {
                    throw ExecutionError(
                        .badTransition, "\(uid) is \(logged.status.rawValue); only what has ended is deleted")
                }
                // What is deleted that far already needs no second line.
                guard logged.deletion != .hard, logged.deletion != deletion else { continue }
                lines += LogEntry.deletion(uid: uid, deletion: deletion, timestamp: instant).line
            }
            return lines
        }
    }

    private func removeSnapshots(_ logged: LoggedExecution) throws(ExecutionError) {
        guard let folder = try snapshots(logged.context, logged.protocolName, logged.uid) else { return }
        for name in try folder.names() { try folder.remove(name) }
        var above = root
        for name in logged.context.storeNames(logged.protocolName) {
            guard let inner = try above.existing(name) else { return }
            above = inner
        }
        try above.remove(logged.uid.description, isFolder: true)
        try above.sync()
    }
}
