import Foundation
import IPLD
import MEW
import MeshAPI
import MeshCore
import MeshDAG
import MeshEngine
import MeshGraph
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@testable import MeshDaemon

@Suite("The daemon's watches", .tags(.Size.medium))
struct GraphWatchesTests {
    /// A graph in memory that runs programs as the engine does, and tells the watches.
    private final class SmallEngine: @unchecked Sendable {
        // Sendable because everything is behind `lock`, and `changed` is set before anybody asks.
        private let lock = NSLock()
        private let storage = MemoryStorage()
        private var replica = GraphReplica()
        private let author = DID(publicKey: Bytes32([UInt8](repeating: 7, count: 32), at: 0))
        private var seq: UInt64 = 0
        private var jobs: [VirtualRow] = []
        private var askedPages = 0
        var changed: (GraphTouched) -> Void = { _ in }

        var actor: String { "\(author)" }
        var pageCount: Int { lock.withLock { askedPages } }

        func snapshot(_ body: (any StorageReader) throws -> Void) throws {
            try lock.withLock { try body(storage) }
        }

        func setJobs(_ ids: [String]) {
            lock.withLock {
                jobs = ids.map {
                    VirtualRow(key: $0, attributes: [GraphAttribute(name: "job_id", value: .string($0))])
                }
            }
            var touched = GraphTouched()
            touched.isSystemChanged = true
            changed(touched)
        }

        func ask(_ command: ControlCommand) -> ControlReply? {
            switch command {
            case .graph(let script):
                var touched = GraphTouched()
                let result: GraphRun = lock.withLock { self.run(script, &touched) }
                if !touched.isEmpty { changed(touched) }
                return .graph(result)
            case .systemRows(_, _, let after, let limit):
                return lock.withLock {
                    askedPages += 1
                    let start = after.flatMap { Int($0) } ?? 0
                    let page = Array(jobs.dropFirst(start).prefix(limit))
                    return .systemRows(page, next: page.count < limit ? nil : "\(start + limit)")
                }
            default: return nil
            }
        }

        private func run(_ script: GraphScript, _ touched: inout GraphTouched) -> GraphRun {
            var run = GraphRun(results: [], bindings: script.bindings, failure: nil)
            for unit in script.units {
                do {
                    let environment = ScriptEnvironment(
                        schema: replica.schema,
                        authority: script.isKernel ? .kernel : Authority(actor: actor),
                        now: Timestamp(milliseconds: 1_700_000_000_000), parameters: script.parameters,
                        bindings: run.bindings)
                    guard unit.isMutating else {
                        run.results += try unit.read(environment, source: script.source, in: storage).results
                        continue
                    }
                    let position = EntryPosition(
                        author: author, scope: "default", seq: seq, index: 0,
                        time: HybridTime(milliseconds: 1_700_000_000_000 + Int64(seq), counter: 0))
                    let (outcome, publication) = try replica.write(
                        unit, environment, source: script.source, at: position, in: storage)
                    run.results += outcome.results
                    run.bindings = outcome.bindings
                    guard let publication else { continue }
                    seq += 1
                    for block in publication.blocks { try storage.putBlock(block.bytes, cid: block.cid) }
                    let folded = try replica.fold(publication.entry, at: position, in: storage)
                    touched.entities += folded.touched
                    touched.isSchemaChanged = touched.isSchemaChanged || folded.isSchemaChanged
                } catch let failure as UnitFailure {
                    run.failure = failure.diagnostic
                    return run
                } catch {
                    run.failure = Diagnostic(.storageFailed, "\(error)")
                    return run
                }
            }
            return run
        }
    }

    private let engine = SmallEngine()
    private let watches: GraphWatches

    init() throws {
        let engine = engine
        watches = GraphWatches(
            GraphWatchHost(
                actor: engine.actor, snapshot: { try engine.snapshot($0) }, ask: { engine.ask($0) },
                now: { SystemClock.now }, warn: { Issue.record("\($0)") }))
        let watches = watches
        engine.changed = { watches.changed($0) }
        try run(
            "ontology work { node Task { title: String [required] rank: Int = 1 } node Note { text: String? } }"
        )
    }

    @discardableResult
    private func run(_ source: String) throws -> [StatementResult] {
        let script = GraphScript(
            units: try ScriptUnit.units(of: Parser.script(source).statements), source: Array(source.utf8))
        guard case .graph(let run)? = engine.ask(.graph(script)) else { return [] }
        if let failure = run.failure { throw failure }
        return run.results
    }

    private func open(_ source: String) throws -> any GraphWatchFeed {
        try watches.openWatch(GraphRequest(source: source)).get()
    }

    /// The next events, as many as are wanted; waits for them.
    private func next(_ count: Int, of feed: any GraphWatchFeed) -> [GraphWatchEvent] {
        var events: [GraphWatchEvent] = []
        while events.count < count, let more = feed.next(seconds: 30), !more.isEmpty { events += more }
        return events
    }

