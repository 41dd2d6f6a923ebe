import CCL
internal import MeshCore
import MeshTestSupport
import Testing

@Suite("Contracts are read as they are meant", .tags(.Size.small))
struct ReadingGoldenTests {
    /// The tree of a text without fault and its canonical layout; else what is wrong with it.
    static func outcome(_ bytes: [UInt8], name: String) -> String {
        let (tree, diagnostics) = Contract.read(bytes)
        let source = String(decoding: bytes, as: UTF8.self)
        guard diagnostics.isEmpty else {
            return diagnostics.map { $0.rendered(source: source, name: name) + "\n" }.joined(separator: "\n")
        }
        return ReadingDump.text(tree) + "---\n" + (Contract.formatted(bytes).text ?? "")
    }

    @Test(
        "each text of the collection gives the tree, the layout or the faults beside it",
        arguments: goldenFiles.names("Golden/reading"))
    func golden(_ name: String) throws {
        let bytes = try goldenFiles.bytes("Golden/reading/\(name).ccl")
        try goldenFiles.check(Self.outcome(bytes, name: "\(name).ccl"), against: "Golden/reading/\(name).out")
    }

    @Test("texts without fault in their name have none, and the others do")
    func faults() throws {
        let names = goldenFiles.names("Golden/reading")
        #expect(names.count >= 20)
        for name in names {
            let diagnostics = Contract.read(try goldenFiles.bytes("Golden/reading/\(name).ccl")).diagnostics
            #expect(diagnostics.isEmpty != name.hasPrefix("fault-"), "\(name)")
        }
    }

    @Test(
        "every code of reading is shown by a text of the collection",
        arguments: DiagnosticCode.allCases.filter { $0.rawValue.hasPrefix("C1") })
    func codes(_ code: DiagnosticCode) throws {
        let texts = try goldenFiles.names("Golden/reading", ending: ".out").map {
            try goldenFiles.text("Golden/reading/\($0).out")
        }
        #expect(texts.contains { $0.contains("error[\(code.rawValue)]") })
    }

    @Test("a text beyond the limit is refused before it is read, and one at the limit is read")
    func tooLong() {
        let most = Array(repeating: UInt8(ascii: ";"), count: Limits.sourceByteCountMax)
        #expect(Contract.read(most).diagnostics == [])
        let (tree, diagnostics) = Contract.read(most + [UInt8(ascii: "a")])
        #expect(diagnostics.map(\.code) == [.tooLong])
        #expect(tree.statements.isEmpty)
        #expect(Contract.formatted(most + [UInt8(ascii: "a")]).text == nil)
    }

    // Not a file of the collection, for every other reader of the sources takes them for UTF-8.
    @Test("bytes that are not UTF-8 are refused at their place")
    func invalidEncoding() throws {
        let bytes = Array("a: 1;\nb: \"é".utf8) + [0xFF] + Array("\";\nc: ;\n".utf8)
        let outcome = Self.outcome(bytes, name: "fault-encoding.ccl")
        try goldenFiles.check(outcome, against: "Golden/reading/fault-encoding.out")
        let diagnostics = Contract.read(Array("a;\n é".utf8) + [0xC3, 0x28]).diagnostics
        #expect(diagnostics.map(\.code) == [.invalidUTF8])
        #expect(diagnostics.first?.range.start == SourcePosition(offset: 6, line: 2, column: 3))
        #expect(Contract.read([0xFF, 0xFE, 0x61, 0]).diagnostics.first?.hint?.contains("UTF-16") == true)
    }

    @Test("a byte order mark is passed over, and the columns behind it are counted from 1")
    func byteOrderMark() {
        let (tree, diagnostics) = Contract.read([0xEF, 0xBB, 0xBF] + Array("a;".utf8))
        #expect(diagnostics == [])
        #expect(tree.statements.first?.range.start == SourcePosition(offset: 3, line: 1, column: 1))
    }

    @Test("columns are counted in characters and offsets in bytes")
    func places() {
        let (tree, _) = Contract.read(Array("a: \"é日😀\"; b: 1 // é\nc;".utf8))
        #expect(tree.statements.map(\.range.start.column) == [1, 11, 1])
        #expect(tree.statements.map(\.range.start.offset) == [0, 16, 27])
        #expect(tree.statements.first?.range.end == SourcePosition(offset: 14, line: 1, column: 9))
        #expect(tree.end == SourcePosition(offset: 29, line: 2, column: 3))
    }

    @Test("at most a hundred faults are reported, in the order of their places")
    func many() {
        for piece in ["a: ;\n", "a: ;b 'x';1x;", "let true = 1;for true in x{a:;}", "@ ", "x: \"\\q\\q\";"] {
            let bytes = Array(String(repeating: piece, count: 500).utf8)
            let diagnostics = Contract.read(bytes).diagnostics
            #expect(diagnostics.count == Limits.diagnosticCountMax, "\(piece)")
            let offsets = diagnostics.map(\.range.start.offset)
            #expect(offsets == offsets.sorted())
        }
    }

    @Test(
        "one mistake gives one diagnostic",
        arguments: [
            "execution { log(\"a); log(\"b\"); }\nroles { a; }",
            "execution {\n log(\"a\";\n log(\"b\");\n}\nroles { a; }",
            "x: [1, 2;\ny: 3;\nz { a; }", "if a = b { log(1); } else { log(2); }\nx: 1;",
            "f({ a: ;\n b: 2 });\ng();",
            "a { b { c; }\nd: 1;", "a; }\nb { c; }", "while a < 3 { b; c { d; } }\ne;",
            "for (i = 0; i < 3; i = i + 1) { a; }\nb;",
            "function f(a b) { return a; }\ng();", "a: 'x y'; b: 1;", "a: ${B}; c: 1;", "${A}: 1; b;",
            "/* a: b( */ c;",
            "x: a < b < c;\ny: 2;", "let x 5\nlet y = 6", "x: (1 + ) * 2; y: 3;", "x: f(1 2); y;",
            "else { a; b: (1); }\nc;",
            "if { a; }\nb;", "x = ;", "return );\na;", "a {\n f({ b: 1 );\n c;\n}\nd;",
            "a b c d\n{ e }\nf ]\ng;",
        ])
    func noCascade(_ source: String) {
        let diagnostics = Contract.read(Array(source.utf8)).diagnostics
        let report = diagnostics.map { $0.rendered(source: source, name: "x") }.joined(separator: "\n")
        #expect(diagnostics.count == 1, "\(report)")
    }

    @Test("what stands behind a fault is still read")
    func recovery() {
        let source = "execution {\nlog(\"a);\nlog(b); }\nx: [1, 2;\nif a = b { c: ; d; }\nroles { e; }"
        let (tree, diagnostics) = Contract.read(Array(source.utf8))
        #expect(
            diagnostics.map(\.code) == [
                .unterminatedString, .unexpectedToken, .unexpectedToken, .unexpectedToken,
            ])
        guard case .section(let name, _, let block)? = tree.statements.last?.kind else {
            Issue.record("\(ReadingDump.text(tree))")
            return
        }
        #expect(name.text == "roles" && block.statements.count == 1)
    }
}
