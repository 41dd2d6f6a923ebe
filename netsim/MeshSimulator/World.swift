internal import IPLD
internal import MeshCore
internal import MeshCrypto
internal import MeshDAG
internal import MeshEngine
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage

/// All nodes of one run, with their network, disks and clocks, driven by one queue of events.
///
///     event ──▶ node's inbox ──▶ engine's step ──▶ commit ──▶ effects ──▶ events
///
/// Used by one thread. Nothing in it walks a dictionary in an order that anyone could see.
final class World {
    enum Event {
        case arrival(SimulatedLink, to: Int, Parcel)
        indirect case input(node: Int, life: Int, EngineInput)
        case deadline(node: Int, life: Int)
        case sync(node: Int, life: Int)
        indirect case committed(node: Int, life: Int, [EngineEffect])
        indirect case dialArrives(from: Int, life: Int, to: Int, address: String, expecting: DID?)
        case linkTimeout(SimulatedLink, from: Int, since: Int64)
        case fault(Int, isStart: Bool)
        indirect case work(Plan.Work, attempt: Int)
        case misbehave(node: Int, life: Int)
        case probe
        case check
    }

    let plan: Plan
    let scenario: Scenario
    let verifier: RunVerifier
    let bundle: FederationBundle?
    private let pool = BlockPool()
    private(set) var nodes: [SimulatedNode] = []
    var queue = EventQueue<Event>()
    /// Microseconds since the start.
    private(set) var time: Int64 = 0
    var trace: Trace?
    var history = History()
    var broadcasts = BroadcastAccount()
    var nextLink: UInt64 = 1
    var nextRequest: UInt64 = 1
    var requests: [UInt64: Purpose] = [:]
    /// By place in the plan.
    var activeFaults: [Int] = []
    /// For each node, how many faults keep it down.
    var deaths: [Int]
    var didOrder: [DID: Int] = [:]
    /// The first instant at which everything was well after the faults.
    var convergedAt: Int64?
    var statistics = RunStatistics()
    let reader = ReplicaReader()
    /// What was found broken on the way.
    var findings: [Violation] = []
    /// One way between pairs of nodes, as far as they have been drawn.
    var latencies: [Int: Int64] = [:]
    let common = CommonFrames()
    /// Empty arrays with room, for the next step.
    var spareItems: [SimulatedNode.Item] = []
    var spareInputs: [EngineInput] = []

    /// Why the control API was asked.
    enum Purpose {
        case job(Int, Plan.Work, attempt: Int)
        case entry(Int, Plan.Work, CID, attempt: Int)
        case cancel(job: Int)
        case graph(Int, Plan.Work, attempt: Int)
        case probe(job: Int)
    }

    init(_ plan: Plan, isTracing: Bool) {
        self.plan = plan
        scenario = plan.scenario
        deaths = Array(repeating: 0, count: plan.nodeCount)
        trace = isTracing ? Trace() : nil
        let secret = plan.chance.seed(for: "signatures")
        var signers: [any Signer] = []
        for index in 0..<plan.nodeCount {
            switch scenario.signatures {
            case .digest: signers.append(DigestSigner(secret: secret, name: NodeName.text(index)))
            case .ed25519:
                let seed = SHA256.hash(DigestVerifier.bytes(plan.chance.seed(for: "key \(index)")))
                // Every 32 bytes are a seed; the other branch is for the type's sake.
                if let key = try? Ed25519PrivateKey(seed: seed) {
                    signers.append(Identity(key))
                } else {
                    signers.append(DigestSigner(secret: secret, name: NodeName.text(index)))
                }
            }
        }
        verifier =
            scenario.signatures == .digest
            ? .digest(DigestVerifier(secret: secret)) : .ed25519(Ed25519Verifier())
        bundle =
            scenario.members > 1
            ? try? FederationBundle.genesis(
                name: "simulated",
                members: signers.prefix(scenario.members).map { .init(did: $0.did, organisation: nil) },
                threshold: UInt64(scenario.threshold)) : nil
        for (index, signer) in signers.enumerated() {
            didOrder[signer.did] = index
            nodes.append(
                SimulatedNode(
                    index: index, signer: signer, settings: settings(index, signers),
                    behaviour: plan.behaviour(of: index), window: plan.windows[index] ?? 0..<Int64.max,
                    pool: pool,
                    generator: plan.chance.generator(for: "node \(index)")))
        }
        for index in plan.faults.indices {
            queue.push(.fault(index, isStart: true), at: plan.faults[index].start)
            queue.push(.fault(index, isStart: false), at: plan.faults[index].end)
        }
        for work in plan.work { queue.push(.work(work, attempt: 0), at: work.time) }
        queue.push(.probe, at: 5 * Duration.second)
        queue.push(.check, at: scenario.duration + 100 * Duration.millisecond)
    }

