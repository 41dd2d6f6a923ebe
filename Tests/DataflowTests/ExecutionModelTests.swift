import Dataflow
import MeshCore
import MeshTestSupport
import Testing

/// One test for each sentence of the execution model that can be tested, by its section; `Sentences.md` has the table.
@Suite("The execution model, sentence by sentence", .tags(.Size.small))
struct ExecutionModelTests {
    @Test("§1 a pass has a start and an end, and is a function of its snapshot of inputs")
    func snapshot() throws {
        let graph = try Building.watched().prepared()
        var (one, two) = (graph.initialState(), graph.initialState())
        #expect(graph.run(Building.size(11), state: &one)["event"] == .event(.emitted))
        #expect(graph.run(Building.size(9), state: &one)["event"] == .event(.notEmitted))
        #expect(graph.run(Building.size(9), state: &two)["event"] == .event(.notEmitted))
        // Without what a source reads there is no pass.
        let report = graph.run(state: &two)
        #expect(report.failure?.node == "file" && report.outputs.isEmpty && report.acknowledgements.isEmpty)
    }

    /// Counts how often each of its primitives is evaluated, through a number that the trigger keeps.
    @Test("§1 every node is evaluated at most once in a pass, however many depend on it")
    func once() throws {
        var registry = PrimitiveRegistry.standard()
        let counting = PrimitiveManifest(
            "counting", kind: .trigger, inputs: [InputPort("input", .bool)],
            outputs: [OutputPort("event", .event)], stateCount: 1)
        try registry.register(
            counting,
            .function { _, _, state in
                state[0] += 1
                return [.event(state[0] == 1 ? .emitted : .notEmitted)]
            })
        var it = Building.reference
        it.node("c", "counting", [:], ["input": "gt.result"])
        for index in 0..<5 { it.node("act\(index)", "ack_action", [:], ["event": "c.event"]) }
        it.output("c", "c.event")
        let graph = try it.prepared(registry)
        #expect(Set(graph.order).count == graph.order.count && graph.order.count == it.nodes.count)
        var state = graph.initialState()
        let report = graph.run(state: &state)
        #expect(report["c"] == .event(.emitted))
        #expect(report.acknowledgements.count == 6)
        #expect(graph.run(state: &state)["c"] == .event(.notEmitted))
    }

    @Test("§1 no node sees what an action of the same pass does")
    func effects() throws {
        var it = Building.watched()
        it.node("later", "negate", [:], ["value": "file.size"])
        it.output("seen", "later.result")
        let graph = try it.prepared()
        var state = graph.initialState()
        var world = 11.0
        let report = graph.run(Building.size(world), state: &state) { _ in
            world = 5
            return .outcome(.attempted)
        }
        #expect(world == 5 && report["seen"] == .number(-11))
        #expect(graph.order.last == "call")
    }

    @Test("§2 a cycle is refused, and printed")
    func cycles() {
        var it = Building()
        it.node("p", "not", [:], ["value": "q.result"])
        it.node("q", "not", [:], ["value": "p.result"])
        let fault = GraphValidator.firstFault(it.graph, .standard())
        #expect(fault == .cycleDetected(["p", "q"]))
        #expect(fault?.description.contains("p → q → p") == true)
    }

    @Test("§2 every dependency is resolved before anything is evaluated")
    func resolved() {
        for from in ["ghost.value", "a.ghost"] {
            var it = Building.reference
            it.node("s", "negate", [:], ["value": from])
            #expect(throws: GraphError.self) { try it.prepared() }
        }
    }

    @Test("§2 §3 nodes come in topological order, those that are ready by their ids")
    func order() throws {
        var it = Building()
        it.node("z", "number_source")
        it.node("a", "negate", [:], ["value": "z.value"])
        it.node("m", "number_source")
        it.node("b", "add", [:], ["a": "a.result", "b": "m.value"])
        #expect(try it.prepared().order == ["m", "z", "a", "b"])
    }

