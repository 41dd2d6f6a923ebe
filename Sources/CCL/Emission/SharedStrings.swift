/// Which strings occur within longer ones.
///
/// Strings are looked for by their first 1, 2, 4, 8 … bytes, as many as they have: for each such length one
/// rolling hash passes over all strings. That is at most 17 passes, and at each byte a bounded number of
/// comparisons; where there would be more, a string is stored although it occurs elsewhere.
struct SharedStrings {
    struct Home: Equatable {
        var number: Int
        var offset: Int
    }

    /// By the number of the string.
    private(set) var homes: [Home?]
    private let pool: StringPool
    /// How many bytes may still be compared; texts made to agree for long would cost their square otherwise.
    private var budget: Int

    /// How many strings are compared at one place.
    private static let comparisonMax = 8
    private static let base: UInt64 = 0x9E37_79B9_7F4A_7C15

    init(_ pool: StringPool) {
        self.pool = pool
        budget = pool.bytes.count * 16 + 65_536
        homes = [Home?](repeating: nil, count: pool.lengths.count)
        var classes = [[Int]](repeating: [], count: 64)
        for (number, length) in pool.lengths.enumerated() where length > 0 {
            classes[63 - length.leadingZeroBitCount].append(number)
        }
        for (exponent, members) in classes.enumerated() where !members.isEmpty {
            find(members, window: 1 << exponent)
        }
    }

    private mutating func find(_ members: [Int], window: Int) {
        var capacity = 16
        while capacity < members.count * 2 { capacity *= 2 }
        let shift = UInt64(64 - capacity.trailingZeroBitCount)
        // Chains of members, in the order of their first use.
        var heads = [Int](repeating: -1, count: capacity)
        var next = [Int](repeating: -1, count: members.count)
        for index in members.indices.reversed() {
            let slot = Int(
                truncatingIfNeeded: Self.mixed(hash(at: pool.starts[members[index]], window)) >> shift)
            next[index] = heads[slot]
            heads[slot] = index
        }
        var power: UInt64 = 1
        for _ in 0..<window { power = power &* Self.base }
        var missing = members.count
        for number in pool.lengths.indices where pool.lengths[number] > window {
            let start = pool.starts[number]
            let end = start + pool.lengths[number]
            var rolling = hash(at: start, window)
            var place = start
            while true {
                let slot = Int(truncatingIfNeeded: Self.mixed(rolling) >> shift)
                if heads[slot] >= 0 {
                    missing -= settle(members, &heads[slot], &next, at: place, in: number, end: end)
                    if missing == 0 { return }
                }
                guard place + window < end else { break }
                rolling =
                    rolling &* Self.base &+ UInt64(pool.bytes[place + window])
                    &- UInt64(pool.bytes[place]) &* power
                place += 1
            }
        }
    }

    /// Gives a home to those of a chain that lie at the place; they leave the chain.
    private mutating func settle(
        _ members: [Int], _ head: inout Int, _ next: inout [Int], at place: Int, in number: Int, end: Int
    ) -> Int {
        var found = 0
        var previous = -1
        var current = head
        var comparisons = 0
        while current >= 0, comparisons < Self.comparisonMax, budget > 0 {
            let member = members[current]
            let following = next[current]
            comparisons += 1
            let length = pool.lengths[member]
            if length < pool.lengths[number], place + length <= end, lies(member, at: place) {
                homes[member] = Home(number: number, offset: place - pool.starts[number])
                found += 1
                if previous < 0 { head = following } else { next[previous] = following }
            } else {
                previous = current
            }
            current = following
        }
        return found
    }

    private mutating func lies(_ member: Int, at place: Int) -> Bool {
        let start = pool.starts[member]
        let length = pool.lengths[member]
        var equal = 0
        while equal < length, pool.bytes[start + equal] == pool.bytes[place + equal] { equal += 1 }
        budget -= equal
        return equal == length
    }

    private func hash(at start: Int, _ window: Int) -> UInt64 {
        var hash: UInt64 = 0
        for byte in pool.bytes[start..<start + window] { hash = hash &* Self.base &+ UInt64(byte) }
        return hash
    }

    /// Spreads a hash to its upper bits, which choose the slot.
    private static func mixed(_ hash: UInt64) -> UInt64 {
        (hash ^ hash >> 29) &* 0xBF58_476D_1CE4_E5B9
    }
}
