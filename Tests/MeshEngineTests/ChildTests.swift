import IPLD
import MeshAPI
import MeshCore
import MeshEngine
import MeshGossip
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Jobs that runs ask for", .tags(.Size.small))
struct ChildTests {
    private static let module = Block(Array("code of a child".utf8), codec: .raw)

    private static func request(_ description: String = "child", amount: UInt64 = 40) -> RunSubmission {
        RunSubmission(
            code: module.cid, description: description, resource: "compute", amount: amount, priority: "high",
            requirements: SubmissionRequirements(memoryMiB: 128, cpu: 2, maxSeconds: 9))
    }

    /// Three members of which the first submits; runs of jobs called “parent” ask for two jobs.
    private static func mesh(threshold: UInt64 = 2, hasModule: Bool = true) throws -> Mesh {
        let mesh = try Mesh(count: 3, threshold: threshold) { index, settings in
            if index == 0 { settings.roles = [.submitter, .verifier] }
        }
        for index in mesh.nodes.indices {
            mesh.nodes[index].submits = { order in
                order.manifest.description == "parent" ? [request("first"), request("second")] : []
            }
        }
        if hasModule { try mesh.nodes[0].blobs.putBlobs([module]) }
        mesh.connectAll()
        return mesh
    }

    /// Waits until every child of `job` has the status, and gives them.
    private static func children(
        _ mesh: Mesh, _ node: Int, _ job: String, _ status: String
    ) throws -> [ChildView] {
        for _ in 0..<300 {
            let children = try mesh.view(node, job)?.children ?? []
            if !children.isEmpty, children.allSatisfy({ $0.status == status }) { return children }
            _ = try mesh.run(until: { _ in false }, milliseconds: 100)
        }
        return try mesh.view(node, job)?.children ?? []
    }

    private static func jobs(_ mesh: Mesh, _ node: Int) throws -> [JobStatusView] {
        guard case .jobs(let jobs)? = try mesh.ask(node, .jobs(limit: 100, status: nil)) else { return [] }
        return jobs
    }

    @Test(
        "A verified receipt's submissions become jobs of the submitter, run to verified receipts of their own"
    )
    func published() throws {
        let mesh = try Self.mesh()
        let job = try #require(try mesh.submit(0, description: "parent"))
        let children = try Self.children(mesh, 0, job, "Completed")
        #expect(children.map(\.description) == ["first", "second"])
        #expect(children.map(\.status) == ["Completed", "Completed"])
        for (index, child) in children.enumerated() {
            let id = try #require(child.jobID)
            for node in 0..<3 {
                let view = try #require(try mesh.wait(node, id, "Completed", "Verified"))
                #expect(view.verification.state == "Verified")
                #expect(view.parent?.jobID == job && view.parent?.index == index && view.parent?.depth == 1)
                #expect(view.submitter.did == mesh.nodes[0].identity.did.description)
                #expect(view.priority == "high" && view.code == "\(Self.module.cid)")
                // Everybody works the children out alike.
                #expect(try mesh.view(node, job)?.children == children)
            }
        }
        #expect(try Self.jobs(mesh, 2).count == 3, "one parent, two children, however many judges")
    }

    @Test("A restart of the submitter at any moment submits neither twice nor less", arguments: 0..<24)
    func restarted(_ moment: Int) throws {
        let mesh = try Self.mesh()
        let job = try #require(try mesh.submit(0, description: "parent"))
        _ = try mesh.run(until: { _ in false }, milliseconds: Int64(moment) * 5)
        mesh.kill(0)
        _ = try mesh.run(until: { _ in false }, milliseconds: 200)
        try mesh.restart(0)
        let children = try Self.children(mesh, 1, job, "Completed")
        #expect(children.map(\.status) == ["Completed", "Completed"])
        #expect(try Self.jobs(mesh, 1).count == 3)
    }

    @Test("Nothing is submitted before the receipt is verified")
    func unverified() throws {
        let mesh = try Self.mesh()
        mesh.kill(2)
        let job = try #require(try mesh.submit(0, description: "parent"))
        _ = try mesh.wait(0, job, "Completed")
        _ = try mesh.run(until: { _ in false }, milliseconds: 10_000)
        let waiting = try #require(try mesh.view(0, job))
        #expect(waiting.verification.state == "Verifying")
        #expect(waiting.children.map(\.status) == ["Waiting", "Waiting"])
        #expect(waiting.children.first?.reason == "the parent's receipt is not verified")
        #expect(try Self.jobs(mesh, 0).count == 1)
        try mesh.restart(2)
        #expect(try Self.children(mesh, 0, job, "Completed").map(\.status) == ["Completed", "Completed"])
    }

