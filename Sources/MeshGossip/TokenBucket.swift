internal import MeshCore

/// An allowance that refills steadily up to a burst.
///
/// It counts in thousandths, so that a rate for each second refills exactly with every millisecond.
struct TokenBucket: Hashable, Sendable {
    /// Units for each second.
    let rate: Int64
    /// The most thousandths of a unit that it holds.
    private let capacity: Int64
    private var level: Int64
    private var updated: Timestamp

    /// A full bucket.
    init(rate: Int64, burst: Int64, now: Timestamp) {
        precondition(rate > 0 && rate <= 1 << 40 && burst >= rate && burst <= 1 << 44, "a rate out of bounds")
        self.rate = rate
        capacity = burst * 1_000
        level = capacity
        updated = now
    }

    /// Takes `amount` out, if it is there.
    ///
    /// - Returns: Whether it was; nothing is taken when it was not.
    mutating func take(_ amount: Int, now: Timestamp) -> Bool {
        refill(now)
        let (cost, overflows) = Int64(clamping: amount).multipliedReportingOverflow(by: 1_000)
        guard !overflows, cost >= 0, cost <= level else { return false }
        level -= cost
        return true
    }

    /// Whether `amount` is there.
    mutating func holds(_ amount: Int, now: Timestamp) -> Bool {
        refill(now)
        var copy = self
        return copy.take(amount, now: now)
    }

    private mutating func refill(_ now: Timestamp) {
        let elapsed = now - updated
        // A clock that was set back gives nothing and takes nothing.
        updated = now
        guard elapsed > 0 else { return }
        let (gain, overflows) = elapsed.multipliedReportingOverflow(by: rate)
        level = overflows || gain >= capacity - level ? capacity : level + gain
    }
}
