import ControlClient
import Foundation
import Glibc
import MeshAPI
import MeshDevnet
import MeshTestSupport
import Testing

/// Several nodes on loopback, each a real daemon, with one federation.
final class Cluster {
    let directory: String
    let nodes: [TestNode]

    /// What a cluster is to be.
    struct Plan {
        var count = 3
        /// How many members must agree; 0 makes no federation.
        var threshold = 2
        var cpu = 16
        /// More lines of JSON5 for node `index`.
        var settings: (_ index: Int) -> String = { _ in "" }
        /// A node whose price is not the default.
        var prices: [Int: Int] = [:]
    }

    /// Makes keys and folders; nothing runs yet.
    init(_ plan: Plan) throws {
        // A socket's path has at most 107 bytes, so not in a long temporary directory.
        directory = "/tmp/mi-" + UUID().uuidString.prefix(8).lowercased()
        let directory = directory
        nodes = try (0..<plan.count).map {
            try TestNode(name: "mesh-node-\($0 + 1)", directory: "\(directory)/\($0 + 1)")
        }
        self.plan = plan
    }

    private let plan: Plan

    subscript(_ number: Int) -> TestNode { nodes[number - 1] }

    /// Starts the first node, then the others with it as their peer, and waits until all are linked.
    func start() throws {
        for (index, node) in nodes.enumerated() {
            try configure(index)
            try node.start(plan.count == 1 ? ["--alone"] : [])
        }
        try awaitLinked()
    }

    func configure(_ index: Int) throws {
        var flags: [String] = []
        if plan.threshold > 0, plan.count > 1 {
            flags += ["--federation", "friends", "--threshold", "\(plan.threshold)"]
            for node in nodes { flags += ["--member", node.did] }
        }
        if index > 0 { flags += ["--peer", nodes[0].address] }
        let settings = """
                labels: {},
                capacity: { cpu: \(plan.cpu), memory_mib: 16384, storage_mib: 1024 },
                \(plan.settings(index))
            """
        let hasRuntime = plan.settings(index).contains("runtime:")
        try nodes[index].configure(
            flags: flags, settings: settings + (hasRuntime ? "" : "\n    runtime: { workers: 1 },"))
        if let price = plan.prices[index] {
            try nodes[index].edit {
                $0.replacing("price: { compute: 500 }", with: "price: { compute: \(price) }")
            }
        }
    }

    /// The nodes whose daemons run.
    var running: [TestNode] { nodes.filter { $0.process?.hasEnded == nil && $0.process != nil } }

    /// Waits until every running node is linked with every other, may publish, and knows the federation.
    func awaitLinked(within seconds: Double = 60) throws {
        let running = running
        for node in running {
            let client = try node.client()
            try eventually("\(node.name) is not linked", within: seconds) { () -> Void? in
                let status: NodeStatusView = try client.get("/v1/node")
                guard status.publishingAllowed else { return nil }
                let peers: [PeerView] = try client.get("/v1/peers")
                let linked = Set(peers.filter { $0.state == "connected" }.compactMap(\.did))
                guard running.allSatisfy({ $0.did == node.did || linked.contains($0.did) }) else {
                    return nil
                }
                let nodes: [NodeView] = try client.get("/v1/nodes")
                guard Set(nodes.map(\.did)).isSuperset(of: running.map(\.did)) else { return nil }
                guard plan.threshold > 0, plan.count > 1 else { return () }
                let federations: [FederationView] = try client.get("/v1/federations")
                return federations.contains(where: \.complete) ? () : nil
            }
        }
    }

    /// Waits until all running nodes hold the same feeds, and returns their heads.
    @discardableResult
    func awaitEqualHeads(within seconds: Double = 60) throws -> [HeadView] {
        let running = running
        var last: [[HeadView]] = []
        func described() -> String {
            last.map { heads in
                heads.map { "\($0.nodeID ?? "?"):\($0.seq)\($0.frozen ? "!" : "")" }.joined(separator: " ")
            }
            .joined(separator: " | ")
        }
        return try eventually("the heads differ: \(described())", within: seconds) {
            let all = try running.map { node in
                try node.heads().map { head in
                    var head = head
                    head.nodeID = nil
                    return head
                }
            }
            last = all
            guard let first = all.first, all.allSatisfy({ $0 == first }), first.count >= running.count else {
                return nil
            }
            return first
        }
    }

    /// Ends every daemon, whatever it does.
    func end() {
        for node in nodes { try? node.kill() }
    }

    deinit {
        end()
        if ProcessInfo.processInfo.environment["MESH_KEEP"] == nil {
            try? FileManager.default.removeItem(atPath: directory)
        }
    }
}

/// Runs `body` with a started cluster, ends everything it started, and hands over the logs if it fails.
func withCluster(_ plan: Cluster.Plan = .init(), isStarted: Bool = true, _ body: (Cluster) throws -> Void)
    throws
{
    let cluster = try Cluster(plan)
    defer {
        cluster.end()
        for node in cluster.nodes { Attachment.record(node.log, named: "\(node.name).log") }
    }
    do {
        if isStarted { try cluster.start() }
        try body(cluster)
    } catch {
        for node in cluster.nodes {
            print("--- the end of the log of \(node.name)\n\(node.log.suffix(3000))")
        }
        throw error
    }
}

/// All tests that start daemons: one after the other, because each takes the whole machine.
@Suite("Whole nodes", .serialized, .tags(.Size.large))
struct WholeNodes {}
