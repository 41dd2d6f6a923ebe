/// Who shall be let in, and for how long the invitation is good.
public struct InviteRequest: APIRecord, Hashable {
    /// The DID of the node that the invitation is for; without it, whoever comes first.
    public var holder: String?
    /// Milliseconds from now until it admits nobody new; seven days by default.
    public var expiresMs: Int?

    public init(holder: String? = nil, expiresMs: Int? = nil) {
        self.holder = holder
        self.expiresMs = expiresMs
    }

    enum CodingKeys: String, CodingKey {
        case holder
        case expiresMs = "expires_ms"
    }

    public static let fields: [APIField] = [
        APIField("holder", .string, optional: true),
        APIField("expires_ms", .integer, optional: true),
    ]
}

/// An invitation that this node has signed.
public struct InviteView: APIRecord, Hashable {
    /// What `meshd init --invite` takes.
    public var ticket: String
    /// Who lets in.
    public var inviter: String
    /// The network's name.
    public var network: String
    /// Where the mesh can be reached.
    public var addresses: [String]
    /// The CID of the federation to trust.
    @Nullable public var federation: String?
    /// The DID of the node that it is for; null admits whoever comes first.
    @Nullable public var holder: String?
    /// When it ceases to admit anybody new.
    public var expiresAt: String

    public init(
        ticket: String, inviter: String, network: String, addresses: [String] = [],
        federation: String? = nil, holder: String? = nil, expiresAt: String
    ) {
        self.ticket = ticket
        self.inviter = inviter
        self.network = network
        self.addresses = addresses
        self.federation = federation
        self.holder = holder
        self.expiresAt = expiresAt
    }

    enum CodingKeys: String, CodingKey {
        case ticket
        case inviter
        case network
        case addresses
        case federation
        case holder
        case expiresAt = "expires_at"
    }

    public static let fields: [APIField] = [
        APIField("ticket", .string),
        APIField("inviter", .string),
        APIField("network", .string),
        APIField("addresses", .array(.string)),
        APIField("federation", .string, nullable: true),
        APIField("holder", .string, nullable: true),
        APIField("expires_at", .string),
    ]
}
