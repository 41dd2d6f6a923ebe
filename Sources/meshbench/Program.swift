@main
enum Program {
    /// Every benchmark, in the order in which `run` without a name takes them.
    static let benches: [any Bench] = [CodecBench()]

    static func main() {
        for b in benches { do { for r in try b.run() { print(r.what, r.ours, r.besideValue ?? 0) } } catch { print(error) } }
    }
}
