import ControlServer
import Foundation
import IPLD
import MeshAPI
import MeshCommands
import MeshTestSupport
import Synchronization
import Testing

@Suite("Commands about nodes, records and trust", .tags(.Size.medium))
struct OtherCommandTests {
    private static let path = "/v1/jobs/\(Sample.jobID)"

    private static let node = NodeStatusView(
        name: "mesh-node-1", did: Sample.did, version: MeshCtl.version, listenAddress: "127.0.0.1:7420",
        uptimeSeconds: 61, peersConnected: 1, frontierFeeds: 3,
        capacityTotal: CapacityView(cpu: 4, memoryMib: 1024, storageMib: 10_240),
        capacityFree: CapacityView(cpu: 2, memoryMib: 512, storageMib: 10_240), draining: false,
        publishingAllowed: true, federation: FederationSummaryView(), storeBytes: 1, blobBytes: 2,
        engine: EngineView(), queueLengths: ["send": 3], now: "2026-11-21T12:00:00.000Z")

    private static let bundle = FederationView(
        cid: Sample.receipt, name: "friends", seq: 0, threshold: 1,
        members: [MemberView(did: Sample.did, nodeID: "n1", organisation: "north")], signatures: [Sample.did],
        complete: true, pinned: true)

    @Test("list-nodes filters by label and language and shows what is unknown as a dash")
    func nodes() throws {
        let nodes = [
            NodeView(
                nodeID: "a", did: "did:key:a", location: "Berlin", memoryMib: 512, cpu: 2, storageMib: 100,
                languages: ["wasm"], reputation: 70, state: "alive", labels: ["disk": "ssd"]),
            NodeView(nodeID: "b", did: "did:key:b", reputation: 50, state: "gone"),
        ]
        let daemon = try ScriptedDaemon(["GET /v1/nodes": [.json(nodes)]])
        defer { daemon.stop() }
        #expect(
            daemon.run("list-nodes").output == """
                Node ID  Location  Memory   CPU  Storage  Languages  Reputation  State
                a        Berlin    512 MiB  2    100 MiB  wasm       70          alive
                b        -         -        -    -        -          50          gone

                """)
        #expect(daemon.run("list-nodes", "--label", "disk=ssd", "--id-only").output == "a\n")
        #expect(daemon.run("list-nodes", "--has-language", "ccl", "-o", "json").output == "[]\n")
        let csv = daemon.run("list-nodes", "-o", "csv").output
        #expect(
            csv.hasPrefix(
                "node_id,did,location,memory_mib,cpu,storage_mib,languages,reputation,state,labels\r\n"))
        #expect(csv.contains("\r\nb,did:key:b,,,,,[],50,gone,{}\r\n"))
        #expect(
            daemon.run("list-nodes", "-o", "yaml").output.hasPrefix("- node_id: a\n  did: \"did:key:a\"\n"))
    }

    @Test("node status shows the page and the JSON holds it all")
    func nodeStatus() throws {
        let daemon = try ScriptedDaemon(["GET /v1/node": [.json(Self.node)]])
        defer { daemon.stop() }
        let outcome = daemon.run("node", "status")
        #expect(outcome.output.contains("Name          mesh-node-1\n"))
        #expect(outcome.output.contains("Engine        -\n"))
        let json = try #require(try daemon.run("node", "status", "-o", "json").json() as? [String: Any])
        #expect(Set(json.keys) == Set(NodeStatusView.fields.map(\.name)))
    }

    @Test("node connect and drain post what was asked")
    func nodeChanges() throws {
        let peer = PeerView(
            nodeID: nil, did: nil, address: "127.0.0.1:1", state: "connecting", direction: "outgoing",
            counters: [:])
        let daemon = try ScriptedDaemon([
            "POST /v1/peers": [.json(peer, status: 202)], "GET /v1/peers": [.json([peer])],
            "POST /v1/node/drain": [.json(Self.node)],
        ])
        defer { daemon.stop() }
        #expect(daemon.run("node", "connect", "127.0.0.1:1").output == "127.0.0.1:1 is connecting\n")
        #expect(try daemon.posted("/v1/peers", as: PeerRequest.self) == [PeerRequest(address: "127.0.0.1:1")])
        #expect(daemon.run("node", "drain", "--off").output == "mesh-node-1 takes jobs\n")
        #expect(try daemon.posted("/v1/node/drain", as: DrainRequest.self) == [DrainRequest(drain: false)])
        #expect(daemon.run("node", "peers", "--id-only").output == "127.0.0.1:1\n")
    }

    @Test("list, history, explain and cancel print their rows")
    func jobLists() throws {
        let event = HistoryEventView(time: "2026-11-21T12:00:00.000Z", event: "Submitted", nodeID: "n1")
        let explain = ExplainView(
            nodeID: "n2", did: "did:key:n2", stage: "refused", reasonCode: "capacity.memory",
            reason: "too little memory",
            parts: [:], retryable: true)
        let daemon = try ScriptedDaemon([
            "GET /v1/jobs": [.json([Sample.job("Running")])], "GET \(Self.path)/history": [.json([event])],
            "GET \(Self.path)/explain": [.json([explain])],
            "POST \(Self.path)/cancel": [.json(Sample.job("Cancelled"))],
        ])
        defer { daemon.stop() }
        #expect(daemon.run("list", "--status", "Running", "--id-only").output == "\(Sample.jobID)\n")
        #expect(daemon.requests.last?.query == ["limit": "100", "status": "Running"])
        #expect(
            daemon.run("history", Sample.jobID).output.contains(
                "2026-11-21T12:00:00.000Z  Submitted  n1    -    \n"))
        #expect(
            daemon.run("explain", Sample.jobID).output == """
                Node ID  Stage    Score  Parts  Retryable  Reason
                n2       refused  -      -      yes        too little memory

                """)
        #expect(
            daemon.run("cancel", Sample.jobID, "--reason", "why").output
                == "Job \(Sample.jobID) is Cancelled\n")
        #expect(
            try daemon.posted("\(Self.path)/cancel", as: CancelRequest.self) == [CancelRequest(reason: "why")]
        )
    }

    @Test("describe brings job, bids, history and receipt together")
    func describe() throws {
        let daemon = try ScriptedDaemon([
            "GET \(Self.path)": [.json(Sample.job("Running"))],
            "GET \(Self.path)/bids": [.json(Sample.bids("Running", open: false, [Sample.bid("n2", 4)]))],
            "GET \(Self.path)/history": [.json([HistoryEventView]())],
        ])
        defer { daemon.stop() }
        let text = daemon.run("describe", Sample.jobID)
        #expect(text.status == 0)
        #expect(
            text.output.contains(
                "Bids\nNode ID  Bid  Reputation  Acceptable\nn2       4    50          yes\n"))
        let json = try #require(
            try daemon.run("describe", Sample.jobID, "-o", "json").json() as? [String: Any])
        #expect(Set(json.keys) == ["job", "bids", "history", "receipt"])
        #expect(json["receipt"] is NSNull)
    }

    @Test("output writes exact bytes to standard output or to a file")
    func output() throws {
        let bytes: [UInt8] = [0, 1, 2, 255]
        let daemon = try ScriptedDaemon(["GET \(Self.path)/outputs/a%2Fb": [.bytes(bytes)]])
        defer { daemon.stop() }
        let target = try daemon.file("out")
        #expect(daemon.run("output", Sample.jobID, "--name", "a/b", "-o", target).status == 0)
        #expect(FileManager.default.contents(atPath: target) == Data(bytes))
        #expect(daemon.run("output", Sample.jobID).status == 1)
    }

    @Test("logs show one stream or both")
    func logs() throws {
        let chunks = [
            LogChunkView(stream: "stdout", epoch: 0, offset: 0, text: "a"),
            LogChunkView(stream: "stdout", epoch: 0, offset: 1, text: "b\n"),
        ]
        let daemon = try ScriptedDaemon(["GET \(Self.path)/logs": [.json(chunks)]])
        defer { daemon.stop() }
        #expect(daemon.run("logs", Sample.jobID).output == "ab\n")
        #expect((try daemon.run("logs", Sample.jobID, "--all", "-o", "json").json() as? [Any])?.count == 2)
        #expect(daemon.requests.map { $0.query["stream"] } == ["stdout", "all"])
    }

    @Test("events are one JSON array, one CSV table or one YAML list, followed or not")
    func events() throws {
        let event = ControlResponse.event(
            "peer.connected", id: 4, EventView(id: 4, time: "t", event: "peer.connected", nodeID: "n2"))
        let daemon = try ScriptedDaemon([
            "GET /v1/events": [
                ControlResponse(status: 200, contentType: "text/event-stream", body: event + event)
            ]
        ])
        defer { daemon.stop() }
        #expect(daemon.run("events").output == "t  peer.connected  n2\nt  peer.connected  n2\n")
        #expect((try daemon.run("events", "-o", "json").json() as? [Any])?.count == 2)
        #expect((try daemon.run("events", "-f", "-o", "json").json() as? [Any])?.count == 2)
        let row = "4,t,peer.connected,,n2,,\r\n"
        #expect(
            daemon.run("events", "-f", "-o", "csv").output == "id,time,event,job_id,node_id,cid,detail\r\n"
                + row + row)
        #expect(daemon.run("events", "-o", "yaml").output.hasPrefix("- id: 4\n  time: t\n"))
    }

    @Test("a stream without events is an empty array")
    func noEvents() throws {
        let daemon = try ScriptedDaemon([
            "GET /v1/events": [ControlResponse(status: 200, contentType: "text/event-stream")]
        ])
        defer { daemon.stop() }
        #expect(daemon.run("events", "-f", "-o", "json").output == "[]\n")
    }

    @Test("a receipt is shown with its attestations and exported byte for byte")
    func receipt() throws {
        let view = ReceiptView(
            receiptCID: Sample.receipt, jobID: Sample.jobID, manifestCID: "bafyreim", epoch: 0,
            executor: NodeReferenceView(nodeID: "n2", did: Sample.did),
            outcome: OutcomeView(ok: true, outcomeClass: "ok"),
            metrics: MetricsView(fuelUsed: 12), engine: EngineView(name: "wasmtime", version: "48"),
            startedAt: "t1",
            finishedAt: "t2",
            anchor: HeadView(did: Sample.did, scope: "default", seq: 3, cid: "bafya", frozen: false),
            charged: ChargeView(resourceType: "compute", amount: 4),
            attestations: [
                AttestationView(
                    did: "did:key:c", nodeID: "n3", cid: "bafyt", time: "t3", verdict: "verified",
                    method: "replay",
                    counted: true)
            ],
            verification: VerificationView(
                state: "Verified", verifiedBy: ["did:key:c"], quorum: 1, method: "replay", final: true))
        let daemon = try ScriptedDaemon([
            "GET /v1/receipts/\(Sample.receipt)": [.json(view)],
            "GET /v1/receipts/\(Sample.receipt)/car": [.bytes([9, 8, 7])],
        ])
        defer { daemon.stop() }
        let text = daemon.run("receipt", "show", Sample.receipt).output
        #expect(text.contains("Attestation   verified by n3, replay\n"))
        #expect(text.contains("Verification  Verified (1 of 1)\n"))
        let file = try daemon.file("r.car")
        #expect(daemon.run("receipt", "export", Sample.receipt, "-o", file).status == 0)
        #expect(FileManager.default.contents(atPath: file) == Data([9, 8, 7]))
        #expect(daemon.run("receipt", "export", Sample.receipt).status == 64)
    }

    @Test("the DAG's heads, log, blocks and files go both ways")
    func dag() throws {
        let record = IPLDValue.map([.init(key: "hello", value: .bytes(Array("hi".utf8)))]).encoded
        let head = HeadView(
            did: Sample.did, nodeID: "n1", scope: "default", seq: 2, cid: "bafyh", time: "t", frozen: false)
        let anchor = AnchorView(
            did: Sample.did, nodeID: "n1", scope: "default", seq: 2, cid: "bafyh", time: "t",
            entries: [AnchorEntryView(cid: "bafye", kind: "job.manifest"), AnchorEntryView(cid: "bafyf")])
        let daemon = try ScriptedDaemon([
            "GET /v1/dag/heads": [.json([head])], "GET /v1/dag/log": [.json([anchor])],
            "GET /v1/dag/bafyrei": [.bytes(record, contentType: "application/vnd.ipld.dag-cbor")],
            "GET /v1/dag/export": [.bytes([1, 2])],
            "POST /v1/dag/import": [.json(ImportView(imported: 3, known: 2, refused: 1))],
        ])
        defer { daemon.stop() }
        #expect(daemon.run("dag", "heads", "--id-only").output == "bafyh\n")
        #expect(daemon.run("dag", "log", "--author", "n1").output.contains("job.manifest ?\n"))
        #expect(
            daemon.run("dag", "get", "bafyrei").output
                == "{\n  \"hello\": {\n    \"/\": {\n      \"bytes\": \"aGk\"\n    }\n  }\n}\n")
        #expect(daemon.run("dag", "get", "bafyrei", "--raw").outputBytes == record)
        let file = try daemon.file("m.car")
        #expect(daemon.run("dag", "export", file).status == 0)
        #expect(daemon.run("dag", "import", file).output == "3 imported, 2 known before, 1 refused\n")
        #expect(daemon.requests.last?.body == [1, 2])
    }

    @Test("federations are listed, shown and signed")
    func federation() throws {
        let daemon = try ScriptedDaemon([
            "GET /v1/federations": [.json([Self.bundle])],
            "POST /v1/federations/friends/sign": [.json(Self.bundle)],
        ])
        defer { daemon.stop() }
        #expect(daemon.run("federation", "list", "--id-only").output == "\(Sample.receipt)\n")
        #expect(daemon.run("federation", "show").output.contains("n1 of north \(Sample.did), signed\n"))
        #expect(daemon.run("federation", "show", "others").status == 1)
        #expect(
            daemon.run("federation", "sign", "friends").output == "Signed \(Sample.receipt) (1 of 1 have)\n")
    }

    @Test("identity create prints the DID that identity show reads back")
    func identity() throws {
        let directory = try TemporaryDirectory()
        let daemon = try ScriptedDaemon([:])
        defer { daemon.stop() }
        let path = directory.file("a.pem")
        let made = daemon.run("identity", "create", "--out", path)
        #expect(made.status == 0)
        #expect(made.output.hasPrefix("did:key:z6Mk"))
        #expect(daemon.run("identity", "show", path).output == made.output)
        #expect(daemon.run("identity", "create", "--out", path).status == 1)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(daemon.run("identity", "show", path).messages.contains("hint: chmod 600 \(path)\n"))
    }

    @Test("doctor says what is wrong and fails for it")
    func doctor() throws {
        let daemon = try ScriptedDaemon([
            "GET /v1/node": [.json(Self.node)], "GET /v1/peers": [.json([PeerView]())],
            "GET /v1/federations": [.json([Self.bundle])], "GET /v1/dag/heads": [.json([HeadView]())],
        ])
        let outcome = daemon.run("doctor")
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("✓ publishing: the node may append to its feed\n"))
        #expect(outcome.output.contains("✗ peers: 0 of 0 links are up\n"))
        #expect(outcome.output.contains("✗ engine: nothing runs jobs here\n"))
        #expect(outcome.output.contains("✓ federation: friends: 1 of 1 members have signed\n"))
        daemon.stop()
        let json = daemon.run("doctor", "-o", "json")
        #expect(json.status == 1)
        #expect((try json.json() as? [[String: Any]])?.map { $0["ok"] as? Bool } == [false])
    }

    @Test("a daemon that is not there is one line that says how to start it")
    func notReachable() throws {
        let daemon = try ScriptedDaemon([:])
        daemon.stop()
        let outcome = daemon.run("list")
        #expect(outcome.status == 1)
        #expect(outcome.messages.split(separator: "\n").count == 1)
        #expect(
            outcome.messages.hasPrefix(
                "error: no daemon answers on \(daemon.socketPath); start one with `meshd --config"))
    }

    private static func every(_ command: [String]) -> [[String]] {
        let output = Mutex("")
        let console = Console(
            output: { bytes in output.withLock { $0 += String(decoding: bytes, as: UTF8.self) } },
            message: { _ in })
        _ = MeshCtl.run(command + ["--help"], console: console)
        let lines = output.withLock { $0 }.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(of: "Commands:") else { return [command] }
        return lines[(start + 1)...].prefix { !$0.isEmpty }.flatMap { line in
            every(command + [String(line.split(separator: " ")[0])])
        }
    }

    @Test("every command has help with examples, and is offered by completion")
    func helpEverywhere() {
        let commands = Self.every([])
        #expect(commands.count >= 30)
        for command in commands {
            let output = Mutex("")
            let console = Console(
                output: { bytes in output.withLock { $0 += String(decoding: bytes, as: UTF8.self) } },
                message: { _ in })
            #expect(MeshCtl.run(command + ["--help"], console: console) == 0)
            let text = output.withLock { $0 }
            #expect(text.contains("Examples:\n  "), "\(command)")
            #expect(text.hasPrefix("Usage: meshctl \(command.joined(separator: " "))"))
        }
    }
}
