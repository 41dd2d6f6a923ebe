/// Finds the name that somebody meant by a misspelt one.
public enum NearestName {
    /// Longer names are not compared: the work grows with the product of the lengths.
    private static let lengthMax = 64

    /// The candidate that the fewest slips of the keyboard turn `name` into, or `nil` when none is near.
    ///
    /// A slip is a letter too many, too few, another one, or two neighbours exchanged; one is allowed for every
    /// three letters, and at least one. Case does not count. Of equally near candidates the first in
    /// alphabetical order is taken, so that the answer never depends on the order of a dictionary.
    public static func of(_ name: String, among candidates: [String]) -> String? {
        let wanted = Array(name.lowercased().utf8)
        guard !wanted.isEmpty, wanted.count <= lengthMax else { return nil }
        let allowed = max(1, wanted.count / 3)
        var best: (distance: Int, name: String)?
        for candidate in candidates where candidate != name {
            let letters = Array(candidate.lowercased().utf8)
            guard letters.count <= lengthMax, abs(letters.count - wanted.count) <= allowed else { continue }
            let distance = distance(wanted, letters)
            // A name of which nothing is left is no correction.
            guard distance <= allowed, distance < max(wanted.count, letters.count) else { continue }
            if let found = best, (found.distance, found.name) <= (distance, candidate) { continue }
            best = (distance, candidate)
        }
        return best?.name
    }

    /// Edit distance with exchanged neighbours (optimal string alignment).
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in b.indices {
                var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
