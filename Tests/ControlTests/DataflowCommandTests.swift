import ControlServer
import Foundation
import MeshAPI
import MeshTestSupport
import Testing

@Suite("Commands about dataflow and executions", .tags(.Size.medium))
struct DataflowCommandTests {
    /// A file is looked at; once that it is above a limit a line is written into another.
    private static let watching = """
        {
            "version": 1, "name": "watch",
            "nodes": [
                { "id": "readings", "primitive": "file", "parameters": { "path": "in/readings.txt" } },
                { "id": "limit", "primitive": "number_source", "parameters": { "value": 10 } },
                { "id": "above", "primitive": "gt" },
                { "id": "when", "primitive": "emit_if_true" },
                { "id": "first", "primitive": "once" },
                { "id": "note", "primitive": "append_file", "parameters": { "path": "notes.txt", "line": "grown" } }
            ],
            "edges": [
                { "from": "readings.size", "to": "above.a" }, { "from": "limit.value", "to": "above.b" },
                { "from": "above.result", "to": "when.input" }, { "from": "when.event", "to": "first.event" },
                { "from": "first.event", "to": "note.event" }
            ],
            "outputs": [{ "name": "size", "from": "readings.size" }, { "name": "noted", "from": "note.outcome" }]
        }
        """

    private static let cyclic = """
        {
            "version": 1,
            "nodes": [{ "id": "a", "primitive": "negate" }, { "id": "b", "primitive": "negate" }],
            "edges": [{ "from": "a.result", "to": "b.value" }, { "from": "b.result", "to": "a.value" }]
        }
        """

    /// Runs command lines where no daemon answers, with a folder of their own.
    private func offline(_ body: (ScriptedDaemon, String) throws -> Void) throws {
        let daemon = try ScriptedDaemon()
        defer { daemon.stop() }
        let folder = FileManager.default.temporaryDirectory.appending(path: "flow-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder + "/in", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(daemon, folder)
        #expect(daemon.requests.isEmpty, "nothing is asked of a daemon")
    }

    private func json(_ text: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(text.utf8))
    }

    private func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    @Test("validate says what a graph is, and of a bad one everything that is wrong, the cycle printed")
    func validate() throws {
        try offline { daemon, _ in
            let good = try daemon.file("good.json", Self.watching)
            let fine = daemon.run("dataflow", "validate", good)
            #expect(fine.status == 0 && fine.output.hasPrefix("\(good): 6 nodes, 5 edges, bafy"), "\(fine)")
            let bad = try daemon.file("bad.json", Self.cyclic)
            let refused = daemon.run("dataflow", "validate", bad)
            #expect(refused.status == 1 && refused.output.contains("a → b → a"), "\(refused)")
            let answer =
                try json(daemon.run("dataflow", "validate", bad, "-o", "json").output) as? [[String: Any]]
            let faults = answer?.first?["faults"] as? [[String: Any]]
            #expect(faults?.first?["code"] as? String == "dataflow.cycle-detected", "\(refused)")
            let other = try daemon.file(
                "other.json", "{ \"version\": 1, \"nodes\": [{ \"id\": 1 }], \"edge\": [] }")
            let lines = daemon.run("dataflow", "validate", other)
            #expect(lines.status == 1 && lines.output.split(separator: "\n").count >= 2, "\(lines)")
        }
    }

    @Test("a graph that cannot be run is not run, and the message names the first fault")
    func refused() throws {
        try offline { daemon, _ in
            let bad = try daemon.file("bad.json", Self.cyclic)
            let outcome = daemon.run("dataflow", "run", bad)
            #expect(outcome.status == 1 && outcome.output.isEmpty && outcome.messages.contains("a → b → a"))
        }
    }

