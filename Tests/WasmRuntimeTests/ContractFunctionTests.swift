import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import WasmRuntime

@Suite("The functions of a contract's host", .tags(.Size.medium))
struct ContractFunctionTests {
    private let strings = ContractFixture.job

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("a run's calls are answered, put on record in their order and logged a line each")
    func calls() throws {
        let result = try ContractFixture.run(
            """
            (call $log <description>)
            (if (i32.eqz (call $check <compute> (i64.const 100))) (then (return (i32.const 2))))
            (if (i32.eqz (call $anchor <description>)) (then (return (i32.const 3))))
            (if (i32.eqz \(ContractFixture.submit(60))) (then (return (i32.const 4))))
            (call $record <compute> (i64.const 40))
            (call $check <compute> (i64.const 1))
            """, strings: strings,
            section: ContractFixture.section(
                requirements: [("cpu", 2), ("memory_mib", 128), ("min_reputation", 70)], location: "eu"))
        #expect(result.outcome == RunOutcome(.ok, exitCode: 0))
        let submission = RunSubmission(
            code: try CID(ContractFixture.cid), description: "sum", resource: "compute", amount: 60,
            priority: "medium",
            requirements: SubmissionRequirements(memoryMiB: 128, cpu: 2, minReputation: 70, location: "eu"))
        let reason = "1 of \"compute\" is too much: 100 of 100 is used"
        #expect(
            result.effects == [
                .anchored("sum"), .submitted(submission), .used(resource: "compute", amount: 40),
                .refused(.checkResourceAuthorization, reason: reason),
            ])
        #expect(result.submissions == [submission])
        #expect(
            text(result.stderr) == """
                sum
                anchored: 3 bytes
                submitted: \(ContractFixture.cid), 60 of compute, priority medium
                used: 40 of compute
                refused: host_check_resource_authorization: \(reason)

                """)
        #expect(result.metering.hostCalls == 6)
        let read = 7 + 3 + (ContractFixture.cid.utf8.count + 3 + 7 + 6) + 7 + 7
        #expect(result.metering.ioBytes == UInt64(read + result.stderr.count))
    }

    @Test("without a grant every question is answered with no, and use is only counted")
    func ungranted() throws {
        let result = try ContractFixture.run(
            """
            (call $record <compute> (i64.const 9223372036854775807))
            (i32.or (i32.or (call $check <compute> (i64.const 0)) (call $anchor <none>))
              \(ContractFixture.submit()))
            """, strings: strings, grant: nil)
        #expect(result.outcome == RunOutcome(.ok, exitCode: 0))
        let functions: [HostFunction?] = result.effects.map {
            if case .refused(let function, _) = $0 { function } else { nil }
        }
        #expect(functions == [nil, .checkResourceAuthorization, .anchorToDAG, .submitJob])
        #expect(result.effects.first == .used(resource: "compute", amount: UInt64(Int64.max)))
        #expect(result.submissions.isEmpty)
    }

    @Test("use beyond what is authorised ends the run, and its submissions come to nothing")
    func unauthorised() throws {
        let result = try ContractFixture.run(
            "(drop \(ContractFixture.submit(60))) (call $record <compute> (i64.const 41)) (i32.const 0)",
            strings: strings)
        #expect(result.outcome == RunOutcome(.trap, trap: "not_authorised"))
        #expect(result.outcome.isReplayable)
        #expect(result.metering.fuel == 50_000_000)
        #expect(
            result.effects.last
                == .refused(
                    .recordResourceUsage, reason: "41 of \"compute\" is too much: 60 of 100 is used"))
        #expect(result.effects.count == 2)
        #expect(result.submissions.isEmpty)
        #expect(text(result.stderr).hasSuffix("is used\n"))
    }

    struct Place: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let call: String
    }

    private static let hostile = [
        ("65535", "2"), ("65537", "0"), ("-1", "1"), ("-1", "-1"), ("0", "-1"), ("1", "65536"),
    ]

    private static let places: [Place] = hostile.flatMap { address, length in
        let range = "(i32.const \(address)) (i32.const \(length))"
        let fine = "(i32.const 0) (i32.const 0)"
        return [
            "(call $log \(range)) (i32.const 0)", "(call $anchor \(range))",
            "(call $check \(range) (i64.const 1))", "(call $record \(range) (i64.const 1)) (i32.const 0)",
            "(call $submit \(range) \(fine) \(fine) (i64.const 1) \(fine))",
            "(call $submit \(fine) \(range) \(fine) (i64.const 1) \(fine))",
            "(call $submit \(fine) \(fine) \(range) (i64.const 1) \(fine))",
            "(call $submit \(fine) \(fine) \(fine) (i64.const 1) \(range))",
        ].map { Place(testDescription: $0, call: $0) }
    }

    @Test("a pointer or length outside the memory traps, and leaves nothing on record", arguments: places)
    func outside(_ place: Place) throws {
        let result = try ContractFixture.run(place.call)
        #expect(result.outcome == RunOutcome(.trap, trap: "memory_out_of_bounds"))
        #expect(result.effects.isEmpty)
        #expect(result.stderr.isEmpty)
        #expect(result.metering.hostCalls == 1)
    }

    @Test("a contract without a memory has nowhere to point to")
    func noMemory() throws {
        let code = try Fixture.module(
            """
            (module \(ContractFixture.declaration(.logMessage, "log"))
              (func (export "run") (call $log (i32.const 0) (i32.const 0))))
            """)
        let result = try Fixture.pool.get().run(Fixture.request(code), code: code)
        #expect(result.outcome == RunOutcome(.trap, trap: "memory_out_of_bounds"))
    }

    @Test("a start function can call its host")
    func start() throws {
        let code = try Fixture.module(
            """
            (module \(ContractFixture.imports) (memory (export "memory") 1) (data (i32.const 0) "compute")
              (func $start (drop (call $check (i32.const 0) (i32.const 7) (i64.const 101)))) (start $start)
              (func (export "run")))
            """)
        let result = try Fixture.pool.get().run(
            Fixture.request(code, grant: ContractFixture.grant), code: code)
        #expect(result.outcome == RunOutcome(.ok))
        #expect(result.effects.count == 1)
    }

    @Test("a line of the log ends the run when it passes the output's limit, and what fits is kept")
    func logLimit() throws {
        func run(_ output: UInt64) throws -> RunResult {
            try ContractFixture.run(
                "(call $log <description>) (call $log <cid>) (i32.const 0)", strings: strings, output: output)
        }
        let all = UInt64(4 + ContractFixture.cid.utf8.count + 1)
        #expect(try run(all).outcome == RunOutcome(.ok, exitCode: 0))
        let cut = try run(all - 1)
        #expect(cut.outcome == RunOutcome(.output))
        #expect(text(cut.stderr) == "sum\n" + ContractFixture.cid)
        #expect(text(try run(10).stderr) == "sum\nbafyre")
        #expect(try run(0).stderr == [])
    }

    @Test("the log repairs what is not UTF-8, also where the limit cuts it")
    func repairing() throws {
        func run(_ bytes: [UInt8], _ output: UInt64) throws -> [UInt8] {
            try ContractFixture.run(
                "(call $log <text>) (i32.const 0)", strings: [("text", bytes)], output: output
            ).stderr
        }
        let broken: [UInt8] = [0x61, 0xff, 0xe2, 0x82, 0xac, 0xe2, 0x82]
        let repaired = Array("a\u{fffd}€\u{fffd}\n".utf8)
        #expect(try run(broken, 100) == repaired)
        for limit in 0...repaired.count {
            #expect(try run(broken, UInt64(limit)) == Array(repaired.prefix(limit)))
        }
        // Nothing that grows by being repaired stands before the cut here.
        let sound = Array("a€😀b\n".utf8)
        for limit in 0...sound.count {
            #expect(try run(sound.dropLast(), UInt64(limit)) == Array(sound.prefix(limit)))
        }
    }

    @Test("a thousand effects fit, and the next one ends the run")
    func manyEffects() throws {
        let loop = """
            (loop (drop (call $check <compute> (i64.const -1)))
              (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const COUNT))))
            (i32.const 0)
            """
        func run(_ count: Int) throws -> RunResult {
            let body = loop.split(separator: "COUNT", omittingEmptySubsequences: false)
                .joined(separator: "\(count)")
            return try ContractFixture.run(body, strings: strings)
        }
        let full = try run(1_000)
        #expect(full.outcome == RunOutcome(.ok, exitCode: 0))
        #expect(full.effects.count == 1_000)
        let over = try run(2_000)
        #expect(over.outcome == RunOutcome(.trap, trap: "too_many_effects"))
        #expect(over.outcome.isReplayable)
        #expect(over.effects == full.effects)
        #expect(over.metering.hostCalls == 1_001)
    }

    @Test("a plain yes to a check leaves no trace, however often it is asked")
    func manyChecks() throws {
        let result = try ContractFixture.run(
            """
            (loop (drop (call $check <compute> (i64.const 100)))
              (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5000))))
            (i32.const 0)
            """, strings: strings)
        #expect(result.outcome == RunOutcome(.ok, exitCode: 0))
        #expect(result.effects.isEmpty && result.stderr.isEmpty)
        #expect(result.metering.hostCalls == 5_000)
        #expect(result.metering.ioBytes == 35_000)
    }

    @Test("two runs of one request are equal, on whatever worker, and the job after them starts afresh")
    func determinism() throws {
        let body = """
            (drop \(ContractFixture.submit(30))) (drop \(ContractFixture.submit(80)))
            (drop (call $anchor <cid>)) (call $record <medium> (i64.const 7))
            (drop (call $check <description> (i64.const 7))) (i32.const 0)
            """
        var runs: [RunResult] = []
        for _ in 0..<8 {
            var result = try ContractFixture.run(body, strings: strings)
            result.metering.wallMilliseconds = 0
            runs.append(result)
        }
        #expect(runs[0].effects.count == 5)
        #expect(Set(runs).count == 1)
        let plain = try Fixture.run("(module (func (export \"run\")))")
        #expect(plain.effects.isEmpty)
        #expect(plain.metering.hostCalls == 0)
    }

    @Test("a job with everything on the side carries its grant as well")
    func besideInputs() throws {
        let code = try ContractFixture.module("(call $check <compute> (i64.const 7))", strings: strings)
        func run(_ grant: RunGrant?) throws -> RunOutcome {
            let request = Fixture.request(
                code, entry: "run", stdin: [1, 2, 3], arguments: ["one"], environment: ["A": "1"],
                files: [RunRequest.InputFile(name: "a", bytes: [9, 9])], grant: grant)
            return try Fixture.pool.get().run(request, code: code).outcome
        }
        #expect(
            try run(RunGrant(resource: "compute", amount: 7, submissionCountMax: 0))
                == RunOutcome(.exit, exitCode: 1))
        #expect(
            try run(RunGrant(resource: "compute", amount: 6, submissionCountMax: 0))
                == RunOutcome(.ok, exitCode: 0))
        let long = String(repeating: "compute", count: 1_000)
        #expect(
            try run(RunGrant(resource: long, amount: 7, submissionCountMax: 0))
                == RunOutcome(.ok, exitCode: 0))
    }
}
