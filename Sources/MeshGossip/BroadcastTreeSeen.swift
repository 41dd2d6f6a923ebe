internal import IPLD

/// The last items that came, each with the hops it had come by.
struct BroadcastTreeSeen: Sendable {
    private var hopsByID: [CID: UInt8] = [:]
    private var ring: [CID] = []
    private var next = 0
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    func hops(_ id: CID) -> UInt8? { hopsByID[id] }

    /// Remembers `id`, forgetting the oldest when full.
    ///
    /// - Returns: Whether it was new.
    @discardableResult
    mutating func insert(_ id: CID, hops: UInt8) -> Bool {
        guard hopsByID[id] == nil else { return false }
        hopsByID[id] = hops
        if ring.count < capacity {
            ring.append(id)
        } else {
            hopsByID[ring[next]] = nil
            ring[next] = id
            next = (next + 1) % capacity
        }
        return true
    }
}
