internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let listNodes = CommandEntry(
        Command(
            "list-nodes", "List the nodes of the mesh",
            flags: [
                Flag("label", .pair("K=V"), "Only nodes with this label", repeatable: true),
                Flag("has-language", .text("NAME"), "Only nodes that run this", repeatable: true),
                .identifierOnly,
                .format,
            ], examples: ["meshctl list-nodes", "meshctl list-nodes --has-language wasm --label disk=ssd"])
    ) { context in
        let all: [NodeView] = try context.client().get("/v1/nodes")
        let labels = context.arguments.pairs("label")
        let languages = context.arguments.texts("has-language")
        let nodes = all.filter { node in
            labels.allSatisfy { node.labels[$0.key] == $0.value }
                && languages.allSatisfy(node.languages.contains)
        }
        func size(_ mebibytes: Int?) -> String { mebibytes.map { "\($0) MiB" } ?? "-" }
        context.show(
            nodes, id: \.nodeID,
            columns: [
                ("Node ID", \.nodeID), ("Location", { $0.location ?? "-" }),
                ("Memory", { size($0.memoryMib) }),
                ("CPU", { $0.cpu.map(String.init) ?? "-" }), ("Storage", { size($0.storageMib) }),
                ("Languages", { $0.languages.isEmpty ? "-" : $0.languages.joined(separator: ",") }),
                ("Reputation", { String($0.reputation) }), ("State", \.state),
            ])
        return .done
    }

    static let nodeStatus = CommandEntry(
        Command(
            "status", "Show how the daemon fares", flags: [.format], examples: ["meshctl node status -o json"]
        )
    ) { context in
        let node: NodeStatusView = try context.client().get("/v1/node")
        context.show(node) { lines(of: node) }
        return .done
    }

    private static func lines(of node: NodeStatusView) -> [String] {
        func capacity(_ view: CapacityView) -> String {
            "\(view.cpu) CPU, \(view.memoryMib) MiB memory, \(view.storageMib) MiB storage"
        }
        let federation = node.federation.cid.map { cid in
            "\(node.federation.name ?? "-") \(cid), \(node.federation.threshold ?? 0) of \(node.federation.members ?? 0)"
        }
        let queues = node.queueLengths.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return CommandContext.block([
            ("Name", node.name), ("DID", node.did), ("Version", node.version),
            ("Listening on", node.listenAddress),
            ("Up since", "\(node.uptimeSeconds) s"), ("Peers", String(node.peersConnected)),
            ("Feeds", String(node.frontierFeeds)), ("Capacity", capacity(node.capacityTotal)),
            ("Free", capacity(node.capacityFree)), ("Draining", node.draining ? "yes" : "no"),
            ("Publishing", node.publishingAllowed ? "yes" : "no: \(node.publishingRefusal ?? "-")"),
            ("Federation", federation), ("Store", "\(node.storeBytes) bytes"),
            ("Blobs", "\(node.blobBytes) bytes"),
            ("Engine", node.engine.name.map { "\($0) \(node.engine.version ?? "")" }),
            ("Profile", node.engine.profile),
            ("Queues", queues.isEmpty ? nil : queues.joined(separator: ", ")),
        ])
    }

    static let nodePeers = CommandEntry(
        Command(
            "peers", "List the links to other nodes", flags: [.identifierOnly, .format],
            examples: ["meshctl node peers"])
    ) { context in
        let peers: [PeerView] = try context.client().get("/v1/peers")
        show(peers, context)
        return .done
    }

    private static func show(_ peers: [PeerView], _ context: CommandContext) {
        context.show(
            peers, id: { $0.nodeID ?? $0.did ?? $0.address },
            columns: [
                ("Node ID", { $0.nodeID ?? $0.did ?? "-" }), ("Address", \.address), ("State", \.state),
                ("Direction", \.direction), ("View", { $0.neighbour ? "active" : "-" }),
                ("Score", { String($0.score) }),
                (
                    "Because",
                    {
                        $0.scoreParts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                            separator: " ")
                    }
                ),
                (
                    "Counters",
                    {
                        $0.counters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                            separator: " ")
                    }
                ),
            ])
    }

    static let nodeConnect = CommandEntry(
        Command(
            "connect", "Connect to a node",
            flags: [Flag("did", .text("DID"), "Refuse whoever answers with another identity"), .format],
            operands: [Operand("ADDRESS", "HOST:PORT")], examples: ["meshctl node connect 127.0.0.1:7421"])
    ) { context in
        let request = PeerRequest(
            address: context.arguments.operand("ADDRESS") ?? "", did: context.arguments.text("did"))
        let peer: PeerView = try context.client().post("/v1/peers", request)
        context.show(peer) { ["\(peer.address) is \(peer.state)"] }
        return .done
    }

    static let nodeDrain = CommandEntry(
        Command(
            "drain", "Take no new jobs; what runs goes on",
            flags: [Flag("off", .toggle, "Take jobs again"), .format],
            examples: ["meshctl node drain", "meshctl node drain --off"])
    ) { context in
        let request = DrainRequest(drain: !context.arguments.has("off"))
        let node: NodeStatusView = try context.client().post("/v1/node/drain", request)
        context.show(node) {
            [node.draining ? "\(node.name) takes no new jobs" : "\(node.name) takes jobs"]
        }
        return .done
    }
}
