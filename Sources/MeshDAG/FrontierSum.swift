public import MeshCore
internal import MeshCrypto

/// The sum of the digests of a set of marks modulo 2²⁵⁶, with their count.
///
/// A mark can be taken out or put in without looking at the others, so a set that changes keeps its sum at
/// the cost of one hash for each change. Two sets of marks with the same sum and count are taken to be the
/// same: whoever wants to fool a replica would have to find marks, each with an anchor that its author
/// signed, whose digests add up.
public struct FrontierSum: Hashable, Sendable {
    /// From the least significant up.
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    /// How many digests are in the sum.
    public private(set) var count: UInt64 = 0

    /// The sum of nothing.
    public init() {}

    /// Puts a digest in.
    public mutating func add(_ digest: Bytes32) {
        let other = Self.number(digest)
        var carry = false
        (words.0, carry) = Self.sum(words.0, other.0, carry)
        (words.1, carry) = Self.sum(words.1, other.1, carry)
        (words.2, carry) = Self.sum(words.2, other.2, carry)
        (words.3, carry) = Self.sum(words.3, other.3, carry)
        count &+= 1
    }

    /// Takes out a digest that was put in before.
    public mutating func subtract(_ digest: Bytes32) {
        precondition(count > 0, "nothing is in the sum")
        let other = Self.number(digest)
        // a − b is a + ¬b + 1.
        var carry = true
        (words.0, carry) = Self.sum(words.0, ~other.0, carry)
        (words.1, carry) = Self.sum(words.1, ~other.1, carry)
        (words.2, carry) = Self.sum(words.2, ~other.2, carry)
        (words.3, carry) = Self.sum(words.3, ~other.3, carry)
        count &-= 1
    }

    /// SHA-256 of the sum and the count, which is what replicas compare.
    public var fingerprint: Bytes32 {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(40)
        for word in [words.3, words.2, words.1, words.0, count] { bytes.append(bigEndian: word) }
        return SHA256.hash(bytes)
    }

    private static func number(_ digest: Bytes32) -> (UInt64, UInt64, UInt64, UInt64) {
        let words = digest.wordsInMemoryOrder
        return (
            UInt64(bigEndian: words.3), UInt64(bigEndian: words.2), UInt64(bigEndian: words.1),
            UInt64(bigEndian: words.0)
        )
    }

    private static func sum(_ a: UInt64, _ b: UInt64, _ carry: Bool) -> (UInt64, Bool) {
        let (partial, first) = a.addingReportingOverflow(b)
        let (whole, second) = partial.addingReportingOverflow(carry ? 1 : 0)
        return (whole, first || second)
    }

    public static func == (a: Self, b: Self) -> Bool { a.words == b.words && a.count == b.count }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(count)
    }
}
