internal import MeshCore
internal import MeshIdentity

/// A place between feeds in their order: public key ‖ scope, or any beginning of such bytes.
public struct FeedBound: Hashable, Comparable, Sendable {
    /// The longest a bound can be: a public key and the longest scope.
    public static let byteCountMax = 32 + Anchor.scopeByteCountMax

    public let bytes: [UInt8]

    /// Any bytes; only their order matters.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The place just before `feed`.
    public init(before feed: FeedID) {
        bytes = feed.author.publicKey.bytes + Array(feed.scope.utf8)
    }

    /// The shortest bound that has `feed` above it and `lower`, which is less, below it.
    public init(before feed: FeedID, after lower: FeedID) {
        let above = FeedBound(before: feed).bytes
        let below = FeedBound(before: lower).bytes
        var count = 0
        while count < below.count, count < above.count, above[count] == below[count] { count += 1 }
        bytes = Array(above.prefix(count + 1))
    }

    public static func < (a: Self, b: Self) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }

    /// Whether `feed` lies below this place.
    public func isAbove(_ feed: FeedID) -> Bool { FeedBound(before: feed) < self }
}
