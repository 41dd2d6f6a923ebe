internal import IPLD
internal import MeshGossip

/// How the plain entries of a run spread down the broadcast tree.
///
/// The *redundancy* is the relative message redundancy of Plumtree (Leitão et al. 2007): how often an item was
/// pushed to a node, over all other nodes, less the one time that is needed.
public struct BroadcastFigures: Hashable, Sendable {
    /// Entries that were pushed.
    public var items = 0
    /// How often a node received an entry by a push.
    public var receptions = 0
    /// The links that the entry which went farthest had crossed where it came last.
    public var hopsLongest = 0
    /// The same for the entry in the middle.
    public var hopsMedian = 0
    public var redundancy = 0.0
    /// How often a node got an entry by reconciliation, because no push had brought it.
    public var reconciled = 0
    /// How often a node did not have an entry ``patience`` after it was confirmed.
    public var missed = 0
    /// How long entries took to the last honest node, in microseconds: the middle one and the slowest.
    public var delayMedian: Int64 = 0
    public var delayLongest: Int64 = 0
    /// The part of all deliveries that came within a minute.
    public var delivered = 1.0
    /// When, in microseconds, the last entry was confirmed that did not reach all within ``patience``.
    public var lastLate: Int64?
    /// For each entry, in the order of confirmation: where it went farthest, and its redundancy.
    public var courses: [Course] = []

    public struct Course: Hashable, Sendable {
        /// When it was confirmed, in microseconds.
        public let time: Int64
        public let hops: Int
        public let redundancy: Double
    }

    /// Microseconds.
    public static let patience: Int64 = 10_000_000

    public init() {}
}

/// What the network saw of each plain entry's way; off the nodes' own path.
struct BroadcastAccount {
    private struct Item {
        var receptions = 0
        /// By node: the hops of the first push, or `nil`.
        var hops: [UInt8?]
    }

    private var items: [CID: Item] = [:]

    /// Takes in a push's arrival at a node.
    mutating func arrived(_ entry: CID, hops: UInt8, at node: Int, of nodeCount: Int) {
        var item = items.removeValue(forKey: entry) ?? Item(hops: Array(repeating: nil, count: nodeCount))
        item.receptions += 1
        item.hops[node] = item.hops[node] ?? hops
        items[entry] = item
    }

    /// The figures over all entries that were confirmed to a client.
    func figures(_ history: History, nodes: [Int], since start: Int64) -> BroadcastFigures {
        var figures = BroadcastFigures()
        var last: [Int] = []
        var lost = 0
        var delays: [Int64] = []
        let jobs = Set(history.jobs.map(\.value.manifest))
        for entry in history.acknowledged where !jobs.contains(entry.cid) && entry.time >= start {
            let item = items[entry.cid] ?? Item(hops: Array(repeating: nil, count: (nodes.last ?? 0) + 1))
            figures.items += 1
            figures.receptions += item.receptions
            let farthest = Int(item.hops.compactMap(\.self).max() ?? 0)
            last.append(farthest)
            figures.courses.append(
                BroadcastFigures.Course(
                    time: entry.time, hops: farthest,
                    redundancy: Double(item.receptions) / Double(max(1, nodes.count - 1)) - 1))
            let arrivals = history.deliveries[entry.cid] ?? [:]
            delays.append(nodes.compactMap { arrivals[$0] }.max().map { $0 - entry.time } ?? 0)
            for node in nodes where node != entry.node {
                let isLate = arrivals[node].map { $0 > entry.time + BroadcastFigures.patience } ?? true
                if isLate {
                    figures.missed += 1
                    figures.lastLate = max(figures.lastLate ?? 0, entry.time)
                }
                if arrivals[node].map({ $0 > entry.time + 6 * BroadcastFigures.patience }) ?? true {
                    lost += 1
                }
                if item.hops[node] == nil, arrivals[node] != nil { figures.reconciled += 1 }
            }
        }
        delays.sort()
        figures.delayMedian = delays.isEmpty ? 0 : delays[delays.count / 2]
        figures.delayLongest = delays.last ?? 0
        last.sort()
        figures.hopsLongest = last.last ?? 0
        figures.hopsMedian = last.isEmpty ? 0 : last[last.count / 2]
        let needed = figures.items * (nodes.count - 1)
        figures.delivered = needed == 0 ? 1 : 1 - Double(lost) / Double(needed)
        figures.redundancy = needed == 0 ? 0 : Double(figures.receptions) / Double(needed) - 1
        return figures
    }
}

extension SharedFrame {
    /// The plain entry that this frame pushes first, with its hops; `nil` for any other frame.
    var pushedEntry: (entry: CID, hops: UInt8)? {
        guard type == .push, case .push(let anchor, let hops)? = try? Frame(type: type, body: body),
            let entry = anchor.entries.first
        else { return nil }
        return (CID(of: entry, codec: .dagCBOR), hops)
    }
}
