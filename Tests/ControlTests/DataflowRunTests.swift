import ControlServer
import Foundation
import Glibc
import MeshAPI
import MeshTestSupport
import Synchronization
import Testing

@Suite("Runs of dataflow: webhooks, jobs, ticks, retries and deadlines", .tags(.Size.medium))
struct DataflowRunTests {
    private func here(
        _ answers: [String: [ControlResponse]] = [:], _ body: (FlowFolder) throws -> Void
    ) throws {
        let daemon = try ScriptedDaemon(answers)
        defer { daemon.stop() }
        try body(try FlowFolder(daemon))
    }

    // MARK: Webhooks

    @Test(
        "a webhook below an allowed url is called with its body, and one elsewhere is not and names the flag")
    func webhook() throws {
        let server = try LoopbackServer()
        defer { server.stop() }
        try here { folder in
            let graph = try folder.write("g.json", FlowFolder.calling(server.url("/hooks/a"), body: "a line"))
            let called = folder.run(
                "dataflow", "run", graph, "--perform", "--allow-webhook", server.url("/other"),
                "--allow-webhook", server.url("/hooks"))
            #expect(called.status == 0 && called.output.contains("action call (webhook) filled"), "\(called)")
            #expect(server.requests.map(\.body) == ["a line"] && server.requests.map(\.method) == ["POST"])
            for allowed in [
                [], ["--allow-webhook", server.url("/hook")], ["--allow-webhook", "http://localhost"],
            ] {
                let words = ["dataflow", "run", graph, "--perform", "--root", folder.path] + allowed
                let refused = folder.daemon.run(words: words)
                #expect(refused.status == 3 && refused.output.contains("--allow-webhook"), "\(refused)")
                #expect(refused.output.contains("(validation_failed)"))
            }
            let tried = folder.run("dataflow", "run", graph, "--allow-webhook", server.url())
            #expect(tried.status == 0 && tried.output.contains("attempted"))
            #expect(server.requests.count == 1, "without --perform nothing is called")
            for odd in ["http://user@host", "ftp://host", "http://host/?q=1", "host"] {
                let wrong = folder.run("dataflow", "run", graph, "--allow-webhook", odd)
                #expect(wrong.status == 64 && wrong.messages.contains("--allow-webhook"), "\(wrong)")
            }
        }
    }

    @Test("what a webhook answers decides what became of the action")
    func answers() throws {
        let line = Mutex("200 OK")
        let server = try LoopbackServer { _ in .status(line.withLock { $0 }) }
        try here { folder in
            let graph = try folder.write("g.json", FlowFolder.calling(server.url("/")))
            for (answer, status, said) in [
                ("204 No Content", Int32(0), "filled"), ("404 Not Found", 0, "rejected"),
                ("302 Found", 3, "(validation_failed)"), ("500 Oh", 3, "(runtime_error)"),
                ("", 3, "(runtime_error)"),
            ] {
                line.withLock { $0 = answer }
                let run = folder.run("dataflow", "run", graph, "--perform", "--allow-webhook", server.url())
                #expect(run.status == status && run.output.contains(said), "\(answer): \(run)")
            }
            server.stop()
            let gone = folder.run("dataflow", "run", graph, "--perform", "--allow-webhook", server.url())
            #expect(gone.status == 3 && gone.output.contains("(adapter_unavailable)"), "\(gone)")
        }
    }

    // MARK: Jobs

