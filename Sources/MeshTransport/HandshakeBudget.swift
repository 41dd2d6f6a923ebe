/// How many connections one network prefix may still open: a token bucket for each.
///
/// A bucket that is full again is forgotten. Beyond 4,096 prefixes the rest share one bucket, so a
/// flood from everywhere costs bounded memory and leaves known neighbours their allowance.
package struct HandshakeBudget {
    private struct Bucket {
        var tokens: Double
        var refilled: ContinuousClock.Instant
    }

    private static let prefixCountMax = 4096
    private let rate: Double
    private let burst: Double
    private var buckets: [[UInt8]: Bucket] = [:]

    /// - Parameters:
    ///   - rate: Connections a second.
    ///   - burst: Connections at once.
    package init(rate: Int, burst: Int) {
        self.rate = Double(max(0, rate))
        self.burst = Double(max(1, burst))
    }

    /// Takes one connection out of the allowance of `prefix`, if there is one.
    package mutating func take(_ prefix: [UInt8], now: ContinuousClock.Instant) -> Bool {
        let isKnown = buckets[prefix] != nil
        let key = isKnown || buckets.count < Self.prefixCountMax ? prefix : []
        var bucket = buckets[key] ?? Bucket(tokens: burst, refilled: now)
        bucket.tokens = min(burst, bucket.tokens + rate * ((now - bucket.refilled) / .seconds(1)))
        bucket.refilled = now
        let isAllowed = bucket.tokens >= 1
        if isAllowed { bucket.tokens -= 1 }
        buckets[key] = bucket
        return isAllowed
    }

    /// Forgets the buckets that are full by now.
    package mutating func sweep(now: ContinuousClock.Instant) {
        guard !buckets.isEmpty else { return }
        let (rate, burst) = (rate, burst)
        buckets = buckets.filter {
            $0.value.tokens + rate * ((now - $0.value.refilled) / .seconds(1)) < burst
        }
    }
}
