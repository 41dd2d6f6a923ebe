/// One figure of ours with, beside it, what the raw library gives in the same run.
struct BenchRow: Codable, Sendable {
    /// What was measured, such as `wasm jobs, 2 workers, fuel-metered`.
    let what: String
    let ours: Double
    /// `jobs/s`, `µs`, `MB/s`.
    let unit: String
    /// What stands beside it, such as `raw C loop, 2 processes`; `nil` where there is nothing to hold it against.
    let beside: String?
    let besideValue: Double?
    /// The least (for rates) or most (for times) that is asked for.
    let gate: Double?
    /// Whether a larger figure is the better one.
    let higherIsBetter: Bool
}

/// One benchmark by name, as `meshbench run NAME` calls it.
protocol Bench: Sendable {
    var name: String { get }
    /// One line for `--help`.
    var summary: String { get }
    /// Runs it; progress goes to stderr.
    func run() throws -> [BenchRow]
}

/// A failure of the benchmark itself, in one sentence.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
