public import CommandLineArguments
internal import Foundation
internal import Glibc

/// The command `devnet`: a network of real daemons to try things on, until Ctrl+C.
public enum DevnetProgram {
    /// What a scenario file says that real daemons can follow.
    public struct Script: Sendable {
        public var nodeCount: Int?
        public var duration: Duration?
        public var faults: [DevnetFault]
        /// What nodes do wrong, by index, as `meshd --misbehave` calls it.
        public var misbehaviours: [Int: String] = [:]
        /// What the scenario asks for and no daemon does.
        public var unknown: [String] = []

        public init(nodeCount: Int? = nil, duration: Duration? = nil, faults: [DevnetFault]) {
            self.nodeCount = nodeCount
            self.duration = duration
            self.faults = faults
        }
    }

    public static let command = Command(
        "devnet", "Run a network of real daemons behind relays that misbehave as told",
        discussion:
            "Every daemon is a meshd with a key, a store and a control socket of its own; all of it goes when the command ends.",
        flags: [
            Flag(
                "nodes", short: "n", .integer("N", 1...500), "How many daemons (default 3, or the scenario's)"
            ),
            Flag("latency", .duration, "How long bytes take from one node to another", default: "0"),
            Flag("loss", .text("PERCENT"), "Share of segments that are lost and sent again, such as 1%"),
            Flag(
                "bandwidth", .integer("BYTES", 1_000...1_000_000_000),
                "Bytes a second and direction of a link"),
            Flag("bad-nodes", .integer("K", 0...500), "How many of the nodes misbehave", default: "0"),
            Flag(
                "misbehave", .choice(misbehaviours),
                "How; may be repeated (default: each kind in turn)", repeatable: true),
            Flag("scenario", .text("FILE"), "Faults to carry out, from a scenario of the simulator"),
            Flag("duration", .duration, "End after this time instead of at Ctrl+C"),
            Flag("meshd", .text("PATH"), "The daemon (default: $MESHD, or meshd beside this program)"),
            Flag("seed", .integer("SEED", 0...Int.max), "Decides latencies and losses", default: "1"),
        ],
        examples: [
            "netsim devnet --nodes 5 --latency 50ms --loss 1%", "netsim devnet --nodes 7 --bad-nodes 2",
        ])

    /// What `meshd --misbehave` knows.
    static let misbehaviours = [
        "wrong-output", "wrong-fuel", "false-attest", "vanish", "equivocate", "flood",
    ]

    /// Runs it to its end.
    ///
    /// Blocks SIGINT and SIGTERM in this thread and all that it starts, so call it before making threads.
    /// - Parameters:
    ///   - arguments: What ``command`` parsed.
    ///   - script: The scenario that `--scenario` names, read by the caller.
    ///   - print: Takes one line of output.
    /// - Throws: `UsageError` or ``DevnetError``; everything that was started is ended then as well.
    public static func run(
        _ arguments: ParsedArguments, script: Script?, print: @escaping (String) -> Void
    ) throws {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM] { unsafe sigaddset(&signals, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        defer { unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil) }

        let plan = try plan(arguments, script)
        let devnet = try Devnet(plan)
        defer { devnet.end() }
        for kind in script?.unknown ?? [] { print("\(kind): not on real daemons") }
        print("starting \(plan.nodeCount) daemons of \(devnet.program)")
        try devnet.start()
        for line in table(devnet) { print(line) }
        print("")
        print("MESHCTL_SOCKET=\(devnet.nodes[0].socketPath) meshctl list-nodes")
        let limit = arguments.milliseconds("duration").map { Duration.milliseconds($0) } ?? script?.duration
        print(limit.map { "ends after \($0)" } ?? "Ctrl+C ends it")
        try follow(script?.faults ?? [], devnet, until: limit, signals, print)
        if let statistics = devnet.relay?.statistics {
            print(
                "relayed \(statistics.bytes) bytes on \(statistics.connections) connections, \(statistics.resets) reset"
            )
        }
    }

