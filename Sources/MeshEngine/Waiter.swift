internal import IPLD
internal import MeshCore
internal import MeshIdentity
internal import MeshMarket

/// A control request that is answered when something has happened, or at its deadline.
struct Waiter: Sendable {
    enum Condition: Sendable {
        /// The manifest is anchored.
        case submitted
        /// `status/verification` differs from this, or is final.
        case changed(after: String)
        case until(JobEnd)
        /// The entry, which stands in place of the job, is in an anchor of ours.
        case anchored(Bool)
        /// The bid window is over or has more bids than `count`.
        case bids(count: Int)
        /// There are more awards than this.
        case awarded(beyond: Int)
        /// The job has ended.
        case ended
        /// The blob is here.
        case blob(CID)
        /// The records and blobs of the receipt are here.
        case archive
        /// Answers are being gathered until the deadline.
        case explanations([DID: BidDecision])
    }

    let job: CID
    var condition: Condition
    let deadline: Timestamp
}
