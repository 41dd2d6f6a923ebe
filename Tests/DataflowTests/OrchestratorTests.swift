import Dataflow
import JSON5
import MeshCore
import MeshTestSupport
import Testing

@Suite("Orchestration decides when passes run", .tags(.Size.small))
struct OrchestratorTests {
    private func event(
        _ id: String, _ time: Int64, _ kind: ExternalEvent.Kind = .dataAvailable
    ) -> ExternalEvent {
        ExternalEvent(id: id, time: Timestamp(milliseconds: time), kind: kind, payload: "payload of \(id)")
    }

    private func orchestrator(
        _ middle: String, _ configuration: OrchestratorConfiguration
    ) throws -> Orchestrator {
        Orchestrator(graph: try Building.watched(middle).prepared(), configuration: configuration)
    }

    private func orchestrator(_ configuration: OrchestratorConfiguration) throws -> Orchestrator {
        try orchestrator("emit_if_true", configuration)
    }

    private struct NotUnderWay: Error {}

    /// What a mutating call gave; a macro cannot hold the call itself.
    private static func some(_ pass: EvaluatedPass?) throws -> EvaluatedPass {
        guard let pass else { throw NotUnderWay() }
        return pass
    }

    /// Runs an attempt's pass over a size and ends it.
    private func run(
        _ machine: inout Orchestrator, _ episode: Int, _ size: Double, at time: Int64,
        _ result: ActionResult = .outcome(.filled)
    ) throws -> [Decision] {
        var pass = try Self.some(machine.evaluate(episode: episode, inputs: Building.size(size)))
        while pass.nextCommand != nil { pass.acknowledge(result) }
        return machine.finish(episode: episode, pass: pass, at: Timestamp(milliseconds: time))
    }

    @Test("the cadence decides which events ask for a pass")
    func cadence() throws {
        for (cadence, wanted) in [
            (Cadence.event, [Decision.Kind.skip, .invoke, .invoke]),
            (.continuous, [.invoke, .skip, .invoke]),
        ] {
            var machine = try orchestrator(.init(cadence: cadence))
            let kinds = ExternalEvent.Kind.allCases.enumerated().flatMap { index, kind in
                machine.receive(event("e\(index)", Int64(index), kind)).map(\.kind)
            }
            #expect(kinds == wanted)
        }
    }

    @Test("an event that was seen before, or is too large, is skipped")
    func seen() throws {
        var machine = try orchestrator(.init())
        #expect(machine.receive(event("a", 1)).map(\.kind) == [.invoke])
        #expect(machine.receive(event("a", 2)).map(\.kind) == [.skip])
        let large = ExternalEvent(
            id: "b", time: Timestamp(milliseconds: 3), kind: .command,
            payload: String(repeating: "x", count: ExternalEvent.payloadMax + 1))
        #expect(machine.receive(large).map(\.kind) == [.skip])
        #expect(machine.capture.events.count == 1)
    }

    @Test("no more passes are under way than may be; what waited begins when one ends")
    func inFlight() throws {
        var machine = try orchestrator(.init(inFlightMax: 2))
        let decisions = (0..<4).flatMap { machine.receive(event("e\($0)", 1)) }
        #expect(decisions.map(\.kind) == [.invoke, .invoke, .defer, .defer])
        #expect(machine.underWay == [0, 1])
        let next = try run(&machine, 0, 11, at: 2)
        #expect(next.map(\.eventID) == ["e2"] && next.map(\.kind) == [.invoke])
        #expect(machine.underWay == [1, 2])
    }

    @Test("a graph with state has one pass under way")
    func stateful() throws {
        var machine = try orchestrator("once", .init(inFlightMax: 5))
        let decisions = (0..<2).flatMap { machine.receive(event("e\($0)", 1)) }
        #expect(decisions.map(\.kind) == [.invoke, .defer])
    }

    @Test("no more passes begin within a window than may; the decision says when one may")
    func window() throws {
        var machine = try orchestrator(.init(perWindowMax: 2, rateWindow: 100))
        let decisions = [0, 10, 20].flatMap { machine.receive(event("e\($0)", $0)) }
        #expect(decisions.map(\.kind) == [.invoke, .invoke, .defer])
        #expect(decisions.last?.scheduleAt == Timestamp(milliseconds: 100))
        #expect(machine.advance(to: Timestamp(milliseconds: 99)) == [])
        #expect(machine.advance(to: Timestamp(milliseconds: 100)).map(\.eventID) == ["e20"])
    }

