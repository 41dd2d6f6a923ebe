import IPLD
import MeshAPI
import MeshCore
import MeshCrypto
import MeshDAG
@testable import MeshEngine
@testable import MeshGossip
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Losses and hostile peers", .tags(.Size.small))
struct AdversityTests {
    @Test(
        "a mesh that lost frames settles every job and agrees once it is whole again",
        arguments: Seed.sample(10))
    func losses(_ seed: Seed) throws {
        var generator = seed.generator
        let mesh = try Mesh(count: 5)
        mesh.connectAll()
        mesh.loses = { _ in Int.random(in: 0..<10, using: &generator) < 3 }
        var jobs: [String] = []
        for index in 0..<6 {
            jobs.append(try #require(try mesh.submit(index % 5, description: "job \(index)")))
            _ = try mesh.run(until: { _ in false }, milliseconds: 700)
        }
        mesh.loses = { _ in false }
        // Lost bids may let a job expire, but nothing stays open and nobody disagrees.
        let settled = try mesh.run(
            until: { mesh in
                (1..<5).allSatisfy { mesh.frontier($0) == mesh.frontier(0) }
                    && jobs.allSatisfy { job in (0..<5).allSatisfy { mesh.isSettled($0, job) } }
            }, milliseconds: 120_000)
        #expect(settled)
        _ = try mesh.run(until: { _ in false }, milliseconds: 10_000)
        for node in 1..<5 {
            #expect(mesh.frontier(node) == mesh.frontier(0))
            #expect(try mesh.nodes[node].storage.projections() == mesh.nodes[0].storage.projections())
            for job in jobs {
                #expect(try mesh.view(node, job)?.settledStatus == mesh.view(0, job)?.settledStatus)
            }
        }
        let last = try #require(try mesh.submit(2, description: "last"))
        #expect(try mesh.wait(3, last, "Completed", "Verified")?.status == "Completed")
        #expect(mesh.closes.isEmpty)
    }

    @Test("a node answers what is held against it however old that is, and nobody else heeds it")
    func oldSuspicion() throws {
        let mesh = try Mesh(count: 3)
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        let before = mesh.nodes[1].engine.gossip.membership.own.record.incarnation
        let suspicion = SignedSuspicion(
            signing: Suspicion(
                subject: mesh.nodes[1].identity.did, incarnation: before,
                witness: mesh.nodes[0].identity.did, cause: .probe, time: mesh.now + -600_000),
            by: mesh.nodes[0].identity)
        let frame = Frame.message(envelope: suspicion.envelope, hops: nil)
        try mesh.inject(frame.type, frame.encoded, from: 0, to: 2)
        _ = try mesh.run(until: { _ in false }, milliseconds: 1_000)
        #expect(mesh.nodes[1].engine.gossip.membership.own.record.incarnation == before)
        try mesh.inject(frame.type, frame.encoded, from: 0, to: 1)
        _ = try mesh.run(until: { _ in false }, milliseconds: 1_000)
        #expect(mesh.nodes[1].engine.gossip.membership.own.record.incarnation == before + 1)
    }

    @Test("a late joiner catches up with 500 anchors")
    func catchUp() throws {
        let mesh = try Mesh(count: 3) { _, settings in settings.roles = [.submitter] }
        mesh.connect(0, 1)
        for index in 0..<500 {
            let job = try mesh.submit(0, description: "job \(index)", auto: false, window: 3_600_000)
            #expect(job != nil)
        }
        _ = try mesh.run(until: { $0.frontier(0) == $0.frontier(1) })
        let begun = mesh.now
        mesh.connect(2, 1)
        #expect(try mesh.run(until: { $0.frontier(2) == $0.frontier(0) }, milliseconds: 60_000))
        #expect(mesh.now - begun < 10_000, "by ranges, not one anchor for each exchange")
        var count = 0
        try mesh.nodes[2].storage.scan(.arrival, prefix: []) { _, _ in
            count += 1
            return true
        }
        #expect(count >= 500)
        #expect(try mesh.nodes[2].storage.projections() == mesh.nodes[0].storage.projections())
    }

    @Test(
        "no frame of random bytes traps, and a malformed one costs the peer its link",
        arguments: Seed.sample(20))
    func randomFrames(_ seed: Seed) throws {
        var generator = seed.generator
        let mesh = try Mesh(count: 2, threshold: 1)
        mesh.connect(0, 1)
        _ = try mesh.run(until: { $0.frontier(0) == $0.frontier(1) })
        let samples = FrameTests.samples(&generator)
        for type in FrameType.allCases {
            for index in 0..<8 {
                if !mesh.areLinked(0, 1) { mesh.connect(0, 1) }
                _ = try mesh.run(until: { _ in false }, milliseconds: 50)
                var body = FrameTests.bytes(Int.random(in: 0...48, using: &generator), &generator)
                if index % 2 == 1,
                    let sample = samples.filter({ $0.type == type }).randomElement(using: &generator)
                {
                    body = sample.encoded
                    if index % 4 == 1 { body[Int.random(in: body.indices, using: &generator)] ^= 1 }
                }
                let fault = PreparedFrame(
                    type: type, body: body, isKnown: { _ in false }, verifier: Ed25519Verifier()
                ).fault
                let closes = mesh.closes.count
                try mesh.inject(type, body, from: 0, to: 1)
                if let fault, fault.0.closesLink {
                    #expect(mesh.closes.count == closes + 1)
                    #expect(mesh.closes.last?.node == 1)
                    #expect(mesh.closes.last?.code == fault.0.rawValue)
                    #expect(!mesh.areLinked(0, 1))
                    // Long enough for the misdeed to fade.
                    mesh.now = mesh.now + 2 * PeerScores.halfLifeMilliseconds
                }
            }
        }
        // The mesh still works.
        if !mesh.areLinked(0, 1) { mesh.connect(0, 1) }
        guard case .peers(let peers)? = try mesh.ask(1, .peers) else {
            Issue.record("no peers")
            return
        }
        #expect(!peers.isEmpty)
        let job = try #require(try mesh.submit(0))
        #expect(try mesh.wait(1, job, "Completed")?.status == "Completed")
    }

    @Test("blocks that nobody asked for are dropped, alone and beside an anchor")
    func unaskedBlocks() throws {
        let mesh = try Mesh(count: 3)
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        let stray = Block(IPLDValue.text("stray").encoded, codec: .dagCBOR)
        let raw = Block([1, 2, 3], codec: .raw)
        for block in [stray, raw] {
            try mesh.inject(.block, Frame.block(block.cid, block.bytes).encoded, from: 0, to: 1)
        }
        // A good anchor of the peer, with something beside it that none of its entries names.
        let head = try #require(mesh.feedEnd(0, of: 0))
        let entry = IPLDValue.map([.init(key: "kind", value: .text("test.kind"))]).encoded
        let anchor = Anchor(
            author: mesh.nodes[0].identity.did, scope: "default", seq: head.seq + 1, prev: head.cid,
            parents: [],
            time: HybridTime(milliseconds: mesh.now.milliseconds + 1, counter: 0),
            entries: [CID(of: entry, codec: .dagCBOR)])
        let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: mesh.nodes[0].identity)
        let wire = WireAnchor(envelope: envelope.bytes, entries: [entry], attachments: [stray.bytes])
        try mesh.inject(.push, Frame.push(wire, hops: 0).encoded, from: 0, to: 1)
        #expect(mesh.feedEnd(1, of: 0)?.cid == envelope.cid)
        let storage = mesh.nodes[1].storage
        #expect(try !storage.hasBlock(stray.cid))
        #expect(try !storage.hasBlock(raw.cid))
        #expect(try !mesh.nodes[1].blobs.hasBlob(stray.cid))
        #expect(try !mesh.nodes[1].blobs.hasBlob(raw.cid))
    }

