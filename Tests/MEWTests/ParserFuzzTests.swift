import MEW
import MeshCore
import MeshTestSupport
import Testing

/// Programs that are spoilt at random: from the golden files, from what is kept in `Corpus`, and from random trees.
///
/// A few hundred by default; `MESH_FUZZ_SECONDS=60` goes on for that long, from seeds that differ each time. A
/// failure names its seed, and `MESH_SEED` runs that one again. What was once broken goes into `Corpus`.
@Suite("No program breaks the parser", .tags(.Size.small))
struct ParserFuzzTests {
    private static let corpus: [[UInt8]] = {
        let golden = goldenFiles.names("Golden/parse").map { "Golden/parse/\($0).mew" }
        let kept = goldenFiles.names("Corpus", ending: "").filter { !$0.hasPrefix(".") }.map {
            "Corpus/\($0)"
        }
        return (golden + kept).compactMap { try? goldenFiles.bytes($0) }
    }()

    /// What programs are made of, and what lies at the edges of it.
    private static let dictionary: [String] = [
        "(", ")", "{", "}", "[", "]", ";", ",", ":", "::", "=>", "->", "<->", "??", "?", "..", ".", "--",
        "---", "/*", "*/", "\"",
        "'", "\\", "\\u", "#", "$", "@", "0x", "0x7f3a...", "9223372036854775808", "-", "1e999",
        "@2026-02-30", "7.days", "30s",
        "\n", "\t", "\u{0}", "é", "日", "😀", "…", " NOT ", " IS NULL ", " IN ", " EXISTS(", "COUNT(",
        " RETURN ", " WHERE ", "MATCH ",
        "node A {", "edge e(A, B)", "ontology ", "LOAD ONTOLOGY {", " AS ", " _ ", "SPAWN ", "LINK ", "SET ",
        "KILL ", " OPTIONAL MATCH ",
        "TERMINAL", "nodes", " DISTINCT ", "[limit: none]", "[depth: 3]", "abstract", "= ", "true",
    ]

    private static let fuzzer = TextFuzzer("programs", corpus: corpus, dictionary: dictionary) { generator in
        // Trees that nobody would write reach further than those of the files.
        guard Int.random(in: 0..<3, using: &generator) == 0 else { return nil }
        var syntax = RandomSyntax(generator)
        defer { generator = syntax.generator }
        return Array((0..<3).map { _ in syntax.statement() }.canonicalText.utf8)
    }

    /// Reads `bytes`, and holds what came of it against what is promised.
    private static func judge(_ bytes: [UInt8], _ seed: Seed) {
        let script = Parser.script(bytes: bytes)
        let source = String(decoding: bytes, as: UTF8.self)
        let lines = bytes.count { $0 == 0x0A } + 1
        let comment = Comment(rawValue: "\(seed.testDescription): \(source.debugDescription)")
        if script.diagnostics.count > Parser.diagnosticsMax { Issue.record(comment) }
        for diagnostic in script.diagnostics {
            guard let range = diagnostic.range else { continue }
            let isInside =
                range.start.offset >= 0 && range.start <= range.end && range.end.offset <= bytes.count
                && range.start.line >= 1 && range.end.line <= lines && range.start.column >= 1
            if !isInside { Issue.record("\(comment): \(range)") }
            if diagnostic.rendered(source: source, name: "fuzz").isEmpty { Issue.record(comment) }
        }
        let text = script.statements.canonicalText
        guard text.utf8.count <= Parser.sourceBytesMax else { return }
        let again = Parser.script(text)
        if let first = again.diagnostics.first {
            Issue.record(
                "\(comment)\nis written as what cannot be read:\n\(first.rendered(source: text, name: "text"))"
            )
        } else if again.statements.canonicalText != text {
            Issue.record(
                "\(comment)\nis written twice differently:\n\(text)\n\(again.statements.canonicalText)")
        }
    }

    @Test("spoilt programs end in trees and diagnostics that hold together", arguments: Seed.sample(300))
    func spoilt(_ seed: Seed) {
        for text in Self.fuzzer.texts(seed) { Self.judge(text, seed) }
    }

    @Test("what was once broken is not", arguments: goldenFiles.names("Corpus", ending: ""))
    func kept(_ name: String) throws {
        Self.judge(try goldenFiles.bytes("Corpus/\(name)"), Seed(rawValue: 0))
    }

    @Test(
        "spoilt programs do for as long as one likes",
        .enabled(if: TextFuzzer.seconds != nil, "MESH_FUZZ_SECONDS says for how long"))
    func long() {
        #expect(Self.fuzzer.runForLong(Self.judge) > 0)
    }
}
