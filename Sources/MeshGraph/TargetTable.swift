/// The entities that a large change's edges touch, numbered densely in order of their first appearance.
///
/// Open addressing with a bound on how far is looked: whoever chooses numbers so that they collide is told that
/// there is no place, and costs no more than others.
struct TargetTable {
    private static let probeCountMax = 32

    private(set) var ids: [UInt64] = []
    /// Dense numbers plus one; 0 is free.
    private var slots = [UInt32](repeating: 0, count: 16)
    private var shift: UInt64 = 60
    /// Whether more room did not help; it is not tried again.
    private var isFull = false

    /// The dense number of an entity that is there.
    @inline(__always)
    func find(_ id: UInt64) -> Int? {
        var slot = Int(truncatingIfNeeded: (id &* 0x9E37_79B9_7F4A_7C15) >> shift)
        for _ in 0..<Self.probeCountMax {
            let number = slots[slot]
            if number == 0 { return nil }
            if ids[Int(number) - 1] == id { return Int(number) - 1 }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Puts an entity that is not there; `nil` where it finds no place.
    mutating func insert(_ id: UInt64) -> Int? {
        if 2 * (ids.count + 1) > slots.count {
            if isFull || !grow() { return nil }
        }
        guard place(id, UInt32(ids.count + 1)) else { return nil }
        ids.append(id)
        return ids.count - 1
    }

    private mutating func place(_ id: UInt64, _ number: UInt32) -> Bool {
        var slot = Int(truncatingIfNeeded: (id &* 0x9E37_79B9_7F4A_7C15) >> shift)
        for _ in 0..<Self.probeCountMax {
            if slots[slot] == 0 {
                slots[slot] = number
                return true
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return false
    }

    /// Doubles the room; `false`, and everything as it was, where that does not help.
    private mutating func grow() -> Bool {
        let before = (slots, shift)
        slots = [UInt32](repeating: 0, count: 2 * slots.count)
        shift -= 1
        for (number, id) in ids.enumerated() where !place(id, UInt32(number + 1)) {
            (slots, shift) = before
            isFull = true
            return false
        }
        return true
    }

    mutating func removeAll() { self = TargetTable() }
}
