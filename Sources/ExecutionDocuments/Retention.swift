public import MeshCore

/// How long executions are kept: by age, by count, and when the log is compacted.
///
/// Only what has ended is ever deleted, and nothing before all that it triggered.
public struct RetentionPolicy: Hashable, Sendable {
    /// Milliseconds after its end when an execution is deleted softly; `nil` for never.
    public var softAge: Int64?
    /// The most executions that have ended and are not deleted; `nil` for all.
    ///
    /// The longest ended go first.
    public var keptMax: Int?
    /// Milliseconds after its soft deletion when an execution is deleted with its snapshots; `nil` for never.
    public var hardAge: Int64?
    /// How many hard deletions make the log worth compacting; `nil` for never.
    public var compactionMin: Int?

    public init(
        softAge: Int64? = nil, keptMax: Int? = nil, hardAge: Int64? = nil, compactionMin: Int? = nil
    ) {
        self.softAge = softAge
        self.keptMax = keptMax
        self.hardAge = hardAge
        self.compactionMin = compactionMin
    }
}

/// What a policy asks for at an instant; each list in the order of the log.
public struct RetentionDecision: Hashable, Sendable {
    public internal(set) var softDeletions: [ExecutionUID] = []
    public internal(set) var hardDeletions: [ExecutionUID] = []
    /// Whether the log is to be compacted once those are done.
    public internal(set) var compacts = false

    /// A decision to delete nothing.
    public init() {}
}

extension RetentionPolicy {
    /// What to delete now.
    public func decide(_ log: ExecutionLog, now: Timestamp) -> RetentionDecision {
        var wanted = [Deletion?](repeating: nil, count: log.count)
        var kept: [Int] = []
        for position in 0..<log.count {
            let row = log.rows[position]
            wanted[position] = row.deletion
            guard let endedAt = row.endedAt else { continue }
            switch row.deletion {
            case .hard: break
            case .soft:
                if let hardAge, let since = row.deletedAt, now - since >= hardAge { wanted[position] = .hard }
            case nil:
                if let softAge, now - endedAt >= softAge {
                    wanted[position] = .soft
                } else {
                    kept.append(position)
                }
            }
        }
        if let keptMax, kept.count > max(0, keptMax) {
            let ends = log.rows
            kept.sort { (ends[$0].endedAt ?? now, $0) < (ends[$1].endedAt ?? now, $1) }
            for position in kept.prefix(kept.count - max(0, keptMax)) { wanted[position] = .soft }
        }
        holdBack(&wanted, log)
        var decision = RetentionDecision()
        for position in 0..<log.count where wanted[position] != log.rows[position].deletion {
            let uid = log[position].uid
            if wanted[position] == .soft {
                decision.softDeletions.append(uid)
            } else {
                decision.hardDeletions.append(uid)
            }
        }
        if let compactionMin {
            let gone = wanted.count { $0 == .hard }
            decision.compacts = gone > 0 && gone >= compactionMin
        }
        return decision
    }

    /// Lets no execution be deleted further than any that it triggered; what is deleted already stays so.
    private func holdBack(_ wanted: inout [Deletion?], _ log: ExecutionLog) {
        // Children stand behind their parents in the tree, so one walk backwards carries everything upwards.
        let tree = ExecutionTree(log)
        for row in tree.rows.reversed() where tree.parents[row.position] >= 0 {
            let parent = tree.parents[row.position]
            let own = log.rows[parent].deletion
            if Self.rank(wanted[row.position]) < Self.rank(wanted[parent]) {
                let held = wanted[row.position]
                wanted[parent] = Self.rank(held) < Self.rank(own) ? own : held
            }
        }
    }

    private static func rank(_ deletion: Deletion?) -> Int {
        switch deletion {
        case nil: 0
        case .soft: 1
        case .hard: 2
        }
    }
}
