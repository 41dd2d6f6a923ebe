import Dataflow
import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@Suite("Jobs that graphs submit", .tags(.Size.small))
struct JobSubmissionTests {
    private static let module = CID(of: Array("a module".utf8), codec: .raw)

    private static func job(
        amount: String = "40", more: String = "", through: String? = "once", passes: Int? = nil
    ) -> JobFixture {
        .acting(
            "submit_job",
            #""manifest":"{\"wasm\": \"\#(module)\", \"resource_amount\": \#(amount)\#(more.replacing("\"", with: "\\\""))}""#,
            through: through, passes: passes)
    }

    @Test("what the host grants is an effect of the run, and noted on stderr")
    func granted() {
        let result = Self.job(passes: 3).run()
        let submission = RunSubmission(
            code: Self.module, description: "", resource: "compute", amount: 40, priority: "medium")
        #expect(result.effects == [.submitted(submission)] && result.submissions == [submission])
        #expect(result.lines[0].contains(#""outcome":{"event":"filled"}"#))
        #expect(result.errors == "submitted: \(Self.module), 40 of compute, priority medium\n")
        let all = Self.job(
            more: #", "description": "words", "resource_type": "compute", "priority": "high""#
        ).run()
        #expect(
            all.submissions == [
                RunSubmission(
                    code: Self.module, description: "words", resource: "compute", amount: 40, priority: "high"
                )
            ])
    }

    @Test("the budget is the job's: what passes it is rejected, and on record")
    func budget() {
        let result = Self.job(through: nil, passes: 3).run()
        #expect(result.outcome == RunOutcome(.ok) && result.submissions.count == 2)
        #expect(result.lines.map { $0.contains("rejected") } == [false, false, true])
        #expect(
            result.effects.last
                == .refused(.submitJob, reason: "40 of \"compute\" is too much: 80 of 100 is used"))
        #expect(
            result.errors.hasSuffix(
                "refused: host_submit_job: 40 of \"compute\" is too much: 80 of 100 is used\n"))
    }

    @Test("no more jobs than a run may have, none without a grant, none too deep, and no odd words")
    func rejected() {
        var many = Self.job(amount: "1", through: nil, passes: 40)
        #expect(many.run().submissions.count == 32)
        many.request.grant = RunGrant(resource: "compute", amount: 100, submissionCountMax: 0)
        #expect(
            many.run().effects.first
                == .refused(.submitJob, reason: "this job may not submit jobs of its own"))
        many.request.grant = nil
        #expect(
            many.run().effects.first
                == .refused(.submitJob, reason: "the run was given nothing to ask for"))
        for more in [#", "priority": "soon""#, #", "resource_type": "gold""#] {
            let result = Self.job(more: more).run()
            #expect(result.submissions.isEmpty && result.effects.count == 1)
            #expect(result.lines[0].contains("rejected"))
        }
        for amount in ["0", "-1", "9007199254740993"] {
            #expect(Self.job(amount: amount).run().lines[0].contains("rejected"))
        }
    }

    @Test("too many effects end the run, as they end a contract's")
    func tooMany() {
        let result = Self.job(amount: "0", through: nil, passes: 1_001).run()
        #expect(result.outcome == RunOutcome(.trap, trap: "too_many_effects"))
        #expect(result.effects.count == 1_000 && result.submissions.isEmpty)
        #expect(result.metering.fuel == 100_000_000)
    }

    @Test("a job that fails submits nothing")
    func failed() {
        var job = Self.job(through: nil, passes: 2)
        job.request.limits.outputBytes = 700
        let result = job.run()
        #expect(result.outcome == RunOutcome(.output) && result.effects.count == 1)
        #expect(result.submissions.isEmpty)
    }
}

@Suite("Graphs that cannot be jobs", .tags(.Size.small))
struct JobRefusalTests {
    private static func faults(_ job: JobFixture) -> [JobGraphFault] {
        do throws(JobGraphError) {
            _ = try JobGraph(job.file, arguments: job.request.arguments, memoryBytes: 64 << 20)
            return []
        } catch {
            return error.faults
        }
    }

