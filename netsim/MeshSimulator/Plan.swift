internal import MeshCore

/// Everything that a scenario and a seed decide before the first event: who misbehaves, what goes wrong, what work comes.
public struct Plan: Sendable {
    /// One thing that is asked of a node.
    public struct Work: Hashable, Sendable {
        public enum Kind: Hashable, Sendable {
            /// A job, numbered.
            case job(Int)
            /// A plain entry, numbered.
            case entry(Int)
            /// The cancelling of a job.
            case cancel(job: Int)
            /// A change of the property graph, numbered.
            case graph(Int)
        }

        public var time: Int64
        public var node: Int
        public var kind: Kind

        /// One line: `12.5 n03 job 4`.
        public var line: String {
            let what =
                switch kind {
                case .job(let number): "job \(number)"
                case .entry(let number): "entry \(number)"
                case .cancel(let job): "cancel job \(job)"
                case .graph(let number): "graph \(number)"
                }
            return "\(Duration.seconds(time)) \(NodeName.text(node)) \(what)"
        }
    }

    public let scenario: Scenario
    public let seed: UInt64
    /// Nodes and the identities that attackers add.
    public let nodeCount: Int
    /// By node; sorted.
    public let behaviours: [(node: Int, kind: Behaviour.Kind)]
    /// For each node that misbehaves, its place in ``Scenario/misbehaviours``.
    private let groups: [Int: Int]
    /// When the misbehaving nodes misbehave.
    let windows: [Int: Range<Int64>]
    /// The target of those who surround one node.
    public let victim: Int
    /// The configured peers of each node.
    public let peers: [[Int]]
    public var faults: [Fault]
    public var work: [Work]
    /// Which faults and works a shrunk run keeps; `nil` for all.
    public var keptFaults: [Int]?
    public var keptWork: [Int]?

    var chance: Chance { Chance(seed: seed) }

    /// Draws a run.
    public init(_ scenario: Scenario, seed: UInt64) {
        self.scenario = scenario
        self.seed = seed
        let chance = Chance(seed: seed)
        var behaviours: [(node: Int, kind: Behaviour.Kind)] = []
        var groups: [Int: Int] = [:]
        var extra = 0
        var latecomers: [Fault] = []
        var windows: [Int: Range<Int64>] = [:]
        var generator = chance.generator(for: "behaviours")
        for (group, one) in scenario.misbehaviours.enumerated() {
            if one.kind == .sybil {
                let added = (0..<one.count).map { scenario.nodes + extra + $0 }
                extra += one.count
                behaviours += added.map { ($0, one.kind) }
                for node in added {
                    groups[node] = group
                    windows[node] = one.start..<max(one.start, one.end)
                }
                if one.start > 0 {
                    latecomers.append(Fault(.crash, start: 0, end: one.start, nodes: added))
                }
                continue
            }
            var nodes = one.nodes
            // A judge among the members misbehaves; everyone else may be anybody but the first node.
            let limit = one.kind.needsMembership ? min(scenario.members, scenario.nodes) : scenario.nodes
            var rounds = 0
            while nodes.count < one.count, limit > 1, rounds < 1_000 {
                rounds += 1
                let node = 1 + generator.below(limit - 1)
                if !nodes.contains(node), !behaviours.contains(where: { $0.node == node }) {
                    nodes.append(node)
                }
            }
            behaviours += nodes.map { ($0, one.kind) }
            for node in nodes {
                groups[node] = group
                windows[node] = one.start..<max(one.start, one.end)
            }
        }
        self.groups = groups
        self.behaviours = behaviours.sorted { $0.node < $1.node }
        nodeCount = scenario.nodes + extra
        self.windows = windows
        victim = 0
        let bad = self.behaviours.map(\.node)
        peers = (0..<nodeCount).map { index in
            guard index < scenario.nodes else {
                let targets = groups[index].map { scenario.misbehaviours[$0].targets } ?? []
                return targets.isEmpty ? [0] : targets
            }
            guard scenario.nodes > 1, scenario.degree > 0 else { return [] }
            var generator = chance.generator(for: "peers of \(index)")
            var chosen = [(index + 1) % scenario.nodes]
            var rounds = 0
            while chosen.count < min(scenario.degree, scenario.nodes - 1), rounds < 1_000 {
                rounds += 1
                let other = generator.below(scenario.nodes)
                if other != index, !chosen.contains(other) { chosen.append(other) }
            }
            return chosen
        }
        let equivocators = self.behaviours.filter { $0.kind == .equivocator }.map(\.node)
        work = Self.work(
            scenario, chance, honest: (0..<scenario.nodes).filter { !bad.contains($0) },
            equivocators: equivocators)
        var faults = scenario.faults + latecomers
        for (number, draw) in scenario.draws.enumerated() {
            let split = Chance(seed: chance.seed(for: "draw \(number)"))
            faults += draw.faults(split, nodes: scenario.nodes, work: work, end: scenario.duration)
        }
        self.faults = faults
    }

