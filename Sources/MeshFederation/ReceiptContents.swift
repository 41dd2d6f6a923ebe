public import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshIdentity
public import MeshMarket

/// The records and blobs of a receipt's archive, each found in its place.
public struct ReceiptContents: Sendable {
    /// An anchor of the file.
    struct PlacedAnchor: Sendable {
        let cid: CID
        let envelope: Envelope
        let anchor: Anchor
    }

    public let receiptCID: CID
    public let receipt: JobReceipt
    /// The jobs that the run asked for.
    public let submissions: [JobSubmission]
    /// Whether the snapshots of the run's execution document are in the file.
    public let hasExecution: Bool
    public internal(set) var award: JobAward?
    /// The envelope that holds the winning bid.
    public internal(set) var bids: [UInt8]?
    public internal(set) var manifest: JobManifest
    public internal(set) var closeCID: CID?
    public internal(set) var close: JobClose?
    public internal(set) var bundleEntry: BundleEntry?
    public internal(set) var bundle: FederationBundle?
    /// In CID order.
    public internal(set) var attestations: [(cid: CID, record: Attestation)] = []
    /// The blocks of code, inputs, outputs and logs, as their places in the file.
    var blobPlaces: Range<Int> = 0..<0
    var anchors: [PlacedAnchor] = []
    /// The anchor that stands behind a record, as its place in ``anchors``; absent where an earlier one
    /// names the record too.
    var ownAnchors: [CID: [Int]] = [:]
    /// The size of every blob and chunk, in bytes.
    var blobSizes: [CID: UInt64] = [:]
    let file: CARIndex
    let places: [CID: Int]

    /// The blocks of code, inputs, outputs and logs, for a store.
    public var blobBlocks: [Block] {
        blobPlaces.map { Block(cid: file.sections[$0].cid, bytes: file.block($0)) }
    }

    /// A blob's bytes.
    ///
    /// - Returns: `nil` when it is not in the file, or larger than `limit`.
    public func blob(_ cid: CID, atMost limit: Int = 256 << 20) -> [UInt8]? {
        BlobList.assemble(cid, atMost: limit) { cid in places[cid].map { file.block($0) } }
    }

    /// The anchors that publish `record`: the ones that stand behind it, else earlier ones that name it.
    func anchors(of record: CID) -> [PlacedAnchor] {
        if let own = ownAnchors[record] { return own.map { anchors[$0] } }
        return anchors.filter { $0.anchor.entries.contains(record) }
    }

    func contribution<Record>(_ cid: CID, _ record: Record, _ anchor: PlacedAnchor) -> Contribution<Record> {
        Contribution(
            cid: cid, anchor: anchor.cid,
            position: EntryPosition(
                author: anchor.anchor.author, scope: anchor.anchor.scope, seq: anchor.anchor.seq,
                index: anchor.anchor.entries.firstIndex(of: cid) ?? 0, time: anchor.anchor.time),
            record: record)
    }
}

/// What keeps an archive from being read: the check that it fails, and why.
struct ReceiptFault: Error {
    let check: ReceiptCheck
    let message: String

    init(_ check: ReceiptCheck, _ message: String) {
        self.check = check
        self.message = message
    }
}
