import Foundation
import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Synchronization
import Testing

@testable import WasmRuntime

/// Results as they come, and a way to wait for them with a deadline.
private final class Results: Sendable {
    private let found = Mutex<[Int: RunResult]>([:])
    private let arrived = DispatchSemaphore(value: 0)

    func put(_ index: Int, _ result: RunResult) {
        found.withLock { $0[index] = result }
        arrived.signal()
    }

    /// Waits until `count` more results are there.
    func take(_ count: Int) -> [Int: RunResult] {
        for _ in 0..<count where arrived.wait(timeout: .now() + 30) == .timedOut { break }
        return found.withLock { $0 }
    }
}

@Suite("Workers", .tags(.Size.medium), .serialized)
struct WorkerTests {
    private let small = "(module (func (export \"run\") (result i32) (i32.const 5)))"

    /// Waits until a worker is inside a program.
    private func awaitRunning(_ pool: WasmWorkerPool) -> Int32? {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if let worker = pool.runningProcesses.first { return worker }
            sched_yield()
        }
        return nil
    }

    @Test("a worker killed in the middle costs its job alone: what waits behind runs on its replacement")
    func killed() throws {
        let pool = try WasmWorkerPool(Fixture.configuration(workers: 1))
        defer { pool.shutdown() }
        let burn = try Fixture.example("burn")
        let code = try Fixture.module(small)
        let results = Results()
        pool.submit(Fixture.request(burn, fuel: .max, wall: 60_000), code: { burn }) { results.put(-1, $0) }
        let worker = try #require(awaitRunning(pool))
        for index in 0..<10 {
            pool.submit(Fixture.request(code), code: { code }) { results.put(index, $0) }
        }
        #expect(kill(worker, SIGKILL) == 0)
        let all = results.take(11)
        #expect(all[-1]?.outcome.outcomeClass == .engine)
        #expect(all[-1]?.outcome.isReplayable == false)
        for index in 0..<10 { #expect(all[index]?.outcome == RunOutcome(.exit, exitCode: 5)) }
        #expect(!pool.workerProcesses.contains(worker))
        #expect(pool.run(Fixture.request(code), code: code).outcome == RunOutcome(.exit, exitCode: 5))
    }

    @Test("an idle worker that is killed is replaced, and no job notices")
    func killedWhileIdle() throws {
        let pool = try WasmWorkerPool(Fixture.configuration(workers: 1))
        defer { pool.shutdown() }
        let code = try Fixture.module(small)
        #expect(pool.run(Fixture.request(code), code: code).outcome == RunOutcome(.exit, exitCode: 5))
        let worker = try #require(pool.workerProcesses.first)
        #expect(kill(worker, SIGKILL) == 0)
        #expect(pool.run(Fixture.request(code), code: code).outcome == RunOutcome(.exit, exitCode: 5))
    }

    @Test("small jobs do not wait behind a long one while another worker is free")
    func stalled() throws {
        let pool = try WasmWorkerPool(Fixture.configuration(workers: 2))
        defer { pool.shutdown() }
        let burn = try Fixture.example("burn")
        let code = try Fixture.module(small)
        let results = Results()
        pool.submit(Fixture.request(burn, fuel: .max, wall: 60_000), code: { burn }) { results.put(-1, $0) }
        _ = try #require(awaitRunning(pool))
        for index in 0..<200 {
            pool.submit(Fixture.request(code), code: { code }) { results.put(index, $0) }
        }
        let all = results.take(200)
        #expect(all.count == 200)
        #expect(all[-1] == nil)
    }

    /// A valid module of some eight megabytes that takes many seconds to compile.
    private func heavyModule() -> [UInt8] {
        func number(_ value: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            var rest = value
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            return bytes + [UInt8(rest)]
        }
        func section(_ identifier: UInt8, _ content: [UInt8]) -> [UInt8] {
            [identifier] + number(content.count) + content
        }
        let step: [UInt8] = [0x20, 0, 0x20, 0, 0x20, 1, 0x77, 0x6c, 0x21, 0]
        let body = [0] + Array(repeatElement(step, count: 400).joined()) + [0x20, 0, 0x0b]
        let function = number(body.count) + body
        let count = 2000
        let types: [UInt8] = [2, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 0]
        let functions = number(count + 1) + [UInt8](repeating: 0, count: count) + [1]
        let exports = [1, 3] + Array("run".utf8) + [0] + number(count)
        let bodies = number(count + 1) + Array(repeatElement(function, count: count).joined()) + [2, 0, 0x0b]
        return [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0] + section(1, types) + section(3, functions)
            + section(7, exports) + section(10, bodies)
    }

    @Test("a compilation that runs away is killed, and the same module costs no second worker")
    func runawayCompilation() throws {
        var configuration = Fixture.configuration(workers: 1)
        configuration.compileMillisecondsMax = 20
        let pool = try WasmWorkerPool(configuration)
        defer { pool.shutdown() }
        let heavy = heavyModule()
        let before = pool.workerProcesses
        let result = pool.run(Fixture.request(heavy), code: heavy)
        #expect(result.outcome.outcomeClass == .engine)
        #expect(result.outcome.trap?.contains("20 ms") == true)
        let code = try Fixture.module(small)
        #expect(pool.run(Fixture.request(code), code: code).outcome == RunOutcome(.exit, exitCode: 5))
        let after = pool.workerProcesses
        #expect(before != after)
        #expect(pool.run(Fixture.request(heavy), code: heavy).outcome.outcomeClass == .engine)
        #expect(pool.workerProcesses == after)
    }

    @Test("code is asked for once, and a module that its CID does not name is refused")
    func codeOnDemand() throws {
        let pool = try WasmWorkerPool(Fixture.configuration(workers: 2))
        defer { pool.shutdown() }
        let code = try Fixture.module(small)
        let other = try Fixture.module("(module (func (export \"run\")))")
        let asked = Atomic(0)
        let results = Results()
        for index in 0..<50 {
            pool.submit(
                Fixture.request(code),
                code: {
                    asked.wrappingAdd(1, ordering: .relaxed)
                    return code
                }, completion: { results.put(index, $0) })
        }
        #expect(results.take(50).count == 50)
        #expect(asked.load(ordering: .relaxed) == 1)
        #expect(pool.run(Fixture.request(other), code: code).outcome.outcomeClass == .engine)
    }

    @Test("ten thousand small jobs come back, each to its own place")
    func many() throws {
        let code = try Fixture.module(
            """
            (module (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
              (memory (export "memory") 1)
              (func (export "run") (result i32)
                (drop (call $args (i32.const 0) (i32.const 64)))
                (i32.load8_u (i32.const 68))))
            """)
        let requests = (0..<10_000).map {
            Fixture.request(code, arguments: [String(UnicodeScalar(UInt8(33 + $0 % 90)))])
        }
        let results = Results()
        try Fixture.pool.get().submitBatch(requests, code: { _ in code }) { results.put($0, $1) }
        let all = results.take(10_000)
        #expect(all.count == 10_000)
        for index in 0..<10_000 { #expect(all[index]?.outcome.exitCode == Int32(33 + index % 90)) }
    }

    @Test("workers killed again and again under load lose no job and cost at most one each")
    func killedUnderLoad() throws {
        let pool = try WasmWorkerPool(Fixture.configuration(workers: 2))
        defer { pool.shutdown() }
        let code = try Fixture.module(
            """
            (module (memory 1) (func (export "run") (result i32) (local i32)
              (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 20000))))
              (i32.const 5)))
            """)
        let requests = Array(repeating: Fixture.request(code), count: 20_000)
        let results = Results()
        pool.submitBatch(requests, code: { _ in code }) { results.put($0, $1) }
        var kills = 0
        var taken = 0
        for _ in 0..<8 {
            _ = results.take(200)
            taken += 200
            guard let worker = awaitRunning(pool) else { break }
            #expect(kill(worker, SIGKILL) == 0)
            kills += 1
        }
        let all = results.take(20_000 - taken)
        #expect(kills == 8)
        #expect(all.count == 20_000)
        let failed = all.values.filter { $0.outcome != RunOutcome(.exit, exitCode: 5) }
        #expect(failed.allSatisfy { $0.outcome.outcomeClass == .engine })
        #expect(failed.count <= kills)
    }

    @Test("after the end every job that waited is answered")
    func shutDown() throws {
        let pool = try WasmWorkerPool(Fixture.configuration(workers: 1))
        let burn = try Fixture.example("burn")
        let results = Results()
        for index in 0..<5 {
            pool.submit(Fixture.request(burn, fuel: .max, wall: 60_000), code: { burn }) {
                results.put(index, $0)
            }
        }
        pool.shutdown()
        let all = results.take(5)
        #expect(all.count == 5)
        #expect(all.values.allSatisfy { $0.outcome.outcomeClass == .engine })
        #expect(pool.run(Fixture.request(burn), code: burn).outcome.outcomeClass == .engine)
        #expect(pool.workerProcesses.isEmpty)
    }

    @Test("a missing library is one sentence that names the remedy")
    func missingLibrary() {
        var configuration = Fixture.configuration()
        configuration.libraryPath = "/nowhere/libwasmtime.so"
        #expect {
            try WasmWorkerPool(configuration)
        } throws: { error in
            let error = error as? WasmRuntimeError
            return error?.code == .libraryMissing && error?.hint?.contains("make setup") == true
        }
    }

    @Test("a mutated module is refused or runs, and takes no worker with it", arguments: Seed.sample(4))
    func garbage(_ seed: Seed) throws {
        let pool = try Fixture.pool.get()
        let before = pool.workerProcesses
        var generator = seed.generator
        let originals = try ["wordcount", "mandelbrot"].map { try Fixture.example($0) }
        for round in 0..<500 {
            var code = originals[round % 2]
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let place = Int.random(in: 0..<code.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: code.remove(at: place)
                case 1: code.insert(.random(in: 0...255, using: &generator), at: place)
                default: code[place] = .random(in: 0...255, using: &generator)
                }
            }
            let request = Fixture.request(code, fuel: 200_000, stdin: [1, 2, 32, 10])
            let outcome = pool.run(request, code: code).outcome.outcomeClass
            #expect(!outcome.isNodeFault)
        }
        #expect(pool.workerProcesses == before)
    }
}
