internal import CommandLineArguments
internal import Foundation
internal import MeshCore
internal import MeshDevnet

/// One check as it runs: clients, their requests, and the router between the nodes.
final class MaelstromRun {
    /// What a client has asked and not been answered.
    private struct Request {
        let node: Int
        let value: Int?
        let begun: ContinuousClock.Instant
    }

    private let arguments: ParsedArguments
    private let router: MaelstromRouter
    private let nodeCount: Int
    private let isBroadcast: Bool
    private var generator: SeededGenerator
    private var report = MaelstromCheck.Report()
    private var open: [Int: Request] = [:]
    private var requestCount = 0
    private var finalReads: [Int: [Int]] = [:]
    private var isFinal = false
    private var acknowledgements = 0

    init(_ arguments: ParsedArguments, program: String) throws {
        self.arguments = arguments
        nodeCount = arguments.integer("nodes") ?? 25
        isBroadcast = arguments.text("workload") != "g-set"
        let seed = UInt64(arguments.integer("seed") ?? 1)
        generator = SeededGenerator(seed: seed)
        let shape = arguments.text("latency-shape").flatMap { MaelstromLatency.Shape(rawValue: $0) }
        router = try MaelstromRouter(
            program, ["--linger", arguments.text("linger") ?? "10ms"], count: nodeCount,
            latency: MaelstromLatency(mean: Self.time(arguments, "latency"), shape: shape ?? .constant),
            seed: seed &+ 1, log: nil)
    }

    private static func time(_ arguments: ParsedArguments, _ flag: String) -> Duration {
        .milliseconds(arguments.milliseconds(flag) ?? 0)
    }

    func run() throws -> MaelstromCheck.Report {
        defer { router.end() }
        try begin()
        try wait(Self.time(arguments, "warm-up"))
        let before = (router.serverMessageCount, router.serverByteCount)
        try load()
        report.serverMessages = router.serverMessageCount - before.0
        report.serverBytes = router.serverByteCount - before.1
        report.lostMessages = router.lostMessageCount
        try wait(Self.time(arguments, "settle"))
        isFinal = true
        for node in 0..<nodeCount { ask("read", node, value: nil) }
        try wait(.seconds(30)) { self.finalReads.count == self.nodeCount }
        guard finalReads.count == nodeCount else {
            throw DevnetError("only \(finalReads.count) of \(nodeCount) nodes answered the last read")
        }
        report.lost = report.history.lost(finalReads.map(\.value))
        return report
    }

    private func begin() throws {
        let list = MaelstromMessage.list(router.names.map(MaelstromMessage.quoted))
        for (node, name) in router.names.enumerated() {
            ask("init", node, value: nil, [("node_id", MaelstromMessage.quoted(name)), ("node_ids", list)])
        }
        try wait(.seconds(60)) { self.acknowledgements == self.nodeCount }
        guard acknowledgements == nodeCount else { throw DevnetError("not all nodes answered init") }
        guard isBroadcast else { return }
        // All are neighbours of all: the gossip makes its own choice.
        let all = router.names.map { "\(MaelstromMessage.quoted($0)):\(list)" }.joined(separator: ",")
        for node in 0..<nodeCount { ask("topology", node, value: nil, [("topology", "{\(all)}")]) }
        try wait(.seconds(60)) { self.acknowledgements == 2 * self.nodeCount }
    }

    /// Sends operations at the rate, and splits the network when it is time.
    private func load() throws {
        let length = Self.time(arguments, "time-limit")
        let interval = Duration.seconds(1) / (arguments.integer("rate") ?? 100)
        let start = ContinuousClock.now
        var next = start
        var value = 0
        while ContinuousClock.now - start < length {
            let elapsed = (ContinuousClock.now - start) / length
            let isSplit = arguments.has("partition") && (0.2..<0.325 ~= elapsed || 0.6..<0.725 ~= elapsed)
            if isSplit, router.sides.isEmpty {
                router.sides = (0..<nodeCount).map { _ in Bool.random(using: &generator) }
            } else if !isSplit {
                router.sides = []
            }
            while next <= .now {
                next += interval
                let node = Int.random(in: 0..<nodeCount, using: &generator)
                if Bool.random(using: &generator) {
                    ask("read", node, value: nil)
                } else {
                    report.history.asked(value, at: .now)
                    ask(
                        isBroadcast ? "broadcast" : "add", node, value: value,
                        [(isBroadcast ? "message" : "element", "\(value)")])
                    value += 1
                }
            }
            try move(until: next)
        }
        router.sides = []
    }

    private func wait(_ time: Duration, until condition: () -> Bool = { false }) throws {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end, !condition() { try move(until: end) }
    }

    private func move(until deadline: ContinuousClock.Instant) throws {
        try router.run(until: deadline)
        let replies = router.replies
        router.replies = []
        for reply in replies { take(reply) }
    }

    private func ask(_ type: String, _ node: Int, value: Int?, _ fields: [(String, String)] = []) {
        requestCount += 1
        open[requestCount] = Request(node: node, value: value, begun: .now)
        let all = [("msg_id", "\(requestCount)")] + fields
        router.send(
            MaelstromMessage.line(
                from: "c\(node)", to: router.names[node], type, all.map { (key: $0.0, json: $0.1) }),
            to: node)
    }

    private func take(_ reply: MaelstromMessage) {
        guard let number = reply.answered, let request = open.removeValue(forKey: number) else { return }
        switch reply.type {
        case "init_ok", "topology_ok": acknowledgements += 1
        case "broadcast_ok", "add_ok":
            if let value = request.value { report.history.acknowledged(value, at: .now) }
        case "read_ok":
            let values = reply.body[isBroadcast ? "messages" : "value"] as? [Int] ?? []
            if isFinal { finalReads[request.node] = values }
            report.history.read(values, begun: request.begun)
        default: report.refusals[reply.text("text") ?? reply.type, default: 0] += 1
        }
    }
}
