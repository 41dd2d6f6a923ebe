internal import MeshCore
import MEW
import MeshTestSupport
import Testing

@Suite("Programs are read as they are meant", .tags(.Size.small))
struct ParserGoldenTests {
    /// The statements as canonical text, then what was wrong.
    static func outcome(_ bytes: [UInt8], name: String) -> String {
        let script = Parser.script(bytes: bytes)
        let source = String(decoding: bytes, as: UTF8.self)
        var text = script.statements.canonicalText
        var diagnostics = script.diagnostics
        for statement in script.statements {
            guard case .unsupported(let name) = statement.kind else { continue }
            diagnostics.append(.unsupported(name, at: statement.range))
        }
        for diagnostic in diagnostics {
            text += "\n" + diagnostic.rendered(source: source, name: name) + "\n"
        }
        return text
    }

    @Test(
        "each program of the collection gives the trees and the faults beside it",
        arguments: goldenFiles.names("Golden/parse"))
    func golden(_ name: String) throws {
        let bytes = try goldenFiles.bytes("Golden/parse/\(name).mew")
        try goldenFiles.check(Self.outcome(bytes, name: "\(name).mew"), against: "Golden/parse/\(name).out")
    }

    @Test("canonical text is read as the same canonical text", arguments: goldenFiles.names("Golden/parse"))
    func roundTrip(_ name: String) throws {
        let statements = Parser.script(bytes: try goldenFiles.bytes("Golden/parse/\(name).mew")).statements
        let text = statements.canonicalText
        let again = Parser.script(text)
        #expect(again.diagnostics == [], "\(text)")
        #expect(again.statements.canonicalText == text)
    }

    @Test("files without fault in their name have none, and the others do")
    func faults() throws {
        let names = goldenFiles.names("Golden/parse")
        #expect(names.count > 25)
        for name in names {
            let script = Parser.script(bytes: try goldenFiles.bytes("Golden/parse/\(name).mew"))
            // The document elides its hashes, and answers with JSON in one place.
            let isFaulty =
                name.hasPrefix("fault-") || name.hasPrefix("document-7-1")
                || name.hasPrefix("document-7-2") || name.hasPrefix("document-4-1")
            #expect(script.diagnostics.isEmpty != isFaulty, "\(name)")
        }
    }

    @Test("every code of reading is shown by some program of the collection, or here")
    func codes() throws {
        let texts = try goldenFiles.names("Golden/parse", ending: ".out").map {
            try goldenFiles.text("Golden/parse/\($0).out")
        }
        for code in ErrorCode.allCases where code.rawValue.hasPrefix("E1") {
            #expect(texts.contains { $0.contains("error[\(code.rawValue)]") }, "\(code.rawValue)")
        }
    }

    @Test("a ten-megabyte statement is refused before it is read")
    func tooLong() {
        let source = "MATCH p: P WHERE p.a = \"" + String(repeating: "x", count: 10_000_000) + "\" RETURN p"
        let script = Parser.script(source)
        #expect(script.statements.isEmpty)
        #expect(script.diagnostics.map(\.code) == [.tooLong])
        #expect(Parser.expression(source).diagnostics.map(\.code) == [.tooLong])
        #expect(Parser.script(bytes: Array(source.utf8)).diagnostics.map(\.code) == [.tooLong])
    }

    @Test("bytes that are not UTF-8 are refused at their place")
    func invalidEncoding() {
        let script = Parser.script(bytes: Array("SHOW\n é".utf8) + [0xC3, 0x28])
        #expect(script.diagnostics.map(\.code) == [.invalidCharacter])
        #expect(script.diagnostics.first?.range?.start == SourcePosition(offset: 8, line: 2, column: 3))
    }

    @Test(
        "nesting of any kind and depth ends in a diagnostic",
        arguments: [
            ("(", ")"), ("[", "]"), ("NOT ", ""), ("-", ""), ("- ", ""), ("1 ?? ", ""),
            ("EXISTS(q: P WHERE ", ")"),
            ("f(", ")"), ("COUNT(", ")"), ("COUNT(q: P WHERE ", ")"), ("1 + 1 + ", ""), ("1 AND (", ")"),
            ("a:", "T"), ("a.", "a"),
            ("a ?? b or c and d = e < f + g * (", ")"), ("1 IN [", "]"),
        ])
    func nesting(_ open: String, _ close: String) {
        for count in [1_001, 20_000] {
            let source = String(repeating: open, count: count) + "x" + String(repeating: close, count: count)
            guard source.utf8.count <= Parser.sourceBytesMax else { continue }
            let codes = Parser.expression(source).diagnostics.map(\.code)
            #expect([.nestedTooDeeply, .tooLong, .unexpectedToken].contains(codes.first), "\(codes)")
            #expect(Parser.script("MATCH p: P WHERE \(source) RETURN p").diagnostics.isEmpty == false)
        }
    }

    @Test(
        "statements, types and blocks nest as deep as is read, and no deeper",
        arguments: [
            "EXPLAIN ", "type T = (", "node A { a: (", "type T = A", "{", "LOAD ONTOLOGY {", "KILL { MATCH ",
            "ontology {",
            "WATCH t: T [a: b(", "LINK e(SPAWN ",
        ])
    func statementNesting(_ open: String) {
        let count = 10_000
        let script = Parser.script(
            String(repeating: open, count: count)
                + (open.hasSuffix("A") ? String(repeating: "[]", count: count) : ""))
        #expect(!script.diagnostics.isEmpty)
        #expect(script.diagnostics.count <= Parser.diagnosticsMax)
    }
}