    @Test("an attempt past its deadline has timed out, and what it gives then counts no more")
    func deadline() throws {
        var machine = try orchestrator("once", .init(deadline: 50))
        #expect(machine.receive(event("a", 0)).first?.deadline == Timestamp(milliseconds: 50))
        let pass = try Self.some(machine.evaluate(episode: 0, inputs: Building.size(11)))
        #expect(machine.advance(to: Timestamp(milliseconds: 51)) == [])
        #expect(machine.capture.decisions.first?.termination == .timedOut)
        #expect(machine.finish(episode: 0, pass: pass, at: Timestamp(milliseconds: 52)) == [])
        #expect(machine.capture.passes.isEmpty)
        // The trigger is as if the late pass had never been.
        _ = machine.receive(event("b", 60))
        _ = try run(&machine, 1, 11, at: 61)
        #expect(machine.capture.passes.last?.report["event"] == .event(.emitted))
    }

    @Test("a failure that may pass is tried again in another pass, from the state before the first")
    func retries() throws {
        var machine = try orchestrator("once", .init(retriesMax: 2))
        _ = machine.receive(event("a", 0))
        let timeout = ActionResult.failure(PrimitiveFailure(.networkTimeout, "no answer"))
        #expect(try run(&machine, 0, 11, at: 1, timeout).map(\.retryCount) == [1])
        #expect(try run(&machine, 1, 11, at: 2, timeout).map(\.retryCount) == [2])
        #expect(try run(&machine, 2, 11, at: 3) == [])
        #expect(
            machine.capture.passes.map { $0.report["outcome"] } == [
                .event(.failed), .event(.failed), .event(.filled),
            ])
        #expect(
            machine.capture.decisions.map(\.termination) == [
                .failed(.networkTimeout), .failed(.networkTimeout), .completed,
            ])
    }

    @Test("only timeouts, unavailable adapters and runtime errors are tried again")
    func classes() throws {
        for errorClass in ErrorClass.allCases {
            var machine = try orchestrator(.init(retriesMax: 1))
            _ = machine.receive(event("a", 0))
            let next = try run(&machine, 0, 11, at: 1, .failure(PrimitiveFailure(errorClass, "no")))
            let wanted: Set<ErrorClass> = [.networkTimeout, .adapterUnavailable, .runtimeError]
            #expect(next.isEmpty != wanted.contains(errorClass), "\(errorClass)")
        }
    }

    @Test("a reset aborts what is under way, skips what waits and empties the triggers")
    func reset() throws {
        var machine = try orchestrator("once", .init())
        for id in ["a", "b", "c"] { _ = machine.receive(event(id, 0)) }
        _ = try run(&machine, 0, 11, at: 1)
        machine.reset()
        #expect(machine.underWay == [])
        #expect(machine.capture.decisions.map(\.kind) == [.invoke, .defer, .defer, .invoke, .skip])
        #expect(machine.capture.decisions[3].termination == .aborted)
        _ = machine.receive(event("d", 2))
        _ = try run(&machine, 2, 11, at: 3)
        #expect(machine.capture.passes.map { $0.report["event"] } == [.event(.emitted), .event(.emitted)])
    }

    @Test("random runs give the same bytes on replay", arguments: Seed.sample(150))
    func replay(_ seed: Seed) throws {
        let (graph, document) = try randomRun(seed)
        #expect(try CaptureBundle.verify(document, on: graph) == .identical)
    }

    /// A run of random events, sizes, failures, delays and resets, and its document.
    private func randomRun(_ seed: Seed) throws -> (PreparedGraph, String) {
        var generator = seed.generator
        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
        let middle = ["emit_if_true", "once", "crossover", "debounce", "count"][below(5)]
        let graph = try Building.watched(middle).prepared()
        let configuration = OrchestratorConfiguration(
            cadence: below(2) == 0 ? .event : .continuous, inFlightMax: below(2) == 0 ? nil : 1 + below(3),
            perWindowMax: below(2) == 0 ? nil : 1 + below(4), rateWindow: Int64(1 + below(40)),
            deadline: below(2) == 0 ? nil : Int64(below(30)), retriesMax: below(3))
        var machine = Orchestrator(graph: graph, configuration: configuration)
        var time: Int64 = -20
        var begun: [(Int, EvaluatedPass)] = []
        for index in 0..<60 {
            time += Int64(below(9))
            switch below(12) {
            case 0...4:
                let kind = ExternalEvent.Kind.allCases[below(3)]
                _ = machine.receive(event("e\(below(2) == 0 ? index : below(60))", time, kind))
            case 5: _ = machine.advance(to: Timestamp(milliseconds: time))
            case 6 where below(4) == 0: machine.reset()
            default: break
            }
            for episode in machine.underWay where below(2) == 0 {
                let size = [9, 11, 10, .nan, .infinity, -0.0][below(6)]
                let inputs =
                    below(6) == 0
                    ? PassInputs([
                        Reading(node: "file", .failure(PrimitiveFailure(.networkTimeout, "“no”\n")))
                    ])
                    : Building.size(size)
                if let pass = machine.evaluate(episode: episode, inputs: inputs) {
                    begun.append((episode, pass))
                }
            }
            while !begun.isEmpty, below(3) > 0 {
                var (episode, pass) = begun.remove(at: below(begun.count))
                while pass.nextCommand != nil {
                    pass.acknowledge(
                        below(3) == 0
                            ? .failure(PrimitiveFailure(ErrorClass.allCases[below(6)], "it broke"))
                            : .outcome(.filled))
                }
                _ = machine.finish(
                    episode: episode, pass: pass, at: Timestamp(milliseconds: time + Int64(below(5))))
            }
        }
        return (graph, machine.capture.json)
    }

    @Test("instants at the ends of time are written and do not trap", arguments: [Int64.min, -1, 0, .max])
    func instants(_ milliseconds: Int64) throws {
        var machine = try orchestrator(.init(perWindowMax: 1, deadline: 10))
        _ = machine.receive(event("a", milliseconds))
        _ = machine.advance(to: Timestamp(milliseconds: milliseconds))
        #expect(machine.capture.json.contains("\"secs\""))
    }

    @Test("a capture that was changed is told apart, with the first place that differs")
    func changed() throws {
        var machine = try orchestrator(.init())
        _ = machine.receive(event("a", 0))
        _ = try run(&machine, 0, 11, at: 1)
        let (graph, document) = (machine.graph, machine.capture.json)
        #expect(try CaptureBundle.verify(document, on: graph) == .identical)
        let output = document.replacing(
            "\"outcome\":{\"event\":\"filled\"}", with: "\"outcome\":{\"event\":\"failed\"}")
        #expect(output != document)
        #expect(
            try CaptureBundle.verify(output, on: graph)
                == .different(
                    path: "passes[0].outputs.outcome.event", captured: "“failed”", replayed: "“filled”"))
        let input = document.replacing(
            "\"size\",\"value\":{\"number\":11.0}", with: "\"size\",\"value\":{\"number\":9.0}")
        #expect(input != document)
        guard case .different(let path, _, _) = try CaptureBundle.verify(input, on: graph) else {
            Issue.record("not noticed")
            return
        }
        #expect(path.hasPrefix("passes[0]"))
        let payload = document.replacing("payload of a", with: "payload of b")
        let error = #expect(throws: JSON5Error.self) { try CaptureBundle(reading: payload) }
        #expect(error?.faults.map(\.path) == ["events[0].payload_hash"])
        let other = try Building.reference.prepared()
        #expect(throws: ReplayRefusal.self) { try CaptureBundle.verify(document, on: other) }
    }

    @Test(
        "what an adapter works out is captured: a replay needs no adapter, and finds one that gives something else"
    )
    func wasm() throws {
        var it = Building()
        it.node("n", "number_source", ["value": .number(4)])
        it.node("w", "wasm", ["module": .text("bafy")], ["numbers": "n.value"])
        it.output("result", "w.result")
        var machine = Orchestrator(graph: try it.prepared(), configuration: .init())
        func times(_ factor: Double) -> AdapterFunction {
            { request, inputs in
                guard request.text("module") == "bafy", case .number(let value) = inputs.first?.value else {
                    return .failure(PrimitiveFailure(.runtimeError, "no input"))
                }
                return .success([
                    PortValue("result", .number(value * factor)), PortValue("series", .series([])),
                ])
            }
        }
        _ = machine.receive(event("a", 0))
        let pass = try Self.some(machine.evaluate(episode: 0, inputs: PassInputs(), adapter: times(2)))
        _ = machine.finish(episode: 0, pass: pass, at: Timestamp(milliseconds: 1))
        let document = machine.capture.json
        #expect(pass.report()["result"] == .number(8))
        #expect(try CaptureBundle.verify(document, on: machine.graph) == .identical)
        #expect(try CaptureBundle.verify(document, on: machine.graph, adapter: times(2)) == .identical)
        #expect(
            try CaptureBundle.verify(document, on: machine.graph, adapter: times(3))
                == .different(
                    path: "passes[0].computed[0].values[0].value.number", captured: "8.0", replayed: "12.0"))
    }

    @Test("spoilt captures are refused or told apart, and never trap", arguments: Seed.sample(200))
    func spoilt(_ seed: Seed) throws {
        var generator = seed.generator
        let (graph, document) = try randomRun(Seed(rawValue: seed.rawValue % 5 + 1))
        var bytes = Array(document.utf8)
        for _ in 0..<3 {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            if Bool.random(using: &generator) {
                bytes[index] = UInt8.random(in: 32..<127, using: &generator)
            } else {
                bytes.removeSubrange(index..<min(bytes.count, index + 9))
            }
        }
        let spoilt = String(decoding: bytes, as: UTF8.self)
        let result = try? CaptureBundle.verify(spoilt, on: graph)
        #expect(result != .identical || spoilt == document)
    }
}
