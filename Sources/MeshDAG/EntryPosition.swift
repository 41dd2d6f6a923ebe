public import MeshCore
public import MeshIdentity

/// Where an entry stands in the DAG: the key under which folds keep what it contributed.
///
/// The order is (time, author, seq, index): the same on every replica, whatever arrived first.
public struct EntryPosition: Hashable, Comparable, Sendable {
    public let author: DID
    public let scope: String
    public let seq: UInt64
    public let index: Int
    public let time: HybridTime

    public init(author: DID, scope: String, seq: UInt64, index: Int, time: HybridTime) {
        self.author = author
        self.scope = scope
        self.seq = seq
        self.index = index
        self.time = time
    }

    public static func < (a: Self, b: Self) -> Bool {
        if a.time != b.time { return a.time < b.time }
        if a.author != b.author { return a.author < b.author }
        if a.scope != b.scope { return a.scope.utf8.lexicographicallyPrecedes(b.scope.utf8) }
        return (a.seq, a.index) < (b.seq, b.index)
    }

    public var feed: FeedID { FeedID(author: author, scope: scope) }
}
