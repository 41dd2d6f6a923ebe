import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import WasmRuntime

@Suite("The profile", .tags(.Size.medium))
struct ProfileTests {
    @Test("two pools under the same settings have one profile, and another memory maximum makes another")
    func profile() throws {
        let engine = try Fixture.pool.get().engine
        #expect(engine.name == "wasmtime")
        #expect(engine.version == "48.0.0")
        #expect(engine.profile == EngineProfile(memoryBytesMax: 256 << 20).cid)
        #expect(engine.profile != EngineProfile(memoryBytesMax: 128 << 20).cid)
    }

    @Test("the settings are part of what receipts prove; a node without the host of contracts has others")
    func settings() {
        let profile = EngineProfile(memoryBytesMax: 256 << 20).cid.description
        #expect(profile == "bafyreihpdj6y34sw4ngvkw46aa47i6rxbuww74adyb56lyvlzcxycqdw34")
    }

    @Test("the fuel of a job is part of what receipts prove, and stays what it is")
    func fuel() throws {
        let code = try Fixture.example("wordcount")
        let text = Array(String(repeating: "lorem ipsum dolor\n", count: 1000).utf8)
        let result = try Fixture.pool.get().run(Fixture.request(code, stdin: text), code: code)
        #expect(result.stdout == Array("1000 3000 18000\n".utf8))
        #expect(result.metering.fuel == 702_526)
        #expect(result.metering.ioBytes == 18_016)
        #expect(result.metering.hostCalls == 3)
    }

    @Test("one seed's arithmetic on NaN gives canonical bits")
    func canonical() throws {
        let result = try Fixture.run(
            """
            (module (func (export "run") (result i32)
              (i32.ne
                (i32.const 0x7fc00000)
                (i32.reinterpret_f32 (f32.add (f32.const -nan:0x200001) (f32.const 1))))))
            """)
        #expect(result.outcome == RunOutcome(.ok, exitCode: 0))
    }
}

@Suite("Counting growth", .tags(.Size.medium))
struct MemoryInstrumentTests {
    @Test("every kind of instruction is passed over, and only memory.grow is replaced")
    func everyInstruction() throws {
        let text = """
            (module
              (type $t (func (param i32) (result i32)))
              (memory 1) (table $table 4 funcref) (global $g (mut i64) (i64.const 0x40_0040))
              (elem (table $table) (i32.const 0) func $id) (elem $passive func $id)
              (data $d "\\40\\00\\40\\00")
              (func $id (type $t) (local.get 0))
              (func $tail (param i32) (result i32) (return_call $id (local.get 0)))
              (func $many (param $p i32) (result i32) (local $v v128) (local $f f64) (local $r funcref)
                (block $a (block $b (block $c (br_table $a $b $c $b (local.get $p)))))
                (local.set $f (f64.const 4.0)) (drop (f32.const 64.0))
                (drop (i64.const -0x40_0000_0040)) (global.set $g (i64.const 64))
                (local.set $v (v128.const i32x4 0x40 0x40 0x40 0x40))
                (local.set $v (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (local.get $v) (local.get $v)))
                (drop (i32x4.extract_lane 1 (i32x4.add (local.get $v) (i32x4.replace_lane 0 (local.get $v) (i32.const 64)))))
                (local.set $v (v128.load8_lane 3 (i32.const 64) (local.get $v)))
                (v128.store offset=64 (i32.const 64) (local.get $v)) (drop (v128.load32_zero (i32.const 0)))
                (memory.init $d (i32.const 0) (i32.const 0) (i32.const 4)) (data.drop $d)
                (memory.copy (i32.const 64) (i32.const 0) (i32.const 4))
                (memory.fill (i32.const 64) (i32.const 64) (i32.const 64))
                (table.init $table $passive (i32.const 1) (i32.const 0) (i32.const 1)) (elem.drop $passive)
                (table.copy (i32.const 2) (i32.const 0) (i32.const 1)) (drop (table.size $table))
                (drop (table.grow $table (ref.null func) (i32.const 1)))
                (table.fill $table (i32.const 3) (ref.func $id) (i32.const 1))
                (table.set $table (i32.const 0) (table.get $table (i32.const 2)))
                (local.set $r (select (result funcref) (ref.null func) (ref.func $id) (i32.const 0)))
                (drop (ref.is_null (local.get $r)))
                (drop (i32.trunc_sat_f64_s (local.get $f))) (drop (i32.extend8_s (i32.const 0x40)))
                (drop (i64.load16_u offset=64 align=2 (i32.const 64))) (drop (memory.size))
                (drop (memory.grow (i32.const 1)))
                (if (result i32) (i32.ge_s (memory.grow (i32.const 2)) (i32.const 0))
                  (then (call_indirect (type $t) (call $tail (i32.const 64)) (i32.const 0)))
                  (else (i32.const 1))))
              (func (export "run") (result i32) (call $many (i32.const 1))))
            """
        let result = try Fixture.run(text)
        #expect(result.outcome == RunOutcome(.exit, exitCode: 64))
        #expect(result.metering.memoryPeakBytes == 4 << 16)
    }

    @Test("a stack overflow stays one, although a growth was refused before")
    func stackOverflow() throws {
        let result = try Fixture.run(
            """
            (module (memory 1)
              (func $deep (call $deep))
              (func (export "run") (drop (memory.grow (i32.const 60000))) (call $deep)))
            """)
        #expect(result.outcome == RunOutcome(.trap, trap: "stack_overflow"))
    }
}
