import ExecutionDocuments
import MeshCore
import MeshTestSupport
import Testing

@Suite("Retention", .tags(.Size.small))
struct RetentionTests {
    private static func names(_ uids: [ExecutionUID]) -> [String] { uids.map(\.description) }

    private static func log() throws -> ExecutionLog {
        try ExecutionLog(
            start("a") + becomes("a", .completed, at: 10) + start("b") + becomes("b", .failed, at: 20)
                + start("c") + start("d") + becomes("d", .completed, at: 5) + deleted("d", .soft, at: 30)
                + start("e") + becomes("e", .completed, at: 40))
    }

    @Test("what ended long enough ago is deleted softly, and what runs never is")
    func byAge() throws {
        let log = try Self.log()
        let policy = RetentionPolicy(softAge: 80)
        #expect(policy.decide(log, now: noon + 89).softDeletions.isEmpty)
        #expect(Self.names(policy.decide(log, now: noon + 90).softDeletions) == ["a"])
        #expect(Self.names(policy.decide(log, now: noon + 100_000).softDeletions) == ["a", "b", "e"])
        #expect(RetentionPolicy().decide(log, now: noon + 100_000) == RetentionDecision())
    }

    @Test("beyond the count that is kept, what ended first goes first")
    func byCount() throws {
        let log = try Self.log()
        let decide = { (count: Int) in
            Self.names(RetentionPolicy(keptMax: count).decide(log, now: noon).softDeletions)
        }
        #expect(decide(3) == [])
        #expect(decide(2) == ["a"])
        #expect(decide(0) == ["a", "b", "e"] && decide(-5) == decide(0))
    }

    @Test("what was deleted softly long enough ago is deleted hard, and then the log is worth compacting")
    func hard() throws {
        let policy = RetentionPolicy(hardAge: 70, compactionMin: 1)
        #expect(policy.decide(try Self.log(), now: noon + 99) == RetentionDecision())
        let decision = policy.decide(try Self.log(), now: noon + 100)
        #expect(Self.names(decision.hardDeletions) == ["d"] && decision.compacts)
        #expect(
            !RetentionPolicy(hardAge: 70, compactionMin: 2).decide(try Self.log(), now: noon + 100).compacts)
    }

    @Test("nothing is deleted before all that it triggered")
    func children() throws {
        let log = try ExecutionLog(
            start("a") + start("b", parent: "a") + start("c", parent: "b") + becomes("a", .completed, at: 1)
                + becomes("b", .completed, at: 1))
        #expect(RetentionPolicy(softAge: 1).decide(log, now: noon + 9) == RetentionDecision())
        let ended = try ExecutionLog(
            start("a") + start("b", parent: "a") + becomes("b", .completed, at: 1)
                + becomes("a", .completed, at: 1))
        #expect(
            Self.names(RetentionPolicy(softAge: 1).decide(ended, now: noon + 9).softDeletions) == ["a", "b"])
    }

    @Test("compaction drops the lines of what is deleted hard, and keeps all others byte for byte")
    func compaction() throws {
        let kept = try start("k") + Array("not readable\n".utf8) + becomes("k", .completed)
        let gone = try start("g") + becomes("g", .failed) + deleted("g", .soft) + deleted("g", .hard)
        let parent = try start("p") + becomes("p", .completed) + deleted("p", .hard)
        let child = try start("q", parent: "p")
        let compaction = LogCompaction(try ExecutionLog(parent + gone + kept + child + [0x7B]))
        #expect(compaction.bytes == parent + kept + child)
        #expect(Self.names(compaction.dropped) == ["g"] && compaction.droppedLineCount == 4)
        let again = LogCompaction(try ExecutionLog(compaction.bytes))
        #expect(again.bytes == compaction.bytes && again.dropped.isEmpty)
    }
}
