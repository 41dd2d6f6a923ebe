import ExecutionDocuments
import ExecutionStore
import Foundation
import MeshCore
import MeshTestSupport
import Testing

@Suite("Where Snapshots Live", .tags(.Size.medium))
struct WhereSnapshotsLiveTests {
    @Test("the log is at the root, and full documents lie in the context that they belong to")
    func places() throws {
        let bench = try Bench()
        let store = try bench.open()
        let document = try store.create(try job(), context: place)
        _ = try store.complete(document)
        #expect(FileManager.default.fileExists(atPath: bench.logPath))
        #expect(
            bench.files("projects/a/.spl/exec/mesh.job/\(document.uid)") == ["end.json", "start.json"])
        #expect(bench.files(".spl/exec") == [".lock", "log"])
    }

    @Test("the log stays small, however large the documents are")
    func small() throws {
        let bench = try Bench()
        let store = try bench.open()
        var document = try store.create(try job(), context: place)
        try document.set("input", to: .string(String(repeating: "x", count: 100_000)))
        _ = try store.fail(try store.begin(document), error: String(repeating: "e", count: 100_000))
        #expect(try Data(contentsOf: URL(fileURLWithPath: bench.logPath)).count < 2000)
    }

    @Test("the log is the truth: an end snapshot that no line speaks of ends nothing")
    func truth() throws {
        let bench = try Bench()
        let store = try bench.open()
        let document = try store.begin(try store.create(try job(), context: place))
        let end = try document.becoming(.completed)
        let file = "projects/a/.spl/exec/mesh.job/\(document.uid)/end.json"
        try Data(end.bytes).write(to: URL(fileURLWithPath: bench.directory.file(file)))
        #expect(try store.list().map(\.status) == [.running])
        #expect(try store.recover(document.uid).start == document)
    }

    @Test("snapshots go after their period of retention: out of sight, then from the disk, then from the log")
    func retention() throws {
        let bench = try Bench()
        let store = try bench.open()
        let ended = try store.complete(try store.create(try job(), context: place))
        let running = try store.begin(try store.create(try job(), context: place))
        #expect(failure { try store.softDelete([ended.uid, running.uid]) } == .badTransition)
        #expect(try store.list().count == 2)
        try store.softDelete([ended.uid])
        #expect(try store.list().map(\.uid) == [running.uid])
        #expect(try store.list(includesDeleted: true).count == 2)
        #expect(try store.read(ended.uid, .end) == ended)
        try store.hardDelete([ended.uid])
        try store.hardDelete([ended.uid])
        #expect(bench.files("projects/a/.spl/exec/mesh.job") == [running.uid.description])
        #expect(failure { _ = try store.read(ended.uid, .end) } == .missingSnapshot)
        let compaction = try store.compact()
        #expect(compaction.dropped == [ended.uid])
        #expect(try store.list(includesDeleted: true).map(\.uid) == [running.uid])
        _ = try store.complete(running)
        #expect(try store.log().findings.isEmpty && bench.files(".spl/exec") == [".lock", "log"])
    }

    @Test("a policy is carried out: what it asks for is what is gone")
    func policy() throws {
        let store = try Bench().open()
        for _ in 0..<5 { _ = try store.complete(try store.create(try job(), context: place)) }
        let first = try store.retain(RetentionPolicy(keptMax: 2))
        #expect(first.softDeletions.count == 3)
        #expect(try store.list().count == 2)
        let second = try store.retain(RetentionPolicy(hardAge: 1, compactionMin: 1))
        #expect(second.hardDeletions == first.softDeletions && second.compacts)
        #expect(try store.list(includesDeleted: true).count == 2)
    }

    @Test(
        "a link in the place of any folder or file of the store leads nowhere",
        arguments: [
            "projects", "projects/a", "projects/a/.spl", "projects/a/.spl/exec",
            "projects/a/.spl/exec/mesh.job",
            ".spl", ".spl/exec", ".spl/exec/log", ".spl/exec/.lock",
        ])
    func links(_ path: String) throws {
        let bench = try Bench()
        let outside = try TemporaryDirectory()
        let link = bench.directory.file(path)
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: link).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
        let isFile = path.hasSuffix("log") || path.hasSuffix(".lock")
        let target = isFile ? outside.file("victim") : outside.path
        if isFile { try Data("untouched".utf8).write(to: URL(fileURLWithPath: target)) }
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        let code = failure { _ = try bench.open().create(try job(), context: place) }
        #expect(code == .outsideRoot)
        #expect(
            try FileManager.default.subpathsOfDirectory(atPath: outside.path) == (isFile ? ["victim"] : []))
        if isFile { #expect(try String(contentsOfFile: target, encoding: .utf8) == "untouched") }
    }

    @Test("a link in the place of a snapshot is not read, and is replaced when the snapshot is written")
    func linkedSnapshot() throws {
        let bench = try Bench()
        let store = try bench.open()
        let document = try store.create(try job(), context: place)
        let file = bench.directory.file("projects/a/.spl/exec/mesh.job/\(document.uid)/start.json")
        let victim = bench.directory.file("victim")
        try Data(document.bytes).write(to: URL(fileURLWithPath: victim))
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: victim)
        #expect(failure { _ = try store.read(document.uid, .start) } == .outsideRoot)
        let running = try store.begin(document)
        #expect(try store.read(document.uid, .start) == running)
        #expect(try Data(contentsOf: URL(fileURLWithPath: victim)) == Data(document.bytes))
    }

    @Test("a snapshot of another execution, or one that is not whole, is not taken for this one's")
    func wrongSnapshot() throws {
        let bench = try Bench()
        let store = try bench.open()
        let (one, two) = (
            try store.create(try job(), context: place), try store.create(try job(), context: place)
        )
        let file = bench.directory.file("projects/a/.spl/exec/mesh.job/\(one.uid)/start.json")
        try Data(two.bytes).write(to: URL(fileURLWithPath: file))
        #expect(failure { _ = try store.read(one.uid, .start) } == .identity)
        try Data(one.bytes.dropLast()).write(to: URL(fileURLWithPath: file))
        #expect(failure { _ = try store.read(one.uid, .start) } == .badJSON)
        try FileManager.default.removeItem(atPath: file)
        #expect(failure { _ = try store.recover(one.uid) } == .missingSnapshot)
    }
}
