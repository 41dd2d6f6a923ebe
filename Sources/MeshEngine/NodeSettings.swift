public import IPLD
public import MeshFederation
public import MeshIdentity
public import MeshMarket
public import MeshRuntime

/// What the operator decided about this node.
public struct NodeSettings: Sendable {
    /// Whose feeds are stored.
    public enum Admission: Hashable, Sendable {
        case open
        /// These, the federation's members and this node itself.
        case allowlist([DID])
        /// The same, and whoever has shown a ticket of a member.
        case invite(allow: [DID])
    }

    public struct Peer: Hashable, Sendable {
        public var address: String
        public var did: DID?

        public init(address: String, did: DID?) {
            self.address = address
            self.did = did
        }
    }

    public var name: String
    public var roles: [NodeProfile.Role] = [.submitter, .executor, .verifier]
    /// Where others reach this node; published in its profile.
    public var addresses: [String] = []
    public var capacity = NodeProfile.Capacity(cpu: 2, memoryMiB: 1024, storageMiB: 1024)
    /// For 1,000 units of `compute`.
    public var computePrice: UInt64 = 1000
    public var location: String?
    public var labels: [String: String] = [:]
    public var peers: [Peer] = []
    public var admission: Admission = .open
    /// The ticket that this node shows to nodes that ask for one: the envelope of a `SignedInvite`.
    public var invite: [UInt8]?
    /// The genesis bundle that the configuration describes.
    public var federation: FederationBundle?
    /// The federation's CID where only that is configured.
    public var trust: CID?
    /// What runs jobs here; `nil` where nothing can.
    public var engine: EngineDescription?
    /// Publish without having asked anyone for our own frontier.
    public var alone = false
    /// Nodes with another network name do not talk to each other.
    public var network = "main"
    /// The scope of all feeds.
    public var scope = "default"
    /// How many members this node keeps account of, those that are gone included.
    public var memberCountMax = 4_096
    /// Decides jitter; nothing else.
    public var seed: UInt64 = 0

    public init(name: String) {
        self.name = name
    }

    /// The bundle that jobs submitted here are judged by.
    public var federationCID: CID? { federation?.cid ?? trust }
}
