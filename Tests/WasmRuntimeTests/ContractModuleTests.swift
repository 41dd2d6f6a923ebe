import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import WasmRuntime

@Suite("Inspecting contracts", .tags(.Size.small))
struct ContractModuleTests {
    private func facts(_ code: [UInt8]) throws(ModuleRefusal) -> WasmModuleFacts {
        try WasmModuleInspector.facts(code, moduleBytesMax: 4 << 20)
    }

    private func refusal(_ code: [UInt8]) -> ModuleRefusal? {
        WasmModuleInspector.inspect(code, entry: nil, moduleBytesMax: 4 << 20)
    }

    private func plain() throws -> [UInt8] { try Fixture.module("(module (func (export \"run\")))") }

    @Test("every function of the host can be imported with its own signature, and with no other")
    func signatures() throws {
        for function in HostFunction.allCases {
            let right = try Fixture.module(
                "(module \(ContractFixture.declaration(function, "f")) (func (export \"run\")))")
            #expect(try Fixture.pool.get().check(right, entry: nil, limits: nil) == nil)
            for shape in ["", "(param i32)", "(param i32 i32 i32)", "(param i64 i64)", "(result i64)"] {
                let wrong = try Fixture.module(
                    "(module (import \"host\" \"\(function.rawValue)\" (func \(shape))) (func (export \"run\")))"
                )
                #expect(refusal(wrong)?.reason == .unknownImport)
            }
        }
        let silent = try Fixture.module(
            "(module (import \"host\" \"host_anchor_to_dag\" (func (param i32 i32))) (func (export \"run\")))"
        )
        #expect(refusal(silent)?.reason == .unknownImport)
    }

    @Test("an unknown name is refused at its byte, with the nearest one as advice")
    func unknownName() throws {
        let code = try Fixture.module(
            "(module (import \"host\" \"host_submit_jobs\" (func)) (func (export \"run\")))")
        let found = try #require(refusal(code))
        #expect(found.reason == .unknownImport)
        #expect(found.message.hasSuffix("; is host_submit_job meant?"))
        #expect(Array(code[found.offset..<found.offset + 5]) == [4] + Array("host".utf8))
        let far = try Fixture.module(
            "(module (import \"host\" \"mint\" (func)) (func (export \"run\")))")
        #expect(refusal(far)?.message == "the module imports host.mint, which is not provided here")
        let elsewhere = try Fixture.module(
            "(module (import \"env\" \"host_submit_job\" (func)) (func (export \"run\")))")
        #expect(refusal(elsewhere)?.reason == .unknownImport)
    }

