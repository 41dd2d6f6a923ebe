import Dataflow
import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Synchronization
import Testing

/// The last call of a module that was seen.
final class Seen: Sendable {
    private let calls = Mutex<[(request: RunRequest, code: [UInt8])]>([])

    func note(_ request: RunRequest, _ code: [UInt8]) {
        calls.withLock { $0.append((request, code)) }
    }

    var last: (request: RunRequest, code: [UInt8])? { calls.withLock { $0.last } }
    var count: Int { calls.withLock { $0.count } }
}

@Suite("Limits of graphs that run as jobs", .tags(.Size.small))
struct JobLimitTests {
    @Test("the fuel is what the page says, exactly, and equal in two runs")
    func exact() throws {
        let job = JobFixture.readings(passes: 3)
        let result = job.run()
        #expect(result == job.run())
        // Four nodes and three edges; the source gives 16 bytes, 4 numbers, a size and whether it exists.
        let output = result.stdout.count + (result.file("capture")?.utf8.count ?? 0)
        // Commas between the passes of the capture stand in it once.
        let expected = 50 * job.file.count + 100 * 7 + 20 * 16 + 3 * (1_000 + 10 * 4 + 3 + 22) + 10 * output
        #expect(result.metering.fuel == UInt64(expected))
        #expect(result.metering.hostCalls == 1)
        #expect(result.metering.ioBytes == UInt64(16 + output))
        #expect(
            result.metering.memoryPeakBytes
                == UInt64(64 * job.file.count + 1_024 * 7 + 8 * 16 + 3 * (1_024 + 256 * 2)))
    }

    @Test("fuel that is exactly enough is enough, and one less is none")
    func enough() {
        var job = JobFixture.acting("append_file", #""path":"a","line":"b""#, passes: 5)
        let whole = job.run()
        job.request.limits.fuel = whole.metering.fuel
        #expect(job.run() == whole)
        job.request.limits.fuel -= 1
        let less = job.run()
        #expect(less.outcome == RunOutcome(.fuel) && less.metering.fuel == whole.metering.fuel - 1)
        #expect(less.file("capture") == nil && whole.stdout.starts(with: less.stdout))
    }

    @Test("at every limit of fuel the job ends, out of fuel or as it would, and never charges more")
    func everyFuel() {
        var job = JobFixture.acting("append_file", #""path":"a","line":"b""#, through: "once", passes: 2)
        let whole = job.run()
        for fuel in stride(from: UInt64(0), through: whole.metering.fuel + 50, by: 13) {
            job.request.limits.fuel = fuel
            let result = job.run()
            #expect(result.outcome == RunOutcome(fuel < whole.metering.fuel ? .fuel : .ok))
            #expect(result.metering.fuel == min(fuel, whole.metering.fuel))
            #expect(whole.stdout.starts(with: result.stdout))
        }
    }

    @Test("all outputs together stay below the limit of output, whatever it is")
    func output() {
        var job = JobFixture.acting("append_file", #""path":"a","line":"bbbb""#, passes: 4)
        let whole = job.run()
        let size = whole.stdout.count + whole.files.reduce(0) { $0 + $1.bytes.count }
        for limit in [0, 1, 5, 6, 200, 500, 1_000, size - 1, size, size + 1] {
            job.request.limits.outputBytes = UInt64(limit)
            let result = job.run()
            #expect(result.outcome == RunOutcome(limit < size ? .output : .ok))
            #expect(result.stdout.count + result.files.reduce(0) { $0 + $1.bytes.count } <= limit)
            #expect(result.metering.fuel == (limit < size ? job.request.limits.fuel : whole.metering.fuel))
        }
    }

    @Test("the graph, its inputs, its passes and what modules give count against the memory limit")
    func memory() {
        var job = JobFixture.computing(passes: 3)
        let whole = job.run(wasm: JobTests.doubling)
        #expect(whole.outcome == RunOutcome(.ok))
        job.request.limits.memoryBytes = 64 * UInt64(job.file.count) - 1
        #expect(job.run(wasm: JobTests.doubling).outcome == RunOutcome(.memory))
        var last = OutcomeClass.memory
        for memory in stride(from: job.request.limits.memoryBytes, to: 200_000, by: 500) {
            job.request.limits.memoryBytes = memory
            let result = job.run(wasm: JobTests.doubling)
            #expect(result.metering.memoryPeakBytes <= memory)
            #expect([.memory, .ok, .trap].contains(result.outcome.outcomeClass))
            last = result.outcome.outcomeClass
        }
        #expect(last == .ok)
        // A source is refused before anything is made of its bytes.
        var large = JobFixture.readings(String(repeating: "1 ", count: 1 << 20))
        large.request.limits.memoryBytes = 16 << 20
        large.request.limits.fuel = 1 << 40
        #expect(large.run().outcome == RunOutcome(.memory))
        large.request.limits.memoryBytes = 20 << 20
        #expect(large.run().outcome == RunOutcome(.ok))
    }

    @Test("a series that is longer than any port carries fails the pass")
    func series() {
        var job = JobFixture.readings(String(repeating: "1 ", count: (1 << 20) + 2))
        job.request.limits.fuel = 1 << 40
        job.request.limits.outputBytes = 1 << 40
        let result = job.run()
        #expect(result.outcome == RunOutcome(.exit, exitCode: 3))
        #expect(result.errors == "readings: the series “numbers” is too long (validation_failed)\n")
    }

    @Test("an output that names one series a thousand times is refused before it is written")
    func repeated() {
        var job = JobFixture.readings(String(repeating: "1 ", count: 100_000))
        for index in 0..<1_000 { job.output("n\(index)", "readings.numbers") }
        #expect(job.run().outcome == RunOutcome(.output))
    }

    @Test("time is looked at between passes and before a module is called")
    func time() {
        let job = JobFixture.readings(passes: 10)
        let asked = Mutex(0)
        let result = job.run(isOutOfTime: {
            asked.withLock { count in
                count += 1
                return count > 4
            }
        })
        #expect(result.outcome == RunOutcome(.time) && result.lines.count == 3)
        #expect(result.metering.fuel == job.request.limits.fuel)
        let seen = Seen()
        let computing = JobFixture.computing()
        asked.withLock { $0 = 2 }
        let late = computing.run(
            wasm: { request, code in
                seen.note(request, code)
                return JobTests.doubling(request, code)
            },
            isOutOfTime: {
                asked.withLock { count in
                    count += 1
                    return count > 4
                }
            })
        #expect(late.outcome == RunOutcome(.time) && seen.count == 0)
    }
}
