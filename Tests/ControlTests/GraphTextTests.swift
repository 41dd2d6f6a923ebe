import Foundation
import MeshAPI
import MeshTestSupport
import Testing

@testable import MeshCommands

@Suite("CSV, JSON and scripts as text", .tags(.Size.small))
struct GraphTextTests {
    private func records(_ text: String) -> [CSVReader.Record] {
        var reader = CSVReader(Array(text.utf8))
        var records: [CSVReader.Record] = []
        while let record = reader.next() { records.append(record) }
        return records
    }

    private func row(_ line: Int, _ cells: String...) -> CSVReader.Record {
        .cells(cells.map { CSV.Cell(text: $0, isQuoted: false) }, line: line)
    }

    @Test("CSV is read by RFC 4180 whatever its line ends, and a byte order mark is skipped")
    func csv() {
        #expect(records("a,b\r\nc,d\r\n") == [row(1, "a", "b"), row(2, "c", "d")])
        #expect(records("\u{feff}a,b\nc,d") == [row(1, "a", "b"), row(2, "c", "d")])
        #expect(records("a\n\n\r\nb\n") == [row(1, "a"), row(4, "b")])
        #expect(records("a,\n,b\n,\n") == [row(1, "a", ""), row(2, "", "b"), row(3, "", "")])
        #expect(records("") == [])
        #expect(records("é\r,x") == [row(1, "é\r", "x")])
    }