    @Test("a job's input is its stdin: stored as a blob, and named in what is submitted")
    func submitJob() throws {
        let answers: [String: [ControlResponse]] = [
            "POST /v1/blobs": [.json(BlobView(cid: "bafkreiinput", size: 6), status: 201)],
            "POST /v1/jobs": [
                .json(SubmitResponse(jobID: Sample.jobID, manifestCID: "bafyreim"), status: 201)
            ],
        ]
        func graph(_ manifest: String, _ input: String) -> String {
            let quoted = manifest.replacingOccurrences(of: "\"", with: "\\\"")
            return FlowFolder.acting([
                ("job", "submit_job", "{ \"manifest\": \"\(quoted)\", \"input\": \"\(input)\" }")
            ])
        }
        try here(answers) { folder in
            let plain =
                "{\"wasm\":\"bafkreicode\",\"inputs\":[{\"name\":\"a\",\"cid\":\"bafkreia\",\"size\":1}]}"
            let one = folder.run(
                "dataflow", "run", try folder.write("a.json", graph(plain, "a line")), "--perform")
            #expect(one.status == 0, "\(one)")
            let request = try #require(try folder.daemon.posted("/v1/jobs", as: SubmitRequest.self).first)
            #expect(
                request.inputs == [
                    InputReference(name: "a", cid: "bafkreia", size: 1),
                    InputReference(name: "stdin", cid: "bafkreiinput", size: 6),
                ])
            let uploads = folder.daemon.requests.filter { $0.path == "/v1/blobs" }.map(\.body)
            #expect(uploads == [Array("a line".utf8)])
            let none = folder.run(
                "dataflow", "run", try folder.write("b.json", graph("{\"wasm\":\"bafkreicode\"}", "")),
                "--perform")
            #expect(none.status == 0)
            let second = try #require(try folder.daemon.posted("/v1/jobs", as: SubmitRequest.self).last)
            #expect(second.inputs == nil && folder.daemon.requests.count { $0.path == "/v1/blobs" } == 1)
            let twice = plain.replacingOccurrences(of: "\"a\"", with: "\"stdin\"")
            let refused = folder.run(
                "dataflow", "run", try folder.write("c.json", graph(twice, "a line")), "--perform")
            #expect(refused.status == 3 && refused.output.contains("given twice"), "\(refused)")
            #expect(try folder.daemon.posted("/v1/jobs", as: SubmitRequest.self).count == 2)
        }
    }

    // MARK: Orchestration

    private func capture(_ folder: FlowFolder) throws -> [String: Any] {
        let text = try #require(folder.read("capture.json"))
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("cadence and rate are kept, what was put off has its pass all the same, and the run replays")
    func cadence() throws {
        try here { folder in
            let graph = try folder.write("g.json", FlowFolder.acting([("ok", "ack_action", "{}")]))
            let path = folder.path + "/capture.json"
            let run = folder.run(
                "dataflow", "run", graph, "--passes", "4", "--every", "1ms", "--rate", "1/5ms", "--deadline",
                "1h", "--retries", "2", "--capture", path, "-o", "json")
            #expect(run.status == 0, "\(run)")
            #expect((try run.json() as? [Any])?.count == 4)
            let config = try #require(try capture(folder)["config"] as? [String: Any])
            #expect(config["max_per_window"] as? Int == 1 && config["rate_window"] as? Int == 5)
            #expect(config["deadline"] as? Int == 3_600_000 && config["max_retries"] as? Int == 2)
            #expect((try capture(folder)["passes"] as? [Any])?.count == 4)
            let same = folder.daemon.run("dataflow", "replay", graph, "--capture", path)
            #expect(same.status == 0, "\(same)")
            for flag in ["--every", "--deadline"] {
                #expect(folder.run("dataflow", "run", graph, flag, "99999d").status == 64, "\(flag)")
            }
            for rate in ["1/99999d", "0/1s", "1", "1/", "/1s", "1/0s", "1/1x", "1/1s/1"] {
                #expect(folder.run("dataflow", "run", graph, "--rate", rate).status == 64, "\(rate)")
            }
        }
    }

    @Test("a pass that failed for now is tried again, no more often than --retries says, and the run goes on")
    func retries() throws {
        let answers = Mutex(["503 No", "200 OK", "200 OK"])
        let server = try LoopbackServer { _ in
            .status(answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] })
        }
        defer { server.stop() }
        try here { folder in
            let graph = try folder.write("g.json", FlowFolder.calling(server.url("/")))
            func run(_ words: String...) -> ScriptedDaemon.Outcome {
                folder.daemon.run(
                    words: [
                        "dataflow", "run", graph, "--perform", "--allow-webhook", server.url(), "--passes",
                        "2",
                        "--record", "runs", "--root", folder.path,
                    ] + words)
            }
            let good = run("--retries", "1")
            #expect(good.status == 0 && good.output.contains("Pass 1, again on the same tick"), "\(good)")
            #expect(server.requests.count == 3)
            let passes = try folder.executions("dataflow.pass").compactMap { $0["status"] as? String }
            #expect(passes == ["failed", "completed", "completed"])
            #expect(try folder.executions("dataflow.run").first?["status"] as? String == "completed")
            answers.withLock { $0 = ["503 No"] }
            let bad = run("--retries", "2")
            #expect(bad.status == 3 && server.requests.count == 6, "three attempts on the first tick alone")
            let never = run()
            #expect(never.status == 3 && server.requests.count == 7)
        }
    }

    @Test("no action begins after the deadline, and a pass that took longer has failed")
    func deadline() throws {
        let server = try LoopbackServer { _ in
            // The answer comes when the clock has passed the deadline.
            let began = Date()
            while Date().timeIntervalSince(began) < 0.003 { sched_yield() }
            return .init()
        }
        defer { server.stop() }
        try here { folder in
            let parameters = "{ \"url\": \"\(server.url("/"))\" }"
            let graph = try folder.write(
                "g.json",
                FlowFolder.acting([("one", "webhook", parameters), ("two", "webhook", parameters)]))
            let run = folder.run(
                "dataflow", "run", graph, "--perform", "--allow-webhook", server.url(), "--deadline", "2ms",
                "--passes", "3")
            #expect(run.status == 3 && run.output.contains("took longer than its deadline"), "\(run)")
            #expect(server.requests.count <= 1, "the second action did not begin")
        }
    }

    // MARK: Twice

    /// Prints one digit, whatever comes in; it stands in the last byte.
    private static func printing(_ digit: Character) throws -> [UInt8] {
        let text =
            "AGFzbQEAAAABDAJgBH9/f38Bf2AAAAIjARZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCGZkX3dyaXRlAAADAgEBBQMBAAEHEAIGbWVtb3J5"
            + "AgADcnVuAAEKDwENAEEBQQBBAUEIEAAaCwsUAgBBAAsIEAAAAAEAAAAAQRALATE="
        var bytes = Array(try #require(Data(base64Encoded: text)))
        bytes[bytes.count - 1] = try #require(digit.asciiValue)
        return bytes
    }

    private static let module = "bafkreifuy2zi27kestz6jpyswkbbgfvriks7joo7jew6a676qa4mtfzeey"
    private static let computing = """
        {
            "version": 1,
            "nodes": [
                { "id": "m", "primitive": "wasm", "parameters": { "module": "\(module)" } },
                { "id": "zero", "primitive": "number_source", "parameters": { "value": 0 } },
                { "id": "above", "primitive": "gt" }, { "id": "when", "primitive": "emit_if_true" },
                { "id": "note", "primitive": "append_file", "parameters": { "path": "n.txt", "line": "x" } }
            ],
            "edges": [
                { "from": "m.result", "to": "above.a" }, { "from": "zero.value", "to": "above.b" },
                { "from": "above.result", "to": "when.input" }, { "from": "when.event", "to": "note.event" }
            ],
            "outputs": [{ "name": "m", "from": "m.result" }]
        }
        """

    @Test(
        "--twice stops before anything acts where a module gives another result, and names the port",
        .enabled(if: FlowFolder.hasProgram, "meshctl is not built beside these tests"))
    func twice() throws {
        let answers: [String: [ControlResponse]] = try [
            "GET /v1/blobs/\(Self.module)": [
                .bytes(Self.printing("1")), .bytes(Self.printing("1")), .bytes(Self.printing("1")),
                .bytes(Self.printing("2")), .bytes(Self.printing("3")),
            ]
        ]
        try here(answers) { folder in
            let graph = try folder.write("g.json", Self.computing)
            let run = try folder.start([
                "dataflow", "run", graph, "--twice", "--perform", "--passes", "2", "--record", "runs", "-o",
                "json",
            ]).finish()
            #expect(run.status == 1, "\(run)")
            #expect(run.messages.contains("dataflow.nondeterministic") && run.messages.contains("m.result"))
            #expect(folder.read("n.txt") == "x\n", "the first pass was sound, the second did not act")
            let passes = try folder.executions("dataflow.pass")
            #expect(passes.compactMap { $0["status"] as? String } == ["completed", "failed"])
            #expect(try folder.executions("dataflow.run").first?["status"] as? String == "failed")
        }
    }

    @Test(
        "a module of a recorded pass runs once, and its document holds what it gave",
        .enabled(if: FlowFolder.hasProgram, "meshctl is not built beside these tests"))
    func computedOnce() throws {
        let answers: [String: [ControlResponse]] = try [
            "GET /v1/blobs/\(Self.module)": [.bytes(Self.printing("7")), .bytes(Self.printing("8"))]
        ]
        try here(answers) { folder in
            let graph = try folder.write("g.json", Self.computing)
            let run = try folder.start(["dataflow", "run", graph, "--record", "runs", "-o", "json"]).finish()
            #expect(run.status == 0, "\(run)")
            let report =
                (try run.json() as? [[String: Any]])?.first?["outputs"] as? [String: [String: Double]]
            #expect(report?["m"] == ["number": 7])
            let pass = try #require(try folder.uids("dataflow.pass").first)
            let result = try folder.snapshot(pass, "end")["result"] as? [String: Any]
            let computed = result?["computed"] as? [String: [String: [String: Any]]]
            #expect(computed?["m"]?["result"]?["number"] as? Double == 7)
        }
    }
}
