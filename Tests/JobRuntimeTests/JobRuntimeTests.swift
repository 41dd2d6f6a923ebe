import Dataflow
import Foundation
import IPLD
import JobRuntime
import MeshCore
import MeshRuntime
import MeshTestSupport
import Synchronization
import Testing
import WasmRuntime

/// A pool of real workers, and jobs for it.
private enum Scene {
    static let package = BuiltProgram.package

    private static let workerExecutable = BuiltProgram.path("meshd") ?? "meshd"

    private static let libraryPath = BuiltProgram.wasmtimeLibrary

    static let runtime = Result {
        JobRuntime(
            pool: try WasmWorkerPool(
                WasmRuntimeConfiguration(
                    libraryPath: libraryPath, workers: 2, workerExecutable: workerExecutable)))
    }

    static func assemble(_ text: String) throws -> [UInt8] {
        try WasmTextAssembler(libraryPath: libraryPath).assemble(text)
    }

    /// Prints as many bytes as it reads, as a number of two digits.
    static let counter = """
        (module
          (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (func (export "run")
            (i32.store (i32.const 0) (i32.const 64))
            (i32.store (i32.const 4) (i32.const 1000))
            (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
            (i32.store8 (i32.const 32)
              (i32.add (i32.const 48) (i32.div_u (i32.load (i32.const 8)) (i32.const 10))))
            (i32.store8 (i32.const 33)
              (i32.add (i32.const 48) (i32.rem_u (i32.load (i32.const 8)) (i32.const 10))))
            (i32.store (i32.const 0) (i32.const 32))
            (i32.store (i32.const 4) (i32.const 2))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
        """

    static func graph(_ function: String = "run", fuel: Int = 10_000_000) -> [UInt8] {
        Array(
            """
            {"version":1,"nodes":[
            {"id":"readings","primitive":"file","parameters":{"path":"readings"}},
            {"id":"count","primitive":"wasm","parameters":{"module":"count.wasm","function":"\(function)","fuel":\(fuel)}}],
            "edges":[{"from":"readings.numbers","to":"count.series"}],
            "outputs":[{"name":"bytes","from":"count.result"}]}
            """.utf8)
    }

    static func request(
        _ code: [UInt8], language: String = "dataflow", module: [UInt8] = [], wall: UInt64 = 20_000,
        passes: Int = 1
    ) -> RunRequest {
        RunRequest(
            language: language, code: CID(of: code, codec: .raw),
            arguments: language == "dataflow" ? ["--passes", "\(passes)"] : [],
            files: [
                .init(name: "readings", bytes: Array("1 2 3".utf8)), .init(name: "count.wasm", bytes: module),
            ],
            limits: RunLimits(
                fuel: 1_000_000_000, memoryBytes: 64 << 20, outputBytes: 1 << 20, wallMilliseconds: wall),
            clockStart: Timestamp(milliseconds: 1_700_000_000_000),
            randomSeed: CID(of: code, codec: .raw).digest)
    }
}

@Suite("Jobs whatever their language", .tags(.Size.medium))
struct JobRuntimeTests {
    /// `{"numbers":[],"series":[1,2,3],"flag":null}` has 43 bytes.
    @Test("a graph's modules run in the workers, with the same bytes and fuel in every run")
    func modules() throws {
        let runtime = try Scene.runtime.get()
        let (module, graph) = (try Scene.assemble(Scene.counter), Scene.graph())
        let request = Scene.request(graph, module: module, passes: 3)
        let result = runtime.run(request, code: graph)
        #expect(result.outcome == RunOutcome(.ok), "\(String(decoding: result.stderr, as: UTF8.self))")
        let line = #"{"outputs":{"bytes":{"number":43.0}},"acknowledgements":[],"commands":[]}"# + "\n"
        #expect(String(decoding: result.stdout, as: UTF8.self) == line + line + line)
        var again = runtime.run(request, code: graph)
        again.metering.wallMilliseconds = result.metering.wallMilliseconds
        #expect(again == result)
        // The module's own fuel is what a worker says that it is, three times.
        let alone = runtime.pool.run(
            ModuleCall.request(
                AdapterRequest(
                    node: "count", primitive: PrimitiveReference(id: "wasm"),
                    parameters: [ParameterBinding("function", .text("run"))]),
                [PortValue("series", .series([1, 2, 3]))], code: module, limits: request.limits),
            code: module)
        #expect(alone.stdout == Array("43".utf8))
        let capture = result.files[0].bytes.count
        let call = 1_000 + 43 + 1 + Int(alone.metering.fuel)
        let passes = 3 * (1_000 + 10 * 2 + 1 + (5 + 3 + 1 + 1) + call)
        let rest = 50 * graph.count + 100 * 3 + 20 * 5 + module.count + 10 * (result.stdout.count + capture)
        #expect(result.metering.fuel == UInt64(passes + rest))
    }

    @Test("the example runs: it notes and asks for its job once")
    func example() throws {
        let graph = [UInt8](
            try Data(
                contentsOf: Scene.package.appendingPathComponent("examples/dataflow/readings-job.json")))
        var request = Scene.request(graph, passes: 3)
        request.files[0] = RunRequest.InputFile(name: "readings", bytes: Array("12 30 7.5 9".utf8))
        request.grant = RunGrant(resource: "compute", amount: 200, submissionCountMax: 32)
        let result = try Scene.runtime.get().run(request, code: graph)
        #expect(result.outcome == RunOutcome(.ok))
        #expect(result.files.map(\.name) == ["capture", "notes.txt"])
        #expect(result.files[1].bytes == Array("the readings have more than 10 bytes\n".utf8))
        let mandelbrot = [UInt8](
            try Data(contentsOf: Scene.package.appendingPathComponent("examples/mandelbrot/mandelbrot.wasm")))
        #expect(result.submissions.map(\.code) == [CID(of: mandelbrot, codec: .raw)])
    }

