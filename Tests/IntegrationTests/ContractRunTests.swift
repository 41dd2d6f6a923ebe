import ControlClient
import Foundation
import IPLD
import MeshAPI
import MeshDevnet
import MeshMarket
import MeshRuntime
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("Contracts that run in the mesh", .tags(.Size.large))
    struct ContractRuns {
        /// The module of the contracts' own jobs, and its CID.
        private static func module() throws -> (bytes: [UInt8], cid: String) {
            let bytes = try Modules.counting(to: 1_000)
            return (bytes, "\(CID(of: bytes, codec: .raw))")
        }

        /// A contract that anchors a text and submits jobs of 40 compute.
        private static func contract(_ title: String, module: String, jobs: Int = 1) -> String {
            """
            title: "\(title)";
            execution {
                anchor_data("\(title) has run", path: "tests");
                for i in range(0, \(jobs)) {
                    submit_job(wasm_cid: "\(module)", description: "\(title), job " + i, resource_amount: 40);
                }
            }

            """
        }

        private static func write(_ bytes: some Sequence<UInt8>, _ name: String, _ cluster: Cluster) throws
            -> String
        {
            let path = "\(cluster.directory)/\(name)"
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            return path
        }

        /// Submits a contract at the first node as a person would, and returns its job's id.
        private static func submit(
            _ text: String, _ cluster: Cluster, module: [UInt8]? = nil, flags: [String] = []
        ) throws -> String {
            let source = try write(text.utf8, "\(UUID().uuidString).ccl", cluster)
            var words = [
                "submit-job", "--language", "ccl", source, "--auto", "--bid-window", "0", "--id-only",
            ]
            if let module { words += ["--module", try write(module, "child.wasm", cluster)] }
            let ran = try cluster[1].ctl(words: words + flags)
            try #require(ran.status == 0, "\(ran)")
            return ran.lines[0]
        }

        /// Waits until a job of a contract has children, and all of them are as `condition` says.
        @discardableResult
        private static func children(
            _ node: TestNode, of job: String, where condition: (ChildView) -> Bool
        ) throws -> [ChildView] {
            let client = try node.client()
            var last: JobStatusView?
            return try eventually("the children of \(job) at \(node.name): \(last?.children ?? [])") {
                let view: JobStatusView? = try? client.get("/v1/jobs/\(job)")
                last = view
                guard let children = view?.children, !children.isEmpty, children.allSatisfy(condition) else {
                    return nil
                }
                return children
            }
        }

        private static func isVerified(_ child: ChildView) -> Bool {
            child.status == "Completed" && child.verification == "Verified"
        }

        @Test(
            "a contract's job asks for a job, which runs to a verified receipt; every node knows both, and the export of the first proves itself"
        )
        func story() throws {
            try withCluster { cluster in
                let module = try Self.module()
                let id = try Self.submit(
                    Self.contract("one job", module: module.cid), cluster, module: module.bytes,
                    flags: ["--wait"])
                let child = try #require(try Self.children(cluster[1], of: id, where: Self.isVerified).first)
                let childID = try #require(child.jobID)
                #expect(child.description == "one job, job 0" && child.resourceAmount == 40)
                let ran = try cluster[1].job(childID) { $0.verification.final }
                #expect(ran.parent?.jobID == id && ran.parent?.index == 0 && ran.parent?.depth == 1)
                #expect(ran.submitter.did == cluster[1].did)
                // The others tell the same story.
                for node in cluster.nodes {
                    try Self.children(node, of: id, where: Self.isVerified)
                    let parent = try node.ctl("describe", id)
                    #expect(parent.status == 0, "\(parent)")
                    let table = try #require(
                        parent.output.components(separatedBy: "\nSubmitted by its run\n").last)
                    #expect(table.contains(childID) && table.contains("one job, job 0"), "\(parent.output)")
                    let told = try node.ctl("describe", childID)
                    #expect(told.output.contains("\(id), submission 0"), "\(told.output)")
                    let json = try node.ctl("job-status", "--job-id", childID, "-o", "json").object()
                    #expect((json["parent"] as? [String: Any])?["job_id"] as? String == id)
                }
                let effects = try cluster[1].ctl("output", id, "--name", "effects")
                #expect(effects.lines.count == 3, "\(effects)")
                #expect(effects.lines.first == "{\"anchored\":\"tests: one job has run\"}")

                let file = "\(cluster.directory)/receipt.car"
                #expect(try cluster[1].ctl("receipt", "export", id, "-o", file).status == 0)
                try cluster.awaitEqualHeads()
                cluster.end()
                try Self.proves(file, cluster)
            }
        }

        /// That an exported receipt with a submission verifies, and does not with another submission in it.
        private static func proves(_ file: String, _ cluster: Cluster) throws {
            let nowhere = ["MESHCTL_SOCKET": "/nonexistent"]
            let verified = try Programs.run(
                Programs.meshctl, ["receipt", "verify", file, "--replay"], environment: nowhere)
            #expect(verified.status == 0 && verified.output.contains("✓ replay"), "\(verified)")
            let archive = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
            let blocks = try CAR(decoding: archive)
            let asked = try #require(
                blocks.blocks.first { (try? JobSubmission(decoding: $0.bytes)) != nil })
            let place = try #require(archive.firstRange(of: asked.bytes))
            // One bit of the block; and the block made anew, with a sound hash, for another amount.
            var flipped = archive
            flipped[place.lowerBound + asked.bytes.count / 2] ^= 1
            var other = try JobSubmission(decoding: asked.bytes)
            other.request.amount += 1
            let forged = CAR(
                roots: blocks.roots,
                blocks: blocks.blocks.map { $0 == asked ? Block(other.encoded, codec: .dagCBOR) : $0 })
            for (name, bytes) in [("flipped.car", flipped), ("forged.car", forged.encoded)] {
                let path = try write(bytes, name, cluster)
                let refused = try Programs.run(
                    Programs.meshctl, ["receipt", "verify", path, "--replay"], environment: nowhere)
                #expect(refused.status == 4, "\(name): \(refused)")
                #expect(refused.output.contains("✗"), "\(name): \(refused)")
            }
        }

        @Test("two contracts at once each get their own jobs, and none of the other's")
        func twoAtOnce() throws {
            try withCluster { cluster in
                let module = try Self.module()
                let ids = try ["first", "second"].map { title in
                    try Self.submit(
                        Self.contract(title, module: module.cid, jobs: 3), cluster, module: module.bytes)
                }
                for (title, id) in zip(["first", "second"], ids) {
                    let children = try Self.children(cluster[1], of: id, where: Self.isVerified)
                    #expect(children.map(\.description) == (0..<3).map { "\(title), job \($0)" })
                    #expect(children.map(\.index) == [0, 1, 2])
                }
                #expect(try cluster[1].jobs().count == 8)
                #expect(try Set(cluster[1].jobs().map(\.jobID)).count == 8)
            }
        }

        @Test(
            "a contract that asks for more than its job was given fails, its refusal is on record and nothing is submitted"
        )
        func refused() throws {
            try withCluster { cluster in
                let module = try Self.module()
                let source = try Self.write(
                    Self.contract("too much", module: module.cid, jobs: 3).utf8, "much.ccl", cluster)
                let ran = try cluster[1].ctl(
                    "submit-job", source, "--module", Self.write(module.bytes, "child.wasm", cluster),
                    "--resource-amount", "100", "--auto", "--bid-window", "0", "--wait", "-o", "json")
                #expect(ran.status == 3, "\(ran)")
                let job = try #require(try cluster[1].jobs().first)
                #expect(job.status == "Failed" && job.outcome.ok == false, "\(job)")
                #expect(job.children.isEmpty)
                let effects = try cluster[1].ctl("output", job.jobID, "--name", "effects")
                #expect(effects.lines.count == 5, "\(effects)")
                #expect(
                    effects.lines.dropLast().last
                        == "{\"refused\":{\"function\":\"host_submit_job\",\"reason\":\"40 of \\\"compute\\\" is too much: 80 of 100 is used\"}}",
                    "\(effects)")
                let log = try cluster[1].ctl("output", job.jobID, "--name", "stderr")
                #expect(log.output.contains("contract.ccl:5: "), "\(log)")
                // What failed is verified like anything else, and still nothing comes of it.
                let judged = try cluster[1].job(job.jobID) { $0.verification.final }
                #expect(judged.verification.state == "Verified", "\(judged.verification)")
                try cluster.awaitEqualHeads()
                for node in cluster.nodes { #expect(try node.jobs().count == 1) }
            }
        }

        @Test("a job whose module is missing waits for it, and is made once it is there")
        func missingModule() throws {
            try withCluster { cluster in
                let module = try Self.module()
                let id = try Self.submit(Self.contract("patient", module: module.cid), cluster)
                _ = try cluster[1].job(id) { $0.verification.final }
                let waiting = try Self.children(cluster[1], of: id) {
                    $0.reason?.contains("its module is not at its submitter") == true
                }
                #expect(waiting.map(\.status) == ["Waiting"] && waiting.map(\.verification) == [nil])
                #expect(try cluster[1].jobs().count == 1)
                #expect(try cluster[1].upload(module.bytes) == module.cid)
                let made = try Self.children(cluster[1], of: id, where: Self.isVerified)
                #expect(made.map(\.jobID) == waiting.map(\.jobID), "what it is follows from the parent")
                #expect(try cluster[1].jobs().count == 2)
            }
        }

        @Test("a contract's job may be a contract, run by a handler of its own, whose jobs stand one deeper")
        func nested() throws {
            try withCluster { cluster in
                let module = try Self.module()
                let inner = """
                    execution { log("inner"); submit_job(wasm_cid: "\(module.cid)", resource_amount: 30); }

                    """
                let source = try Self.write(inner.utf8, "inner.ccl", cluster)
                let compiled = "\(cluster.directory)/inner.wasm"
                #expect(try cluster[1].ctl("ccl", "compile", source, "-o", compiled).status == 0)
                let code = [UInt8](try Data(contentsOf: URL(fileURLWithPath: compiled)))
                _ = try cluster[1].upload(module.bytes)
                let outer = """
                    execution { fail("this is not what is asked for"); }
                    on "weekly" {
                        submit_job(wasm_cid: "\(CID(of: code, codec: .raw))", description: "inner", resource_amount: 50);
                    }

                    """
                let id = try Self.submit(outer, cluster, module: code, flags: ["--entry", "on:weekly"])
                let child = try #require(try Self.children(cluster[1], of: id, where: Self.isVerified).first)
                let childID = try #require(child.jobID)
                let last = try #require(
                    try Self.children(cluster[1], of: childID, where: Self.isVerified).first)
                let job = try cluster[1].job(try #require(last.jobID)) { $0.verification.final }
                #expect(job.parent?.jobID == childID && job.parent?.depth == 2)
                // What the inner one asks for comes out of what it was given.
                #expect(last.resourceAmount == 30 && child.resourceAmount == 50)
                #expect(try cluster[1].ctl("output", childID, "--name", "stderr").output.hasPrefix("inner\n"))
            }
        }

        /// When the submitter is killed, as the next of its contract's states that somebody else sees, or right after.
        private static let moments: [(name: String, isReached: @Sendable (JobStatusView) -> Bool)] = [
            ("at once", { _ in true }), ("when it is assigned", { $0.assignedAt != nil }),
            ("when its receipt is there", { $0.receiptCID != nil }),
            ("when the receipt is verified", { $0.verification.state == "Verified" }),
            ("when a child is seen", { $0.children.contains { $0.status != "Waiting" } }),
        ]

        /// How many contracts' submitters are killed at moments drawn by chance besides.
        private static let drawnCount = 7

        @Test(
            "a submitter that is killed at any moment neither loses nor doubles what its contract asked for",
            arguments: Seed.sample(1))
        func killed(_ seed: Seed) throws {
            try withCluster { cluster in
                // A node that comes back is where it was.
                for node in cluster.nodes {
                    try node.edit { $0.replacing("listen: '127.0.0.1:0'", with: "listen: '\(node.address)'") }
                }
                let module = try Self.module()
                var ids: [String] = []
                var generator = seed.generator
                for index in 0..<(Self.moments.count + Self.drawnCount) {
                    let id = try Self.submit(
                        Self.contract("contract \(index)", module: module.cid, jobs: 2), cluster,
                        module: module.bytes)
                    ids.append(id)
                    if index < Self.moments.count {
                        let (name, isReached) = Self.moments[index]
                        let client = try cluster[index % 2 + 2].client()
                        try eventually("\(id) is not seen \(name)") { () -> Void? in
                            if index == 0 { return () }
                            let view: JobStatusView? = try? client.get("/v1/jobs/\(id)")
                            return view.map(isReached) == true ? () : nil
                        }
                    } else {
                        // The chosen moment: so many milliseconds after the submission.
                        let moment = Double(Int.random(in: 0...80, using: &generator)) / 1000
                        let pause = NSCondition()
                        pause.withLock { _ = pause.wait(until: Date(timeIntervalSinceNow: moment)) }
                    }
                    try cluster[1].kill()
                    try cluster[1].start()
                }
                try cluster.awaitLinked()
                for (index, id) in ids.enumerated() {
                    let children = try Self.children(cluster[1], of: id, where: Self.isVerified)
                    #expect(
                        children.map(\.description) == (0..<2).map { "contract \(index), job \($0)" },
                        "killed \(index < Self.moments.count ? Self.moments[index].name : "by chance")")
                }
                let heads = try cluster.awaitEqualHeads()
                #expect(heads.allSatisfy { !$0.frozen })
                for node in cluster.nodes {
                    let jobs = try node.jobs()
                    #expect(jobs.count == ids.count * 3, "\(node.name)")
                    for id in ids { #expect(jobs.count { $0.parent?.jobID == id } == 2) }
                }
            }
        }

        @Test(
            "a verifier that finds everything wrong, and an executor that claims what is wrong, get no child submitted",
            arguments: ["false-attest", "wrong-output"])
        func misbehaving(kind: String) throws {
            let cluster = try Cluster(.init())
            defer { cluster.end() }
            // With a threshold of two beside the executor, one that disagrees is one too many.
            for (index, node) in cluster.nodes.enumerated() {
                try cluster.configure(index)
                let isBad = index == (kind == "wrong-output" ? 1 : 2)
                try node.start(isBad ? ["--misbehave", kind] : [])
            }
            try cluster.awaitLinked()
            let module = try Self.module()
            let source = try Self.write(
                Self.contract("doubted", module: module.cid).utf8, "doubted.ccl", cluster)
            let submitted = try cluster[1].ctl(
                "submit-job", source, "--module", Self.write(module.bytes, "child.wasm", cluster),
                "--bid-window", "300ms", "--id-only")
            try #require(submitted.status == 0, "\(submitted)")
            let id = submitted.lines[0]
            // The second node runs it, so the first and the third judge.
            #expect(try cluster[1].ctl("get-bids", "-j", id).status == 0)
            let accepted = try cluster[1].ctl("accept-bid", "-j", id, "-n", "mesh-node-2")
            #expect(accepted.status == 4, "\(accepted)")
            let job = try cluster[1].job(id) { $0.verification.final }
            #expect(job.verification.state == "Disputed", "\(job.verification)")
            let children = try Self.children(cluster[1], of: id) { _ in true }
            #expect(children.map(\.status) == ["Waiting"])
            #expect(children.map(\.reason) == ["the parent's receipt is not verified"])
            try cluster.awaitEqualHeads()
            for node in cluster.nodes { #expect(try node.jobs().count == 1, "\(node.name)") }
        }
    }
}
