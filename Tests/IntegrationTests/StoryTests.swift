import Foundation
import IPLD
import MeshAPI
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("The story of a job", .tags(.Size.large))
    struct Story {
        static let text = Array("the quick brown fox\njumps over\nthe lazy dog\n".utf8)

        /// Submits by hand, as a person would, and returns the job's id.
        private func submit(_ cluster: Cluster) throws -> String {
            let submitted = try cluster[1].ctl(
                "submit-job", "--wasm", Modules.examplePath("wordcount"), "--description", "Count words",
                "--input", "stdin=-", "--bid-window", "700ms", input: Self.text)
            try #require(submitted.status == 0, "\(submitted)")
            #expect(submitted.lines[0] == "Job submitted successfully")
            #expect(submitted.lines[1].hasPrefix("Job ID: "))
            return String(submitted.lines[1].dropFirst("Job ID: ".count))
        }

        @Test("three nodes: submit, look at the bids, accept one, and read a verified result")
        func byHand() throws {
            try withCluster { cluster in
                let id = try submit(cluster)
                let bids = try cluster[1].ctl("get-bids", "--job-id", id)
                try #require(bids.status == 0, "\(bids)")
                #expect(
                    bids.lines[0].split(separator: " ", omittingEmptySubsequences: true).joined(
                        separator: " ")
                        == "Node ID Bid Est. Time Reputation Location")
                #expect(bids.output.contains("mesh-node-2") && bids.output.contains("mesh-node-3"))
                #expect(!bids.output.contains("mesh-node-1"), "a node does not bid on its own job")
                #expect(bids.output.contains("meshctl accept-bid --job-id \(id) --node-id <node-id>"))

                let accepted = try cluster[1].ctl("accept-bid", "--job-id", id, "--node-id", "mesh-node-2")
                try #require(accepted.status == 0, "\(accepted)")
                let lines = accepted.lines
                #expect(
                    Array(lines.prefix(6)) == [
                        "Bid accepted successfully", "", "Job execution progress:", "Status: Assigned",
                        "Status: Running", "Status: Completed",
                    ])
                try #require(lines.count >= 9, "\(accepted)")
                #expect(lines[6].hasPrefix("Receipt CID: bafyrei"))
                #expect(lines[7] == "Receipt anchored to DAG ✓")
                #expect(lines[8].hasPrefix("Receipt verified by federation ✓ ("))
                #expect(lines[8].hasSuffix(" of 2)"))

                #expect(try cluster[1].ctl("output", id).outputBytes == Array("3 9 44\n".utf8))
                let status = try cluster[1].ctl("job-status", "--job-id", id, "-o", "json").object()
                #expect(status["status"] as? String == "Completed")
                #expect((status["executor"] as? [String: Any])?["node_id"] as? String == "mesh-node-2")

                let receipt = String(lines[6].dropFirst("Receipt CID: ".count))
                let file = cluster.directory + "/receipt.car"
                let exported = try cluster[1].ctl("receipt", "export", receipt, "-o", file)
                #expect(exported.status == 0, "\(exported)")
                let archive = try CAR(decoding: [UInt8](Data(contentsOf: URL(fileURLWithPath: file))))
                #expect(archive.roots.map(\.description) == [receipt])
                #expect(archive.blocks.first?.cid.description == receipt)
                // The others tell the same story.
                for number in [2, 3] {
                    let there = try cluster[number].job(id) { $0.verification.final }
                    #expect(there.status == "Completed" && there.receiptCID == receipt)
                    #expect(there.verification.state == "Verified")
                }
                try cluster.awaitEqualHeads()
            }
        }

        @Test("an exported receipt is verified without a daemon, by its pin and by running it again")
        func offline() throws {
            try withCluster { cluster in
                let id = try submit(cluster)
                let awarded = try cluster[1].ctl("get-bids", "--job-id", id)
                #expect(awarded.status == 0, "\(awarded)")
                let accepted = try cluster[1].ctl("accept-bid", "--job-id", id, "-n", "mesh-node-3")
                #expect(accepted.status == 0, "\(accepted)")
                let file = cluster.directory + "/receipt.car"
                let exported = try cluster[1].ctl("receipt", "export", id, "-o", file)
                #expect(exported.status == 0, "\(exported)")
                let federation = try #require(try cluster[1].status().federation.cid)
                cluster.end()
                let nowhere = ["MESHCTL_SOCKET": "/nonexistent"]
                let verified = try Programs.run(
                    Programs.meshctl, ["receipt", "verify", file, "--replay", "-o", "json"],
                    environment: nowhere)
                #expect(verified.status == 0, "\(verified)")
                #expect(try verified.object()["ok"] as? Bool == true)
                #expect(try verified.object()["pinned"] as? Bool == false)
                let pinned = try Programs.run(
                    Programs.meshctl, ["receipt", "verify", file, "--trust", federation], environment: nowhere
                )
                #expect(pinned.status == 0, "\(pinned)")
            }
        }

        @Test(
            "an input whose size was given wrongly is published with its true size, and its receipt verifies")
        func wrongSize() throws {
            try withCluster(.init(count: 1)) { cluster in
                let node = cluster[1]
                let wasm = try node.upload(Modules.example("wordcount"))
                let input = try node.upload(Array("one two\n".utf8))
                let id = try node.submit(
                    SubmitRequest(
                        wasm: wasm, inputs: [InputReference(name: "stdin", cid: input, size: 0)], auto: true,
                        bidWindowMs: 0, allowSelf: true))
                let job = try node.job(id) { $0.status == "Completed" && $0.verification.final }
                #expect(job.status == "Completed")
                let file = cluster.directory + "/receipt.car"
                #expect(try node.ctl("receipt", "export", id, "-o", file).status == 0)
                let verified = try node.ctl("receipt", "verify", file)
                #expect(verified.status == 0, "\(verified)")
            }
        }
    }
}