    @Test("a section ccl is read: limits and requirements, whatever else is declared")
    func section() throws {
        let content = ContractFixture.section(
            limits: [("compute", 1000), ("token", nil)], declarations: ["organization", "bylaws"],
            requirements: [
                ("cpu", 4), ("max_bid", 9), ("memory_mib", 512), ("max_seconds", 60), ("min_reputation", 100),
            ], location: "eu")
        let module = try plain()
        let expected = ContractSection(
            limits: [.init(resource: "compute", amount: 1000), .init(resource: "token", amount: nil)],
            requirements: SubmissionRequirements(
                memoryMiB: 512, cpu: 4, maxSeconds: 60, minReputation: 100, location: "eu", maxBid: 9))
        #expect(try facts(module + ContractFixture.custom("ccl", content)).contract == expected)
        let first = Array(module.prefix(8)) + ContractFixture.custom("ccl", content) + module.dropFirst(8)
        #expect(try facts(first).contract == expected)
        #expect(try facts(module + ContractFixture.custom("name", content)).contract == nil)
        #expect(try facts(module).contract == nil)
        #expect(
            try facts(module + ContractFixture.custom("ccl", ContractFixture.section())).contract
                == ContractSection())
    }

    @Test("a second section is refused at its own byte")
    func twice() throws {
        let section = ContractFixture.custom("ccl", ContractFixture.section())
        let once = try plain() + section
        let found = refusal(once + section)
        #expect(found?.reason == .invalid)
        #expect(found?.offset == once.count)
    }

    struct Malformed: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let content: [UInt8]
    }

    private static let malformedSections: [Malformed] = {
        func made(_ description: String, _ content: [UInt8]) -> Malformed {
            Malformed(testDescription: description, content: content)
        }
        let many = (0..<257).map { (resource: "r\($0)", amount: Int64?.none) }
        return [
            made("nothing", []), made("text", Array("hello".utf8)), made("an empty map", [0xa0]),
            made("another version", ContractFixture.section(version: 2)),
            made("bytes behind", ContractFixture.section() + [0]),
            made("cut off", ContractFixture.section(limits: [("a", 1)]).dropLast(3)),
            made("a negative limit", ContractFixture.section(limits: [("a", -1)])),
            made("a resource without a name", ContractFixture.section(limits: [("", 1)])),
            made(
                "a long resource", ContractFixture.section(limits: [(String(repeating: "a", count: 65), 1)])),
            made("one resource twice", ContractFixture.section(limits: [("a", 1), ("b", 1), ("a", 2)])),
            made("257 limits", ContractFixture.section(limits: many)),
            made("too good a reputation", ContractFixture.section(requirements: [("min_reputation", 101)])),
            made("an unknown requirement", ContractFixture.section(requirements: [("gpu", 1)])),
            made(
                "a long location",
                ContractFixture.section(
                    requirements: [("memory_mib", 1)], location: String(repeating: "x", count: 257))),
            made(
                "more than 1 MiB",
                ContractFixture.section(declarations: [String(repeating: "x", count: 1 << 20)])),
            made(
                "lists within lists",
                [0xa2, 0x67] + Array("version".utf8) + [1, 0x6c] + Array("declarations".utf8)
                    + [UInt8](repeating: 0x81, count: 5000)),
        ]
    }()

    @Test("a malformed section is refused within its own bytes", arguments: malformedSections)
    func malformed(_ malformed: Malformed) throws {
        let module = try plain()
        let code = module + ContractFixture.custom("ccl", malformed.content)
        let found = try #require(refusal(code))
        #expect(found.reason == .invalid)
        #expect((code.count - malformed.content.count...code.count).contains(found.offset))
    }

    @Test("256 limits and almost 1 MiB are allowed")
    func bounds() throws {
        let most = (0..<256).map { (resource: "r\($0)", amount: Int64?.some(.max)) }
        let content = ContractFixture.section(
            limits: most, declarations: [String](repeating: String(repeating: "x", count: 60_000), count: 16))
        let found = try facts(try plain() + ContractFixture.custom("ccl", content)).contract
        #expect(found?.limits.count == 256)
        #expect(found?.limit(of: "r255")?.amount == UInt64(Int64.max))
        #expect(found?.limit(of: "r256") == nil)
    }

    @Test(
        "a section spoilt in one place is read or refused, and never stops the program",
        arguments: Seed.sample(20))
    func spoilt(_ seed: Seed) throws {
        var generator = seed.generator
        let content = ContractFixture.section(
            limits: [("compute", 1000), ("token", nil)], declarations: ["a", "b"],
            requirements: [("cpu", 4), ("memory_mib", 512)], location: "eu")
        let module = try plain()
        for _ in 0..<200 {
            var spoilt = content
            spoilt[Int.random(in: 0..<spoilt.count, using: &generator)] = .random(
                in: 0...255, using: &generator)
            let code = module + ContractFixture.custom("ccl", spoilt)
            if let found = refusal(code) { #expect((module.count...code.count).contains(found.offset)) }
        }
    }

    @Test("the limits of a section hold in the run of its module")
    func inTheRun() throws {
        let result = try ContractFixture.run(
            """
            (i32.add (call $check <compute> (i64.const 50))
              (i32.add (call $check <compute> (i64.const 51)) (call $check <token> (i64.const 1000))))
            """, strings: ContractFixture.strings([("compute", "compute"), ("token", "token")]),
            section: ContractFixture.section(limits: [("compute", 50), ("token", nil)]))
        #expect(result.outcome == RunOutcome(.exit, exitCode: 2))
        #expect(result.effects.count == 1)
    }
}
