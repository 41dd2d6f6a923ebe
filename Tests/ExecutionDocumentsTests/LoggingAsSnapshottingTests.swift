import ExecutionDocuments
import IPLD
import MeshCore
import MeshTestSupport
import Testing

@Suite("Logging as Snapshotting", .tags(.Size.small))
struct LoggingAsSnapshottingTests {
    @Test("a snapshot is the document's own bytes: there is no second format")
    func theDocumentIsTheLog() throws {
        var document = try sample().becoming(.running)
        try document.set("input", to: try value("[1.50, 2]"))
        let block = document.block
        #expect(block.cid == CID(of: document.canonical, codec: .raw))
        #expect(try ExecutionDocument(decoding: block.bytes).members.count == document.members.count)
    }

    @Test("the canonical form sorts, shortens and keeps numbers as spelled")
    func canonicalForm() throws {
        let read = try value(" { \"b\" : 1.50 , \"a\" : [ \"\\u0041\\/\\u0001\" , -0 ], \"B\":{} } ")
        #expect(text(read.canonical) == #"{"B":{},"a":["A/\u0001",-0],"b":1.50}"#)
    }

    @Test("start and end are always snapshotted, however little is asked for")
    func minimum() {
        for frequency in [SnapshotFrequency.ends, .steps, .operations, .named([])] {
            #expect(frequency.wants(.start) && frequency.wants(.end))
        }
    }

    @Test("the difference between start and end is the change record, with both values")
    func changeRecord() throws {
        let before = try value(#"{"a":1,"b":{"c":[1,2],"d/e~f":null},"g":"x"}"#)
        let after = try value(#"{"a":2,"b":{"c":[1,3,4]},"h":true,"g":"x"}"#)
        let record = ChangeRecord(from: before, to: after)
        #expect(record.changes.map(\.path) == ["/a", "/b/c/1", "/b/c/2", "/b/d~1e~0f", "/h"])
        #expect(
            text(record.value.compact)
                == #"{"added":{"/b/c/2":4,"/h":true},"removed":{"/b/d~1e~0f":null},"#
                + #""changed":{"/a":[1,2],"/b/c/1":[2,3]}}"#)
        #expect(ChangeRecord(from: after, to: after).changes.isEmpty)
        #expect(ChangeRecord(from: try value("[]"), to: try value("{}")).changes.map(\.path) == [""])
    }

    @Test("configuration asks for snapshots at steps, at operations, or at points that it names")
    func frequency() throws {
        let step = SnapshotPoint.step(try SnapshotLabel("parse"))
        let named = SnapshotPoint.named(try SnapshotLabel("parse"))
        let wanted: [(String, [Bool])] = [
            ("null", [false, false, false]), (#"{"snapshots":"ends"}"#, [false, false, false]),
            (#"{"snapshots":"steps"}"#, [true, false, false]),
            (#"{"snapshots":"operations"}"#, [true, true, true]),
            (#"{"snapshots":["parse"]}"#, [true, false, true]),
            (#"{"snapshots":["other"]}"#, [false, false, false]),
        ]
        for (config, answers) in wanted {
            var document = try sample()
            try document.set("config", to: try value(config))
            let frequency = try SnapshotFrequency(of: document)
            #expect([step, .operation, named].map(frequency.wants) == answers, "\(config)")
        }
        for config in [#"{"snapshots":"never"}"#, #"{"snapshots":7}"#, #"{"snapshots":["../x"]}"#] {
            var document = try sample()
            try document.set("config", to: try value(config))
            #expect(failure { _ = try SnapshotFrequency(of: document) } == .badName)
        }
    }

    @Test("a snapshot is called start, end, by its step or by a sequence number")
    func labels() throws {
        var plan = SnapshotPlan(.operations)
        let points: [SnapshotPoint] = [
            .start, .operation, .step(try SnapshotLabel("parse")), .operation, .end,
        ]
        #expect(
            points.map { plan.label(at: $0)?.description } == ["start", "000001", "parse", "000002", "end"])
        var sparse = SnapshotPlan(.ends)
        #expect(points.map { sparse.label(at: $0)?.description } == ["start", nil, nil, nil, "end"])
    }

    @Test(
        "a label that is no safe file name is refused",
        arguments: [
            "", ".", "..", ".x", "-x", "a/b", "a b", "ü", "a\u{0}", String(repeating: "a", count: 65),
        ])
    func badLabels(_ label: String) {
        #expect(failure { _ = try SnapshotLabel(label) } == .badName)
        #expect(failure { _ = try ExecutionUID(label) } == .badName)
    }

    @Test("the log's lines are lean: identity, status and instants, and never what the document holds")
    func leanLines() throws {
        var document = try sample().becoming(.running)
        try document.set("input", to: .string("a secret"))
        #expect(
            text(LogEntry.start(document).line)
                == #"{"uid":"a1","protocol":"mesh.job","context":"/projects/a","parentUid":null,"#
                + #""timestamp":"2026-11-21T12:00:00.000Z","status":"running"}"# + "\n")
        #expect(
            text(try becomes("a1", .completed))
                == #"{"uid":"a1","status":"completed","timestamp":"2026-11-21T12:00:00.000Z"}"# + "\n")
        let long = try becomes("a1", .failed, error: String(repeating: "\u{1}ü", count: 5000))
        #expect(long.count < LogEntry.lineLengthMax)
        guard case .transition(_, .failed, _, let error?) = try LogEntry(line: long) else {
            Issue.record("the line does not come back")
            return
        }
        #expect(error.utf8.count == LogEntry.errorLengthMax && error.hasSuffix("ü\u{1}"))
    }
}