    @Test(
        "what depends on one node's surroundings is refused beforehand and by the run, with what to write instead",
        arguments: [
            ("graph_mutation", #""statement":"SPAWN 1""#, "append_file"),
            ("webhook", #""url":"https://example.org""#, "append_file"),
            ("graph_query", #""query":"FIND""#, "the source file"),
        ])
    func foreign(_ primitive: String, _ parameters: String, _ instead: String) throws {
        var job = JobFixture.readings()
        if primitive == "graph_query" {
            job.node("act", primitive, parameters)
        } else {
            job.node("act", primitive, parameters, ["event": "when.event"])
        }
        let fault = try #require(Self.faults(job).first)
        #expect(fault.code == "dataflow.not-in-a-job")
        #expect(fault.message.hasPrefix("act: \(primitive) cannot be part of a job, since "))
        #expect(fault.hint?.contains(instead) == true)
        let result = job.run()
        #expect(result.outcome == RunOutcome(.trap, trap: "dataflow.not-in-a-job"))
        #expect(result.errors.hasPrefix(fault.message) && result.stdout.isEmpty && result.files.isEmpty)
        #expect(result.metering.fuel == 100_000_000)
    }

    @Test("every fault is listed, the one that decides first")
    func several() {
        var job = JobFixture.readings()
        job.node("b", "webhook", #""url":"x""#, ["event": "when.event"])
        job.node("a", "graph_query", #""query":"FIND""#)
        job.node("c", "append_file", #""path":"stdout","line":"x""#, ["event": "when.event"])
        let faults = Self.faults(job)
        #expect(
            faults.map(\.code)
                == ["dataflow.not-in-a-job", "dataflow.not-in-a-job", "dataflow.output-name"])
        let result = job.run()
        #expect(result.outcome.trap == "dataflow.not-in-a-job")
        for fault in faults { #expect(result.errors.contains(fault.message)) }
        // A graph that is at fault as such is said to be first.
        job.node("d", "nothing")
        #expect(Self.faults(job).map(\.code) == ["dataflow.missing-primitive"])
    }

    @Test(
        "a file that a graph appends to is called as an output may be",
        arguments: [
            "", "stdout", "stderr", "effects", "capture", ".", "..", ".hidden", "a/b", "a b", "ä",
            String(repeating: "x", count: 65),
        ])
    func names(_ name: String) {
        let job = JobFixture.acting("append_file", "\"path\":\"\(name)\",\"line\":\"x\"")
        #expect(Self.faults(job).map(\.code) == ["dataflow.output-name"])
        #expect(job.run().outcome == RunOutcome(.trap, trap: "dataflow.output-name"))
    }

    @Test("as many files as a receipt has room for, and not one more")
    func files() {
        var job = JobFixture.readings()
        for index in 0..<60 {
            job.node(
                "n\(index)", "append_file", "\"path\":\"f\(index)\",\"line\":\"x\"", ["event": "when.event"])
        }
        #expect(job.run().files.count == 61)
        job.node("more", "append_file", #""path":"f.60","line":"x""#, ["event": "when.event"])
        #expect(Self.faults(job).map(\.code) == ["dataflow.output-name"])
    }

    @Test(
        "a job's manifest is looked at beforehand",
        arguments: [
            ("{}", "wasm: is missing"), (#"{\"wasm\":\"b\"}"#, "resource_amount: is missing"),
            (#"{\"wasm\":\"b\",\"resource_amount\":1.5}"#, "resource_amount: must be a whole number"),
            (#"{\"wasm\":\"b\",\"resource_amount\":1,\"quorum\":2}"#, "quorum"), ("[]", "must be an object"),
            ("nothing", "is not a value"),
        ])
    func manifests(_ manifest: String, _ reason: String) throws {
        let fault = try #require(
            Self.faults(.acting("submit_job", "\"manifest\":\"\(manifest)\"")).first)
        #expect(fault.code == "dataflow.job-manifest")
        #expect(fault.message.hasPrefix("act: the manifest: ") && fault.message.contains(reason), "\(fault)")
    }

    @Test("a job of a job has no inputs")
    func inputs() {
        let job = JobFixture.acting(
            "submit_job", #""manifest":"{\"wasm\":\"b\",\"resource_amount\":1}","input":"a""#)
        #expect(Self.faults(job).map(\.code) == ["dataflow.job-manifest"])
    }

    @Test(
        "a graph takes the number of its passes and nothing else",
        arguments: [
            ["--passes"], ["--passes", "0"], ["--passes", "100001"], ["--passes", "+"], ["--passes", ""],
            ["--passes", "1", "2"], ["--pass", "1"], ["3"], ["--passes=x"],
            ["--passes", "99999999999999999999"],
        ])
    func arguments(_ arguments: [String]) {
        var job = JobFixture.readings()
        job.request.arguments = arguments
        #expect(job.run().outcome == RunOutcome(.trap, trap: "dataflow.argument"))
        job.request.arguments = ["--passes=2"]
        #expect(job.run().lines.count == 2)
        job.request.entry = "main"
        #expect(job.run().outcome == RunOutcome(.trap, trap: "dataflow.argument"))
        job.request.entry = nil
        job.request.environment = ["A": "B"]
        #expect(job.run().outcome == RunOutcome(.trap, trap: "dataflow.argument"))
    }

    @Test("what is no graph at all is refused with a code and a reason")
    func nothing() {
        let job = JobFixture.readings()
        for (bytes, reason) in [
            ([], "a value is missing"), ([0xff, 0xfe], "the file is not UTF-8"),
            ([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], "this is a WebAssembly module and no graph"),
            (Array("[1]".utf8), "must be an object"),
            ([UInt8](repeating: UInt8(ascii: "["), count: 100_000), "nested too deeply"),
        ] {
            let result = job.run(bytes)
            #expect(result.outcome == RunOutcome(.trap, trap: "dataflow.file"))
            #expect(result.errors.contains(reason), "\(result.errors)")
        }
        var small = job
        small.request.limits.outputBytes = 10
        #expect(small.run(Array("[1]".utf8)).stderr.count <= 10)
    }

    @Test("clusters of clusters are not expanded beyond the job's memory")
    func bombs() {
        // Each cluster holds two of the one before: 2^15 nodes of long ids out of a few hundred bytes.
        let long = String(repeating: "x", count: 60)
        var clusters = [
            "{\"id\":\"c0\",\"nodes\":[{\"id\":\"n\",\"primitive\":\"const_number\",\"parameters\":{\"value\":1}}],\"outputs\":[{\"name\":\"o\",\"from\":\"n.value\"}]}"
        ]
        for depth in 1...14 {
            clusters.append(
                "{\"id\":\"c\(depth)\",\"nodes\":[{\"id\":\"\(long)a\",\"cluster\":\"c\(depth - 1)\"},{\"id\":\"\(long)b\",\"cluster\":\"c\(depth - 1)\"}],\"outputs\":[{\"name\":\"o\",\"from\":\"\(long)a.o\"}]}"
            )
        }
        let file = Array(
            "{\"version\":1,\"nodes\":[{\"id\":\"a\",\"cluster\":\"c14\"}],\"clusters\":[\(clusters.joined(separator: ","))]}"
                .utf8)
        var job = JobFixture.readings()
        job.request.limits.memoryBytes = 4 << 20
        let result = job.run(file)
        #expect(result.outcome == RunOutcome(.trap, trap: "dataflow.expansion-too-large"), "\(result)")
        job.request.limits.memoryBytes = 1 << 30
        #expect(job.run(file).outcome == RunOutcome(.ok))
    }

    @Test("one output that a cluster offers twice is still said to be there twice")
    func twice() {
        let file = Array(
            """
            {"version":1,"nodes":[{"id":"a","cluster":"c"}],"clusters":[{"id":"c","nodes":[{"id":"n","primitive":
            "const_number","parameters":{"value":1}}],"outputs":[{"name":"o","from":"n.value"},{"name":"o","from":"n.value"}]}]}
            """.utf8)
        #expect(
            JobFixture.readings().run(file).outcome
                == RunOutcome(.trap, trap: "dataflow.duplicate-output-port"))
    }
}