    private static func plan(_ arguments: ParsedArguments, _ script: Script?) throws -> Devnet.Plan {
        var plan = Devnet.Plan(nodeCount: arguments.integer("nodes") ?? script?.nodeCount ?? 3)
        let latency = arguments.milliseconds("latency") ?? 0
        if latency > 0 { plan.rule.latency = .constant(.milliseconds(latency)) }
        if let text = arguments.text("loss") { plan.rule.loss = try share(text) }
        plan.rule.bytesPerSecond = arguments.integer("bandwidth")
        plan.seed = UInt64(arguments.integer("seed") ?? 1)
        plan.program = arguments.text("meshd")
        let count = arguments.integer("bad-nodes") ?? 0
        guard count < plan.nodeCount else {
            throw UsageError("\(count) bad nodes of \(plan.nodeCount) leave no good one")
        }
        let kinds = arguments.texts("misbehave").isEmpty ? misbehaviours : arguments.texts("misbehave")
        plan.misbehaviours = script?.misbehaviours.filter { $0.key < plan.nodeCount } ?? [:]
        for number in 0..<count {
            plan.misbehaviours[plan.nodeCount - count + number] = kinds[number % kinds.count]
        }
        return plan
    }

    /// `1%` or `0.01`, as a share of 1.
    static func share(_ text: String) throws(UsageError) -> Double {
        let isPercent = text.hasSuffix("%")
        guard let number = Double(isPercent ? String(text.dropLast()) : text), number >= 0,
            number <= (isPercent ? 90 : 0.9)
        else { throw UsageError("--loss \(text) is not a share from 0 to 90%", hint: "write 1% or 0.01") }
        return isPercent ? number / 100 : number
    }

    /// One line for each node, under a heading.
    static func table(_ devnet: Devnet) -> [String] {
        var rows = [["NAME", "ADDRESS", "DID", "SOCKET", ""]]
        for node in devnet.nodes {
            rows.append([
                node.name, devnet.address(of: node.index), node.did, node.socketPath,
                node.misbehaviour.map { "misbehaves: \($0)" } ?? "",
            ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count + 2) }.joined()
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// Carries out faults at their times until `limit` or a signal.
    private static func follow(
        _ faults: [DevnetFault], _ devnet: Devnet, until limit: Duration?, _ signals: sigset_t,
        _ print: (String) -> Void
    ) throws {
        var signals = signals
        let start = ContinuousClock.now
        let carrier = DevnetFaults(devnet)
        var pending: [(time: Duration, fault: DevnetFault, isBegin: Bool)] = []
        for fault in faults {
            guard DevnetFault.kinds.contains(fault.kind) else {
                print("\(fault.kind): not on real daemons")
                continue
            }
            pending.append((fault.start, fault, true))
            if fault.kind != "cut" { pending.append((fault.end, fault, false)) }
        }
        // Of two at the same time, the end of one comes before the beginning of the other.
        pending.sort { $0.time != $1.time ? $0.time < $1.time : !$0.isBegin && $1.isBegin }
        var next = 0
        while true {
            let elapsed = ContinuousClock.now - start
            if let limit, elapsed >= limit { return }
            if next < pending.count, pending[next].time <= elapsed {
                let (time, fault, isBegin) = pending[next]
                next += 1
                if isBegin { carrier.begin(fault) } else { try carrier.end(fault) }
                print("\(time) \(isBegin ? "begin" : "end") \(fault.line)")
                continue
            }
            let due = [next < pending.count ? pending[next].time : nil, limit].compactMap { $0 }.min()
            let rest = due.map { max(.milliseconds(1), $0 - elapsed) } ?? .seconds(3_600)
            var timeout = timespec(
                tv_sec: Int(rest.components.seconds),
                tv_nsec: Int(rest.components.attoseconds / 1_000_000_000))
            if unsafe sigtimedwait(&signals, nil, &timeout) > 0 { return }
        }
    }
}
