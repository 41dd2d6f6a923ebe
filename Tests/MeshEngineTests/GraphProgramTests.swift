import MEW
import MeshAPI
import MeshCore
import MeshEngine
import MeshGraph
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Programs in the engine", .tags(.Size.small))
struct GraphProgramTests {
    private func linked(_ count: Int = 2) throws -> Mesh {
        let mesh = try Mesh(count: count, threshold: count > 2 ? 2 : 1)
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        try mesh.mew(0, Mesh.people)
        #expect(try mesh.converge())
        return mesh
    }

    @Test func `a dry run answers as if it had been kept, and leaves nothing`() throws {
        let mesh = try linked()
        let (before, frontier) = (try mesh.dump(0), mesh.frontier(0))
        let rows = try mesh.nodes[0].storage.projections()
        let run = try mesh.attempt(
            0,
            """
            ontology more { node Extra { n: Int } }
            SPAWN #x: Extra { n = 4 }
            SPAWN #ann: Person { name = "Ann" }
            MATCH p: Person RETURN p.name
            """, isDryRun: true)
        #expect(run.failure == nil)
        #expect(run.results.last?.rows == [[.string("Ann")]])
        _ = try mesh.run(until: { _ in false }, milliseconds: 1_000)
        #expect(try mesh.dump(0) == before)
        #expect(mesh.frontier(0) == frontier)
        #expect(try mesh.nodes[0].storage.projections() == rows)
        #expect(try GraphReplica(restoring: mesh.nodes[0].storage).schema.nodes["Extra"] == nil)
        try mesh.mew(0, "SPAWN #ann: Person { name = \"Ann\" }")
        #expect(try mesh.converge())
        try mesh.expectEqualGraphs([0, 1])
    }

    @Test func `a program that fails half way keeps what came before, and says how much`() throws {
        let mesh = try linked()
        let run = try mesh.attempt(
            0,
            """
            SPAWN ann: Person { name = "Ann" }
            BEGIN
            SPAWN #bob: Person { name = "Bob" }
            SPAWN #cem: Person { name = "Ann" }
            COMMIT
            SPAWN #dee: Person { name = "Dee" }
            """)
        let failure = try #require(run.failure)
        #expect(failure.code == .duplicateUnique)
        #expect(failure.range?.start.line == 4)
        #expect(run.results.map(\.statement) == ["spawn"])
        #expect(run.bindings.keys.sorted() == ["ann"])
        #expect(failure.hint?.contains("the statements before line 2 have taken effect") == true)
        #expect(try mesh.converge())
        for node in 0..<2 { #expect(try mesh.rows(node, "MATCH p: Person RETURN p.name") == [["Ann"]]) }
        try mesh.expectEqualGraphs([0, 1])
        // Where nothing came before, nothing is said of it.
        let first = try #require(try mesh.attempt(0, "SPAWN #x: Person { name = \"Ann\" }").failure)
        #expect(first.hint?.contains("taken effect") != true)
    }

    @Test func `BEGIN without COMMIT keeps nothing`() throws {
        let mesh = try linked()
        let before = mesh.frontier(0)
        #expect(try mesh.attempt(0, "BEGIN SPAWN p: Person { name = \"x\" }").failure?.code == .noTransaction)
        #expect(mesh.frontier(0) == before)
        #expect(try mesh.dump(0) == "")
    }

    @Test func `a node that may not publish yet refuses with 503, reads go on, and a dry run too`() throws {
        let mesh = try Mesh(count: 2, threshold: 1) { _, settings in
            settings.peers = [NodeSettings.Peer(address: "peer:1", did: nil)]
        }
        guard case .failure(let status, let error)? = try mesh.ask(0, .graph(Mesh.script(Mesh.people))) else {
            Issue.record("the program was taken")
            return
        }
        #expect(status == 503)
        #expect(error.error.code == "node.not-publishing")
        #expect(error.error.retryable)
        #expect(try mesh.attempt(0, Mesh.people, isDryRun: true).failure == nil)
        #expect(try mesh.rows(0, "SHOW TYPES").count > 0)
        mesh.connect(0, 1)
        #expect(
            try mesh.run(until: { mesh in
                if case .status(let view)? = try? mesh.ask(0, .status) {
                    view.publishingAllowed
                } else {
                    false
                }
            }))
        try mesh.mew(0, Mesh.people)
    }

