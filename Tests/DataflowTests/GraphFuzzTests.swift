import Dataflow
import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

/// Graph files that are spoilt at random and run as jobs.
///
/// A few hundred by default; `MESH_FUZZ_SECONDS=60` goes on for that long, from seeds that differ each time. A
/// failure names its seed, and `MESH_SEED` runs that one again.
@Suite("No graph breaks what runs it", .tags(.Size.small))
struct GraphFuzzTests {
    private static let clustered = """
        {"version": 1, "clusters": [{"id": "above", "inputs": [{"name": "a", "type": "number", "to": ["gt.a"]}],
        "parameters": [{"name": "limit", "type": "number", "default": 3}],
        "nodes": [{"id": "gt", "primitive": "gt"}, {"id": "limit", "primitive": "const_number",
        "parameters": {"value": {"parameter": "limit"}}}], "edges": [{"from": "limit.value", "to": "gt.b"}],
        "outputs": [{"name": "is", "from": "gt.result"}]}],
        "nodes": [{"id": "n", "primitive": "number_source", "parameters": {"value": 4}},
        {"id": "c", "cluster": "above", "parameters": {"limit": 2}}, {"id": "e", "primitive": "emit_if_true"},
        {"id": "d", "primitive": "debounce", "parameters": {"passes": 2}}, {"id": "x", "primitive": "count",
        "parameters": {"every": 2}}, {"id": "a", "primitive": "ack_action"}],
        "edges": [{"from": "n.value", "to": "c.a"}, {"from": "c.is", "to": "e.input"}, {"from": "c.is", "to": "d.input"},
        {"from": "e.event", "to": "x.event"}, {"from": "x.event", "to": "a.event"}],
        "outputs": [{"name": "is", "from": "c.is"}, {"name": "did", "from": "a.outcome"}]}
        """

    private static let fixtures: [JobFixture] = [
        .readings(), .computing(), .acting("append_file", #""path":"a","line":"b""#, through: "once"),
        .acting("submit_job", #""manifest":"{\"wasm\":\"b\",\"resource_amount\":1}""#, through: "once"),
        .acting("annotate_action", #""note":"n""#),
    ]

    private static let dictionary =
        PrimitiveRegistry.standard().manifests.map { "\"primitive\":\"\($0.id)\"" } + [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "//", "/*", "*/", "'", "NaN", "Infinity", "-0", "1e999",
            "9223372036854775808", "0.1", "true", "null", "\u{0}", "é", "😀", "\"id\":\"a\"",
            "\"cluster\":\"above\"",
            "\"version\":\"0.1.0\"", "\"stateless_triggers\":true", "\"inputs\":[\"x\"]", "\"from\":\"@x\"",
            "\"parameters\":{\"value\":1}", "{\"from\":\"a.result\",\"to\":\"a.a\"},", "n.value", "/", ".",
        ]

    private static let fuzzer = TextFuzzer(
        "graphs", corpus: fixtures.map(\.file) + [Array(clustered.utf8)], dictionary: dictionary
    ) { _ in nil }

    /// What does not hold of a file that is run as a job.
    private static func exercise(_ bytes: [UInt8]) -> [String] {
        var wrong: [String] = []
        // Both may be large, and the limits are what keeps them from it.
        var job = fixtures[1]
        job.request.arguments = ["--passes", "2"]
        job.request.limits = RunLimits(
            fuel: 5_000_000, memoryBytes: 16 << 20, outputBytes: 1 << 20, wallMilliseconds: 60_000)
        let module: @Sendable (RunRequest, [UInt8]) -> RunResult = { request, _ in
            RunResult(
                outcome: RunOutcome(.ok), metering: Metering(fuel: min(7, request.limits.fuel)),
                stdout: Array("3".utf8))
        }
        let result = job.run(bytes, wasm: module)
        if result != job.run(bytes, wasm: module) { wrong.append("two runs differ") }
        if result.metering.fuel > job.request.limits.fuel { wrong.append("too much fuel is charged") }
        let written =
            result.stdout.count + result.stderr.count + result.files.reduce(0) { $0 + $1.bytes.count }
        if written > 1 << 20 { wrong.append("\(written) bytes come out") }
        if result.outcome.outcomeClass.isNodeFault { wrong.append("it ends with \(result.outcome)") }
        if let text = String(validating: bytes, as: UTF8.self) { wrong += drawn(text, result) }
        return wrong
    }

    /// What does not hold of what else is made of a file.
    private static func drawn(_ text: String, _ result: RunResult) -> [String] {
        var wrong: [String] = []
        let source = GraphSource(text, byteCountMax: 16 << 20)
        if (source.prepared == nil) == source.faults.isEmpty { wrong.append("neither ready nor at fault") }
        if let graph = source.graph, graph.nodes.count < 1_000 {
            let drawing = GraphDrawing(graph, registry: source.registry)
            if drawing.dot.isEmpty || drawing.svg.isEmpty { wrong.append("nothing is drawn") }
            if GraphValidator.firstFault(graph, source.registry) == nil, source.prepared == nil {
                wrong.append("valid and not ready")
            }
        }
        if let capture = result.file("capture") {
            guard let prepared = source.prepared else { return wrong + ["a capture of no graph"] }
            let replayed = try? CaptureBundle.verify(capture, on: prepared)
            if replayed != .identical { wrong.append("its capture gives \(String(describing: replayed))") }
        }
        return wrong
    }

    private static func judge(_ bytes: [UInt8], _ seed: Seed) {
        TextFuzzer.record(exercise(bytes), of: bytes, seed)
    }

    @Test(
        "spoilt graphs end as a graph does, twice alike and within their limits, and what they leave replays",
        arguments: Seed.sample(300))
    func spoilt(_ seed: Seed) {
        for text in Self.fuzzer.texts(seed) { Self.judge(text, seed) }
    }

    @Test(
        "spoilt graphs do for as long as one likes",
        .enabled(if: TextFuzzer.seconds != nil, "MESH_FUZZ_SECONDS says for how long"))
    func long() {
        #expect(Self.fuzzer.runForLong(Self.judge) > 0)
    }
}
