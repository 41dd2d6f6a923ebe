import IPLD
import MeshAPI
import MeshCore
import MeshCrypto
import MeshDAG
import MeshEngine
import MeshFederation
import MeshGossip
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Engines over an in-memory network", .tags(.Size.small))
struct MarketTests {
    @Test func `three engines finish a job, close it and verify its receipt`() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
        }
        mesh.connectAll()
        let job = try #require(try mesh.submit(0))
        let view = try #require(try mesh.wait(0, job, "Completed", "Verified"))
        #expect(view.status == "Completed")
        #expect(view.executor.nodeID == "node-2", "the cheaper node wins")
        #expect(view.verification.state == "Verified")
        #expect(
            view.verification.verifiedBy
                == [mesh.nodes[0].identity.did, mesh.nodes[2].identity.did].sorted().map(\.description))
        #expect(view.charged.amount == 1, "90 × 1,000 fuel of 10^8 rounds up to one unit")
        // Every replica tells the same story.
        for node in 1...2 {
            let other = try #require(try mesh.wait(node, job, "Completed", "Verified"))
            #expect(other.receiptCID == view.receiptCID)
        }
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        #expect(mesh.frontier(0) == mesh.frontier(1))
        #expect(mesh.frontier(1) == mesh.frontier(2))
    }

    @Test func `a manual job gathers bids, waits, and runs where it is accepted`() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
        }
        mesh.connectAll()
        let job = try #require(try mesh.submit(0, auto: false, window: 500))
        guard case .bids(let bids)? = try mesh.ask(0, .bids(job, waitMilliseconds: 5_000, count: 99)) else {
            Issue.record("no bids")
            return
        }
        #expect(bids.bids.map(\.nodeID) == ["node-2", "node-3"], "best first")
        #expect(bids.bids.map(\.bid) == [90, 100])
        _ = try mesh.ask(0, .award(job, node: "node-3"))
        let view = try #require(try mesh.wait(0, job, "Completed", "Verified"))
        #expect(view.executor.nodeID == "node-3")
    }

    @Test func `a job that nobody bids on expires, and explain names each node's reason`() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
        }
        mesh.connectAll()
        let job = try #require(try mesh.submit(0, window: 500) { $0.minMemory = 4096 })
        let view = try #require(try mesh.wait(0, job, "Expired"))
        #expect(view.reason == "no acceptable bid came within the window")
        guard case .explained(let reasons)? = try mesh.ask(0, .explain(job)) else {
            Issue.record("no explanation")
            return
        }
        #expect(reasons.map(\.nodeID) == ["node-1", "node-2", "node-3"])
        #expect(reasons.map(\.reasonCode) == ["role", "capacity.memory", "capacity.memory"])
    }

    @Test func `a job whose executor dies is awarded again, with the next epoch`() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
        }
        mesh.connectAll()
        mesh.nodes[1].isStuck = true
        let job = try #require(try mesh.submit(0, window: 100))
        let running = try #require(try mesh.wait(0, job, "Running"))
        #expect(running.executor.nodeID == "node-2")
        mesh.kill(1)
        let view = try #require(try mesh.wait(0, job, "Completed"))
        #expect(view.executor.nodeID == "node-3")
        #expect(view.epoch == 1)
    }

    @Test func `a placer that restarts in the middle ends the job all the same`() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
        }
        mesh.connectAll()
        let job = try #require(try mesh.submit(0, window: 1_000))
        mesh.kill(0)
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        try mesh.restart(0)
        let view = try #require(try mesh.wait(0, job, "Completed", "Verified"))
        #expect(view.status == "Completed")
        #expect(view.verification.state == "Verified")
    }

    @Test func `a receipt that lies about its output is disputed`() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
        }
        mesh.connectAll()
        mesh.nodes[1].run = { _ in (Array("a lie".utf8), 1_000, RunOutcome(.ok)) }
        let job = try #require(try mesh.submit(0))
        let view = try #require(try mesh.wait(0, job, "Completed", "Disputed"))
        #expect(view.verification.state == "Disputed")
        #expect(view.verification.verifiedBy == [])
        // Both members who looked publish the evidence, each with its own attestation.
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        let evidence = try mesh.nodes[0].storage.entries(of: Entry.mismatchKind)
        #expect(evidence.count == 2)
    }

    @Test func `a failed run is closed with its class and is verified like any other`() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
        }
        mesh.connectAll()
        for node in 0..<3 {
            mesh.nodes[node].run = { _ in ([], 100_000_000, RunOutcome(.trap, trap: "unreachable")) }
        }
        let job = try #require(try mesh.submit(0))
        let view = try #require(try mesh.wait(0, job, "Failed", "Verified"))
        #expect(view.outcome.outcomeClass == "trap")
        #expect(view.charged.amount == 90, "a trap bills the whole limit")
    }

    @Test func `a node fault is retried on another node`() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
        }
        mesh.connectAll()
        mesh.nodes[1].run = { _ in ([], 0, RunOutcome(.engine, trap: "the worker died")) }
        let job = try #require(try mesh.submit(0))
        let view = try #require(try mesh.wait(0, job, "Completed"))
        #expect(view.executor.nodeID == "node-3")
    }

    @Test func `the same idempotency key names the same job, and other content is refused`() throws {
        let mesh = try Mesh(count: 2, threshold: 1)
        mesh.connectAll()
        let first = try mesh.submit(0) { $0.idempotencyKey = "k" }
        let second = try mesh.submit(0) { $0.idempotencyKey = "k" }
        #expect(first != nil)
        #expect(first == second)
        let other = try mesh.submit(0, description: "other") { $0.idempotencyKey = "k" }
        #expect(other == nil)
    }

    @Test func `a key whose job was lost before it was anchored names the next one`() throws {
        let mesh = try Mesh(count: 2, threshold: 1)
        mesh.connectAll()
        mesh.isBusy = true
        let lost = try mesh.submit(0, milliseconds: 0) { $0.idempotencyKey = "k" }
        #expect(lost == nil)
        try mesh.restart(0)
        mesh.isBusy = false
        // It publishes when a peer has told how far its own feed goes.
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        let job = try #require(try mesh.submit(0) { $0.idempotencyKey = "k" })
        #expect(try mesh.wait(1, job, "Completed") != nil)
    }

    @Test func `a single node runs its own job when it is allowed to`() throws {
        let mesh = try Mesh(count: 1)
        let job = try #require(try mesh.submit(0) { $0.allowSelf = true })
        let view = try #require(try mesh.wait(0, job, "Completed"))
        #expect(view.status == "Completed")
        #expect(view.verification.final)
    }

    @Test func `a rebuild gives the same projections`() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
        }
        mesh.connectAll()
        for index in 0..<5 {
            let job = try #require(try mesh.submit(0, description: "job \(index)"))
            _ = try mesh.wait(0, job, "Completed", "Verified")
        }
        for node in mesh.nodes {
            let before = try node.storage.projections()
            var engine = node.engine
            let now = mesh.now
            try node.storage.write { writer throws(StorageError) in
                try engine.rebuild(now: now, storage: writer, blobs: node.blobs)
            }
            let after = try node.storage.projections()
            #expect(before == after)
            #expect(before.count > 20)
        }
    }
}

