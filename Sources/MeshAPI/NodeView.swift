/// A node of the mesh: a row of `list-nodes`.
public struct NodeView: APIRecord, Hashable {
    /// The display name, or a shortened DID.
    public var nodeID: String
    /// The node's identity.
    public var did: String
    /// As its profile states it.
    @Nullable public var location: String?
    /// Memory offered, MiB; null until its profile is here, and so for the rest.
    @Nullable public var memoryMib: Int?
    /// Processors offered.
    @Nullable public var cpu: Int?
    /// Storage offered, MiB.
    @Nullable public var storageMib: Int?
    /// What it runs.
    public var languages: [String]
    /// 0 to 100; 50 is unknown.
    public var reputation: Int
    /// `alive`, `suspect` or `gone`.
    public var state: String
    /// As its profile states them.
    public var labels: [String: String]

    public init(
        nodeID: String, did: String, location: String? = nil, memoryMib: Int? = nil, cpu: Int? = nil,
        storageMib: Int? = nil, languages: [String] = [], reputation: Int, state: String,
        labels: [String: String] = [:]
    ) {
        self.nodeID = nodeID
        self.did = did
        self.location = location
        self.memoryMib = memoryMib
        self.cpu = cpu
        self.storageMib = storageMib
        self.languages = languages
        self.reputation = reputation
        self.state = state
        self.labels = labels
    }

    enum CodingKeys: String, CodingKey {
        case nodeID = "node_id"
        case did
        case location
        case memoryMib = "memory_mib"
        case cpu
        case storageMib = "storage_mib"
        case languages
        case reputation
        case state
        case labels
    }

    public static let fields: [APIField] = [
        APIField("node_id", .string),
        APIField("did", .string),
        APIField("location", .string, nullable: true),
        APIField("memory_mib", .integer, nullable: true),
        APIField("cpu", .integer, nullable: true),
        APIField("storage_mib", .integer, nullable: true),
        APIField("languages", .array(.string)),
        APIField("reputation", .integer),
        APIField("state", .string),
        APIField("labels", .map(.string)),
    ]
}

/// A link to another node, or an attempt at one.
public struct PeerView: APIRecord, Hashable {
    /// The peer's name where it is known.
    @Nullable public var nodeID: String?
    /// Known once the handshake has proved it.
    @Nullable public var did: String?
    /// `host:port`.
    public var address: String
    /// `connecting`, `connected`, `waiting` or `refused`.
    public var state: String
    /// `outgoing` or `incoming`.
    public var direction: String
    /// Whether the peer is in the active view: it is pushed to and probed.
    public var neighbour: Bool
    /// What this node thinks of the peer; negative is bad.
    public var score: Int
    /// What the score consists of, such as `first_delivery` or `over_budget`.
    public var scoreParts: [String: Int]
    /// Frames, bytes and drops by class, such as `received_push` or `dropped_message`.
    public var counters: [String: Int]

    public init(
        nodeID: String? = nil, did: String? = nil, address: String, state: String, direction: String,
        neighbour: Bool = false, score: Int = 0, scoreParts: [String: Int] = [:],
        counters: [String: Int] = [:]
    ) {
        self.nodeID = nodeID
        self.did = did
        self.address = address
        self.state = state
        self.direction = direction
        self.neighbour = neighbour
        self.score = score
        self.scoreParts = scoreParts
        self.counters = counters
    }

    enum CodingKeys: String, CodingKey {
        case nodeID = "node_id"
        case did
        case address
        case state
        case direction
        case neighbour
        case score
        case scoreParts = "score_parts"
        case counters
    }

    public static let fields: [APIField] = [
        APIField("node_id", .string, nullable: true),
        APIField("did", .string, nullable: true),
        APIField("address", .string),
        APIField("state", .string),
        APIField("direction", .string),
        APIField("neighbour", .boolean),
        APIField("score", .integer),
        APIField("score_parts", .map(.integer)),
        APIField("counters", .map(.integer)),
    ]
}

