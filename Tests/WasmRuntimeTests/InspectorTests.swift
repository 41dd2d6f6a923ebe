import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import WasmRuntime

@Suite("Inspecting modules", .tags(.Size.small))
struct InspectorTests {
    private let header: [UInt8] = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

    private func refusal(_ code: [UInt8], entry: String? = nil, most: Int = 1 << 20) -> ModuleRefusal? {
        WasmModuleInspector.inspect(code, entry: entry, moduleBytesMax: most)
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: [UInt8]
        let reason: ModuleRefusal.Reason
        let offset: Int
    }

    @Test(
        "what is not a module that can run here is refused at the byte in question",
        arguments: [
            Refused(testDescription: "an empty file", code: [], reason: .notWasm, offset: 0),
            Refused(testDescription: "a text", code: Array("hello".utf8), reason: .notWasm, offset: 0),
            Refused(
                testDescription: "a wrong third byte", code: [0x00, 0x61, 0x72, 0x6d, 1, 0, 0, 0],
                reason: .notWasm,
                offset: 2),
            Refused(
                testDescription: "a cut version", code: [0x00, 0x61, 0x73, 0x6d, 1], reason: .notWasm,
                offset: 5),
            Refused(
                testDescription: "a component", code: [0x00, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0],
                reason: .component,
                offset: 6),
            Refused(
                testDescription: "no export", code: [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
                reason: .noEntryPoint,
                offset: 8),
            Refused(
                testDescription: "a section past the end",
                code: [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0x7f, 0], reason: .invalid, offset: 8),
            Refused(
                testDescription: "sections out of order",
                code: [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 3, 1, 0, 1, 1, 0], reason: .invalid, offset: 11),
            Refused(
                testDescription: "an unknown section", code: [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 77, 0],
                reason: .invalid, offset: 8),
            Refused(
                testDescription: "more types than bytes",
                code: [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f],
                reason: .invalid,
                offset: 10),
            Refused(
                testDescription: "a number of six bytes",
                code: [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0],
                reason: .invalid,
                offset: 9),
        ])
    func refused(_ refused: Refused) {
        let found = refusal(refused.code)
        #expect(found?.reason == refused.reason)
        #expect(found?.offset == refused.offset)
    }

    @Test("an import that is not provided is refused at its own byte, and so is a wrong signature")
    func imports() throws {
        let foreign = try Fixture.module(
            "(module (import \"env\" \"abort\" (func)) (func (export \"run\")))")
        #expect(refusal(foreign)?.reason == .unknownImport)
        let offset = try #require(refusal(foreign)?.offset)
        #expect(Array(foreign[offset..<offset + 4]) == [3] + Array("env".utf8))
        let signature = try Fixture.module(
            "(module (import \"wasi_snapshot_preview1\" \"fd_close\" (func (param i64) (result i32))) (func (export \"run\")))"
        )
        #expect(refusal(signature)?.reason == .unknownImport)
        let memory = try Fixture.module(
            "(module (import \"env\" \"memory\" (memory 1)) (func (export \"run\")))")
        #expect(refusal(memory)?.reason == .unknownImport)
    }

    @Test("every function of preview 1 can be imported with its own signature")
    func everyFunction() throws {
        for function in WASIPreview1.allCases {
            let parameters = function.parameters.map { $0 == "I" ? "i64" : "i32" }.joined(separator: " ")
            let result = function.returnsErrorNumber ? "(result i32)" : ""
            let code = try Fixture.module(
                "(module (import \"wasi_snapshot_preview1\" \"\(function.rawValue)\" (func (param \(parameters)) \(result))) (func (export \"run\")))"
            )
            #expect(try Fixture.pool.get().check(code, entry: nil, limits: nil) == nil)
        }
    }

    @Test("the entry point is the one that is named, else _start, run or main")
    func entries() throws {
        let code = try Fixture.module(
            "(module (func (export \"other\")) (func (export \"takes\") (param i32)) (func (export \"main\") (result i32) (i32.const 0)))"
        )
        #expect(refusal(code) == nil)
        #expect(refusal(code, entry: "other") == nil)
        #expect(refusal(code, entry: "takes")?.reason == .noEntryPoint)
        #expect(refusal(code, entry: "absent")?.reason == .noEntryPoint)
        #expect(refusal(code, most: 20)?.reason == .tooLarge)
        let wide = try Fixture.module(
            "(module (func (export \"main\") (param i32 i32) (result i32) (i32.const 0)))")
        #expect(refusal(wide)?.reason == .noEntryPoint)
    }

    @Test("a check finds what only the engine sees, with its byte")
    func engineChecks() throws {
        let pool = try Fixture.pool.get()
        var code = try Fixture.module("(module (func (export \"run\") (drop (i32.const 1))))")
        let place = try #require(code.lastIndex(of: 0x1a))
        code[place] = 0x6a
        let found = pool.check(code, entry: nil, limits: nil)
        #expect(found?.reason == .invalid)
        #expect(found?.offset == place)
        let large = try Fixture.module("(module (memory 5000) (func (export \"run\")))")
        #expect(pool.check(large, entry: nil, limits: nil)?.reason == .memory)
        let wants = try Fixture.module("(module (memory 10) (func (export \"run\")))")
        let limits = RunLimits(fuel: 1, memoryBytes: 9 << 16, outputBytes: 1, wallMilliseconds: 1)
        #expect(pool.check(wants, entry: nil, limits: limits)?.reason == .memory)
        #expect(pool.check(wants, entry: nil, limits: nil) == nil)
    }

    @Test("random bytes behind the header never stop the program", arguments: Seed.sample(20))
    func random(_ seed: Seed) {
        var generator = seed.generator
        for _ in 0..<200 {
            let count = Int.random(in: 0..<80, using: &generator)
            let code =
                header
                + (0..<count).map { index in
                    index % 7 == 0
                        ? UInt8.random(in: 0...13, using: &generator)
                        : .random(in: 0...255, using: &generator)
                }
            if let found = refusal(code) { #expect((0...code.count).contains(found.offset)) }
        }
    }
}
