import Dataflow
import MeshCore
import MeshTestSupport
import Testing

@Suite("Ticks at their times", .tags(.Size.small))
struct TickScheduleTests {
    /// Plays a schedule against an orchestrator on a clock that waiting alone moves; the passes take
    /// `passTimes`, and no time once those are over.
    ///
    /// - Returns: When each pass began, and how many times it was waited.
    private func play(
        _ schedule: TickSchedule, _ configuration: OrchestratorConfiguration, _ passTimes: Int64...
    ) throws -> (begun: [Int64], waits: Int, capture: CaptureBundle) {
        var schedule = schedule
        var machine = Orchestrator(
            graph: try Building.reference.prepared(), configuration: configuration)
        var now = Timestamp(milliseconds: 1_000)
        var begun: [Int64] = []
        var waits = 0
        for _ in 0..<1_000 {
            var decisions: [Decision] = []
            switch schedule.next(dueAt: machine.dueAt, now: now) {
            case .tick(let event): decisions = machine.receive(event)
            case .advance(let time): decisions = machine.advance(to: time)
            case .wait(let time):
                #expect(time > now, "waiting takes time")
                now = time
                waits += 1
            case .done: return (begun, waits, machine.capture)
            }
            while !decisions.isEmpty {
                let decision = decisions.removeFirst()
                guard let episode = decision.episode else { continue }
                begun.append(now.milliseconds - 1_000)
                now = now + (begun.count <= passTimes.count ? passTimes[begun.count - 1] : 0)
                let pass = machine.evaluate(episode: episode, inputs: PassInputs())
                if let pass { decisions += machine.finish(episode: episode, pass: pass, at: now) }
            }
        }
        Issue.record("the schedule has no end")
        return (begun, waits, machine.capture)
    }

    @Test("each tick comes at its time, and without an interval as soon as the one before is dealt with")
    func interval() throws {
        let even = try play(TickSchedule(ticks: 3, every: 100), .init(cadence: .continuous))
        #expect(even.begun == [0, 100, 200] && even.waits == 2)
        let quick = try play(TickSchedule(ticks: 3), .init(cadence: .continuous), 7, 7, 7)
        #expect(quick.begun == [0, 7, 14] && quick.waits == 0)
        #expect(try play(TickSchedule(ticks: 0), .init(cadence: .continuous)).begun == [])
    }

    @Test("a tick that is late comes at once, and nothing is made up for in a burst")
    func late() throws {
        let slow = try play(TickSchedule(ticks: 5, every: 100), .init(cadence: .continuous), 0, 450)
        #expect(slow.begun == [0, 100, 550, 650, 750])
    }

    @Test("what a window has put off begins when the window says, not before and without asking in between")
    func window() throws {
        let configuration = OrchestratorConfiguration(
            cadence: .continuous, perWindowMax: 1, rateWindow: 50)
        let spread = try play(TickSchedule(ticks: 4), configuration)
        #expect(spread.begun == [0, 50, 100, 150] && spread.waits == 3)
        #expect(spread.capture.decisions.count { $0.kind == .defer } == 3)
        let mixed = try play(TickSchedule(ticks: 3, every: 20), configuration)
        #expect(mixed.begun == [0, 50, 100])
        // What was waited for is in the capture, so it replays.
        let graph = try Building.reference.prepared()
        #expect(try CaptureBundle.verify(mixed.capture.json, on: graph) == .identical)
    }

    @Test(
        "a pass says which triggers emitted and what had come in, and state goes through its numbers unchanged"
    )
    func firings() throws {
        let graph = try Building.watched("once").prepared()
        var state = graph.initialState()
        let first = graph.evaluate(Building.size(11), state: &state)
        #expect(
            first.firings == [
                TriggerFiring(node: "raw", inputs: [PortValue("input", .bool(true))]),
                TriggerFiring(node: "when", inputs: [PortValue("event", .event(.emitted))]),
            ])
        #expect(graph.state(remembering: state.numbers) == state)
        #expect(graph.state(remembering: state.numbers + [0]) == nil)
        let second = graph.evaluate(Building.size(11), state: &state)
        #expect(second.firings.map(\.node) == ["raw"])
        #expect(graph.evaluate(Building.size(9), state: &state).firings.isEmpty)
        let failed = graph.evaluate(PassInputs(), state: &state)
        #expect(failed.firings.isEmpty && failed.failure != nil, "what was stopped fired nothing")
    }
}
