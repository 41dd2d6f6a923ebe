internal import MeshCore
import MEW
import MeshTestSupport
import Testing

@Suite("Diagnostics show their place", .tags(.Size.small))
struct DiagnosticRenderingTests {
    /// Renders a diagnostic for the bytes `range` of `source`.
    private func rendered(_ source: String, _ range: Range<Int>, hint: String? = nil) -> String {
        func position(_ offset: Int) -> SourcePosition {
            let before = String(decoding: Array(source.utf8).prefix(offset), as: UTF8.self)
            let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
            return SourcePosition(
                offset: offset, line: lines.count, column: (lines.last?.unicodeScalars.count ?? 0) + 1)
        }
        let range = SourceRange(position(range.lowerBound), position(range.upperBound))
        return Diagnostic(.unknownAttribute, "no", at: range, hint: hint).rendered(
            source: source, name: "q.mew")
    }

    private func lines(_ source: String, _ range: Range<Int>) -> [String] {
        rendered(source, range).split(separator: "\n", omittingEmptySubsequences: false).suffix(2).map(
            String.init)
    }

    @Test("the line stands under the message, with carets and the hint under it")
    func shape() {
        let source = "MATCH p: Person WHERE p.nme = \"x\" RETURN p"
        #expect(
            rendered(source, 24..<27, hint: "did you mean name?") == """
                error[E2002]: no
                  --> q.mew:1:25
                   |
                 1 | MATCH p: Person WHERE p.nme = "x" RETURN p
                   |                         ^^^
                hint: did you mean name?
                """)
    }

    @Test("what has no place shows none")
    func placeless() {
        #expect(Diagnostic(.tooLong, "too long").rendered(source: "x", name: "q") == "error[E1007]: too long")
    }

    @Test("tabs, wide characters and marks keep the caret under its place")
    func widths() {
        #expect(lines("\ta\tb", 3..<4) == [" 1 |     a   b", "   |         ^"])
        #expect(lines("日本x", 6..<7) == [" 1 | 日本x", "   |     ^"])
        #expect(lines("日本x", 0..<6) == [" 1 | 日本x", "   | ^^^^"])
        #expect(lines("e\u{301}x", 3..<4) == [" 1 | e\u{301}x", "   |  ^"])
        #expect(lines("a\u{1B}[0mb", 5..<6) == [" 1 | a·[0mb", "   |      ^"])
    }

    @Test("a place between characters, at the end and in an empty text has one caret")
    func empty() {
        #expect(lines("abc", 1..<1) == [" 1 | abc", "   |  ^"])
        #expect(lines("abc", 3..<3) == [" 1 | abc", "   |    ^"])
        #expect(lines("", 0..<0) == [" 1 |", "   | ^"])
        #expect(lines("a\nb\n", 4..<4) == [" 3 |", "   | ^"])
    }

    @Test("a range over several lines is underlined in its first")
    func severalLines() {
        #expect(lines("abc\ndef", 1..<6) == [" 1 | abc", "   |  ^^"])
        let source = String(repeating: "\n", count: 99) + "abc"
        #expect(lines(source, 99..<102) == [" 100 | abc", "     | ^^^"])
    }

    @Test("a long line is cut around its place")
    func longLines() {
        let source = String(repeating: "a", count: 5000) + "X" + String(repeating: "b", count: 5000)
        let shown = lines(source, 5000..<5001)
        #expect(shown[0].count < 120)
        #expect(shown[0].hasPrefix(" 1 | …a"))
        #expect(shown[0].hasSuffix("b…"))
        let caret = shown[1].firstIndex(of: "^").map { shown[1].distance(from: shown[1].startIndex, to: $0) }
        let place = shown[0].firstIndex(of: "X").map { shown[0].distance(from: shown[0].startIndex, to: $0) }
        #expect(caret == place)
        let wide = lines(source, 0..<10_001)
        #expect(wide[0].count < 120 && wide[1].count < 120)
    }

    @Test("a range that lies beyond the text is held at its end")
    func beyond() {
        let place = SourcePosition(offset: 500, line: 9, column: 9)
        let text = Diagnostic(.tooLong, "x", at: SourceRange(place, place)).rendered(source: "ab", name: "q")
        #expect(text.contains("9 | ab"))
    }

    @Test(
        "the nearest name is found, and none where none is near",
        arguments: [
            ("nme", "name"), ("MACTH", "MATCH"), ("naem", "name"), ("Name", "name"), ("NAME", "name"),
            ("xyz", nil), ("", nil), ("n", nil),
            ("name", nil), ("statsu", "status"), ("age2", "age"),
        ] as [(String, String?)])
    func nearest(_ name: String, _ wanted: String?) {
        #expect(NearestName.of(name, among: ["status", "age", "name", "MATCH"]) == wanted)
    }

    @Test("of equally near names the first in the alphabet is taken")
    func ties() {
        #expect(NearestName.of("cat", among: ["cut", "bat", "car"]) == "bat")
        #expect(
            NearestName.of(String(repeating: "a", count: 1000), among: [String(repeating: "a", count: 999)])
                == nil)
    }
}
