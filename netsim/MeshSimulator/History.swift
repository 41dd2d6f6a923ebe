internal import IPLD

/// What the outside world was told during a run: what the checkers hold the disks against.
struct History {
    struct Acknowledgement {
        var cid: CID
        var node: Int
        var time: Int64
    }

    struct Job {
        var manifest: CID
        var id: String
        var node: Int
        var accepted: Int64
        var isCancelled = false
    }

    /// How far a job is, as one node shows it.
    struct Stage: Equatable {
        var epoch: Int
        var status: String
        var verification: String

        var isFinal: Bool { ["Completed", "Failed", "Cancelled", "Expired"].contains(status) }

        /// Rises as a job goes on.
        var rank: Int {
            switch status {
            case "Unknown": -1
            case "Submitted", "Bidding": 0
            case "Assigned", "Running": 1
            default: 2
            }
        }
    }

    /// Entries whose anchoring was confirmed to a client.
    private(set) var acknowledged: [Acknowledgement] = []
    /// By number.
    var jobs: [Int: Job] = [:]
    /// The changes of the graph that were confirmed, by number, each with the node that did.
    private(set) var marks: [Int: Int] = [:]
    /// Who has signed two histories, and from where on.
    var equivocations: [Int: UInt64] = [:]
    /// When plain entries reached which node.
    private(set) var deliveries: [CID: [Int: Int64]] = [:]
    private(set) var violations: [Violation] = []
    private var stages: [Int: [Int: Stage]] = [:]
    private var settled: Set<Int> = []

    mutating func acknowledge(_ cid: CID, by node: Int, at time: Int64) {
        acknowledged.append(Acknowledgement(cid: cid, node: node, time: time))
    }

    mutating func marked(_ number: Int, at node: Int) { marks[number] = node }

    mutating func delivered(_ cid: CID, to node: Int, at time: Int64) {
        if deliveries[cid]?[node] == nil { deliveries[cid, default: [:]][node] = time }
    }

    /// Forgets what a node has shown: it lost what was not synced, or a feed was frozen.
    mutating func forgetStatus(of node: Int) { stages[node] = nil }

    /// What a node showed of a job last.
    func stage(of job: Int, at node: Int) -> Stage? { stages[node]?[job] }

    func isSettled(_ job: Int) -> Bool { settled.contains(job) }

    /// Takes in what a node shows of a job, and notes when that is less than it has shown before.
    mutating func observe(job: Int, at node: Int, _ stage: Stage, _ time: Int64) {
        if let before = stages[node]?[job] {
            // An earlier executor's receipt may come late and end the job: an end is never a step back.
            let isEnd = stage.isFinal && !before.isFinal
            let goesBack =
                (!isEnd && stage.epoch < before.epoch)
                || (stage.epoch == before.epoch && stage.rank < before.rank)
                || (before.isFinal && stage.status != before.status)
                || (before.verification == "Verified" && stage.verification != "Verified")
            if goesBack {
                violations.append(
                    Violation(
                        .statusForward, time: time,
                        "\(NodeName.text(node)) showed job \(job) as \(before) and then as \(stage)"))
            }
        }
        stages[node, default: [:]][job] = stage
        if stage.isFinal, stage.verification != "Verifying" { settled.insert(job) }
    }
}

extension History.Stage: CustomStringConvertible {
    var description: String { "\(status)/\(verification) in epoch \(epoch)" }
}
