@testable import MeshSimulator
import MeshTestSupport
import Testing

/// What happened in a run with one fault, line by line.
private func lines(_ fault: Fault?, _ change: (inout Scenario) -> Void = { _ in }) throws -> [String] {
    let scenario = smallScenario { scenario in
        scenario.nodes = 3
        scenario.members = 3
        scenario.threshold = 1
        scenario.workload.jobs = 1
        scenario.faults = fault.map { [$0] } ?? []
        change(&scenario)
    }
    return try #require(Simulation.run(Plan(scenario, seed: 3), isTracing: true).trace).lines
}

/// The instants of the lines that hold `text`, in seconds.
private func times(_ text: String, in lines: [String]) -> [Double] {
    lines.filter { $0.contains(text) }.compactMap { $0.split(separator: " ").first.flatMap { Double($0) } }
}

private let second: Int64 = 1_000_000

@Suite("Each fault does what it says", .tags(.Size.small))
struct FaultTests {
    @Test("a crash loses what was not synced, resets the links, and ends with a start")
    func crash() throws {
        let seen = try lines(Fault(.crash, start: 6 * second, end: 9 * second, nodes: [1]))
        #expect(times("n02 dies", in: seen) == [6])
        #expect(times("n02 starts", in: seen) == [0, 9])
        #expect(times("loses the link with n02", in: seen).contains { (6...6.2).contains($0) })
        #expect(!times("n01 → n02", in: seen).contains { (6.1..<9).contains($0) })
        #expect(times("n01 → n02", in: seen).contains { $0 > 9 })
    }

    @Test("a partition lets nothing pass, and nobody notices until data waits too long")
    func partition() throws {
        let seen = try lines(
            Fault(.partition, start: 6 * second, end: 16 * second, nodes: [1], others: [0, 2])
        ) { $0.network.timeout = 4 * second }
        #expect(!times("n01 → n02", in: seen).contains { (6.1..<16).contains($0) })
        #expect(!times("n02 → n03", in: seen).contains { (6.1..<16).contains($0) })
        #expect(times("n01 → n03", in: seen).contains { (6.1..<16).contains($0) })
        let given = times("gives up the link", in: seen)
        #expect(given.allSatisfy { (10...16).contains($0) } && !given.isEmpty)
        #expect(times("n01 → n02", in: seen).contains { $0 > 16 })
    }

    @Test("a one-way partition lets pass what goes the other way")
    func oneWay() throws {
        let seen = try lines(
            Fault(.oneWay, start: 6 * second, end: 12 * second, nodes: [1], others: [0, 2]))
        #expect(!times("n02 → n01", in: seen).contains { (6.1..<12).contains($0) })
        #expect(times("n01 → n02", in: seen).contains { (6.1..<12).contains($0) })
    }

    @Test("what was clogged comes late and in order, over the same link")
    func clog() throws {
        let seen = try lines(Fault(.clog, start: 6 * second, end: 12 * second, nodes: [1], others: [0, 2])) {
            $0.network.timeout = second
        }
        #expect(!times("n01 → n02", in: seen).contains { (6.1..<12).contains($0) })
        #expect(times("n01 → n02", in: seen).contains { (12..<12.1).contains($0) })
        #expect(times("gives up", in: seen) == [])
    }

    @Test("a cut resets a link, which is dialled again")
    func cut() throws {
        let seen = try lines(Fault(.cut, start: 6 * second, end: 6 * second, nodes: [0], others: [1]))
        #expect(times("dials", in: seen).contains { (6..<8).contains($0) })
        #expect(times("are linked", in: seen).contains { $0 > 6 })
    }

    @Test("a node that stands still says nothing, and then goes on where it was")
    func pause() throws {
        let seen = try lines(Fault(.pause, start: 6 * second, end: 10 * second, nodes: [1]))
        #expect(!times("n02 → ", in: seen).contains { (6.1..<10).contains($0) })
        #expect(times("n02 → ", in: seen).contains { $0 >= 10 })
        #expect(times("n02 starts", in: seen) == [0])
    }

