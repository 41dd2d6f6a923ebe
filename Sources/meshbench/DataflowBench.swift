import Dataflow
import MeshCore

/// Passes of dataflow over prepared graphs.
///
/// Beside a pass stands a bare loop that does the same additions on an array: what is left is the engine's reading of
/// its instructions.
struct DataflowBench: Bench {
    let name = "dataflow"
    let summary = "passes over graphs of 1,000 and 100,000 nodes, beside a bare loop of the same additions"

    func run() throws -> [BenchRow] {
        let small = try Self.prepared(nodes: 1_000)
        let large = try Self.prepared(nodes: 100_000)
        let graph = Self.graph(nodes: 1_000)
        return [
            row(
                "pass over 1,000 nodes, prepared", try pass(small, rounds: 2_000, nodes: 1_000),
                beside: bare(nodes: 1_000, rounds: 20_000), gate: 100),
            row(
                "pass over 100,000 nodes, prepared", try pass(large, rounds: 40, nodes: 100_000),
                beside: bare(nodes: 100_000, rounds: 200), gate: nil),
            row(
                "preparing 1,000 nodes: validated, ordered, laid out",
                try best(rounds: 20) {
                    _ = try PreparedGraph(graph, registry: .standard())
                }, beside: nil, gate: nil),
        ]
    }

    private func row(_ what: String, _ microseconds: Double, beside: Double?, gate: Double?) -> BenchRow {
        BenchRow(
            what: what, ours: microseconds, unit: "µs",
            beside: beside.map { _ in "a bare loop of additions" },
            besideValue: beside, gate: gate, higherIsBetter: false)
    }

    /// One source, and from it a chain of additions in which each node adds the source to the node before.
    private static func graph(nodes: Int) -> FlowGraph {
        var list = [
            FlowNode(
                "source", PrimitiveReference(id: "number_source"),
                parameters: [ParameterBinding("value", .number(1))])
        ]
        var edges: [FlowEdge] = []
        var last = NodePort("source", "value")
        for index in 1..<nodes {
            let id = "n\(index)"
            list.append(FlowNode(id, PrimitiveReference(id: "add")))
            edges.append(FlowEdge(last, NodePort(id, "a")))
            edges.append(FlowEdge(NodePort("source", "value"), NodePort(id, "b")))
            last = NodePort(id, "result")
        }
        return FlowGraph(nodes: list, edges: edges, outputs: [BoundaryOutput("sum", last)])
    }

    private static func prepared(nodes: Int) throws -> PreparedGraph {
        try PreparedGraph(graph(nodes: nodes), registry: .standard())
    }

    private func pass(_ graph: PreparedGraph, rounds: Int, nodes: Int) throws -> Double {
        var state = graph.initialState()
        let report = graph.run(state: &state)
        guard report["sum"] == .number(Double(nodes)) else {
            throw BenchFailure("a pass gives \(String(describing: report["sum"])) for \(nodes) nodes")
        }
        return try best(rounds: 5) {
            for _ in 0..<rounds { _ = graph.run(state: &state) }
        } / Double(rounds)
    }

    private func bare(nodes: Int, rounds: Int) -> Double {
        var values = [Double](repeating: 0, count: nodes)
        var check = 0.0
        let took =
            (try? best(rounds: 5) {
                for round in 0..<rounds {
                    values[0] = Double(round & 1) + 1
                    for index in 1..<nodes { values[index] = values[index - 1] + values[0] }
                    check += values[nodes - 1]
                }
            }) ?? 0
        // Read, so that nothing of it can be left out.
        return check > 0 ? took / Double(rounds) : 0
    }

    /// The shortest of several runs, in microseconds.
    private func best(rounds: Int, _ body: () throws -> Void) throws -> Double {
        let clock = ContinuousClock()
        var best = Duration.seconds(1_000)
        for _ in 0..<rounds {
            let start = clock.now
            try body()
            best = min(best, clock.now - start)
        }
        return Double(best.components.seconds) * 1e6 + Double(best.components.attoseconds) / 1e12
    }
}
