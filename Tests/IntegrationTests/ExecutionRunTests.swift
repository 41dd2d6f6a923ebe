import ControlClient
import Foundation
import IPLD
import MeshAPI
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("Execution documents of jobs in the mesh", .tags(.Size.large))
    struct ExecutionRuns {
        /// Submits a contract that asks for one job, and gives the job's id when the child is verified.
        private static func family(_ cluster: Cluster) throws -> (parent: String, child: String) {
            let module = try Modules.counting(to: 1_000)
            let text = """
                title: "family";
                execution {
                    submit_job(wasm_cid: "\(CID(of: module, codec: .raw))", description: "child", resource_amount: 40);
                }
                """
            let (contract, code) = ("\(cluster.directory)/family.ccl", "\(cluster.directory)/child.wasm")
            try Data(text.utf8).write(to: URL(fileURLWithPath: contract))
            try Data(module).write(to: URL(fileURLWithPath: code))
            let ran = try cluster[1].ctl(words: [
                "submit-job", "--language", "ccl", contract, "--module", code, "--auto", "--bid-window", "0",
                "--wait", "-o", "json",
            ])
            let parent = try #require(try ran.object()["job_id"] as? String, "\(ran)")
            let client = try cluster[1].client()
            let child = try eventually("the child of \(parent)") {
                let view: JobStatusView? = try? client.get("/v1/jobs/\(parent)")
                let child = view?.children.first
                return child?.verification == "Verified" ? child?.jobID : nil
            }
            return (parent, child)
        }

        @Test(
            "every node shows the tree of executions over jobs of jobs, and the documents that the receipts link; exported they are files that tell the same"
        )
        func story() throws {
            try withCluster { cluster in
                let (parent, child) = try Self.family(cluster)
                try cluster.awaitEqualHeads()
                let expected = [
                    "\(parent).0  mesh.job  completed", "  \(child).0  mesh.job  completed", "",
                ]
                for node in cluster.nodes {
                    let tree = try node.ctl("exec", "tree", "\(parent).0")
                    #expect(tree.status == 0 && tree.lines == expected, "\(tree)")
                    for job in [parent, child] {
                        let receipt = try node.ctl("receipt", "show", job, "-o", "json").object()
                        let links = try #require(receipt["execution"] as? [String: String])
                        #expect(links["uid"] == "\(job).0")
                        for label in ["start", "end"] {
                            let shown = try node.ctl("exec", "show", "\(job).0", "--label", label)
                            #expect(shown.status == 0)
                            let cid = CID(of: Array(shown.output.utf8), codec: .raw)
                            #expect("\(cid)" == links["\(label)_cid"], "\(shown.output)")
                        }
                    }
                }
                let diff = try cluster[2].ctl("exec", "diff", "\(child).0")
                #expect(
                    diff.lines.contains("~ /status: \"running\" → \"completed\""), "\(diff.output)")
                #expect(diff.lines.contains { $0.hasPrefix("+ /result: ") })
                // The outer context's view of it: the module itself stands where its CID was.
                let resolved = try cluster[1].ctl(
                    "exec", "show", "\(child).0", "--label", "start", "--resolve"
                ).object()
                let input = try #require(resolved["input"] as? [String: Any])
                #expect(
                    input["code"] as? String
                        == Data(try Modules.counting(to: 1_000)).base64EncodedString())
                try Self.exported(cluster, parent: parent, tree: expected)
            }
        }

        @Test("a run that has failed is recovered as a new job, made from what its start snapshot names")
        func recovered() throws {
            try withCluster { cluster in
                let node = cluster[1]
                let path = "\(cluster.directory)/trap.wasm"
                try Data(try Modules.assemble(#"(module (func (export "run") unreachable))"#)).write(
                    to: URL(fileURLWithPath: path))
                let ran = try node.ctl(words: [
                    "submit-job", "--wasm", path, "--auto", "--bid-window", "0", "--verify", "none",
                    "--description", "trapped", "--wait", "-o", "json",
                ])
                let id = try #require(try ran.object()["job_id"] as? String, "\(ran)")
                let said = try node.ctl("exec", "recover", "\(id).0", "--dry-run")
                #expect(
                    said.status == 0 && said.output.contains("restarts from its start snapshot"), "\(said)")
                #expect(try node.ctl("list", "--id-only").lines.filter { !$0.isEmpty } == [id])
                let done = try node.ctl("exec", "recover", id, "-o", "json").object()
                let again = try #require(done["job_id"] as? String)
                #expect(again != id)
                let job = try node.job(again) { $0.settledStatus == "Failed" }
                #expect(job.description == "trapped")
                let listed = try node.ctl("exec", "list", "--status", "failed", "--id-only").lines
                #expect(Set(listed).isSuperset(of: ["\(id).0", "\(again).0"]), "\(listed)")
            }
        }

        private static func exported(_ cluster: Cluster, parent: String, tree: [String]) throws {
            let root = "\(cluster.directory)/runs"
            let first = try cluster[3].ctl("exec", "export", "--root", root, "-o", "json")
            #expect(try first.object()["added"] as? Int == 2, "\(first)")
            let second = try cluster[3].ctl("exec", "export", "--root", root, "-o", "json")
            #expect(try second.object()["unchanged"] as? Int == 2, "\(second)")
            #expect(try second.object()["added"] as? Int == 0)
            cluster.end()
            // No daemon is asked any more.
            let files = try cluster[3].ctl("exec", "tree", "--root", root)
            #expect(files.lines == tree, "\(files)")
            let path = "\(root)/.spl/exec/mesh.job/\(parent).0/end.json"
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            let shown = try cluster[3].ctl("exec", "show", "\(parent).0", "--root", root)
            #expect(Array(bytes) == Array(shown.output.utf8))
            let lines = try String(contentsOfFile: "\(root)/.spl/exec/log", encoding: .utf8)
                .split(separator: "\n")
            #expect(lines.count == 4, "two lines for each: \(lines)")
        }
    }
}
