import CCL
internal import MeshCore
import MeshTestSupport
import Testing

@Suite("The documented grammar and the parser agree", .tags(.Size.small))
struct GrammarTests {
    /// What is no question of grammar: numbers out of range, and limits.
    private static let beside: Set<DiagnosticCode> = [.invalidNumber, .nestedTooDeeply, .tooLong]

    private func accepts(_ text: String) -> Bool { Contract.read(Array(text.utf8)).diagnostics.isEmpty }

    @Test("the page holds a grammar in which every rule is used and every name is a rule")
    func wellFormed() throws {
        let grammar = try #require(GrammarRules.documented)
        #expect(grammar.names.count > 35)
        #expect(Set(grammar.names).count == grammar.names.count)
        let reached = grammar.reachable(from: "contract").union(grammar.reachable(from: "comment"))
        #expect(reached.subtracting(grammar.names) == [])
        #expect(Set(grammar.names).subtracting(reached) == [])
    }

    @Test("what is written by the grammar is read without a fault", arguments: Seed.sample(60))
    func written(_ seed: Seed) throws {
        var writer = GrammarWriter(try #require(GrammarRules.documented), seed.generator)
        for _ in 0..<4 {
            let text = writer.contract()
            let diagnostics = Contract.read(Array(text.utf8)).diagnostics
            if let first = diagnostics.first {
                Issue.record("\(first.rendered(source: text, name: "written"))\n\(text)")
            }
        }
    }

    @Test("what is written uses every rule and every sign of the grammar")
    func complete() throws {
        let grammar = try #require(GrammarRules.documented)
        var used: Set<String> = []
        for seed in 1...60 {
            var writer = GrammarWriter(grammar, SeededGenerator(seed: UInt64(seed)))
            for _ in 0..<4 { _ = writer.contract() }
            used.formUnion(writer.used)
        }
        let all = grammar.leaves(of: grammar.names).union(grammar.names)
        #expect(all.subtracting(used) == [])
    }

    @Test("the grammar accepts what it has written", arguments: Seed.sample(30))
    func recognised(_ seed: Seed) throws {
        let grammar = try #require(GrammarRules.documented)
        var writer = GrammarWriter(grammar, seed.generator)
        let text = writer.contract()
        #expect(GrammarRecogniser(grammar: grammar).accepts(text), "\(text)")
    }

    /// What tokens are exchanged for.
    private static let spoilers = [
        ";", ",", ":", "=", "(", ")", "[", "]", "{", "}", ".", "-", "!", "+", "<", "==", "&&", "1", "2d",
        "0.5", "\"s\"", "a", "if",
        "else", "for", "in", "let", "on", "return", "function", "true", "\n", "@", "'", "1x", "\"",
    ]

    @Test(
        "a text with a token too many, too few or exchanged is refused by both or by neither",
        arguments: Seed.sample(60))
    func spoilt(_ seed: Seed) throws {
        let grammar = try #require(GrammarRules.documented)
        let recogniser = GrammarRecogniser(grammar: grammar)
        var generator = seed.generator
        for _ in 0..<4 {
            var writer = GrammarWriter(grammar, generator)
            let whole = writer.contract(depth: 18)
            generator = writer.generator
            guard let tokens = recogniser.tokens(of: whole), tokens.count < 150 else { continue }
            var spellings = tokens.map { ($0.startsLine ? "\n" : " ") + $0.text }
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let place = Int.random(in: 0...spellings.count, using: &generator)
                let other = Self.spoilers[Int.random(in: 0..<Self.spoilers.count, using: &generator)]
                switch Int.random(in: 0..<3, using: &generator) {
                case 0 where place < spellings.count: spellings.remove(at: place)
                case 1 where place < spellings.count: spellings[place] = " " + other
                default: spellings.insert(" " + other, at: place)
                }
            }
            try agree(spellings.joined(), recogniser)
        }
    }

    @Test("spoilt texts are of both kinds, so that agreeing says something")
    func power() throws {
        let grammar = try #require(GrammarRules.documented)
        let recogniser = GrammarRecogniser(grammar: grammar)
        for (text, isOne) in [
            ("a b c { }", true), ("a: b c 1", true), ("a b c 1 2", false), ("a\nb\n[1]", true),
            ("a.b", false), ("a b.c", true),
            ("if a { } else { }", true), ("if: 3", true), ("if { }", false), ("x: { } + 1", false),
            ("x: ({ }) + 1", true),
            ("return x: 1", false), ("a < b", false), ("x: a < b < c", false), ("x: 12a", false),
            ("on x { }", true), ("let x", false),
            ("for x in y { }", true), ("for (x) { }", false), ("true(1)", false), ("x: true(1)", false),
            ("\"a\" (1)", false),
        ] {
            #expect(recogniser.accepts(text) == isOne, "\(text)")
            #expect(accepts(text) == isOne, "\(text)")
        }
    }

    private func agree(_ text: String, _ recogniser: GrammarRecogniser) throws {
        let diagnostics = Contract.read(Array(text.utf8)).diagnostics
        guard
            !diagnostics.contains(where: { Self.beside.contains($0.code) && !$0.message.contains("neither") })
        else { return }
        let isRecognised = recogniser.accepts(text)
        if isRecognised != diagnostics.isEmpty {
            let found = diagnostics.first?.rendered(source: text, name: "text") ?? "nothing"
            Issue.record(
                "the grammar \(isRecognised ? "accepts" : "refuses"), the parser finds \(found)\nin:\n\(text)"
            )
        }
    }

    @Test("they agree on every file of the collection", arguments: goldenFiles.names("Golden/reading"))
    func golden(_ name: String) throws {
        let bytes = try goldenFiles.bytes("Golden/reading/\(name).ccl")
        guard let text = String(validating: bytes, as: UTF8.self), bytes.count < 4000 else { return }
        try agree(text, GrammarRecogniser(grammar: try #require(GrammarRules.documented)))
    }
}
