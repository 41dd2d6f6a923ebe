import ExecutionDocuments
import IPLD
import MeshAPI
import MeshCore
import MeshEngine
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Executions of jobs at a node", .tags(.Size.small))
struct ExecutionTests {
    /// Three members of which the first submits.
    private static func mesh(_ configure: (Int, inout NodeSettings) -> Void = { _, _ in }) throws -> Mesh {
        let mesh = try Mesh(count: 3) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
            configure(index, &settings)
        }
        mesh.connectAll()
        return mesh
    }

    private static func log(_ mesh: Mesh, _ node: Int) throws -> ExecutionLog {
        // Pages of one job each, so that every listing goes through several.
        var found: [ExecutionLines] = []
        var next: [UInt8]?
        repeat {
            guard
                case .executionLog(let page, let more)? = try mesh.ask(
                    node, .executionLog(limit: 1, after: next))
            else { throw MissingAnswer() }
            found += page
            next = more
        } while next != nil
        let log = try ExecutionLog(found.sorted().flatMap(\.bytes))
        #expect(log.findings.isEmpty)
        return log
    }

    private struct MissingAnswer: Error {}

    private static func snapshot(_ mesh: Mesh, _ node: Int, _ uid: String, _ label: String) throws -> Block? {
        guard case .executionSnapshot(let block)? = try mesh.ask(node, .executionSnapshot(uid, label: label))
        else { return nil }
        return block
    }

    private static func receipt(_ mesh: Mesh, _ node: Int, _ job: String) throws -> ReceiptView? {
        guard case .receipt(let view)? = try mesh.ask(node, .receipt(job)) else { return nil }
        return view
    }

    @Test("The receipt links start and end; the executor keeps both, and every replica makes them again")
    func linked() throws {
        let mesh = try Self.mesh()
        let job = try #require(try mesh.submit(0, description: "one"))
        _ = try mesh.wait(0, job, "Completed", "Verified")
        let view = try #require(try Self.receipt(mesh, 0, job))
        let links = try #require(view.execution)
        #expect(links.uid == "\(job).0")
        let executor = try #require(mesh.nodes.firstIndex { "\($0.identity.did)" == view.executor.did })
        let kept = mesh.nodes[executor].storage
        for (label, cid) in [("start", links.startCID), ("end", links.endCID)] {
            #expect(try kept.block(try CID(cid)) != nil, "the executor keeps \(label)")
            for node in 0..<3 {
                let block = try #require(try Self.snapshot(mesh, node, links.uid, label))
                #expect("\(block.cid)" == cid && CID(of: block.bytes, codec: .raw) == block.cid)
            }
        }
        let rehydrated = try RehydratedExecution(start: try CID(links.startCID), end: try CID(links.endCID)) {
            (try? kept.block($0)) ?? nil
        }
        #expect(rehydrated.end.status == .completed)
        for node in 0..<3 {
            let log = try Self.log(mesh, node)
            #expect(log.map(\.uid.description) == [links.uid] && log[0].status == .completed)
        }
    }

    @Test("The tree of executions goes from a job to the runs that it asked for, on other nodes too")
    func tree() throws {
        let mesh = try Self.mesh()
        let module = Block(Array("code of a child".utf8), codec: .raw)
        try mesh.nodes[0].blobs.putBlobs([module])
        for index in mesh.nodes.indices {
            mesh.nodes[index].submits = { order in
                guard order.manifest.description == "parent" else { return [] }
                return ["first", "second"].map {
                    RunSubmission(
                        code: module.cid, description: $0, resource: "compute", amount: 40, priority: "high")
                }
            }
        }
        let job = try #require(try mesh.submit(0, description: "parent"))
        for _ in 0..<300 {
            if try Self.log(mesh, 2).count(where: { $0.status == .completed }) == 3 { break }
            _ = try mesh.run(until: { _ in false }, milliseconds: 100)
        }
        for node in 0..<3 {
            let log = try Self.log(mesh, node)
            let tree = ExecutionTree(log, below: try ExecutionUID("\(job).0"))
            #expect(tree.rows.map(\.depth) == [0, 1, 1])
            #expect(tree.orphans.isEmpty && tree.cycles.isEmpty)
        }
    }

    @Test("A node that dies in the middle of a run begins again from the start snapshot that it has kept")
    func restarted() throws {
        let mesh = try Self.mesh { index, settings in if index == 2 { settings.roles = [.verifier] } }
        mesh.nodes[1].isStuck = true
        let job = try #require(try mesh.submit(0, description: "long"))
        var start: Block?
        for _ in 0..<200 where start == nil {
            _ = try mesh.run(until: { _ in false }, milliseconds: 10)
            start = try Self.snapshot(mesh, 1, "\(job).0", "start")
        }
        let before = try #require(start)
        #expect(try ExecutionDocument(decoding: before.bytes).status == .running)
        #expect(try Self.log(mesh, 1).map(\.status) == [.running])
        #expect(try Self.snapshot(mesh, 2, "\(job).0", "start") == nil, "only the executor has it yet")
        mesh.kill(1)
        _ = try mesh.run(until: { _ in false }, milliseconds: 50)
        mesh.nodes[1].isStuck = false
        try mesh.restart(1)
        _ = try mesh.wait(0, job, "Completed")
        let links = try #require(try Self.receipt(mesh, 0, job)?.execution)
        #expect(links.uid == "\(job).0", "the lease had not lapsed")
        #expect(links.startCID == "\(before.cid)")
    }

    @Test("A run that is lost is failed in the log, and the one that took its place stands beside it")
    func lost() throws {
        let mesh = try Self.mesh()
        mesh.nodes[1].isStuck = true
        let job = try #require(try mesh.submit(0, description: "lost once"))
        for _ in 0..<200 where try mesh.view(0, job)?.executor.nodeID == nil {
            _ = try mesh.run(until: { _ in false }, milliseconds: 10)
        }
        #expect(try mesh.view(0, job)?.executor.nodeID == "node-2")
        mesh.kill(1)
        _ = try mesh.wait(0, job, "Completed")
        let log = try Self.log(mesh, 0)
        let first = try #require(log[try ExecutionUID("\(job).0")])
        #expect(first.status == .failed && first.error == "lost: the job was awarded again")
        #expect(log[try ExecutionUID("\(job).1")]?.status == .completed)
        guard
            case .failure(let status, let error)? = try mesh.ask(
                0, .executionSnapshot("\(job).0", label: "start"))
        else {
            Issue.record("nobody here has the snapshot of a run that was lost")
            return
        }
        #expect(status == 404 && error.error.code == "execution.missing-snapshot")
    }

    @Test(
        "What names no execution is refused", arguments: ["", "x", "..", "0.0", "../0", "%00.0", "nobody.1"])
    func unknown(_ uid: String) throws {
        let mesh = try Self.mesh()
        let job = try #require(try mesh.submit(0, description: "one"))
        _ = try mesh.wait(0, job, "Completed")
        for uid in [uid, "\(job).7", "\(job)", "\(job).00"] {
            guard
                case .failure(let status, let error)? = try mesh.ask(
                    0, .executionSnapshot(uid, label: "start"))
            else {
                Issue.record("\(uid) was answered")
                continue
            }
            #expect(status == 404 && error.error.code == "execution.unknown")
        }
    }
}
