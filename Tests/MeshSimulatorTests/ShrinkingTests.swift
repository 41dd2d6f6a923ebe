@testable import MeshSimulator
import MeshTestSupport
import Testing

@Suite("Shrinking and drawing of broken runs", .tags(.Size.medium))
struct ShrinkingTests {
    @Test("what remains is exactly what the failure needs", arguments: [[3], [3, 17], [0, 9, 19], []])
    func minimal(_ needed: [Int]) {
        var runs = 0
        let kept = Shrinking.minimise(Array(0..<20)) { kept in
            runs += 1
            return needed.allSatisfy(kept.contains)
        }
        #expect(kept == needed)
        #expect(runs < 120)
    }

    /// A majority of members who cover for each other, and faults that have nothing to do with it.
    private static var collusion: Plan {
        let scenario = smallScenario { scenario in
            scenario.nodes = 4
            scenario.members = 4
            scenario.threshold = 2
            scenario.misbehaviours = [Scenario.Misbehaviour(kind: .colluder, nodes: [1, 2, 3], count: 3)]
            scenario.workload.jobs = 1
            scenario.workload.entries = 2
            scenario.duration = 12_000_000
            scenario.settle = 10_000_000
            scenario.workload.end = 8_000_000
            scenario.faults = [
                Fault(.cut, start: 6_000_000, end: 6_000_000, nodes: [0], others: [1]),
                Fault(.pause, start: 4_000_000, end: 5_000_000, nodes: [2]),
            ]
        }
        return Plan(scenario, seed: 1)
    }

    @Test("a run whose lie is believed shrinks to the one job, and its drawing marks the place")
    func collusion() throws {
        let shrunk = try #require(Shrinking.shrink(Self.collusion, keeping: .noWrongVerified))
        #expect(shrunk.result.plan.faults == [])
        #expect(shrunk.result.plan.work.map(\.kind) == [.job(0)])
        #expect(shrunk.runs <= 60)
        let result = Simulation.run(shrunk.result.plan, isTracing: true)
        let trace = try #require(result.trace)
        #expect(trace.lines.contains { $0.contains("broken: no-wrong-verified") })
        let svg = try #require(Plot.svg(trace))
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
        #expect(svg.contains("broken: no-wrong-verified"))
        #expect(svg.contains(">n04</text>"))
    }

    @Test("a run that breaks nothing cannot be shrunk")
    func whole() {
        let plan = Plan(smallScenario { $0.workload.jobs = 0 }, seed: 1)
        #expect(Shrinking.shrink(plan, keeping: .noWrongVerified) == nil)
    }
}
