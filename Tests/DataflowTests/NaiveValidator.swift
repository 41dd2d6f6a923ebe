import Dataflow

/// Says by definition what the first fault of a graph is: each stage asks its question of every node and edge.
///
/// It shares the manifests and the fault's type with the validator, and no code.
struct NaiveValidator {
    let graph: FlowGraph
    let registry: PrimitiveRegistry

    private func manifest(_ id: String) -> PrimitiveManifest? {
        graph.nodes.first { $0.id == id }.flatMap { registry.manifest($0.primitive) }
    }

    private var wires: [(from: NodePort, to: NodePort)] {
        graph.edges.compactMap { edge in
            if case .port(let from) = edge.from { (from, edge.to) } else { nil }
        }
    }

    /// All that `id` depends on, by asking again and again until nothing is new.
    private func dependencies(_ id: String) -> Set<String> {
        var found: Set<String> = []
        while true {
            let more = Set(wires.filter { $0.to.node == id || found.contains($0.to.node) }.map(\.from.node))
            if more.isSubset(of: found) { return found }
            found.formUnion(more)
        }
    }

    /// The code of the first fault and the node that it names, where it names one.
    var firstFault: String? {
        let ids = graph.nodes.map(\.id)
        if ids.contains(where: { id in ids.count { $0 == id } > 1 }) { return "dataflow.duplicate-node" }
        for (index, edge) in graph.edges.enumerated() where graph.edges[..<index].contains(edge) {
            return "dataflow.duplicate-edge"
        }
        for node in graph.nodes where registry.manifest(node.primitive) == nil {
            return "dataflow.missing-primitive \(node.id)"
        }
        for edge in graph.edges {
            if case .external(let name) = edge.from { return "dataflow.external-input-not-allowed \(name)" }
        }
        for wire in wires {
            for node in [wire.from.node, wire.to.node] where !ids.contains(node) {
                return "dataflow.unknown-node \(node)"
            }
        }
        if ids.contains(where: { dependencies($0).contains($0) }) { return "dataflow.cycle-detected" }
        for wire in wires {
            if let from = manifest(wire.from.node), let to = manifest(wire.to.node),
                !from.kind.mayFeed(to.kind)
            {
                return "dataflow.invalid-edge-kind \(wire.from.node) \(wire.to.node)"
            }
        }
        for node in graph.nodes {
            for input in manifest(node.id)?.inputs ?? [] where input.isRequired {
                if !wires.contains(where: { $0.to == NodePort(node.id, input.name) }) {
                    return "dataflow.missing-required-input \(node.id).\(input.name)"
                }
            }
        }
        for wire in wires {
            guard let input = manifest(wire.to.node)?.inputs.first(where: { $0.name == wire.to.port }) else {
                return "dataflow.missing-input-metadata \(wire.to)"
            }
            guard let output = manifest(wire.from.node)?.outputs.first(where: { $0.name == wire.from.port })
            else {
                return "dataflow.missing-output-metadata \(wire.from)"
            }
            if input.type != output.type { return "dataflow.type-mismatch \(wire.from) \(wire.to)" }
        }
        for node in graph.nodes where manifest(node.id)?.kind == .action {
            let gates = wires.filter { $0.to.node == node.id && manifest($0.from.node)?.kind == .trigger }
            if gates.isEmpty { return "dataflow.action-not-gated \(node.id)" }
        }
        return nil
    }

    /// A fault in the words of ``firstFault``.
    static func words(_ fault: GraphFault) -> String {
        switch fault {
        case .missingPrimitive(let node, _): "\(fault.code) \(node)"
        case .externalInputNotAllowed(let name): "\(fault.code) \(name)"
        case .unknownNode(let node): "\(fault.code) \(node)"
        case .invalidEdgeKind(let from, _, let to, _): "\(fault.code) \(from) \(to)"
        case .missingRequiredInput(let node, let port), .missingInputMetadata(let node, let port),
            .missingOutputMetadata(let node, let port):
            "\(fault.code) \(node).\(port)"
        case .typeMismatch(let from, let to, _, _): "\(fault.code) \(from) \(to)"
        case .actionNotGated(let node): "\(fault.code) \(node)"
        default: fault.code
        }
    }
}