@Suite("What a job draws on", .tags(.Size.small))
struct DrawTests {
    @Test func `a job may draw on what its submitter has earned, and on nothing else`() throws {
        let mesh = try Mesh(count: 2, threshold: 1)
        mesh.connectAll()
        let job = try #require(try mesh.submit(0))
        let view = try #require(try mesh.wait(0, job, "Completed"))
        #expect(view.executor.nodeID == "node-2")
        guard case .receipt(let receipt)? = try mesh.ask(0, .receipt(job)), let close = receipt.closeCID
        else {
            Issue.record("no receipt")
            return
        }
        // Node 2 was credited by that close; node 1 was not.
        #expect(try mesh.submit(0, description: "not mine") { $0.tokens = [close] } == nil)
        let second = try #require(try mesh.submit(1, description: "mine") { $0.tokens = [close] })
        let paid = try #require(try mesh.wait(1, second, "Completed"))
        #expect(paid.executor.nodeID == "node-1")
        #expect(try mesh.submit(1, description: "no close") { $0.tokens = ["\(view.manifestCID)"] } == nil)
    }
}

@Suite("Claims about our own feed", .tags(.Size.small))
struct OwnClaimTests {
    @Test func `a stranger who says that we have published more holds us back for seconds, not for ever`()
        throws
    {
        // Node 3 is in nobody's federation.
        let mesh = try Mesh(count: 3) { index, settings in
            if let bundle = settings.federation, index != 2 {
                let members = bundle.members.filter { $0.did != mesh3 }
                settings.federation = try? FederationBundle.genesis(
                    name: "two", members: members, threshold: 1)
            }
        }
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        let own = FeedID(author: mesh.nodes[0].identity.did, scope: "default")
        let mark = FrontierMark(
            feed: own, seq: 1_000_000, cid: CID(of: [1], codec: .dagCBOR), frozenAt: nil)
        let lie = Frame.frontier([FrontierRange(upTo: nil, .differing([mark]))])
        try mesh.inject(lie.type, lie.encoded, from: 2, to: 0)
        #expect(try mesh.submit(0) == nil, "for a moment it may be true")
        _ = try mesh.run(until: { _ in false }, milliseconds: 11_000)
        #expect(try mesh.submit(0) != nil)
    }

