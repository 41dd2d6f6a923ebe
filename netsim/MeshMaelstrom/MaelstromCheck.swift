public import CommandLineArguments
internal import Foundation
internal import MeshCore
internal import MeshDevnet

/// The command `maelstrom-check`: many nodes under a load, over a network with latency and partitions.
///
/// It does what Maelstrom's `broadcast` and `g-set` workloads do and counts as they do, in a few hundred lines
/// of our own.
public enum MaelstromCheck {
    public static let command = Command(
        "maelstrom-check", "Check that nodes keep every acknowledged value, and measure messages and latency",
        discussion:
            "Starts the nodes as processes of `netsim maelstrom` and routes their messages. This is our own harness; the official Maelstrom is not run.",
        flags: [
            Flag("workload", .choice(["broadcast", "g-set"]), "What clients do", default: "broadcast"),
            Flag("nodes", short: "n", .integer("N", 1...100), "How many nodes", default: "25"),
            Flag(
                "rate", .integer("R", 1...10_000), "Operations a second, half of them reads", default: "100"),
            Flag("time-limit", .duration, "How long operations come", default: "20s"),
            Flag("latency", .duration, "Mean latency between nodes", default: "100ms"),
            Flag(
                "latency-shape", .choice(MaelstromLatency.Shape.allCases.map(\.rawValue)),
                "How latency is distributed", default: "constant"),
            Flag(
                "partition", .toggle, "Split the network into random halves, twice, for a quarter of the time"
            ),
            Flag("warm-up", .duration, "How long nodes may find each other before the load", default: "5s"),
            Flag("settle", .duration, "How long they may take after it", default: "10s"),
            Flag("linger", .duration, "Passed on to the nodes", default: "10ms"),
            Flag(
                "seed", .integer("SEED", 0...Int.max), "Decides operations, latencies and halves",
                default: "1"),
        ],
        examples: ["netsim maelstrom-check --nodes 25 --latency 100ms --rate 100"])

    /// What is asked of the usual setting, 25 nodes at 100 ms.
    static let messagesPerOperationMax = 30.0
    static let medianMax = Duration.milliseconds(400)
    static let latencyMax = Duration.milliseconds(600)

    /// What came of a check.
    struct Report {
        var history = MaelstromHistory()
        var lost: [Int] = []
        var refusals: [String: Int] = [:]
        var serverMessages = 0
        var serverBytes = 0
        var lostMessages = 0

        /// Whether every acknowledged value was kept and nothing was made up.
        var isValid: Bool {
            lost.isEmpty && history.invented.isEmpty && history.doubled.isEmpty
                && history.acknowledgedCount > 0
        }
    }

    /// Runs a check and prints what came of it.
    ///
    /// - Parameters:
    ///   - arguments: What ``command`` parsed.
    ///   - program: What is run as `program maelstrom`.
    ///   - print: Takes one line of output.
    /// - Returns: 0, or 4 when an acknowledged value was lost or something else is not as promised.
    /// - Throws: ``DevnetError`` when a node ends or does not answer.
    public static func run(
        _ arguments: ParsedArguments, program: String, print: (String) -> Void
    ) throws -> Int32 {
        let report = try MaelstromRun(arguments, program: program).run()
        for line in lines(report) { print(line) }
        return report.isValid ? 0 : 4
    }

    private static func lines(_ report: Report) -> [String] {
        let history = report.history
        let operations = max(1, history.addCount + history.readCount)
        let each = Double(report.serverMessages) / Double(operations)
        let latencies = history.stableLatencies
        let median = latencies.isEmpty ? .zero : latencies[latencies.count / 2]
        let longest = latencies.last ?? .zero
        func figure(_ number: Double) -> String { String(format: "%.1f", number) }
        func milliseconds(_ time: Duration) -> String { "\(Int(time / .milliseconds(1))) ms" }
        func verdict(_ isMet: Bool) -> String { isMet ? "ok" : "short" }
        var lines = [
            "operations: \(history.addCount) values (\(history.acknowledgedCount) acknowledged), \(history.readCount) reads",
            "messages between nodes: \(report.serverMessages) (\(report.serverBytes / 1024) KiB), \(report.lostMessages) lost to partitions",
            "messages per operation: \(figure(each)) (below \(figure(messagesPerOperationMax)): \(verdict(each < messagesPerOperationMax)))",
            "messages per value: \(figure(Double(report.serverMessages) / Double(max(1, history.addCount))))",
            "latency until stable: median \(milliseconds(median)) (below 400 ms: \(verdict(median < medianMax))), max \(milliseconds(longest)) (below 600 ms: \(verdict(longest < latencyMax)))",
        ]
        for (what, count) in report.refusals.sorted(by: { $0.key < $1.key }) {
            lines.append("refused \(count): \(what)")
        }
        if !report.lost.isEmpty { lines.append("LOST: \(report.lost.prefix(20))") }
        if !history.invented.isEmpty { lines.append("INVENTED: \(history.invented.sorted().prefix(20))") }
        if !history.doubled.isEmpty { lines.append("TWICE: \(history.doubled.sorted().prefix(20))") }
        lines.append(
            report.isValid
                ? "every acknowledged value is in the last read of every node" : "NOT AS PROMISED")
        lines.append("checked by our own harness; the official Maelstrom jar was not run")
        return lines
    }
}