/// How this daemon fares: what `node status` prints.
public struct NodeStatusView: APIRecord, Hashable {
    /// The display name.
    public var name: String
    /// The node's identity.
    public var did: String
    /// The daemon's version.
    public var version: String
    /// `host:port` as bound.
    public var listenAddress: String
    /// Since the daemon started.
    public var uptimeSeconds: Int
    /// Links that are up.
    public var peersConnected: Int
    /// Feeds whose newest anchor this node holds.
    public var frontierFeeds: Int
    /// What the configuration offers.
    public var capacityTotal: CapacityView
    /// What is not reserved.
    public var capacityFree: CapacityView
    /// Whether the node takes no new jobs.
    public var draining: Bool
    /// Whether the node may append to its own feed.
    public var publishingAllowed: Bool
    /// Why it may not, in one sentence.
    @Nullable public var publishingRefusal: String?
    /// The pinned federation; nulls when there is none.
    public var federation: FederationSummaryView
    /// Bytes of the record store.
    public var storeBytes: Int
    /// Bytes of the blob store.
    public var blobBytes: Int
    /// Bytes free on the disk that holds both.
    @Nullable public var diskFreeBytes: Int?
    /// How long that lasts if the stores go on growing as since the start; null while that is unknown.
    @Nullable public var daysLeft: Int?
    /// What runs jobs here; nulls when nothing can.
    public var engine: EngineView
    /// What is waiting, by queue.
    public var queueLengths: [String: Int]
    /// The daemon's clock, RFC 3339.
    public var now: String

    public init(
        name: String, did: String, version: String, listenAddress: String, uptimeSeconds: Int,
        peersConnected: Int, frontierFeeds: Int, capacityTotal: CapacityView, capacityFree: CapacityView,
        draining: Bool, publishingAllowed: Bool, publishingRefusal: String? = nil,
        federation: FederationSummaryView, storeBytes: Int, blobBytes: Int, diskFreeBytes: Int? = nil,
        daysLeft: Int? = nil, engine: EngineView,
        queueLengths: [String: Int] = [:], now: String
    ) {
        self.name = name
        self.did = did
        self.version = version
        self.listenAddress = listenAddress
        self.uptimeSeconds = uptimeSeconds
        self.peersConnected = peersConnected
        self.frontierFeeds = frontierFeeds
        self.capacityTotal = capacityTotal
        self.capacityFree = capacityFree
        self.draining = draining
        self.publishingAllowed = publishingAllowed
        self.publishingRefusal = publishingRefusal
        self.federation = federation
        self.storeBytes = storeBytes
        self.blobBytes = blobBytes
        self.diskFreeBytes = diskFreeBytes
        self.daysLeft = daysLeft
        self.engine = engine
        self.queueLengths = queueLengths
        self.now = now
    }

    enum CodingKeys: String, CodingKey {
        case name
        case did
        case version
        case listenAddress = "listen_address"
        case uptimeSeconds = "uptime_seconds"
        case peersConnected = "peers_connected"
        case frontierFeeds = "frontier_feeds"
        case capacityTotal = "capacity_total"
        case capacityFree = "capacity_free"
        case draining
        case publishingAllowed = "publishing_allowed"
        case publishingRefusal = "publishing_refusal"
        case federation
        case storeBytes = "store_bytes"
        case blobBytes = "blob_bytes"
        case diskFreeBytes = "disk_free_bytes"
        case daysLeft = "days_left"
        case engine
        case queueLengths = "queue_lengths"
        case now
    }

