import ExecutionDocuments
import MeshCore
import MeshTestSupport
import Testing

/// Documents and logs that are spoilt at random.
///
/// A few hundred by default; `MESH_FUZZ_SECONDS=60` goes on for that long, from seeds that differ each time. A
/// failure names its seed, and `MESH_SEED` runs that one again.
@Suite("No document and no log breaks what reads it", .tags(.Size.small))
struct DocumentFuzzTests {
    private static let document = """
        {"uid":"a.0","protocol":"mesh.job","context":"/a/b","parentUid":null,"timestamp":"2026-11-21T12:00:00.000Z",
        "status":"running","config":{"snapshots":["x"]},"input":{"code":{"$as":"base64","$cid":"bafk"},"n":[1,-0.5e3]}}
        """
    private static let log = """
        {"uid":"a","protocol":"p","context":"/","parentUid":null,"timestamp":"2026-11-21T12:00:00.000Z","status":"created"}
        {"uid":"a","status":"running","timestamp":"2026-11-21T12:00:01.000Z"}
        {"uid":"b","protocol":"p","context":"/c d","parentUid":"a","timestamp":"2026-11-21T12:00:02.000Z","status":"running"}
        {"uid":"a","status":"failed","timestamp":"2026-11-21T12:00:03.000Z","error":"no \\u00e9\\n"}
        {"uid":"a","deletion":"soft","timestamp":"2026-11-21T12:00:04.000Z"}

        """

    private static let dictionary = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\n", "\r", "\t", " ", "null", "true",
        "-", "1e999",
        "\u{0}", "é", "😀", "\"uid\":\"b\"", "\"status\":\"completed\"", "\"context\":\"/../x\"",
        "\"parentUid\":\"b\"",
        "\"deletion\":\"hard\"", "\"timestamp\":\"9999-12-31T23:59:59.999Z\"", "/", "..", ".spl", "a\":1,\"a",
    ]

    private static let fuzzer = TextFuzzer(
        "documents", corpus: [Array(document.utf8), Array(log.utf8)], dictionary: dictionary
    ) { _ in nil }

    private static func exercise(_ bytes: [UInt8]) -> [String] {
        var wrong: [String] = []
        if let document = try? ExecutionDocument(decoding: bytes) {
            if document.bytes != bytes { wrong.append("bytes are not kept") }
            let canonical = document.canonical
            if (try? ExecutionDocument(decoding: canonical))?.canonical != canonical {
                wrong.append("its canonical form is not one")
            }
            var changed = document
            try? changed.set("added", to: .integer(1))
            if changed["added"] != .integer(1) { wrong.append("a member cannot be added") }
            var bounded = changed
            try? changed.set("input", to: document.value)
            // What writing lets pass reading takes, with bounds that are nearly reached.
            let limits = DocumentLimits(byteCountMax: 900, depthMax: 4, valueCountMax: 24, numberLengthMax: 6)
            let before = bounded.bytes
            let isSet = (try? bounded.set("input", to: document.value, limits: limits)) != nil
            let isRead = (try? ExecutionDocument(decoding: changed.bytes, limits: limits)) != nil
            if isSet != isRead { wrong.append("it is written with \(isSet) and read with \(isRead)") }
            if !isSet, bounded.bytes != before { wrong.append("what is refused has changed something") }
            if (try? ExecutionDocument(decoding: changed.bytes)) != changed {
                wrong.append("it cannot be read again")
            }
            _ = try? document.references()
            _ = try? SnapshotFrequency(of: document)
            if !ChangeRecord(from: document, to: document).changes.isEmpty {
                wrong.append("it differs from itself")
            }
        }
        guard let log = try? ExecutionLog(bytes) else { return wrong + ["a log is refused"] }
        let lines = bytes.count { $0 == 0x0A }
        if log.lineCount != lines { wrong.append("\(log.lineCount) of \(lines) lines") }
        if log.contains(where: { $0.status.isFinal != ($0.endedAt != nil) }) {
            wrong.append("an end without a time")
        }
        if ExecutionTree(log).rows.count + ExecutionTree(log).cycles.count < log.count {
            wrong.append("a tree lacks some")
        }
        let repaired = LogRepair(bytes).applied(to: bytes)
        if !LogRepair(repaired).isWhole { wrong.append("a repaired log is not whole") }
        if let again = try? ExecutionLog(repaired), again.count < log.count {
            wrong.append("a repair loses executions")
        }
        if let compact = try? ExecutionLog(LogCompaction(log).bytes), compact.count > log.count {
            wrong.append("a compacted log has more")
        }
        let policy = RetentionPolicy(softAge: 0, keptMax: 1, hardAge: 0, compactionMin: 1)
        _ = policy.decide(log, now: Timestamp(milliseconds: 1_900_000_000_000))
        return wrong
    }

    private static func judge(_ bytes: [UInt8], _ seed: Seed) {
        TextFuzzer.record(exercise(bytes), of: bytes, seed)
    }

    @Test(
        "spoilt documents and logs are read as far as they can be, and what is read holds together",
        arguments: Seed.sample(300))
    func spoilt(_ seed: Seed) {
        for text in Self.fuzzer.texts(seed) { Self.judge(text, seed) }
    }

    @Test(
        "spoilt documents and logs do for as long as one likes",
        .enabled(if: TextFuzzer.seconds != nil, "MESH_FUZZ_SECONDS says for how long"))
    func long() {
        #expect(Self.fuzzer.runForLong(Self.judge) > 0)
    }
}