    @Test("a module that traps or has no such function fails the pass, and nothing else does")
    func traps() throws {
        let runtime = try Scene.runtime.get()
        let graph = Scene.graph()
        for (text, reason) in [
            ("(module (func (export \"run\") unreachable))", "the module ended with trap unreachable"),
            ("(module (func (export \"go\")))", "the module ended with trap no_entry_point"),
        ] {
            let request = Scene.request(graph, module: try Scene.assemble(text))
            let result = runtime.run(request, code: graph)
            #expect(result.outcome == RunOutcome(.exit, exitCode: 3))
            #expect(
                String(decoding: result.stderr, as: UTF8.self) == "count: \(reason) (validation_failed)\n")
        }
        let result = runtime.run(Scene.request(graph, module: Array("text".utf8)), code: graph)
        #expect(
            String(decoding: result.stderr, as: UTF8.self)
                == "count: the module ended with trap module.not-wasm (validation_failed)\n")
    }

    @Test("the time limit is the job's, whoever of its modules uses it up")
    func time() throws {
        let runtime = try Scene.runtime.get()
        let graph = Scene.graph(fuel: 1_000_000_000_000)
        var request = Scene.request(
            graph, module: try Scene.assemble("(module (func (export \"run\") (loop (br 0))))"), wall: 200)
        request.limits.fuel = 1_000_000_000_000
        let result = runtime.run(request, code: graph)
        #expect(result.outcome == RunOutcome(.time))
        #expect(result.metering.fuel == request.limits.fuel)
    }

    @Test("many graphs at once, more than there are threads, each get their own result")
    func many() throws {
        let runtime = try Scene.runtime.get()
        let (module, graph) = (try Scene.assemble(Scene.counter), Scene.graph())
        let group = DispatchGroup()
        let ended = Mutex<[RunResult]>([])
        for passes in 1...20 {
            group.enter()
            runtime.submit(Scene.request(graph, module: module, passes: passes), code: { graph }) { result in
                ended.withLock { $0.append(result) }
                group.leave()
            }
        }
        // Modules of their own wait for none of them.
        let plain = runtime.run(Scene.request(module, language: "wasm"), code: module)
        #expect(plain.outcome.outcomeClass == .ok)
        group.wait()
        let lines = ended.withLock { $0.map { result in result.stdout.count { $0 == 0x0a } } }
        #expect(lines.sorted() == Array(1...20))
    }

    @Test("a language that nothing here runs ends the job, and so does code that is not at hand")
    func unknown() throws {
        let runtime = try Scene.runtime.get()
        let graph = Scene.graph()
        let request = Scene.request(graph, language: "cobol")
        let result = runtime.run(request, code: graph)
        #expect(result.outcome == RunOutcome(.trap, trap: "language.unknown"))
        #expect(result.metering.fuel == request.limits.fuel)
        let ended = Mutex<[RunOutcome]>([])
        runtime.submit(request, code: { graph }) { result in ended.withLock { $0.append(result.outcome) } }
        runtime.submit(Scene.request(graph), code: { nil }) { result in
            ended.withLock { $0.append(result.outcome) }
        }
        #expect(
            ended.withLock { $0 } == [
                RunOutcome(.trap, trap: "language.unknown"),
                RunOutcome(.engine, trap: "the graph is not at hand"),
            ])
        #expect(runtime.run(Scene.request(graph), code: graph + [0x20]).outcome.outcomeClass == .engine)
        #expect(runtime.engine.languages == ["wasm", "ccl", "dataflow"])
    }

    @Test("what is sent in the wrong language is told the right one")
    func wrongLanguage() throws {
        let runtime = try Scene.runtime.get()
        let (module, graph) = (try Scene.assemble(Scene.counter), Scene.graph())
        func refusal(_ language: String, _ code: [UInt8], entry: String? = nil) -> CodeRefusal? {
            runtime.refusal(
                of: CodeQuestion(
                    language: language, code: code, entry: entry, arguments: [],
                    limits: Scene.request(code).limits))
        }
        #expect(refusal("dataflow", graph) == nil && refusal("wasm", module) == nil)
        #expect(refusal("dataflow", module)?.hint == "--language wasm runs it")
        #expect(refusal("wasm", graph)?.hint == "a graph is submitted with --language dataflow")
        #expect(refusal("wasm", Array("text".utf8))?.hint == nil)
        #expect(refusal("dataflow", graph, entry: "run")?.code == "dataflow.argument")
        let spoilt = Array(String(decoding: graph, as: UTF8.self).replacing("\"wasm\"", with: "\"w\"").utf8)
        let refused = try #require(refusal("dataflow", spoilt))
        #expect(refused.code == "dataflow.missing-primitive" && refused.others == 0)
        let question = CodeQuestion(
            language: "dataflow", code: spoilt, entry: nil, arguments: [],
            limits: Scene.request(graph).limits)
        #expect(JobRuntime.inspect(question, moduleBytesMax: 1)?.code == refused.code)
    }
}
