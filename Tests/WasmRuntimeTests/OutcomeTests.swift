import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import WasmRuntime

@Suite("Outcomes of runs", .tags(.Size.medium))
struct OutcomeTests {
    @Test("a function that returns is ok and charged exactly, the same every time")
    func returning() throws {
        let text = """
            (module (memory (export "memory") 1)
              (func (export "run") (local i32)
                (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000))))))
            """
        let first = try Fixture.run(text)
        #expect(first.outcome == RunOutcome(.ok))
        #expect(first.metering.fuel > 1000 && first.metering.fuel < 20_000)
        #expect(first.metering.memoryPeakBytes == 65_536)
        #expect(try Fixture.run(text).metering.fuel == first.metering.fuel)
    }

    @Test("a status that is returned or exited with is the exit code, and its fuel is exact")
    func exiting() throws {
        let returned = try Fixture.run("(module (func (export \"main\") (result i32) (i32.const 7)))")
        #expect(returned.outcome == RunOutcome(.exit, exitCode: 7))
        let zero = try Fixture.run("(module (func (export \"main\") (result i32) (i32.const 0)))")
        #expect(zero.outcome == RunOutcome(.ok, exitCode: 0))
        let exited = try Fixture.run(
            """
            (module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (func (export "_start") (call $exit (i32.const 3)) (unreachable)))
            """)
        #expect(exited.outcome == RunOutcome(.exit, exitCode: 3))
        #expect(exited.metering.fuel < 100)
        #expect(exited.metering.hostCalls == 1)
    }

    struct Trapping: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let body: String
    }

    @Test(
        "a trap is named and charged in full",
        arguments: [
            Trapping(testDescription: "unreachable", body: "(unreachable)"),
            Trapping(
                testDescription: "integer_division_by_zero",
                body: "(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
            Trapping(
                testDescription: "memory_out_of_bounds", body: "(drop (i32.load (i32.const 65533)))"),
            Trapping(
                testDescription: "bad_conversion_to_integer", body: "(drop (i32.trunc_f64_s (f64.const nan)))"
            ),
            Trapping(testDescription: "stack_overflow", body: "(call $run)"),
            Trapping(
                testDescription: "indirect_call_to_null", body: "(call_indirect (type $t) (i32.const 0))"),
        ])
    func trapping(_ trap: Trapping) throws {
        let result = try Fixture.run(
            """
            (module (type $t (func)) (memory 1) (table 1 funcref)
              (func $run (export "run") \(trap.body)))
            """, fuel: 1_000_000)
        #expect(result.outcome == RunOutcome(.trap, trap: trap.testDescription))
        #expect(result.metering.fuel == 1_000_000)
    }

    @Test("a program that burns for ever ends with its fuel, charged in full")
    func outOfFuel() throws {
        let code = try Fixture.example("burn")
        let result = try Fixture.pool.get().run(Fixture.request(code, fuel: 1_000_000), code: code)
        #expect(result.outcome == RunOutcome(.fuel))
        #expect(result.metering.fuel == 1_000_000)
    }

    @Test("a program that passes its real time is stopped, whatever its fuel")
    func outOfTime() throws {
        let code = try Fixture.example("burn")
        let result = try Fixture.pool.get().run(
            Fixture.request(code, fuel: .max, wall: 50), code: code)
        #expect(result.outcome == RunOutcome(.time))
        #expect(!result.outcome.isReplayable)
        #expect(result.metering.fuel == .max)
    }

    @Test("output beyond the limit ends the run, and what fitted is kept")
    func outputOverLimit() throws {
        let result = try Fixture.run(
            """
            (module (import "wasi_snapshot_preview1" "fd_write"
                (func $write (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") 1) (data (i32.const 0) "\\10\\00\\00\\00\\05\\00\\00\\00") (data (i32.const 16) "hello")
              (func (export "_start")
                (loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0))))
            """, fuel: 1_000_000, output: 12)
        #expect(result.outcome == RunOutcome(.output))
        #expect(result.stdout == Array("hellohellohe".utf8))
        #expect(result.metering.fuel == 1_000_000)
        #expect(result.metering.ioBytes == 12)
    }

    @Test("a module that starts with more memory than allowed ends with the outcome memory")
    func memoryAtStart() throws {
        let result = try Fixture.run(
            "(module (memory 3) (func (export \"run\")))", memory: 2 << 16)
        #expect(result.outcome == RunOutcome(.memory))
    }

    @Test("growth beyond the limit gives −1, and a trap after it is a lack of memory")
    func growth() throws {
        let refused = """
            (memory (export "memory") 1)
            (func (export "run") (result i32)
              (if (i32.ne (memory.grow (i32.const 100)) (i32.const -1)) (then (return (i32.const 9))))
            """
        let handled = try Fixture.run("(module \(refused) (i32.const 0)))", memory: 10 << 16)
        #expect(handled.outcome == RunOutcome(.ok, exitCode: 0))
        #expect(handled.metering.memoryPeakBytes == 65_536)
        let trapped = try Fixture.run("(module \(refused) (unreachable)))", memory: 10 << 16)
        #expect(trapped.outcome.outcomeClass == .memory)
        let grown = try Fixture.run(
            """
            (module (memory 1) (func (export "run")
              (if (i32.ne (memory.grow (i32.const 4)) (i32.const 1)) (then (unreachable))) (unreachable)))
            """, memory: 10 << 16)
        #expect(grown.outcome == RunOutcome(.trap, trap: "unreachable"))
        #expect(grown.metering.memoryPeakBytes == 5 << 16)
    }
}
