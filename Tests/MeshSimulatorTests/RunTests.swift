import JSON5
import MeshCore
@testable import MeshSimulator
import MeshTestSupport
import Testing

/// A small mesh with some of everything, for runs that tests repeat.
func smallScenario(_ change: (inout Scenario) -> Void = { _ in }) -> Scenario {
    var scenario = Scenario()
    scenario.name = "small"
    scenario.nodes = 5
    scenario.members = 4
    scenario.threshold = 2
    scenario.degree = 2
    scenario.duration = 20_000_000
    scenario.settle = 60_000_000
    scenario.network.latency = .constant(5_000)
    scenario.workload.jobs = 2
    scenario.workload.entries = 2
    scenario.workload.start = 3_000_000
    scenario.workload.end = 12_000_000
    change(&scenario)
    return scenario
}

@Suite("A run follows from its seed", .tags(.Size.medium))
struct RunTests {
    @Test("jobs are verified everywhere, and every entry reaches every node")
    func quiet() throws {
        let result = Simulation.run(Plan(smallScenario(), seed: 1))
        #expect(result.failures == [])
        #expect(result.statistics.accepted == 2)
        #expect(result.statistics.verified == 2)
        #expect(result.convergedAt != nil)
        #expect(result.deliveries.map(\.count) == [5, 5])
    }

    @Test(
        "the same seed gives the same trace, byte for byte; another one gives another",
        arguments: Seed.sample(2))
    func repeated(_ seed: Seed) throws {
        let scenario = smallScenario { scenario in
            scenario.network.latency = .lognormal(median: 20_000, spread: 0.5)
            scenario.network.frameLoss = 0.02
            scenario.network.loss = 0.01
            scenario.draws = [
                FaultDraw(
                    count: 3...3, kinds: Fault.Kind.allCases, window: 1_000_000...15_000_000,
                    length: 1_000_000...5_000_000)
            ]
        }
        func trace(_ seed: UInt64) throws -> TraceFile {
            try #require(Simulation.run(Plan(scenario, seed: seed), isTracing: true).trace)
        }
        let first = try trace(seed.rawValue)
        #expect(try trace(seed.rawValue).text == first.text)
        #expect(try trace(seed.rawValue + 1000).digest != first.digest)
        #expect(first.lines.count > 1_000)
    }

    @Test("a trace says with its first lines how to run it again, shrunk or whole")
    func header() throws {
        let text = """
            { nodes: 3, members: 3, threshold: 1, duration: "8s", settle: "30s", // small
              workload: { jobs: 1, entries: 1, end: "6s" },
              faults: [ { kind: "pause", nodes: ["n02"], at: "2s", for: "1s" },
                        { kind: "cut", nodes: ["n01"], at: "3s" } ] }
            """
        let plan = Plan(try Scenario(text: text, name: "written"), seed: 9).keeping(
            faults: [1], work: [0, 1])
        let trace = try #require(Simulation.run(plan, isTracing: true).trace)
        let read = try #require(TraceFile(text: trace.text))
        #expect(read.value("seed") == "9")
        let again = try #require(read.plan)
        #expect(again.faults == plan.faults)
        #expect(again.work == plan.work)
        #expect(Simulation.run(again, isTracing: true).trace?.text == trace.text)
        #expect(TraceFile(text: "no trace at all") == nil)
    }

    @Test("one node more leaves what is drawn for the others as it was")
    func splitting() {
        let few = Plan(smallScenario { $0.nodes = 12 }, seed: 4)
        let more = Plan(smallScenario { $0.nodes = 13 }, seed: 4)
        #expect(few.work.map(\.time).elementsEqual(more.work.map(\.time)))
        let chance = Chance(seed: 4)
        var a = chance.generator(for: "node 3")
        _ = chance.generator(for: "node 13")
        var b = Chance(seed: 4).generator(for: "node 3")
        #expect(a.next() == b.next())
        #expect(chance.seed(for: "node 3") != chance.seed(for: "node 4"))
    }

    @Test("Ed25519 in place of the keyed digest changes nothing that is agreed on")
    func realSignatures() {
        let scenario = smallScenario {
            $0.signatures = .ed25519
            $0.nodes = 3
            $0.members = 3
            $0.threshold = 1
        }
        let result = Simulation.run(Plan(scenario, seed: 1))
        #expect(result.failures == [])
        #expect(result.statistics.verified == 2)
    }

    @Test("a swarm's scenarios differ from seed to seed and are the same for the same seed")
    func swarm() {
        let plans = (1...30).map { Plan(Scenario(swarm: $0), seed: $0) }
        #expect(Set(plans.map(\.scenario.nodes)).count > 5)
        #expect(
            Set(plans.flatMap { $0.faults.map(\.kind) }) == Set(Fault.Kind.allCases).subtracting([.lyingDisk])
        )
        #expect(Plan(Scenario(swarm: 7), seed: 7).faults == plans[6].faults)
        // Too few liars for a lie to be believed.
        for plan in plans {
            let liars = plan.behaviours.filter { $0.kind == .colluder || $0.kind == .falseAttester }.count
            #expect(liars < plan.scenario.threshold)
        }
    }
}
