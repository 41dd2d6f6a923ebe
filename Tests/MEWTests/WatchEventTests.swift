import MeshCore
import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

@Suite("What a watch tells", .tags(.Size.small))
struct WatchEventTests {
    @Test("what matches, begins to match, changes and stops matching is told once each")
    func events() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("WATCH t: Task WHERE t.rank > 2 RETURN t.title, t.rank")
        #expect(bench.events(watch) == ["initial dig 3", "initial plant 5"])
        #expect(bench.events(watch) == [])
        try bench.change("SPAWN t3: Task { title = \"weed\", rank = 9 }")
        #expect(bench.events(watch) == ["added weed 9"])
        try bench.change("SET t3.rank = 8")
        #expect(bench.events(watch) == ["changed weed 8 (weed 9)"])
        try bench.change("SET t3.done = true")
        #expect(bench.events(watch) == [])
        try bench.change("SET t3.rank = 1")
        #expect(bench.events(watch) == ["removed weed 8"])
        try bench.change("KILL t3")
        try bench.change("KILL t1")
        #expect(bench.events(watch) == ["removed dig 3"])
        let detector = try #require(bench.hub.watches["w1"]).detector
        #expect(detector.wholeCount == 1 && detector.partCount == 6)
    }

    @Test("what a transaction takes back or undoes again is not told")
    func transactions() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("WATCH t: Task [initial: none] RETURN t.title")
        try bench.change("BEGIN SPAWN x: Task { title = \"x\" } KILL x COMMIT")
        try bench.change("BEGIN SPAWN x: Task { title = \"x\" } ROLLBACK")
        #expect(bench.events(watch) == [])
        try bench.change("BEGIN SPAWN x: Task { title = \"x\" } SET x.title = \"y\" COMMIT")
        #expect(bench.events(watch) == ["added y"])
    }

    @Test("edges without a name are seen through what they join, and two of them make one match")
    func edges() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open(
            "WATCH t: Task, p: Person, assigned(t, p) RETURN t.title, p.name")
        #expect(bench.events(watch) == ["initial dig Ann"])
        try bench.change("LINK assigned(t1, ann)")
        #expect(bench.events(watch) == [])
        try bench.change("BEGIN LINK assigned(t2, bob) UNLINK assigned(#t1, _) COMMIT".replacingT1(bench))
        #expect(bench.events(watch) == ["removed dig Ann", "added plant Bob"])
        try bench.change("KILL bob")
        #expect(bench.events(watch) == ["removed plant Bob"])
    }

    @Test("a full buffer drops the oldest events, and says how many")
    func drop() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("WATCH t: Task [buffer: 2] RETURN t.title")
        for title in ["a", "b", "c", "d"] { try bench.change("SPAWN Task { title = \"\(title)\" }") }
        #expect(bench.hub.rows[0]["events_pending"] == .int(4))
        // What there was at the beginning is never lost.
        #expect(
            bench.events(watch) == ["initial dig", "initial plant", "overflow 2", "added c", "added d"])
        try bench.change("SPAWN Task { title = \"e\" }")
        #expect(bench.events(watch) == ["added e"])
        #expect(bench.hub.rows[0]["events_delivered"] == .int(6))
        #expect(bench.hub.rows[0]["last_event_at"] == .timestamp(bench.now.milliseconds))
    }

    @Test("a watch that blocks catches up by the difference when there is room")
    func block() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("WATCH t: Task [buffer: 2, on_full: block, initial: none] RETURN t.title")
        try bench.change(
            "BEGIN SPAWN a: Task { title = \"a\" } SPAWN b: Task { title = \"b\" } SPAWN c: Task { title = \"c\" } COMMIT"
        )
        #expect(!bench.hub.wantsToCatchUp)
        try bench.change("SPAWN d: Task { title = \"d\" }")
        try bench.change("KILL d")
        try bench.change("BEGIN KILL a SET c.title = \"C\" COMMIT")
        #expect(bench.events(watch) == ["added a", "added b"])
        #expect(bench.hub.wantsToCatchUp)
        try bench.tell()
        #expect(bench.events(watch) == ["removed a", "added C"])
        try bench.tell()
        #expect(!bench.hub.wantsToCatchUp)
        #expect(bench.events(watch) == [])
    }

    @Test("a watch that must not overflow is cancelled with E8005 behind what it had")
    func error() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("WATCH t: Task [buffer: 1, on_full: error, initial: none] RETURN t.title")
        try bench.change("SPAWN Task { title = \"a\" }")
        try bench.change("SPAWN Task { title = \"b\" }")
        #expect(bench.events(watch) == ["added a", "cancelled E8005"])
        #expect(bench.hub.take(watch, countMax: 9, now: bench.now) == nil)
        #expect(try bench.manageFault("RESUME WATCH w1") == .watchUnknown)
    }

    @Test("a paused watch goes on detecting, and gives what it has when it is resumed")
    func pause() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("WATCH t: Task RETURN t.title")
        try bench.manage("PAUSE WATCH w1")
        #expect(try bench.manage("PAUSE WATCH w1")["status"] == .string("paused"))
        try bench.change("SPAWN Task { title = \"a\" }")
        #expect(bench.events(watch) == [])
        #expect(!bench.hub.hasEvents(watch))
        #expect(bench.hub.rows[0]["status"] == .string("paused"))
        #expect(bench.hub.rows[0]["events_pending"] == .int(3))
        #expect(try bench.manage("RESUME WATCH \"\(watch)\"")["status"] == .string("active"))
        try bench.manage("RESUME WATCH $w", ["w": .string(watch)])
        #expect(bench.events(watch) == ["initial dig", "initial plant", "added a"])
    }

    @Test("cancelling discards what waits, may be repeated, and is final")
    func cancel() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("WATCH t: Task RETURN t.title")
        #expect(try bench.manage("CANCEL WATCH w1")["status"] == .string("cancelled"))
        try bench.manage("CANCEL WATCH w1")
        #expect(bench.events(watch) == ["cancelled"])
        bench.hub.close(watch, now: bench.now)
        try bench.manage("CANCEL WATCH w1")
        for command in ["RESUME", "PAUSE"] {
            #expect(try bench.manageFault("\(command) WATCH w1") == .watchUnknown)
        }
        #expect(try bench.manageFault("ALTER WATCH w1 SET [buffer: 2]") == .watchUnknown)
        #expect(try bench.manageFault("CANCEL WATCH w77") == .watchUnknown)
        #expect(bench.hub.rows.isEmpty)
    }

    @Test("only who opened a watch manages it")
    func access() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("WATCH t: Task [mode: consume] RETURN t.title")
        let delivery = try #require(bench.deliveries(watch).first).id
        bench.actor = "did:key:z6MkSomebodyElse"
        for statement in [
            "PAUSE WATCH w1", "RESUME WATCH w1", "CANCEL WATCH w1", "ALTER WATCH w1 SET [buffer: 2]",
            "ACK \"\(delivery)\"", "NACK \"\(delivery)\"",
        ] {
            #expect(try bench.manageFault(statement) == .watchAccess, "\(statement)")
        }
        bench.hub.close(watch, now: bench.now)
        #expect(try bench.manageFault("CANCEL WATCH w1") == .watchAccess)
    }

    @Test("a node takes so many watches and no more, and one that is closed makes room")
    func watchLimit() throws {
        var limits = WatchLimits()
        limits.watchCount = 2
        let bench = try WatchBench.filled(limits)
        let first = try bench.open("WATCH t: Task RETURN t")
        _ = try bench.open("WATCH t: Task RETURN t")
        #expect(try bench.openFault("WATCH t: Task RETURN t") == .watchLimit)
        bench.hub.close(first, now: bench.now)
        #expect(try bench.openFault("WATCH t: Task RETURN t") == nil)
        #expect(WatchLimits().watchCount == 256 && WatchLimits().matchCount == 100_000)
    }

    @Test("a pattern with more matches than a watch keeps is refused, or cancelled when it comes to that")
    func matchLimit() throws {
        var limits = WatchLimits()
        limits.matchCount = 3
        let bench = try WatchBench.filled(limits)
        #expect(try bench.openFault("WATCH a: Task, b: Task RETURN a, b") == .workLimit)
        let watch = try bench.open("WATCH t: Task [initial: none] RETURN t.title")
        try bench.change("SPAWN Task { title = \"a\" }")
        try bench.change("SPAWN Task { title = \"b\" }")
        #expect(bench.events(watch) == ["added a", "cancelled E9023"])
    }

    @Test("a watch is checked against the new ontology, and cancelled where it makes no sense any more")
    func schema() throws {
        let bench = try WatchBench.filled()
        let stays = try bench.open("WATCH t: Task [initial: none] RETURN t.title")
        #expect(try bench.openFault("WATCH m: Machine RETURN m") == .unknownType)
        try bench.change("EXTEND ONTOLOGY { node Machine : Task { } }")
        try bench.change("SPAWN Machine { title = \"mill\" }")
        #expect(bench.events(stays) == ["added mill"])
        // As if an ontology had been taken back with the feed that brought it.
        let machines = try bench.open("WATCH m: Machine [initial: none] RETURN m.title")
        var moment = bench.moment()
        moment.schema = SystemOntology.schema
        try bench.hub.graphChanged([], isSchemaChanged: true, at: moment)
        #expect(bench.events(machines) == ["cancelled E2001"])
    }

    @Test("a condition that cannot be judged ends the watch with the reason")
    func failing() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("WATCH t: Task WHERE 10 / t.rank > 1 [initial: none] RETURN t.title")
        try bench.change("SPAWN Task { title = \"none\", rank = 0 }")
        #expect(bench.events(watch) == ["cancelled E9041"])
    }

    @Test("rows of system types are watched, and only looked at when they may have changed")
    func systemTypes() throws {
        let bench = try WatchBench.filled()
        func job(_ id: String, _ status: String) -> VirtualRow {
            VirtualRow(
                key: id,
                attributes: [
                    GraphAttribute(name: "job_id", value: .string(id)),
                    GraphAttribute(name: "status", value: .string(status)),
                ])
        }
        bench.tables.rows["Job"] = [job("a", "Running"), job("b", "Completed")]
        let watch = try bench.open("WATCH j: Job WHERE j.status != \"Failed\" RETURN j.job_id, j.status")
        #expect(bench.hub.systemTypes == ["Job"])
        #expect(bench.events(watch) == ["initial a Running", "initial b Completed"])
        bench.tables.rows["Job"] = [job("c", "Open"), job("b", "Failed"), job("a", "Completed")]
        try bench.change("SPAWN Box { label = \"x\" }")
        #expect(bench.events(watch) == [])
        try bench.tell(isSystemChanged: true)
        #expect(
            bench.events(watch) == ["removed b Completed", "changed a Completed (a Running)", "added c Open"])
        #expect(try bench.openFault("WATCH j: Job [mode: consume] RETURN j") == .watchDenied)
    }

    @Test("ON MATCH DO acts once for each new match, as the watcher, in one transaction")
    func onMatch() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open(
            """
            WATCH t: Task WHERE t.rank > 2 AND NOT t.done ON MATCH DO
                SPAWN n: Note { text = "seen " ++ t.title },
                SET t { done = true }
            """)
        try bench.performAll()
        // What was there before is shown, and not acted upon.
        #expect(bench.events(watch).count == 2)
        #expect(try bench.bench.rows("MATCH n: Note RETURN n.text") == [])
        try bench.change("SPAWN Task { title = \"weed\", rank = 4 }")
        try bench.performAll()
        #expect(try bench.bench.rows("MATCH n: Note RETURN n.text") == [["seen weed"]])
        #expect(bench.events(watch).map { $0.split(separator: " ")[0] } == ["added", "removed"])
        #expect(bench.performed.map(\.isKernel) == [false])
        #expect(bench.performed.map(\.authority.actor) == [bench.actor])
        #expect(
            try bench.openFault("WATCH t: Task [mode: consume] ON MATCH DO KILL t") == .watchOptionInvalid)
        #expect(try bench.openFault("WATCH t: Task ON MATCH DO KILL x") == .unknownVariable)
    }

    @Test("a watch that acts faster than its actions are done is cancelled")
    func tooManyActions() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open(
            "WATCH t: Task [buffer: 2, initial: none] ON MATCH DO SPAWN n: Note { text = t.title }")
        for title in ["a", "b", "c"] { try bench.change("SPAWN Task { title = \"\(title)\" }") }
        #expect(bench.hub.takeActions().count == 2)
        #expect(bench.events(watch).last == "cancelled E8005")
    }

    @Test("a watcher sees what policies let it see, and is refused where none can let it see anything")
    func policies() throws {
        let bench = try WatchBench.filled()
        try bench.change(
            """
            EXTEND ONTOLOGY {
              policy read: ON MATCH(t: Task) ALLOW IF t.rank > 3
              policy write: ON SPAWN | SET | LINK | KILL ALLOW IF true
            }
            """)
        let watch = try bench.open("WATCH t: Task RETURN t.title")
        #expect(bench.events(watch) == ["initial plant"])
        try bench.bench.run("MATCH t: Task SET t { rank = 1 }")
        try bench.tell()
        #expect(bench.events(watch) == ["removed plant"])
        #expect(try bench.openFault("WATCH p: Person RETURN p") == .watchDenied)
    }

    @Test("to consume wants the right to delete")
    func consumePolicies() throws {
        let bench = try WatchBench.filled()
        try bench.change(
            "EXTEND ONTOLOGY { policy read: ON MATCH ALLOW IF true policy kill: ON KILL(b: Box) ALLOW IF b.label = \"mine\" policy spawn: ON SPAWN ALLOW IF true }"
        )
        #expect(try bench.openFault("WATCH t: Task [mode: consume] RETURN t") == .watchDenied)
        let watch = try bench.open("WATCH b: Box [mode: consume] RETURN b.label")
        try bench.change("SPAWN Box { label = \"mine\" }")
        #expect(bench.deliveries(watch).map(\.text) == ["mine"])
    }
}

extension String {
    /// `#t1` means the session's own.
    fileprivate func replacingT1(_ bench: WatchBench) -> String {
        guard let id = bench.bench.bindings["t1"] else { return self }
        return split(separator: "#t1", omittingEmptySubsequences: false).joined(separator: "#\"\(id)\"")
    }
}
