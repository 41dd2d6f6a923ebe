public import IPLD
public import MeshDAG

/// What came of verifying exported feeds.
public struct FeedArchiveVerification: Sendable {
    /// What can be wrong with a file of feeds.
    public enum FaultKind: String, Hashable, Sendable, CaseIterable {
        /// Not a CAR, or its framing is broken.
        case container
        /// A block that does not hash to its CID, or is there twice.
        case block
        /// A block that claims to be an anchor and is none.
        case anchor
        case signature
        /// A named block that is not in the file.
        case missing
        /// An entry that is no record.
        case entry
        /// An anchor that does not continue its feed.
        case order
        /// Two anchors of one author, scope and seq.
        case fork
    }

    public struct Fault: Hashable, Sendable {
        public let kind: FaultKind
        /// The block at fault, where there is one.
        public let cid: CID?
        public let detail: String
    }

    /// One feed of the file.
    public struct Feed: Hashable, Sendable {
        public let feed: FeedID
        public let anchorCount: Int
        /// The highest seq and its anchor.
        public let seq: UInt64
        public let head: CID
    }

    /// More faults than this are counted but not kept.
    public static let faultsKeptMax = 100

    public internal(set) var roots: [CID] = []
    public internal(set) var byteCount = 0
    public internal(set) var blockCount = 0
    public internal(set) var anchorCount = 0
    public internal(set) var entryCount = 0
    public internal(set) var receiptCount = 0
    /// Sorted by author and scope.
    public internal(set) var feeds: [Feed] = []
    public private(set) var faults: [Fault] = []
    public private(set) var faultCount = 0

    public var ok: Bool { faultCount == 0 }

    mutating func add(_ kind: FaultKind, _ cid: CID?, _ detail: @autoclosure () -> String) {
        faultCount += 1
        if faults.count < Self.faultsKeptMax { faults.append(Fault(kind: kind, cid: cid, detail: detail())) }
    }
}
