import Foundation
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

    private static func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = corpus[Int.random(in: 0..<corpus.count, using: &generator)]
        // Trees that nobody would write reach further than those of the files.
        if Int.random(in: 0..<3, using: &generator) == 0 {
            var syntax = RandomSyntax(generator)
            bytes = Array((0..<3).map { _ in syntax.statement() }.canonicalText.utf8)
            generator = syntax.generator
        }
        // A short piece is spoilt more tellingly than a whole file.
        if Bool.random(using: &generator), bytes.count > 200 {
            let start = Int.random(in: 0..<bytes.count - 100, using: &generator)
            bytes = Array(bytes[start..<min(bytes.count, start + 400)])
        }
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 0...20, using: &generator))
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes.removeSubrange(place..<end)
            case 1: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 2 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 3: bytes.removeLast(bytes.count - place)
            case 4:
                let other = corpus[Int.random(in: 0..<corpus.count, using: &generator)]
                let from = Int.random(in: 0...other.count, using: &generator)
                bytes.insert(contentsOf: other[from..<min(other.count, from + 40)], at: place)
            case 5:
                let piece = Array(bytes[place..<end])
                let count = Int.random(in: 1...300, using: &generator)
                bytes.insert(contentsOf: Array(repeatElement(piece, count: count).joined()), at: place)
            default:
                let word = dictionary[Int.random(in: 0..<dictionary.count, using: &generator)]
                bytes.insert(contentsOf: Array(word.utf8), at: place)
            }
        }
        return bytes
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
        var generator = seed.generator
        for _ in 0..<2 { Self.judge(Self.mutated(&generator), seed) }
    }

    @Test("what was once broken is not", arguments: goldenFiles.names("Corpus", ending: ""))
    func kept(_ name: String) throws {
        Self.judge(try goldenFiles.bytes("Corpus/\(name)"), Seed(rawValue: 0))
    }

    private static let seconds = ProcessInfo.processInfo.environment["MESH_FUZZ_SECONDS"].flatMap(Int.init)

    @Test(
        "spoilt programs do for as long as one likes",
        .enabled(if: seconds != nil, "MESH_FUZZ_SECONDS says for how long"))
    func long() {
        let end = ContinuousClock.now + .seconds(Self.seconds ?? 0)
        var seed = UInt64.random(in: 1...UInt64(UInt32.max))
        var count = 0
        while ContinuousClock.now < end {
            // What was running when the process dies is within the thousand that was named last.
            if count.isMultiple(of: 1000) { print("fuzz: \(count) programs, at MESH_SEED=\(seed)") }
            var generator = Seed(rawValue: seed).generator
            for _ in 0..<2 { Self.judge(Self.mutated(&generator), Seed(rawValue: seed)) }
            seed += 1
            count += 2
        }
        print("fuzz: \(count) programs")
        #expect(count > 0)
    }
}
