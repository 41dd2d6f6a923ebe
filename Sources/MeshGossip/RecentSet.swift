/// Remembers the last `capacity` things it was told, to recognise repetitions.
public struct RecentSet<Element: Hashable & Sendable>: Sendable {
    private var known: Set<Element> = []
    private var ring: [Element] = []
    private var next = 0
    private let capacity: Int

    public init(capacity: Int) {
        self.capacity = capacity
    }

    public func contains(_ element: Element) -> Bool { known.contains(element) }

    /// Forgets `element` at once; its place in the order of ages is kept.
    public mutating func forget(_ element: Element) { known.remove(element) }

    /// Remembers `element`, forgetting the oldest when full.
    ///
    /// - Returns: Whether it was new.
    @discardableResult
    public mutating func insert(_ element: Element) -> Bool {
        guard known.insert(element).inserted else { return false }
        if ring.count < capacity {
            ring.append(element)
        } else {
            known.remove(ring[next])
            ring[next] = element
            next = (next + 1) % capacity
        }
        return true
    }
}
