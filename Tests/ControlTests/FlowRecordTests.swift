import Foundation
import Glibc
import MeshTestSupport
import Synchronization
import Testing

@Suite("Records of dataflow: documents, recovery and deletion", .tags(.Size.medium))
struct FlowRecordTests {
    private func here(_ body: (FlowFolder) throws -> Void) throws {
        let daemon = try ScriptedDaemon()
        defer { daemon.stop() }
        try body(try FlowFolder(daemon))
        #expect(daemon.requests.isEmpty, "nothing is asked of a daemon")
    }

    private static let noting = FlowFolder.acting([
        ("note", "append_file", "{ \"path\": \"n.txt\", \"line\": \"x\" }"),
        ("other", "append_file", "{ \"path\": \"n.txt\", \"line\": \"y\" }"),
    ])

    /// A file's size, above a limit for the first time.
    private static let watching = """
        {
            "version": 1, "name": "watch",
            "nodes": [
                { "id": "readings", "primitive": "file", "parameters": { "path": "in.txt" } },
                { "id": "limit", "primitive": "number_source", "parameters": { "value": 3 } },
                { "id": "above", "primitive": "gt" }, { "id": "when", "primitive": "emit_if_true" },
                { "id": "first", "primitive": "once" },
                { "id": "note", "primitive": "append_file", "parameters": { "path": "n.txt", "line": "grown" } }
            ],
            "edges": [
                { "from": "readings.size", "to": "above.a" }, { "from": "limit.value", "to": "above.b" },
                { "from": "above.result", "to": "when.input" }, { "from": "when.event", "to": "first.event" },
                { "from": "first.event", "to": "note.event" }
            ],
            "outputs": [{ "name": "size", "from": "readings.size" }]
        }
        """

    // MARK: Documents

