internal import MeshCore

/// How long something takes, as a distribution over microseconds.
public enum Distribution: Hashable, Sendable, CustomStringConvertible {
    case constant(Int64)
    case uniform(ClosedRange<Int64>)
    case exponential(mean: Int64)
    /// `spread` is the standard deviation of the logarithm.
    case lognormal(median: Int64, spread: Double)

    /// The longest that is ever drawn: ten minutes.
    static let limit: Int64 = 600_000_000

    /// Draws one duration in microseconds, from 0 to ten minutes.
    func draw(_ generator: inout SeededGenerator) -> Int64 {
        let value: Double
        switch self {
        case .constant(let microseconds): return min(Self.limit, max(0, microseconds))
        case .uniform(let range):
            value = Double(range.lowerBound) + generator.unit() * Double(range.upperBound - range.lowerBound)
        case .exponential(let mean): value = -Double(mean) * Logarithm.natural(1 - generator.unit())
        case .lognormal(let median, let spread):
            value = Double(median) * Logarithm.exponential(max(-20, min(20, spread * generator.normal())))
        }
        return Int64(max(0, min(Double(Self.limit), value)))
    }

    public var description: String {
        switch self {
        case .constant(let value): "constant \(Duration.text(value))"
        case .uniform(let range):
            "uniform \(Duration.text(range.lowerBound)) to \(Duration.text(range.upperBound))"
        case .exponential(let mean): "exponential, mean \(Duration.text(mean))"
        case .lognormal(let median, let spread):
            "lognormal, median \(Duration.text(median)), spread \(spread)"
        }
    }
}

/// Spans of virtual time, in microseconds.
enum Duration {
    static let millisecond: Int64 = 1_000
    static let second: Int64 = 1_000_000

    /// Seconds with six digits behind the point: `12.345678`.
    static func seconds(_ microseconds: Int64) -> String {
        let digits = String(abs(microseconds % second))
        return (microseconds < 0 ? "-" : "") + String(abs(microseconds / second)) + "."
            + String(repeating: "0", count: 6 - digits.utf8.count) + digits
    }

    /// As scenarios write it: `1500ms`, `20s`, or `750us`.
    static func text(_ microseconds: Int64) -> String {
        if microseconds % second == 0 { return "\(microseconds / second)s" }
        if microseconds % millisecond == 0 { return "\(microseconds / millisecond)ms" }
        return "\(microseconds)us"
    }

    /// Reads ``text(_:)``, and minutes and hours: `10m`, `1h`.
    static func microseconds(_ text: String) -> Int64? {
        let units: [(String, Int64)] = [
            ("us", 1), ("ms", millisecond), ("s", second), ("m", 60 * second), ("h", 3600 * second),
        ]
        for (unit, factor) in units where text.hasSuffix(unit) {
            let number = text.dropLast(unit.count)
            guard !number.isEmpty, number.allSatisfy({ "0123456789.".contains($0) }) else { continue }
            let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            guard let whole = Int64(parts[0]), whole < 1_000_000_000 else { return nil }
            guard parts.count == 2 else { return whole * factor }
            let digits = parts[1].prefix(6)
            guard let fraction = Int64(digits) else { return nil }
            var scale: Int64 = 1
            for _ in digits { scale *= 10 }
            return whole * factor + fraction * factor / scale
        }
        return nil
    }
}