    @Test("§2 edges against the wiring rules are refused, between all sixteen pairs of kinds")
    func wiring() {
        let samples = [
            (PrimitiveKind.source, "boolean_source", "value"), (.compute, "not", "result"),
            (.trigger, "emit_if_true", "event"), (.action, "ack_action", "outcome"),
        ]
        for (from, source, output) in samples {
            for (to, target, _) in samples {
                var it = Building.reference
                let port = [
                    "boolean_source": "x", "not": "value", "emit_if_true": "input", "ack_action": "event",
                ]
                it.node("s", source, [:], [:])
                it.node("t", target, [:], [port[target] ?? "": "s.\(output)"])
                let wired = GraphValidator.firstFault(it.graph, .standard())
                var isRefused = false
                if case .invalidEdgeKind("s", from, "t", to) = wired { isRefused = true }
                #expect(isRefused == !from.mayFeed(to), "\(from) \(to)")
            }
        }
    }

    @Test("§3 kinds are no phases: a compute may come behind a trigger that it does not depend on")
    func interleaving() throws {
        var it = Building.reference
        it.node("zz", "negate", [:], ["value": "a.value"])
        let order = try it.prepared().order
        let (trigger, compute) = (order.firstIndex(of: "emit"), order.firstIndex(of: "zz"))
        #expect(try #require(trigger) < #require(compute))
    }

    @Test("§4 events are values: they stand at outputs and go from trigger to trigger")
    func events() throws {
        var it = Building.reference
        it.node("again", "once", [:], ["event": "emit.event"])
        it.output("first", "emit.event")
        it.output("second", "again.event")
        let graph = try it.prepared()
        var state = graph.initialState()
        let report = graph.run(state: &state)
        #expect(report["first"] == .event(.emitted) && report["second"] == .event(.emitted))
    }

    @Test("§4 an event lives for one pass: what was emitted is not seen by the next")
    func noQueue() throws {
        let graph = try Building.watched().prepared()
        var state = graph.initialState()
        #expect(graph.run(Building.size(11), state: &state)["event"] == .event(.emitted))
        let next = graph.run(Building.size(1), state: &state)
        #expect(next["event"] == .event(.notEmitted) && next["outcome"] == .event(.skipped))
    }

    @Test("§4 triggers take values and events and give an event")
    func triggers() {
        for manifest in PrimitiveRegistry.standard().manifests where manifest.kind == .trigger {
            #expect(manifest.outputs.map(\.type) == [.event], "\(manifest.id)")
        }
    }

