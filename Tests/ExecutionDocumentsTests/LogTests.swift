import ExecutionDocuments
import MeshCore
import MeshTestSupport
import Testing

@Suite("The global log", .tags(.Size.small))
struct LogTests {
    private static func whole() throws -> [UInt8] {
        try start("a") + start("b", parent: "a") + becomes("b", .completed, at: 1)
    }

    @Test("a log cut at any byte of its last record loses that record and nothing else, and says so")
    func tornAnywhere() throws {
        let (whole, last) = (try Self.whole(), try becomes("a", .failed, at: 2, error: "a \"quoted\" ü\n"))
        for length in 0..<last.count {
            let torn = whole + last.prefix(length)
            let repair = LogRepair(torn)
            let repaired = repair.applied(to: torn)
            if length == last.count - 1 {
                // Only the newline is missing: the record is all there.
                #expect(repaired == whole + last && repair.cut.isEmpty)
                #expect(repair.sentence.contains("newline"))
            } else {
                #expect(repaired == whole && repair.cut == Array(last.prefix(length)))
                #expect(repair.isWhole == (length == 0) && repair.sentence.isEmpty == (length == 0))
            }
            #expect(LogRepair(repaired).isWhole)
            let log = try ExecutionLog(torn)
            #expect(log.map(\.status) == [.running, .completed])
            #expect(log.findings.map(\.kind) == (length == 0 ? [] : [.torn]))
        }
    }

    @Test("what a lost cache leaves behind the last newline is cut: zeros, or anything else")
    func zeros() throws {
        let whole = try Self.whole()
        for tail in [[UInt8](repeating: 0, count: 4096), [0xFF], Array("{\"uid\":\"x\"}".utf8)] {
            #expect(LogRepair(whole + tail).applied(to: whole + tail) == whole)
        }
        #expect(LogRepair([]).isWhole)
        #expect(LogRepair([0]).applied(to: [0]) == [])
    }

    @Test("lines come back, whatever they say")
    func lines() throws {
        let entries: [LogEntry] = [
            .start(
                uid: try ExecutionUID("u"), protocolName: try ProtocolName("p"),
                context: try ContextPath("/a \"b\"/ü/.hidden"), parentUID: nil, timestamp: noon,
                status: .created),
            .transition(uid: try ExecutionUID("u"), status: .failed, timestamp: noon, error: "\u{0}\\/\"é"),
            .transition(
                uid: try ExecutionUID("u"), status: .completed, timestamp: Timestamp(milliseconds: -1),
                error: nil),
            .deletion(uid: try ExecutionUID("u"), deletion: .hard, timestamp: noon),
        ]
        for entry in entries { #expect(try LogEntry(line: entry.line) == entry) }
        let context = try ExecutionLog(entries[0].line)[0].context
        #expect(context.components == ["a \"b\"", "ü", ".hidden"])
    }

    @Test(
        "a line that is no line of a log is refused",
        arguments: [
            "", "{}", "[]", "null", #"{"uid":"a"}"#, #"{"uid":"a","status":"running"}"#,
            #"{"uid":"a","status":"paused","timestamp":"2026-11-21T12:00:00.000Z"}"#,
            #"{"uid":"a","status":"completed","timestamp":"soon"}"#,
            #"{"uid":"a","status":"completed","timestamp":"2026-13-21T12:00:00.000Z"}"#,
            #"{"uid":"a","uid":"a","status":"completed","timestamp":"2026-11-21T12:00:00.000Z"}"#,
            #"{"uid":"../a","status":"completed","timestamp":"2026-11-21T12:00:00.000Z"}"#,
            #"{"uid":"a","status":"completed","timestamp":"2026-11-21T12:00:00.000Z"} x"#,
            #"{"uid":"a","status":"completed","timestamp":"2026-11-21T12:00:00.000Z","n":1}"#,
            #"{"uid":"a","protocol":"p","context":"/../x","status":"running","timestamp":"2026-11-21T12:00:00.000Z"}"#,
            #"{"uid":"a","protocol":"p","context":"/a/.spl","status":"running","timestamp":"2026-11-21T12:00:00.000Z"}"#,
            #"{"uid":"a","protocol":"log","context":"/","status":"running","timestamp":"2026-11-21T12:00:00.000Z"}"#,
            #"{"uid":"a","protocol":"p","context":"/","status":"completed","timestamp":"2026-11-21T12:00:00.000Z"}"#,
            #"{"uid":"a","deletion":"gone","timestamp":"2026-11-21T12:00:00.000Z"}"#,
        ])
    func refused(_ line: String) throws {
        #expect(failure { _ = try LogEntry(line: Array(line.utf8)) } == .badJSON)
        let log = try ExecutionLog(Array(line.utf8) + [0x0A])
        #expect(log.isEmpty && log.findings.map(\.kind) == [.unreadable])
    }

    @Test(
        "instants are read alike by the quick reader and by the one that knows every form",
        arguments: Seed.sample(50))
    func instants(_ seed: Seed) throws {
        var generator = seed.generator
        for _ in 0..<50 {
            let instant = Timestamp(
                milliseconds: Int64.random(in: -20_000_000_000_000...200_000_000_000_000, using: &generator))
            let text = instant.description
            let line = #"{"uid":"a","deletion":"soft","timestamp":"\#(text)"}"#
            #expect(
                try LogEntry(line: Array(line.utf8))
                    == .deletion(uid: try ExecutionUID("a"), deletion: .soft, timestamp: instant))
        }
    }

    @Test("a line of another's making is read: other order, white space, keys that we do not have")
    func foreign() throws {
        let line =
            #" { "timestamp" : "2026-11-21T13:00:00+01:00", "note":"x", "status":"running","context":"a","#
            + #""protocol":"tidy", "other":null, "uid":"a" } "# + "\r\n"
        let log = try ExecutionLog(Array(line.utf8))
        #expect(log.findings.isEmpty && log[0].startedAt == noon && log[0].context.description == "/a")
    }

    @Test(
        "logs that were spoilt never trap, and what is said of them is bounded", arguments: Seed.sample(200))
    func spoilt(_ seed: Seed) throws {
        var generator = seed.generator
        var bytes = try Self.whole() + start("c", parent: "b") + becomes("c", .failed, error: "e\u{7}")
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
            default: bytes.remove(at: place)
            }
        }
        let log = try ExecutionLog(bytes)
        #expect(ExecutionTree(log).rows.count == log.count)
        #expect(log.allSatisfy { !$0.uid.description.isEmpty })
        #expect(LogRepair(LogRepair(bytes).applied(to: bytes)).isWhole)
        let many = try ExecutionLog([UInt8](repeating: 0x0A, count: 5000))
        #expect(many.findings.count == 1000 && many.findingCount == 5000)
    }
}
