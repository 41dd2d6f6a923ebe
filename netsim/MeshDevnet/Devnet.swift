internal import ControlClient
internal import Foundation
internal import MeshAPI
internal import MeshCore

/// Nodes on this machine, each a real `meshd`, that reach each other through a ``Relay``.
///
/// Keys, configurations and stores are in a temporary directory that goes with the value, as do the daemons.
public final class Devnet: Sendable {
    /// What the network is to be.
    public struct Plan: Sendable {
        public var nodeCount: Int
        /// Without it, nodes dial each other directly and no rule counts.
        public var hasRelay = true
        /// What counts for every link at first.
        public var rule = LinkRule()
        /// Decides latencies and losses.
        public var seed: UInt64 = 1
        /// What nodes do wrong on purpose, by index.
        public var misbehaviours: [Int: String] = [:]
        /// Roles of every node, as the configuration names them.
        public var roles = ["submitter", "executor", "verifier"]
        /// Roles of single nodes, by index.
        public var ownRoles: [Int: [String]] = [:]
        /// More lines of JSON5 for single nodes, by index.
        public var ownSettings: [Int: String] = [:]
        /// Where libwasmtime is; `nil`: where the daemons look for it themselves.
        public var wasmtimeLibraryPath: String?
        /// How many of the first nodes are the federation; below 2 there is none.
        public var memberCount = 5
        /// How many are started before one of them must answer.
        public var startedAtOnce = 4
        /// The program; `nil`: see ``Devnet/daemonPath()``.
        public var program: String?
        /// How much the daemons log, as the configuration names it.
        public var logLevel = "info"
        /// More lines of JSON5 for every configuration.
        public var settings = ""

        public init(nodeCount: Int) {
            self.nodeCount = nodeCount
        }
    }

    public let directory: String
    public let nodes: [DevnetNode]
    /// The network between the nodes; `nil` without relays.
    public let relay: Relay?
    public let program: String
    private let plan: Plan
    /// What counts for every link while nothing goes wrong.
    public var rule: LinkRule { plan.rule }
    /// The ports of the relays, by node.
    private let relayPorts: [UInt16]

    /// Makes keys and relays; nothing runs yet.
    public init(_ plan: Plan) throws(DevnetError) {
        guard (1...LoopbackNetwork.nodeCountMax).contains(plan.nodeCount) else {
            throw DevnetError(
                "a network has 1 to \(LoopbackNetwork.nodeCountMax) nodes, not \(plan.nodeCount)")
        }
        self.plan = plan
        if let named = plan.program { program = named } else { program = try Self.daemonPath() }
        // A socket's path has at most 107 bytes, so not in a long temporary directory.
        let directory = "/tmp/mesh-devnet-" + UUID().uuidString.prefix(8).lowercased()
        self.directory = directory
        var nodes: [DevnetNode] = []
        for index in 0..<plan.nodeCount {
            nodes.append(
                try DevnetNode(
                    index: index, name: "node-\(index + 1)", directory: "\(directory)/\(index + 1)",
                    misbehaviour: plan.misbehaviours[index]))
        }
        self.nodes = nodes
        if plan.hasRelay {
            let relay = try Relay(seed: plan.seed)
            relay.setEveryRule { $0 = plan.rule }
            var ports: [UInt16] = []
            for index in 0..<plan.nodeCount { ports.append(try relay.open(target: index)) }
            self.relay = relay
            relayPorts = ports
        } else {
            relay = nil
            relayPorts = []
        }
    }

    deinit { end() }

