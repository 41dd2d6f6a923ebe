/// The newest anchor of one feed.
public struct HeadView: APIRecord, Hashable {
    /// The author.
    public var did: String
    /// The author's name.
    @Nullable public var nodeID: String?
    /// The feed's scope.
    public var scope: String
    /// Its number, from 0; of a frozen feed, where it forks.
    public var seq: Int
    /// The anchor; null for a frozen feed.
    @Nullable public var cid: String?
    /// The anchor's own time, RFC 3339.
    @Nullable public var time: String?
    /// Whether the feed ends at a proven fork.
    public var frozen: Bool

    public init(
        did: String, nodeID: String? = nil, scope: String, seq: Int, cid: String? = nil, time: String? = nil,
        frozen: Bool
    ) {
        self.did = did
        self.nodeID = nodeID
        self.scope = scope
        self.seq = seq
        self.cid = cid
        self.time = time
        self.frozen = frozen
    }

    enum CodingKeys: String, CodingKey {
        case did
        case nodeID = "node_id"
        case scope
        case seq
        case cid
        case time
        case frozen
    }

    public static let fields: [APIField] = [
        APIField("did", .string),
        APIField("node_id", .string, nullable: true),
        APIField("scope", .string),
        APIField("seq", .integer),
        APIField("cid", .string, nullable: true),
        APIField("time", .string, nullable: true),
        APIField("frozen", .boolean),
    ]
}

/// One anchor and what it links.
public struct AnchorView: APIRecord, Hashable {
    /// The author.
    public var did: String
    /// The author's name.
    @Nullable public var nodeID: String?
    /// The feed's scope.
    public var scope: String
    /// Its number, from 0.
    public var seq: Int
    /// The envelope's CID.
    public var cid: String
    /// Its own time, RFC 3339.
    public var time: String
    /// What it publishes, in order.
    public var entries: [AnchorEntryView]

    public init(
        did: String, nodeID: String? = nil, scope: String, seq: Int, cid: String, time: String,
        entries: [AnchorEntryView] = []
    ) {
        self.did = did
        self.nodeID = nodeID
        self.scope = scope
        self.seq = seq
        self.cid = cid
        self.time = time
        self.entries = entries
    }

    enum CodingKeys: String, CodingKey {
        case did
        case nodeID = "node_id"
        case scope
        case seq
        case cid
        case time
        case entries
    }

    public static let fields: [APIField] = [
        APIField("did", .string),
        APIField("node_id", .string, nullable: true),
        APIField("scope", .string),
        APIField("seq", .integer),
        APIField("cid", .string),
        APIField("time", .string),
        APIField("entries", .array(.record("AnchorEntryView"))),
    ]
}

/// An entry under an anchor.
public struct AnchorEntryView: APIRecord, Hashable {
    /// The entry.
    public var cid: String
    /// Such as `job.manifest`; null while the block is missing or unreadable.
    @Nullable public var kind: String?

    public init(
        cid: String, kind: String? = nil
    ) {
        self.cid = cid
        self.kind = kind
    }

    enum CodingKeys: String, CodingKey {
        case cid
        case kind
    }

    public static let fields: [APIField] = [
        APIField("cid", .string),
        APIField("kind", .string, nullable: true),
    ]
}

/// What came of an imported CAR file.
public struct ImportView: APIRecord, Hashable {
    /// Blocks and anchors that were new.
    public var imported: Int
    /// Those that were here already.
    public var known: Int
    /// Those that are not valid here.
    public var refused: Int

    public init(
        imported: Int, known: Int, refused: Int
    ) {
        self.imported = imported
        self.known = known
        self.refused = refused
    }

    enum CodingKeys: String, CodingKey {
        case imported
        case known
        case refused
    }

    public static let fields: [APIField] = [
        APIField("imported", .integer),
        APIField("known", .integer),
        APIField("refused", .integer),
    ]
}
