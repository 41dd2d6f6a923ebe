import CCL
import MeshCore
import MeshTestSupport
import Testing

/// Contracts that are spoilt at random: from the golden files, from what is kept in `Corpus`, and from the grammar.
///
/// A few hundred by default; `MESH_FUZZ_SECONDS=60` goes on for that long, from seeds that differ each time. A
/// failure names its seed, and `MESH_SEED` runs that one again. What was once broken goes into `Corpus`.
@Suite("No contract breaks the language", .tags(.Size.small))
struct FuzzTests {
    private static let corpus: [[UInt8]] = {
        let golden = goldenFiles.names("Golden/reading").map { "Golden/reading/\($0).ccl" }
        let kept = goldenFiles.names("Corpus", ending: "").filter { !$0.hasPrefix(".") }.map {
            "Corpus/\($0)"
        }
        return (golden + kept).compactMap { try? goldenFiles.bytes($0) }.filter { $0.count < 20_000 }
    }()

    /// What contracts are made of, and what lies at the edges of it.
    private static let dictionary: [String] = [
        "(", ")", "{", "}", "[", "]", ";", ",", ":", "=", "==", "=>", ".", "..", "-", "--", "!", "&&", "&",
        "||", "//", "#", "/*",
        "*/", "\"", "'", "\\", "\\u{", "${X}", "$", "@", "0x", "9223372036854775808", "1e999", "30d", "1_",
        "106751991168d", "\n",
        "\r\n", "\t", "\u{0}", "é", "日", "😀", "“", "”", "…", "\u{FEFF}", " if ", " else ", " else if ",
        " for x in ", " let x = ",
        " return ", " function f(a) ", " on \"e\" ", " in ", "true", "execution {", "roles {", "submit_job(",
        "range(0, 10)",
        "ResourceType.CPU", "resources { compute: 10 }", "log(", "{ a: 1, b: 2 }", "[1, 2]",
    ]

    private static let fuzzer = TextFuzzer("contracts", corpus: corpus, dictionary: dictionary) { generator in
        // What nobody would write reaches further than the files.
        guard Int.random(in: 0..<4, using: &generator) == 0, let grammar = GrammarRules.documented else {
            return nil
        }
        var writer = GrammarWriter(grammar, generator)
        defer { generator = writer.generator }
        return Array(writer.contract(depth: 16).utf8)
    }

    /// Sends `bytes` through the language, and returns what does not hold of what came out.
    private static func exercise(_ bytes: [UInt8]) -> [String] {
        var wrong: [String] = []
        let (tree, diagnostics) = Contract.read(bytes)
        let source = String(decoding: bytes, as: UTF8.self)
        let lines = bytes.count { $0 == 0x0A } + 1
        if diagnostics.count > Limits.diagnosticCountMax { wrong.append("\(diagnostics.count) diagnostics") }
        for diagnostic in diagnostics {
            let range = diagnostic.range
            let isInside =
                range.start.offset >= 0 && range.start <= range.end && range.end.offset <= bytes.count
                && range.start.line >= 1 && range.end.line <= lines && range.start.column >= 1
            if !isInside { wrong.append("\(diagnostic.message) stands at \(range)") }
            if !diagnostic.code.rawValue.hasPrefix("C1") { wrong.append("reading gives \(diagnostic.code)") }
            if diagnostic.rendered(source: source, name: "fuzz").isEmpty { wrong.append("nothing rendered") }
        }
        for statement in tree.statements where statement.range.end < statement.range.start {
            wrong.append("a statement ends before it begins")
        }
        wrong += compiled(bytes, lines)
        let text = Contract.formatted(bytes).text
        if (text == nil) != !diagnostics.isEmpty { wrong.append("laid out with an error, or not without") }
        guard let text, text.utf8.count <= Limits.sourceByteCountMax else { return wrong }
        let (again, faults) = Contract.read(Array(text.utf8))
        if let first = faults.first {
            wrong.append("is laid out as what cannot be read:\n\(first.rendered(source: text, name: "text"))")
        } else if Contract.formatted(Array(text.utf8)).text != text {
            wrong.append("is laid out twice differently:\n\(text)")
        } else if ReadingDump.text(tree, showsPlaces: false) != ReadingDump.text(again, showsPlaces: false) {
            wrong.append("is another contract once laid out:\n\(text)")
        }
        return wrong
    }

    /// Compiles `bytes`: a module comes out exactly where there is no error.
    private static func compiled(_ bytes: [UInt8], _ lines: Int) -> [String] {
        var wrong: [String] = []
        for target in EmissionOptions.Target.allCases {
            let compilation = Contract.compile(bytes, name: "fuzz.ccl", options: .init(target: target))
            let hasError = compilation.diagnostics.contains { $0.severity == .error }
            if (compilation.module == nil) != hasError {
                wrong.append("a module with an error, or none without")
            }
            if let module = compilation.module, !module.bytes.starts(with: [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
            {
                wrong.append("what is made is no module")
            }
            if compilation.diagnostics.count > Limits.diagnosticCountMax {
                wrong.append("too many diagnostics")
            }
            for diagnostic in compilation.diagnostics where diagnostic.range.end.offset > bytes.count {
                wrong.append("\(diagnostic.message) stands behind the end")
            }
            if let program = compilation.program,
                Contract.explanation(program, spending: compilation.spending).isEmpty
            {
                wrong.append("nothing is explained")
            }
        }
        return wrong
    }

    private static func judge(_ bytes: [UInt8], _ seed: Seed) {
        TextFuzzer.record(exercise(bytes), of: bytes, seed)
    }

    @Test("spoilt contracts end in trees and diagnostics that hold together", arguments: Seed.sample(300))
    func spoilt(_ seed: Seed) {
        for text in Self.fuzzer.texts(seed) { Self.judge(text, seed) }
    }

    @Test("what was once broken is not", arguments: goldenFiles.names("Corpus", ending: ""))
    func kept(_ name: String) throws {
        Self.judge(try goldenFiles.bytes("Corpus/\(name)"), Seed(rawValue: 0))
    }

    @Test(
        "spoilt contracts do for as long as one likes",
        .enabled(if: TextFuzzer.seconds != nil, "MESH_FUZZ_SECONDS says for how long"))
    func long() {
        #expect(Self.fuzzer.runForLong(Self.judge) > 0)
    }
}