    /// The identity that ``Mesh`` gives its third node.
    private var mesh3: DID? { (try? Ed25519PrivateKey(seed: SHA256.hash([2]))).map { Identity($0).did } }
}

extension MemoryStorage {
    /// The published records of one kind, in the order of arrival.
    func entries(of kind: String) throws -> [CID] {
        var found: [CID] = []
        try scan(.arrival, prefix: []) { _, value throws(StorageError) in
            guard let cid = try? CID(bytes: value), let anchor = try FeedGraph.stored(cid, in: self) else {
                return true
            }
            for entry in anchor.entries where RecordPeek.text("kind", in: entry.bytes) == kind {
                found.append(entry.cid)
            }
            return true
        }
        return found
    }
}

@Suite("What is shown as running", .tags(.Size.small))
struct RunningTests {
    @Test("a job is shown as running where its executor says so, and not before", arguments: [true, false])
    func running(_ isHeard: Bool) throws {
        let mesh = try Mesh(count: 2, threshold: 1)
        mesh.connectAll()
        mesh.nodes[1].isStuck = true
        let job = try #require(try mesh.submit(0, window: 100))
        let assigned = try #require(try mesh.wait(0, job, "Assigned"))
        #expect(assigned.executor.nodeID == "node-2")
        if !isHeard { mesh.loses = { $0 == .message } }
        _ = try mesh.run(until: { _ in false }, milliseconds: 1_000)
        #expect(try mesh.view(0, job)?.status == (isHeard ? "Running" : "Assigned"))
    }
}

@Suite("Large inputs", .tags(.Size.small))
struct LargeInputTests {
    @Test func `a blob of many chunks is fetched a few at a time`() throws {
        let mesh = try Mesh(count: 2, threshold: 1)
        mesh.connectAll()
        let bytes = (0..<(12 * BlobList.chunkByteCountMax)).map {
            UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 20)
        }
        let blocks = BlobList.split(bytes)
        try mesh.nodes[0].blobs.putBlobs(blocks)
        let root = try #require(blocks.first?.cid)
        var asked: [Int] = []
        mesh.watches = { type, _ in
            if type == .wantBlocks { asked.append(1) } else if type == .block { asked.append(-1) }
        }
        let job = try #require(
            try mesh.submit(0) {
                $0.inputs = [InputReference(name: "stdin", cid: "\(root)", size: bytes.count)]
            })
        let view = try #require(try mesh.wait(0, job, "Completed"))
        #expect(view.executor.nodeID == "node-2")
        var underWay = 0
        var most = 0
        for change in asked {
            underWay += change
            most = max(most, underWay)
        }
        #expect(asked.filter { $0 == 1 }.count >= blocks.count)
        #expect(most <= 4, "no more than fit into a queue are on their way")
    }
}
