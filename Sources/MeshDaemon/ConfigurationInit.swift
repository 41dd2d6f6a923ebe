public import CommandLineArguments
internal import IPLD
internal import IdentityFiles
internal import JSON5
internal import MeshCore
internal import MeshDAG
internal import MeshEngine
internal import MeshFederation
internal import MeshIdentity

import FoundationEssentials

/// Writes a new node's key and its commented configuration: `meshd init`.
public enum ConfigurationInit {
    /// What the configuration shall say; nil takes the default.
    public struct Options: Hashable, Sendable {
        public var name: String?
        public var dataDirectory: String?
        public var identityPath: String?
        public var listen: String?
        public var peers: [String] = []
        public var federationName: String?
        public var members: [String] = []
        public var threshold: Int?
        /// The text of an invitation.
        public var invite: String?

        public init() {}

        /// What the flags of ``command`` say.
        public init(_ arguments: ParsedArguments) {
            name = arguments.text("name")
            dataDirectory = arguments.text("data")
            identityPath = arguments.text("identity")
            listen = arguments.text("listen")
            peers = arguments.texts("peer")
            federationName = arguments.text("federation")
            members = arguments.texts("member")
            threshold = arguments.integer("threshold")
            invite = arguments.text("invite")
        }
    }

    /// What was written.
    public struct Outcome: Hashable, Sendable {
        public let did: String
        public let configurationPath: String
        public let identityPath: String
        /// Whether the key was there before.
        public let isIdentityKept: Bool
        /// What was taken from the invitation, in sentences.
        public let notes: [String]
    }

    /// `init` with its flags, for the parser of `meshd`.
    public static let command = Command(
        "init", "Write a commented configuration and a key, and print the node's DID",
        discussion:
            "Nothing that exists is overwritten: a key that is there is used, a configuration is an error.",
        flags: [
            Flag("name", .text("NAME"), "The name that other nodes show", default: "mesh-node"),
            Flag("data", .text("DIR"), "Where everything is kept (default ~/.mesh)"),
            Flag("identity", .text("FILE"), "The key file (default DIR/identity.pem)"),
            Flag("listen", .text("HOST:PORT"), "Where peers connect", default: "127.0.0.1:7420"),
            Flag("peer", .text("ADDRESS"), "A node to connect to, as HOST:PORT", repeatable: true),
            Flag("federation", .text("NAME"), "The name of a federation that this node is in"),
            Flag("member", .text("DID"), "A member of it, as DID or DID=ORGANISATION", repeatable: true),
            Flag("threshold", .integer("K", 1...1024), "How many members must agree"),
            Flag(
                "invite", .text("TICKET"),
                "An invitation that a member made with `meshctl invite create`: whom to connect to and what to trust"
            ),
        ],
        examples: [
            "meshd init --name mesh-node-1",
            "meshd init --data ./node-2 --listen 127.0.0.1:7421 --peer 127.0.0.1:7420",
            "meshd init --data ./node-2 --invite mesh-invite:bmkbx5...",
        ])

    /// Writes `<data>/meshd.json5` and, unless it exists, the key.
    ///
    /// The new configuration is read back before anything is written, so a wrong flag is reported
    /// like a wrong setting and leaves nothing behind.
    /// - Throws: ``ConfigurationError``, `IdentityFileError`, or what the file system says.
    public static func run(_ options: Options) throws -> Outcome {
        let data = MeshConfiguration.resolve(
            options.dataDirectory ?? "~/.mesh", in: FileManager.default.currentDirectoryPath)
        let path = data + "/meshd.json5"
        let identity = options.identityPath.map {
            MeshConfiguration.resolve($0, in: FileManager.default.currentDirectoryPath)
        }
        let ticket = try options.invite.map { try invitation($0, options) }
        let text = text(options, ticket, identity: identity)
        let configuration = try MeshConfiguration(text: text, directory: data, checkingFiles: false)
        guard !FileManager.default.fileExists(atPath: path) else {
            throw ConfigurationError(faults: [
                ConfigurationFault(
                    path: "", message: "\(path) is there already, and is not overwritten", position: nil)
            ])
        }
        if let holder = ticket?.holder { try checkHolder(holder, keyAt: configuration.identityPath) }
        try FileManager.default.createDirectory(
            atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let isKept = FileManager.default.fileExists(atPath: configuration.identityPath)
        let key =
            try isKept
            ? IdentityFile.load(configuration.identityPath) : IdentityFile.create(configuration.identityPath)
        try Data(text.utf8).write(to: URL(filePath: path), options: .withoutOverwriting)
        return Outcome(
            did: IdentityFile.did(of: key), configurationPath: path, identityPath: configuration.identityPath,
            isIdentityKept: isKept, notes: ticket.map(notes) ?? [])
    }

    // MARK: Invitations

    private static func fault(_ message: String) -> ConfigurationError {
        ConfigurationError(faults: [ConfigurationFault(path: "--invite", message: message, position: nil)])
    }

    /// Reads the invitation, as far as it is good now.
    private static func invitation(_ text: String, _ options: Options) throws -> InviteTicket {
        guard let ticket = SignedInvite(text: text, verifier: Ed25519Verifier())?.ticket else {
            throw fault(
                "is not an invitation (\(InviteTicket.prefix)…) that its inviter has signed; it may have been cut off"
            )
        }
        let network = NodeSettings(name: "").network
        guard ticket.network == network else {
            throw fault("is for the network \"\(ticket.network)\", and this node is in \"\(network)\"")
        }
        guard SystemClock.now < ticket.expires else {
            throw fault("expired at \(ticket.expires); ask \(ticket.inviter) for another")
        }
        guard ticket.federation == nil || options.federationName == nil else {
            throw fault("names the federation to trust; leave out --federation, --member and --threshold")
        }
        return ticket
    }

    /// A ticket for a known DID needs its key before anything is made here.
    private static func checkHolder(_ holder: DID, keyAt path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            throw fault(
                "is for \(holder), whose key is expected in \(path); `meshctl identity create --out \(path)` makes another key, whose DID an inviter needs first"
            )
        }
        let did = Identity(try IdentityFile.load(path)).did
        guard did == holder else {
            throw fault("is for \(holder), and the key in \(path) is that of \(did)")
        }
    }

