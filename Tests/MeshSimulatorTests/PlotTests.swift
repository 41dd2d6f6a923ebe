@testable import MeshSimulator
import MeshTestSupport
import Testing

@Suite("Curves of how entries spread", .tags(.Size.medium))
struct PlotTests {
    private static let entries = """
        { nodes: 5, members: 0, duration: "20s", settle: "20s", network: { latency: "5ms" },
          workload: { jobs: 0, entries: 3, warmup: 2, senders: 1, start: "8s", end: "14s" } }
        """

    /// The curves alone, without the axes.
    private func lines(_ svg: String) -> [Substring] {
        svg.split(separator: "\n").filter { $0.hasPrefix("<polyline") }.sorted()
    }

    @Test("A run draws what its trace does: one curve for each entry, and none for the warm-up's")
    func curves() throws {
        let plan = Plan(try Scenario(text: Self.entries, name: "entries"), seed: 1)
        let result = Simulation.run(plan, isTracing: true)
        let drawn = lines(Plot.curves(result))
        #expect(drawn.count == 3)
        let traced = try #require(result.trace.flatMap { Plot.curves($0) })
        #expect(lines(traced) == drawn)
        // From nothing to everybody: the axis is at 260, and all of 240 is everyone.
        for line in drawn { #expect(line.contains("'60.0,260.0 ") && line.contains(",20.0'")) }
    }
}
