internal import MeshCore

extension Scenario {
    /// A scenario drawn from the seed: a swarm test takes a random subset of everything that can go
    /// wrong, because a run in which all of it happens hides what only some of it would show.
    public init(swarm seed: UInt64) {
        self.init()
        name = Self.swarmName
        about = "drawn from the seed"
        var generator = Chance(seed: seed).generator(for: "swarm")
        nodes = 3 + generator.below(18)
        members = min(nodes, 3 + generator.below(5))
        threshold = max(1, members / 2)
        degree = 2 + generator.below(3)
        // Blobs are fetched from whoever placed the job, who must therefore be known to be somewhere.
        discovery = true
        duration = Int64(30 + generator.below(61)) * Duration.second
        switch generator.below(4) {
        case 0: network.latency = .constant(Int64(1 + generator.below(150)) * 1_000)
        case 1: network.latency = .uniform(1_000...Int64(20 + generator.below(200)) * 1_000)
        case 2: network.latency = .exponential(mean: Int64(5 + generator.below(80)) * 1_000)
        default: network.latency = .lognormal(median: Int64(5 + generator.below(80)) * 1_000, spread: 0.6)
        }
        if generator.happens(0.3) { network.loss = Double(generator.below(5)) / 100 }
        if generator.happens(0.5) { network.frameLoss = 0.02 }
        sync = .constant(Int64(generator.below(10)) * 1_000)
        workload.jobs = generator.below(7)
        workload.entries = generator.below(12)
        workload.cancels = generator.happens(0.3) ? min(1, workload.jobs) : 0
        // From a source of its own, so that everything else is drawn as it always was.
        var graphGenerator = Chance(seed: seed).generator(for: "swarm graph")
        workload.graph = graphGenerator.happens(0.4) ? graphGenerator.below(14) : 0
        var childGenerator = Chance(seed: seed).generator(for: "swarm children")
        workload.children = childGenerator.happens(0.4)
        workload.bidWindow = generator.happens(0.3) ? 500 : 0
        workload.end = duration * 3 / 4
        let kinds = Fault.Kind.allCases.filter { $0 != .lyingDisk && generator.happens(0.4) }
        draws = [
            FaultDraw(
                count: 0...(2 + generator.below(8)), kinds: kinds, window: 0...duration,
                length: Duration.second...30 * Duration.second)
        ]
        // Fewer than the threshold, so that no lie may be believed.
        let liars = threshold - 1
        for kind in Behaviour.Kind.allCases where kind.isDrawn && generator.happens(0.15) {
            let most = kind.needsMembership ? liars : kind == .sybil ? 5 : 1
            guard most > 0, nodes > 3 else { continue }
            misbehaviours.append(Misbehaviour(kind: kind, nodes: [], count: 1 + generator.below(most)))
            if kind.needsMembership { break }
        }
    }
}