    @Test("a run's start document holds all that is needed to run it again")
    func startDocument() throws {
        try here { folder in
            let graph = try folder.write("g.json", Self.watching)
            let run = folder.run(
                "dataflow", "run", graph, "--record", "plots/a", "--passes", "2", "--every", "1ms",
                "--deadline",
                "5s", "--retries", "3", "--rate", "9/2s", "--allow-webhook", "https://h/a", "--snapshots",
                "evaluated,mine")
            #expect(run.status == 0, "\(run)")
            let uid = try #require(try folder.uids("dataflow.run").first)
            let start = try folder.snapshot(uid, "start")
            let config = try #require(start["config"] as? [String: Any])
            #expect(config["source"] as? String == Self.watching)
            #expect((config["graph"] as? String)?.hasPrefix("bafy") == true)
            #expect(config["passes"] as? Int == 2 && config["perform"] as? Bool == false)
            #expect(config["every"] as? Int == 1 && config["deadline"] as? Int == 5000)
            #expect(
                config["retries"] as? Int == 3
                    && config["rate"] as? [String: Int] == ["passes": 9, "period": 2000])
            #expect(config["allow_webhook"] as? [String] == ["https://h/a"])
            #expect(
                config["snapshots"] as? [String] == ["evaluated", "mine"] && config["root"] as? String == ".")
            #expect(start["context"] as? String == "/plots/a" && start["status"] as? String == "running")
            for odd in ["a/b", ",", "..", "ends,"] {
                let refused = folder.run("dataflow", "run", graph, "--record", "x", "--snapshots", odd)
                #expect(refused.status == 1, "\(odd): \(refused)")
            }
            #expect(folder.run("dataflow", "run", graph, "--snapshots", "steps").status == 64)
        }
    }

    @Test("a pass's document holds what its sources read and its triggers remembered, and what came of it")
    func passDocuments() throws {
        try here { folder in
            let graph = try folder.write("g.json", Self.watching)
            _ = try folder.write("in.txt", "12 -3")
            let run = folder.run("dataflow", "run", graph, "--record", "runs", "--passes", "2", "--perform")
            #expect(run.status == 0, "\(run)")
            let runUID = try #require(try folder.uids("dataflow.run").first)
            let passes = try folder.uids("dataflow.pass")
            #expect(passes.count == 2)
            let (first, second) = (
                try folder.snapshot(passes[0], "end"), try folder.snapshot(passes[1], "end")
            )
            #expect(first["parentUid"] as? String == runUID)
            let input = try #require(first["input"] as? [String: [String: [String: Any]]])
            #expect(input["readings"]?["size"]?["number"] as? Double == 5)
            #expect(input["readings"]?["numbers"]?["series"] as? [Double] == [12, -3])
            #expect(input["readings"]?["text"]?["string"] as? String == "12 -3")
            #expect(input["readings"]?["exists"]?["bool"] as? Bool == true)
            #expect(first["state"] as? [Double] == [0] && second["state"] as? [Double] == [1])
            let result = try #require(first["result"] as? [String: Any])
            #expect(result["emitted"] as? [String] == ["when", "first"])
            #expect((second["result"] as? [String: Any])?["emitted"] as? [String] == ["when"])
            let records = result["acknowledgements"] as? [[String: String]]
            #expect(records == [["node": "note", "outcome": "filled"]])
            // Start has neither result nor end: it is what the inner part was given.
            let start = try folder.snapshot(passes[0], "start")
            #expect(
                start["result"] == nil && start["input"] != nil && start["status"] as? String == "running")
        }
    }

    @Test("every trigger that emitted has a document of its own below its pass, with what came in")
    func triggers() throws {
        try here { folder in
            let graph = try folder.write("g.json", Self.watching)
            _ = try folder.write("in.txt", "12 -3")
            #expect(folder.run("dataflow", "run", graph, "--record", "runs", "--passes", "2").status == 0)
            let passes = try folder.uids("dataflow.pass")
            let triggers = try folder.executions("dataflow.trigger")
            #expect(
                triggers.compactMap { $0["status"] as? String } == ["completed", "completed", "completed"])
            let ends = try triggers.map { try folder.snapshot($0["uid"] as? String ?? "", "end") }
            #expect(ends.compactMap { $0["parentUid"] as? String } == [passes[0], passes[0], passes[1]])
            let nodes = ends.compactMap { ($0["config"] as? [String: String])?["node"] }
            #expect(nodes == ["when", "first", "when"])
            #expect(ends.allSatisfy { $0["result"] as? [String: String] == ["event": "emitted"] })
            #expect(ends[0]["input"] as? [String: [String: Bool]] == ["input": ["bool": true]])
            #expect(ends[1]["input"] as? [String: [String: String]] == ["event": ["event": "emitted"]])
            // The tree goes three deep.
            let tree = folder.run("exec", "tree").output.split(separator: "\n")
            #expect(tree.count == 6 && tree.count { $0.hasPrefix("    ") } == 3)
        }
    }

    @Test(
        "snapshots between start and end are those that were asked for",
        arguments: [
            ("ends", ["end", "start"]), ("steps", ["end", "evaluated", "start"]),
            ("operations", ["000001", "000002", "end", "evaluated", "start"]),
            ("evaluated", ["end", "evaluated", "start"]), ("mine", ["end", "start"]),
        ])
    func snapshots(which: String, labels: [String]) throws {
        try here { folder in
            let graph = try folder.write("g.json", Self.noting)
            let run = folder.run(
                "dataflow", "run", graph, "--record", "runs", "--perform", "--snapshots", which)
            #expect(run.status == 0, "\(run)")
            let pass = try #require(try folder.uids("dataflow.pass").first)
            let found = folder.run("exec", "show", pass, "--labels").output
            #expect(found.split(separator: "\n").map(String.init) == labels)
            guard which == "operations" else { return }
            func outcomes(_ label: String) throws -> [String] {
                let result = try folder.snapshot(pass, label)["result"] as? [String: Any]
                return (result?["acknowledgements"] as? [[String: String]])?.compactMap { $0["outcome"] }
                    ?? []
            }
            #expect(try outcomes("evaluated") == [], "all is evaluated and nothing has acted")
            #expect(try outcomes("000001") == ["filled"] && outcomes("000002") == ["filled", "filled"])
        }
    }

    @Test(
        "what does not fit into the document of a pass stops the run before anything acts, and the run has failed"
    )
    func tooLarge() throws {
        try here { folder in
            let graph = try folder.write("g.json", Self.watching)
            _ = try folder.write("in.txt", String(repeating: "x", count: 9 << 20))
            let run = folder.run("dataflow", "run", graph, "--record", "runs", "--perform")
            #expect(run.status == 1 && run.messages.contains("without --record"), "\(run.messages)")
            #expect(folder.read("n.txt") == nil)
            #expect(try folder.executions("dataflow.run").first?["status"] as? String == "failed")
            #expect(try folder.uids("dataflow.pass").isEmpty)
        }
    }

    // MARK: Recovery

    @Test(
        "a run that was killed in the middle of an action is done again from its start snapshot, and its end is whole",
        .enabled(if: FlowFolder.hasProgram, "meshctl is not built beside these tests"))
    func killed() throws {
        let isHolding = Mutex(true)
        let released = DispatchSemaphore(value: 0)
        let server = try LoopbackServer { _ in
            if isHolding.withLock({ $0 }) { released.wait() }
            return .init()
        }
        defer { server.stop() }
        try here { folder in
            let source = FlowFolder.acting([
                ("a-note", "append_file", "{ \"path\": \"n.txt\", \"line\": \"x\" }"),
                ("b-call", "webhook", "{ \"url\": \"\(server.url("/hook"))\" }"),
            ])
            let graph = try folder.write("g.json", source)
            let running = try folder.start([
                "dataflow", "run", graph, "--perform", "--allow-webhook", server.url(), "--record", "runs",
                "--passes", "2", "--snapshots", "operations",
            ])
            // The webhook is being called, so the first action was done and the pass is not over.
            try #require(server.arrived.wait(timeout: .now() + 60) == .success)
            let living = try #require(try folder.uids("dataflow.run").first)
            let refused = folder.run("exec", "recover", living)
            #expect(refused.status == 1 && refused.messages.contains("still being run"), "\(refused)")
            #expect(refused.output.isEmpty && server.requests.count == 1)
            kill(running.process.processIdentifier, SIGKILL)
            _ = running.finish()
            isHolding.withLock { $0 = false }
            released.signal()
            // Neither the graph's file nor what was given on the command line is needed any more.
            try FileManager.default.removeItem(atPath: graph)
            let uid = try #require(try folder.uids("dataflow.run").first)
            let pass = try #require(try folder.uids("dataflow.pass").first)
            #expect(try folder.executions("dataflow.run").first?["status"] as? String == "running")

            let plan = folder.run("exec", "recover", uid, "--dry-run")
            #expect(plan.status == 0, "\(plan)")
            #expect(plan.output.contains("\(uid) was running and restarts from its start snapshot"))
            #expect(
                plan.output.contains(
                    "the action a-note (append_file@0.1.0) had been performed in the pass \(pass), with the outcome filled, and is performed again"
                ), "\(plan.output)")
            #expect(!plan.output.contains("b-call"), "nobody knows whether it was called")
            #expect(plan.output.contains("the pass \(pass) was cut off"))
            #expect(folder.read("n.txt") == "x\n" && server.requests.count == 1, "a plan does nothing")

            let done = folder.run("exec", "recover", pass)
            #expect(done.status == 0, "\(done)")
            #expect(
                done.output.contains(
                    "\(pass) is a dataflow.pass of the run \(uid), which is done again whole"))
            #expect(
                folder.read("n.txt") == "x\nx\nx\n" && server.requests.count == 3, "two passes, both anew")
            let run = try folder.executions("dataflow.run")
            #expect(
                run.count == 1 && run[0]["status"] as? String == "completed"
                    && run[0]["uid"] as? String == uid)
            let end = try folder.snapshot(uid, "end")
            #expect(end["result"] as? [String: Int] == ["passes": 2])
            let statuses = try folder.executions("dataflow.pass").compactMap { $0["status"] as? String }
            #expect(statuses == ["failed", "completed", "completed"], "what was cut off has an end")
            let again = folder.run("exec", "recover", uid)
            #expect(again.status == 1 && again.messages.contains("there is nothing to recover"), "\(again)")
        }
    }

    @Test("a run that failed is done again as a new run below it, because its end is in the log for good")
    func failed() throws {
        try here { folder in
            let graph = try folder.write(
                "g.json",
                FlowFolder.acting([("note", "append_file", "{ \"path\": \"out/n.txt\", \"line\": \"x\" }")]))
            #expect(folder.run("dataflow", "run", graph, "--record", "runs", "--perform").status == 3)
            let uid = try #require(try folder.uids("dataflow.run").first)
            try FileManager.default.createDirectory(
                atPath: folder.path + "/out", withIntermediateDirectories: false)
            let done = folder.run("exec", "recover", uid, "-o", "json")
            #expect(done.status == 0, "\(done)")
            let answer = try #require(try done.json() as? [String: Any])
            let runs = try folder.executions("dataflow.run")
            #expect(runs.compactMap { $0["status"] as? String } == ["failed", "completed"])
            #expect(
                runs[1]["parent_uid"] as? String == uid
                    && runs[1]["uid"] as? String == answer["run"] as? String)
            let actions = try #require(answer["actions"] as? [[String: Any]])
            #expect(actions.count == 1 && actions[0]["outcome"] as? String == "failed")
            #expect((answer["passes"] as? [Any])?.count == 1 && folder.read("out/n.txt") == "x\n")
        }
    }

    @Test("a run that named its actions names them again and does nothing")
    func notPerforming() throws {
        try here { folder in
            let graph = try folder.write("g.json", Self.noting)
            _ = folder.run("dataflow", "run", graph, "--record", "runs")
            // As a crash would have left it: no ending in the log, and half a line behind.
            let log = try #require(folder.read(".spl/exec/log")).split(separator: "\n")
            _ = try folder.write(".spl/exec/log", log.prefix(2).joined(separator: "\n") + "\n{\"uid\":\"35b8")
            let list = folder.run("exec", "list", "-o", "json")
            #expect(list.status == 0 && list.messages.contains("note: "), "what was repaired is said")
            let uid = try #require(try folder.uids("dataflow.run").first)
            let done = folder.run("exec", "recover", uid)
            #expect(done.status == 0 && done.output.contains("named and not performed"), "\(done)")
            #expect(folder.read("n.txt") == nil)
            #expect(try folder.executions("dataflow.run").first?["status"] as? String == "completed")
        }
    }

    @Test("of an execution of another protocol the plan is said, and that nothing here restarts it")
    func otherProtocols() throws {
        try here { folder in
            let store = folder.path + "/.spl/exec/mesh.job/job-1"
            try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
            let document =
                "{\"uid\":\"job-1\",\"protocol\":\"mesh.job\",\"context\":\"/\",\"parentUid\":null,\"timestamp\":\"2026-11-21T12:00:00.000Z\",\"status\":\"running\"}"
            _ = try folder.write(".spl/exec/mesh.job/job-1/start.json", document)
            _ = try folder.write(".spl/exec/log", document + "\n")
            let plan = folder.run("exec", "recover", "job-1")
            #expect(plan.status == 1 && plan.output.contains("restarts from its start snapshot"), "\(plan)")
            #expect(
                plan.messages.contains("nothing here restarts mesh.job") && plan.messages.contains("hint: "))
            #expect(folder.run("exec", "recover", "job-1", "--dry-run").status == 0)
            #expect(try folder.executions("mesh.job").first?["status"] as? String == "running")
        }
    }

    @Test("a start snapshot that does not hold a run is refused, and the run stays as it is")
    func badStart() throws {
        try here { folder in
            let graph = try folder.write("g.json", Self.noting)
            _ = folder.run("dataflow", "run", graph, "--record", "/")
            let log = try #require(folder.read(".spl/exec/log")).split(separator: "\n")
            _ = try folder.write(".spl/exec/log", log.prefix(1).joined() + "\n")
            let uid = try #require(try folder.uids("dataflow.run").first)
            let place = ".spl/exec/dataflow.run/\(uid)/start.json"
            let start = try #require(folder.read(place))
            for (part, other) in [
                ("\"perform\":false", "\"perform\":1"), ("\"passes\":1", "\"passes\":0"),
                ("\"allow_webhook\":[]", "\"allow_webhook\":[\"http://a@b\"]"),
                ("\"root\":\".\"", "\"root\":\"/\""),
                ("\"graph\":\"bafy", "\"graph\":\"bafz"), ("\"source\":", "\"sauce\":"),
                ("\\\"version\\\": 1", "\\\"version\\\": 7"),
                ("\"snapshots\":\"ends\"", "\"snapshots\":\"all\""),
            ] {
                try #require(start.contains(part), "\(part)")
                _ = try folder.write(place, start.replacingOccurrences(of: part, with: other))
                let refused = folder.run("exec", "recover", uid)
                #expect(refused.status == 1 && !refused.messages.isEmpty, "\(part): \(refused)")
            }
            #expect(try folder.executions("dataflow.run").first?["status"] as? String == "running")
        }
    }

    // MARK: Ctrl+C

    @Test(
        "Ctrl+C ends a run after the pass at hand, which is captured and recorded, and says how many ran",
        .enabled(if: FlowFolder.hasProgram, "meshctl is not built beside these tests"),
        arguments: [("200 OK", Int32(0), "filled"), ("503 No", 3, "failed")])
    func interrupted(answer: String, status: Int32, outcome: String) throws {
        let released = DispatchSemaphore(value: 0)
        let server = try LoopbackServer { _ in
            released.wait()
            return .status(answer)
        }
        defer { server.stop() }
        try here { folder in
            let graph = try folder.write("g.json", FlowFolder.calling(server.url("/")))
            let capture = folder.path + "/capture.json"
            // The second answer would have another attempt follow; that one does not come either.
            let running = try folder.start([
                "dataflow", "run", graph, "--perform", "--allow-webhook", server.url(), "--record", "runs",
                "--passes", "3", "--every", "1h", "--retries", "5", "--capture", capture,
            ])
            try #require(server.arrived.wait(timeout: .now() + 60) == .success)
            kill(running.process.processIdentifier, SIGINT)
            let isHeard = running.hears("stopping after the pass at hand")
            released.signal()
            let ended = running.finish()
            #expect(isHeard && ended.status == status, "\(ended)")
            #expect(ended.output.contains("action call (webhook) \(outcome)"), "\(ended)")
            #expect(ended.messages.contains("stopped after 1 pass\n") && server.requests.count == 1)
            let replay = folder.daemon.run("dataflow", "replay", graph, "--capture", capture)
            #expect(replay.status == 0, "\(replay)")
            let uid = try #require(try folder.uids("dataflow.run").first)
            let result = try folder.snapshot(uid, "end")["result"] as? [String: Any]
            #expect(result?["passes"] as? Int == 1 && result?["stopped"] as? Bool == true)
            let logged = try folder.executions("dataflow.run").first?["status"] as? String
            #expect(logged == (status == 0 ? "completed" : "failed"))
        }
    }

    // MARK: Deletion

    @Test("prune deletes, purges and compacts what it is told to, and says so; --dry-run changes nothing")
    func prune() throws {
        try here { folder in
            let graph = try folder.write("g.json", Self.noting)
            for _ in 0..<3 { _ = folder.run("dataflow", "run", graph, "--record", "runs") }
            let runs = try folder.uids("dataflow.run")
            #expect(folder.run("exec", "prune").status == 64)
            let before = folder.read(".spl/exec/log")
            // Each run has a pass and a trigger below it; those of the last are kept.
            let dry = folder.run("exec", "prune", "--keep", "3", "--dry-run")
            #expect(dry.status == 0 && dry.output.split(separator: "\n").count == 6, "\(dry)")
            #expect(
                dry.output.contains("would delete \(runs[0])\n") && folder.read(".spl/exec/log") == before)
            let deleted = folder.run("exec", "prune", "--keep", "3")
            #expect(
                deleted.output.contains("deleted \(runs[0])\n")
                    && deleted.output.contains("deleted \(runs[1])\n"))
            #expect(try folder.uids("dataflow.run") == [runs[2]])
            let all = try folder.executions("dataflow.run", all: true)
            #expect(all.map { $0["deletion"] as? String } == ["soft", "soft", nil])
            #expect(folder.run("exec", "list", "--all").output.contains("completed, deleted"))
            #expect(folder.run("exec", "show", runs[0]).status == 0, "everything of it is still there")
            #expect(folder.run("exec", "prune", "--purge-after", "1h").output == "nothing to do\n")
            let purged = folder.run("exec", "prune", "--purge-after", "0s", "--compact", "-o", "json")
            let answer = try #require(try purged.json() as? [String: Any])
            #expect((answer["purged"] as? [String])?.count == 6 && answer["compacted"] as? Bool == true)
            // A start, an end and two deletions of each.
            #expect(answer["lines_dropped"] as? Int == 24, "\(purged)")
            #expect(folder.run("exec", "show", runs[0]).status == 1)
            #expect(try folder.executions("dataflow.run", all: true).count == 1)
            let store = folder.path + "/runs/.spl/exec/dataflow.run"
            #expect(try FileManager.default.contentsOfDirectory(atPath: store) == [runs[2]])
            let old = folder.run("exec", "prune", "--older-than", "0s")
            #expect(old.output.contains("deleted \(runs[2])\n"))
            #expect(try folder.uids("dataflow.run").isEmpty)
        }
    }
}
