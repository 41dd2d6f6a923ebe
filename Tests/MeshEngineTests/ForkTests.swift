import IPLD
import MeshAPI
import MeshCore
import MeshDAG
import MeshEngine
import MeshGossip
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@Suite("One key on two nodes", .tags(.Size.small))
struct ForkTests {
    private func federation() throws -> Mesh {
        let mesh = try Mesh(count: 5)
        mesh.connectAll()
        return mesh
    }

    @Test("all honest nodes freeze a forked feed at one point, forget what came after, and go on")
    func forkedNode() throws {
        let mesh = try federation()
        let honest = 0...3
        let early = try #require(try mesh.submit(4, description: "early"))
        _ = try #require(try mesh.wait(4, early, "Completed", "Verified"))
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        let twin = try mesh.addTwin(of: 4)
        // Two halves, each with one of the two.
        for a in [0, 1, 4] { for b in [2, 3] { mesh.cut(a, b) } }
        for b in [2, 3] { mesh.connect(twin, b) }
        let left = try #require(try mesh.submit(4, description: "left"))
        let right = try #require(try mesh.submit(twin, description: "right"))
        let own = try #require(try mesh.submit(0, description: "honest"))
        #expect(try mesh.wait(0, left, "Completed")?.status == "Completed")
        #expect(try mesh.wait(2, right, "Completed")?.status == "Completed")
        #expect(try mesh.wait(0, own, "Completed")?.status == "Completed")
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        // The halves meet.
        for a in [0, 1] { for b in [2, 3] { mesh.connect(a, b) } }
        let equal = try mesh.run(
            until: { mesh in
                honest.allSatisfy {
                    mesh.frontier($0) == mesh.frontier(0) && mesh.freezePoint($0, of: 4) != nil
                }
            },
            milliseconds: 60_000)
        #expect(equal)
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        let points = honest.map { mesh.freezePoint($0, of: 4) }
        #expect(Set(points).count == 1)
        for node in honest {
            #expect(mesh.frontier(node) == mesh.frontier(0), "node \(node)")
            #expect(
                try mesh.nodes[node].storage.projections() == mesh.nodes[0].storage.projections(),
                "node \(node)")
            #expect(try mesh.view(node, early)?.status == "Completed", "what came before the fork stands")
            #expect(try mesh.view(node, own)?.status == "Completed")
            for gone in [left, right] {
                let status = try mesh.view(node, gone)?.status
                #expect(
                    status == nil || status == "Unknown",
                    "a job of the forked suffix is no job: \(status ?? "")")
            }
        }
        // The forked node may no longer publish, the others may.
        let next = try #require(try mesh.submit(1, description: "next"))
        #expect(try mesh.wait(3, next, "Completed")?.status == "Completed")
        for node in honest {
            let before = try mesh.nodes[node].storage.projections()
            var engine = mesh.nodes[node].engine
            let (now, blobs) = (mesh.now, mesh.nodes[node].blobs)
            try mesh.nodes[node].storage.write { writer throws(StorageError) in
                try engine.rebuild(now: now, storage: writer, blobs: blobs)
            }
            #expect(try mesh.nodes[node].storage.projections() == before, "a rebuild knows of the freeze too")
        }
    }

    @Test("a late joiner learns of a freeze from the evidence alone")
    func lateJoiner() throws {
        let mesh = try federation()
        mesh.kill(3)
        let early = try #require(try mesh.submit(4, description: "early"))
        _ = try #require(try mesh.wait(4, early, "Completed"))
        let twin = try mesh.addTwin(of: 4)
        for a in [0, 4] { for b in [1, 2] { mesh.cut(a, b) } }
        for b in [1, 2] { mesh.connect(twin, b) }
        _ = try mesh.submit(4, description: "left")
        _ = try mesh.submit(twin, description: "right")
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        for b in [1, 2] { mesh.connect(0, b) }
        _ = try mesh.run(until: {
            $0.frontier(0) == $0.frontier(1) && $0.frontier(1) == $0.frontier(2)
                && $0.freezePoint(0, of: 4) != nil
        })
        mesh.kill(4)
        mesh.kill(twin)
        mesh.nodes[3].storage = MemoryStorage()
        try mesh.restart(3)
        #expect(try mesh.run(until: { $0.frontier(3) == $0.frontier(0) }, milliseconds: 60_000))
        #expect(mesh.freezePoint(3, of: 4) == mesh.freezePoint(0, of: 4))
        #expect(try mesh.nodes[3].storage.projections() == mesh.nodes[0].storage.projections())
    }

    @Test("a restored backup adopts its own feed before it publishes")
    func restoredBackup() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            settings.peers = [NodeSettings.Peer(address: "peer:1", did: nil)]
        }
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        let first = try #require(try mesh.submit(0, description: "first"))
        _ = try #require(try mesh.wait(0, first, "Completed"))
        let backup = try mesh.nodes[0].storage.copied()
        for index in 0..<3 {
            let job = try #require(try mesh.submit(0, description: "later \(index)"))
            _ = try #require(try mesh.wait(1, job, "Completed"))
        }
        _ = try mesh.run(until: { $0.frontier(0) == $0.frontier(1) && $0.frontier(0) == $0.frontier(2) })
        mesh.kill(0)
        mesh.nodes[0].storage = backup
        try mesh.restart(0)
        let next = try #require(
            try mesh.submit(0, description: "after") { $0.idempotencyKey = "k" } ?? retry(mesh))
        #expect(try mesh.wait(1, next, "Completed")?.status == "Completed")
        #expect(try mesh.run(until: { $0.frontier(0) == $0.frontier(1) && $0.frontier(0) == $0.frontier(2) }))
        for node in 0..<3 { #expect(mesh.freezePoint(node, of: 0) == nil) }
        #expect(try mesh.nodes[0].storage.projections() == mesh.nodes[1].storage.projections())
    }

    /// Submits once the node may publish.
    private func retry(_ mesh: Mesh) throws -> String? {
        for _ in 0..<50 {
            _ = try mesh.run(until: { _ in false }, milliseconds: 100)
            if let job = try mesh.submit(0, description: "after", change: { $0.idempotencyKey = "k" }) {
                return job
            }
        }
        return nil
    }

    @Test("a restored backup without a peer publishes nothing and says why, unless it is told to stand alone")
    func restoredAlone() throws {
        let mesh = try Mesh(count: 3) { _, settings in
            settings.peers = [NodeSettings.Peer(address: "peer:1", did: nil)]
        }
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        let first = try #require(try mesh.submit(0, description: "first"))
        _ = try #require(try mesh.wait(0, first, "Completed"))
        for node in 0..<3 { mesh.kill(node) }
        try mesh.restart(0)
        let nonce = [UInt8](repeating: 1, count: 16)
        let code = Block(Array("code".utf8), codec: .raw)
        try mesh.nodes[0].blobs.putBlobs([code])
        let request = SubmitRequest(wasm: "\(code.cid)", description: "second", auto: true, bidWindowMs: 0)
        let before = mesh.frontier(0)
        guard case .failure(let status, let error)? = try mesh.ask(0, .submit(request, nonce: nonce)) else {
            Issue.record("the job was taken")
            return
        }
        #expect(status == 503)
        #expect(error.error.code == "node.not-publishing")
        #expect(
            error.error.message
                == "this node cannot publish yet: no peer has been reached yet that could know this node's own feed"
        )
        #expect(error.error.retryable)
        _ = try mesh.run(until: { _ in false }, milliseconds: 5_000)
        #expect(mesh.frontier(0) == before)
        mesh.kill(0)
        mesh.nodes[0].settings.alone = true
        try mesh.restart(0)
        guard case .submitted? = try mesh.ask(0, .submit(request, nonce: nonce)) else {
            Issue.record("the job was not taken")
            return
        }
        #expect(mesh.frontier(0) != before)
    }
}

extension Mesh {
    /// The freeze point of `author`'s feed as `node` knows it.
    func freezePoint(_ node: Int, of author: Int) -> UInt64? {
        let feed = FeedID(author: nodes[author].identity.did, scope: nodes[author].settings.scope)
        var point: UInt64?
        try? nodes[node].storage.scan(.frozen, prefix: feed.key) { key, _ in
            point = key.bigEndian(at: key.count - 8)
            return false
        }
        return point
    }
}
