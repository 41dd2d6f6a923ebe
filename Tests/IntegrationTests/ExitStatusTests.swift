import Foundation
import Glibc
import MeshAPI
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("How meshctl ends", .tags(.Size.large))
    struct ExitStatuses {
        struct Failure {
            let outcome: String
            let module: [UInt8]
            var flags: [String] = []
        }

        private func failures() throws -> [Failure] {
            [
                Failure(outcome: "trap", module: try Modules.example("trap")),
                Failure(outcome: "exit", module: try Modules.exiting(3)),
                Failure(outcome: "fuel", module: try Modules.example("burn"), flags: ["--fuel", "100000"]),
                Failure(
                    outcome: "memory", module: try Modules.assemble(Modules.hungry),
                    flags: ["--min-memory", "1"]),
                Failure(
                    outcome: "output", module: try Modules.assemble(Modules.writing),
                    flags: ["--max-output", "12"]),
                Failure(
                    outcome: "time", module: try Modules.example("burn"),
                    flags: ["--resource-amount", "1000000", "--max-seconds", "1"]),
            ]
        }

        @Test("the exit status says how the job ended, and standard output is one JSON value")
        func outcomes() throws {
            try withCluster { cluster in
                let node = cluster[1]
                let quick = ["--auto", "--wait", "--bid-window", "0"]

                let good = try node.ctl(
                    words: ["submit-job", "-w", Modules.examplePath("wordcount"), "--input", "stdin=-"]
                        + quick,
                    input: Story.text)
                #expect(good.status == 0, "\(good)")
                #expect(good.output.contains("Receipt verified by federation ✓ ("))
                #expect(good.output.hasSuffix("\n3 9 44\n"))

                for failure in try failures() {
                    let path = cluster.directory + "/\(failure.outcome).wasm"
                    try Data(failure.module).write(to: URL(fileURLWithPath: path))
                    let ran = try node.ctl(
                        words: ["submit-job", "-w", path, "-o", "json"] + quick + failure.flags)
                    #expect(ran.status == 3, "\(failure.outcome): \(ran)")
                    let job = try ran.object()
                    let outcome = try #require(job["outcome"] as? [String: Any])
                    #expect(outcome["class"] as? String == failure.outcome)
                    #expect(outcome["ok"] as? Bool == false)
                    #expect(outcome["exit_code"] as? Int == (failure.outcome == "exit" ? 3 : nil))
                    #expect(job["status"] as? String == "Failed")
                    let verification = try #require(job["verification"] as? [String: Any])
                    #expect(
                        verification["state"] as? String
                            == (failure.outcome == "time" ? "Unverifiable" : "Verified"))
                }

                let greedy = try node.ctl(
                    "submit-job", "-w", Modules.examplePath("wordcount"), "--min-cpu", "100", "--auto",
                    "--wait",
                    "--bid-window", "300ms", "-o", "json")
                #expect(greedy.status == 2, "\(greedy)")
                let id = try #require(try greedy.object()["job_id"] as? String)
                let explained = try node.ctl("explain", id, "-o", "json").objects()
                #expect(explained.count == 3, "\(explained)")
                for node in explained {
                    let expected = node["node_id"] as? String == "mesh-node-1" ? "self" : "capacity.cpu"
                    #expect(node["reason_code"] as? String == expected)
                    #expect((node["reason"] as? String)?.isEmpty == false)
                }
                let bids = try node.ctl("get-bids", "--job-id", id, "-o", "json")
                #expect(bids.status == 2 && bids.output == "[]\n", "\(bids)")

                let slow = try node.ctl(
                    "submit-job", "-w", Modules.examplePath("burn"), "--resource-amount", "1000000",
                    "--max-seconds", "3", "--auto", "--wait", "--timeout", "1s", "--bid-window", "0")
                #expect(slow.status == 5, "\(slow)")
                #expect(slow.errors.contains("hint: meshctl job-status"))

                let mistyped = try node.ctl("submit-jbo")
                #expect(mistyped.status == 64)
                #expect(mistyped.errors.contains("submit-job"), "\(mistyped)")
                let flag = try node.ctl("submit-job", "--wsam", "x")
                #expect(flag.status == 64)
                #expect(flag.errors.contains("--wasm"), "\(flag)")

                cluster.end()
                let gone = try node.ctl("list")
                #expect(gone.status == 1)
                #expect(gone.errors.hasPrefix("error: no daemon answers on"), "\(gone)")
                #expect(gone.errors.contains("meshd --config"), "\(gone)")
                let json = try node.ctl("list", "-o", "json")
                #expect(json.status == 1 && json.outputBytes.isEmpty)
                let error = try JSONSerialization.jsonObject(with: Data(json.errors.utf8)) as? [String: Any]
                #expect((error?["error"] as? [String: Any])?["code"] as? String == "control.not-reachable")
            }
        }

        @Test("two executors, each chosen by hand, give the same output and use the same fuel")
        func equalRuns() throws {
            try withCluster { cluster in
                for example in ["wordcount", "mandelbrot"] {
                    var seen: [(stdout: String, fuel: Int)] = []
                    for winner in ["mesh-node-2", "mesh-node-3"] {
                        let id = try cluster[1].ctl(
                            "submit-job", "-w", Modules.examplePath(example), "--input", "stdin=-",
                            "--bid-window",
                            "500ms", "--id-only", input: Story.text)
                        try #require(id.status == 0, "\(id)")
                        let job = String(id.lines[0])
                        #expect(try cluster[1].ctl("get-bids", "-j", job).status == 0)
                        let done = try cluster[1].ctl("accept-bid", "-j", job, "-n", winner, "-o", "json")
                        let view = try cluster[1].job(job) { $0.verification.final }
                        #expect(
                            done.status == (example == "wordcount" ? 0 : view.outcome.ok == true ? 0 : 3),
                            "\(done)")
                        #expect(view.executor.nodeID == winner)
                        #expect(view.verification.state == "Verified", "\(view.verification)")
                        let stdout = try #require(view.outputs.first { $0.name == "stdout" })
                        seen.append((stdout.cid, try #require(view.metrics.fuelUsed)))
                    }
                    #expect(seen[0].stdout == seen[1].stdout)
                    #expect(seen[0].fuel == seen[1].fuel)
                    #expect(seen[0].fuel > 0)
                }
            }
        }
    }
}
