import Dataflow

/// Evaluates a graph by definition: each output is asked for and asks for what it depends on.
///
/// It shares nothing with the engine but the graph's own type.
struct NaiveTwin {
    let graph: FlowGraph
    /// What triggers remember, by node.
    var memory: [String: Double] = [:]
    private var known: [String: FlowValue] = [:]
    private(set) var evaluations: [String: Int] = [:]

    private var nodes: [String: FlowNode] = [:]
    private var feeds: [NodePort: [String]] = [:]

    init(_ graph: FlowGraph) {
        self.graph = graph
        for node in graph.nodes { nodes[node.id] = node }
        for edge in graph.edges {
            if case .port(let from) = edge.from { feeds[edge.to, default: []].append(from.node) }
        }
    }

    /// One pass: the boundary outputs by name.
    mutating func pass() -> [String: FlowValue] {
        known = [:]
        evaluations = [:]
        var outputs: [String: FlowValue] = [:]
        for node in graph.nodes { _ = value(node.id) }
        for output in graph.outputs { outputs[output.name] = value(output.port.node) }
        return outputs
    }

    private mutating func input(_ node: String, _ port: String) -> FlowValue? {
        inputs(node, port).first
    }

    private mutating func inputs(_ node: String, _ port: String) -> [FlowValue] {
        var found: [FlowValue] = []
        for from in feeds[NodePort(node, port)] ?? [] { found.append(value(from)) }
        return found
    }

    private mutating func value(_ id: String) -> FlowValue {
        if let value = known[id] { return value }
        let result = evaluate(nodes[id] ?? graph.nodes[0])
        evaluations[id, default: 0] += 1
        known[id] = result
        return result
    }

    private func parameter(_ node: FlowNode, _ name: String) -> ParameterValue? {
        node.parameters.first { $0.name == name }?.value
    }

    private mutating func number(_ node: FlowNode, _ port: String) -> Double {
        if case .number(let value) = input(node.id, port) { return value }
        return .nan
    }

    private mutating func flag(_ node: FlowNode, _ port: String) -> Bool {
        input(node.id, port) == .bool(true)
    }
    private mutating func happened(_ node: FlowNode) -> Bool {
        inputs(node.id, "event").allSatisfy { $0 == .event(.emitted) }
    }

    private func event(_ isEmitted: Bool) -> FlowValue { .event(isEmitted ? .emitted : .notEmitted) }

    private mutating func evaluate(_ node: FlowNode) -> FlowValue {
        switch node.primitive.id {
        case "number_source", "const_number":
            switch parameter(node, "value") {
            case .int(let value): return .number(Double(value))
            case .number(let value): return .number(value)
            default: return .number(0)
            }
        case "boolean_source", "const_bool": return .bool(parameter(node, "value") == .bool(true))
        case "add": return .number(number(node, "a") + number(node, "b"))
        case "subtract": return .number(number(node, "a") - number(node, "b"))
        case "multiply": return .number(number(node, "a") * number(node, "b"))
        case "divide": return .number(number(node, "a") / number(node, "b"))
        case "negate": return .number(-number(node, "value"))
        case "gt": return .bool(number(node, "a") > number(node, "b"))
        case "lt": return .bool(number(node, "a") < number(node, "b"))
        case "eq": return .bool(number(node, "a") == number(node, "b"))
        case "neq": return .bool(number(node, "a") != number(node, "b"))
        case "and":
            let (a, b) = (flag(node, "a"), flag(node, "b"))
            return .bool(a && b)
        case "or":
            let (a, b) = (flag(node, "a"), flag(node, "b"))
            return .bool(a || b)
        case "not": return .bool(!flag(node, "value"))
        case "select":
            let (yes, no) = (number(node, "when_true"), number(node, "when_false"))
            return .number(flag(node, "cond") ? yes : no)
        case "emit_if_true": return event(flag(node, "input"))
        case "ack_action":
            guard happened(node) else { return .event(.skipped) }
            return .event(parameter(node, "accept") == .bool(false) ? .rejected : .filled)
        case "annotate_action": return .event(happened(node) ? .attempted : .skipped)
        default: return trigger(node)
        }
    }

    private mutating func trigger(_ node: FlowNode) -> FlowValue {
        let before = memory[node.id] ?? 0
        switch node.primitive.id {
        case "once":
            let now = happened(node)
            if now { memory[node.id] = 1 }
            return event(now && before == 0)
        case "count":
            guard case .int(let every) = parameter(node, "every") else { return event(false) }
            let seen = before + (happened(node) ? 1 : 0)
            memory[node.id] = seen == Double(every) ? 0 : seen
            return event(seen == Double(every))
        case "debounce":
            var passes = 2.0
            if case .int(let given) = parameter(node, "passes") { passes = Double(given) }
            memory[node.id] = flag(node, "input") ? before + 1 : 0
            return event(memory[node.id] == passes)
        case "crossover":
            let (a, b) = (number(node, "a"), number(node, "b"))
            if a > b {
                memory[node.id] = 1
                return event(before == -1 && parameter(node, "direction") != .text("down"))
            }
            if a < b {
                memory[node.id] = -1
                let ways: [ParameterValue?] = [.text("down"), .text("either")]
                return event(before == 1 && ways.contains(parameter(node, "direction")))
            }
            return event(false)
        default: return .event(.failed)
        }
    }
}
