import MEW
import MeshCore
import MeshTestSupport
import Testing

private struct Match: Sendable, CustomTestStringConvertible {
    let pattern: String
    let yes: [String]
    let no: [String]
    var testDescription: String { pattern }

    init(_ pattern: String, _ yes: [String], _ no: [String]) {
        self.pattern = pattern
        self.yes = yes
        self.no = no
    }
}

@Suite("Text patterns match whole texts in bounded time", .tags(.Size.small))
struct SchemaPatternTests {
    @Test(
        "a pattern describes these texts and not those",
        arguments: [
            Match("", [""], ["a"]),
            Match("abc", ["abc"], ["ab", "abcd", "xabc", ""]),
            Match("a|bc|", ["a", "bc", ""], ["ab", "b"]),
            Match("a*b+c?", ["b", "aabbc", "bc"], ["a", "ac", "bcc"]),
            Match("a{2}", ["aa"], ["a", "aaa"]),
            Match("a{2,}", ["aa", "aaaaa"], ["a"]),
            Match("a{1,3}?", ["a", "aa", "aaa"], ["", "aaaa"]),
            Match("(ab){2}c", ["ababc"], ["abc", "abab"]),
            Match("(?:a|b)*", ["", "abba"], ["abc"]),
            Match("(?<year>\\d{4})-(?P<m>\\d\\d)", ["2026-11"], ["2026-1", "20266-1"]),
            Match("[a-c_]+", ["abc_"], ["d", "", "a-"]),
            Match("[^a-c]", ["d", "é"], ["a", "dd"]),
            Match("[]a]", ["]", "a"], ["b"]),
            Match("[a-]", ["a", "-"], ["b"]),
            Match("[\\d\\-x]+", ["1-x"], ["y"]),
            Match("[^\\s]+", ["ab"], ["a b"]),
            Match("[\\W]", ["-", "é"], ["a", "_"]),
            Match(".", ["a", "é", "漢"], ["\n", "", "ab"]),
            Match("\\.\\*\\{\\}\\(\\)", [".*{}()"], ["a"]),
            Match("\\x41\\u00e9\\u{1F600}", ["Aé😀"], ["Ae😀"]),
            Match("^a$", ["a"], ["ab", "ba"]),
            Match("a^b", [], ["ab", "a^b"]),
            Match(".*\\bb\\b.*", ["a b c", "b"], ["abc"]),
            Match("a\\Bb", ["ab"], ["a b"]),
            Match("\\n\\t\\r", ["\n\t\r"], ["ntr"]),
            Match("(a*)*", ["", "aaa"], ["b"]),
            Match("(|a)+b", ["b", "aab"], ["a"]),
            Match("x{0}y", ["y"], ["xy"]),
        ])
    private func table(_ match: Match) throws {
        let pattern = try TextPattern(match.pattern)
        for text in match.yes { #expect(pattern.matches(text), "\(text)") }
        for text in match.no { #expect(!pattern.matches(text), "\(text)") }
    }

    @Test(
        "what is no pattern, or one that only trying could decide, is refused",
        arguments: [
            "(", ")", "(a", "a)", "[", "[a", "[b-a]", "*", "+a", "a**", "a{2}{3}", "a++", "a{3,2}", "a{",
            "{,3}a{x}",
            "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", "(?i)a", "(a)\\1", "\\", "\\q", "\\x4", "\\u{110000}",
            "^*",
            "[[:alpha:]]", "((a{1000}){1000}){1000}", "a{99999999999999999999}",
            String(repeating: "(", count: 40) + String(repeating: ")", count: 40),
            String(repeating: "a", count: 1025),
        ])
    func refused(_ text: String) {
        #expect(throws: TextPatternFault.self) { try TextPattern(text) }
    }

    @Test("patterns that make a backtracking matcher try for years are answered")
    func hostile() throws {
        let text = String(repeating: "a", count: 4096) + "!"
        for pattern in ["(a+)+", "(a|a)*", "(a|aa)+$", "(.*)*b", "(a?){500}a{500}"] {
            #expect(try !TextPattern(pattern).matches(text))
        }
        #expect(try TextPattern("(a?){500}a{500}").matches(String(repeating: "a", count: 700)))
    }

    @Test("any text is a pattern or is refused", arguments: Seed.sample(300))
    func anyText(_ seed: Seed) {
        var generator = seed.generator
        let letters = Array("ab01.*+?{},()[]|^$\\-dwsbBuxz<>:P!=é\n ")
        for _ in 0..<20 {
            let count = Int.random(in: 0..<24, using: &generator)
            let text = String(
                (0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
            guard let pattern = try? TextPattern(text) else { continue }
            #expect(pattern.stepCount <= TextPattern.stepCountMax)
            #expect(pattern.matches("ab") == pattern.matches("ab"))
        }
    }

    /// Draws a pattern from a few letters and every operator.
    private func pattern(_ generator: inout SeededGenerator, depth: Int) -> String {
        let atoms = ["a", "b", ".", "[ab]", "[^a]", "\\w", "\\d", "\\s", " ", "1"]
        switch Int.random(in: 0..<(depth > 3 ? 1 : 7), using: &generator) {
        case 0, 1: return atoms[Int.random(in: 0..<atoms.count, using: &generator)]
        case 2, 3:
            return pattern(&generator, depth: depth + 1) + pattern(&generator, depth: depth + 1)
        case 4:
            return "(" + pattern(&generator, depth: depth + 1) + "|" + pattern(&generator, depth: depth + 1)
                + ")"
        case 5: return "(" + pattern(&generator, depth: depth + 1) + ")?"
        default:
            let quantifiers = ["*", "+", "?", "{2}", "{1,2}", "*?", "{0,1}?"]
            let quantifier = quantifiers[Int.random(in: 0..<quantifiers.count, using: &generator)]
            return "(?:" + pattern(&generator, depth: depth + 1) + ")" + quantifier
        }
    }

    @Test("random patterns mean what Swift's own expressions mean", arguments: Seed.sample(300))
    func agreesWithSwift(_ seed: Seed) throws {
        var generator = seed.generator
        let letters: [Character] = ["a", "b", "1", " "]
        let text = pattern(&generator, depth: 0)
        let ours = try TextPattern(text)
        let theirs = try Regex(text)
        for _ in 0..<10 {
            let count = Int.random(in: 0..<6, using: &generator)
            let sample = String((0..<count).map { _ in letters[Int.random(in: 0..<4, using: &generator)] })
            let expected = try theirs.wholeMatch(in: sample) != nil
            #expect(ours.matches(sample) == expected, "\(text) on \"\(sample)\"")
        }
    }
}
