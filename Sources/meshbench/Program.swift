internal import WasmRuntime

@main
enum Program {
    /// Every benchmark, in the order in which `run` without a name takes them.
    static let benches: [any Bench] = [CodecBench()]

    static func main() {
        WasmWorker.runIfRequested()
        for row in (try? WasmBench().run()) ?? [] { print(row) }
    }
}
