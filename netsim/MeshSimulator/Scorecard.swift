internal import IPLD

/// How the mesh came through one attack: whether what honest nodes published reached the honest nodes.
public struct AttackScore: Sendable {
    /// When deliveries were prompt again.
    public enum Recovery: Hashable, Sendable {
        /// No delivery took long.
        case notNeeded
        /// Microseconds from the attack's beginning to the first entry from which on all were prompt.
        case after(Int64)
        /// The last entry was still late.
        case never
    }

    /// The scenario's name.
    public let name: String
    public let seed: UInt64
    public let attackers: Int
    /// Attackers included.
    public let nodes: Int
    /// Pairs of an entry and an honest node other than its author.
    public let expected: Int
    /// Those of them that were met within ``Scorecard/limit``.
    public let delivered: Int
    /// Microseconds from an entry's confirmation, or from when its receiver next started where that was
    /// down, until it was there; `nil` when nothing arrived.
    public let median: Int64?
    public let longest: Int64?
    public let recovery: Recovery
    /// What a checker found, in words.
    public let violations: [Violation]

    /// The share of what was expected, from 0 to 1.
    public var share: Double { expected == 0 ? 0 : Double(delivered) / Double(expected) }

    /// Whether the mesh withstood: nearly everything arrived in time, and no invariant was broken.
    public var hasWithstood: Bool { share >= Scorecard.shareMin && violations.isEmpty }
}

/// Attacks on how the mesh spreads news, as they were played against gossipsub (arXiv 2007.02754).
public enum Scorecard {
    /// By the names of their scenarios, in the order of the paper.
    public static let attacks = [
        "attack-eclipse-target", "attack-eclipse-network", "attack-eclipse-publishers", "attack-censor",
        "attack-degradation", "attack-cold-boot", "attack-covert-flash", "attack-dawn",
    ]

    /// What arrives later than this counts as lost, in microseconds.
    public static let limit: Int64 = 60_000_000
    /// An entry is prompt when all honest nodes have it after less than this, in microseconds.
    public static let promptLimit: Int64 = 2_000_000
    /// The least share of deliveries in time.
    public static let shareMin = 0.99

    /// Runs a plan and measures what arrived.
    public static func run(_ plan: Plan) -> AttackScore {
        let world = World(plan, isTracing: false)
        world.run()
        return score(world)
    }

    /// What a world that has run to its end shows.
    static func score(_ world: World) -> AttackScore {
        let plan = world.plan
        let honest = world.nodes.filter(\.isHonest).map(\.index)
        let manifests = world.history.jobs.sorted { $0.key < $1.key }.map(\.value.manifest)
        let entries = world.history.acknowledged.filter { !manifests.contains($0.cid) }
            .sorted { ($0.time, $0.node, $0.cid) < ($1.time, $1.node, $1.cid) }
        let planned = plan.work.reduce(0) { count, work in
            if case .entry = work.kind { count + 1 } else { count }
        }
        let attackStart = plan.scenario.misbehaviours.map(\.start).min() ?? 0
        var times: [Int64] = []
        var arrived: [(published: Int64, slowest: Int64)] = []
        for entry in entries {
            let deliveries = world.history.deliveries[entry.cid] ?? [:]
            var slowest: Int64 = 0
            for node in honest where node != entry.node {
                guard let time = deliveries[node] else {
                    slowest = .max
                    continue
                }
                let start = start(of: node, after: entry.time, plan)
                let span = max(0, time - start)
                times.append(span)
                // Whoever starts later has all of the past to fetch, which is no measure of what is new.
                if start == entry.time { slowest = max(slowest, span) }
            }
            arrived.append((entry.time, slowest))
        }
        times.sort()
        let violations = world.findings + Judge(world).findings(isFinal: true)
        return AttackScore(
            name: plan.scenario.name, seed: plan.seed, attackers: plan.behaviours.count,
            nodes: plan.nodeCount,
            // An entry that its node never took counts as lost to all.
            expected: max(planned, entries.count) * max(0, honest.count - 1),
            delivered: times.count { $0 <= limit }, median: times.isEmpty ? nil : times[times.count / 2],
            longest: times.last, recovery: recovery(arrived, from: attackStart), violations: violations)
    }

    /// From when on a node can have what was published at an instant: then, or when it next starts.
    private static func start(of node: Int, after time: Int64, _ plan: Plan) -> Int64 {
        plan.faults.reduce(time) { start, fault in
            let isDown = fault.kind == .crash && fault.nodes.contains(node)
            return isDown && fault.start <= time && time < fault.end ? max(start, fault.end) : start
        }
    }

    /// When a mesh was well again.
    ///
    /// - Parameters:
    ///   - entries: When each was published and how long it took to reach the last node, by the first.
    ///   - start: The attack's beginning; what was published before tells nothing of it.
    /// - Returns: From the attack's beginning to the first entry from which on all were prompt.
    static func recovery(
        _ entries: [(published: Int64, slowest: Int64)], from start: Int64
    ) -> AttackScore.Recovery {
        let during = entries.filter { $0.published >= start }
        guard let late = during.lastIndex(where: { $0.slowest >= promptLimit }) else { return .notNeeded }
        guard late + 1 < during.count else { return .never }
        return .after(during[late + 1].published - start)
    }
}