    private func settings(_ index: Int, _ signers: [any Signer]) -> NodeSettings {
        var settings = NodeSettings(name: NodeName.text(index))
        settings.federation = bundle
        settings.engine = HonestRun.engine
        settings.capacity = NodeProfile.Capacity(cpu: 4, memoryMiB: 1024, storageMiB: 1024)
        settings.computePrice = 800 + 10 * UInt64(index % 50)
        settings.peers = plan.peers[index].map {
            NodeSettings.Peer(address: Self.address($0), did: signers[$0].did)
        }
        settings.addresses = scenario.discovery ? [Self.address(index)] : []
        settings.alone = plan.nodeCount == 1
        if index >= scenario.nodes - scenario.observers, index < scenario.nodes { settings.roles = [] }
        settings.memberCountMax = scenario.memberCountMax ?? settings.memberCountMax
        settings.seed = plan.chance.seed(for: "engine \(index)")
        return settings
    }

    static func address(_ index: Int) -> String { "\(NodeName.text(index)).sim:7000" }

    /// The node that answers at an address.
    static func node(at address: String) -> Int? {
        guard let end = address.firstIndex(of: ".") else { return nil }
        return NodeName.index(String(address[..<end]))
    }

    // MARK: Running

    /// Runs until everything is well again after the faults, or the time for that is up.
    func run() {
        for node in nodes { start(node) }
        let end = scenario.duration + scenario.settle
        while convergedAt == nil, let next = queue.nextTime, next <= end, let (time, event) = queue.pop() {
            self.time = time
            statistics.events += 1
            handle(event)
        }
        statistics.virtualTime = time
    }

    private func handle(_ event: Event) {
        switch event {
        case .arrival(let link, let receiver, let parcel): arrived(parcel, link, receiver)
        case .input(let node, let life, let input):
            if nodes[node].life == life { enqueue(.input(input), nodes[node]) }
        case .deadline(let node, let life): deadline(nodes[node], life)
        case .sync(let node, let life):
            if nodes[node].life == life { sync(nodes[node]) }
        case .committed(let node, let life, let effects):
            if nodes[node].life == life { committed(nodes[node], effects) }
        case .dialArrives(let node, let life, let target, let address, let did):
            if nodes[node].life == life { dialArrives(nodes[node], target, address, did) }
        case .linkTimeout(let link, let node, let since): linkTimeout(link, node, since)
        case .fault(let index, let isStart): fault(index, isStart: isStart)
        case .work(let work, let attempt): perform(work, attempt: attempt)
        case .misbehave(let node, let life):
            if nodes[node].life == life { misbehave(nodes[node]) }
        case .probe: probe()
        case .check: check()
        }
    }

    func note(_ text: @autoclosure () -> String) { trace?.add(time, text()) }

    // MARK: Life and death

    func start(_ node: SimulatedNode) {
        guard !node.isUp else { return }
        node.isUp = true
        node.life += 1
        node.forgetTime()
        note("\(node.name) starts")
        restore(node)
        reschedule(node)
        if addsToWhatIsSaid(node) {
            let start = plan.misbehaviour(of: node.index)?.start ?? 0
            queue.push(
                .misbehave(node: node.index, life: node.life), at: max(start, time + Duration.second))
        }
    }

    /// Makes the engine out of what the disk holds.
    func restore(_ node: SimulatedNode) {
        let now = node.now(time)
        node.gone = []
        do throws(StorageError) {
            node.engine = EngineBox(
                try node.disk.write { writer throws(StorageError) in
                    try NodeEngine(
                        settings: node.settings, signer: node.signer, verifier: verifier, now: now,
                        restoring: writer)
                })
            node.disk.sync()
            node.retryAt = nil
        } catch {
            node.engine = nil
            node.disk.crash()
            retry(node)
        }
    }

    func retry(_ node: SimulatedNode) {
        node.retryAt = time + Duration.second
        queue.push(.deadline(node: node.index, life: node.life), at: time + Duration.second)
    }

    /// Ends the process at once: what was not synced is lost, and its connections are reset.
    func kill(_ node: SimulatedNode) {
        guard node.isUp else { return }
        note("\(node.name) dies, \(node.disk.unsyncedCount) changes unsynced")
        node.isUp = false
        node.life += 1
        node.engine = nil
        node.disk.crash()
        node.inbox = []
        node.isCommitting = false
        node.isSyncScheduled = false
        node.scheduledDeadline = nil
        loseHeld(of: node)
        for link in node.openLinks { close(link, at: node, isOrderly: false) }
        abandonRequests(of: node)
        history.forgetStatus(of: node.index)
    }
}