    @Test("§4 §6 actions take events, are terminal, and nothing can be wired behind them")
    func terminal() {
        var it = Building.reference
        it.node("after", "once", [:], ["event": "act.outcome"])
        #expect(
            GraphValidator.firstFault(it.graph, .standard())
                == .invalidEdgeKind(from: "act", .action, to: "after", .trigger))
    }

    private func events(_ middle: String, _ sizes: [Double], resetBefore: Int? = nil) throws -> [Bool] {
        let graph = try Building.watched(middle).prepared()
        var state = graph.initialState()
        return sizes.enumerated().map { index, size in
            if index == resetBefore { state.reset() }
            return graph.run(Building.size(size), state: &state)["event"] == .event(.emitted)
        }
    }

    @Test("§5 triggers hold state from pass to pass: crossover, once, debounce and count")
    func state() throws {
        #expect(
            try events("crossover", [9, 11, 12, 10, 11, 9, 11]) == [
                false, true, false, false, false, false, true,
            ])
        #expect(try events("crossover", [9, .nan, 11]) == [false, false, true])
        #expect(try events("once", [9, 11, 12, 9, 11]) == [false, true, false, false, false])
        #expect(try events("debounce", [11, 11, 11, 9, 11, 11]) == [false, true, false, false, false, true])
        #expect(
            try events("count", [11, 9, 11, 11, 11, 11, 11]) == [
                false, false, false, true, false, false, true,
            ])
    }

    @Test("§5 state belongs to a lifecycle: two runs of one graph share none")
    func scoped() throws {
        let graph = try Building.watched("once").prepared()
        var (one, two) = (graph.initialState(), graph.initialState())
        #expect(graph.run(Building.size(11), state: &one)["event"] == .event(.emitted))
        #expect(graph.run(Building.size(11), state: &two)["event"] == .event(.emitted))
        #expect(graph.run(Building.size(11), state: &one)["event"] == .event(.notEmitted))
    }

    @Test("§5 state is reset at the boundaries that the orchestrator sets, and nowhere else")
    func reset() throws {
        #expect(try events("once", [11, 11, 11, 11], resetBefore: 2) == [true, false, true, false])
        #expect(try events("crossover", [9, 11], resetBefore: 1) == [false, false])
    }

    @Test("§5 triggers may be chained, and a cycle of triggers is refused")
    func chains() {
        var it = Building.reference
        it.node("t1", "once", [:], ["event": "t2.event"])
        it.node("t2", "once", [:], ["event": "t1.event"])
        #expect(GraphValidator.firstFault(it.graph, .standard()) == .cycleDetected(["t1", "t2"]))
        var chain = Building.reference
        chain.node("t1", "once", [:], ["event": "emit.event"])
        chain.node("t2", "count", ["every": .int(2)], ["event": "t1.event"])
        #expect(GraphValidator.firstFault(chain.graph, .standard()) == nil)
    }

    @Test("§5 state can be rebuilt from the inputs since the last reset")
    func rebuilt() throws {
        let graph = try Building.watched("count").prepared()
        let sizes = [11.0, 12, 9, 13, 14]
        var state = graph.initialState()
        for size in [1.0, 99, 99] { _ = graph.run(Building.size(size), state: &state) }
        state.reset()
        for size in sizes { _ = graph.run(Building.size(size), state: &state) }
        var again = graph.initialState()
        again.reset()
        for size in sizes { _ = graph.run(Building.size(size), state: &again) }
        #expect(state == again && state.lifecycle == 1)
        #expect(state != graph.initialState())
    }

    @Test("§5 a pass whose nodes cannot all be evaluated leaves the state as it was")
    func unchanged() throws {
        let graph = try Building.watched("once").prepared()
        var state = graph.initialState()
        let failing = PassInputs([
            Reading(node: "file", .failure(PrimitiveFailure(.networkTimeout, "no answer")))
        ])
        #expect(graph.run(failing, state: &state).failure?.failure.errorClass == .networkTimeout)
        #expect(state == graph.initialState())
    }

    /// Two chains of triggers; the action behind the longer one has the lower id.
    private func twoActions() throws -> PreparedGraph {
        var it = Building.reference
        it.nodes.removeAll { $0.id == "act" }
        it.edges.removeAll { $0.to.node == "act" }
        it.outputs = []
        it.node("second", "once", [:], ["event": "emit.event"])
        it.node("x1", "webhook", ["url": .text("https://one.example")], ["event": "second.event"])
        it.node("x2", "webhook", ["url": .text("https://two.example")], ["event": "emit.event"])
        it.node("x3", "append_file", ["path": .text("log"), "line": .text("l")], ["event": "second.event"])
        it.output("o1", "x1.outcome")
        it.output("o2", "x2.outcome")
        it.output("o3", "x3.outcome")
        return try it.prepared()
    }

    @Test("§6 an action is executed at most once in a pass, though several events reach it")
    func atMostOnce() throws {
        var it = Building.watched()
        it.node("more", "emit_if_true", [:], ["input": "above.result"])
        it.edges.append(FlowEdge(NodePort("more", "event"), NodePort("call", "event")))
        let graph = try it.prepared()
        var state = graph.initialState()
        var calls = 0
        _ = graph.run(Building.size(11), state: &state) { _ in
            calls += 1
            return .outcome(.filled)
        }
        #expect(calls == 1)
    }

    @Test("§6 an action with state is refused by the registry")
    func stateless() {
        var registry = PrimitiveRegistry()
        let manifest = RegistryTests.changed(RegistryTests.action) { $0.stateCount = 1 }
        let error = #expect(throws: RegistryError.self) { try registry.register(manifest, .adapter) }
        #expect(error?.code == .stateNotAllowed)
    }

    @Test("§6 each action leaves an acknowledgement in the report, and no later pass depends on it")
    func acknowledged() throws {
        let graph = try Building.watched().prepared()
        var (one, two) = (graph.initialState(), graph.initialState())
        let filled = graph.run(Building.size(11), state: &one) { _ in .outcome(.filled) }
        let rejected = graph.run(Building.size(11), state: &two) { _ in .outcome(.rejected) }
        #expect(filled.acknowledgements == [Acknowledgement(node: "call", outcome: .filled)])
        #expect(rejected.acknowledgements == [Acknowledgement(node: "call", outcome: .rejected)])
        #expect(one == two)
        #expect(graph.run(Building.size(12), state: &one) == graph.run(Building.size(12), state: &two))
    }

    @Test("§7 a graph with any fault has no pass, so no action of it is executed")
    func validatedFirst() {
        var it = Building.reference
        it.node("far", "negate")
        #expect(throws: GraphError(faults: [.missingRequiredInput(node: "far", input: "value")])) {
            try it.prepared()
        }
    }

    @Test("§7 a node that fails keeps every action from being executed")
    func nodeFails() throws {
        let graph = try Building.watched().prepared()
        var state = graph.initialState()
        let readings = PassInputs([Reading(node: "file", [PortValue("size", .number(11))])])
        let report = graph.run(readings, state: &state) { _ in .outcome(.filled) }
        #expect(report.failure?.failure.errorClass == .validationFailed)
        #expect(report.commands == [] && report.acknowledgements == [])
    }

    @Test("§7 actions are executed one after another in the order of their triggers, then of their ids")
    func actionOrder() throws {
        let graph = try twoActions()
        var state = graph.initialState()
        var done: [String] = []
        _ = graph.run(state: &state) { command in
            done.append(command.node)
            return .outcome(.attempted)
        }
        #expect(done == ["x2", "x1", "x3"])
    }

    @Test("§7 an action that fails aborts those behind it, and none is tried again in the pass")
    func aborts() throws {
        let graph = try twoActions()
        var state = graph.initialState()
        var done: [String] = []
        let report = graph.run(state: &state) { command in
            done.append(command.node)
            return command.node == "x1" ? .failure(PrimitiveFailure(.runtimeError, "no")) : .outcome(.filled)
        }
        #expect(done == ["x2", "x1"])
        #expect(report["o1"] == .event(.failed) && report["o2"] == .event(.filled))
        #expect(report["o3"] == .event(.cancelled))
        #expect(report.failure?.node == "x1" && report.acknowledgements.count == 3)
    }

    @Test("§8 the same inputs and state give the same bytes")
    func deterministic() throws {
        let graph = try Building.watched("crossover").prepared()
        var (one, two) = (graph.initialState(), graph.initialState())
        for size in [9.0, 11, 10, .nan, -.infinity, 11] {
            let reports = (
                graph.run(Building.size(size), state: &one), graph.run(Building.size(size), state: &two)
            )
            #expect(reports.0.json == reports.1.json)
        }
    }

    /// Gives another number at each call, which no primitive may.
    private final class Leak: @unchecked Sendable {
        // Used by the one thread of its test.
        var count = 0.0
    }

    @Test("§8 a primitive with chance or state of its own is caught by running a pass twice")
    func caught() throws {
        var registry = PrimitiveRegistry.standard()
        let leak = Leak()
        try registry.register(
            RegistryTests.changed(RegistryTests.compute) { $0.id = "leaky" },
            .function { _, _, _ in
                leak.count += 1
                return [.number(leak.count)]
            })
        var it = Building.reference
        it.node("leak", "leaky", [:], ["a": "a.value"])
        it.node("after", "negate", [:], ["value": "leak.v"])
        let graph = try it.prepared(registry)
        #expect(graph.nondeterministicPort(state: graph.initialState()) == NodePort("leak", "v"))
        let honest = try Building.reference.prepared()
        #expect(honest.nondeterministicPort(state: honest.initialState()) == nil)
    }

    @Test("§8 what comes from outside is captured before the pass, and is all that it depends on")
    func boundary() throws {
        let graph = try Building.watched().prepared()
        #expect(graph.reads.map(\.node) == ["file"])
        #expect(graph.reads.first?.text("path") == "prices")
        var state = graph.initialState()
        let report = graph.run(Building.size(11), state: &state)
        #expect(report.commands.map(\.node) == ["call"])
    }

    @Test("§8 an action's command follows from its events and parameters alone")
    func commands() throws {
        let graph = try Building.watched().prepared()
        var state = graph.initialState()
        let commands = [11.0, 400].map { graph.run(Building.size($0), state: &state).commands }
        #expect(commands[0] == commands[1] && commands[0].first?.text("url") == "https://example.org/hook")
        #expect(graph.run(Building.size(1), state: &state).commands == [])
    }

    @Test("§9 an outcome reaches a graph only through what a source reads in a later pass")
    func feedback() throws {
        let graph = try Building.watched("crossover").prepared()
        var state = graph.initialState()
        var world = 9.0
        var calls: [Int] = []
        for pass in 0..<4 {
            _ = graph.run(Building.size(world), state: &state) { _ in
                calls.append(pass)
                world = 5
                return .outcome(.filled)
            }
            if pass == 0 || pass == 2 { world = 12 }
        }
        #expect(calls == [1, 3])
    }
}
