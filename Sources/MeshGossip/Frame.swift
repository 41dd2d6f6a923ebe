public import IPLD
public import MeshCore
public import MeshDAG
internal import MeshIdentity

/// The types of frame, with what the transport must know of each before it reads a body.
public enum FrameType: UInt8, Sendable, CaseIterable {
    case hello = 1
    case push = 2
    case message = 3
    case frontier = 4
    case want = 5
    case have = 6
    case wantBlocks = 7
    case block = 8
    case ping = 9
    case pong = 10
    case bye = 11

    /// The largest body, in bytes; checked before anything is allocated.
    public var byteCountMax: Int {
        switch self {
        case .hello, .wantBlocks: 4 * 1024
        case .want: 16 * 1024
        case .push: 256 * 1024
        case .message: 64 * 1024
        case .frontier: 128 * 1024
        case .have: 1024 * 1024
        case .block: 1024 * 1024 + 4 * 1024
        case .ping, .pong: 64
        case .bye: 1024
        }
    }

    /// Whether the oldest of these may be dropped when a peer reads too slowly.
    public var isDroppable: Bool { self == .message }
}

/// An anchor as it travels: its envelope, its entries and the blocks that they rest on.
public struct WireAnchor: Hashable, Sendable {
    public static let attachmentCountMax = 512

    public var envelope: [UInt8]
    public var entries: [[UInt8]]
    /// dag-cbor blocks, in no order that matters.
    public var attachments: [[UInt8]]

    public init(envelope: [UInt8], entries: [[UInt8]], attachments: [[UInt8]]) {
        self.envelope = envelope
        self.entries = entries
        self.attachments = attachments
    }

    /// About what it takes on the wire.
    public var byteCount: Int {
        envelope.count + entries.reduce(0) { $0 + $1.count + 5 }
            + attachments.reduce(16) { $0 + $1.count + 5 }
    }

    func encode(to encoder: inout DAGCBOREncoder) {
        encoder.arrayHead(3)
        encoder.byteString(envelope)
        encoder.array(entries) { $0.byteString($1) }
        encoder.array(attachments) { $0.byteString($1) }
    }

    init(_ decoder: inout DAGCBORDecoder) throws(IPLDError) {
        guard try decoder.arrayHead(atMost: 3) == 3 else {
            throw IPLDError(.schema, "an anchor travels as three items")
        }
        envelope = try decoder.byteString(atMost: 64 * 1024)
        entries = try decoder.array(atMost: Anchor.entryCountMax) { d throws(IPLDError) in
            try d.byteString(atMost: ReceivedAnchor.recordByteCountMax)
        }
        attachments = try decoder.array(atMost: Self.attachmentCountMax) { d throws(IPLDError) in
            try d.byteString(atMost: ReceivedAnchor.recordByteCountMax)
        }
    }
}

/// One feed's mark as replicas compare it.
public struct FrontierMark: Hashable, Sendable {
    public var feed: FeedID
    /// The newest applied `seq`.
    public var seq: UInt64
    public var cid: CID
    /// The freeze point, for a frozen feed.
    public var frozenAt: UInt64?

    public init(feed: FeedID, seq: UInt64, cid: CID, frozenAt: UInt64?) {
        self.feed = feed
        self.seq = seq
        self.cid = cid
        self.frozenAt = frozenAt
    }
}

/// What nodes say to each other over one link.
public enum Frame: Hashable, Sendable {
    public static let version: UInt64 = 1
    /// The most marks that one frame holds; the longest 700 stay below the frame's cap.
    public static let markCountMax = 700
    /// The most ranges of a frontier that one frame compares.
    public static let rangeCountMax = 66
    /// The most anchors that one frame holds.
    public static let anchorCountMax = 4096
    /// The most spans that one frame asks for.
    public static let spanCountMax = 128
    public static let blockCountMax = 64

    /// The first frame of each side.
    case hello(network: String, features: [String], fingerprint: Bytes32)
    case push(WireAnchor)
    /// A signed message and how many more hops it may make.
    case message(envelope: [UInt8], hops: UInt8)
    /// What the sender says of its marks, range by range in ascending order; what follows the last is
    /// skipped.
    case frontier([FrontierRange])
    /// Asks for anchors; answered, span by span, by any number of `have` frames and an empty one.
    case want([FeedSpan])
    /// Anchors; none at all says that the oldest unanswered want has been dealt with, as far as the sender
    /// could.
    case have([WireAnchor])
    case wantBlocks([CID])
    /// The answer to one wanted block; `nil` when the sender does not have it.
    case block(CID, [UInt8]?)
    case ping(UInt64)
    case pong(UInt64)
    case bye(code: String, text: String)