    @Test func `a program may have so many transactions, and one transaction as much as a change holds`()
        throws
    {
        let mesh = try linked()
        let line = "SPAWN p: Task { title = \"x\" }\n"
        let many = String(repeating: line, count: GraphScript.transactionCountMax + 1)
        guard case .failure(422, let error)? = try mesh.ask(0, .graph(Mesh.script(many))) else {
            Issue.record("the program was taken")
            return
        }
        #expect(error.error.code == "E9023")
        #expect(error.error.hint?.contains("BEGIN") == true)
        #expect(try mesh.dump(0) == "")
        try mesh.mew(0, "BEGIN\n\(many)COMMIT")
        #expect(try mesh.converge())
        try mesh.expectEqualGraphs([0, 1])
        #expect(
            try mesh.rows(1, "MATCH t: Task RETURN COUNT(*)") == [["\(GraphScript.transactionCountMax + 1)"]])
    }

    @Test func `bindings of one request are good for the next`() throws {
        let mesh = try linked()
        let run = try mesh.mew(0, "SPAWN ann: Person { name = \"Ann\" }")
        try mesh.mew(0, "SET #ann { age = 5 }", bindings: run.bindings)
        #expect(try mesh.converge())
        // The id means the same thing on every node.
        try mesh.mew(1, "SET #ann { age = 6 }", bindings: run.bindings)
        #expect(try mesh.converge())
        #expect(try mesh.rows(0, "MATCH p: Person RETURN p.age") == [["6"]])
    }

    // MARK: System types

    private func worked() throws -> (mesh: Mesh, jobs: [String]) {
        let mesh = try Mesh(count: 3)
        mesh.connectAll()
        var jobs: [String] = []
        for number in 0..<5 {
            let job = try #require(try mesh.submit(number % 3, description: "job \(number)"))
            _ = try #require(try mesh.wait(number % 3, job, "Completed", "Verified"))
            jobs.append(job)
        }
        #expect(try mesh.converge())
        return (mesh, jobs)
    }

    private func systemRows(
        _ mesh: Mesh, _ type: String, key: (attribute: String, value: GraphValue)? = nil,
        after: String? = nil,
        limit: Int = 100
    ) throws -> (rows: [VirtualRow], next: String?) {
        guard
            case .systemRows(let rows, let next)? = try mesh.ask(
                0, .systemRows(type: type, key: key, after: after, limit: limit))
        else { throw Mesh.Unexpected(description: "no rows") }
        return (rows, next)
    }

    @Test func `rows of jobs say what job-status says, a page at a time and by key`() throws {
        let (mesh, jobs) = try worked()
        let all = try systemRows(mesh, "Job").rows
        #expect(Set(all.map(\.key)) == Set(jobs))
        var paged: [VirtualRow] = []
        var after: String?
        var pages = 0
        repeat {
            let page = try systemRows(mesh, "Job", after: after, limit: 2)
            #expect(page.rows.count <= 2)
            paged += page.rows
            after = page.next
            pages += 1
        } while after != nil && pages < 10
        #expect(paged == all)
        #expect(pages == 3)
        for job in jobs {
            let view = try #require(try mesh.view(0, job))
            for (name, value) in [("job_id", view.jobID), ("manifest_cid", view.manifestCID)] {
                let rows = try systemRows(mesh, "Job", key: (name, .string(value))).rows
                #expect(rows.count == 1)
                let row = try #require(rows.first)
                #expect(row["job_id"] == .string(view.jobID))
                #expect(row["status"] == .string(view.status))
                #expect(row["settled_status"] == .string(view.settledStatus))
                #expect(row["verification"] == .string(view.verification.state))
                #expect(row["description"] == .string(view.description))
                #expect(row["receipt_cid"] == .string(try #require(view.receiptCID)))
                #expect(row["fuel_used"] == .int(Int64(try #require(view.metrics.fuelUsed))))
                #expect(row["charged"] == .int(Int64(try #require(view.charged.amount))))
                #expect(row["executor"] == .string(try #require(view.executor.did)))
            }
            let receipts = try systemRows(
                mesh, "Receipt", key: ("receipt_cid", .string(try #require(view.receiptCID)))
            ).rows
            #expect(receipts.contains { $0["job_id"] == .string(job) })
            let awards = try systemRows(mesh, "Award", key: ("job_id", .string(job))).rows
            #expect(awards.count == 1)
            let attestations = try systemRows(mesh, "Attestation", key: ("job_id", .string(job))).rows
            #expect(attestations.count >= 1)
            #expect(
                attestations.allSatisfy { $0["verdict"] == .string("verified") })
        }
        #expect(try systemRows(mesh, "Job", key: ("job_id", .string("nothing"))).rows == [])
        #expect(try systemRows(mesh, "MeshNode").rows.count == 3)
        #expect(try systemRows(mesh, "Feed").rows.count == 3)
    }

    @Test func `a program that changes the graph may read jobs beside it`() throws {
        let (mesh, jobs) = try worked()
        try mesh.mew(
            0, "ontology notes { node Note { job: String [required]  fuel: Int } node Total { n: Int } }")
        let run = try mesh.mew(
            0,
            "MATCH j: Job WHERE j.status = \"Completed\" SPAWN n: Note { job = j.job_id, fuel = j.fuel_used }"
        )
        #expect(run.failure == nil)
        #expect(try mesh.converge())
        #expect(try Set(mesh.rows(2, "MATCH n: Note RETURN n.job").map { $0[0] }) == Set(jobs))
        try mesh.mew(0, "MATCH j: Job WHERE j.job_id = \"\(jobs[1])\" SPAWN t: Total { n = j.fuel_used }")
        #expect(try mesh.rows(0, "MATCH t: Total RETURN t.n") == [["1000"]])
        #expect(try mesh.attempt(0, "SPAWN j: Job { job_id = \"x\" }").failure?.code == .systemType)
        #expect(
            try mesh.attempt(0, "MATCH j: Job SET j { status = \"Failed\" }").failure?.code == .systemType)
        // Conflicts too.
        let clash = try mesh.mew(
            0, "SPAWN n: Note { job = \"x\", fuel = 1 } MATCH c: _Conflict RETURN COUNT(*)")
        #expect(clash.results.last?.rows == [[.int(0)]])
    }
}
