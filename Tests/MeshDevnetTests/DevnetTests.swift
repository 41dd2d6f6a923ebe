import CommandLineArguments
import ControlClient
import Foundation
import MeshAPI
import MeshTestSupport
import Testing

@testable import MeshDevnet

/// The daemon that the build puts beside the tests.
private let daemon = BuiltProgram.path("meshd")

private let wasmtimeLibrary = BuiltProgram.wasmtimeLibrary

@Suite("A network of daemons", .tags(.Size.large), .serialized)
struct DevnetTests {
    /// A module that exports a function `run` that does nothing.
    private static let module: [UInt8] =
        [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 7, 1, 3, 0x72, 0x75, 0x6e]
        + [0, 0, 0x0a, 4, 1, 2, 0, 0x0b]

    /// Roles without a runtime make daemons that start quickly.
    private func devnet(_ count: Int) throws -> Devnet {
        var plan = Devnet.Plan(nodeCount: count)
        plan.program = daemon
        plan.roles = ["submitter"]
        plan.memberCount = 0
        plan.rule.latency = .constant(.milliseconds(2))
        return try Devnet(plan)
    }

    @Test("Three daemons find each other through relays; one is killed, the others see it, and it comes back")
    func kill() throws {
        let devnet = try devnet(3)
        defer { devnet.end() }
        try devnet.start()
        try devnet.awaitKnown()
        let relay = try #require(devnet.relay)
        #expect(relay.statistics.bytes > 0)
        let victim = devnet.nodes[2]
        victim.crash()
        #expect(!victim.isRunning)
        for node in devnet.nodes.prefix(2) {
            let _: [PeerView] = try node.poll("/v1/peers") { peers in
                !peers.contains { $0.did == victim.did && $0.state == "connected" }
            }
        }
        try devnet.restart(2)
        try devnet.awaitKnown()
        devnet.end()
        #expect(devnet.nodes.allSatisfy { !$0.isRunning })
        #expect(!FileManager.default.fileExists(atPath: devnet.directory))
    }

    @Test("A node that signs two histories is frozen by all others")
    func equivocator() throws {
        var plan = Devnet.Plan(nodeCount: 3)
        plan.program = daemon
        plan.roles = ["submitter"]
        plan.memberCount = 0
        plan.misbehaviours = [2: "equivocate"]
        let devnet = try Devnet(plan)
        defer { devnet.end() }
        try devnet.start()
        try devnet.awaitKnown()
        let bad = devnet.nodes[2]
        let client = try HTTPControlClient(socketPath: bad.socketPath)
        // Its first anchor is its profile; this makes a second.
        let blob: BlobView = try client.post("/v1/blobs", bytes: Self.module)
        let _: SubmitResponse = try client.post("/v1/jobs", SubmitRequest(wasm: blob.cid))
        for node in devnet.nodes.prefix(2) {
            let _: [HeadView] = try node.poll("/v1/dag/heads") { heads in
                heads.contains { $0.did == bad.did && $0.frozen }
            }
            let heads: [HeadView] = try HTTPControlClient(socketPath: node.socketPath).get("/v1/dag/heads")
            #expect(heads.filter(\.frozen).map(\.did) == [bad.did])
        }
    }

    @Test("A job whose cheapest bidder vanishes with the award is run by another")
    func vanishing() throws {
        var plan = Devnet.Plan(nodeCount: 3)
        plan.program = daemon
        plan.roles = ["executor", "verifier"]
        plan.ownRoles = [0: ["submitter", "verifier"]]
        plan.ownSettings = [2: "price: { compute: 100 },"]
        plan.memberCount = 3
        plan.wasmtimeLibraryPath = wasmtimeLibrary
        plan.misbehaviours = [2: "vanish"]
        let devnet = try Devnet(plan)
        defer { devnet.end() }
        try devnet.start()
        try devnet.awaitKnown()
        let submitter = devnet.nodes[0]
        let _: [FederationView] = try submitter.poll("/v1/federations") { $0.contains(where: \.complete) }
        let client = try HTTPControlClient(socketPath: submitter.socketPath)
        let blob: BlobView = try client.post("/v1/blobs", bytes: Self.module)
        // Long enough for both bids to come in.
        let job: SubmitResponse = try client.post(
            "/v1/jobs", SubmitRequest(wasm: blob.cid, auto: true, bidWindowMs: 500))
        let assigned: JobStatusView = try submitter.poll("/v1/jobs/\(job.jobID)") { $0.executor.did != nil }
        #expect(assigned.executor.did == devnet.nodes[2].did)
        let done: JobStatusView = try submitter.poll("/v1/jobs/\(job.jobID)", within: 60) {
            $0.settledStatus == "Completed"
        }
        #expect(done.executor.did == devnet.nodes[1].did)
        #expect(done.epoch ?? 0 > assigned.epoch ?? 0)
    }

