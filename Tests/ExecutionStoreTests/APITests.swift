import ExecutionDocuments
import ExecutionStore
import Foundation
import MeshCore
import MeshTestSupport
import Testing

@Suite("mc.exec API", .tags(.Size.medium))
struct APITests {
    @Test("create gives a document with identity, a start snapshot and a lean line")
    func create() throws {
        let bench = try Bench()
        let store = try bench.open()
        let document = try store.create(try job(), context: place)
        #expect(document.status == .created && document.open.isEmpty)
        #expect(try store.read(document.uid, .start) == document)
        let lines = try bench.logLines()
        #expect(lines.count == 1)
        #expect(try LogEntry(line: Array(lines[0].utf8)) == .start(document))
        let child = try store.create(try job(), context: .root, parentUID: document.uid)
        #expect(try store.list().map(\.parentUID) == [nil, document.uid])
        #expect(bench.files(".spl/exec/mesh.job") == [child.uid.description])
    }

    @Test("snapshot persists the document under its label, and without one under the next number")
    func snapshot() throws {
        let store = try Bench().open()
        var document = try store.begin(try store.create(try job(), context: place))
        try document.set("result", to: try value("[1.0]"))
        let label = try SnapshotLabel("parsed")
        #expect(try store.snapshot(document, label: label) == label)
        #expect(try store.snapshot(document).description == "000001")
        try document.set("result", to: .integer(2))
        #expect(try store.snapshot(document).description == "000002")
        #expect(try store.read(document.uid, label)["result"] == (try value("[1.0]")))
        #expect(
            try store.labels(document.uid).map(\.description) == ["000001", "000002", "parsed", "start"])
        #expect(failure { try store.snapshot(document, label: .end) } == .badName)
    }

    @Test("complete writes the end snapshot and then its line")
    func complete() throws {
        let bench = try Bench()
        let store = try bench.open()
        let document = try store.complete(try store.begin(try store.create(try job(), context: place)))
        #expect(try store.read(document.uid, .end) == document)
        #expect(document.status == .completed && document["completedAt"] != nil)
        #expect(try store.list().map(\.status) == [.completed])
        #expect(try bench.logLines().count == 3)
        #expect(failure { _ = try store.complete(document) } == .badTransition)
        #expect(failure { _ = try store.fail(document) } == .badTransition)
    }

    @Test(
        "fail writes the end snapshot with the error and then its line; what never ran passes through running"
    )
    func fail() throws {
        let store = try Bench().open()
        let document = try store.fail(try store.create(try job(), context: place), error: "no input")
        #expect(try store.read(document.uid, .end)["error"] == .string("no input"))
        #expect(try store.list().map(\.error) == ["no input"])
        #expect(try store.log().findings.isEmpty)
    }

    @Test("the store does not interpret what the protocol adds, and keeps it byte for byte")
    func uninterpreted() throws {
        let store = try Bench().open()
        let bytes = Array(
            (#"{ "uid":"own","timestamp":"2026-11-21T12:00:00Z","x":[1.0 , 1e2], "#
                + #""protocol":"p","context":"q","status":"running" }"# + "\n").utf8)
        let document = try ExecutionDocument(decoding: bytes)
        _ = try store.commit([.create(document)])
        #expect(try store.read(document.uid, .start).bytes == bytes)
        #expect(failure { _ = try store.commit([.create(document)]) } == .badTransition)
    }

    @Test("diff is start against end; recover gives the start and what it redoes; tree goes below one")
    func reading() throws {
        let store = try Bench().open()
        var parent = try store.create(try job(), context: place)
        try parent.set("input", to: .integer(1))
        parent = try store.begin(parent)
        let child = try store.create(try job(), context: place, parentUID: parent.uid)
        try store.snapshot(parent, label: try SnapshotLabel("half"))
        let plan = try store.recover(parent.uid)
        #expect(plan.start == parent && plan.start["input"] == .integer(1))
        #expect(plan.redoneSnapshots.map(\.description) == ["half"] && plan.redoneChildren == [child.uid])
        try parent.set("result", to: .integer(2))
        let end = try store.complete(parent)
        #expect(try store.diff(end.uid).changes.map(\.path) == ["/status", "/result", "/completedAt"])
        #expect(failure { _ = try store.recover(end.uid) } == .badTransition)
        #expect(failure { _ = try store.diff(child.uid) } == .missingSnapshot)
        let (log, tree) = try store.tree(below: parent.uid)
        #expect(tree.rows.map { log[$0.position].uid } == [parent.uid, child.uid])
        let nobody = try ExecutionUID("nobody")
        #expect(failure { _ = try store.read(nobody, .start) } == .unknown)
        #expect(failure { _ = try store.tree(below: nobody) } == .unknown)
    }

    @Test("a group of executions has one wait for the disk, and gives what one by one gives")
    func group() throws {
        let bench = try Bench()
        let store = try bench.open()
        let documents = try (0..<50).map { number in
            ExecutionDocument(
                uid: try ExecutionUID("u\(number)"), protocolName: try job(),
                context: try ContextPath("/c\(number % 3)"), timestamp: noon)
        }
        let running = try store.commit(try documents.map { .create(try $0.becoming(.running)) })
        let ended = try store.commit(running.map(ExecutionOperation.complete))
        #expect(try store.list().map(\.status) == Array(repeating: .completed, count: 50))
        for document in ended { #expect(try store.read(document.uid, .end) == document) }
        #expect(try store.log().lineCount == 100)
        #expect(bench.files("c0/.spl/exec/mesh.job/u0") == ["end.json", "start.json"])
    }
}
