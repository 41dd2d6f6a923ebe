internal import MeshCore
internal import MeshCrypto

/// What happened in a run, one line for each event, as plain text.
///
/// Two runs of one plan give the same bytes, in any process.
final class Trace {
    private(set) var lines: [String] = []

    func add(_ time: Int64, _ text: String) { lines.append("\(Duration.seconds(time)) \(text)") }
}

/// A trace as a file holds it: the header says what run it was, the rest what happened.
public struct TraceFile: Sendable {
    /// What traces are marked with; raised whenever their lines change.
    public static let version = "netsim-trace 1"

    /// Lines that start with `#`, without it.
    public var header: [String]
    public var lines: [String]

    /// The header of a plan's trace.
    init(_ plan: Plan, lines: [String]) {
        let scenario = plan.scenario
        var header = [
            Self.version, "scenario \(scenario.name)", "seed \(plan.seed)", "nodes \(scenario.nodes)",
            "signatures \(scenario.signatures.rawValue)", "latency \(scenario.network.latency)",
            "jitter \(scenario.network.jitter)", "sync \(scenario.sync)", "run \(scenario.run)",
        ]
        for (node, kind) in plan.behaviours {
            header.append("byzantine \(NodeName.text(node)) \(kind.rawValue)")
        }
        for (node, peers) in plan.peers.enumerated() where plan.nodeCount <= 100 {
            header.append("peers \(NodeName.text(node)) \(peers.map(NodeName.text).joined(separator: ","))")
        }
        if let kept = plan.keptFaults {
            header.append("keep-faults \(kept.map(String.init).joined(separator: ","))")
        }
        if let kept = plan.keptWork {
            header.append("keep-work \(kept.map(String.init).joined(separator: ","))")
        }
        header += plan.faults.map { "fault \($0.line)" }
        header += plan.work.map { "work \($0.line)" }
        header += scenario.source.split(separator: "\n", omittingEmptySubsequences: false).map { "| \($0)" }
        self.header = header
        self.lines = lines
    }

    /// Reads a file's text.
    ///
    /// - Returns: `nil` when it is not a trace of this version.
    public init?(text: String) {
        header = []
        lines = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            if line.hasPrefix("# ") {
                header.append(String(line.dropFirst(2)))
            } else {
                lines.append(String(line))
            }
        }
        guard header.first == Self.version else { return nil }
    }

    /// The file's text.
    public var text: String {
        (header.map { "# \($0)" } + lines).joined(separator: "\n") + "\n"
    }

    /// A digest of the text, to compare runs by.
    public var digest: String { Hexadecimal.encode(SHA256.hash(Array(text.utf8)).bytes.prefix(16)) }

    /// The value behind `name` in the header.
    public func value(_ name: String) -> String? {
        header.first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }

    /// The plan that the trace is of, made again from the header.
    ///
    /// - Returns: `nil` when the header lacks the scenario or the seed.
    public var plan: Plan? {
        guard let seed = value("seed").flatMap({ UInt64($0) }), let name = value("scenario") else {
            return nil
        }
        let source = header.filter { $0.hasPrefix("| ") }.map { String($0.dropFirst(2)) }
        var scenario: Scenario
        if name == Scenario.swarmName {
            scenario = Scenario(swarm: seed)
        } else {
            guard let read = try? Scenario(text: source.joined(separator: "\n"), name: name) else {
                return nil
            }
            scenario = read
        }
        if let nodes = value("nodes").flatMap({ Int($0) }), nodes != scenario.nodes { scenario.resize(nodes) }
        if let kind = value("signatures").flatMap(Scenario.Signatures.init) { scenario.signatures = kind }
        let plan = Plan(scenario, seed: seed)
        func indices(_ name: String, _ all: Range<Int>) -> [Int] {
            value(name)?.split(separator: ",").compactMap { Int($0) } ?? Array(all)
        }
        guard header.contains(where: { $0.hasPrefix("keep-") }) else { return plan }
        return plan.keeping(
            faults: indices("keep-faults", plan.faults.indices), work: indices("keep-work", plan.work.indices)
        )
    }
}

extension Scenario {
    /// The name of scenarios that are drawn from the seed alone.
    public static let swarmName = "swarm"

    /// Changes the number of nodes; a federation that no longer fits shrinks with it.
    public mutating func resize(_ count: Int) {
        let before = nodes
        nodes = count
        members = min(members, count)
        observers = max(0, observers - max(0, before - count))
        if members == 1 { members = 0 }
        threshold = max(1, min(threshold, members - 1))
    }
}
