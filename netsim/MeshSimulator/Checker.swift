/// The invariants that every run is held against, by name.
public enum Checker: String, Hashable, Sendable, CaseIterable {
    /// No honest placer awards a job twice in one epoch.
    case oneWinner = "one-winner"
    /// What was confirmed to a client stands in its node's feed for good.
    case acknowledgedKept = "acknowledged-kept"
    /// After the faults all honest nodes hold the same feeds.
    case sameFrontier = "same-frontier"
    /// After the faults all honest nodes have made the same of them.
    case sameProjections = "same-projections"
    /// Nodes that hold the same feeds have the same graph, one that is made again from them is the same, and
    /// what was confirmed of it is there.
    case sameGraph = "same-graph"
    /// What a node shows of a job never goes backwards.
    case statusForward = "status-forward"
    /// Nobody is charged more than was reserved, nor credited more than was charged.
    case balance
    /// No honest node's feed is frozen.
    case honestUnfrozen = "honest-unfrozen"
    /// After the faults, whoever signed two histories is frozen everywhere.
    case equivocatorsFrozen = "equivocators-frozen"
    /// No wrong result has a quorum's word.
    case noWrongVerified = "no-wrong-verified"
    /// Of what runs ask for honest nodes submit each job once, and none before the receipt that asks is verified.
    case childrenEarned = "children-earned"
    /// After the faults the jobs that verified receipts ask for are there.
    case childrenMade = "children-made"
    /// Honest executors have kept what their receipts link of the executions, and it is of those runs.
    case executionsKept = "executions-kept"
    /// Feeds have no gaps, and what an honest node published is everywhere after the faults.
    case gapsExplained = "gaps-explained"
    /// After the faults every accepted job ends, and what ran is judged.
    case jobsEnd = "jobs-end"
    /// After the faults no node takes a live one for gone.
    case liveKnown = "live-known"
    /// After the faults every node shows of each job what its entries say.
    case shownTrue = "shown-true"

    /// Whether it is held only once the faults are over.
    var isLiveness: Bool {
        switch self {
        case .sameFrontier, .sameProjections, .equivocatorsFrozen, .gapsExplained, .jobsEnd, .liveKnown,
            .shownTrue, .childrenMade:
            true
        case .oneWinner, .acknowledgedKept, .sameGraph, .statusForward, .balance, .honestUnfrozen,
            .noWrongVerified, .childrenEarned, .executionsKept:
            false
        }
    }
}

/// Where an invariant was broken.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
    public let checker: Checker
    /// Microseconds from the start of the run, at which it was found.
    public let time: Int64
    public let detail: String

    init(_ checker: Checker, time: Int64, _ detail: String) {
        self.checker = checker
        self.time = time
        self.detail = detail
    }

    public var description: String { "\(checker.rawValue): \(detail)" }
}
