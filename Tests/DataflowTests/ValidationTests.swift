import Dataflow
import MeshCore
import MeshTestSupport
import Testing

@Suite("Graphs are refused with the decided first fault", .tags(.Size.small))
struct ValidationTests {
    private static let gateless = PrimitiveManifest(
        "loose", kind: .action, inputs: [InputPort("event", .event, isRequired: false)],
        outputs: [OutputPort("outcome", .event)])

    /// The standard primitives, and an action that takes its event or leaves it.
    private static var registry: PrimitiveRegistry {
        get throws {
            var registry = PrimitiveRegistry.standard()
            try registry.register(gateless, .adapter)
            return registry
        }
    }

    private func first(_ change: (inout Building) -> Void) throws -> GraphFault? {
        var building = Building.reference
        change(&building)
        return GraphValidator.firstFault(building.graph, try Self.registry)
    }

    @Test("the reference graph is valid, and each of the ten faults is found in a spoilt copy of it")
    func ten() throws {
        #expect(try first { _ in } == nil)
        #expect(
            try first { $0.node("z", "nothing") }
                == .missingPrimitive(node: "z", PrimitiveReference(id: "nothing")))
        #expect(
            try first { $0.edges.append(FlowEdge(from: .external("x"), to: NodePort("gt", "a"))) }
                == .externalInputNotAllowed(name: "x"))
        #expect(
            try first { $0.edges.append(FlowEdge(NodePort("ghost", "v"), NodePort("gt", "a"))) }
                == .unknownNode("ghost"))
        #expect(try first { $0.output("x", "ghost.value") } == .unknownNode("ghost"))
        #expect(
            try first {
                $0.node("n1", "not", [:], ["value": "n2.result"])
                $0.node("n2", "not", [:], ["value": "n3.result"])
                $0.node("n3", "not", [:], ["value": "n1.result"])
            } == .cycleDetected(["n1", "n3", "n2"]))
        #expect(
            try first { $0.node("t", "emit_if_true", [:], ["input": "a.value"]) }
                == .invalidEdgeKind(from: "a", .source, to: "t", .trigger))
        #expect(
            try first { $0.node("s", "add", [:], ["a": "a.value"]) }
                == .missingRequiredInput(node: "s", input: "b"))
        #expect(
            try first { $0.node("s", "negate", [:], ["value": "a.value", "other": "a.value"]) }
                == .missingInputMetadata(node: "s", input: "other"))
        #expect(
            try first { $0.node("s", "negate", [:], ["value": "a.other"]) }
                == .missingOutputMetadata(node: "a", output: "other"))
        #expect(
            try first { $0.output("x", "a.other") } == .missingOutputMetadata(node: "a", output: "other"))
        #expect(
            try first { $0.node("s", "not", [:], ["value": "a.value"]) }
                == .typeMismatch(
                    from: NodePort("a", "value"), to: NodePort("s", "value"), expected: .bool, got: .number))
        #expect(try first { $0.node("s", "loose") } == .actionNotGated("s"))
    }

    @Test("what stands before and behind the ten is found too")
    func others() throws {
        #expect(try first { $0.nodes.append($0.nodes[0]) } == .duplicateNode("a"))
        #expect(
            try first { $0.edges.append(FlowEdge(NodePort("a", "value"), NodePort("gt", "a"))) }
                == .duplicateEdge(from: "a.value", to: NodePort("gt", "a")))
        #expect(try first { $0.output("action_outcome", "a.value") } == .duplicateOutput("action_outcome"))
        #expect(try first { $0.node("ä", "number_source") } == .badName("ä"))
        #expect(
            try first { $0.edges.append(FlowEdge(NodePort("b", "value"), NodePort("gt", "a"))) }
                == .inputWiredTwice(node: "gt", input: "a"))
        for value in [Double.nan, .infinity, -.infinity] {
            #expect(
                try first { $0.node("s", "number_source", ["value": .number(value)]) }
                    == .parameterNotFinite(node: "s", parameter: "value"))
        }
        #expect(
            try first { $0.node("s", "number_source", ["val": .int(1)]) }
                == .unknownParameter(node: "s", parameter: "val"))
        #expect(
            try first { $0.node("s", "number_source", ["value": .bool(true)]) }
                == .parameterType(node: "s", parameter: "value", expected: .number, got: "true or false"))
        #expect(
            try first { $0.node("s", "const_number") } == .missingParameter(node: "s", parameter: "value"))
        #expect(try first { $0.node("s", "number_source", ["value": .int(1)]) } == nil)
        for (id, parameter, value) in [
            ("debounce", "passes", ParameterValue.int(0)), ("crossover", "direction", .text("sideways")),
        ] {
            let inputs = id == "debounce" ? ["input": "gt.result"] : ["a": "n.result", "b": "n.result"]
            let fault = try first {
                $0.node("n", "negate", [:], ["value": "a.value"])
                $0.node("s", id, [parameter: value], inputs)
            }
            guard case .parameterOutOfBounds("s", parameter, _) = fault else {
                Issue.record("\(String(describing: fault))")
                continue
            }
        }
    }

    @Test("a graph that asks for triggers without state finds no others")
    func stateless() throws {
        let graph = Building.watched("once").graph
        #expect(GraphValidator.firstFault(graph, .standard()) == nil)
        let asking = FlowGraph(
            nodes: graph.nodes, edges: graph.edges, outputs: graph.outputs, asksForStatelessTriggers: true)
        #expect(
            GraphValidator.firstFault(asking, .standard())
                == .missingPrimitive(node: "when", PrimitiveReference(id: "once")))
        #expect(asking.cid != graph.cid)
    }

    @Test("all faults are listed, the deciding one first, and no more than there may be")
    func listed() throws {
        var building = Building.reference
        building.node("z", "nothing")
        building.node("y", "negate")
        building.node("x", "negate", [:], ["value": "ghost.v"])
        building.node("w", "number_source", ["value": .number(.nan)])
        let graph = building.graph
        let faults = GraphValidator.allFaults(graph, .standard())
        #expect(
            faults.map(\.code) == [
                "dataflow.missing-primitive", "dataflow.unknown-node", "dataflow.missing-required-input",
                "dataflow.missing-required-input", "dataflow.parameter-not-finite",
            ])
        #expect(faults.first == GraphValidator.firstFault(graph, .standard()))
        for index in 0..<3_000 { building.node("m\(index)", "nothing") }
        #expect(GraphValidator.allFaults(building.graph, .standard()).count == GraphLimits.faultsMax)
    }

    @Test("random spoilt graphs have the first fault that a naive validator gives")
    func random() throws {
        let registry = try Self.registry
        var codes: [String: Int] = [:]
        for seed in Seed.sample(3_000) {
            var random = RandomGraph(seed.generator)
            let good = random.graph(8, of: RandomGraph.inner)
            var (nodes, edges, outputs) = (good.nodes, good.edges, good.outputs)
            for _ in 0...Int.random(in: 0..<2, using: &random.generator) {
                spoil(&nodes, &edges, &random.generator)
            }
            outputs.removeAll()
            let graph = FlowGraph(nodes: nodes, edges: edges, outputs: outputs)
            let fault = GraphValidator.firstFault(graph, registry)
            let wanted = NaiveValidator(graph: graph, registry: registry).firstFault
            let behind = fault.map { $0.code.contains("wired") || $0.code.contains("parameter") }
            // What the naive one does not know of comes behind all that it knows.
            if wanted != (behind == true ? nil : fault.map(NaiveValidator.words)) {
                Issue.record(
                    "\(seed.testDescription): \(String(describing: fault)), wanted \(wanted ?? "none")")
            }
            codes[fault?.code ?? "none", default: 0] += 1
            if case .cycleDetected(let cycle) = fault {
                for (from, to) in zip(cycle, cycle.dropFirst() + cycle.prefix(1)) {
                    let isEdge = graph.edges.contains {
                        if case .port(let origin) = $0.from {
                            origin.node == from && $0.to.node == to
                        } else {
                            false
                        }
                    }
                    #expect(isEdge, "\(seed.testDescription): \(from) does not feed \(to)")
                }
            }
        }
        if Seed.sample(2).count == 2 { #expect(codes.count >= 11, "\(codes)") }
    }

    private func spoil(
        _ nodes: inout [FlowNode], _ edges: inout [FlowEdge], _ generator: inout SeededGenerator
    ) {
        func below(_ bound: Int) -> Int { Int.random(in: 0..<max(bound, 1), using: &generator) }
        let node = nodes[below(nodes.count)].id
        guard !edges.isEmpty else { return }
        let index = below(edges.count)
        let edge = edges[index]
        let ports = ["a", "value", "result", "event", "outcome", "input", "cond"]
        switch below(10) {
        case 0: nodes.append(FlowNode("zz\(below(9))", PrimitiveReference(id: "nothing")))
        case 1: edges[index] = FlowEdge(from: .external("x\(below(3))"), to: edge.to)
        case 2: edges[index] = FlowEdge(NodePort("ghost\(below(3))", "v"), edge.to)
        case 3: edges[index] = FlowEdge(from: edge.from, to: NodePort("ghost\(below(3))", "v"))
        case 4, 5: edges.append(FlowEdge(NodePort(edge.to.node, "result"), NodePort(node, ports[below(7)])))
        case 6: edges.remove(at: index)
        case 7: edges[index] = FlowEdge(from: edge.from, to: NodePort(edge.to.node, "other"))
        case 8: edges[index] = FlowEdge(NodePort(node, ports[below(7)]), edge.to)
        default: nodes.append(FlowNode("loose\(below(9))", PrimitiveReference(id: "loose")))
        }
    }
}
