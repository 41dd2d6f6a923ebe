import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import WasmRuntime

@Suite("Example jobs", .tags(.Size.medium))
struct ExampleTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let stdin: String
        let outcome: RunOutcome
        let output: String?
    }

    @Test(
        "an example gives the same result and the same fuel on two workers",
        arguments: [
            Example(
                testDescription: "wordcount", stdin: "one two\nthree\n", outcome: RunOutcome(.ok),
                output: "2 3 14\n"),
            Example(
                testDescription: "mandelbrot", stdin: "", outcome: RunOutcome(.ok, exitCode: 0), output: nil),
            Example(testDescription: "burn", stdin: "", outcome: RunOutcome(.fuel), output: ""),
            Example(
                testDescription: "trap", stdin: "", outcome: RunOutcome(.trap, trap: "unreachable"),
                output: ""),
        ])
    func sameEverywhere(_ example: Example) throws {
        let code = try Fixture.example(example.testDescription)
        let request = Fixture.request(code, fuel: 200_000_000, stdin: Array(example.stdin.utf8))
        var results: [RunResult] = []
        for _ in 0..<2 {
            let pool = try WasmWorkerPool(Fixture.configuration(workers: 1))
            defer { pool.shutdown() }
            #expect(pool.check(code, entry: nil, limits: request.limits) == nil)
            results.append(pool.run(request, code: code))
        }
        #expect(results[0].outcome == example.outcome)
        if let output = example.output {
            #expect(String(decoding: results[0].stdout, as: UTF8.self) == output)
        }
        #expect(results[0].stdout == results[1].stdout)
        #expect(results[0].metering.fuel == results[1].metering.fuel)
        #expect(results[0].metering.hostCalls == results[1].metering.hostCalls)
        #expect(results[0].outcome == results[1].outcome)
    }
}