    @Test(
        "an anchor of another scope or of somebody who is not admitted is not stored, and spreads no further")
    func notAdmitted() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 1 { settings.admission = .allowlist([]) }
        }
        mesh.connect(0, 1)
        mesh.connect(1, 2)
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        #expect(mesh.frontier(1) == mesh.frontier(0), "members are admitted without being listed")
        let before = mesh.frontier(1)
        let entry = IPLDValue.map([.init(key: "kind", value: .text("test.kind"))]).encoded
        let stranger = Identity(try Ed25519PrivateKey(seed: SHA256.hash([99])))
        for (identity, scope) in [(stranger, "default"), (mesh.nodes[0].identity, "other")] {
            let anchor = Anchor(
                author: identity.did, scope: scope, seq: 0, prev: nil, parents: [],
                time: HybridTime(milliseconds: mesh.now.milliseconds, counter: 0),
                entries: [CID(of: entry, codec: .dagCBOR)])
            let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: identity)
            let wire = WireAnchor(envelope: envelope.bytes, entries: [entry], attachments: [])
            try mesh.inject(.push, Frame.push(wire, hops: 0).encoded, from: 0, to: 1)
            #expect(try !mesh.nodes[1].storage.hasBlock(envelope.cid))
        }
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        #expect(mesh.frontier(1) == before)
        #expect(mesh.frontier(2) == before)
        #expect(mesh.areLinked(0, 1))
        guard case .peers(let peers)? = try mesh.ask(1, .peers) else {
            Issue.record("no peers")
            return
        }
        #expect(peers.contains { peer in peer.counters["fault_not_admitted"] == 2 })
    }

    @Test("anchors are taken from anyone who has them")
    func anchorsOfOthers() throws {
        let mesh = try Mesh(count: 3)
        mesh.connect(0, 1)
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        let head = try #require(mesh.feedEnd(2, of: 2))
        let stored = try #require(try FeedGraph.stored(head.cid, in: mesh.nodes[2].storage))
        let wire = WireAnchor(
            envelope: stored.envelope.bytes, entries: stored.entries.map(\.bytes), attachments: [])
        #expect(head.seq == 0)
        try mesh.inject(.have, Frame.have([wire]).encoded, from: 0, to: 1)
        #expect(mesh.feedEnd(1, of: 2)?.cid == head.cid)
        // And spread further.
        #expect(try mesh.run(until: { $0.feedEnd(0, of: 2)?.cid == head.cid }))
    }

    @Test("bids from the future and from long ago are not heard")
    func oddTimes() throws {
        let mesh = try Mesh(count: 2, threshold: 1) { _, settings in settings.roles = [.submitter] }
        mesh.connectAll()
        let job = try #require(try mesh.submit(0, auto: false, window: 600_000))
        _ = try mesh.run(until: { $0.frontier(0) == $0.frontier(1) })
        guard case .job(let view)? = try mesh.ask(0, .job(job, waitMilliseconds: 0, after: nil)) else {
            Issue.record("no job")
            return
        }
        let manifest = try CID(view.manifestCID)
        func bid(_ offset: Int64) throws -> Int {
            let bids = Bids(
                bidder: mesh.nodes[1].identity.did, time: mesh.now + offset,
                bids: [
                    Bids.Bid(
                        manifest: manifest, epoch: 0, amount: 5, estimatedMilliseconds: 1, freeCPU: 4,
                        freeMemoryMiB: 1024, engine: Mesh.engine.profile, validUntil: mesh.now + 10_000_000)
                ])
            let envelope = Envelope(signing: bids.encoded, tag: Bids.tag, by: mesh.nodes[1].identity)
            try mesh.inject(
                .message, Frame.message(envelope: envelope.bytes, hops: 0).encoded, from: 1, to: 0)
            guard case .bids(let view)? = try mesh.ask(0, .bids(job, waitMilliseconds: 0, count: 0)) else {
                return -1
            }
            return view.bids.count
        }
        #expect(try bid(86_400_000) == 0)
        #expect(try bid(-86_400_000) == 0)
        #expect(try bid(1 << 47) == 0)
        #expect(try bid(-mesh.now.milliseconds) == 0)
        #expect(try bid(0) == 1)
    }

    @Test("anchors that cannot be applied do not pile up")
    func flood() throws {
        let mesh = try Mesh(count: 2, threshold: 1)
        mesh.connect(0, 1)
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        let identity = mesh.nodes[0].identity
        let head = try #require(mesh.feedEnd(0, of: 0))
        let entry = IPLDValue.map([.init(key: "kind", value: .text("test.kind"))]).encoded
        for seq in 1...1_500 {
            let anchor = Anchor(
                author: identity.did, scope: "default", seq: head.seq + 1 + UInt64(seq), prev: head.cid,
                parents: [],
                time: HybridTime(milliseconds: mesh.now.milliseconds + 1, counter: 0),
                entries: [CID(of: entry, codec: .dagCBOR)])
            let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: identity)
            let wire = WireAnchor(envelope: envelope.bytes, entries: [entry], attachments: [])
            try mesh.inject(.push, Frame.push(wire, hops: 0).encoded, from: 0, to: 1)
        }
        guard case .status(let status)? = try mesh.ask(1, .status) else {
            Issue.record("no status")
            return
        }
        #expect(status.queueLengths["anchors_waiting"] == 1_024)
        #expect(mesh.areLinked(0, 1))
        let job = try #require(try mesh.submit(1, description: "on"))
        #expect(try mesh.wait(1, job, "Completed")?.status == "Completed")
    }
}

