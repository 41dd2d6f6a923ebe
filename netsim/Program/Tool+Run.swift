internal import CommandLineArguments
internal import MeshSimulator

import Foundation

extension Flag {
    static let json = Flag("json", .toggle, "Print the result as JSON")
    static let signatures = Flag(
        "signatures", .text("KIND"), "digest or ed25519, instead of what the scenario says")
}

extension Scenario {
    /// Takes the kind of signatures that a user has asked for.
    mutating func sign(_ kind: String?) throws {
        guard let kind else { return }
        guard let known = Signatures(rawValue: kind) else {
            throw ToolError("there are no signatures “\(kind)”; there are digest and ed25519")
        }
        signatures = known
    }
}

extension Tool {
    static var run: Tool {
        Tool(
            command: Command(
                "run", "Run one scenario",
                flags: [
                    Flag("seed", .integer("N", 0...Int.max), "What decides the run", default: "1"),
                    Flag("trace", .text("FILE"), "Write what happens to a file"),
                    Flag("curves", .text("FILE"), "Draw how plain entries spread, as plot --curves does"),
                    Flag("nodes", .integer("N", 1...100_000), "Another number of nodes than the scenario's"),
                    .signatures, .json,
                ],
                operands: [Operand("SCENARIO", "A path, a name in netsim/scenarios, or swarm")],
                examples: ["netsim run first-job", "netsim run swarm --seed 17 --trace swarm.trace"])
        ) { arguments in
            let seed = UInt64(arguments.integer("seed") ?? 1)
            var scenario = try ScenarioFiles.scenario(arguments.operand("SCENARIO") ?? "", seed: seed)
            if let nodes = arguments.integer("nodes") { scenario.resize(nodes) }
            try scenario.sign(arguments.text("signatures"))
            let plan = Plan(scenario, seed: seed)
            let isJSON = arguments.has("json")
            if !isJSON { describe(plan) }
            let before = Usage.now
            let result = Simulation.run(plan, isTracing: arguments.has("trace"))
            let report = RunReport(result, seconds: Usage.now.seconds - before.seconds)
            if let file = arguments.text("trace"), let trace = result.trace {
                try trace.text.write(toFile: file, atomically: true, encoding: .utf8)
            }
            if let file = arguments.text("curves") {
                try Plot.curves(result).write(toFile: file, atomically: true, encoding: .utf8)
            }
            if isJSON {
                print(try report.json)
            } else {
                print(report.text)
                print(
                    "memory: peak \(Usage.now.peakKibibytes / 1024) MiB, \(max(0, Usage.now.peakKibibytes - before.peakKibibytes) / max(1, plan.nodeCount)) KiB for each node"
                )
            }
            return result.failures.isEmpty ? ExitStatus.done : ExitStatus.broken
        }
    }

    /// Prints what a plan holds, before anything happens.
    private static func describe(_ plan: Plan) {
        let scenario = plan.scenario
        print("\(scenario.name), seed \(plan.seed): \(scenario.about)")
        print(
            "\(scenario.nodes) nodes, \(scenario.members) members of whom \(scenario.threshold) must agree, latency \(scenario.network.latency), \(scenario.signatures.rawValue) signatures"
        )
        for (node, kind) in plan.behaviours.prefix(20) { print("  n\(node + 1) is a \(kind.rawValue)") }
        for fault in plan.faults.prefix(50) { print("  \(fault.line)") }
        if plan.faults.count > 50 { print("  and \(plan.faults.count - 50) more faults") }
        print("  \(plan.work.count) pieces of work")
    }
}

/// What this process has used.
struct Usage {
    let seconds: Double
    let peakKibibytes: Int

    static var now: Usage {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ value: timeval) -> Double { Double(value.tv_sec) + Double(value.tv_usec) / 1e6 }
        return Usage(
            seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), peakKibibytes: Int(usage.ru_maxrss))
    }
}

