import Foundation
import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import CWasmtime
@testable import WasmRuntime

@Suite("Effects on their way", .tags(.Size.small))
struct EffectTests {
    private func text(_ most: Int, _ generator: inout SeededGenerator) -> String {
        let letters = Array("aé€😀\"\\\n\u{0}\u{7f} {}")
        let count = Int.random(in: 1...max(1, most / 4), using: &generator)
        return String((0..<count).map { _ in letters.randomElement(using: &generator) ?? "a" })
    }

    private func effect(_ generator: inout SeededGenerator) -> RunEffect {
        func maybe(_ most: UInt64) -> UInt64? {
            Bool.random(using: &generator) ? .random(in: 0...most, using: &generator) : nil
        }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return .anchored(text(400, &generator))
        case 1:
            return .used(
                resource: text(64, &generator),
                amount: .random(in: 0...UInt64(Int64.max), using: &generator))
        case 2:
            return .refused(
                HostFunction.allCases.randomElement(using: &generator) ?? .submitJob,
                reason: text(300, &generator))
        default:
            return .submitted(
                RunSubmission(
                    code: CID(of: [.random(in: 0...255, using: &generator)], codec: .raw),
                    description: text(200, &generator), resource: text(64, &generator),
                    amount: .random(in: 1...1 << 53, using: &generator),
                    priority: ContractHost.priorities.randomElement(using: &generator) ?? "low",
                    requirements: SubmissionRequirements(
                        memoryMiB: maybe(1 << 53), cpu: maybe(9), maxSeconds: maybe(9),
                        minReputation: maybe(100),
                        location: Bool.random(using: &generator) ? text(100, &generator) : nil,
                        maxBid: maybe(9))))
        }
    }

    private func effects(_ count: Int, _ generator: inout SeededGenerator) -> [RunEffect] {
        var submissions = 0
        var found: [RunEffect] = []
        while found.count < count {
            let next = effect(&generator)
            if case .submitted = next {
                submissions += 1
                if submissions > 32 { continue }
            }
            found.append(next)
        }
        return found
    }

    /// A result's frame whose effects are `bytes` and that says that they are `announced` bytes.
    private func answer(_ bytes: [UInt8], announced: Int? = nil) -> JobEncoding.Answer? {
        let buffer = ByteBuffer(capacity: 64)
        let body = 7 + bytes.count
        let frame = FrameLayout.frame(MESH_FRAME_RESULT, 3, mesh_result_frame.self, body)
        buffer.append(
            value: mesh_result_frame(
                frame: frame, fuel: 1, memory_peak_bytes: 2, host_calls: 3, io_bytes: 4, wall_microseconds: 5,
                outcome: OutcomeClass.trap.number, has_exit_code: 0, exit_code: 0, stdout_bytes: 2,
                stderr_bytes: 1, message_bytes: 4, effects_bytes: UInt32(announced ?? bytes.count), padding: 0
            ))
        buffer.append(Array("oue".utf8))
        buffer.append(Array("trap".utf8))
        buffer.append(bytes)
        buffer.pad(MemoryLayout<mesh_result_frame>.size + body)
        return JobEncoding.answer(frame, in: buffer)
    }

    private func result(_ bytes: [UInt8], announced: Int? = nil) -> RunResult? {
        guard case .result(let result, _) = answer(bytes, announced: announced) else { return nil }
        return result
    }

    /// Whether a worker that answers so is given up.
    private func isRefused(_ bytes: [UInt8], announced: Int? = nil) -> Bool {
        if case nil = answer(bytes, announced: announced) { true } else { false }
    }

    @Test("effects come out of a frame as they went in", arguments: Seed.sample(20))
    func roundTrip(_ seed: Seed) throws {
        var generator = seed.generator
        for count in [0, 1, 2, 17, 200] {
            let effects = effects(count, &generator)
            let bytes = EffectEncoding.encode(effects)
            #expect(EffectEncoding.decode(bytes) == effects)
            let result = try #require(self.result(bytes))
            #expect(result.effects == effects)
            #expect(result.stdout == Array("ou".utf8) && result.stderr == Array("e".utf8))
            #expect(result.outcome == RunOutcome(.trap, trap: "trap"))
        }
    }

    @Test(
        "spoilt effects are refused or read within their bounds, and never stop the program",
        arguments: Seed.sample(20))
    func spoilt(_ seed: Seed) {
        var generator = seed.generator
        let sound = EffectEncoding.encode(effects(12, &generator))
        var refused = 0
        for _ in 0..<200 {
            var bytes = sound
            switch Int.random(in: 0..<3, using: &generator) {
            case 0:
                bytes[.random(in: 0..<bytes.count, using: &generator)] = .random(
                    in: 0...255, using: &generator)
            case 1: bytes.removeLast(.random(in: 1..<bytes.count, using: &generator))
            default:
                bytes.insert(
                    .random(in: 0...255, using: &generator),
                    at: .random(in: 0..<bytes.count, using: &generator))
            }
            guard let read = EffectEncoding.decode(bytes) else {
                refused += 1
                continue
            }
            #expect(EffectEncoding.encode(read) == bytes)
        }
        #expect(refused > 100)
    }

    @Test("a worker that reports what no program can do is not trusted")
    func impossible() {
        let submission = RunSubmission(
            code: CID(of: [], codec: .raw), description: "", resource: "compute", amount: 1, priority: "low")
        func changed(_ change: (inout RunSubmission) -> Void) -> [RunEffect] {
            var changed = submission
            change(&changed)
            return [.submitted(changed)]
        }
        let long = String(repeating: "x", count: 5_000)
        let impossible: [[RunEffect]] = [
            [.anchored(String(long.prefix(4_097)))], [.used(resource: "", amount: 1)],
            [.used(resource: "x", amount: .max)], [.used(resource: String(long.prefix(65)), amount: 1)],
            [.refused(.submitJob, reason: long)], changed { $0.amount = 0 },
            changed { $0.amount = 1 << 53 + 1 }, changed { $0.priority = "urgent" },
            changed { $0.description = long }, changed { $0.requirements.minReputation = 101 },
            [RunEffect](repeating: .submitted(submission), count: 33),
            [RunEffect](repeating: .anchored(""), count: 1_001),
        ]
        for effects in impossible { #expect(isRefused(EffectEncoding.encode(effects))) }
        #expect(result(EffectEncoding.encode([.submitted(submission)]))?.effects.count == 1)
        #expect(result([0x80])?.effects == [])
        #expect(isRefused([0x81, 0x80]))
        #expect(isRefused([0x81, 0x82, 4, 0x60]))
        let sound = EffectEncoding.encode([.anchored("x")])
        #expect(isRefused(sound, announced: 1 << 20))
        #expect(isRefused(sound, announced: Int(UInt32.max)))
    }

    @Test("the most that a run can do fits into a frame, beside the most that it can write")
    func largest() {
        let submission = RunSubmission(
            code: CID(of: [], codec: .raw), description: String(repeating: "x", count: 1_024),
            resource: String(repeating: "x", count: 64), amount: 1 << 53, priority: "critical",
            requirements: SubmissionRequirements(
                memoryMiB: 1 << 53, cpu: 1 << 53, maxSeconds: 1 << 53, minReputation: 100,
                location: String(repeating: "x", count: 256), maxBid: 1 << 53))
        let effects =
            [RunEffect](repeating: .anchored(String(repeating: "x", count: 4_096)), count: 968)
            + [RunEffect](repeating: .submitted(submission), count: 32)
        let bytes = EffectEncoding.encode(effects)
        #expect(bytes.count <= EffectEncoding.byteCountMax)
        #expect(EffectEncoding.decode(bytes) == effects)
        let frame = FrameLayout.frame(
            MESH_FRAME_RESULT, 1, mesh_result_frame.self, FrameLayout.bytesMax + bytes.count + 400)
        #expect(FrameLayout.isPlausible(frame))
    }

    @Test("the lines of effects have one spelling")
    func lines() throws {
        let effects: [RunEffect] = [
            .anchored("a\"b\\c\nd\u{1}é"), .used(resource: "cpu", amount: 5),
            .submitted(
                RunSubmission(
                    code: try CID(ContractFixture.cid), description: "x", resource: "compute", amount: 1000,
                    priority: "medium")),
            .submitted(
                RunSubmission(
                    code: try CID(ContractFixture.cid), description: "", resource: "compute", amount: 1,
                    priority: "low",
                    requirements: SubmissionRequirements(
                        memoryMiB: 1, cpu: 2, maxSeconds: 3, minReputation: 4, location: "e\"u", maxBid: 5))),
            .refused(.submitJob, reason: "no"),
        ]
        #expect(
            String(decoding: RunEffect.lines(effects), as: UTF8.self)
                == #"""
                {"anchored":"a\"b\\c\nd\u0001é"}
                {"used":{"resource":"cpu","amount":5}}
                {"submitted":{"wasm_cid":"CID","description":"x","resource_type":"compute","resource_amount":1000,"priority":"medium"}}
                {"submitted":{"wasm_cid":"CID","description":"","resource_type":"compute","resource_amount":1,"priority":"low","memory_mib":1,"cpu":2,"max_seconds":3,"min_reputation":4,"location":"e\"u","max_bid":5}}
                {"refused":{"function":"host_submit_job","reason":"no"}}

                """#.replacingOccurrences(of: "CID\"", with: ContractFixture.cid + "\"")
                .replacingOccurrences(of: "\"CID", with: "\"" + ContractFixture.cid))
        #expect(RunEffect.lines([]) == [])
    }

    @Test("every line is JSON that says what the effect says", arguments: Seed.sample(20))
    func json(_ seed: Seed) throws {
        var generator = seed.generator
        let effects = effects(40, &generator)
        let lines = RunEffect.lines(effects).split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == effects.count)
        for (line, effect) in zip(lines, effects) {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
            #expect(object.count == 1)
            switch effect {
            case .anchored(let data): #expect(object["anchored"] as? String == data)
            case .used(let resource, let amount):
                let used = try #require(object["used"] as? [String: Any])
                #expect(used["resource"] as? String == resource)
                #expect((used["amount"] as? NSNumber)?.uint64Value == amount)
            case .submitted(let submission):
                let found = try #require(object["submitted"] as? [String: Any])
                #expect(found["wasm_cid"] as? String == submission.code.description)
                #expect(found["description"] as? String == submission.description)
                #expect(found["location"] as? String == submission.requirements.location)
                #expect((found["max_bid"] as? NSNumber)?.uint64Value == submission.requirements.maxBid)
            case .refused(let function, let reason):
                let found = try #require(object["refused"] as? [String: Any])
                #expect(found["function"] as? String == function.rawValue)
                #expect(found["reason"] as? String == reason)
            }
        }
    }
}