    @Test("what is there and what comes reaches whoever waits for it")
    func events() throws {
        defer { watches.stop() }
        try run("SPAWN #a: Task { title = \"a\" }")
        let feed = try open("WATCH t: Task RETURN t.title, t.rank")
        #expect(next(1, of: feed).map(\.type) == ["initial"])
        #expect(feed.next(seconds: 0) == [])
        try run("SET #a.rank = 2")
        let changed = try #require(next(1, of: feed).first)
        #expect(changed.type == "changed" && changed.match == ["title": "a", "rank": 2])
        #expect(changed.prev == ["title": "a", "rank": 1])
        try run("KILL #a")
        #expect(next(1, of: feed).map(\.type) == ["removed"])
        #expect(watches.rows().map { $0["pattern"] } == [.string("t: Task")])
        feed.close()
        #expect(watches.rows().isEmpty)
    }

    @Test("ACK deletes what was consumed before it is answered, and a statement that fails says where")
    func acknowledge() throws {
        defer { watches.stop() }
        let feed = try open("WATCH t: Task [mode: consume] RETURN t.title")
        try run("SPAWN #a: Task { title = \"a\" }")
        let delivery = try #require(next(1, of: feed).first?.deliveryID)
        let statements = Parser.script("ACK $d").statements
        let results = try watches.manage(statements, parameters: ["d": .string(delivery)]).get()
        #expect(results.map(\.statement) == ["ack"])
        #expect(try run("MATCH t: Task RETURN t").last?.rows == [])
        guard case .failure(let fault) = watches.manage(statements, parameters: ["d": .string(delivery)])
        else {
            Issue.record("a delivery was acknowledged twice")
            return
        }
        #expect(fault.code == .deliveryUnknown && fault.range?.start.column == 5)
    }

    @Test("what nobody acknowledges in time comes again by itself")
    func redelivery() throws {
        defer { watches.stop() }
        try run("SPAWN #a: Task { title = \"a\" }")
        let feed = try open("WATCH t: Task [mode: consume, ack_timeout: 50ms] RETURN t.title")
        let deliveries = next(3, of: feed).compactMap(\.deliveryID)
        #expect(Set(deliveries).count == 3)
    }

    @Test("ON MATCH DO has the engine act")
    func actions() throws {
        defer { watches.stop() }
        _ = try open("WATCH t: Task ON MATCH DO SPAWN n: Note { text = t.title }")
        let notes = try open("WATCH n: Note RETURN n.text")
        try run("SPAWN #a: Task { title = \"a\" }")
        #expect(next(1, of: notes).map(\.match) == [["text": "a"]])
    }

    @Test("rows of system types are read page by page, and again when they have changed")
    func systemRows() throws {
        defer { watches.stop() }
        engine.setJobs((0..<2500).map { "j\($0)" })
        let before = engine.pageCount
        let feed = try open("WATCH j: Job RETURN j.job_id")
        #expect(engine.pageCount >= before + 3)
        #expect(next(2500, of: feed).count == 2500)
        engine.setJobs((1..<2500).map { "j\($0)" })
        #expect(next(1, of: feed).map(\.match) == [["job_id": "j0"]])
    }

    @Test("what is no WATCH, or makes no sense, is refused with its place")
    func refused() throws {
        defer { watches.stop() }
        func refusal(_ source: String) -> GraphRefusal? {
            guard case .failure(let refusal) = watches.openWatch(GraphRequest(source: source)) else {
                return nil
            }
            return refusal
        }
        #expect(refusal("MATCH t: Task RETURN t")?.error.error.code == "E1001")
        #expect(refusal("WATCH t: Task RETURN")?.status == 422)
        let unknown = try #require(refusal("WATCH t: Tusk RETURN t"))
        #expect(unknown.status == 422 && unknown.error.error.code == "E2001")
        #expect(unknown.error.error.details?.first?.column == 10)
    }

    @Test("everybody who waits is let go when the daemon stops, and cancelling ends a feed")
    func ends() throws {
        let feed = try open("WATCH t: Task RETURN t")
        let other = try open("WATCH t: Task RETURN t")
        let id = try #require(watches.rows().last).key
        _ = try watches.manage(Parser.script("CANCEL WATCH \(id)").statements, parameters: [:]).get()
        #expect(next(1, of: other).map(\.type) == ["cancelled"])
        #expect(other.next(seconds: 30) == nil)
        let ended = DispatchSemaphore(value: 0)
        let thread = Thread {
            if feed.next(seconds: 60) == nil { ended.signal() }
        }
        thread.start()
        watches.stop()
        #expect(ended.wait(timeout: .now() + 30) == .success)
        #expect(feed.next(seconds: 30) == nil)
    }
}