    /// `MESHD`, or `meshd` beside this program.
    public static func daemonPath() throws(DevnetError) -> String {
        let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("meshd").path
        let path = ProcessInfo.processInfo.environment["MESHD"] ?? beside
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw DevnetError("there is no program \(path): build meshd, or name it in MESHD")
        }
        return path
    }

    // MARK: Running

    /// Starts every node, a few at a time, and waits until all answer.
    public func start() throws(DevnetError) {
        for index in nodes.indices {
            try configure(index)
            try nodes[index].spawn(program, flags: nodes.count == 1 ? ["--alone"] : [])
            // The first is what all others dial.
            let isBatchFull = (index + 1) % max(1, plan.startedAtOnce) == 0
            if index == 0 || isBatchFull || index == nodes.count - 1 {
                for waiting in nodes[...index] where waiting.listeningAddress.isEmpty {
                    try awaitReady(waiting)
                }
            }
        }
    }

    /// Starts a node again that was ended, and waits until it answers.
    public func restart(_ index: Int) throws(DevnetError) {
        try nodes[index].spawn(program)
        try awaitReady(nodes[index])
    }

    private func awaitReady(_ node: DevnetNode) throws(DevnetError) {
        try node.awaitReady()
        guard let port = UInt16(node.listeningAddress.split(separator: ":").last ?? "") else {
            throw DevnetError("\(node.name) listens at \(node.listeningAddress)")
        }
        relay?.aim(target: node.index, at: port)
    }

    /// Waits until every node that runs knows all the others that do, and may publish.
    public func awaitKnown(within seconds: Double = 60) throws(DevnetError) {
        let running = nodes.filter { $0.isRunning && !$0.isPaused }
        let all = Set(running.map(\.did))
        for node in running {
            let _: NodeStatusView = try node.poll("/v1/node", within: seconds) { $0.publishingAllowed }
            let _: [NodeView] = try node.poll("/v1/nodes", within: seconds) {
                all.isSubset(of: $0.map(\.did))
            }
        }
    }

    /// Ends every daemon and removes the directory; harmless when done twice.
    public func end() {
        for node in nodes { node.beginStop() }
        for node in nodes { node.stop() }
        relay?.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Where others reach a node: the relay in front of it, or the node itself.
    public func address(of index: Int) -> String {
        relay == nil
            ? nodes[index].listeningAddress : "\(LoopbackNetwork.relayHost):\(relayPorts[index])"
    }

    // MARK: Configuring

    private func configure(_ index: Int) throws(DevnetError) {
        let node = nodes[index]
        let host = LoopbackNetwork.host(of: index)
        let roles = plan.ownRoles[index] ?? plan.roles
        let library = plan.wasmtimeLibraryPath.map { ", wasmtime_library: '\($0)'" } ?? ""
        var lines = [
            "name: '\(node.name)',", "data: '.',", "identity: 'identity.pem',", "listen: '\(host):0',",
            "dial_from: '\(host)',", "roles: [\(roles.map { "'\($0)'" }.joined(separator: ", "))],",
            "runtime: { workers: 1\(library) },",
            "capacity: { cpu: 64, memory_mib: 65536, storage_mib: 1024 },",
            "log: { level: '\(plan.logLevel)' },", plan.settings, plan.ownSettings[index] ?? "",
        ]
        if relay != nil { lines.append("advertise: ['\(address(of: index))'],") }
        // Two to begin with, so that the loss of one keeps nobody out.
        let peers = [0, 1].filter { $0 < index && !address(of: $0).isEmpty }.map {
            "{ address: '\(address(of: $0))', did: '\(nodes[$0].did)' }"
        }
        lines.append("peers: [\(peers.joined(separator: ", "))],")
        let members = nodes.prefix(plan.memberCount)
        if members.count > 1 {
            let list = members.map { "{ did: '\($0.did)' }" }.joined(separator: ", ")
            let threshold = min(2, members.count - 1)
            lines.append("federation: { name: 'devnet', members: [\(list)], threshold: \(threshold) },")
        }
        let text = "{\n" + lines.filter { !$0.isEmpty }.map { "    \($0)\n" }.joined() + "}\n"
        do {
            try text.write(toFile: node.configurationPath, atomically: true, encoding: .utf8)
        } catch {
            throw DevnetError("\(node.configurationPath): \(error)")
        }
    }
}
