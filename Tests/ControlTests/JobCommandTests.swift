import ControlServer
import Foundation
import MeshAPI
import MeshTestSupport
import Testing

@Suite("Commands about jobs", .tags(.Size.medium))
struct JobCommandTests {
    private static let path = "/v1/jobs/\(Sample.jobID)"

    private static let submission: [String: [ControlResponse]] = [
        "POST /v1/blobs": [.json(BlobView(cid: "bafkreicode", size: 8), status: 201)],
        "POST /v1/jobs": [.json(SubmitResponse(jobID: Sample.jobID, manifestCID: "bafyreim"), status: 201)],
    ]

    private func jobs(_ views: JobStatusView...) -> [ControlResponse] { views.map { .json($0) } }

    @Test("submit-job uploads the module and prints the two lines of the contract")
    func submit() throws {
        let daemon = try ScriptedDaemon(Self.submission)
        defer { daemon.stop() }
        let module = try daemon.file("m.wasm", "\0asm")
        let outcome = daemon.run("submit-job", "--wasm", module)
        #expect(outcome.status == 0)
        #expect(outcome.output == "Job submitted successfully\nJob ID: \(Sample.jobID)\n")
        #expect(outcome.messages == "hint: meshctl get-bids --job-id \(Sample.jobID)\n")
        #expect(daemon.requests.first?.body == Array("\0asm".utf8))
        #expect(try daemon.posted("/v1/jobs", as: SubmitRequest.self) == [SubmitRequest(wasm: "bafkreicode")])
    }

    @Test("submit-job hands every flag on")
    func everyFlag() throws {
        let daemon = try ScriptedDaemon(Self.submission)
        defer { daemon.stop() }
        let module = try daemon.file("m.wasm")
        let line =
            "-d words --resource-type compute --resource-amount 7 --scope lab --priority high --min-memory 128"
            + " --min-cpu 2 --language wasm --entry go --input stdin=- --arg -x --arg y --env K=V=W --fuel 9"
            + " --max-seconds 3 --token bafyt --verify signature --quorum 1 --auto --bid-window 500ms"
            + " --idempotency-key k --max-output 10 --allow-self --delegate n2 --max-bid 4 --min-reputation 60"
            + " --location Berlin --label a=b --after 1234 --retry 2 --deadline 1h --id-only"
        let outcome = daemon.run(
            words: ["submit-job", "-w", module] + line.split(separator: " ").map(String.init), input: "hello")
        #expect(outcome.status == 0)
        #expect(outcome.output == "\(Sample.jobID)\n")
        let expected = SubmitRequest(
            wasm: "bafkreicode", description: "words", entry: "go", language: "wasm", resourceType: "compute",
            resourceAmount: 7, scope: "lab", priority: "high", minMemory: 128, minCpu: 2,
            inputs: [InputReference(name: "stdin", cid: "bafkreicode", size: 8)], args: ["-x", "y"],
            env: ["K": "V=W"], fuel: 9, maxSeconds: 3, tokens: ["bafyt"], verify: "signature", quorum: 1,
            auto: true,
            bidWindowMs: 500, idempotencyKey: "k", maxOutput: 10, allowSelf: true, delegate: "n2", maxBid: 4,
            minReputation: 60, location: "Berlin", labels: ["a": "b"], after: ["1234"], retry: 2,
            deadlineMs: 3_600_000)
        #expect(try daemon.posted("/v1/jobs", as: SubmitRequest.self) == [expected])
        #expect(daemon.requests.filter { $0.path == "/v1/blobs" }.map(\.body) == [[], Array("hello".utf8)])
    }

