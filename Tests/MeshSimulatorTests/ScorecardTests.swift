import JSON5
@testable import MeshSimulator
import MeshTestSupport
import Testing

import Foundation

/// Three nodes in a row: the first publishes, and the last hears of it from the middle one or not at all.
private func row(_ change: (inout Scenario) -> Void) -> AttackScore {
    let scenario = smallScenario { scenario in
        scenario.nodes = 3
        scenario.members = 0
        scenario.duration = 70_000_000
        scenario.settle = 2_000_000
        scenario.faults = [Fault(.partition, start: 0, end: 70_000_000, nodes: [0], others: [2])]
        scenario.workload.jobs = 0
        scenario.workload.entries = 4
        scenario.workload.end = 8_000_000
        scenario.workload.authors = [0]
        change(&scenario)
    }
    return Scorecard.run(Plan(scenario, seed: 1))
}

@Suite("The attack scorecard", .tags(.Size.medium))
struct ScorecardTests {
    @Test("everything counts as delivered in a row of honest nodes")
    func honest() {
        let score = row { _ in }
        #expect(score.expected == 8)
        #expect(score.delivered == 8)
        #expect(score.recovery == .notNeeded)
        #expect(score.hasWithstood)
    }

    @Test(
        "when the only way leads through an attacker, the measure says that the attack succeeds",
        arguments: [Behaviour.Kind.dropper, .censor, .mute])
    func cutOff(_ kind: Behaviour.Kind) {
        for targets in [[], [0]] {
            let score = row {
                $0.misbehaviours = [Scenario.Misbehaviour(kind: kind, nodes: [1], targets: targets)]
            }
            #expect(score.attackers == 1)
            // The attacker is nobody who must be reached, and the last node is reached by nothing.
            #expect(score.expected == 4)
            #expect(score.delivered == 0)
            #expect(score.recovery == .never)
            #expect(!score.hasWithstood)
        }
    }

    @Test("a censor with a target passes on what others say")
    func choosy() {
        let score = row {
            $0.misbehaviours = [Scenario.Misbehaviour(kind: .censor, nodes: [1], targets: [2])]
        }
        #expect(score.delivered == 4)
    }

    @Test("attackers are honest until they begin")
    func later() {
        let score = row {
            $0.workload.entries = 20
            $0.misbehaviours = [Scenario.Misbehaviour(kind: .dropper, nodes: [1], start: 5_500_000)]
        }
        #expect(score.expected == 20)
        #expect(score.delivered > 4)
        #expect(score.delivered < score.expected - 4)
        #expect(score.recovery == .never)
    }

    @Test("recovery counts from the attack's beginning to the first entry from which on all are prompt")
    func recovery() {
        func recovery(_ entries: [(published: Int64, slowest: Int64)]) -> AttackScore.Recovery {
            Scorecard.recovery(entries, from: 100)
        }
        let late = Scorecard.promptLimit
        #expect(recovery([]) == .notNeeded)
        #expect(recovery([(50, late), (100, late - 1)]) == .notNeeded)
        #expect(recovery([(100, 1), (200, late), (300, 1), (400, .max), (500, 1)]) == .after(400))
        #expect(recovery([(100, 1), (200, late)]) == .never)
    }

    @Test("the scenarios of all eight attacks are there, and a third of the identities attack")
    func scenarios() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("netsim/scenarios").path
        #expect(Scorecard.attacks.count == 8)
        for name in Scorecard.attacks {
            let text = try String(contentsOfFile: "\(folder)/\(name).json5", encoding: .utf8)
            let plan = Plan(try Scenario(text: text, name: name), seed: 1)
            #expect(plan.nodeCount == 60, "\(name)")
            #expect(plan.behaviours.count == 20, "\(name)")
        }
    }
}

@Suite("Attacks on memberships and neighbourhoods", .tags(.Size.medium))
struct AttackTests {
    private func world(_ misbehaviour: Scenario.Misbehaviour) -> World {
        let scenario = smallScenario { scenario in
            scenario.nodes = 6
            scenario.members = 0
            scenario.workload.jobs = 0
            scenario.misbehaviours = [misbehaviour]
        }
        let world = World(Plan(scenario, seed: 1), isTracing: true)
        world.run()
        return world
    }

    @Test("a node that poisons memberships makes nobody honest count as gone")
    func poisoner() {
        let world = world(Scenario.Misbehaviour(kind: .incarnationPoisoner, nodes: [3]))
        // It has had something to work with.
        #expect(world.nodes[3].incarnations.count >= 5)
        #expect(world.trace?.lines.contains { $0.contains("n04 → n01 members") } == true)
        #expect(Judge(world).violations(of: .liveKnown) == [])
        #expect(world.convergedAt != nil)
    }

    @Test("identities that come later gather around their targets alone")
    func gathering() {
        let world = world(
            Scenario.Misbehaviour(kind: .sybil, count: 4, start: 5_000_000, targets: [1, 2]))
        let linked = world.nodes[6...].flatMap { $0.openLinks.map { link in link.ends } }
        #expect(linked.contains { $0.1 == 1 || $0.1 == 2 })
        #expect(world.trace?.lines.contains { $0.contains("n07 dials n02.sim:7000") } == true)
        #expect(world.convergedAt != nil)
    }
}
