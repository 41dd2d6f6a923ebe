/// A graph for the eye: layered by how deep its nodes stand, sources at the left.
///
/// What cannot be layered (a cycle, a node that is not there) is drawn all the same.
public struct GraphDrawing: Sendable {
    private let graph: FlowGraph
    private let kinds: [PrimitiveKind?]
    /// For each node the longest way from a node that nothing feeds.
    public let depths: [Int]
    private let links: [(from: Int32, to: Int32, edge: FlowEdge)]

    private let outputsByNode: [String: [BoundaryOutput]]

    public init(_ graph: FlowGraph, registry: PrimitiveRegistry) {
        self.graph = graph
        outputsByNode = Dictionary(grouping: graph.outputs) { $0.port.node }
        kinds = graph.nodes.map { registry.manifest($0.primitive)?.kind }
        var numbers: [String: Int32] = [:]
        for (index, node) in graph.nodes.enumerated() { numbers[node.id] = Int32(index) }
        var links: [(from: Int32, to: Int32, edge: FlowEdge)] = []
        for edge in graph.edges {
            if case .port(let from) = edge.from, let source = numbers[from.node],
                let target = numbers[edge.to.node]
            {
                links.append((source, target, edge))
            }
        }
        self.links = links
        let sorted = TopologicalOrder(
            nodeCount: graph.nodes.count, edges: links.map { (from: $0.from, to: $0.to) })
        var following = [[Int32]](repeating: [], count: graph.nodes.count)
        for link in links { following[Int(link.from)].append(link.to) }
        var depths = [Int](repeating: 0, count: graph.nodes.count)
        for node in sorted.order {
            for target in following[Int(node)] {
                depths[Int(target)] = max(depths[Int(target)], depths[Int(node)] + 1)
            }
        }
        self.depths = depths
    }

    var nodeCount: Int { graph.nodes.count }

    /// The edges as numbers of nodes.
    var pairs: [(from: Int, to: Int)] { links.map { (Int($0.from), Int($0.to)) } }

    func fill(_ node: Int) -> String { Self.colour(kinds[node]) }

    func labels(_ node: Int) -> (id: String, primitive: String) {
        (graph.nodes[node].id, graph.nodes[node].primitive.id)
    }

    /// The boundary outputs that a node gives.
    func outputNames(_ node: Int) -> [String] {
        (outputsByNode[graph.nodes[node].id] ?? []).map(\.name)
    }

    private static func shape(_ kind: PrimitiveKind?) -> String {
        switch kind {
        case .source: "cds"
        case .compute: "box"
        case .trigger: "diamond"
        case .action: "octagon"
        case nil: "plaintext"
        }
    }

    private static func colour(_ kind: PrimitiveKind?) -> String {
        switch kind {
        case .source: "#e3f0fb"
        case .compute: "#f4f4f4"
        case .trigger: "#fdf2d0"
        case .action: "#fbe3e0"
        case nil: "#ffffff"
        }
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            + "\""
    }

    /// The graph in the language of Graphviz.
    public var dot: String {
        var lines = [
            "digraph dataflow {", "  rankdir=LR;", "  node [style=filled, fontname=\"sans-serif\"];",
        ]
        for (index, node) in graph.nodes.enumerated() {
            lines.append(
                "  \(quoted(node.id)) [shape=\(Self.shape(kinds[index])), fillcolor=\"\(Self.colour(kinds[index]))\", "
                    + "label=\(quoted("\(node.id)\n\(node.primitive.id)"))];")
        }
        let layers = Dictionary(grouping: graph.nodes.indices) { depths[$0] }
        for (_, nodes) in layers.sorted(by: { $0.key < $1.key }) where nodes.count > 1 {
            lines.append(
                "  { rank=same; \(nodes.map { quoted(graph.nodes[$0].id) }.joined(separator: "; ")) }")
        }
        for link in links {
            let from = graph.nodes[Int(link.from)].id
            guard case .port(let port) = link.edge.from else { continue }
            lines.append(
                "  \(quoted(from)) -> \(quoted(link.edge.to.node)) [taillabel=\(quoted(port.port)), "
                    + "headlabel=\(quoted(link.edge.to.port)), fontsize=9];")
        }
        for output in graph.outputs {
            let name = quoted("output \(output.name)")
            lines.append("  \(name) [shape=plaintext, style=\"\", label=\(quoted(output.name))];")
            lines.append("  \(quoted(output.port.node)) -> \(name) [style=dashed];")
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }
}
