public import IPLD
public import MeshCore
public import MeshDAG
public import MeshIdentity

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
    case overlay = 12
    case announce = 13
    case graft = 14
    case prune = 15
    case probe = 16
    case probed = 17
    case pull = 18
    case members = 19

    /// The largest body, in bytes; checked before anything is allocated.
    public var byteCountMax: Int {
        switch self {
        case .hello, .wantBlocks, .graft, .pull: 4 * 1024
        case .want: 16 * 1024
        case .push: 1024 * 1024
        case .message: 64 * 1024
        case .frontier: 128 * 1024
        case .have: 1024 * 1024
        case .block: 1024 * 1024 + 4 * 1024
        case .ping, .pong, .prune, .probed: 64
        case .probe: 128
        case .bye: 1024
        case .overlay, .members: 40 * 1024
        case .announce: 16 * 1024
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

/// The kinds of frame that keep the views of the overlay; see ``OverlayFrame`` for what each means.
public enum OverlayKind: UInt8, Hashable, Sendable {
    case join = 1
    case forwardJoin = 2
    case neighbour = 3
    case urgentNeighbour = 4
    case accepted = 5
    case refused = 6
    case shuffle = 7
    case shuffleReply = 8
    case disconnect = 9

    /// The most membership records that one frame holds: whom it is about, and those it lists.
    public static let memberCountMax = OverlayFrame.memberCountMax + 1
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
    public static let announcementCountMax = 256

    /// The first frame of each side, with the sender's signed membership record.
    case hello(network: String, features: [String], fingerprint: Bytes32, member: [UInt8])
    /// An anchor on its way down the broadcast tree, and how many links it has crossed before this one.
    case push(WireAnchor, hops: UInt8)
    /// A signed message on its way down the tree, with the links it has crossed; `nil` when it is meant
    /// for the receiver alone.
    case message(envelope: [UInt8], hops: UInt8?)
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
    /// What keeps the views: a kind, the hops that a walk has left, who began it where the answer must find
    /// its way back, and signed membership records.
    case overlay(OverlayKind, hopsLeft: UInt8, origin: DID?, members: [[UInt8]])
    /// Signed membership records that the sender knows.
    case members([[UInt8]])
    /// What the sender has and does not push, with the links that each has crossed to it.
    case announce([BroadcastAnnouncement])
    /// Send these, and push to me from now on.
    case graft([CID])
    /// Send these large items, once.
    case pull([CID])
    /// Do not push to me: what you send comes another way.
    case prune
    /// Whether the receiver reaches the member that is named.
    case probe(DID, token: UInt64)
    /// The answer; not alive says only that the sender has no link to the member, or no answer from it.
    case probed(token: UInt64, isAlive: Bool)

    /// An anchor on its way down the tree; one too large for a push goes as one that was asked for.
    public static func carrying(_ anchor: WireAnchor, hops: UInt8) -> Frame {
        anchor.byteCount + 64 <= FrameType.push.byteCountMax ? .push(anchor, hops: hops) : .have([anchor])
    }

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
        case .overlay: .overlay
        case .announce: .announce
        case .graft: .graft
        case .pull: .pull
        case .members: .members
        case .prune: .prune
        case .probe: .probe
        case .probed: .probed
        }
    }

    /// The frame's body.
    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        switch self {
        case .hello(let network, let features, let fingerprint, let member):
            encoder.map { map in
                map.field("member") { $0.byteString(member) }
                map.field("network") { $0.text(network) }
                map.field("version") { $0.unsigned(Self.version) }
                map.field("features") { $0.texts(features) }
                map.field("frontier") { $0.byteString(fingerprint.bytes) }
            }
        case .push(let anchor, let hops):
            encoder.arrayHead(2)
            encoder.unsigned(UInt64(hops))
            anchor.encode(to: &encoder)
        case .message(let envelope, let hops):
            encoder.arrayHead(hops == nil ? 1 : 2)
            encoder.byteString(envelope)
            if let hops { encoder.unsigned(UInt64(hops)) }
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
        case .overlay(let kind, let hopsLeft, let origin, let members):
            encoder.arrayHead(origin == nil ? 3 : 4)
            encoder.unsigned(UInt64(kind.rawValue))
            encoder.unsigned(UInt64(hopsLeft))
            encoder.array(members) { $0.byteString($1) }
            if let origin { encoder.did(origin) }
        case .announce(let items):
            encoder.array(items) { encoder, item in
                encoder.arrayHead(3)
                encoder.link(item.id)
                encoder.unsigned(UInt64(item.hops))
                encoder.bool(item.isLarge)
            }
        case .graft(let ids), .pull(let ids): encoder.links(ids)
        case .members(let members): encoder.array(members) { $0.byteString($1) }
        case .prune: encoder.arrayHead(0)
        case .probe(let target, let token):
            encoder.arrayHead(2)
            encoder.did(target)
            encoder.unsigned(token)
        case .probed(let token, let isAlive):
            encoder.arrayHead(2)
            encoder.unsigned(token)
            encoder.bool(isAlive)
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
                let member = try map.field("member") { d throws(IPLDError) in
                    try d.byteString(atMost: MemberRecord.envelopeSizeMax)
                }
                let network = try map.field("network") { d throws(IPLDError) in try d.text(atMost: 64) }
                let version = try map.field("version") { d throws(IPLDError) in try d.unsigned() }
                guard version == Self.version else {
                    throw IPLDError(.schema, "the peer speaks version \(version), this node \(Self.version)")
                }
                let features = try map.field("features") { d throws(IPLDError) in
                    try d.texts(atMost: 32, each: 64)
                }
                let fingerprint = try map.field("frontier") { d throws(IPLDError) in try d.digest() }
                return .hello(
                    network: network, features: features, fingerprint: fingerprint, member: member)
            }
        case .push:
            try pair(&decoder)
            let hops = UInt8(try decoder.unsigned(atMost: 255))
            return .push(try WireAnchor(&decoder), hops: hops)
        case .message:
            let count = try decoder.arrayHead(atMost: 2)
            guard count >= 1 else { throw IPLDError(.schema, "a message has an envelope") }
            let envelope = try decoder.byteString()
            return .message(
                envelope: envelope, hops: count == 2 ? UInt8(try decoder.unsigned(atMost: 255)) : nil)
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
        case .overlay:
            let count = try decoder.arrayHead(atMost: 4)
            guard count >= 3, let kind = OverlayKind(rawValue: UInt8(try decoder.unsigned(atMost: 255)))
            else { throw IPLDError(.schema, "an overlay frame has a known kind, hops and members") }
            let hopsLeft = UInt8(try decoder.unsigned(atMost: 16))
            let members = try members(&decoder)
            let origin = count == 4 ? try decoder.did() : nil
            return .overlay(kind, hopsLeft: hopsLeft, origin: origin, members: members)
        case .members: return .members(try members(&decoder))
        case .announce:
            return .announce(
                try decoder.array(atMost: Self.announcementCountMax) { d throws(IPLDError) in
                    guard try d.arrayHead(atMost: 3) == 3 else {
                        throw IPLDError(.schema, "an announcement has three items")
                    }
                    let id = try d.link()
                    let hops = UInt8(try d.unsigned(atMost: 255))
                    return BroadcastAnnouncement(id: id, hops: hops, isLarge: try d.bool())
                })
        case .graft: return .graft(try decoder.links(atMost: Self.blockCountMax))
        case .pull: return .pull(try decoder.links(atMost: Self.blockCountMax))
        case .prune:
            guard try decoder.arrayHead(atMost: 0) == 0 else { throw IPLDError(.schema, "a prune is empty") }
            return .prune
        case .probe:
            try pair(&decoder)
            let target = try decoder.did()
            return .probe(target, token: try decoder.unsigned())
        case .probed:
            try pair(&decoder)
            let token = try decoder.unsigned()
            return .probed(token: token, isAlive: try decoder.bool())
        }
    }

    private static func members(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> [[UInt8]] {
        try decoder.array(atMost: OverlayKind.memberCountMax) { d throws(IPLDError) in
            try d.byteString(atMost: MemberRecord.envelopeSizeMax)
        }
    }

    private static func pair(_ decoder: inout DAGCBORDecoder) throws(IPLDError) {
        guard try decoder.arrayHead(atMost: 2) == 2 else { throw IPLDError(.schema, "two items expected") }
    }
}