    @Test(
        "a run names its actions and does nothing, until it is told to perform them; triggers remember between passes"
    )
    func performing() throws {
        try offline { daemon, folder in
            let graph = try daemon.file("graph.json", Self.watching)
            try "one two three four".write(
                toFile: folder + "/in/readings.txt", atomically: true, encoding: .utf8)
            let tried = daemon.run("dataflow", "run", graph, "--root", folder)
            #expect(tried.status == 0 && tried.output.contains("nothing was done"), "\(tried)")
            #expect(read(folder + "/notes.txt") == nil)
            let done = daemon.run("dataflow", "run", graph, "--root", folder, "--perform", "--passes", "3")
            #expect(done.status == 0, "\(done)")
            #expect(read(folder + "/notes.txt") == "grown\n", "once in three passes of one lifecycle")
            let again = daemon.run("dataflow", "run", graph, "--root", folder, "--perform")
            #expect(again.status == 0 && read(folder + "/notes.txt") == "grown\ngrown\n", "another lifecycle")
        }
    }

    @Test(
        "files outside of the root are neither read nor written",
        arguments: ["../notes.txt", "/etc/passwd", "in/../../x", "link/x", ".", ""])
    func outside(path: String) throws {
        try offline { daemon, folder in
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/link", withDestinationPath: NSTemporaryDirectory())
            let graph = try daemon.file(
                "graph.json", Self.watching.replacingOccurrences(of: "in/readings.txt", with: path))
            let outcome = daemon.run("dataflow", "run", graph, "--root", folder, "--perform")
            #expect(outcome.status == 3 && outcome.output.contains("failed at readings"), "\(outcome)")
        }
    }

