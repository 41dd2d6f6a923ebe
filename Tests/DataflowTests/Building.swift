import Dataflow
import MeshCore

/// Nodes and edges in short.
struct Building {
    var nodes: [FlowNode] = []
    var edges: [FlowEdge] = []
    var outputs: [BoundaryOutput] = []

    mutating func node(
        _ id: String, _ primitive: String, _ parameters: [String: ParameterValue] = [:],
        _ inputs: [String: String] = [:]
    ) {
        nodes.append(
            FlowNode(
                id, PrimitiveReference(id: primitive),
                parameters: parameters.map { ParameterBinding($0.key, $0.value) }))
        for (port, from) in inputs { edges.append(FlowEdge(Self.port(from), NodePort(id, port))) }
    }

    mutating func output(_ name: String, _ port: String) {
        outputs.append(BoundaryOutput(name, Self.port(port)))
    }

    static func port(_ text: String) -> NodePort {
        let parts = text.split(separator: ".").map(String.init)
        return NodePort(parts[0], parts[1])
    }

    var graph: FlowGraph { FlowGraph(nodes: nodes, edges: edges, outputs: outputs) }

    func prepared(_ registry: PrimitiveRegistry = .standard()) throws -> PreparedGraph {
        try PreparedGraph(graph, registry: registry)
    }

    /// Three is more than one, which is acknowledged.
    static var reference: Building {
        var it = Building()
        it.node("a", "number_source", ["value": .number(3)])
        it.node("b", "number_source", ["value": .number(1)])
        it.node("gt", "gt", [:], ["a": "a.value", "b": "b.value"])
        it.node("emit", "emit_if_true", [:], ["input": "gt.result"])
        it.node("act", "ack_action", [:], ["event": "emit.event"])
        it.output("action_outcome", "act.outcome")
        return it
    }

    /// `price` read from a file's size, over 10, behind `middle`, to a command.
    static func watched(_ middle: String = "emit_if_true") -> Building {
        var it = Building()
        it.node("file", "file", ["path": .text("prices")])
        it.node("ten", "const_number", ["value": .number(10)])
        it.node("above", "gt", [:], ["a": "file.size", "b": "ten.value"])
        if middle == "crossover" {
            it.node("size", "negate", [:], ["value": "file.size"])
            it.node("price", "negate", [:], ["value": "size.result"])
            it.node("when", "crossover", [:], ["a": "price.result", "b": "ten.value"])
        } else if middle == "debounce" {
            it.node("when", "debounce", ["passes": .int(2)], ["input": "above.result"])
        } else {
            it.node("raw", "emit_if_true", [:], ["input": "above.result"])
            it.node(
                "when", middle == "emit_if_true" ? "once" : middle,
                middle == "count" ? ["every": .int(3)] : [:], ["event": "raw.event"])
            if middle == "emit_if_true" {
                it.nodes.removeAll { $0.id == "when" }
                it.edges.removeAll { $0.to.node == "when" }
                it.node("both", "and", [:], ["a": "above.result", "b": "above.result"])
                it.node("when", "emit_if_true", [:], ["input": "both.result"])
            }
        }
        it.node("call", "webhook", ["url": .text("https://example.org/hook")], ["event": "when.event"])
        it.output("event", "when.event")
        it.output("outcome", "call.outcome")
        return it
    }

    static func size(_ value: Double) -> PassInputs {
        PassInputs([
            Reading(
                node: "file",
                [
                    PortValue("text", .string("")), PortValue("numbers", .series([value])),
                    PortValue("size", .number(value)), PortValue("exists", .bool(true)),
                ])
        ])
    }
}
