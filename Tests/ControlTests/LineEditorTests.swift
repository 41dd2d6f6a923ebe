import Foundation
import MeshTestSupport
import Testing

@testable import MeshCommands

@Suite("The line editor", .tags(.Size.small))
struct LineEditorTests {
    private func editor(
        _ history: [String] = [], isWhole: @escaping (String) -> Bool = { _ in true },
        words: [String] = []
    ) -> LineEditor {
        LineEditor(
            prompt: "> ", continuation: ". ", history: LineEditorHistory(history), isWhole: isWhole,
            complete: { before in
                let word = String(before.reversed().prefix { $0 != " " }.reversed())
                return .init(replaced: word.count, candidates: words.filter { $0.hasPrefix(word) })
            })
    }

    /// Types keys: `<left>` and its like are keys, `^a` is Ctrl+A, everything else is text.
    @discardableResult
    private func type(_ keys: String, into editor: inout LineEditor) -> LineEditor.Outcome {
        var outcome = LineEditor.Outcome.editing
        var rest = Substring(keys)
        let named: [(String, LineEditorKey)] = [
            ("<left>", .left), ("<right>", .right), ("<up>", .up), ("<down>", .down), ("<home>", .home),
            ("<end>", .end), ("<enter>", .enter), ("<tab>", .tab), ("<back>", .backspace), ("<del>", .delete),
            ("<wordleft>", .wordLeft), ("<wordright>", .wordRight), ("<esc>", .escape),
        ]
        while let first = rest.first {
            if let (name, key) = named.first(where: { rest.hasPrefix($0.0) }) {
                outcome = editor.step(key)
                rest = rest.dropFirst(name.count)
            } else if first == "^", let letter = rest.dropFirst().first {
                outcome = editor.step(.control(letter))
                rest = rest.dropFirst(2)
            } else {
                outcome = editor.step(.text(String(first)))
                rest = rest.dropFirst()
            }
        }
        return outcome
    }

    @Test(
        "keys change the text as they do in a shell",
        arguments: [
            ("abc<left><left>X", "aXbc", 2), ("abc^aX", "Xabc", 1), ("abc<home>X<end>Y", "XabcY", 5),
            ("abc^aX^eY", "XabcY", 5), ("abc<back>", "ab", 2), ("<back>a", "a", 1), ("abc^a<del>", "bc", 0),
            ("abc^a^d", "bc", 0), ("abc def^w", "abc ", 4), ("abc def^a^k", "", 0),
            ("abc def<wordleft>^k", "abc ", 4),
            ("abc def^b^b^u", "ef", 0), ("abc def^w^y^y", "abc defdef", 10), ("a.bc<wordleft>X", "a.Xbc", 3),
            ("ab cd^a<wordright>X", "abX cd", 3), ("e\u{301}x<left><back>", "x", 0), ("日本<left>x", "日x本", 2),
            ("<right><left><up><down><esc>a", "a", 1), ("a\u{7}b", "ab", 2),
        ])
    func editing(_ keys: String, _ text: String, _ cursor: Int) {
        var editor = editor()
        type(keys, into: &editor)
        #expect(editor.text == text)
        #expect(editor.cursor == cursor)
    }

    @Test("Enter ends a whole text and goes on with another, and lines are edited one by one")
    func lines() {
        var editor = editor(isWhole: { $0.hasSuffix(";") })
        #expect(type("SHOW<enter>TYPES", into: &editor) == .editing)
        #expect(editor.text == "SHOW\nTYPES")
        type("<up>^aX<down>Y^k", into: &editor)
        #expect(editor.text == "XSHOW\nTY")
        type("<end>;", into: &editor)
        #expect(type("<home><enter>", into: &editor) == .submitted(editor.text))
        #expect(editor.cursor == editor.characters.count)
    }

    @Test("moving between lines keeps the column as far as the line is long")
    func columns() {
        var editor = editor(isWhole: { _ in false })
        type("abcdef<enter>x<enter>ghijkl", into: &editor)
        type("<up>", into: &editor)
        #expect(editor.cursor == 8)
        type("<up>", into: &editor)
        #expect(editor.cursor == 1)
        type("<end><down><down>", into: &editor)
        #expect(editor.cursor == 10)
    }

    @Test("Ctrl+C clears the text, and Ctrl+D leaves only where there is none")
    func leaving() {
        var editor = editor()
        #expect(type("abc^c", into: &editor) == .cleared)
        #expect(editor.text.isEmpty)
        #expect(type("a^a^d", into: &editor) == .editing)
        #expect(type("^d", into: &editor) == .left)
        #expect(type("^l", into: &editor) == .redraw)
    }

    @Test("Up and Down go through what was entered and come back to what was being written")
    func history() {
        var editor = editor(["one", "two"])
        type("thr<up>", into: &editor)
        #expect(editor.text == "two")
        type("<up><up>", into: &editor)
        #expect(editor.text == "one")
        type("<down><down>", into: &editor)
        #expect(editor.text == "thr")
        type("<down>", into: &editor)
        #expect(editor.text == "thr")
    }

    @Test("Ctrl+R finds the newest that contains the text, again the one before, and Escape puts all back")
    func search() {
        var editor = editor(["MATCH a", "SHOW types", "MATCH b"])
        type("draft^rmatch", into: &editor)
        #expect(editor.text == "MATCH b")
        #expect(editor.screen(columns: 40).rows == ["(search)`match': MATCH b"])
        type("^r", into: &editor)
        #expect(editor.text == "MATCH a")
        type("^r", into: &editor)
        #expect(editor.text == "MATCH a")
        type("<esc>", into: &editor)
        #expect(editor.text == "draft")
        #expect(type("^rtyp<back>y<enter>", into: &editor) == .submitted("SHOW types"))
        #expect(editor.search == nil)
    }

