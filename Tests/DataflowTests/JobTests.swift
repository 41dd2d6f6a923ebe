import Dataflow
import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@Suite("Graphs that run as jobs", .tags(.Size.small))
struct JobTests {
    @Test("a source reads an input of the job, and the pass's report is a line of standard output")
    func reads() throws {
        let result = JobFixture.readings().run()
        #expect(result.outcome == RunOutcome(.ok))
        #expect(
            result.text
                == #"{"outputs":{"numbers":{"series":[12.0,30.0,7.5,1000.0]},"size":{"number":16.0}},"acknowledgements":[],"commands":[]}"#
                + "\n")
        #expect(result.stderr.isEmpty && result.effects.isEmpty && result.files.map(\.name) == ["capture"])
    }

    @Test("stdin is an input like others, and a file that is no input does not exist")
    func names() throws {
        var job = JobFixture()
        job.node("in", "file", #""path":"stdin""#)
        job.node("none", "file", #""path":"nothing""#)
        for name in ["in", "none"] {
            job.output("\(name)-exists", "\(name).exists")
            job.output("\(name)-text", "\(name).text")
        }
        job.request.stdin = Array("hello".utf8)
        let given = job.run()
        #expect(given.text.contains(#""in-exists":{"bool":true},"in-text":{"string":"hello"}"#))
        #expect(given.text.contains(#""none-exists":{"bool":false},"none-text":{"string":""}"#))
        job.request.stdin = []
        #expect(job.run().text.contains(#""in-exists":{"bool":false}"#))
        // An empty one that the manifest names is there.
        job.request.stdinCID = CID(of: [], codec: .raw)
        #expect(job.run().text.contains(#""in-exists":{"bool":true}"#))
    }

    @Test("a blob is the input that its CID names, as the manifest calls it or by its bytes")
    func blob() throws {
        let bytes = Array("1 2 3".utf8)
        let list = CID(of: Array("a list of blocks".utf8), codec: .dagCBOR)
        for (cid, given) in [(CID(of: bytes, codec: .raw), nil), (list, list)] {
            var job = JobFixture()
            job.node("blob", "blob", "\"cid\":\"\(cid)\"")
            job.output("numbers", "blob.numbers")
            job.request.files = [RunRequest.InputFile(name: "data", bytes: bytes, cid: given)]
            #expect(job.run().text.contains("[1.0,2.0,3.0]"))
            job.request.files = []
            let without = job.run()
            #expect(without.outcome == RunOutcome(.exit, exitCode: 3))
            #expect(without.errors == "blob: no input of the job is \(cid) (validation_failed)\n")
        }
    }

    @Test("numbers stand between blanks, commas and semicolons; what is not finite or too long is no number")
    func numbers() {
        func numbers(_ text: String) -> FlowValue? {
            SourceValues.values(of: Array(text.utf8)).first { $0.port == "numbers" }?.value
        }
        #expect(numbers("1,2;3\t4\n5\r\n+6 -7 .5 0x10") == .series([1, 2, 3, 4, 5, 6, -7, 0.5, 16]))
        #expect(numbers("inf nan -inf 1e999 one 1x --1 1.2.3") == .series([]))
        #expect(numbers(String(repeating: "1", count: 1_025)) == .series([]))
        #expect(numbers("") == .series([]))
        let bytes: [UInt8] = [0xff, 0x31, 0x20, 0x32, 0xc3]
        #expect(
            SourceValues.values(of: bytes) == [
                PortValue("text", .string("\u{fffd}1 2\u{fffd}")), PortValue("numbers", .series([])),
                PortValue("size", .number(5)),
            ])
    }

    @Test("passes follow one another in one lifecycle, a millisecond apart from the job's instant")
    func lifecycle() throws {
        let job = JobFixture.acting(
            "append_file", #""path":"notes.txt","line":"seen""#, through: "once", passes: 3)
        let result = job.run()
        #expect(result.outcome == RunOutcome(.ok) && result.lines.count == 3)
        #expect(result.lines.map { $0.contains(#""outcome":{"event":"filled"}"#) } == [true, false, false])
        #expect(result.lines[2].contains(#""outcome":{"event":"skipped"}"#))
        #expect(result.file("notes.txt") == "seen\n")
        let capture = try CaptureBundle(reading: try #require(result.file("capture")))
        #expect(capture.events.map(\.time.milliseconds) == [0, 1, 2].map { 1_700_000_000_000 + $0 })
        #expect(capture.events.map(\.id) == ["tick-0", "tick-1", "tick-2"])
    }

    @Test("every stateful trigger remembers from pass to pass", arguments: ["debounce", "count"])
    func stateful(_ trigger: String) throws {
        var job = JobFixture.readings(passes: 5)
        if trigger == "debounce" {
            job.node("later", trigger, #""passes":3"#, ["input": "above.result"])
        } else {
            job.node("later", trigger, #""every":2"#, ["event": "when.event"])
        }
        job.node("act", "append_file", #""path":"log","line":"x""#, ["event": "later.event"])
        let result = job.run()
        #expect(result.file("log") == (trigger == "debounce" ? "x\n" : "x\nx\n"))
        #expect(
            result.lines.map { $0.contains("filled") }
                == (trigger == "debounce"
                    ? [false, false, true, false, false] : [false, true, false, true, false]))
    }

    @Test("the capture replays to the same bytes, with what modules gave in it")
    func replays() throws {
        for job in [
            JobFixture.acting("append_file", #""path":"n","line":"x""#, through: "once", passes: 4),
            JobFixture.computing(passes: 3), JobFixture.readings(passes: 1),
        ] {
            let result = job.run(wasm: Self.doubling)
            let capture = try #require(result.file("capture"))
            let graph = try JobGraph(
                job.file, arguments: job.request.arguments, memoryBytes: job.request.limits.memoryBytes)
            #expect(try CaptureBundle.verify(capture, on: graph.prepared) == .identical)
            // It is the document that the bundle itself writes.
            #expect(try CaptureBundle(reading: capture).replay(on: graph.prepared).json == capture)
        }
    }

    @Test("files of several actions are outputs by name, each line in the order of the actions")
    func files() {
        var job = JobFixture.readings(passes: 2)
        for (id, path) in [("c", "b.txt"), ("a", "b.txt"), ("b", "a.txt")] {
            job.node(id, "append_file", "\"path\":\"\(path)\",\"line\":\"\(id)\"", ["event": "when.event"])
        }
        let result = job.run()
        #expect(result.files.map(\.name) == ["a.txt", "b.txt", "capture"])
        #expect(result.file("b.txt") == "a\nc\na\nc\n" && result.file("a.txt") == "b\nb\n")
    }

    /// Gives twice the first number, and the series; uses 500 of fuel.
    static let doubling: @Sendable (RunRequest, [UInt8]) -> RunResult = { request, _ in
        let text = String(decoding: request.stdin, as: UTF8.self)
        let first = text.split(separator: "[")[1].split(separator: "]")[0]
        return RunResult(
            outcome: RunOutcome(.ok), metering: Metering(fuel: 500, memoryPeakBytes: 65_536),
            stdout: Array("{\"result\": \(2 * (Double(first) ?? 0)), \"series\": [1, 2.5]}".utf8))
    }
}

@Suite("Computes of graphs that run as jobs", .tags(.Size.small))
struct JobModuleTests {
    @Test("a module is an input, by name or by CID, and sees nothing but what is wired to it")
    func calls() throws {
        var job = JobFixture.computing()
        let seen = Seen()
        let named = job.run(wasm: { request, code in
            seen.note(request, code)
            return JobTests.doubling(request, code)
        })
        #expect(named.outcome == RunOutcome(.ok) && named.text.contains(#""result":{"number":32.0}"#))
        let (request, code) = try #require(seen.last)
        #expect(
            String(decoding: request.stdin, as: UTF8.self)
                == #"{"numbers":[16],"series":[12,30,7.5,1000],"flag":true}"#)
        #expect(code == Array("m".utf8) && request.code == CID(of: code, codec: .raw))
        #expect(request.entry == "run" && request.files.isEmpty && request.grant == nil)
        #expect(request.clockStart.milliseconds == 0 && request.randomSeed == request.code.digest)
        #expect(request.limits.fuel == 10_000_000)

        job = JobFixture.readings()
        job.node(
            "module", "wasm", "\"module\":\"\(request.code)\",\"function\":\"go\",\"fuel\":700",
            ["numbers": "readings.size"])
        job.output("result", "module.result")
        job.input("anything", "m")
        let byCID = job.run(wasm: { request, code in
            seen.note(request, code)
            return JobTests.doubling(request, code)
        })
        #expect(byCID.text.contains(#""result":{"number":32.0}"#))
        #expect(seen.last?.request.entry == "go" && seen.last?.request.limits.fuel == 700)
    }

    @Test("a module that is no input, ends badly or prints something else fails the pass")
    func fails() {
        var job = JobFixture.computing()
        job.request.files.removeLast()
        #expect(
            job.run().errors
                == "module: no input of the job is the module double.wasm (validation_failed)\n")
        job = .computing()
        func ended(_ outcome: RunOutcome, _ text: String = "") -> RunResult {
            job.run(wasm: { _, _ in
                RunResult(
                    outcome: outcome, metering: Metering(fuel: 9, memoryPeakBytes: 0),
                    stdout: Array(text.utf8))
            })
        }
        for (outcome, text, reason) in [
            (RunOutcome(.trap, trap: "unreachable"), "", "the module ended with trap unreachable"),
            (RunOutcome(.exit, exitCode: 1), "7", "the module ended with exit"),
            (RunOutcome(.fuel), "", "the module ended with fuel"),
            (RunOutcome(.ok), "seven", "the module printed neither a number nor results"),
            (RunOutcome(.ok), "", "the module printed neither a number nor results"),
            (RunOutcome(.ok), #"{"result":"7"}"#, "the module printed neither a number nor results"),
            (RunOutcome(.ok), #"{"series":[1,"2"]}"#, "the module printed neither a number nor results"),
            (RunOutcome(.ok), "inf", "the module printed neither a number nor results"),
        ] {
            let result = ended(outcome, text)
            #expect(result.outcome == RunOutcome(.exit, exitCode: 3))
            #expect(result.errors == "module: \(reason) (validation_failed)\n")
            #expect(result.lines.count == 1 && result.file("capture") != nil)
        }
        for (text, result) in [
            (" 7\n", "7.0"), (#"{"result":2,"more":[{}]}"#, "2.0"), (#"{"series":[1]}"#, "0.0"),
            (#"{"result":null}"#, "0.0"), ("-1.5e3", "-1500.0"),
        ] {
            #expect(ended(RunOutcome(.ok), text).text.contains("\"result\":{\"number\":\(result)}"))
        }
    }

    @Test(
        "what depends on the machine ends the job as it ended the module, so that nobody attests it",
        arguments: [
            RunOutcome(.time), RunOutcome(.engine, trap: "a worker died"), RunOutcome(.nodeResources),
            RunOutcome(.trap, trap: "stack_overflow"),
        ])
    func machines(_ outcome: RunOutcome) {
        let result = JobFixture.computing().run(wasm: { _, _ in
            RunResult(outcome: outcome, metering: Metering())
        })
        #expect(result.outcome == outcome && !result.outcome.isReplayable)
        #expect(result.metering.fuel == (outcome.outcomeClass.isNodeFault ? 0 : 100_000_000))
    }

    @Test("a module is charged its own fuel, and its whole limit after a trap or a limit")
    func fuel() {
        func used(_ outcome: RunOutcome, _ fuel: UInt64) -> UInt64 {
            let text = outcome.outcomeClass == .ok ? "1" : ""
            return JobFixture.computing(#","fuel":5000"#).run(wasm: { _, _ in
                RunResult(outcome: outcome, metering: Metering(fuel: fuel), stdout: Array(text.utf8))
            }).metering.fuel
        }
        #expect(used(RunOutcome(.ok), 900) - used(RunOutcome(.ok), 100) == 800)
        let exit = used(RunOutcome(.exit, exitCode: 1), 40)
        // "exit" and "trap" have as many letters, so that the reasons cost the same.
        #expect(used(RunOutcome(.trap), 40) - exit == 4_960)
    }

    @Test("a module may use what is left of the job's fuel and no more; the job is then out of fuel")
    func lastFuel() {
        var job = JobFixture.computing()
        job.request.limits.fuel = 60_000
        let seen = Seen()
        let result = job.run(wasm: { request, code in
            seen.note(request, code)
            return RunResult(
                outcome: RunOutcome(.fuel), metering: Metering(fuel: request.limits.fuel))
        })
        #expect(result.outcome == RunOutcome(.fuel) && result.metering.fuel == 60_000)
        #expect((1..<60_000).contains(seen.last?.request.limits.fuel ?? 0))
    }
}
