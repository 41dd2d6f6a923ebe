import CCL
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@Suite("Contracts by chance, in both engines", .tags(.Size.medium))
struct RandomProgramTests {
    /// What a checker may refuse of a text by chance: an overflow or a division by zero that it sees itself.
    private static let foreseen: Set<DiagnosticCode> = [.constantOverflow, .divisionByZero]

    /// The first contract that a seed gives which the checker takes; `nil` after twenty that it refuses.
    private static func contract(_ seed: Seed) throws -> String? {
        var generator = ContractGenerator(random: seed.generator)
        for _ in 0..<20 {
            let text = generator.contract()
            let errors = Contract.compile(Array(text.utf8)).diagnostics.filter { $0.severity == .error }
            if errors.isEmpty { return text }
            let others = errors.filter { !foreseen.contains($0.code) }
            try #require(
                others.isEmpty,
                "\(seed): \(others.map { $0.rendered(source: text, name: "chance.ccl") }.joined())")
        }
        return nil
    }

    @Test(
        "A contract by chance does the same in both engines, printed and on record",
        arguments: Seed.sample(250))
    func engines(seed: Seed) throws {
        let text = try #require(try Self.contract(seed), "\(seed)")
        let story = try EngineCheck(Array(text.utf8), name: "chance.ccl").story
        if !story.hasSuffix("ends: ok\n") && !story.hasSuffix("ends: unreachable\n") {
            Issue.record("\(seed): \(story.suffix(200))")
        }
    }

    @Test(
        "A contract by chance gives valid modules, for both targets, with and without names",
        .enabled(if: Engines.validator != nil, Engines.validatorMissing), arguments: Seed.sample(50))
    func valid(seed: Seed) throws {
        let text = try #require(try Self.contract(seed), "\(seed)")
        try EngineCheck.validate(Array(text.utf8), name: "chance.ccl")
    }

    @Test("Contracts by chance come to their end most often, do something, and fail now and then")
    func mix() throws {
        var (failed, silent) = (0, 0)
        let seeds = Seed.sample(60)
        for seed in seeds {
            let text = try #require(try Self.contract(seed), "\(seed)")
            let module = try #require(
                Contract.compile(Array(text.utf8), options: EmissionOptions(target: .wasi)).module)
            let run = try Engines.run(module.bytes)
            if run.outcome.outcomeClass != .ok { failed += 1 }
            if run.stdout.isEmpty { silent += 1 }
        }
        #expect(
            seeds.count == 1 || (failed >= 3 && failed <= 40 && silent <= 10),
            "\(failed) failed, \(silent) silent")
    }

    @Test(
        "What the checker works out beforehand is what the run would have worked out",
        arguments: Seed.sample(20))
    func folding(seed: Seed) throws {
        var generator = ContractGenerator(random: seed.generator)
        let hiding = ContractGenerator.Kind.allCases.map {
            "function hide_\($0.rawValue)(a: \($0.rawValue)): \($0.rawValue) { return a; }\n"
        }.joined()
        func printed(_ kind: ContractGenerator.Kind, _ expression: String) -> String {
            switch kind {
            case .string: "log(\(expression));\n"
            case .decimal:
                // Bits cannot be printed; seven places can.
                "log(text(round(max(min((\(expression)) * 1e7, 1e18), -1e18))));\n"
            case .integer, .boolean, .duration: "log(text(\(expression)));\n"
            }
        }
        func output(_ body: String) throws -> (text: String, isDone: Bool) {
            let source = Array("execution {\n\(body)}\n\(hiding)".utf8)
            let compilation = Contract.compile(source, options: EmissionOptions(target: .wasi))
            let module = try #require(compilation.module, "\(seed): \(compilation.diagnostics)")
            let run = try Engines.run(module.bytes)
            return (String(decoding: run.stdout, as: UTF8.self), run.outcome.outcomeClass == .ok)
        }
        var (bare, hidden, count) = ("", "", 0)
        while count < 25 {
            let kind = ContractGenerator.Kind.allCases[count % ContractGenerator.Kind.allCases.count]
            let pair = generator.pair(kind)
            count += 1
            let errors = Contract.compile(
                Array("execution {\n\(printed(kind, pair.bare))}\n\(hiding)".utf8)
            ).diagnostics.filter { $0.severity == .error }
            if errors.isEmpty {
                bare += printed(kind, pair.bare)
                hidden += printed(kind, pair.hidden)
            } else {
                // What the checker refuses to work out ends the run.
                #expect(errors.allSatisfy { Self.foreseen.contains($0.code) }, "\(seed): \(errors)")
                let late = try output(printed(kind, pair.hidden))
                #expect(!late.isDone, "\(seed): \(pair.bare) is refused, but gives \(late.text)")
            }
        }
        let (before, after) = (try output(bare), try output(hidden))
        #expect(before.isDone && after.isDone, "\(seed): \(bare)\n\(after.text)")
        let lines = zip(
            bare.split(separator: "\n"),
            zip(before.text.split(separator: "\n"), after.text.split(separator: "\n")))
        for (expression, (first, second)) in lines where first != second {
            Issue.record("\(seed): \(expression) is \(first) beforehand and \(second) in the run")
        }
        #expect(before.text == after.text)
    }
}