    private static func work(
        _ scenario: Scenario, _ chance: Chance, honest: [Int], equivocators: [Int]
    ) -> [Work] {
        guard !honest.isEmpty else { return [] }
        let load = scenario.workload
        var work: [Work] = []
        func draw(_ name: String) -> (time: Int64, node: Int) {
            var generator = chance.generator(for: name)
            let span = max(1, load.end - load.start)
            return (
                load.start + Int64(generator.unit() * Double(span)), honest[generator.below(honest.count)]
            )
        }
        for number in 0..<load.jobs {
            let (time, node) = draw("job \(number)")
            work.append(Work(time: time, node: node, kind: .job(number)))
            if number < load.cancels {
                work.append(Work(time: time + 400_000, node: node, kind: .cancel(job: number)))
            }
        }
        var generator = chance.generator(for: "senders")
        let senders = load.senders.map {
            (scenario.observers > 0
                ? Array(honest.prefix(max(1, scenario.nodes - scenario.observers))) : honest)
                .shuffled(using: &generator).prefix($0)
        }
        for number in 0..<load.entries {
            var (time, node) = draw("entry \(number)")
            if let senders, !senders.isEmpty {
                node = senders[number % senders.count]
                // Each has its own share of the time, and comes somewhere within it.
                let share = Int64(number) * (load.end - load.start)
                time = load.start + (time - load.start + share) / Int64(load.entries)
            }
            if !load.authors.isEmpty { node = load.authors[number % load.authors.count] }
            work.append(Work(time: time, node: node, kind: .entry(number)))
        }
        for number in 0..<load.warmup {
            let node = senders?.first ?? honest[0]
            let time = load.start - Int64(number + 1) * Duration.second
            work.append(Work(time: max(0, time), node: node, kind: .entry(load.entries + number)))
        }
        for number in 0..<load.graph {
            var (time, node) = draw("graph \(number)")
            // What is taken back later must have been something: those who sign two histories write too.
            if number % 3 == 2, !equivocators.isEmpty { node = equivocators[number / 3 % equivocators.count] }
            work.append(Work(time: time, node: node, kind: .graph(number)))
        }
        return work.sorted { ($0.time, $0.line) < ($1.time, $1.line) }
    }

    /// The same run with only some of its faults and work.
    public func keeping(faults: [Int], work: [Int]) -> Plan {
        var plan = self
        plan.faults = faults.filter(self.faults.indices.contains).map { self.faults[$0] }
        plan.work = work.filter(self.work.indices.contains).map { self.work[$0] }
        plan.keptFaults = faults
        plan.keptWork = work
        return plan
    }

    /// What misbehaves about a node; `nil` for an honest one.
    public func behaviour(of node: Int) -> Behaviour.Kind? {
        behaviours.first { $0.node == node }?.kind
    }

    /// What the scenario says of those with whom a node misbehaves; `nil` for an honest one.
    func misbehaviour(of node: Int) -> Scenario.Misbehaviour? {
        groups[node].map { scenario.misbehaviours[$0] }
    }
}
