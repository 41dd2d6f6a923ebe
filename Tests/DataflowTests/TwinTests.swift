import Dataflow
import MeshCore
import MeshTestSupport
import Testing

@Suite("The engine and a naive twin agree", .tags(.Size.small))
struct TwinTests {
    @Test("10,000 random valid graphs give what evaluation by definition gives, pass after pass")
    func random() throws {
        let registry = PrimitiveRegistry.standard()
        var (nodes, emitted, acted, stateful) = (0, 0, 0, 0)
        for seed in Seed.sample(10_000) {
            var random = RandomGraph(seed.generator)
            let graph = random.graph(3 + Int(seed.rawValue % 17), of: RandomGraph.inner)
            guard let prepared = try? PreparedGraph(graph, registry: registry) else {
                Issue.record("\(seed.testDescription): \(GraphValidator.allFaults(graph, registry))")
                continue
            }
            var twin = NaiveTwin(graph)
            var state = prepared.initialState()
            nodes += graph.nodes.count
            stateful += prepared.isStateful ? 1 : 0
            for pass in 0..<3 {
                let report = prepared.run(state: &state)
                let wanted = twin.pass()
                if twin.evaluations.count != graph.nodes.count || report.outputs.count != wanted.count {
                    Issue.record("\(seed.testDescription): not every node and output was evaluated")
                }
                for output in report.outputs where output.value != wanted[output.name] {
                    Issue.record(
                        "\(seed.testDescription) pass \(pass): \(output) \(String(describing: wanted[output.name]))"
                    )
                }
                emitted += report.outputs.count { $0.value == .event(.emitted) }
                acted += report.acknowledgements.count { $0.outcome == .filled }
            }
        }
        // One seed alone need not have all of these.
        if Seed.sample(2).count == 2 {
            #expect(nodes > 100_000 && emitted > 1_000 && acted > 1_000 && stateful > 1_000)
        }
    }

    @Test(
        "the order is that of always taking the lowest id whose dependencies are done",
        arguments: Seed.sample(100))
    func order(_ seed: Seed) throws {
        var random = RandomGraph(seed.generator)
        let graph = random.graph(60, of: RandomGraph.inner)
        var left = graph.nodes.map(\.id).sorted()
        var wanted: [String] = []
        while !left.isEmpty {
            let waiting = Set(
                graph.edges.compactMap { edge -> String? in
                    guard case .port(let from) = edge.from, left.contains(from.node) else { return nil }
                    return edge.to.node
                })
            let next = try #require(left.first { !waiting.contains($0) })
            left.removeAll { $0 == next }
            wanted.append(next)
        }
        let actions = Set(graph.nodes.filter { $0.primitive.id.hasSuffix("_action") }.map(\.id))
        let order = try PreparedGraph(graph, registry: .standard()).order
        // Constants are in it too; actions come behind, in an order of their own.
        #expect(order.filter { !actions.contains($0) } == wanted.filter { !actions.contains($0) })
        #expect(Set(order.suffix(actions.count)) == actions)
    }

    @Test("a chain of 100,000 nodes is validated, run and drawn without recursion")
    func deep() throws {
        let faults = onStack(512) {
            var nodes = [FlowNode("n0", PrimitiveReference(id: "number_source"))]
            var edges: [FlowEdge] = []
            for index in 1..<100_000 {
                nodes.append(FlowNode("n\(index)", PrimitiveReference(id: "negate")))
                edges.append(
                    FlowEdge(
                        NodePort("n\(index - 1)", index == 1 ? "value" : "result"),
                        NodePort("n\(index)", "value")))
            }
            let graph = FlowGraph(
                nodes: nodes, edges: edges, outputs: [BoundaryOutput("end", NodePort("n99999", "result"))])
            guard let prepared = try? PreparedGraph(graph, registry: .standard()) else { return ["refused"] }
            var state = prepared.initialState()
            guard prepared.run(state: &state)["end"] == .number(-0.0) else { return ["wrong"] }
            let drawing = GraphDrawing(graph, registry: .standard())
            guard drawing.depths.max() == 99_999 else { return ["depth"] }
            let ring = FlowGraph(
                nodes: nodes.dropFirst(),
                edges: edges.dropFirst() + [FlowEdge(NodePort("n99999", "result"), NodePort("n1", "value"))],
                outputs: [])
            guard case .cycleDetected(let cycle) = GraphValidator.firstFault(ring, .standard()) else {
                return ["no cycle"]
            }
            return cycle.count == 99_999 ? [] : ["a cycle of \(cycle.count)"]
        }
        #expect(faults == [])
    }
}

extension FlowGraph {
    init(nodes: some Sequence<FlowNode>, edges: some Sequence<FlowEdge>, outputs: [BoundaryOutput]) {
        self.init(nodes: Array(nodes), edges: Array(edges), outputs: outputs, externalInputs: [])
    }
}
