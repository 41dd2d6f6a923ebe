internal import IPLD
internal import MeshCore
internal import MeshIdentity
internal import MeshMarket

/// What this node is doing about a job that is not finished for it; lost and rebuilt at a restart.
struct LiveJob: Sendable {
    /// Whether the node may bid on its own manifest.
    var allowSelf = false
    /// The placer's side.
    var auction: Auction?
    /// The bidder's side.
    var offer: Offer?
    /// The epoch that the placer has called for beyond the first.
    var calledEpoch: UInt64 = 0
    /// How often the placer has called: each call lets more nodes bid.
    var calls = 0
    /// The executor's side.
    var execution: Execution?
    /// A member's side: the receipt being checked.
    var replay: Replay?
    /// The submitter's side: jobs that the receipt asks for, written and about to be anchored.
    var children: Set<CID> = []
    /// The last status that was made known.
    var announced: SettledStatus?
}

struct Auction: Sendable {
    /// Milliseconds that a `--bid-window 0` job waits for its first bid.
    static let firstBidMilliseconds: Int64 = 10_000
    /// Milliseconds between calls for new bids.
    static let callMilliseconds: Int64 = 1_000

    struct Offered: Sendable {
        let bid: Bids.Bid
        let index: Int
        let envelope: [UInt8]
        let envelopeCID: CID
        /// Why it cannot win, if it cannot.
        let refusal: String?
    }

    let epoch: UInt64
    let opened: Timestamp
    let windowEnds: Timestamp
    var bids: [DID: Offered] = [:]
    /// Nodes that failed this job and are not asked again.
    var excluded: Set<DID> = []
    /// An award has been written and is about to be anchored.
    var isAwarded = false
    /// The job's close has been written and is about to be anchored.
    var isClosing = false
    var leaseUntil: Timestamp?
    /// The executor has said that the job runs.
    var isRunning = false
    var nextCall: Timestamp?
    /// The round was taken up again after a restart: its bids were lost and are called for.
    var isResumed = false
}

struct Offer: Sendable {
    let epoch: UInt64
    /// What is set aside for the job.
    let cpu: UInt64
    let memoryMiB: UInt64
    let validUntil: Timestamp
}

struct Execution: Sendable {
    /// Milliseconds within which code and inputs must be here.
    static let fetchMilliseconds: Int64 = 30_000
    static let heartbeatMilliseconds: Int64 = 1_000
    /// When the first is sent: jobs that end sooner need none.
    static let firstHeartbeatMilliseconds: Int64 = 200

    let epoch: UInt64
    let award: CID
    let begun: Timestamp
    /// When the run was ordered, as its start snapshot says; a restart takes up the snapshot and its instant.
    var started: Timestamp?
    var isRunning = false
    /// The receipt has been written and is about to be anchored.
    var isReported = false
    var heartbeats: UInt64 = 0
    var nextHeartbeat: Timestamp
}

struct Replay: Sendable {
    let receipt: CID
    var isRunning = false
    /// The attestation has been written and is about to be anchored.
    var isReported = false
}
