/// A federation bundle that this node knows.
public struct FederationView: APIRecord, Hashable {
    /// The CID of the bundle body, the federation's identity.
    public var cid: String
    /// Its name.
    public var name: String
    /// 0 for the genesis bundle.
    public var seq: Int
    /// Signatures and attestations it asks for.
    public var threshold: Int
    /// In order of their DIDs.
    public var members: [MemberView]
    /// DIDs of the members that have signed it.
    public var signatures: [String]
    /// Whether it has enough signatures to count.
    public var complete: Bool
    /// Whether this node's configuration names it.
    public var pinned: Bool

    public init(
        cid: String, name: String, seq: Int, threshold: Int, members: [MemberView] = [],
        signatures: [String] = [], complete: Bool, pinned: Bool
    ) {
        self.cid = cid
        self.name = name
        self.seq = seq
        self.threshold = threshold
        self.members = members
        self.signatures = signatures
        self.complete = complete
        self.pinned = pinned
    }

    enum CodingKeys: String, CodingKey {
        case cid
        case name
        case seq
        case threshold
        case members
        case signatures
        case complete
        case pinned
    }

    public static let fields: [APIField] = [
        APIField("cid", .string),
        APIField("name", .string),
        APIField("seq", .integer),
        APIField("threshold", .integer),
        APIField("members", .array(.record("MemberView"))),
        APIField("signatures", .array(.string)),
        APIField("complete", .boolean),
        APIField("pinned", .boolean),
    ]
}

/// A member of a federation.
public struct MemberView: APIRecord, Hashable {
    /// The member.
    public var did: String
    /// The member's name.
    @Nullable public var nodeID: String?
    /// Whose attestations do not count for one another.
    @Nullable public var organisation: String?

    public init(
        did: String, nodeID: String? = nil, organisation: String? = nil
    ) {
        self.did = did
        self.nodeID = nodeID
        self.organisation = organisation
    }

    enum CodingKeys: String, CodingKey {
        case did
        case nodeID = "node_id"
        case organisation
    }

    public static let fields: [APIField] = [
        APIField("did", .string),
        APIField("node_id", .string, nullable: true),
        APIField("organisation", .string, nullable: true),
    ]
}