    /// What the configuration has of the ticket.
    private static func notes(_ ticket: InviteTicket) -> [String] {
        var notes = ["invited by \(ticket.inviter)"]
        notes.append("connects to \(ticket.addresses.joined(separator: ", "))")
        if let federation = ticket.federation { notes.append("trusts the federation \(federation)") }
        notes.append(
            ticket.holder == nil
                ? "shows a ticket that lets in whoever comes first with it: keep it to yourself"
                : "shows its ticket, good for this key alone")
        return notes
    }

    private static func text(_ options: Options, _ ticket: InviteTicket?, identity: String?) -> String {
        let addresses = options.peers + (ticket?.addresses ?? []).filter { !options.peers.contains($0) }
        let peers = addresses.map { "        { address: \(quoted($0)) },\n" }.joined()
        var federation =
            "    // federation: { name: 'friends', threshold: 1, members: [{ did: 'did:key:z6Mk…' }] },\n"
        if let name = options.federationName {
            let members = options.members.map { member in
                let parts = member.split(separator: "=", maxSplits: 1).map(String.init)
                let organisation = parts.count == 2 ? ", organisation: \(quoted(parts[1]))" : ""
                return "            { did: \(quoted(parts.first ?? ""))\(organisation) },\n"
            }.joined()
            federation =
                "    federation: {\n        name: \(quoted(name)),\n        members: [\n\(members)        ],\n"
                + (options.threshold.map { "        threshold: \($0),\n" } ?? "") + "    },\n"
        }
        if let trusted = ticket?.federation {
            federation = "    federation: { trust: '\(trusted)' },\n"
        }
        let invite = options.invite.map { ",\n        invite: \(quoted($0)),\n    " } ?? " "
        return """
            // A node of the mesh. Start it with: meshd --config FILE
            // JSON5: comments, trailing commas and unquoted keys are welcome. Paths are relative to this file.
            {
                // What other nodes show.
                name: \(quoted(options.name ?? "mesh-node")),
                // Where the store is; the control socket is meshd.sock in it.
                data: '.',
                // The Ed25519 key, mode 0600. Whoever has it is this node.
                identity: \(quoted(identity ?? "identity.pem")),
                // Where peers connect, and what to tell them when that is not reachable from outside.
                listen: \(quoted(options.listen ?? "127.0.0.1:7420")),
                // advertise: ['mesh.example.org:7420'],
                // Of this machine's addresses, the one to dial from.
                // dial_from: '192.0.2.7',
                // Nodes to connect to; with a did, nobody else may answer there.
                peers: [
            \(peers)    ],
                // open: everybody may connect. allowlist: only those listed. invite: members of the federation,
                // those listed, and whoever shows a member's invitation. The node's own, if it has one, is `invite`.
                admission: {\(invite == " " ? " " : "\n        ")mode: 'open', allow: []\(invite)},
                roles: ['submitter', 'executor', 'verifier'],
                // Whose attestations count: the same text at every member, or { trust: 'bafy…' }.
            \(federation)    // What is offered to others; left out, all processors, 1 GiB and 10 GiB.
                // capacity: { cpu: 4, memory_mib: 4096, storage_mib: 10240 },
                // Per 1,000 units of compute; a unit is a million instructions.
                price: { compute: 500 },
                // location: 'Berlin',
                labels: {},
                // runtime: { workers: 2, module_bytes_max: 16777216, compile_ms_max: 10000 },
                // store: { map_bytes_max: 17179869184, archive: false },
                log: { level: 'info', format: 'text' },
            }

            """
    }

    /// `text` as a JSON5 string.
    private static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "'", "\\": "\\\(scalar)"
            case "\n": "\\n"
            default: String(scalar)
            }
        }
        return "'\(escaped.joined())'"
    }
}
