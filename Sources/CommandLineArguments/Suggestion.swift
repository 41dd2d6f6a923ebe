/// Finds what somebody probably meant.
public enum Suggestion {
    /// The candidate nearest to `text`, if one is near enough to be a typing mistake.
    ///
    /// Ties go to the candidate that stands first.
    public static func nearest(to text: String, among candidates: [String]) -> String? {
        let allowed = max(1, min(3, text.count / 3))
        var best: (distance: Int, candidate: String)?
        for candidate in candidates {
            let distance = distance(text, candidate)
            if distance <= allowed, distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        if best == nil, text.count >= 3 {
            return candidates.first { $0.hasPrefix(text) }
        }
        return best?.candidate
    }

    /// Insertions, deletions, replacements and swaps of neighbours between two texts.
    static func distance(_ first: String, _ second: String) -> Int {
        let first = Array(first.lowercased().prefix(64))
        let second = Array(second.lowercased().prefix(64))
        var beforeLast: [Int] = []
        var last = Array(0...second.count)
        for (row, character) in first.enumerated() {
            var current = [row + 1]
            for (column, other) in second.enumerated() {
                var cost = min(
                    last[column + 1] + 1, current[column] + 1, last[column] + (character == other ? 0 : 1))
                if row > 0, column > 0, character == second[column - 1], first[row - 1] == other {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[second.count]
    }
}
