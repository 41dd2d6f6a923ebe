internal import Foundation
internal import WasmRuntime

/// Measures what this project promises, each figure beside the raw library's in the same run.
@main
enum Program {
    /// Every benchmark, in the order in which `run` without a name takes them.
    static let benches: [any Bench] = [
        CodecBench(), StoreBench(), GraphBench(), SyncBench(), WasmBench(), ReceiptsBench(), JobsBench(),
        GossipBench(), ContractBench(), DataflowBench(), ExecutionBench(),
    ]

    static func main() {
        WasmWorker.runIfRequested()
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case "list" where arguments.count == 1:
            for bench in benches { print(bench.name.padded(to: 12) + bench.summary) }
        case "run":
            run(Array(arguments.dropFirst()))
        case "gossip":
            run(arguments)
        case "--help", "-h", "help":
            print(usage)
        default:
            stop(usage, status: 64)
        }
    }

    private static let usage = """
        usage: meshbench run [NAME] [--json FILE] [--peers]   measure everything, or one; exit 1 if a figure falls short
               meshbench gossip [--peers]                     the same as run gossip
               meshbench list                                 name the benchmarks
        --peers measures other programs of the kind in the same run: serf where it is installed, and for the graph
        Kuzu and Oxigraph, which are fetched from PyPI.
        """

    private static func run(_ arguments: [String]) {
        var chosen = benches
        var file = ".build/meshbench.json"
        var hasPeers = false
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--json" {
                guard let path = rest.popFirst() else { stop("--json needs a file", status: 64) }
                file = path
            } else if argument == "--peers" {
                hasPeers = true
            } else {
                chosen = benches.filter { $0.name == argument }
                guard !chosen.isEmpty else {
                    stop("no benchmark is named \(argument); `meshbench list` names them", status: 64)
                }
            }
        }
        if hasPeers {
            chosen = chosen.map { bench in
                switch bench {
                case is GossipBench: GossipBench(hasPeers: true)
                case is GraphBench: GraphBench(hasPeers: true)
                default: bench
                }
            }
        }
        do {
            var report = BenchReport()
            for bench in chosen { report.add(try bench.run(), of: bench.name) }
            print(report.table)
            try report.write(to: file)
            if report.fallsShort { exit(1) }
        } catch {
            stop("meshbench: \(error)", status: 70)
        }
    }

    private static func stop(_ text: String, status: Int32) -> Never {
        FileHandle.standardError.write(Data((text + "\n").utf8))
        exit(status)
    }
}