    public var type: FrameType {
        switch self {
        case .hello: .hello
        case .push: .push
        case .message: .message
        case .frontier: .frontier
        case .want: .want
        case .have: .have
        case .wantBlocks: .wantBlocks
        case .block: .block
        case .ping: .ping
        case .pong: .pong
        case .bye: .bye
        }
    }

    /// The frame's body.
    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        switch self {
        case .hello(let network, let features, let fingerprint):
            encoder.map { map in
                map.field("network") { $0.text(network) }
                map.field("version") { $0.unsigned(Self.version) }
                map.field("features") { $0.texts(features) }
                map.field("frontier") { $0.byteString(fingerprint.bytes) }
            }
        case .push(let anchor): anchor.encode(to: &encoder)
        case .message(let envelope, let hops):
            encoder.arrayHead(2)
            encoder.byteString(envelope)
            encoder.unsigned(UInt64(hops))
        case .frontier(let ranges): encoder.ranges(ranges)
        case .want(let spans): encoder.spans(spans)
        case .have(let anchors): encoder.array(anchors) { $1.encode(to: &$0) }
        case .wantBlocks(let cids): encoder.links(cids)
        case .block(let cid, let bytes):
            encoder.arrayHead(bytes == nil ? 1 : 2)
            encoder.link(cid)
            if let bytes { encoder.byteString(bytes) }
        case .ping(let token), .pong(let token): encoder.unsigned(token)
        case .bye(let code, let text):
            encoder.arrayHead(2)
            encoder.text(String(code.prefix(64)))
            encoder.text(String(text.prefix(200)))
        }
        return encoder.bytes
    }

    /// Reads a body whose length the transport has held against the type's cap.
    public init(type: FrameType, body: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(body) { decoder throws(IPLDError) in try Self.read(type, &decoder) }
    }

    private static func read(_ type: FrameType, _ decoder: inout DAGCBORDecoder) throws(IPLDError) -> Frame {
        switch type {
        case .hello:
            return try decoder.map { map throws(IPLDError) in
                let network = try map.field("network") { d throws(IPLDError) in try d.text(atMost: 64) }
                let version = try map.field("version") { d throws(IPLDError) in try d.unsigned() }
                guard version == Self.version else {
                    throw IPLDError(.schema, "the peer speaks version \(version), this node \(Self.version)")
                }
                let features = try map.field("features") { d throws(IPLDError) in
                    try d.texts(atMost: 32, each: 64)
                }
                let fingerprint = try map.field("frontier") { d throws(IPLDError) in try d.digest() }
                return .hello(network: network, features: features, fingerprint: fingerprint)
            }
        case .push: return .push(try WireAnchor(&decoder))
        case .message:
            try pair(&decoder)
            let envelope = try decoder.byteString()
            return .message(envelope: envelope, hops: UInt8(try decoder.unsigned(atMost: 16)))
        case .frontier: return .frontier(try decoder.ranges())
        case .want: return .want(try decoder.spans())
        case .have:
            return .have(
                try decoder.array(atMost: Self.anchorCountMax) { d throws(IPLDError) in try WireAnchor(&d) })
        case .wantBlocks: return .wantBlocks(try decoder.links(atMost: Self.blockCountMax))
        case .block:
            let count = try decoder.arrayHead(atMost: 2)
            guard count >= 1 else { throw IPLDError(.schema, "a block has a CID") }
            let cid = try decoder.link()
            return .block(cid, count == 2 ? try decoder.byteString() : nil)
        case .ping: return .ping(try decoder.unsigned())
        case .pong: return .pong(try decoder.unsigned())
        case .bye:
            try pair(&decoder)
            let code = try decoder.text(atMost: 256)
            return .bye(code: code, text: try decoder.text(atMost: 800))
        }
    }

    private static func pair(_ decoder: inout DAGCBORDecoder) throws(IPLDError) {
        guard try decoder.arrayHead(atMost: 2) == 2 else { throw IPLDError(.schema, "two items expected") }
    }
}
