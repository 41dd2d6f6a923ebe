/// Finds an execution by its uid, which stays where it stands in the log's bytes.
///
/// Open addressing; the hash is Swift's, keyed anew by every process, so that no log can choose collisions.
/// Nothing walks the table, so its order is never seen.
struct UIDTable: Sendable {
    /// Positions plus one; 0 is empty.
    ///
    /// The count is a power of two and at most half is used.
    private var slots: [UInt32] = [UInt32](repeating: 0, count: 1024)
    private var hashes: [UInt32] = []
    private var uids: [LogSlice] = []

    private static func hash(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
        var hasher = Hasher()
        var word: UInt64 = 0
        var index = range.lowerBound
        while index < range.upperBound {
            word = word << 8 | UInt64(bytes[index])
            index += 1
            if (index - range.lowerBound) & 7 == 0 {
                hasher.combine(word)
                word = 0
            }
        }
        hasher.combine(word)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// The position of the uid that `key[range]` spells, among those of `bytes`.
    func find(_ key: [UInt8], _ range: Range<Int>, in bytes: [UInt8]) -> Int? {
        let hash = Self.hash(key, range)
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            let position = Int(slots[slot] - 1)
            if hashes[position] == hash, LogFields.equal(bytes, uids[position].range, key, range) {
                return position
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Adds a uid that is not there yet, at the next position.
    mutating func add(_ uid: LogSlice, in bytes: [UInt8]) {
        hashes.append(Self.hash(bytes, uid.range))
        uids.append(uid)
        guard uids.count * 2 > slots.count else {
            place(uids.count - 1)
            return
        }
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for position in uids.indices { place(position) }
    }

    private mutating func place(_ position: Int) {
        let mask = slots.count - 1
        var slot = Int(hashes[position]) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(position + 1)
    }
}
