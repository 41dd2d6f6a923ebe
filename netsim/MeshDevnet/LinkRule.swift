internal import MeshCore

/// What happens to the bytes that one node sends to another.
///
/// Each direction of a connection has a rule of its own, so that a one-way partition is a rule of one
/// direction.
public struct LinkRule: Hashable, Sendable {
    /// How long bytes take.
    public var latency: Latency = .none
    /// The share of segments that are lost, from 0 to 1.
    ///
    /// TCP repairs a loss: what was lost, and all behind it, comes later by 200 ms, doubled for each
    /// further loss of the same segment. After ``lossesMax`` in a row the connection is reset.
    public var loss = 0.0
    /// The most bytes a second; `nil`: as fast as they come.
    public var bytesPerSecond: Int?
    /// Nothing passes and nobody is told: a partition in this direction.
    ///
    /// What is on its way waits.
    public var isBlocked = false
    /// Connections are reset and new ones refused.
    public var isCut = false

    /// The losses of one segment in a row that end a connection.
    public static let lossesMax = 8
    /// How long the first repair of a loss takes.
    static let retransmission: Duration = .milliseconds(200)
    static let segmentByteCount = 1_460

    public init(
        latency: Latency = .none, loss: Double = 0, bytesPerSecond: Int? = nil, isBlocked: Bool = false,
        isCut: Bool = false
    ) {
        self.latency = latency
        self.loss = loss
        self.bytesPerSecond = bytesPerSecond
        self.isBlocked = isBlocked
        self.isCut = isCut
    }

    /// How long losses hold up `byteCount` bytes; `nil` when the connection does not survive them.
    func repairTime(_ byteCount: Int, _ generator: inout SeededGenerator) -> Duration? {
        guard loss > 0 else { return .zero }
        var longest: Duration = .zero
        for _ in 0..<max(1, (byteCount + Self.segmentByteCount - 1) / Self.segmentByteCount) {
            var lost = 0
            while lost < Self.lossesMax, Double.random(in: 0..<1, using: &generator) < loss { lost += 1 }
            if lost == Self.lossesMax { return nil }
            // 200 ms + 400 ms + … as often as it was lost.
            longest = max(longest, Self.retransmission * ((1 << lost) - 1))
        }
        return longest
    }
}

/// How long bytes take from one node to another, drawn anew for each piece; pieces never overtake.
public enum Latency: Hashable, Sendable {
    case none
    case constant(Duration)
    case uniform(Duration, Duration)
    /// With this mean, never more than ten times as much.
    case exponential(Duration)

    /// One draw.
    func draw(_ generator: inout SeededGenerator) -> Duration {
        switch self {
        case .none: return .zero
        case .constant(let time): return time
        case .uniform(let least, let most):
            guard most > least else { return least }
            return least + (most - least) * Double.random(in: 0...1, using: &generator)
        case .exponential(let mean):
            return mean * min(10, Self.exponential(&generator))
        }
    }

    /// A draw from the exponential distribution of mean 1, by von Neumann's comparison of uniform draws: it
    /// needs no logarithm.
    private static func exponential(_ generator: inout SeededGenerator) -> Double {
        var whole = 0.0
        while whole < 10 {
            let first = Double.random(in: 0..<1, using: &generator)
            var last = first
            var isOdd = true
            while true {
                let next = Double.random(in: 0..<1, using: &generator)
                if next > last { break }
                last = next
                isOdd.toggle()
            }
            if isOdd { return whole + first }
            whole += 1
        }
        return whole
    }
}
