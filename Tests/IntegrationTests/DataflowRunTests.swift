import ControlClient
import Foundation
import IPLD
import MeshAPI
import MeshDevnet
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("Graphs that run in the mesh", .tags(.Size.large))
    struct DataflowRuns {
        /// Reads numbers, has a module count, notes and submits a job once, over three passes.
        private static func graph(child: String) -> String {
            #"""
            {
                "version": 1,
                "nodes": [
                    { "id": "readings", "primitive": "file", "parameters": { "path": "readings" } },
                    { "id": "limit", "primitive": "const_number", "parameters": { "value": 5 } },
                    { "id": "count", "primitive": "wasm", "parameters": { "module": "count.wasm" } },
                    { "id": "above", "primitive": "gt" },
                    { "id": "when", "primitive": "emit_if_true" },
                    { "id": "first", "primitive": "once" },
                    { "id": "note", "primitive": "append_file", "parameters": { "path": "notes.txt", "line": "grown" } },
                    {
                        "id": "job", "primitive": "submit_job",
                        "parameters": { "manifest": "{\"wasm\": \"CHILD\", \"description\": \"a child\", \"resource_amount\": 40}" }
                    }
                ],
                "edges": [
                    { "from": "readings.size", "to": "above.a" }, { "from": "limit.value", "to": "above.b" },
                    { "from": "readings.numbers", "to": "count.series" },
                    { "from": "above.result", "to": "when.input" }, { "from": "when.event", "to": "first.event" },
                    { "from": "first.event", "to": "note.event" }, { "from": "first.event", "to": "job.event" }
                ],
                "outputs": [
                    { "name": "size", "from": "readings.size" }, { "name": "bytes", "from": "count.result" },
                    { "name": "when", "from": "first.event" }
                ]
            }
            """#.replacing("CHILD", with: child)
        }

        /// Prints 7.
        private static let seven = """
            (module
              (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") 1) (data (i32.const 32) "7")
              (func (export "run")
                (i32.store (i32.const 0) (i32.const 32)) (i32.store (i32.const 4) (i32.const 1))
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
            """

        private struct Pass: Decodable, Equatable {
            var outputs: [String: [String: Value]]
        }

        private enum Value: Decodable, Equatable {
            case number(Double)
            case text(String)

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let number = try? container.decode(Double.self) {
                    self = .number(number)
                } else {
                    self = .text(try container.decode(String.self))
                }
            }
        }

        @Test(
            "a graph is verified by replay, gives what the command line gives, makes one child, and its capture replays"
        )
        func story() throws {
            try withCluster { cluster in
                let folder = cluster.directory
                func write(_ bytes: some Sequence<UInt8>, _ name: String) throws -> String {
                    try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
                    return "\(folder)/\(name)"
                }
                let child = try Modules.counting(to: 1_000)
                let graph = try write(
                    Self.graph(child: "\(CID(of: child, codec: .raw))").utf8, "graph.json")
                let readings = try write("12 30 7.5".utf8, "readings")
                let module = try write(try Modules.assemble(Self.seven), "count.wasm")
                let words = [
                    "submit-job", "--language", "dataflow", graph, "--input", "readings=\(readings)",
                    "--input",
                    "count.wasm=\(module)", "--arg=--passes=3", "--module", try write(child, "child.wasm"),
                    "--auto", "--bid-window", "0",
                ]
                let tried = try cluster[1].ctl(words: words + ["--dry-run"])
                #expect(tried.status == 0 && tried.output.contains("nothing was submitted"), "\(tried)")
                let ran = try cluster[1].ctl(words: words + ["--wait", "--id-only"])
                try #require(ran.status == 0, "\(ran)")
                let id = ran.lines[0]
                let job = try cluster[1].job(id) { $0.verification.final }
                #expect(job.verification.state == "Verified" && job.language == "dataflow")

                // The same as on the command line.
                let output = try cluster[2].ctl("output", id)
                try #require(output.status == 0, "\(output)")
                let passes = try output.lines.filter { !$0.isEmpty }.map {
                    try JSONDecoder().decode(Pass.self, from: Data($0.utf8))
                }
                let here = try cluster[1].ctl(
                    "dataflow", "run", graph, "--root", folder, "--passes", "3", "-o", "json")
                try #require(here.status == 0, "\(here)")
                #expect(try JSONDecoder().decode([Pass].self, from: Data(here.output.utf8)) == passes)
                #expect(passes.count == 3)
                #expect(
                    passes.map { $0.outputs["bytes"] } == Array(repeating: ["number": .number(7)], count: 3))
                #expect(
                    passes.map { $0.outputs["when"] }
                        == ["emitted", "not_emitted", "not_emitted"].map {
                            ["event": .text($0)]
                        })
                #expect(try cluster[3].ctl("output", id, "--name", "notes.txt").output == "grown\n")

                // The capture is all that a replay needs.
                let capture = try cluster[2].ctl("output", id, "--name", "capture")
                let path = try write(capture.output.utf8, "capture.json")
                let again = try cluster[1].ctl("dataflow", "replay", graph, "--capture", path)
                #expect(again.status == 0 && again.output.hasPrefix("The same, byte by byte"), "\(again)")

                try Self.passes(id, cluster)
                // One child, at every node.
                for node in cluster.nodes {
                    let client = try node.client()
                    let children = try eventually("the child of \(id) at \(node.name)") {
                        () -> [ChildView]? in
                        let view: JobStatusView? = try? client.get("/v1/jobs/\(id)")
                        guard let children = view?.children, children.first?.verification == "Verified" else {
                            return nil
                        }
                        return children
                    }
                    #expect(children.count == 1 && children[0].description == "a child")
                    #expect(children[0].status == "Completed" && children[0].resourceAmount == 40)
                }
                let file = "\(folder)/receipt.car"
                #expect(try cluster[1].ctl("receipt", "export", id, "-o", file).status == 0)
                cluster.end()
                let verified = try Programs.run(
                    Programs.meshctl, ["receipt", "verify", file, "--replay"],
                    environment: ["MESHCTL_SOCKET": "/nonexistent"])
                #expect(verified.status == 0 && verified.output.contains("✓ replay"), "\(verified)")
            }
        }

        /// Every node shows the passes of the run and the trigger that emitted, and writes them into files.
        private static func passes(_ id: String, _ cluster: Cluster) throws {
            for node in cluster.nodes {
                let tree = try node.ctl("exec", "tree", "\(id).0")
                let shape = tree.lines.filter { !$0.contains("mesh.job") && !$0.isEmpty }
                #expect(
                    shape == [
                        "\(id).0  mesh.dataflow  completed", "  \(id).0.0  dataflow.pass  completed",
                        "    \(id).0.0.0  dataflow.trigger  completed",
                        "    \(id).0.0.1  dataflow.trigger  completed",
                        "  \(id).0.1  dataflow.pass  completed",
                        "    \(id).0.1.0  dataflow.trigger  completed",
                        "  \(id).0.2  dataflow.pass  completed",
                        "    \(id).0.2.0  dataflow.trigger  completed",
                    ], "\(tree)")
                let pass = try node.ctl("exec", "show", "\(id).0.1").object()
                #expect(pass["status"] as? String == "completed" && pass["parentUid"] as? String == "\(id).0")
                #expect((pass["state"] as? [Double]) == [1], "`once` had emitted in the pass before")
                let trigger = try node.ctl("exec", "show", "\(id).0.0.0").object()
                #expect((trigger["config"] as? [String: String])?["node"] == "when")
            }
            let root = "\(cluster.directory)/runs"
            let exported = try cluster[2].ctl("exec", "export", "\(id).0", "--root", root, "-o", "json")
            let added = try #require(try exported.object()["added"] as? Int, "\(exported)")
            #expect(added >= 8)
            let files = try cluster[2].ctl("exec", "diff", "\(id).0.2", "--root", root)
            #expect(files.lines.contains { $0.hasPrefix("+ /result: ") }, "\(files)")
        }

        @Test(
            "a graph that was executed alone is repeated by a daemon before it publishes the receipt, and by the members; the job that it asks for is on record and not made"
        )
        func anchored() throws {
            try withCluster { cluster in
                func write(_ bytes: some Sequence<UInt8>, _ name: String) throws -> String {
                    let path = "\(cluster.directory)/\(name)"
                    try Data(bytes).write(to: URL(fileURLWithPath: path))
                    return path
                }
                let child = CID(of: try Modules.counting(to: 1_000), codec: .raw)
                let graph = try write(Self.graph(child: "\(child)").utf8, "graph.json")
                let car = "\(cluster.directory)/run.car"
                let ran = try cluster[1].ctl(
                    "execute", "--language", "dataflow", graph, "--input",
                    "readings=\(try write("12 30 7.5".utf8, "readings"))", "--input",
                    "count.wasm=\(try write(try Modules.assemble(Self.seven), "count.wasm"))", "--output-dir",
                    cluster.directory, "--receipt", car)
                try #require(ran.status == 0, "\(ran)")
                #expect(ran.output.hasPrefix(#"{"outputs":{"bytes":{"number":7.0},"#), "\(ran.output)")
                let replay = try cluster[1].ctl(
                    "dataflow", "replay", graph, "--capture", "\(cluster.directory)/capture")
                #expect(replay.status == 0, "\(replay)")
                let published = try cluster[1].ctl("anchor-receipt", "--receipt", car)
                #expect(published.status == 0 && published.lines[0].hasPrefix("bafy"), "\(published)")
                let receipt = try cluster[1].ctl("receipt", "show", published.lines[0], "-o", "json").object()
                #expect((receipt["submissions"] as? [String])?.count == 1)
                let id = try #require(receipt["job_id"] as? String)
                for node in cluster.nodes {
                    let job = try node.job(id) { $0.verification.final }
                    #expect(job.verification.state == "Verified", "\(job.verification)")
                    #expect(try node.ctl("list", "--id-only").lines.filter { !$0.isEmpty } == [id])
                }
            }
        }

        @Test(
            "what cannot run in the language that it is sent in is refused with what to do, and published by nobody"
        )
        func refused() throws {
            try withCluster(.init(count: 1)) { cluster in
                let node = cluster[1]
                let client = try node.client()
                let before = try node.heads()
                func refusal(_ bytes: [UInt8], _ language: String, args: [String]? = nil) throws
                    -> APIErrorDetail
                {
                    let blob: BlobView = try client.post("/v1/blobs", bytes: bytes)
                    do {
                        let _: SubmitResponse = try client.post(
                            "/v1/jobs",
                            SubmitRequest(wasm: blob.cid, language: language, args: args, auto: true))
                    } catch let refusal as ControlRefusal {
                        return refusal.error
                    }
                    throw HarnessError("it was not refused")
                }
                let graph = Array(Self.graph(child: "x").utf8)
                let module = try Modules.counting(to: 10)
                let wrong = try refusal(graph, "wasm")
                #expect(
                    wrong.code == "job.wasm" && wrong.hint?.contains("--language dataflow") == true,
                    "\(wrong)")
                let other = try refusal(module, "dataflow")
                #expect(
                    other.code == "job.graph" && other.hint?.contains("--language wasm") == true, "\(other)")
                let text = String(decoding: graph, as: UTF8.self)
                    .replacing("append_file", with: "nothing").replacing("once", with: "nowhere")
                let faulty = try refusal(Array(text.utf8), "dataflow")
                #expect(
                    faulty.message.hasPrefix("the graph cannot run: first: there is no primitive"),
                    "\(faulty)")
                #expect(faulty.message.contains("more faults"), "\(faulty)")
                let foreign = text.replacing("nothing", with: "append_file").replacing(
                    "nowhere", with: "once"
                )
                .replacing(#""submit_job""#, with: #""graph_mutation""#)
                .replacing(#""manifest": "{"#, with: #""statement": "{"#)
                let instead = try refusal(Array(foreign.utf8), "dataflow")
                #expect(instead.message.contains("graph_mutation cannot be part of a job"), "\(instead)")
                #expect(instead.hint?.contains("append_file") == true, "\(instead)")
                #expect(try refusal(graph, "dataflow", args: ["x"]).code == "job.graph")
                #expect(try node.jobs().isEmpty && node.heads() == before)
            }
        }
    }
}
