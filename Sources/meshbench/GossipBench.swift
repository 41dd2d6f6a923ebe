internal import ControlClient
internal import Foundation
internal import MeshAPI
internal import MeshDevnet
internal import Synchronization

/// How fast 32 daemons on loopback learn of something, and of the loss of one of them.
///
/// Everything is seen from outside: an event counts when the control API of a daemon has shown it.
struct GossipBench: Bench {
    let name = "gossip"
    let summary =
        "32 daemons: an event to all, a killed one and a silent one known to all; --peers sets serf beside"

    /// Whether serf runs beside.
    var hasPeers = false
    var nodeCount = 32
    private let eventCount = 30

    /// What one system shows; milliseconds.
    struct Figures {
        var events: [Double] = [] {
            didSet {
                eventMedian = events.median
                eventMax = events.max()
            }
        }
        private(set) var eventMedian: Double?
        private(set) var eventMax: Double?
        var kill: Loss?
        var silence: Loss?
        var residentMiB = 0.0
        var idleBytesPerSecond: Double?

        /// Of each figure the better one.
        func better(_ other: Figures) -> Figures {
            var best = self
            best.eventMedian = [eventMedian, other.eventMedian].compactMap { $0 }.min()
            best.eventMax = [eventMax, other.eventMax].compactMap { $0 }.min()
            best.kill = [kill, other.kill].compactMap { $0 }.min { $0.milliseconds < $1.milliseconds }
            best.silence = [silence, other.silence].compactMap { $0 }.min {
                $0.milliseconds < $1.milliseconds
            }
            best.residentMiB = min(residentMiB, other.residentMiB)
            return best
        }
    }

    /// From the death of a node to the last report of it, or to where waiting ended.
    struct Loss {
        let milliseconds: Double
        /// How many reported it, of how many that should.
        let reports: Int
        let witnesses: Int

        init(
            _ reports: [ContinuousClock.Instant], of witnesses: Int, since start: ContinuousClock.Instant,
            limit: Double
        ) {
            let isWhole = reports.count == witnesses
            milliseconds = isWhole ? ((reports.max() ?? start) - start) / .milliseconds(1) : limit * 1000
            self.reports = reports.count
            self.witnesses = witnesses
        }

        /// What a row's name adds when not all have reported.
        var note: String { reports == witnesses ? "" : " (NOT ALL: \(reports) of \(witnesses) until then)" }
    }

    func run() throws -> [BenchRow] {
        let ours = try measure()
        var serf: Figures?
        var note = "serf: not asked for (--peers)"
        if hasPeers {
            do {
                serf = try SerfCluster.measure(nodeCount: nodeCount, eventCount: eventCount)
                note = SerfCluster.label
            } catch {
                note = "serf: absent (\(error))"
            }
        }
        func row(
            _ what: String, _ ours: Double?, _ unit: String, _ besides: Double?, gate: Double?
        ) -> BenchRow? {
            ours.map {
                BenchRow(
                    what: "\(nodeCount) nodes: \(what)", ours: $0, unit: unit,
                    beside: serf != nil && besides == nil ? nil : note,
                    besideValue: besides, gate: gate, higherIsBetter: false)
            }
        }
        return [
            row("event to all, median", ours.eventMedian, "ms", serf?.eventMedian, gate: nil),
            row(
                "event to all, max of \(ours.events.count)", ours.eventMax, "ms", serf?.eventMax,
                gate: 25),
            row(
                "kill -9 of one known to all" + (ours.kill?.note ?? ""), ours.kill?.milliseconds, "ms",
                serf?.kill?.milliseconds, gate: 300),
            row(
                "silent death (SIGSTOP) known to all" + (ours.silence?.note ?? ""),
                ours.silence?.milliseconds,
                "ms",
                serf?.silence?.milliseconds, gate: 3_000),
            row("memory of a node, mean", ours.residentMiB, "MiB", serf?.residentMiB, gate: nil),
            row("idle traffic sent by a node, mean", ours.idleBytesPerSecond, "B/s", nil, gate: nil),
        ].compactMap { $0 }
    }

    // MARK: Ours

    private func measure() throws -> Figures {
        var plan = Devnet.Plan(nodeCount: nodeCount)
        plan.hasRelay = false
        plan.roles = ["submitter"]
        plan.memberCount = 0
        plan.logLevel = "warning"
        Self.say("starting \(nodeCount) daemons")
        let devnet = try Devnet(plan)
        defer { devnet.end() }
        try devnet.start()
        try devnet.awaitKnown(within: 120)
        let watch = EventWatch(devnet.nodes.map(\.socketPath))
        defer { watch.stop() }
        var figures = Figures()
        // Neighbours are found and links measured meanwhile; jobs that nobody runs would be called for again.
        Self.say("idle for fifteen seconds")
        Thread.sleep(forTimeInterval: 10)
        let before = try sentBytes(devnet)
        Thread.sleep(forTimeInterval: 5)
        figures.idleBytesPerSecond = max(0, try sentBytes(devnet) - before) / 5 / Double(nodeCount)
        figures.events = try events(devnet, watch)
        Self.say("slowest events: \(figures.events.sorted().suffix(5).map { Int($0) }) ms")
        figures.residentMiB = Self.residentMiB(devnet.nodes.compactMap(\.processID))

        Self.say("kill -9")
        figures.kill = loss(of: nodeCount - 1, devnet, watch, within: 20) { $0.kill() }
        Self.say("SIGSTOP")
        figures.silence = loss(of: nodeCount - 2, devnet, watch, within: 20) { $0.pause() }
        return figures
    }

