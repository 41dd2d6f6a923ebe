import MeshCore
import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

@Suite("Watches that consume", .tags(.Size.small))
struct WatchConsumingTests {
    private static let pattern = "WATCH t: Task [mode: consume"

    @Test("an acknowledged match is deleted from the graph")
    func acknowledge() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("\(Self.pattern)] RETURN t.title")
        #expect(bench.events(watch) == ["consumed dig d1", "consumed plant d2"])
        #expect(bench.events(watch) == [])
        let result = try bench.manage("ACK \"d1\"")
        #expect(result.statement == "ack" && result["delivery_id"] == .string("d1"))
        #expect(try bench.bench.rows("MATCH t: Task RETURN t.title") == [["plant"]])
        #expect(bench.performed.map(\.isKernel) == [false])
        #expect(try bench.manageFault("ACK \"d1\"") == .deliveryUnknown)
        #expect(try bench.manageFault("ACK \"d99\"") == .deliveryUnknown)
        try bench.manage("ACK $delivery", ["delivery": .string("d2")])
        #expect(try bench.bench.rows("MATCH t: Task RETURN t.title") == [])
        try bench.pass(100_000)
        #expect(bench.events(watch) == [])
    }

    @Test("what was there before is left alone where only what is new is wanted")
    func initialNone() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("\(Self.pattern), initial: none] RETURN t.title")
        try bench.change("SPAWN Task { title = \"new\" }")
        #expect(bench.deliveries(watch).map(\.text) == ["new"])
    }

    @Test("an edge is consumed by its own end, and what it joins stays")
    func edges() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("WATCH assigned(_, _) AS a [mode: consume] RETURN a.since")
        let delivery = try #require(bench.deliveries(watch).first).id
        try bench.manage("ACK \"\(delivery)\"")
        #expect(try bench.bench.rows("MATCH t: Task, assigned(t, _) RETURN t.title") == [])
        #expect(try bench.bench.rows("MATCH t: Task RETURN COUNT(*)") == [["2"]])
    }

    @Test("a match that is refused comes again at once, each time under a new id")
    func refuse() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("\(Self.pattern), filter: t.rank = 3, max_redeliveries: 2] RETURN t.title")
        var seen: Set<String> = []
        for _ in 1...3 {
            let delivery = try #require(bench.deliveries(watch).first)
            #expect(delivery.text == "dig" && seen.insert(delivery.id).inserted)
            #expect(try bench.manage("NACK \"\(delivery.id)\"").statement == "nack")
        }
        // Delivered once and twice again: the third refusal was the last, and nobody keeps its letter.
        #expect(bench.deliveries(watch).isEmpty)
        #expect(try bench.bench.rows("MATCH t: Task RETURN t.title") == [["plant"]])
        #expect(try bench.bench.rows("MATCH d: _DeadLetter RETURN d") == [])
    }

    @Test("what nobody acknowledges in time is delivered again, and the late word is refused")
    func timeout() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("\(Self.pattern), filter: t.rank = 3, ack_timeout: 10s] RETURN t.title")
        #expect(bench.events(watch) == ["consumed dig d1"])
        #expect(bench.hub.nextDeadline == bench.now + 10_000)
        try bench.pass(9_999)
        #expect(bench.events(watch) == [])
        try bench.pass(1)
        #expect(try bench.manageFault("ACK \"d1\"") == .acknowledgementLate)
        #expect(try bench.manageFault("NACK \"d1\"") == .acknowledgementLate)
        let again = try #require(bench.deliveries(watch).first)
        #expect(again.text == "dig" && again.id != "d1")
        try bench.manage("ACK \"\(again.id)\"")
        #expect(bench.hub.nextDeadline == nil)
    }

    @Test("a match that is given up leaves a letter where one is wanted, in the transaction that ends it")
    func deadLetter() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open(
            "\(Self.pattern), dead_letter: #\"\(bench.bench.bindings["box"] ?? "")\", max_redeliveries: 0, ack_timeout: 5s] RETURN t.title, t.rank"
        )
        let deliveries = bench.deliveries(watch)
        try bench.manage("NACK \"\(deliveries[0].id)\" [no_retry]")
        try bench.pass(5000)
        #expect(try bench.bench.rows("MATCH t: Task RETURN t") == [])
        #expect(
            try bench.bench.rows(
                """
                MATCH b: Box, d: _DeadLetter, _watch_dead_letter(b, d)
                RETURN d.original_match, d.failure_reason, d.delivery_attempts, b.label ORDER BY d.original_match
                """) == [
                    ["{\"title\": \"dig\", \"rank\": 3}", "no_retry", "1", "lost"],
                    ["{\"title\": \"plant\", \"rank\": 5}", "max_redeliveries_exceeded", "1", "lost"],
                ])
        #expect(bench.performed.map(\.isKernel) == [true, true])
        #expect(try bench.bench.fault("SPAWN d: _DeadLetter { failure_reason = \"x\" }") == .systemType)
    }

    @Test("a letter that cannot be written is E8007, the match stays, and it is tried again")
    func deadLetterFailed() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open(
            "\(Self.pattern), filter: t.rank = 3, dead_letter: box, ack_timeout: 5s] RETURN t.title")
        let delivery = try #require(bench.deliveries(watch).first).id
        bench.actionFault = Diagnostic(.storageFailed, "no room")
        #expect(try bench.manageFault("NACK \"\(delivery)\" [no_retry]") == .deadLetterFailed)
        #expect(try bench.bench.rows("MATCH d: _DeadLetter RETURN d") == [])
        #expect(try bench.bench.rows("MATCH t: Task WHERE t.rank = 3 RETURN t.title") == [["dig"]])
        #expect(bench.deliveries(watch).isEmpty)
        bench.actionFault = nil
        try bench.pass(5000)
        #expect(try bench.bench.rows("MATCH d: _DeadLetter RETURN d.failure_reason") == [["no_retry"]])
        #expect(try bench.bench.rows("MATCH t: Task WHERE t.rank = 3 RETURN t.title") == [])
    }

    @Test("an end that the graph refuses gives the match back")
    func endFails() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("\(Self.pattern), filter: t.rank = 3] RETURN t.title")
        let delivery = try #require(bench.deliveries(watch).first).id
        bench.actionFault = Diagnostic(.permissionDenied, "no")
        #expect(try bench.manageFault("ACK \"\(delivery)\"") == .permissionDenied)
        #expect(bench.deliveries(watch).map(\.text) == ["dig"])
    }

    @Test("a match that somebody else ends is nobody's any more")
    func gone() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open("\(Self.pattern)] RETURN t.title")
        let deliveries = bench.deliveries(watch)
        try bench.change("KILL t1")
        try bench.manage("ACK \"\(deliveries[0].id)\"")
        #expect(bench.performed.isEmpty)
        try bench.change("KILL t2")
        try bench.manage("NACK \"\(deliveries[1].id)\" [no_retry]")
        #expect(bench.performed.isEmpty)
        #expect(bench.deliveries(watch).isEmpty)
    }

    private static func work(_ bench: WatchBench, _ count: Int) throws {
        try bench.change("MATCH t: Task KILL t")
        let spawns = (0..<count).map { "SPAWN Task { title = \"j\($0)\" }" }
        try bench.change((["BEGIN"] + spawns + ["COMMIT"]).joined(separator: "\n"))
    }

    @Test("members of a group take turns, and each match is one member's alone")
    func turns() throws {
        let bench = try WatchBench.filled()
        try bench.change("MATCH t: Task KILL t")
        let members = try (0..<3).map { _ in
            try bench.open("\(Self.pattern), group: \"g\"] RETURN t.title")
        }
        let alone = try bench.open("\(Self.pattern)] RETURN t.title")
        let others = try bench.open("\(Self.pattern), group: \"h\"] RETURN t.title")
        try Self.work(bench, 6)
        #expect(bench.deliveries(members[0]).map(\.text) == ["j0", "j3"])
        #expect(bench.deliveries(members[1]).map(\.text) == ["j1", "j4"])
        #expect(bench.deliveries(members[2]).map(\.text) == ["j2", "j5"])
        #expect(bench.deliveries(alone).count == 6)
        #expect(bench.deliveries(others).count == 6)
    }

    @Test("what a member that goes away had in its hands goes to the others")
    func failover() throws {
        let bench = try WatchBench.filled()
        try bench.change("MATCH t: Task KILL t")
        let first = try bench.open("\(Self.pattern), group: \"g\", max_redeliveries: 1] RETURN t.title")
        let second = try bench.open("\(Self.pattern), group: \"g\", max_redeliveries: 1] RETURN t.title")
        try Self.work(bench, 4)
        let held = bench.deliveries(first)
        #expect(held.map(\.text) == ["j0", "j2"])
        try Self.workMore(bench)
        bench.hub.close(first, now: bench.now)
        // What it had not fetched goes before what it had.
        #expect(bench.deliveries(second).map(\.text) == ["j1", "j3", "j5", "j4", "j0", "j2"])
        #expect(try bench.manageFault("ACK \"\(held[0].id)\"") == .acknowledgementLate)
        bench.hub.close(second, now: bench.now)
        #expect(bench.hub.nextDeadline == nil && bench.hub.groups.isEmpty && bench.hub.deliveries.isEmpty)
        #expect(try bench.bench.rows("MATCH t: Task RETURN COUNT(*)") == [["6"]])
    }

    private static func workMore(_ bench: WatchBench) throws {
        try bench.change("BEGIN SPAWN Task { title = \"j4\" } SPAWN Task { title = \"j5\" } COMMIT")
    }

    @Test("a paused member is given nothing, and what it had not fetched goes to others")
    func paused() throws {
        let bench = try WatchBench.filled()
        try bench.change("MATCH t: Task KILL t")
        let first = try bench.open("\(Self.pattern), group: \"g\"] RETURN t.title")
        let second = try bench.open("\(Self.pattern), group: \"g\"] RETURN t.title")
        try Self.work(bench, 2)
        try bench.manage("PAUSE WATCH w1")
        try Self.workMore(bench)
        #expect(bench.deliveries(first).isEmpty)
        #expect(Set(bench.deliveries(second).map(\.text)) == ["j0", "j1", "j4", "j5"])
        #expect(
            try bench.manageFault("ALTER WATCH w1 SET [filter: t.rank > 1]") == .watchOptionImmutable)
    }

    @Test("a consumer has no more in its hands than its buffer, and the rest waits in the graph")
    func buffer() throws {
        let bench = try WatchBench.filled()
        try Self.work(bench, 5)
        let watch = try bench.open("\(Self.pattern), buffer: 2] RETURN t.title")
        #expect(bench.hub.rows[0]["events_pending"] == .int(3))
        let deliveries = bench.deliveries(watch)
        #expect(deliveries.map(\.text) == ["j0", "j1"])
        #expect(bench.deliveries(watch).isEmpty)
        try bench.manage("ACK \"\(deliveries[0].id)\"")
        #expect(bench.deliveries(watch).map(\.text) == ["j2"])
    }

    @Test("every match ends once, whatever consumers do", arguments: Seed.sample(40))
    func everyMatchOnce(seed: Seed) throws {
        var chance = seed.generator
        let bench = try WatchBench.filled()
        try bench.change("MATCH t: Task KILL t")
        func open() throws -> String {
            try bench.open(
                "\(Self.pattern), group: \"g\", ack_timeout: 10s, buffer: 3, max_redeliveries: 1000] RETURN t.title"
            )
        }
        var members = [try open(), try open()]
        var held: [(id: String, text: String)] = []
        var ended: [String] = []
        var spawned = 0
        for _ in 0..<60 {
            switch Int.random(in: 0..<8, using: &chance) {
            case 0, 1:
                try bench.change("SPAWN Task { title = \"j\(spawned)\" }")
                spawned += 1
            case 2, 3: held += bench.deliveries(members.randomElement(using: &chance) ?? members[0])
            case 4, 5:
                guard !held.isEmpty else { continue }
                let delivery = held.remove(at: Int.random(in: 0..<held.count, using: &chance))
                if try bench.manageFault("ACK \"\(delivery.id)\"") == nil { ended.append(delivery.text) }
            case 6:
                guard !held.isEmpty else { continue }
                _ = try bench.manageFault("NACK \"\(held.removeLast().id)\"")
            default:
                if Bool.random(using: &chance) {
                    try bench.pass(6000)
                } else {
                    bench.hub.close(members.removeFirst(), now: bench.now)
                    members.append(try open())
                }
            }
        }
        // The last consumer takes what is left.
        try bench.pass(10_000)
        for _ in 0..<200 {
            for member in members {
                for delivery in bench.deliveries(member) {
                    try bench.manage("ACK \"\(delivery.id)\"")
                    ended.append(delivery.text)
                }
            }
        }
        #expect(ended.sorted() == (0..<spawned).map { "j\($0)" }.sorted(), "\(seed)")
        #expect(try bench.bench.rows("MATCH t: Task RETURN t") == [], "\(seed)")
    }
}
