/// A hybrid logical clock reading: wall milliseconds and a counter for what happens within one.
///
/// Readings of one feed rise strictly, and a reading is later than everything its author had seen
/// (Kulkarni et al., "Logical Physical Clocks", 2014).
public struct HybridTime: Hashable, Comparable, Sendable {
    public let milliseconds: Int64
    public let counter: UInt32

    /// The last reading there is; nothing is later.
    public static let last = HybridTime(milliseconds: .max, counter: .max)

    public init(milliseconds: Int64, counter: UInt32) {
        self.milliseconds = milliseconds
        self.counter = counter
    }

    public static func < (a: Self, b: Self) -> Bool {
        (a.milliseconds, a.counter) < (b.milliseconds, b.counter)
    }

    /// The wall instant of this reading.
    public var timestamp: Timestamp { Timestamp(milliseconds: milliseconds) }

    /// The earliest reading at or after `now` that is later than `seen`; ``last`` when there is none.
    public static func next(now: Timestamp, after seen: HybridTime?) -> HybridTime {
        guard let seen, seen.milliseconds >= now.milliseconds else {
            return HybridTime(milliseconds: now.milliseconds, counter: 0)
        }
        if seen.counter < .max {
            return HybridTime(milliseconds: seen.milliseconds, counter: seen.counter + 1)
        }
        if seen.milliseconds == .max { return last }
        return HybridTime(milliseconds: seen.milliseconds + 1, counter: 0)
    }
}