    @Test("Tab completes what is certain, and shows the rest")
    func completion() {
        var editor = editor(words: ["MATCH", "MERGE", "SHOW"])
        #expect(type("S<tab>", into: &editor) == .editing)
        #expect(editor.text == "SHOW")
        #expect(type(" M<tab>", into: &editor) == .choices(["MATCH", "MERGE"]))
        #expect(type("A<tab>", into: &editor) == .editing)
        #expect(editor.text == "SHOW MATCH")
        #expect(type(" X<tab>", into: &editor) == .editing)
        #expect(editor.text == "SHOW MATCH X")
        var other = self.editor(words: ["job_id", "job_state"])
        type("j<tab>", into: &other)
        #expect(other.text == "job_")
    }

    @Test("a history file holds texts of several lines, in order, and no more than so many")
    func historyFile() {
        var history = LineEditorHistory(["a\nb", "c\\n"])
        history.add("c\\n")
        history.add(" \n")
        history.add("d")
        #expect(history.file == "a\\nb\nc\\\\n\nd\n")
        #expect(LineEditorHistory(file: history.file).entries == ["a\nb", "c\\n", "d"])
        for number in 0..<1100 { history.add("\(number)") }
        #expect(history.entries.count == 1000)
        #expect(history.entries.last == "1099")
    }

    // MARK: The screen

    @Test("rows are wrapped, with wide characters counted as two")
    func screen() {
        var editor = editor(isWhole: { _ in false })
        type("abcdefgh", into: &editor)
        #expect(
            editor.screen(columns: 10)
                == LineEditorScreen(rows: ["> abcdefgh", ""], cursorRow: 1, cursorColumn: 0))
        type("<left>", into: &editor)
        #expect(
            editor.screen(columns: 10)
                == LineEditorScreen(rows: ["> abcdefgh"], cursorRow: 0, cursorColumn: 9))
        type("^u^k日本語日本<enter>x", into: &editor)
        #expect(
            editor.screen(columns: 10)
                == LineEditorScreen(rows: ["> 日本語日", "本", ". x"], cursorRow: 2, cursorColumn: 3))
    }

    /// A terminal that knows what the editor writes.
    private struct Terminal {
        var rows: [[Character]] = [[]]
        var row = 0
        var column = 0

        mutating func write(_ text: String) {
            // CR and LF are one character together.
            var rest = Array(text.unicodeScalars)[...]
            while let scalar = rest.popFirst() {
                switch scalar {
                case "\r": column = 0
                case "\n":
                    row += 1
                    while rows.count <= row { rows.append([]) }
                case "\u{1b}":
                    rest.removeFirst()
                    var number = 0
                    while let digit = rest.first?.properties.numericValue {
                        number = number * 10 + Int(digit)
                        rest.removeFirst()
                    }
                    switch rest.removeFirst() {
                    case "A": row -= number
                    case "B": row += number
                    case "C": column += number
                    case "J":
                        rows[row] = Array(rows[row].prefix(column))
                        rows.removeSubrange((row + 1)...)
                    default: Issue.record("an unknown sequence")
                    }
                default:
                    while rows[row].count <= column { rows[row].append(" ") }
                    rows[row][column] = Character(scalar)
                    column += 1
                }
            }
        }
    }

    @Test("what is drawn step by step is what a fresh drawing shows", arguments: Seed.sample(100))
    func drawing(_ seed: Seed) {
        var generator = seed.generator
        var editor = editor(["first entry", "second\nwith two lines"], isWhole: { _ in false })
        let keys: [LineEditorKey] = [
            .text("a"), .text("bcd efg"), .text("x"), .enter, .left, .right, .up, .down, .home, .end,
            .backspace,
            .delete, .control("k"), .control("u"), .control("w"), .control("y"), .paste("p\nq"),
        ]
        var terminal = Terminal()
        var shown: LineEditorScreen?
        for _ in 0..<60 {
            _ = editor.step(keys.randomElement(using: &generator) ?? .enter)
            let screen = editor.screen(columns: 12)
            terminal.write(screen.drawing(over: shown))
            shown = screen
            #expect(terminal.rows.map { String($0) } == screen.rows)
            #expect(terminal.row == screen.cursorRow)
            #expect(terminal.column == screen.cursorColumn)
            #expect(screen.rows.allSatisfy { $0.count <= 12 })
            #expect(screen.cursorColumn < 12)
        }
    }

    // MARK: Keys

    @Test("bytes of a terminal become keys, wherever they are cut")
    func keys() {
        let bytes = Array(
            "aé😀\r\t\u{7f}\u{1b}[A\u{1b}[B\u{1b}[C\u{1b}[D\u{1b}[H\u{1b}OF\u{1b}[3~\u{1b}[1;5D\u{1b}f\u{3}\u{1b}[200~x\r\ny\u{1b}[201~z\u{1b}[24~!"
                .utf8)
        let expected: [LineEditorKey] = [
            .text("a"), .text("é"), .text("😀"), .enter, .tab, .backspace, .up, .down, .right, .left, .home,
            .end,
            .delete, .wordLeft, .wordRight, .control("c"), .paste("x\ny"), .text("z"), .text("!"),
        ]
        for cut in 1...bytes.count {
            var reader = LineEditorKeyReader()
            var keys: [LineEditorKey] = []
            for start in stride(from: 0, to: bytes.count, by: cut) {
                keys += reader.read(Array(bytes[start..<min(start + cut, bytes.count)]))
            }
            #expect(keys == expected, "cut every \(cut) bytes")
        }
        var reader = LineEditorKeyReader()
        #expect(reader.read([0x1b]) == [])
        #expect(reader.flush() == [.escape])
        #expect(reader.read([0xff, 0x61]) == [.text("a")])
    }
}
