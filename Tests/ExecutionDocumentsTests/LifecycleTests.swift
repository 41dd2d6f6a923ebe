import ExecutionDocuments
import MeshCore
import MeshTestSupport
import Testing

@Suite("Lifecycle", .tags(.Size.small))
struct LifecycleTests {
    @Test("the status goes from created to running to completed or failed, and no other way")
    func progression() throws {
        let allowed: Set<String> = ["created running", "running completed", "running failed"]
        for from in ExecutionStatus.allCases {
            for to in ExecutionStatus.allCases {
                #expect(from.allows(to) == allowed.contains("\(from) \(to)"))
                let json = text(try sample().bytes).replacing("\"created\"", with: "\"\(from)\"")
                let document = try ExecutionDocument(decoding: Array(json.utf8))
                let code = failure { _ = try document.becoming(to) }
                #expect(code == (from.allows(to) ? nil : .badTransition))
            }
        }
    }

    @Test("what is not running is not processed")
    func processedWhileRunning() throws {
        let code = failure {
            _ = try sample().processed { _ throws(ExecutionError) in .delta(.object([])) }
        }
        #expect(code == .badTransition)
    }

    @Test("the log records transitions, and its fold has the status of each execution")
    func transitions() throws {
        let log = try ExecutionLog(
            start("a", status: .created) + start("b") + becomes("a", .running, at: 1)
                + becomes("b", .failed, at: 2, error: "no \"disk\"\n") + becomes("a", .completed, at: 3))
        #expect(log.map(\.status) == [.completed, .failed])
        #expect(log.map(\.endedAt) == [noon + 3, noon + 2])
        #expect(log.map(\.error) == [nil, "no \"disk\"\n"])
        #expect(log.findings.isEmpty && log.lineCount == 5)
        #expect(log[try ExecutionUID("b")]?.startedAt == noon)
        #expect(log[try ExecutionUID("c")] == nil)
    }

    @Test("a step that the lifecycle does not have is passed over and said, with its line")
    func refusedInTheLog() throws {
        let log = try ExecutionLog(
            start("a", status: .created) + becomes("a", .completed) + becomes("a", .running)
                + becomes("a", .completed, at: 1) + becomes("a", .failed, at: 2) + start("a")
                + becomes("b", .running) + Array("nonsense\n".utf8) + deleted("a", .hard)
                + deleted("a", .soft))
        #expect(log.map(\.status) == [.completed])
        #expect(log[0].endedAt == noon + 1)
        #expect(
            log.findings.map(\.description) == [
                "line 2: the lifecycle has no such step", "line 5: the lifecycle has no such step",
                "line 6: an execution of that uid has started already",
                "line 7: no execution of that uid has started", "line 8: the line cannot be read",
                "line 10: the lifecycle has no such step",
            ])
    }
}
