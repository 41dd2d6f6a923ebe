internal import IPLD

/// What a run took.
public struct RunStatistics: Hashable, Sendable {
    public var events = 0
    public var steps = 0
    public var frames = 0
    public var bytes = 0
    /// Microseconds.
    public var virtualTime: Int64 = 0
    public var accepted = 0
    public var verified = 0
    public var acknowledged = 0
    /// How often a node held one for gone that was up, and that no fault kept from it.
    public var falseDeaths = 0
    public var broadcast = BroadcastFigures()
}

/// What came of a run.
public struct RunResult: Sendable {
    public let plan: Plan
    public let violations: [Violation]
    public let statistics: RunStatistics
    /// When all was well after the faults, in microseconds; `nil` when that never came.
    public let convergedAt: Int64?
    public let trace: TraceFile?
    /// For each plain entry, the instants at which it reached the first, the second, … node.
    public let deliveries: [[Int64]]

    /// What is not as the scenario expects it, in words; empty for a good run.
    public var failures: [String] {
        let expectation = plan.scenario.expectation
        var found = violations.filter { !expectation.violations.contains($0.checker) }.map(\.description)
        for checker in expectation.violations where !violations.contains(where: { $0.checker == checker }) {
            found.append("\(checker.rawValue) was to find something and did not")
        }
        if statistics.verified < expectation.verified {
            found.append("\(statistics.verified) jobs are verified, not \(expectation.verified)")
        }
        if statistics.accepted < expectation.accepted {
            found.append("\(statistics.accepted) jobs were accepted, not \(expectation.accepted)")
        }
        let broadcast = statistics.broadcast
        if let limit = expectation.hops, broadcast.hopsLongest > limit {
            found.append("an entry crossed \(broadcast.hopsLongest) links, not \(limit) at most")
        }
        if let limit = expectation.falseDeaths, statistics.falseDeaths > limit {
            found.append("live nodes were held for gone \(statistics.falseDeaths) times")
        }
        if let limit = expectation.delivery, broadcast.delivered < limit {
            found.append("\(broadcast.delivered) of the deliveries came within a minute, not \(limit)")
        }
        if let limit = expectation.redundancy, broadcast.redundancy > limit {
            found.append("the redundancy of pushes is \(broadcast.redundancy), not \(limit) at most")
        }
        if let limit = expectation.missed, broadcast.missed > limit || broadcast.items == 0 {
            found.append("\(broadcast.missed) of \(broadcast.items) entries' deliveries are missing or late")
        }
        return found
    }
}

/// *Start here.*
///
/// Runs of the mesh in virtual time: real engines on simulated disks, clocks and networks, decided by one seed.
public enum Simulation {
    /// Runs a plan to its end.
    ///
    /// - Parameters:
    ///   - plan: What happens; made of a scenario and a seed.
    ///   - isTracing: Whether to keep a trace, which takes much of the time.
    /// - Returns: What came of it, whether as expected or not.
    public static func run(_ plan: Plan, isTracing: Bool = false) -> RunResult {
        let world = World(plan, isTracing: isTracing)
        world.run()
        let judge = Judge(world)
        var violations: [Violation] = []
        for violation in world.findings + judge.findings(isFinal: true) + world.rebuildFindings()
        where !violations.contains(where: { $0.checker == violation.checker && $0.detail == violation.detail }
        ) {
            violations.append(violation)
            world.note("broken: \(violation)")
        }
        var statistics = world.statistics
        statistics.accepted = world.history.jobs.count
        statistics.acknowledged = world.history.acknowledged.count
        statistics.broadcast = world.broadcasts.figures(
            world.history, nodes: world.nodes.filter { $0.isHonest && $0.isUp }.map(\.index),
            since: world.scenario.workload.start)
        let members = judge.members
        let accepted = Set(world.history.jobs.map(\.value.manifest))
        statistics.verified = judge.jobs.filter { accepted.contains($0.cid) && $0.isVerified(members) }.count
        return RunResult(
            plan: plan, violations: violations, statistics: statistics, convergedAt: world.convergedAt,
            trace: world.trace.map { TraceFile(plan, lines: $0.lines) },
            deliveries: world.history.deliveries.sorted { $0.key < $1.key }.map {
                $0.value.map(\.value).sorted()
            })
    }
}
