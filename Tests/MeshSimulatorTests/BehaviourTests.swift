@testable import MeshSimulator
import MeshTestSupport
import Testing

private func run(_ kind: Behaviour.Kind, nodes: [Int], _ change: (inout Scenario) -> Void = { _ in }) -> World
{
    let scenario = smallScenario { scenario in
        scenario.misbehaviours = [Scenario.Misbehaviour(kind: kind, nodes: nodes, count: max(1, nodes.count))]
        change(&scenario)
    }
    let world = World(Plan(scenario, seed: 1), isTracing: true)
    world.run()
    return world
}

@Suite("Nodes that misbehave do harm to nobody but themselves", .tags(.Size.medium))
struct BehaviourTests {
    @Test("whoever signs two histories is frozen by everyone")
    func equivocator() {
        let world = run(.equivocator, nodes: [3]) {
            $0.workload.jobs = 4
            $0.workload.end = 18_000_000
        }
        #expect(world.history.equivocations.count == 1)
        #expect(world.convergedAt != nil)
        let did = world.nodes[3].did
        for index in [0, 1, 2, 4] { #expect(world.reader.read(world.nodes[index]).frozen[did] != nil) }
    }

    @Test("whoever accuses another with an anchor that it made itself freezes nobody but itself")
    func forger() {
        let world = run(.forger, nodes: [3]) {
            $0.workload.jobs = 4
            $0.workload.end = 18_000_000
        }
        #expect(world.history.equivocations.count == 1)
        #expect(world.convergedAt != nil)
        let accused = world.nodes[0].did
        for index in [0, 1, 2, 4] { #expect(world.reader.read(world.nodes[index]).frozen[accused] == nil) }
    }

    @Test(
        "wrong outputs and wrong fuel are run, reported, and not believed",
        arguments: [Behaviour.Kind.wrongOutput, .wrongFuel])
    func liars(_ kind: Behaviour.Kind) {
        // The only others who could run the job are liars.
        let world = run(kind, nodes: [1, 2, 3, 4]) { $0.workload.jobs = 2 }
        let judge = Judge(world)
        let ran = judge.jobs.filter { $0.settled != nil }
        #expect(!ran.isEmpty)
        #expect(ran.allSatisfy { !$0.isTrue && !$0.isVerified(judge.members) })
    }

    @Test("whoever bids and vanishes loses the job to another")
    func vanisher() {
        let world = run(.vanisher, nodes: [1, 2]) { $0.workload.jobs = 10 }
        #expect(world.convergedAt != nil)
        let jobs = Judge(world).jobs
        #expect(jobs.allSatisfy { !$0.closes.isEmpty })
        #expect(world.trace?.lines.contains { $0.contains("failed it; calling for new bids") } == true)
    }

    @Test(
        "junk and repetition change nothing that is agreed on",
        arguments: [Behaviour.Kind.flooder, .replayer, .censor])
    func noise(_ kind: Behaviour.Kind) {
        let world = run(kind, nodes: [2])
        #expect(world.convergedAt != nil)
        #expect(Judge(world).findings(isFinal: true) == [])
    }

    @Test("identities that gather around one node do not cut it off")
    func sybils() {
        let world = run(.sybil, nodes: []) { $0.misbehaviours[0].count = 6 }
        #expect(world.nodes.count == 11)
        #expect(world.nodes[0].openLinks.contains { $0.other(than: 0) >= 5 })
        #expect(world.convergedAt != nil)
    }

    @Test("one member who finds everything wrong, and a minority who cover for each other, decide nothing")
    func minority() {
        for kind in [Behaviour.Kind.falseAttester, .colluder] {
            let world = run(kind, nodes: [2])
            #expect(Judge(world).violations(of: .noWrongVerified) == [])
            #expect(world.convergedAt != nil)
        }
    }
}