extension Mesh {
    /// Whether `node` has a row that closes the job, without asking its engine.
    func isSettled(_ node: Int, _ job: String) -> Bool {
        guard let probe = try? Mesh.probe(nodes[node], job, now) else { return false }
        return probe
    }

    /// Asks a copy of the engine, so that a condition may look without taking part.
    private static func probe(_ node: Node, _ job: String, _ now: Timestamp) throws -> Bool {
        var engine = node.engine
        let effects = try node.storage.write { writer throws(StorageError) in
            try engine.step(
                [.control(RequestID(rawValue: .max), .job(job, waitMilliseconds: 0, after: nil))], now: now,
                isIdle: false,
                storage: writer, blobs: node.blobs)
        }
        for case .reply(_, .job(let view)) in effects {
            return ["Completed", "Failed", "Expired", "Cancelled"].contains(view.settledStatus)
        }
        return false
    }

    /// The newest anchor of `author` that `node` has applied.
    func feedEnd(_ node: Int, of author: Int) -> (seq: UInt64, cid: CID)? {
        let feed = FeedID(author: nodes[author].identity.did, scope: nodes[author].settings.scope)
        guard let graph = try? FeedGraph(restoring: nodes[node].storage), let head = graph.head(feed) else {
            return nil
        }
        return (head.seq, head.cid)
    }
}
