public import IPLD
public import MeshCore
public import MeshIdentity

/// Checks signatures: Ed25519 in the daemon, something cheaper in a simulator.
public protocol SignatureVerifier: Sendable {
    func isSigned(_ envelope: Envelope, by author: DID) -> Bool
}

/// The real one.
public struct Ed25519Verifier: SignatureVerifier {
    public init() {}

    public func isSigned(_ envelope: Envelope, by author: DID) -> Bool { envelope.isSigned(by: author) }
}

/// One entry as it came with its anchor.
public struct ReceivedEntry: Hashable, Sendable {
    public let cid: CID
    public let bytes: [UInt8]
    /// Blocks that the entry's meaning rests on and that travel with it: a winning bid's envelope,
    /// a bundle's body, the two sides of an equivocation.
    public let attachments: [CID]

    public init(cid: CID, bytes: [UInt8], attachments: [CID]) {
        self.cid = cid
        self.bytes = bytes
        self.attachments = attachments
    }
}

/// An anchor whose form, hashes and signature have been checked, with its entries.
public struct ReceivedAnchor: Hashable, Sendable {
    public let cid: CID
    public let envelope: Envelope
    public let anchor: Anchor
    /// In the anchor's order; exactly the entries it names.
    public private(set) var entries: [ReceivedEntry]

    /// Where the entry at `index` stands.
    public func position(_ index: Int) -> EntryPosition {
        EntryPosition(
            author: anchor.author, scope: anchor.scope, seq: anchor.seq, index: index, time: anchor.time)
    }

    /// Fills in what entries rest on, for an anchor that was read back from the store.
    public mutating func restoreAttachments(_ attachments: (_ entry: [UInt8]) -> [CID]) {
        entries = entries.map {
            ReceivedEntry(cid: $0.cid, bytes: $0.bytes, attachments: attachments($0.bytes))
        }
    }

    /// A record's cap, in bytes.
    public static let recordByteCountMax = 256 * 1024

    /// Takes an anchor of our own making.
    init(envelope: Envelope, anchor: Anchor, entries: [ReceivedEntry]) {
        cid = envelope.cid
        self.envelope = envelope
        self.anchor = anchor
        self.entries = entries
    }

    /// Checks what came over the wire, the cheap checks first.
    ///
    /// - Parameters:
    ///   - cid: The hash of `bytes`, already computed by the caller to look for repetitions.
    ///   - bytes: The anchor's envelope.
    ///   - entries: The entries' bytes, in the anchor's order.
    ///   - attachments: Names the blocks that an entry rests on.
    ///   - verifier: Checks the signature, last.
    /// - Throws: ``FeedFailure`` codes; the anchor is then worthless and its sender at fault.
    public init(
        cid: CID, bytes: [UInt8], entries: [[UInt8]], attachments: (_ entry: [UInt8]) -> [CID],
        verifier: some SignatureVerifier
    ) throws(FeedError) {
        do throws(IPLDError) {
            envelope = try Envelope(decoding: bytes)
            anchor = try Anchor(envelope)
        } catch {
            throw FeedError(.malformed, error.message)
        }
        guard entries.count == anchor.entries.count else {
            throw FeedError(
                .malformed, "\(entries.count) entries came for an anchor of \(anchor.entries.count)")
        }
        var received: [ReceivedEntry] = []
        received.reserveCapacity(entries.count)
        for (bytes, cid) in zip(entries, anchor.entries) {
            guard bytes.count <= Self.recordByteCountMax else {
                throw FeedError(
                    .malformed, "an entry of \(bytes.count) bytes; \(Self.recordByteCountMax) are allowed")
            }
            guard CID(of: bytes, codec: .dagCBOR) == cid else {
                throw FeedError(.malformed, "an entry does not hash to \(cid)")
            }
            received.append(ReceivedEntry(cid: cid, bytes: bytes, attachments: attachments(bytes)))
        }
        guard verifier.isSigned(envelope, by: anchor.author) || isPlanted(.signatureUnchecked) else {
            throw FeedError(.badSignature, "the anchor is not signed by \(anchor.author)")
        }
        self.cid = cid
        self.entries = received
    }
}

/// Why an anchor was not taken.
public enum FeedFailure: String, Sendable, CaseIterable {
    case malformed = "feed.malformed"
    case badSignature = "feed.bad-signature"
    /// The author may not publish here.
    case notAdmitted = "feed.not-admitted"
    /// Its time is not later than its predecessor's or a parent's; the feed ends before it.
    case timeOrder = "feed.time-order"
    /// It does not continue the feed that we have.
    case wrongPredecessor = "feed.wrong-predecessor"
    /// More is waiting than is kept.
    case tooMuchWaiting = "feed.too-much-waiting"
}

public typealias FeedError = CodedError<FeedFailure>