/// A result as it is printed.
struct RunReport: Encodable {
    let scenario: String
    let seed: UInt64
    let ok: Bool
    let failures: [String]
    let violations: [String]
    let converged: Double?
    let accepted: Int
    let verified: Int
    let acknowledged: Int
    let frames: Int
    let bytes: Int
    let steps: Int
    let virtualSeconds: Double
    let processorSeconds: Double
    /// Milliseconds from the first node to the last, for plain entries that reached all: median and longest.
    let spreadMedian: Double?
    let spreadLongest: Double?
    let entriesPushed: Int
    let hopsMedian: Int
    let hopsLongest: Int
    let redundancy: Double
    let reconciled: Int
    /// For each entry: where it went farthest, and its redundancy.
    let hops: [Int]
    let redundancies: [Double]
    let missed: Int
    /// Milliseconds until the last honest node had an entry: the middle one and the longest.
    let delayMedian: Int64
    let delayLongest: Int64
    let delivered: Double
    /// Seconds at which the last entry was confirmed that did not reach all within ten seconds.
    let lastLate: Double?
    let falseDeaths: Int

    init(_ result: RunResult, seconds: Double) {
        scenario = result.plan.scenario.name
        seed = result.plan.seed
        failures = result.failures
        ok = failures.isEmpty
        violations = result.violations.map(\.description)
        converged = result.convergedAt.map { Double($0) / 1e6 }
        accepted = result.statistics.accepted
        verified = result.statistics.verified
        acknowledged = result.statistics.acknowledged
        frames = result.statistics.frames
        bytes = result.statistics.bytes
        steps = result.statistics.steps
        virtualSeconds = Double(result.statistics.virtualTime) / 1e6
        processorSeconds = (seconds * 1000).rounded() / 1000
        let spreads = result.deliveries.compactMap { times -> Double? in
            guard times.count >= result.plan.scenario.nodes, let first = times.first, let last = times.last
            else { return nil }
            return Double(last - first) / 1000
        }.sorted()
        spreadMedian = spreads.isEmpty ? nil : spreads[spreads.count / 2]
        spreadLongest = spreads.last
        let broadcast = result.statistics.broadcast
        entriesPushed = broadcast.items
        hopsMedian = broadcast.hopsMedian
        hopsLongest = broadcast.hopsLongest
        redundancy = (broadcast.redundancy * 10_000).rounded() / 10_000
        hops = broadcast.courses.map(\.hops)
        redundancies = broadcast.courses.map { ($0.redundancy * 1_000).rounded() / 1_000 }
        reconciled = broadcast.reconciled
        missed = broadcast.missed
        delayMedian = broadcast.delayMedian / 1_000
        delayLongest = broadcast.delayLongest / 1_000
        delivered = (broadcast.delivered * 100_000).rounded() / 100_000
        lastLate = broadcast.lastLate.map { Double($0) / 1e6 }
        falseDeaths = result.statistics.falseDeaths
    }

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    var text: String {
        var lines = [
            "\(accepted) jobs accepted, \(verified) verified, \(acknowledged) entries confirmed",
            "\(frames) frames, \(bytes / 1024) KiB, \(steps) steps in \(virtualSeconds) s of virtual and \(processorSeconds) s of processor time",
            converged.map { "all well at \($0) s" } ?? "never all well",
        ]
        if let spreadMedian, let spreadLongest {
            lines.append(
                "plain entries reached every node in \(spreadMedian) ms (median), \(spreadLongest) ms (longest)"
            )
        }
        if entriesPushed > 0 {
            lines.append(
                "\(entriesPushed) entries pushed: last hop \(hopsMedian) (median), \(hopsLongest) (longest); redundancy \(redundancy); \(reconciled) deliveries by reconciliation, \(missed) missed"
            )
        }
        lines.append("live nodes were held for gone \(falseDeaths) times")
        lines += violations.map { "  \($0)" }
        lines.append(ok ? "ok" : "BROKEN: " + failures.joined(separator: "\n        "))
        return lines.joined(separator: "\n")
    }
}