    @Test("quoted cells hold commas, quotes and line ends, and lines are counted through them")
    func quotedCSV() {
        let text = "\"a,\"\"b\"\"\r\nc\",\"\"\r\nnext,1\r\n"
        #expect(
            records(text) == [
                .cells(
                    [CSV.Cell(text: "a,\"b\"\r\nc", isQuoted: true), CSV.Cell(text: "", isQuoted: true)],
                    line: 1), row(3, "next", "1"),
            ])
    }

    @Test("broken CSV says in which line, and the lines behind it are read")
    func brokenCSV() {
        #expect(
            records("a\"b,c\nd,e\n\"x\"y\nf\n") == [
                .broken("a quote stands inside of a cell", line: 1), row(2, "d", "e"),
                .broken("something stands behind a closing quote", line: 3), row(4, "f"),
            ])
        #expect(records("a\n\"b\nc") == [row(1, "a"), .broken("a quote is not closed", line: 2)])
        var reader = CSVReader([0x61, 0xff, 0x0a, 0x62])
        #expect(reader.next() == .broken("a cell is not UTF-8", line: 1))
        #expect(reader.next() == row(2, "b"))
    }

    @Test("what is written as CSV is read again as it was", arguments: Seed.sample(100))
    func csvRoundTrip(_ seed: Seed) {
        var generator = seed.generator
        let alphabet = ["a", ",", "\"", "\n", "\r\n", "é", " ", "", "0"]
        let rows: [[String]] = (0..<5).map { _ in
            (0..<3).map { _ in
                (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator) ?? ""
                }.joined()
            }
        }
        let text = CSV.text(columns: ["a", "b", "c"], rows: rows.map { $0.map { .text($0) } })
        var reader = CSVReader(Array(text.utf8))
        _ = reader.next()
        for expected in rows {
            guard case .cells(let cells, _)? = reader.next() else {
                Issue.record("a row is missing in \(text)")
                return
            }
            // Compared byte by byte: CR and LF are one character together.
            #expect(cells.map { Array($0.text.utf8) } == expected.map { Array($0.utf8) })
            #expect(cells.allSatisfy { !$0.text.isEmpty || $0.isQuoted })
        }
        #expect(reader.next() == nil)
    }

    @Test("JSON is read as it is written, with the order of keys")
    func json() throws {
        let text = #"{"b":[1,-2.5,1e3,true,false,null,"x\"\\\/\b\f\n\r\té😀"],"a":{}}"#
        let tree = try JSONTree(reading: (" " + text + "\n").utf8)
        #expect(
            tree
                == .object([
                    .init(
                        key: "b",
                        value: .array([
                            .integer(1), .number(-2.5), .number(1000), .boolean(true), .boolean(false), .null,
                            .text("x\"\\/\u{8}\u{c}\n\r\té😀"),
                        ])), .init(key: "a", value: .object([])),
                ]))
        #expect(try JSONTree(reading: tree.json().utf8).json() == tree.json())
        #expect(try JSONTree(reading: "9223372036854775807".utf8) == .integer(.max))
        #expect(try JSONTree(reading: "9223372036854775808".utf8) == .number(0x1p63))
    }

    @Test(
        "what is not JSON is refused with its place",
        arguments: [
            ("", 0), ("{", 1), ("[1,]", 3), ("{\"a\" 1}", 5), ("{a:1}", 1), ("01", 0), ("1.", 2), ("+1", 0),
            ("\"a", 2), ("\"\\x\"", 3), ("\"\\ud800\"", 7), ("\"\n\"", 1), ("tru", 0), ("1 2", 2),
            ("1e999", 0),
            ("nan", 0), ("'a'", 0), (String(repeating: "[", count: 129), 128),
        ])
    func badJSON(_ text: String, _ offset: Int) {
        let fault = #expect(throws: JSONFault.self) { try JSONTree(reading: text.utf8) }
        #expect(fault?.offset == offset)
    }

    @Test("statements end at semicolons outside of texts, comments and brackets")
    func statements() {
        let script = ScriptText(
            "MATCH a: A WHERE a.x = \"; -- no \\\" ;\" RETURN a; -- one; two\n/* ; */ SET #'a;b'.x = { ; };; SHOW TYPES"
        )
        #expect(
            script.statements.map { $0.trimmingCharacters(in: .whitespaces) } == [
                "MATCH a: A WHERE a.x = \"; -- no \\\" ;\" RETURN a;",
                "-- one; two\n/* ; */ SET #'a;b'.x = { ; };", "SHOW TYPES",
            ])
        #expect(ScriptText("").statements == [])
        #expect(ScriptText(" ;; -- x\n;").statements == [])
        #expect(ScriptText("-- only a comment").isEmpty)
        #expect(ScriptText("BEGIN session AS #x").keywords(2) == ["BEGIN", "SESSION"])
    }

    @Test(
        "a text is whole at a semicolon or an empty line, unless something is open",
        arguments: [
            ("", true), ("SHOW TYPES", false), ("SHOW TYPES;", true), ("SHOW TYPES; -- why", true),
            ("SHOW TYPES\n", true), ("SHOW\nTYPES", false), ("SPAWN x: A { a = 1", false),
            ("SPAWN x: A {\n", false), ("SPAWN x: A {;", false), ("SPAWN x: A {\n};", true),
            ("x = \"a;", false), ("x = \"a;\n", true), ("x = \"a\nb;", true),
            ("/* a;", false), ("\\help", true), ("KILL #\"a;\"", false), ("};", true), ("-- c\n", true),
        ])
    func whole(_ text: String, _ isWhole: Bool) {
        #expect(GraphShell.isWhole(text) == isWhole)
    }

    @Test("a bar is as full as the share says, and never more")
    func bar() {
        #expect(ProgressBar.line("f", 0.5, "line 7") == "f [############············] 50 %  line 7")
        #expect(ProgressBar.line("f", 7, "").contains("100 %"))
        #expect(ProgressBar.line("f", -1, "").contains("[····"))
    }

    @Test("a JSON value is read back as it was written", arguments: Seed.sample(50))
    func jsonValue(_ seed: Seed) throws {
        var generator = seed.generator
        func value(_ depth: Int) -> JSONValue {
            switch Int.random(in: 0...(depth > 2 ? 4 : 6), using: &generator) {
            case 0: .null
            case 1: .boolean(.random(using: &generator))
            case 2: .integer(.random(in: .min ... .max, using: &generator))
            case 3: .number(Double.random(in: -1...1, using: &generator))
            case 4: .text(["", "true", "7", "é\n\"", "null"].randomElement(using: &generator) ?? "")
            case 5: .array((0..<3).map { _ in value(depth + 1) })
            default: .object(["a": value(depth + 1), "": value(depth + 1)])
            }
        }
        let first = value(0)
        let data = try JSONEncoder().encode([first])
        #expect(try JSONDecoder().decode([JSONValue].self, from: data) == [first])
        #expect(try JSONTree(reading: JSONTree(first).json().utf8).value == first)
    }
}
