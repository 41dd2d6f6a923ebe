import MeshCore
import MeshEngine
import MeshTestSupport
import Testing

@testable import MeshSimulator

@Suite("The graph in simulated meshes", .tags(.Size.medium))
struct GraphWorkTests {
    private func busy(_ change: (inout Scenario) -> Void = { _ in }) -> Scenario {
        smallScenario { scenario in
            scenario.workload.jobs = 0
            scenario.workload.entries = 0
            scenario.workload.graph = 16
            change(&scenario)
        }
    }

    @Test func `nodes that all write to the graph end with the same one, whatever breaks between them`() {
        let scenario = busy { scenario in
            scenario.draws = [
                FaultDraw(
                    count: 4...4, kinds: [.crash, .partition, .cut, .loss, .pause],
                    window: 2_000_000...15_000_000, length: 1_000_000...6_000_000)
            ]
        }
        for seed in 1...6 {
            let world = World(Plan(scenario, seed: UInt64(seed)), isTracing: false)
            world.run()
            #expect(world.convergedAt != nil, "seed \(seed)")
            #expect(world.rebuildFindings() == [])
            let graphs = world.nodes.map { world.reader.graph(in: $0.disk) }
            #expect(graphs.allSatisfy { $0 == graphs[0] }, "seed \(seed)")
            #expect(graphs[0].digest != .zero)
            // Most of what was asked for was done, and what was confirmed is there.
            #expect(world.history.marks.count >= 6, "seed \(seed)")
            #expect(graphs[0].marks.isSuperset(of: world.history.marks.keys.map(GraphWork.mark)))
        }
    }

    @Test func `what a node with two histories wrote to the graph ends the same everywhere`() {
        let scenario = busy { scenario in
            scenario.duration = 30_000_000
            scenario.workload.end = 25_000_000
            scenario.misbehaviours = [Scenario.Misbehaviour(kind: .equivocator, nodes: [4])]
        }
        var forked = 0
        for seed in 1...4 {
            let world = World(Plan(scenario, seed: UInt64(seed)), isTracing: false)
            world.run()
            #expect(world.convergedAt != nil, "seed \(seed)")
            if world.history.equivocations[4] != nil { forked += 1 }
            let honest = world.nodes.filter(\.isHonest).map { world.reader.graph(in: $0.disk) }
            #expect(honest.allSatisfy { $0 == honest[0] }, "seed \(seed)")
            #expect(world.rebuildFindings() == [])
        }
        #expect(forked > 0)
    }

    @Test func `every program of the workload can be read, and its number makes it`() throws {
        let chance = Chance(seed: 7)
        for number in 0..<200 {
            let script = try #require(GraphWork.script(number, chance, takesAway: number % 3 == 0))
            #expect(script.source == GraphWork.script(number, chance, takesAway: number % 3 == 0)?.source)
        }
    }

    @Test func `another graph under the same feeds is found, and a confirmed change that is not there`()
        throws
    {
        let world = World(Plan(busy(), seed: 3), isTracing: false)
        world.run()
        try #require(world.convergedAt != nil)
        var replicas = world.nodes.map { world.reader.read($0) }
        var history = world.history
        func found() -> [Checker] {
            // While faults go on too: nodes with the same feeds may never differ.
            Judge(replicas: replicas, history: history, members: [], time: 1).findings(isFinal: false)
                .map(\.checker)
        }
        #expect(found() == [])
        replicas[2].graph.digest = Bytes32(Array(repeating: 1, count: 32))
        #expect(found() == [.sameGraph])
        // Who holds other feeds may have another graph.
        replicas[2].fingerprint = .zero
        #expect(found() == [])
        history.marked(999, at: 1)
        #expect(found() == [.sameGraph])
    }
}
