public import IPLD
public import MeshIdentity

/// Everything that a daemon is told by its configuration file, checked and with defaults filled in.
///
/// Paths are absolute, or relative to the working directory if the file's own path was. Nothing
/// here changes after the start.
public struct MeshConfiguration: Hashable, Sendable {
    /// The name that other nodes show; 1 to 64 bytes.
    public var name: String
    /// Where the store and the blobs are.
    public var dataDirectory: String
    /// The Ed25519 key, PKCS#8 PEM, mode 0600.
    public var identityPath: String
    /// `host:port` to listen on for peers.
    public var listen: String
    /// `host:port` under which others reach this node; empty: what it listens on.
    public var advertise: [String]
    /// The address of this machine that links to peers are dialled from; nil: the system's choice.
    public var dialFrom: String?
    public var peers: [Peer]
    public var admission: Admission
    /// In the order of ``Role``.
    public var roles: [Role]
    public var federation: Federation
    /// The control API's Unix socket; at most 107 bytes.
    public var controlSocketPath: String
    public var capacity: Capacity
    /// The price of 1,000 units of compute.
    public var computePrice: Int
    public var location: String?
    public var labels: [String: String]
    public var runtime: Runtime
    public var store: Store
    public var log: Log

    /// A node to connect to at the start, and again whenever the link is lost.
    public struct Peer: Hashable, Sendable {
        /// `host:port`.
        public var address: String
        /// Whoever answers with another identity is refused.
        public var did: DID?
    }

    /// Who may connect.
    public struct Admission: Hashable, Sendable {
        public enum Mode: String, Hashable, Sendable, CaseIterable { case open, allowlist, invite }
        public var mode: Mode
        /// Let in whatever the mode.
        public var allow: [DID]
        /// The invitation that this node presents.
        public var invite: String?
    }

    public enum Role: String, Hashable, Sendable, CaseIterable { case submitter, executor, verifier }

    /// Whose attestations count.
    public enum Federation: Hashable, Sendable {
        case none
        /// Made here: members that configure the same get the same bundle.
        case genesis(name: String, members: [Member], threshold: Int)
        /// Known by the CID of its bundle body.
        case pinned(CID)

        public struct Member: Hashable, Sendable {
            public var did: DID
            public var organisation: String?
        }
    }

    /// What is offered to the mesh.
    public struct Capacity: Hashable, Sendable {
        public var cpu: Int
        public var memoryMiB: Int
        public var storageMiB: Int
    }

    public struct Runtime: Hashable, Sendable {
        /// nil: where the set-up puts it.
        public var wasmtimeLibraryPath: String?
        /// Worker processes.
        public var workers: Int
        public var moduleByteCountMax: Int
        public var compileMillisecondsMax: Int
    }

    public struct Store: Hashable, Sendable {
        /// How far the store may grow.
        public var mapByteCountMax: Int
        /// Whether nothing is ever dropped.
        public var archive: Bool
    }

    public struct Log: Hashable, Sendable {
        public enum Level: String, Hashable, Sendable, CaseIterable { case error, warning, info, debug }
        public enum Format: String, Hashable, Sendable, CaseIterable { case text, json }
        public var level: Level
        public var format: Format
    }
}