    public static let fields: [APIField] = [
        APIField("name", .string),
        APIField("did", .string),
        APIField("version", .string),
        APIField("listen_address", .string),
        APIField("uptime_seconds", .integer),
        APIField("peers_connected", .integer),
        APIField("frontier_feeds", .integer),
        APIField("capacity_total", .record("CapacityView")),
        APIField("capacity_free", .record("CapacityView")),
        APIField("draining", .boolean),
        APIField("publishing_allowed", .boolean),
        APIField("publishing_refusal", .string, nullable: true),
        APIField("federation", .record("FederationSummaryView")),
        APIField("store_bytes", .integer),
        APIField("blob_bytes", .integer),
        APIField("disk_free_bytes", .integer, nullable: true),
        APIField("days_left", .integer, nullable: true),
        APIField("engine", .record("EngineView")),
        APIField("queue_lengths", .map(.integer)),
        APIField("now", .string),
    ]
}

/// Machine resources.
public struct CapacityView: APIRecord, Hashable {
    /// Processors.
    public var cpu: Int
    /// MiB.
    public var memoryMib: Int
    /// MiB.
    public var storageMib: Int

    public init(
        cpu: Int, memoryMib: Int, storageMib: Int
    ) {
        self.cpu = cpu
        self.memoryMib = memoryMib
        self.storageMib = storageMib
    }

    enum CodingKeys: String, CodingKey {
        case cpu
        case memoryMib = "memory_mib"
        case storageMib = "storage_mib"
    }

    public static let fields: [APIField] = [
        APIField("cpu", .integer),
        APIField("memory_mib", .integer),
        APIField("storage_mib", .integer),
    ]
}

/// A federation in one line.
public struct FederationSummaryView: APIRecord, Hashable {
    /// The CID of the bundle body.
    @Nullable public var cid: String?
    /// Its name.
    @Nullable public var name: String?
    /// Signatures and attestations it asks for.
    @Nullable public var threshold: Int?
    /// How many members it has.
    @Nullable public var members: Int?

    public init(
        cid: String? = nil, name: String? = nil, threshold: Int? = nil, members: Int? = nil
    ) {
        self.cid = cid
        self.name = name
        self.threshold = threshold
        self.members = members
    }

    enum CodingKeys: String, CodingKey {
        case cid
        case name
        case threshold
        case members
    }

    public static let fields: [APIField] = [
        APIField("cid", .string, nullable: true),
        APIField("name", .string, nullable: true),
        APIField("threshold", .integer, nullable: true),
        APIField("members", .integer, nullable: true),
    ]
}

/// What runs jobs, and under which settings.
public struct EngineView: APIRecord, Hashable {
    /// `wasmtime`.
    @Nullable public var name: String?
    /// The library's version.
    @Nullable public var version: String?
    /// The CID of the map of all engine settings.
    @Nullable public var profile: String?

    public init(
        name: String? = nil, version: String? = nil, profile: String? = nil
    ) {
        self.name = name
        self.version = version
        self.profile = profile
    }

    enum CodingKeys: String, CodingKey {
        case name
        case version
        case profile
    }

    public static let fields: [APIField] = [
        APIField("name", .string, nullable: true),
        APIField("version", .string, nullable: true),
        APIField("profile", .string, nullable: true),
    ]
}

/// A peer to connect to.
public struct PeerRequest: APIRecord, Hashable {
    /// `host:port`.
    public var address: String
    /// Refuse whoever answers with another identity.
    public var did: String?

    public init(
        address: String, did: String? = nil
    ) {
        self.address = address
        self.did = did
    }

    enum CodingKeys: String, CodingKey {
        case address
        case did
    }

    public static let fields: [APIField] = [
        APIField("address", .string),
        APIField("did", .string, optional: true),
    ]
}

/// Whether the node shall stop taking new jobs.
public struct DrainRequest: APIRecord, Hashable {
    /// True stops bidding; false starts it again.
    public var drain: Bool

    public init(
        drain: Bool
    ) {
        self.drain = drain
    }

    enum CodingKeys: String, CodingKey {
        case drain
    }

    public static let fields: [APIField] = [
        APIField("drain", .boolean)
    ]
}
