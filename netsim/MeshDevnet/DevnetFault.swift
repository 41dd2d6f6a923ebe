internal import Synchronization

/// Something that goes wrong for a while among real daemons.
///
/// The fields are those of the simulator's faults, so that one file describes both.
public struct DevnetFault: Hashable, Sendable {
    /// `crash`, `pause`, `cut`, `partition`, `one-way`, `clog`, `loss` or `latency`; others are not to be had
    /// on real daemons.
    public var kind: String
    /// From the start of the network.
    public var start: Duration
    public var end: Duration
    /// By index.
    public var nodes: [Int]
    /// The other side, for faults between nodes.
    public var others: [Int]
    /// A probability for `loss`, milliseconds for `latency`.
    public var amount: Double

    public init(
        kind: String, start: Duration, end: Duration, nodes: [Int] = [], others: [Int] = [],
        amount: Double = 0
    ) {
        self.kind = kind
        self.start = start
        self.end = max(start, end)
        self.nodes = nodes
        self.others = others
        self.amount = amount
    }

    /// What can be done to real daemons.
    public static let kinds = ["crash", "pause", "cut", "partition", "one-way", "clog", "loss", "latency"]

    /// The directions in which it lets nothing pass.
    var blocked: [RuleTable.Direction] {
        guard ["partition", "one-way", "clog"].contains(kind) else { return [] }
        var directions: [RuleTable.Direction] = []
        for node in nodes {
            for other in others where other != node {
                directions.append(.init(sender: node, receiver: other))
                if kind != "one-way" { directions.append(.init(sender: other, receiver: node)) }
            }
        }
        return directions
    }

    /// One line: `partition node-1,node-2 | node-3`.
    public var line: String {
        func names(_ list: [Int]) -> String { list.map { "node-\($0 + 1)" }.joined(separator: ",") }
        var text = kind
        if !nodes.isEmpty { text += " " + names(nodes) }
        if !others.isEmpty { text += " | " + names(others) }
        if amount != 0 { text += " \(amount)" }
        return text
    }
}

/// Carries out faults on a network of daemons; those that overlap hold until the last of them is over.
public final class DevnetFaults: Sendable {
    private let devnet: Devnet
    private let active = Mutex<[DevnetFault]>([])

    public init(_ devnet: Devnet) { self.devnet = devnet }

    /// Begins one.
    ///
    /// - Returns: Whether there is such a thing on real daemons.
    @discardableResult
    public func begin(_ fault: DevnetFault) -> Bool {
        guard DevnetFault.kinds.contains(fault.kind) else { return false }
        active.withLock { $0.append(fault) }
        switch fault.kind {
        case "crash": for node in own(fault.nodes) { devnet.nodes[node].crash() }
        case "pause": for node in own(fault.nodes) { devnet.nodes[node].pause() }
        case "cut":
            for node in fault.nodes { for other in fault.others { devnet.relay?.reset(node, other) } }
        case "loss": devnet.relay?.setEveryRule { $0.loss = fault.amount }
        case "latency":
            devnet.relay?.setEveryRule { $0.latency = .constant(.milliseconds(fault.amount)) }
        default: block(fault.blocked, true)
        }
        return true
    }

    /// Ends one that was begun: processes start again, and what was blocked passes.
    ///
    /// - Throws: ``DevnetError`` when a daemon does not come back.
    public func end(_ fault: DevnetFault) throws(DevnetError) {
        let rest = active.withLock { active -> [DevnetFault] in
            if let index = active.firstIndex(of: fault) { active.remove(at: index) }
            return active
        }
        let still = rest.filter { $0.kind == fault.kind }
        switch fault.kind {
        case "crash":
            for node in own(fault.nodes) where !still.contains(where: { $0.nodes.contains(node) }) {
                try devnet.restart(node)
            }
        case "pause":
            for node in own(fault.nodes) where !still.contains(where: { $0.nodes.contains(node) }) {
                devnet.nodes[node].resume()
            }
        case "loss": devnet.relay?.setEveryRule { $0.loss = still.last?.amount ?? devnet.rule.loss }
        case "latency":
            devnet.relay?.setEveryRule {
                $0.latency = still.last.map { .constant(.milliseconds($0.amount)) } ?? devnet.rule.latency
            }
        default:
            let others = Set(rest.flatMap(\.blocked))
            block(fault.blocked.filter { !others.contains($0) }, false)
        }
    }

    private func own(_ nodes: [Int]) -> [Int] { nodes.filter(devnet.nodes.indices.contains) }

    private func block(_ directions: [RuleTable.Direction], _ isBlocked: Bool) {
        for direction in directions {
            devnet.relay?.setRule(from: direction.sender, to: direction.receiver) { $0.isBlocked = isBlocked }
        }
    }
}