    /// From a submission to its event at the last of all daemons, for many submissions at many daemons.
    private func events(_ devnet: Devnet, _ watch: EventWatch) throws -> [Double] {
        Self.say("\(eventCount) events")
        var times: [Double] = []
        // (module (func (export "run"))), which nobody runs: no node is an executor.
        let code: [UInt8] =
            [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 7, 1, 3, 0x72, 0x75, 0x6e]
            + [0, 0, 0x0a, 4, 1, 2, 0, 0x0b]
        for number in 0..<nodeCount + eventCount {
            let client = try HTTPControlClient(
                socketPath: devnet.nodes[number * 7 % devnet.nodes.count].socketPath)
            let blob: BlobView = try client.post("/v1/blobs", bytes: code)
            let request = SubmitRequest(wasm: blob.cid, description: "event \(number)", auto: true)
            let start = ContinuousClock.now
            let answer: SubmitResponse = try client.post("/v1/jobs", request)
            // The first of each node find streams and pages that are not ready, and form the tree.
            let isCold = number < nodeCount
            let seen = watch.times(about: answer.jobID, count: nodeCount, within: isCold ? 2 : 10)
            if !isCold {
                guard seen.count == nodeCount, let last = seen.last else {
                    throw BenchFailure(
                        "an event reached \(seen.count) of \(nodeCount) nodes within ten seconds")
                }
                times.append(Self.milliseconds(last - start))
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return times
    }

    /// From the loss of a node until all others that run report it.
    private func loss(
        of victim: Int, _ devnet: Devnet, _ watch: EventWatch, within seconds: Double,
        _ strike: (DevnetNode) -> Void
    ) -> Loss {
        let node = devnet.nodes[victim]
        let others = devnet.nodes[..<victim].filter { $0.isRunning && !$0.isPaused }
        let start = ContinuousClock.now
        strike(node)
        // Daemons that show how members fare are believed; of others the end of their links is looked for.
        let times =
            watch.knows("member.alive") || watch.knows("member.gone")
            ? watch.times(
                about: node.did, kind: "member.gone", count: others.count, within: seconds)
            : Self.linksEnded(with: node.did, others, within: seconds)
        return Loss(times, of: others.count, since: start, limit: seconds)
    }

    /// When each of `nodes` showed no link with `did` for the first time.
    private static func linksEnded(
        with did: String, _ nodes: [DevnetNode], within seconds: Double
    ) -> [ContinuousClock.Instant] {
        let found = Mutex<[ContinuousClock.Instant]>([])
        let group = DispatchGroup()
        let end = ContinuousClock.now + .seconds(seconds)
        for node in nodes {
            group.enter()
            let path = node.socketPath
            let thread = Thread {
                defer { group.leave() }
                guard let client = try? HTTPControlClient(socketPath: path) else { return }
                while ContinuousClock.now < end {
                    if let peers: [PeerView] = try? client.get("/v1/peers"),
                        !peers.contains(where: { $0.did == did && $0.state == "connected" })
                    {
                        found.withLock { $0.append(.now) }
                        return
                    }
                    Thread.sleep(forTimeInterval: 0.02)
                }
            }
            thread.stackSize = 512 << 10
            thread.start()
        }
        group.wait()
        return found.withLock { $0.sorted() }
    }

    private func sentBytes(_ devnet: Devnet) throws -> Double {
        var sum = 0
        for node in devnet.nodes {
            let peers: [PeerView] = try HTTPControlClient(socketPath: node.socketPath).get("/v1/peers")
            sum += peers.reduce(0) { $0 + ($1.counters["bytes_out"] ?? 0) }
        }
        return Double(sum)
    }

    // MARK: Shared

    static func say(_ text: String) { FileHandle.standardError.write(Data("gossip: \(text)\n".utf8)) }

    static func milliseconds(_ duration: Duration) -> Double { duration / .milliseconds(1) }

    /// The mean of what processes keep in memory.
    static func residentMiB(_ processes: [Int32]) -> Double {
        let sizes = processes.compactMap { process -> Double? in
            let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
            return line?.split(separator: " ").compactMap { Double($0) }.first.map { $0 / 1024 }
        }
        return sizes.isEmpty ? 0 : sizes.reduce(0, +) / Double(sizes.count)
    }
}

extension [Double] {
    /// The middle one; `nil` when there is none.
    var median: Double? { isEmpty ? nil : sorted()[count / 2] }
}