    @Test("a captured run gives the same bytes again, and a changed capture names the first difference")
    func replay() throws {
        try offline { daemon, folder in
            let graph = try daemon.file("graph.json", Self.watching)
            let capture = folder + "/capture.json"
            try "one two three four".write(
                toFile: folder + "/in/readings.txt", atomically: true, encoding: .utf8)
            let run = daemon.run(
                "dataflow", "run", graph, "--root", folder, "--passes", "2", "--capture", capture)
            #expect(run.status == 0)
            // What the sources would read now does not matter.
            try FileManager.default.removeItem(atPath: folder + "/in/readings.txt")
            let same = daemon.run("dataflow", "replay", graph, "--capture", capture)
            #expect(same.status == 0 && same.output.hasPrefix("The same, byte by byte"), "\(same)")
            let text = try #require(read(capture)).replacingOccurrences(
                of: "\"number\":18.0", with: "\"number\":3.0")
            try text.write(toFile: capture, atomically: true, encoding: .utf8)
            let other = daemon.run("dataflow", "replay", graph, "--capture", capture)
            #expect(other.status == 4 && other.output.hasPrefix("Different at passes[0]"), "\(other)")
            let wrong = daemon.run(
                "dataflow", "replay", try daemon.file("c.json", Self.cyclic), "--capture", capture)
            #expect(wrong.status == 1)
            try "{}".write(toFile: capture, atomically: true, encoding: .utf8)
            #expect(daemon.run("dataflow", "replay", graph, "--capture", capture).status == 4)
        }
    }

    @Test(
        "a recorded run leaves a document for itself and each pass, to be listed, shown, compared and recovered"
    )
    func record() throws {
        try offline { daemon, folder in
            let graph = try daemon.file("graph.json", Self.watching)
            let run = daemon.run(
                "dataflow", "run", graph, "--root", folder, "--passes", "2", "--record", "plots/a")
            #expect(run.status == 0, "\(run)")
            let list =
                try json(daemon.run("exec", "list", "--root", folder, "-o", "json").output)
                as? [[String: Any]]
            let protocols = (list ?? []).compactMap { $0["protocol"] as? String }
            #expect(protocols == ["dataflow.pass", "dataflow.pass", "dataflow.run"], "the newest first")
            #expect(list?.allSatisfy { $0["status"] as? String == "completed" } == true)
            let tree = daemon.run("exec", "tree", "--root", folder).output.split(separator: "\n")
            #expect(tree.count == 3 && tree[1].hasPrefix("  ") && tree[2].hasPrefix("  "))
            let uid = try #require(list?.first?["uid"] as? String)
            let shown = try json(daemon.run("exec", "show", uid, "--root", folder).output) as? [String: Any]
            #expect(shown?["status"] as? String == "completed" && shown?["result"] != nil)
            let difference = daemon.run("exec", "diff", uid, "--root", folder).output
            #expect(difference.contains("~ /status: \"running\" → \"completed\""), "\(difference)")
            let recover = daemon.run("exec", "recover", uid, "--root", folder)
            #expect(recover.status == 1 && recover.messages.contains("there is nothing to recover"))
            #expect(daemon.run("exec", "show", "nobody", "--root", folder).status == 1)
            let refused = daemon.run("dataflow", "run", graph, "--root", folder, "--record", "../out")
            #expect(refused.status == 1 && !FileManager.default.fileExists(atPath: folder + "/../out"))
            let absolute = daemon.run("dataflow", "run", graph, "--root", folder, "--record", "/tmp/out")
            #expect(absolute.status == 64 && absolute.messages.contains("is absolute"), "\(absolute)")
            #expect(!FileManager.default.fileExists(atPath: folder + "/tmp"))
        }
    }

    @Test(
        "where the capture of a graph's run is elsewhere, or comes out otherwise, the rest is told all the same"
    )
    func untold() throws {
        let uid = "00000000-0000-8000-8000-000000000000.0"
        let code = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
        let log = """
            {"uid":"\(uid)","protocol":"mesh.dataflow","context":"/","parentUid":null,"timestamp":"2026-11-21T12:00:00.000Z","status":"running"}
            {"uid":"\(uid)","status":"completed","timestamp":"2026-11-21T12:00:01.000Z"}

            """
        let reference = #"{"$as":"base64","$cid":"\#(code)"}"#
        let end = """
            {"uid":"\(uid)","protocol":"mesh.dataflow","context":"/","parentUid":null,"timestamp":"2026-11-21T12:00:00.000Z",
            "status":"completed","input":{"code":\(reference)},"result":{"outputs":{"capture":\(reference)}}}
            """
        for blob: ControlResponse in [
            .error(404, APIError(code: "blob.unknown", message: "no blob here")),
            .bytes(Array("{}".utf8)), .bytes([0xff]),
        ] {
            let daemon = try ScriptedDaemon([
                "GET /v1/executions/log": [.bytes(Array(log.utf8))],
                "GET /v1/executions/\(uid)/end": [.bytes(Array(end.utf8))],
                "GET /v1/blobs/\(code)": [blob],
            ])
            defer { daemon.stop() }
            let tree = daemon.run("exec", "tree", uid)
            #expect(tree.status == 0 && tree.output == "\(uid)  mesh.dataflow  completed\n", "\(tree)")
            #expect(tree.messages.contains("note: the passes of \(uid) are not told"), "\(tree)")
            #expect(daemon.run("exec", "show", uid).output == end)
            let pass = daemon.run("exec", "show", "\(uid).0")
            #expect(
                pass.status == 1 && pass.messages.contains("the log has no execution \(uid).0"), "\(pass)")
        }
    }

    @Test("graph draws what can be read, also a graph that cannot be run; primitives lists them all")
    func drawing() throws {
        try offline { daemon, _ in
            let good = try daemon.file("good.json", Self.watching)
            let svg = daemon.run("dataflow", "graph", good)
            #expect(svg.status == 0 && svg.output.hasPrefix("<svg") && svg.messages.isEmpty)
            let bad = try daemon.file("bad.json", Self.cyclic)
            let dot = daemon.run("dataflow", "graph", bad, "--as", "dot")
            #expect(dot.status == 0 && dot.output.hasPrefix("digraph") && dot.messages.contains("warning"))
            let primitives = try json(daemon.run("dataflow", "primitives", "-o", "json").output) as? [Any]
            #expect(primitives?.count == 32, "twenty stock ones, four with state, eight of ours")
        }
    }
}