    @Test("a job file gives the flags in snake case, and those typed win")
    func jobFile() throws {
        let daemon = try ScriptedDaemon(Self.submission)
        defer { daemon.stop() }
        let module = try daemon.file("m.wasm")
        let file = try daemon.file(
            "job.json",
            """
            {"wasm": "\(module)", "resource_amount": 5, "arg": ["a", "b"], "env": {"K": "V"}, "auto": true,
             "allow_self": false, "bid_window": 1, "deadline_ms": 1500, "priority": "low", "label": ["x=y"]}
            """)
        let outcome = daemon.run("submit-job", "--file", file, "--priority", "high", "-o", "json")
        #expect(outcome.status == 0)
        #expect(
            try daemon.posted("/v1/jobs", as: SubmitRequest.self) == [
                SubmitRequest(
                    wasm: "bafkreicode", resourceAmount: 5, priority: "high", args: ["a", "b"],
                    env: ["K": "V"],
                    auto: true, bidWindowMs: 1000, labels: ["x": "y"], deadlineMs: 1500)
            ])
        let json = try #require(try outcome.json() as? [String: String])
        #expect(json == ["job_id": Sample.jobID, "manifest_cid": "bafyreim"])
    }

    @Test(
        "a wrong job file is wrong usage and submits nothing",
        arguments: [
            #"{"wasm": "m", "prioritty": "low"}"#, #"{"wasm": "m", "priority": "urgent"}"#,
            #"{"wasm": "m", "fuel": 1.5}"#, "[]", #"{"priority": "low"}"#, #"{"wasm": "m", "auto": "yes"}"#,
        ])
    func wrongJobFile(_ text: String) throws {
        let daemon = try ScriptedDaemon(Self.submission)
        defer { daemon.stop() }
        let outcome = daemon.run("submit-job", "--file", try daemon.file("job.json", text))
        #expect(outcome.status == 64)
        #expect(outcome.output.isEmpty)
        #expect(outcome.messages.hasPrefix("error: "))
        #expect(daemon.requests.isEmpty)
    }

    @Test("accept-bid prints each line of the contract once it is true")
    func accept() throws {
        let daemon = try ScriptedDaemon([
            "POST \(Self.path)/award": jobs(Sample.job("Assigned")),
            "GET \(Self.path)": jobs(
                Sample.job("Assigned"), Sample.job("Running"), Sample.job("Completed"),
                Sample.job("Completed", "Verifying"), Sample.job("Completed", "Verified", final: true)),
        ])
        defer { daemon.stop() }
        let outcome = daemon.run("accept-bid", "--job-id", Sample.jobID, "--node-id", "mesh-node-2")
        #expect(outcome.status == 0)
        #expect(
            outcome.output == """
                Bid accepted successfully

                Job execution progress:
                Status: Assigned
                Status: Running
                Status: Completed
                Receipt CID: \(Sample.receipt)
                Receipt anchored to DAG ✓
                Receipt verified by federation ✓ (2 of 2)

                """)
        #expect(
            try daemon.posted("\(Self.path)/award", as: AwardRequest.self) == [
                AwardRequest(nodeID: "mesh-node-2")
            ])
        let polls = daemon.requests.filter { $0.method == "GET" }.map { $0.query["after"] }
        #expect(
            polls == [
                "Assigned/Unverified", "Assigned/Unverified", "Running/Unverified", "Completed/Unverified",
                "Completed/Verifying",
            ])
    }

    @Test("accept-bid of a job that was over at once still tells its whole story")
    func acceptFast() throws {
        let daemon = try ScriptedDaemon([
            "POST \(Self.path)/award": jobs(Sample.job("Completed", "Verified", final: true))
        ])
        defer { daemon.stop() }
        let outcome = daemon.run("accept-bid", "-j", Sample.jobID, "-n", "mesh-node-2", "--output", "table")
        #expect(
            outcome.output.contains("Status: Assigned\nStatus: Running\nStatus: Completed\nReceipt CID: "))
    }

    struct Ending: Sendable, CustomTestStringConvertible {
        let job: JobStatusView
        let status: Int32
        let line: String
        var testDescription: String { "\(job.status), \(job.verification.state)" }
    }

    @Test(
        "a command that waits ends by the job's outcome",
        arguments: [
            Ending(
                job: Sample.job("Completed", "Verified", final: true), status: 0,
                line: "Receipt verified by federation ✓ (2 of 2)"),
            Ending(
                job: Sample.job("Completed", "Unverified", final: true), status: 0,
                line: "Receipt anchored to DAG ✓"),
            Ending(
                job: Sample.job("Completed", "Disputed", final: true), status: 4,
                line: "Receipt disputed by federation: one result differs"),
            Ending(
                job: Sample.job("Completed", "Unverifiable", final: true), status: 4,
                line: "Receipt cannot be verified"),
            Ending(
                job: Sample.job("Failed", "Verified", final: true), status: 3,
                line: "Status: Failed (trap: unreachable)"),
            Ending(job: Sample.job("Cancelled"), status: 3, line: "Status: Cancelled"),
            Ending(job: Sample.job("Expired"), status: 2, line: "Status: Expired (no acceptable bid came)"),
        ])
    func endings(_ ending: Ending) throws {
        let daemon = try ScriptedDaemon(["GET \(Self.path)": jobs(Sample.job("Submitted"), ending.job)])
        defer { daemon.stop() }
        let outcome = daemon.run("job-status", Sample.jobID, "--watch")
        #expect(outcome.status == ending.status)
        #expect(outcome.output.split(separator: "\n").contains(Substring(ending.line)))
        if ending.job.verification.state != "Verified" { #expect(!outcome.output.contains("federation ✓")) }
    }

    @Test("a read exits well whatever became of the job")
    func readOfAFailedJob() throws {
        let daemon = try ScriptedDaemon([
            "GET \(Self.path)": jobs(Sample.job("Failed", "Verified", final: true))
        ])
        defer { daemon.stop() }
        let outcome = daemon.run("job-status", "--job-id", Sample.jobID)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("\nStatus         Failed\n"))
    }

    @Test("time that is up gives status 5 and says how to go on")
    func timeout() throws {
        let daemon = try ScriptedDaemon(["GET \(Self.path)": jobs(Sample.job("Running"))])
        defer { daemon.stop() }
        let outcome = daemon.run("job-status", Sample.jobID, "--watch", "--timeout", "20ms", "-o", "json")
        #expect(outcome.status == 5)
        #expect((try outcome.json() as? [String: Any])?["status"] as? String == "Running")
        let message =
            try JSONSerialization.jsonObject(with: Data(outcome.messages.utf8)) as? [String: [String: Any]]
        #expect(message?["error"]?["code"] as? String == "job.timed-out")
        #expect(message?["error"]?["retryable"] as? Bool == true)
    }

    @Test("the JSON of job-status has every key of the contract, with null for the unknown")
    func statusJSON() throws {
        let daemon = try ScriptedDaemon(["GET \(Self.path)": jobs(Sample.job("Bidding"))])
        defer { daemon.stop() }
        let json = try #require(
            try daemon.run("job-status", "-j", Sample.jobID, "-o", "json").json() as? [String: Any])
        let keys = [
            "job_id", "manifest_cid", "description", "status", "settled_status", "verification", "executor",
            "epoch",
            "created_at", "assigned_at", "started_at", "finished_at", "outcome", "receipt_cid", "outputs",
            "metrics",
            "charged",
        ]
        #expect(Set(keys).isSubset(of: Set(json.keys)))
        #expect(json["epoch"] is NSNull)
        let metrics = try #require(json["metrics"] as? [String: Any])
        #expect(
            Set(metrics.keys) == ["fuel_used", "memory_peak_bytes", "host_calls", "io_bytes", "wall_ms"])
        #expect((json["outcome"] as? [String: Any])?["ok"] is NSNull)
    }

    @Test("get-bids waits for the window, sorts, and names the command that accepts")
    func bids() throws {
        let two = [Sample.bid("mesh-node-3", 60, seconds: 1), Sample.bid("mesh-node-2", 40, seconds: 2)]
        let refused = Sample.bid("mesh-node-9", 400, acceptable: false)
        let script: [String: [ControlResponse]] = [
            "GET \(Self.path)/bids": [
                .json(Sample.bids("Bidding", open: true, [])),
                .json(Sample.bids("Bidding", open: false, two + [refused])),
            ]
        ]
        let daemon = try ScriptedDaemon(script)
        defer { daemon.stop() }
        let outcome = daemon.run("get-bids", "--job-id", Sample.jobID)
        #expect(outcome.status == 0)
        #expect(
            outcome.output == """
                Node ID      Bid  Est. Time  Reputation  Location
                mesh-node-2  40   2s         50          Berlin
                mesh-node-3  60   1s         50          -

                Use the following command to accept a bid:
                meshctl accept-bid --job-id \(Sample.jobID) --node-id <node-id>

                """)
        let byTime = daemon.run("get-bids", "-j", Sample.jobID, "--sort-by", "time", "-o", "json")
        let list = try #require(try byTime.json() as? [[String: Any]])
        #expect(list.map { $0["node_id"] as? String } == ["mesh-node-3", "mesh-node-2"])
        #expect(list.first?["location"] is NSNull)
        let keys = [
            "job_id", "node_id", "did", "bid", "estimated_seconds", "reputation", "location", "score",
            "valid_until",
        ]
        #expect(Set(keys).isSubset(of: Set(try #require(list.first).keys)))
    }

    @Test("no acceptable bid is an empty list and status 2")
    func noBids() throws {
        let refused = Sample.bid("mesh-node-9", 400, acceptable: false)
        let daemon = try ScriptedDaemon([
            "GET \(Self.path)/bids": [.json(Sample.bids("Expired", open: false, [refused]))]
        ])
        defer { daemon.stop() }
        let outcome = daemon.run("get-bids", "--job-id", Sample.jobID, "-o", "json")
        #expect(outcome.status == 2)
        #expect(outcome.output == "[]\n")
        #expect(outcome.messages.contains("mesh-node-9: the price is above the highest bid"))
    }

    @Test("get-bids --no-wait shows what there is and asks once")
    func noWait() throws {
        let daemon = try ScriptedDaemon([
            "GET \(Self.path)/bids": [.json(Sample.bids("Bidding", open: true, []))]
        ])
        defer { daemon.stop() }
        let outcome = daemon.run("get-bids", "-j", Sample.jobID, "--no-wait", "-o", "json")
        #expect(outcome.status == 0)
        #expect(outcome.output == "[]\n")
        #expect(daemon.requests.count == 1)
    }

    @Test("submit-job --wait prints the progress and the program's output")
    func submitAndWait() throws {
        var script = Self.submission
        script["GET \(Self.path)"] = jobs(
            Sample.job("Bidding"), Sample.job("Completed", "Verified", final: true))
        script["GET \(Self.path)/outputs/stdout"] = [.bytes(Array("42\n".utf8))]
        let daemon = try ScriptedDaemon(script)
        defer { daemon.stop() }
        let module = try daemon.file("m.wasm")
        let outcome = daemon.run("submit-job", "-w", module, "--auto", "--wait")
        #expect(outcome.status == 0)
        #expect(
            outcome.output.hasPrefix(
                "Job submitted successfully\nJob ID: \(Sample.jobID)\nStatus: Assigned\n"))
        #expect(outcome.output.hasSuffix("Receipt verified by federation ✓ (2 of 2)\n\n42\n"))
        let json = daemon.run("submit-job", "-w", module, "--auto", "--wait", "-o", "json")
        #expect((try json.json() as? [String: Any])?["status"] as? String == "Completed")
    }

    @Test("submit-job --follow keeps the program's streams apart from the progress")
    func submitAndFollow() throws {
        func chunk(_ stream: String, _ text: String) -> [UInt8] {
            ControlResponse.event("log", LogChunkView(stream: stream, epoch: 0, offset: 0, text: text))
        }
        var script = Self.submission
        script["GET \(Self.path)"] = jobs(Sample.job("Failed", "Verified", final: true))
        script["GET \(Self.path)/logs"] = [
            ControlResponse(
                status: 200, contentType: "text/event-stream",
                body: chunk("stdout", "one\n") + chunk("stderr", "two\n"))
        ]
        let daemon = try ScriptedDaemon(script)
        defer { daemon.stop() }
        let outcome = daemon.run("submit-job", "-w", try daemon.file("m.wasm"), "--auto", "--follow")
        #expect(outcome.status == 3)
        #expect(outcome.output == "Job submitted successfully\nJob ID: \(Sample.jobID)\none\n")
        #expect(outcome.messages.hasPrefix("two\nStatus: Assigned\n"))
    }

    @Test("rerun submits the same request again, without its idempotency key")
    func rerun() throws {
        var script = Self.submission
        script["GET \(Self.path)/manifest"] = [
            .json(SubmitRequest(wasm: "bafkreicode", auto: true, idempotencyKey: "once", retry: 2))
        ]
        let daemon = try ScriptedDaemon(script)
        defer { daemon.stop() }
        #expect(daemon.run("rerun", Sample.jobID).status == 0)
        #expect(
            try daemon.posted("/v1/jobs", as: SubmitRequest.self) == [
                SubmitRequest(wasm: "bafkreicode", auto: true, retry: 2)
            ])
    }

    @Test("the daemon's refusal is printed with its hint and as JSON where JSON was asked for")
    func refusal() throws {
        let refusal = APIError(code: "job.unknown", message: "no job is called 9", hint: "meshctl list")
        let daemon = try ScriptedDaemon(["GET /v1/jobs/9": [.error(404, refusal)]])
        defer { daemon.stop() }
        let text = daemon.run("job-status", "9")
        #expect(text.status == 1)
        #expect(text.messages == "error: no job is called 9\nhint: meshctl list\n")
        let json = daemon.run("job-status", "9", "-o", "json")
        #expect(
            json.messages
                == #"{"error":{"code":"job.unknown","message":"no job is called 9","hint":"meshctl list","retryable":false}}"#
                + "\n")
        #expect(json.output.isEmpty)
    }
}
