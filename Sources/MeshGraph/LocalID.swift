/// The number by which one replica knows a node or an edge.
///
/// It never leaves the replica: two replicas number the same entity differently. Whatever is shown or sent is
/// an ``EntityID``. Virtual entities (``isVirtual``) are numbered by the query that meets them.
public struct LocalID: Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// A row of a system type, which has no record in the graph's tables.
    public var isVirtual: Bool { rawValue >> 63 == 1 }

    /// The virtual entity with this number.
    public static func virtual(_ number: UInt64) -> LocalID { LocalID(rawValue: 1 << 63 | number) }

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
