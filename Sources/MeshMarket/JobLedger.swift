public import IPLD
internal import MeshCore
public import MeshDAG
internal import MeshIdentity
internal import MeshRuntime

/// One entry that contributes to a fold, with where it stands and what proves it.
///
/// A class, because records are large and contributions are handed around a great deal; nothing in
/// it ever changes.
public final class Contribution<Record: Hashable & Sendable>: Hashable, Sendable {
    /// The entry's CID.
    public let cid: CID
    /// The CID of the anchor that published it.
    public let anchor: CID
    public let position: EntryPosition
    public let record: Record

    public init(cid: CID, anchor: CID, position: EntryPosition, record: Record) {
        self.cid = cid
        self.anchor = anchor
        self.position = position
        self.record = record
    }

    public static func == (a: Contribution, b: Contribution) -> Bool {
        a === b || (a.cid == b.cid && a.anchor == b.anchor && a.position == b.position)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(cid)
        hasher.combine(position)
    }
}

/// Everything the DAG says about one job: the set of its entries, and what follows from them.
///
/// The fold is the set; the state is a pure function of it. Inserting and removing contributions
/// therefore commute, arrival order cannot matter, and undoing the suffix of a frozen feed is
/// nothing but removing what it contributed.
public struct JobLedger: Hashable, Sendable {
    public let manifestCID: CID
    public private(set) var manifests: [Contribution<JobManifest>] = []
    public private(set) var awards: [Contribution<JobAward>] = []
    public private(set) var receipts: [Contribution<JobReceipt>] = []
    public private(set) var closes: [Contribution<JobClose>] = []

    public init(manifestCID: CID) {
        self.manifestCID = manifestCID
    }

    // MARK: The set

    public mutating func insert(_ contribution: Contribution<JobManifest>) {
        Self.insert(contribution, &manifests)
        follow()
    }

    public mutating func insert(_ contribution: Contribution<JobAward>) {
        Self.insert(contribution, &awards)
        follow()
    }

    public mutating func insert(_ contribution: Contribution<JobReceipt>) {
        Self.insert(contribution, &receipts)
        follow()
    }

    public mutating func insert(_ contribution: Contribution<JobClose>) {
        Self.insert(contribution, &closes)
        follow()
    }

    private static func insert<Record>(
        _ contribution: Contribution<Record>, _ list: inout [Contribution<Record>]
    ) {
        let index = list.firstIndex { contribution.position < $0.position } ?? list.count
        if index > 0, list[index - 1].position == contribution.position { return }
        list.insert(contribution, at: index)
    }

    /// Removes everything that `feed` contributed from `seq` on.
    public mutating func remove(_ feed: FeedID, from seq: UInt64) {
        func stays(_ position: EntryPosition) -> Bool { position.feed != feed || position.seq < seq }
        manifests.removeAll { !stays($0.position) }
        awards.removeAll { !stays($0.position) }
        receipts.removeAll { !stays($0.position) }
        closes.removeAll { !stays($0.position) }
        follow()
    }

    public var isEmpty: Bool { manifests.isEmpty && awards.isEmpty && receipts.isEmpty && closes.isEmpty }

    // MARK: What follows

    /// The manifest as its submitter published it; the same record in another feed is no submission.
    public private(set) var manifest: Contribution<JobManifest>?

    /// The awards that count: by the placer, with the epochs 0, 1, … in the order of its feed.
    public private(set) var validAwards: [Contribution<JobAward>] = []

    /// The receipts that count: by the executor of the award they name, or, outside the market, by
    /// the one node that is submitter, placer and executor in one.
    public private(set) var validReceipts: [Contribution<JobReceipt>] = []

    /// The close that counts: the placer's first that names no receipt, or names one that counts.
    public private(set) var close: Contribution<JobClose>?

    /// The receipt with which the job was closed.
    public private(set) var settledReceipt: Contribution<JobReceipt>?

    /// The status that the entries alone give.
    public private(set) var status = SettledStatus.unknown

    /// Works out what follows from the set, whenever it has changed: it is read far more often.
    private mutating func follow() {
        manifest = manifests.first { $0.position.author == $0.record.submitter }
        validAwards = countingAwards
        validReceipts = countingReceipts
        close = countingClose
        settledReceipt = nil
        if case .receipt(let cid)? = close?.record.result {
            settledReceipt = validReceipts.first { $0.cid == cid }
        }
        status = countingStatus
    }

    private var countingAwards: [Contribution<JobAward>] {
        guard let placer = manifest?.record.placer else { return [] }
        var valid: [Contribution<JobAward>] = []
        for award in awards
        where award.position.author == placer && award.record.epoch == UInt64(valid.count) {
            valid.append(award)
        }
        return valid
    }

    private var countingReceipts: [Contribution<JobReceipt>] {
        guard let manifest else { return [] }
        return receipts.filter { receipt in
            guard receipt.position.author == receipt.record.executor else { return false }
            guard let award = receipt.record.award else {
                return manifest.record.submitter == receipt.record.executor
                    && manifest.record.placer == receipt.record.executor
            }
            return validAwards.contains {
                $0.cid == award && $0.record.executor == receipt.record.executor
                    && $0.record.epoch == receipt.record.epoch
            }
        }
    }

    private var countingClose: Contribution<JobClose>? {
        guard let placer = manifest?.record.placer else { return nil }
        return closes.first { close in
            guard close.position.author == placer else { return false }
            guard case .receipt(let cid) = close.record.result else { return true }
            return validReceipts.contains { $0.cid == cid }
        }
    }

    private var countingStatus: SettledStatus {
        guard manifest != nil else { return .unknown }
        switch close?.record.result {
        case .receipt: return settledReceipt?.record.outcome.outcomeClass == .ok ? .completed : .failed
        case .cancelled: return .cancelled
        case .expired, .noBids: return .expired
        case nil: return validAwards.isEmpty ? .submitted : .assigned
        }
    }
}

/// A job's status as its entries give it; never backwards in (epoch, stage).
public enum SettledStatus: String, Hashable, Sendable, CaseIterable {
    /// Entries about the job are here, but not its manifest.
    case unknown = "Unknown"
    case submitted = "Submitted"
    case assigned = "Assigned"
    case completed = "Completed"
    case failed = "Failed"
    case cancelled = "Cancelled"
    case expired = "Expired"

    /// Whether nothing can change it any more.
    public var isFinal: Bool {
        switch self {
        case .completed, .failed, .cancelled, .expired: true
        case .unknown, .submitted, .assigned: false
        }
    }
}
