/// Something that goes wrong for a while: one entry of a run's schedule.
///
/// A fault is whole: taking it out of the schedule takes out its end as well, which is what lets a
/// failing schedule be shrunk.
public struct Fault: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The links between ``Fault/nodes`` and ``Fault/others`` are reset once, at the start.
        case cut
        /// Nothing passes between ``Fault/nodes`` and ``Fault/others``; links that have data to send time out.
        case partition
        /// Nothing passes from ``Fault/nodes`` to ``Fault/others``.
        case oneWay = "one-way"
        /// Like a partition that no link ever times out of.
        case clog
        /// The process dies at the start, loses what was not synced, and starts again at the end.
        case crash
        /// The process stands still.
        case pause
        /// The clock is off by ``Fault/amount`` milliseconds.
        case skew
        /// Each commit takes ``Fault/amount`` milliseconds longer.
        case slowDisk = "slow-disk"
        /// No write finds room.
        case fullDisk = "full-disk"
        /// The disk says that it has synced, and has not: a crash loses what was confirmed. Never drawn in swarms.
        case lyingDisk = "lying-disk"
        /// Each segment is lost with the probability ``Fault/amount``, and sent again.
        case loss
        /// Each frame that may be dropped is, with the probability ``Fault/amount``.
        case frameLoss = "frame-loss"
        /// Each frame that may be dropped arrives twice with the probability ``Fault/amount``, the second time late.
        case duplicates

        /// Whether it is about ``Fault/others`` as well.
        var hasOthers: Bool {
            switch self {
            case .cut, .partition, .oneWay, .clog: true
            case .crash, .pause, .skew, .slowDisk, .fullDisk, .lyingDisk, .loss, .frameLoss, .duplicates:
                false
            }
        }

        /// Whether it is about the whole network.
        var isGlobal: Bool { self == .loss || self == .frameLoss || self == .duplicates }
    }

    public var kind: Kind
    /// Microseconds from the start of the run.
    public var start: Int64
    public var end: Int64
    /// By index; sorted.
    public var nodes: [Int]
    /// For a clog, empty means everyone else.
    public var others: [Int]
    /// Milliseconds or a probability, as the kind says.
    public var amount: Double

    public init(
        _ kind: Kind, start: Int64, end: Int64, nodes: [Int] = [], others: [Int] = [], amount: Double = 0
    ) {
        self.kind = kind
        self.start = start
        self.end = max(start, end)
        self.nodes = nodes.sorted()
        self.others = others.sorted()
        self.amount = amount
    }

    /// One line: `12.5 to 20.0 partition n01,n02 | n03`.
    public var line: String {
        var text = "\(Duration.seconds(start)) to \(Duration.seconds(end)) \(kind.rawValue)"
        if !nodes.isEmpty { text += " " + nodes.map(NodeName.text).joined(separator: ",") }
        if kind.hasOthers, !others.isEmpty {
            text += " | " + others.map(NodeName.text).joined(separator: ",")
        }
        if amount != 0 { text += " \(amount)" }
        return text
    }
}

/// What nodes are called: `n01` is the first.
enum NodeName {
    static func text(_ index: Int) -> String { index < 9 ? "n0\(index + 1)" : "n\(index + 1)" }

    static func index(_ text: String) -> Int? {
        guard text.hasPrefix("n"), let number = Int(text.dropFirst()), number > 0 else { return nil }
        return number - 1
    }
}

/// A wish for faults, to be drawn from the seed.
public struct FaultDraw: Hashable, Sendable {
    public var count: ClosedRange<Int>
    /// Sorted by their names, so that the order in a file does not matter.
    public var kinds: [Fault.Kind]
    /// When they begin.
    public var window: ClosedRange<Int64>
    public var length: ClosedRange<Int64>

    public init(
        count: ClosedRange<Int>, kinds: [Fault.Kind], window: ClosedRange<Int64>, length: ClosedRange<Int64>
    ) {
        self.count = count
        self.kinds = kinds.sorted { $0.rawValue < $1.rawValue }
        self.window = window
        self.length = length
    }
}
