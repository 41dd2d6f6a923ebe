public import IPLD
public import MeshIdentity

/// The checks of a receipt's archive, in the order in which they are reported.
public enum ReceiptCheck: String, Hashable, Sendable, CaseIterable {
    /// The CAR's header, its one root and its framing, to the last byte.
    case container
    /// Every block hashes to its CID, and each stands in its place: none too many, none missing.
    case blocks
    case receipt
    /// Every anchor is signed by its author, and the author is the one that the record asks for.
    case anchorSignature = "anchor-signature"
    case award
    case manifest
    case jobID = "job-id"
    case close
    case federation
    case attestations
    case quorum
    /// The run, repeated here and now.
    case replay
}

/// What came of verifying a receipt's archive.
///
/// A check that could not be reached, because what it looks at cannot be read, is left out of
/// ``checks``; the check that failed is there. ``ok`` is whether none failed.
public struct ReceiptVerification: Sendable {
    /// One check that was made.
    public struct Check: Hashable, Sendable {
        public let check: ReceiptCheck
        /// `nil` where nothing is wrong but nothing is proven either: a federation that is not pinned, a
        /// run that cannot be repeated.
        public let ok: Bool?
        /// What was found, in one line.
        public let detail: String

        public init(_ check: ReceiptCheck, ok: Bool?, _ detail: String) {
            self.check = check
            self.ok = ok
            self.detail = detail
        }

        /// As it is written: `anchor-signature`.
        public var name: String { check.rawValue }
    }

    /// What no file can prove of itself.
    public static let caveat = "a CAR proves nothing about forks that were unseen when it was exported"

    public internal(set) var checks: [Check] = []
    public internal(set) var receiptCID: CID?
    /// The job's id as people see it.
    public internal(set) var jobID: String?
    /// The body CID of the bundle that the manifest names.
    public internal(set) var federation: CID?
    /// Whether the federation is the one that the caller trusts.
    public internal(set) var pinned = false
    /// The members that found the receipt right, sorted.
    public internal(set) var attestedBy: [DID] = []
    public internal(set) var mismatchedBy: [DID] = []
    /// How many must agree; 0 where nobody is asked.
    public internal(set) var quorum: UInt64 = 0
    /// The records and blobs; `nil` when they could not be told apart.
    public internal(set) var contents: ReceiptContents?

    /// Whether no check failed.
    public var ok: Bool { !checks.contains { $0.ok == false } }
    public var failures: [Check] { checks.filter { $0.ok == false } }

    public subscript(check: ReceiptCheck) -> Check? { checks.first { $0.check == check } }
}
