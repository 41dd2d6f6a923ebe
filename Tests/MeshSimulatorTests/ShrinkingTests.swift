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
    private static let collusion = """
        { nodes: 4, members: 4, threshold: 2, duration: "12s", settle: "10s",
          network: { latency: "5ms" }, workload: { jobs: 1, entries: 2, start: "3s", end: "8s" },
          byzantine: [{ kind: "colluder", nodes: ["n02", "n03", "n04"] }],
          faults: [{ kind: "cut", nodes: ["n01"], at: "6s" }, { kind: "pause", nodes: ["n03"], at: "4s", for: "1s" }] }
        """

    @Test("a run whose lie is believed shrinks to the one job, and its drawing marks the place")
    func collusion() throws {
        let plan = Plan(try Scenario(text: Self.collusion, name: "collusion"), seed: 1)
        let shrunk = try #require(Shrinking.shrink(plan, keeping: .noWrongVerified))
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