    @Test("An executor that lists a job which the run does not ask for is disputed, and nothing is submitted")
    func lie() throws {
        let mesh = try Self.mesh()
        mesh.nodes[1].submits = { _ in [Self.request("stolen", amount: 9_000)] }
        let job = try #require(try mesh.submit(0, description: "parent"))
        let view = try #require(try mesh.wait(0, job, "Completed", "Disputed"))
        #expect(view.executor.nodeID == "node-2" && view.verification.state == "Disputed")
        _ = try mesh.run(until: { _ in false }, milliseconds: 10_000)
        #expect(try mesh.view(0, job)?.children.map(\.status) == ["Waiting"])
        #expect(try Self.jobs(mesh, 0).count == 1)
    }

    @Test("A run that fails asks for nothing, whatever its receipt lists")
    func failed() throws {
        let mesh = try Self.mesh()
        for index in mesh.nodes.indices {
            mesh.nodes[index].run = { _ in ([], 1, RunOutcome(.exit, exitCode: 1)) }
        }
        let job = try #require(try mesh.submit(0, description: "parent"))
        _ = try mesh.wait(0, job, "Failed", "Verified")
        _ = try mesh.run(until: { _ in false }, milliseconds: 5_000)
        #expect(try mesh.view(0, job)?.children.isEmpty == true)
        #expect(try Self.jobs(mesh, 0).count == 1)
    }

    @Test("A submission waits for its module, and is made when the module comes")
    func withoutModule() throws {
        let mesh = try Self.mesh(hasModule: false)
        let job = try #require(try mesh.submit(0, description: "parent"))
        _ = try mesh.wait(0, job, "Completed", "Verified")
        _ = try mesh.run(until: { _ in false }, milliseconds: 5_000)
        let waiting = try #require(try mesh.view(0, job)).children
        #expect(waiting.map(\.status) == ["Waiting", "Waiting"])
        #expect(waiting.first?.reason?.contains("module") == true)
        var asked = 0
        mesh.watches = { type, _ in if type == .wantBlocks { asked += 1 } }
        _ = try mesh.run(until: { _ in false }, milliseconds: 5_000)
        #expect((1...12).contains(asked), "both peers once a second, not as fast as they answer")
        try mesh.nodes[0].blobs.putBlobs([Self.module])
        #expect(try Self.children(mesh, 0, job, "Completed").map(\.status) == ["Completed", "Completed"])
    }

    @Test("Jobs that a run asks for wait for room, however many they are")
    func crowd() throws {
        let mesh = try Self.mesh()
        for index in mesh.nodes.indices {
            mesh.nodes[index].submits = { order in
                guard order.manifest.description == "parent" else { return [] }
                return (0..<30).map { number in
                    var request = Self.request("child \(number)")
                    request.requirements.cpu = 4
                    return request
                }
            }
        }
        let job = try #require(try mesh.submit(0, description: "parent", window: 300))
        let children = try Self.children(mesh, 0, job, "Completed")
        #expect(children.map(\.status) == Array(repeating: "Completed", count: 30))
    }

    @Test("Jobs of jobs end at the depth that runs may reach")
    func depth() throws {
        let mesh = try Self.mesh()
        for index in mesh.nodes.indices {
            mesh.nodes[index].submits = { _ in [Self.request("again")] }
        }
        let job = try #require(try mesh.submit(0, description: "parent"))
        for _ in 0..<60 {
            let verified = try Self.jobs(mesh, 0).filter { $0.verification.state == "Verified" }
            if verified.count == 9 { break }
            _ = try mesh.run(until: { _ in false }, milliseconds: 500)
        }
        _ = try mesh.run(until: { _ in false }, milliseconds: 5_000)
        let all = try Self.jobs(mesh, 0)
        #expect(all.count == 9, "the first and eight below it")
        #expect(all.compactMap(\.parent?.depth).sorted() == Array(1...8))
        #expect(all.first { $0.parent?.depth == 8 }?.children.map(\.status) == ["Refused"])
        _ = job
    }

    @Test("A request that no manifest can hold is refused and keeps nothing else from being submitted")
    func unreadable() throws {
        let mesh = try Self.mesh()
        for index in mesh.nodes.indices {
            mesh.nodes[index].submits = { order in
                guard order.manifest.description == "parent" else { return [] }
                var odd = Self.request("odd")
                odd.priority = "whenever"
                return [odd, Self.request("huge", amount: 1 << 53), Self.request("good")]
            }
        }
        let job = try #require(try mesh.submit(0, description: "parent"))
        _ = try mesh.wait(0, job, "Completed", "Verified")
        _ = try mesh.run(until: { _ in false }, milliseconds: 5_000)
        let children = try #require(try mesh.view(0, job)).children
        #expect(children.map(\.status) == ["Refused", "Refused", "Completed"])
    }
}
