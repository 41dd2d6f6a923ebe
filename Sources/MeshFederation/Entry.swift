public import IPLD
public import MeshCore
public import MeshGraph
public import MeshMarket

/// One published record, decoded by its kind.
public enum Entry: Hashable, Sendable {
    case profile(NodeProfile)
    case manifest(JobManifest)
    case award(JobAward)
    case receipt(JobReceipt)
    case close(JobClose)
    case bundle(BundleEntry)
    case attestation(Attestation)
    case graphChange(GraphChangeEntry)
    case equivocation(first: CID, second: CID)
    case mismatch(receipt: CID, attestations: [CID])
    /// Of a kind that this version does not know: kept, and folded after an upgrade.
    case unknown(kind: String)

    public static let equivocationKind = "evidence.equivocation"
    public static let mismatchKind = "evidence.mismatch"

    /// Reads one record.
    ///
    /// - Throws: What the record's decoder finds wrong; such an entry is void where it stands.
    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        guard let kind = RecordPeek.text("kind", in: bytes) else {
            throw IPLDError(.schema, "an entry is a map with a kind")
        }
        switch kind {
        case NodeProfile.kind: self = .profile(try NodeProfile(decoding: bytes))
        case JobManifest.kind: self = .manifest(try JobManifest(decoding: bytes))
        case JobAward.kind: self = .award(try JobAward(decoding: bytes))
        case JobReceipt.kind: self = .receipt(try JobReceipt(decoding: bytes))
        case JobClose.kind: self = .close(try JobClose(decoding: bytes))
        case BundleEntry.kind: self = .bundle(try BundleEntry(decoding: bytes))
        case Attestation.kind: self = .attestation(try Attestation(decoding: bytes))
        case GraphChangeEntry.kind: self = .graphChange(try GraphChangeEntry(decoding: bytes))
        case Self.equivocationKind:
            self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
                try decoder.map { map throws(IPLDError) in
                    try map.kind(Self.equivocationKind)
                    let first = try map.field("first") { d throws(IPLDError) in try d.link() }
                    let second = try map.field("second") { d throws(IPLDError) in try d.link() }
                    guard first < second else {
                        throw IPLDError(.schema, "the two sides of an equivocation stand in CID order")
                    }
                    return .equivocation(first: first, second: second)
                }
            }
        case Self.mismatchKind:
            self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
                try decoder.map { map throws(IPLDError) in
                    try map.kind(Self.mismatchKind)
                    let receipt = try map.field("receipt") { d throws(IPLDError) in try d.link() }
                    let attestations = try map.field("attestations") { d throws(IPLDError) in
                        try d.links(atMost: FederationBundle.memberCountMax)
                    }
                    return .mismatch(receipt: receipt, attestations: attestations)
                }
            }
        default:
            _ = try IPLDValue(decoding: bytes)
            self = .unknown(kind: kind)
        }
    }

    /// Reads the record that fills `bytes[range]`; receipts, of which there are many, in place.
    public init(decoding bytes: [UInt8], in range: Range<Int>) throws(IPLDError) {
        if Self.startsAsReceipt(bytes, range) {
            self = .receipt(try JobReceipt(decoding: bytes, in: range))
        } else {
            try self.init(decoding: Array(bytes[range]))
        }
    }

    /// What follows the map's head in every receipt: `kind` is its first key.
    private static let receiptStart: [UInt8] =
        [0x64] + Array("kind".utf8) + [0x6b] + Array(JobReceipt.kind.utf8)

    private static func startsAsReceipt(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.count > receiptStart.count, bytes[range.lowerBound] & 0xe0 == 0xa0 else { return false }
        for (index, byte) in receiptStart.enumerated() where bytes[range.lowerBound + 1 + index] != byte {
            return false
        }
        return true
    }

    /// The record of an equivocation.
    public static func encodedEquivocation(first: CID, second: CID) -> [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 128)
        encoder.map { map in
            map.field("kind") { $0.text(equivocationKind) }
            map.field("first") { $0.link(first) }
            map.field("second") { $0.link(second) }
        }
        return encoder.bytes
    }

    /// The record of a receipt that does not hold, with the attestations that say so.
    public static func encodedMismatch(receipt: CID, attestations: [CID]) -> [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 160)
        encoder.map { map in
            map.field("kind") { $0.text(mismatchKind) }
            map.field("receipt") { $0.link(receipt) }
            map.field("attestations") { $0.links(attestations) }
        }
        return encoder.bytes
    }

    /// The entry's kind as it is written.
    public var kind: String {
        switch self {
        case .profile: NodeProfile.kind
        case .manifest: JobManifest.kind
        case .award: JobAward.kind
        case .receipt: JobReceipt.kind
        case .close: JobClose.kind
        case .bundle: BundleEntry.kind
        case .attestation: Attestation.kind
        case .graphChange: GraphChangeEntry.kind
        case .equivocation: Self.equivocationKind
        case .mismatch: Self.mismatchKind
        case .unknown(let kind): kind
        }
    }

    /// The blocks that travel with the entry because its meaning rests on them.
    public var attachments: [CID] {
        switch self {
        case .award(let award): [award.bids]
        case .bundle(let bundle): [bundle.body]
        case .graphChange(let change): change.attachments
        case .equivocation(let first, let second): [first, second]
        case .receipt(let receipt): receipt.submissions
        case .profile, .manifest, .close, .attestation, .mismatch, .unknown: []
        }
    }
}
