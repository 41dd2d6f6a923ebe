/// The smallest schedule that was found to break the same invariant.
public struct ShrunkRun: Sendable {
    public let result: RunResult
    /// How many runs it took.
    public let runs: Int
}

/// Takes away faults and work for as long as the same invariant stays broken: delta debugging
/// (Zeller and Hildebrandt, 2002), with a bound on the number of runs.
public enum Shrinking {
    /// Shrinks a run that broke `checker`.
    ///
    /// - Parameters:
    ///   - plan: The whole schedule.
    ///   - checker: What must stay broken.
    ///   - runsMax: How many runs it may take.
    /// - Returns: `nil` when the plan itself does not break it.
    public static func shrink(_ plan: Plan, keeping checker: Checker, runsMax: Int = 60) -> ShrunkRun? {
        var runs = 0
        var best: RunResult?
        var tried: Set<[Int]> = []
        // Faults come first in the numbering, work after them.
        let faults = plan.faults.count
        func breaks(_ kept: [Int]) -> Bool {
            guard runs < runsMax, tried.insert(kept).inserted else { return false }
            runs += 1
            let smaller = plan.keeping(
                faults: kept.filter { $0 < faults }, work: kept.filter { $0 >= faults }.map { $0 - faults })
            let result = Simulation.run(smaller)
            guard result.violations.contains(where: { $0.checker == checker }) else { return false }
            best = result
            return true
        }
        var kept = Array(0..<faults + plan.work.count)
        guard breaks(kept) else { return nil }
        kept = minimise(kept, breaks)
        return best.map { ShrunkRun(result: $0, runs: runs) }
    }

    /// Delta debugging: the smallest part of `items` found for which `breaks` still holds.
    static func minimise(_ items: [Int], _ breaks: ([Int]) -> Bool) -> [Int] {
        if breaks([]) { return [] }
        var items = items
        var parts = 2
        while items.count > 1 {
            let size = (items.count + parts - 1) / parts
            let starts = Array(stride(from: 0, to: items.count, by: size))
            let rests = starts.map { start in
                Array(items[..<start] + items[min(items.count, start + size)...])
            }
            if let smaller = rests.first(where: breaks) {
                items = smaller
                parts = max(2, parts - 1)
            } else if parts < items.count {
                parts = min(items.count, 2 * parts)
            } else {
                break
            }
        }
        return items
    }
}
