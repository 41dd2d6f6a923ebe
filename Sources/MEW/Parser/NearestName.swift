/// Finds what somebody probably meant to write.
public enum NearestName {
    /// Names longer than this are compared with nothing.
    private static let lengthMax = 128

    /// The one of `names` that differs least from `name`: by two letters, or by a third of its length. Of several
    /// the first in order of their letters; `nil` when none is near.
    public static func of(_ name: String, among names: [String]) -> String? {
        let wanted = Array(name.lowercased().unicodeScalars)
        guard !wanted.isEmpty, wanted.count <= lengthMax else { return nil }
        let limit = max(2, wanted.count / 3)
        var best: (distance: Int, name: String)?
        for candidate in names where candidate != name {
            let letters = Array(candidate.lowercased().unicodeScalars)
            guard letters.count <= lengthMax, abs(letters.count - wanted.count) <= limit else { continue }
            let found = distance(wanted, letters)
            // Replacing every letter makes any short name of any other.
            guard found <= limit, found < max(wanted.count, letters.count) else { continue }
            if let best, (best.distance, best.name) <= (found, candidate) { continue }
            best = (found, candidate)
        }
        return best?.name
    }

    /// How many letters must be added, taken away, replaced or swapped with their neighbour.
    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for (row, letter) in a.enumerated() {
            var current = [row + 1]
            current.reserveCapacity(b.count + 1)
            for (column, other) in b.enumerated() {
                var least = last[column] + (letter == other ? 0 : 1)
                least = min(least, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, letter == b[column - 1], a[row - 1] == other {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current.append(least)
            }
            beforeLast = last
            last = current
        }
        return last[b.count]
    }
}
