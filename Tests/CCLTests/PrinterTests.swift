import CCL
internal import MeshCore
import MeshTestSupport
import Testing

@Suite("What is laid out reads as the same contract", .tags(.Size.small))
struct PrinterTests {
    /// Lays `source` out, reads it again and lays that out.
    private func judge(_ source: String) {
        let (tree, _) = Contract.read(Array(source.utf8))
        guard let text = Contract.formatted(Array(source.utf8)).text else {
            Issue.record("refused:\n\(source)")
            return
        }
        let (again, diagnostics) = Contract.read(Array(text.utf8))
        if let first = diagnostics.first {
            Issue.record("\(first.rendered(source: text, name: "text"))\nfrom:\n\(source)")
            return
        }
        let (wanted, given) = (
            ReadingDump.text(tree, showsPlaces: false), ReadingDump.text(again, showsPlaces: false)
        )
        if wanted != given { Issue.record("\(wanted)\nbecomes\n\(given)\nfrom:\n\(source)\nto:\n\(text)") }
        if Contract.formatted(Array(text.utf8)).text != text {
            Issue.record("not the same twice:\n\(source)\nto:\n\(text)")
        }
    }

    @Test(
        "every text of the collection does",
        arguments: goldenFiles.names("Golden/reading").filter { !$0.hasPrefix("fault-") })
    func golden(_ name: String) throws { judge(try goldenFiles.text("Golden/reading/\(name).ccl")) }

    @Test("whatever the grammar writes does, with its comments", arguments: Seed.sample(60))
    func written(_ seed: Seed) throws {
        var writer = GrammarWriter(try #require(GrammarRules.documented), seed.generator)
        for _ in 0..<4 { judge(writer.contract()) }
    }

    @Test("an expression's text reads as the same expression", arguments: Seed.sample(60))
    func expressions(_ seed: Seed) throws {
        var writer = GrammarWriter(try #require(GrammarRules.documented), seed.generator)
        for _ in 0..<4 {
            let source = "x: " + writer.rule("value", depth: 16)
            guard
                case .property(_, _, let value)? = Contract.read(Array(source.utf8)).tree.statements.first?
                    .kind
            else {
                Issue.record("no property:\n\(source)")
                continue
            }
            let text = "x: " + value.sourceText
            #expect(!text.contains("\n"))
            let (tree, diagnostics) = Contract.read(Array(text.utf8))
            guard diagnostics.isEmpty, case .property(_, _, let again)? = tree.statements.first?.kind else {
                Issue.record("\(text)\nfrom:\n\(source)")
                continue
            }
            let dump = ReadingDump(showsPlaces: false)
            #expect(dump.text(again) == dump.text(value), "\(text)")
            #expect("x: " + again.sourceText == text)
        }
    }

    @Test(
        "text is written as it is meant",
        arguments: [
            ("a 1 b 2", "a: 1;\nb: 2;\n"), ("a=1", "a = 1;\n"), ("", ""), (" \n ", ""), ("//x", "// x\n"),
            ("#x\na", "// x\na;\n"),
            ("a\n\n\n\nb", "a;\n\nb;\n"), ("x: - 5", "x: - 5;\n"), ("x: 1_0", "x: 1_0;\n"),
            ("\"q\" 1", "\"q\": 1;\n"),
            ("a { b } ; c", "a {\n    b;\n}\nc;\n"), ("x: {}; y { }", "x: {};\ny {}\n"),
            ("a: 1 // x\n", "a: 1; // x\n"), ("x: ((a))", "x: ((a));\n"), ("return 1", "return 1;\n"),
            ("x: { a: 1, if b { c } }", "x: {\n    a: 1;\n    if b {\n        c;\n    }\n};\n"),
        ])
    func examples(_ source: String, _ wanted: String) {
        #expect(Contract.formatted(Array(source.utf8)).text == wanted)
    }

    @Test("a text with an error is not laid out")
    func faulty() {
        let (text, diagnostics) = Contract.formatted(Array("a: ;".utf8))
        #expect(text == nil && diagnostics.map(\.code) == [.unexpectedToken])
    }
}
