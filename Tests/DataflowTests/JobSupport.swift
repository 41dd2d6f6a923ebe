import Dataflow
import IPLD
import MeshCore
import MeshRuntime

/// A graph's file and the job around it, in short.
struct JobFixture {
    var nodes: [String] = []
    var edges: [String] = []
    var outputs: [String] = []
    var request = RunRequest(
        language: "dataflow", code: CID(of: [], codec: .raw),
        limits: RunLimits(
            fuel: 100_000_000, memoryBytes: 64 << 20, outputBytes: 16 << 20, wallMilliseconds: 60_000),
        clockStart: Timestamp(milliseconds: 1_700_000_000_000), randomSeed: CID(of: [], codec: .raw).digest,
        grant: RunGrant(resource: "compute", amount: 100, submissionCountMax: 32))

    mutating func node(
        _ id: String, _ primitive: String, _ parameters: String = "",
        _ inputs: KeyValuePairs<String, String> = [:]
    ) {
        nodes.append(
            "{\"id\":\"\(id)\",\"primitive\":\"\(primitive)\",\"parameters\":{\(parameters)}}")
        for (port, from) in inputs { edges.append("{\"from\":\"\(from)\",\"to\":\"\(id).\(port)\"}") }
    }

    mutating func output(_ name: String, _ from: String) {
        outputs.append("{\"name\":\"\(name)\",\"from\":\"\(from)\"}")
    }

    mutating func input(_ name: String, _ text: String) {
        request.files.append(RunRequest.InputFile(name: name, bytes: Array(text.utf8)))
    }

    var file: [UInt8] {
        Array(
            """
            {"version":1,"nodes":[\(nodes.joined(separator: ","))],"edges":[\(edges.joined(separator: ","))],
            "outputs":[\(outputs.joined(separator: ","))]}
            """.utf8)
    }

    /// Runs it; without modules unless `wasm` is given.
    func run(
        wasm: @escaping @Sendable (RunRequest, [UInt8]) -> RunResult = { _, _ in
            RunResult(outcome: RunOutcome(.engine, trap: "no module was expected"), metering: Metering())
        }, isOutOfTime: @escaping @Sendable () -> Bool = { false }
    ) -> RunResult {
        run(file, wasm: wasm, isOutOfTime: isOutOfTime)
    }

    func run(
        _ code: [UInt8],
        wasm: @escaping @Sendable (RunRequest, [UInt8]) -> RunResult = { _, _ in
            RunResult(outcome: RunOutcome(.engine, trap: "no module was expected"), metering: Metering())
        }, isOutOfTime: @escaping @Sendable () -> Bool = { false }
    ) -> RunResult {
        FlowJob.run(request, code: code, wasm: wasm, isOutOfTime: isOutOfTime)
    }

    /// The size of the input `readings`, and an event once it is above ten bytes.
    static func readings(_ text: String = "12, 30\n7.5 x 1e3", passes: Int? = nil) -> JobFixture {
        var it = JobFixture()
        it.node("readings", "file", "\"path\":\"readings\"")
        it.node("limit", "const_number", "\"value\":10")
        it.node("above", "gt", "", ["a": "readings.size", "b": "limit.value"])
        it.node("when", "emit_if_true", "", ["input": "above.result"])
        it.output("size", "readings.size")
        it.output("numbers", "readings.numbers")
        it.input("readings", text)
        if let passes { it.request.arguments = ["--passes", "\(passes)"] }
        return it
    }

    /// ``readings(_:passes:)`` with `action` behind the event.
    static func acting(
        _ action: String, _ parameters: String, through trigger: String? = nil, passes: Int? = nil
    ) -> JobFixture {
        var it = readings(passes: passes)
        if let trigger { it.node("once", trigger, "", ["event": "when.event"]) }
        it.node("act", action, parameters, ["event": trigger == nil ? "when.event" : "once.event"])
        it.output("outcome", "act.outcome")
        return it
    }

    /// A module of one byte over the size and the numbers of the readings.
    static func computing(_ parameters: String = "", passes: Int? = nil) -> JobFixture {
        var it = readings(passes: passes)
        it.node(
            "module", "wasm", "\"module\":\"double.wasm\"\(parameters)",
            ["numbers": "readings.size", "series": "readings.numbers", "flag": "above.result"])
        it.output("result", "module.result")
        it.input("double.wasm", "m")
        return it
    }
}

extension RunResult {
    var text: String { String(decoding: stdout, as: UTF8.self) }
    var errors: String { String(decoding: stderr, as: UTF8.self) }

    /// One line of stdout for each pass.
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    func file(_ name: String) -> String? {
        files.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }
}