    @Test("A daemon that floods the others keeps nobody's entries from them")
    func flood() throws {
        var plan = Devnet.Plan(nodeCount: 3)
        plan.program = daemon
        plan.roles = ["submitter"]
        plan.memberCount = 0
        plan.misbehaviours = [2: "flood"]
        let devnet = try Devnet(plan)
        defer { devnet.end() }
        try devnet.start()
        try devnet.awaitKnown()
        let relay = try #require(devnet.relay)
        let before = relay.statistics.bytes
        let client = try HTTPControlClient(socketPath: devnet.nodes[0].socketPath)
        let blob: BlobView = try client.post("/v1/blobs", bytes: Self.module)
        for _ in 0..<5 {
            let job: SubmitResponse = try client.post("/v1/jobs", SubmitRequest(wasm: blob.cid))
            let _: JobStatusView = try devnet.nodes[1].poll("/v1/jobs/\(job.jobID)") { _ in true }
        }
        // The flood was there: five jobs alone are some kilobytes.
        let _: NodeStatusView = try devnet.nodes[0].poll("/v1/node") { _ in
            relay.statistics.bytes - before > 500_000
        }
    }

    @Test("Faults that overlap hold until the last of them is over; what daemons cannot do is said")
    func overlapping() throws {
        let devnet = try devnet(3)
        defer { devnet.end() }
        let relay = try #require(devnet.relay)
        let faults = DevnetFaults(devnet)
        func fault(_ kind: String, _ nodes: [Int], _ others: [Int], _ amount: Double = 0) -> DevnetFault {
            DevnetFault(
                kind: kind, start: .zero, end: .seconds(1), nodes: nodes, others: others, amount: amount)
        }
        let partition = fault("partition", [0], [1, 2])
        let oneWay = fault("one-way", [0], [1])
        #expect(faults.begin(partition))
        #expect(faults.begin(oneWay))
        try faults.end(partition)
        #expect(relay.rule(from: 0, to: 1).isBlocked)
        #expect(!relay.rule(from: 1, to: 0).isBlocked)
        #expect(!relay.rule(from: 0, to: 2).isBlocked)
        try faults.end(oneWay)
        #expect(!relay.rule(from: 0, to: 1).isBlocked)
        #expect(faults.begin(fault("loss", [], [], 0.1)))
        #expect(relay.rule(from: 0, to: 1).loss == 0.1 && relay.rule(from: 2, to: 1).loss == 0.1)
        try faults.end(fault("loss", [], [], 0.1))
        #expect(relay.rule(from: 0, to: 1) == devnet.rule)
        #expect(!faults.begin(fault("skew", [0], [], 5)))
    }

    @Test(
        "A job of a daemon that forges its result is disputed; one false witness among three changes nothing",
        arguments: [
            (kind: "wrong-output", node: 3, state: "Disputed"),
            (kind: "wrong-fuel", node: 3, state: "Disputed"),
            (kind: "false-attest", node: 2, state: "Verified"),
        ])
    func forgery(kind: String, node: Int, state: String) throws {
        var plan = Devnet.Plan(nodeCount: 4)
        plan.program = daemon
        plan.roles = ["submitter", "verifier"]
        plan.ownRoles = [3: ["executor", "verifier"]]
        plan.memberCount = 4
        plan.wasmtimeLibraryPath = wasmtimeLibrary
        plan.misbehaviours = [node: kind]
        let devnet = try Devnet(plan)
        defer { devnet.end() }
        try devnet.start()
        try devnet.awaitKnown()
        let client = try HTTPControlClient(socketPath: devnet.nodes[0].socketPath)
        let _: [FederationView] = try devnet.nodes[0].poll("/v1/federations") {
            $0.contains(where: \.complete)
        }
        let blob: BlobView = try client.post("/v1/blobs", bytes: Self.module)
        let request = SubmitRequest(
            wasm: blob.cid, resourceAmount: 1, fuel: 1_000_000, auto: true, bidWindowMs: 0)
        let job: SubmitResponse = try client.post("/v1/jobs", request)
        let view: JobStatusView = try devnet.nodes[0].poll("/v1/jobs/\(job.jobID)", within: 60) {
            $0.verification.state == state
        }
        #expect(view.verification.state == state)
    }

    @Test(
        "Shares of segments are read as percent or as a fraction",
        arguments: [("1%", 0.01), ("0.5", 0.5), ("0", 0)])
    func share(text: String, value: Double) throws {
        #expect(try DevnetProgram.share(text) == value)
        for wrong in ["", "%", "-1%", "91%", "0.95", "much"] {
            #expect(throws: UsageError.self) { try DevnetProgram.share(wrong) }
        }
    }
}