    @Test("a full disk refuses writes until there is room again, and nothing that was confirmed is lost")
    func fullDisk() throws {
        let seen = try lines(Fault(.fullDisk, start: 2 * second, end: 14 * second, nodes: [0, 1, 2]))
        #expect(times("cannot write", in: seen).contains { (2..<14).contains($0) })
        #expect(times("has accepted job 0", in: seen).allSatisfy { $0 >= 14 })
        #expect(times("has accepted job 0", in: seen).count == 1)
        #expect(times("broken", in: seen) == [])
    }

    @Test("a disk that lies loses what was confirmed, and the checkers say so")
    func lyingDisk() throws {
        let scenario = smallScenario { scenario in
            scenario.nodes = 3
            scenario.members = 0
            scenario.workload.jobs = 0
            scenario.workload.entries = 12
            scenario.faults = (0..<3).flatMap { node in
                [
                    Fault(.lyingDisk, start: 2 * second, end: 14 * second, nodes: [node]),
                    Fault(.crash, start: 14 * second, end: 15 * second, nodes: [node]),
                ]
            }
        }
        let result = Simulation.run(Plan(scenario, seed: 3))
        #expect(result.violations.contains { $0.checker == .acknowledgedKept })
    }

    @Test("a slow disk delays what must be durable before it is said")
    func slowDisk() throws {
        let slow = Fault(.slowDisk, start: 0, end: 20 * second, nodes: [0, 1, 2], amount: 1_500)
        let delay = { (seen: [String]) -> Double in
            let asked = times("is asked to publish entry 0", in: seen).first ?? 0
            return (times("has published entry 0", in: seen).first ?? 0) - asked
        }
        #expect(delay(try lines(slow)) >= 1.5)
        #expect(delay(try lines(nil)) < 0.1)
    }

    @Test("a clock that is off dates what its node publishes")
    func skew() throws {
        let node = SimulatedClockProbe.firstAnchorTimes(
            Fault(.skew, start: 0, end: 20 * second, nodes: [1], amount: 15_000))
        #expect(node[1] - node[0] > 14_000)
        #expect(SimulatedClockProbe.firstAnchorTimes(nil).allSatisfy { abs($0) < 3_000 })
    }

    @Test("lost segments come late, lost frames do not come, and repeated ones come twice")
    func loss() throws {
        func slowest(_ faults: [Fault]) -> Int64 {
            let scenario = smallScenario {
                $0.nodes = 3
                $0.members = 0
                $0.workload.jobs = 0
                $0.workload.entries = 12
                $0.faults = faults
            }
            let deliveries = Simulation.run(Plan(scenario, seed: 3)).deliveries
            return deliveries.map { ($0.last ?? 0) - ($0.first ?? 0) }.max() ?? 0
        }
        #expect(slowest([Fault(.loss, start: 0, end: 20 * second, amount: 0.5)]) >= 200_000)
        #expect(slowest([]) < 50_000)
        let dropped = try lines(Fault(.frameLoss, start: 0, end: 20 * second, amount: 0.5))
        #expect(!times(" lost message", in: dropped).isEmpty)
        #expect(times(" lost push", in: dropped) == [])
        let twice = try lines(Fault(.duplicates, start: 0, end: 20 * second, amount: 1))
        let messages = twice.filter { $0.contains(" message ") }.map { $0.split(separator: " ").dropFirst() }
        #expect(messages.contains { one in messages.count { $0 == one } > 1 })
    }

    @Test("random faults are drawn from the seed, of the kinds asked for, and end in time")
    func drawing() {
        let draw = FaultDraw(
            count: 20...20, kinds: [.crash, .clog, .skew], window: 0...100 * second,
            length: second...50 * second)
        let faults = draw.faults(Chance(seed: 5), nodes: 9, end: 120 * second)
        #expect(faults.count >= 20)
        #expect(Set(faults.map(\.kind)) == [.crash, .clog, .skew])
        #expect(faults.allSatisfy { $0.end <= 120 * second && $0.nodes.allSatisfy { $0 < 9 } })
        #expect(faults == draw.faults(Chance(seed: 5), nodes: 9, end: 120 * second))
        #expect(faults != draw.faults(Chance(seed: 6), nodes: 9, end: 120 * second))
    }
}
