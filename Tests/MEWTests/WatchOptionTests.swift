import MeshCore
import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

@Suite("The options of a watch", .tags(.Size.small))
struct WatchOptionTests {
    private func open(_ options: String) throws -> (WatchBench, String) {
        let bench = try WatchBench.filled()
        return (bench, try bench.open("WATCH t: Task [\(options)] RETURN t.title"))
    }

    @Test(
        "an option that is unknown, twice there or wrong is refused",
        arguments: [
            "colour: red", "mode: read", "mode: watch, mode: watch", "group: 3", "ordering: random",
            "ordering: attribute()", "delivery: sometimes", "visibility: immediate", "window: 5s",
            "window: tumbling(5)", "window: sliding(5s)", "window: sliding(1s, 2s)", "buffer: 0",
            "buffer: \"many\"", "buffer: 1000000", "on_full: drop(newest)", "on_full: wait",
            "ack_timeout: 5", "ack_timeout: 400.days", "max_redeliveries: 1.5", "dead_letter: 3",
            "dead_letter: #nobody", "initial: since(3)", "initial: some", "deliver_on: tick",
            "branch: main", "branches: all", "group: \"g\"", "mode: consume, window: tumbling(1s)",
            "delivery: reliable, on_full: drop",
        ])
    func invalid(options: String) throws {
        let bench = try WatchBench.filled()
        #expect(
            try bench.openFault("WATCH t: Task [\(options)] RETURN t") == .watchOptionInvalid, "\(options)")
        #expect(bench.hub.rows.isEmpty)
    }

    @Test("every option that is there is taken, in one bracket or in several")
    func valid() throws {
        let bench = try WatchBench.filled()
        let watch = try bench.open(
            """
            WATCH t: Task WHERE t.rank > 0 [mode: consume, group: "workers"] [ordering: attribute(t.rank DESC, t.title)]
                [delivery: reliable, visibility: committed, window: none, buffer: 7, on_full: error]
                [ack_timeout: 30s, max_redeliveries: 5, dead_letter: #box, initial: none, filter: t.rank < 9,
                 deliver_on: commit] RETURN t.title
            """)
        let row = try #require(bench.hub.rows.first)
        #expect("_Watch/" + row.key == watch)
        #expect(row["mode"] == .string("consume"))
        #expect(row["group"] == .string("workers"))
        #expect(row["ordering"] == .string("attribute(t.rank DESC, t.title)"))
        #expect(row["delivery"] == .string("reliable"))
        #expect(row["visibility"] == .string("committed"))
        #expect(row["buffer_size"] == .int(7))
        #expect(row["on_full"] == .string("error"))
        #expect(row["status"] == .string("active"))
        let options = try #require(bench.hub.watches["w1"]).options
        #expect(options.acknowledgementTimeout == 30_000)
        #expect(options.redeliveryCountMax == 5)
        #expect(!options.showsInitial)
    }

    @Test("the defaults are those of the table")
    func defaults() throws {
        let (bench, _) = try open("mode: watch")
        let options = try #require(bench.hub.watches["w1"]).options
        #expect(options.mode == .watch && options.group == nil && options.window == nil)
        #expect(options.delivery == .bestEffort && options.overflow == .drop && options.buffer == 1000)
        #expect(options.acknowledgementTimeout == 30_000 && options.redeliveryCountMax == 3)
        #expect(options.deadLetter == nil && options.showsInitial && options.filter == nil)
        #expect(options.ordering.text == "arrival")
    }

    @Test("values may be parameters")
    func parameters() throws {
        let bench = try WatchBench.filled()
        _ = try bench.open(
            "WATCH t: Task [mode: consume, buffer: $n, group: $g, ack_timeout: $d] RETURN t",
            ["n": .int(9), "g": .string("x"), "d": .duration(7)])
        #expect(bench.hub.rows.first?["buffer_size"] == .int(9))
        #expect(bench.hub.rows.first?["group"] == .string("x"))
    }

    @Test("the events of one change come in the order of the attribute asked for")
    func ordering() throws {
        let bench = try WatchBench.filled()
        func titles(_ ordering: String) throws -> [String] {
            let watch = try bench.open(
                "WATCH t: Task [initial: none, ordering: \(ordering)] RETURN t.title")
            try bench.change(
                """
                BEGIN SPAWN Task { title = "b", rank = 2 } SPAWN Task { title = "c", rank = 9 }
                SPAWN Task { title = "a", rank = 4 } COMMIT
                """)
            let events = bench.events(watch)
            try bench.change("MATCH t: Task WHERE length(t.title) = 1 KILL t")
            return events
        }
        #expect(try titles("attribute(t.rank)") == ["added b", "added a", "added c"])
        #expect(try titles("attribute(t.rank DESC)") == ["added c", "added a", "added b"])
        #expect(try titles("attribute(t.title)") == ["added a", "added b", "added c"])
        #expect(try titles("causal") == ["added b", "added c", "added a"])
    }

    @Test("a tumbling window delivers at its end what came in it")
    func tumbling() throws {
        let (bench, watch) = try open("window: tumbling(5s), initial: none")
        try bench.change("SPAWN Task { title = \"a\" }")
        #expect(bench.events(watch) == [])
        #expect(bench.hub.nextDeadline == bench.now + 5000)
        try bench.pass(4999)
        #expect(bench.events(watch) == [])
        try bench.pass(1)
        #expect(bench.events(watch) == ["added a"])
        #expect(bench.hub.nextDeadline == nil)
        // Windows in which nothing came pass unseen.
        try bench.pass(12_000)
        try bench.change("SPAWN Task { title = \"b\" }")
        try bench.pass(2_999)
        #expect(bench.events(watch) == [])
        try bench.pass(1)
        #expect(bench.events(watch) == ["added b"])
    }

    @Test("a sliding window delivers at each interval what came in the window before it")
    func sliding() throws {
        let (bench, watch) = try open("window: sliding(10s, 5s), initial: none")
        try bench.pass(1000)
        try bench.change("SPAWN Task { title = \"a\" }")
        try bench.pass(4000)
        #expect(bench.events(watch) == ["added a"])
        try bench.pass(1000)
        try bench.change("SPAWN Task { title = \"b\" }")
        try bench.pass(4000)
        #expect(bench.events(watch) == ["added a", "added b"])
        try bench.pass(5000)
        #expect(bench.events(watch) == ["added b"])
        try bench.pass(5000)
        #expect(bench.events(watch) == [])
        #expect(bench.hub.nextDeadline == nil)
    }

    @Test("what cannot be altered is refused, and what can takes effect")
    func alter() throws {
        let (bench, watch) = try open("initial: none")
        for option in [
            "mode: consume", "group: \"g\"", "ordering: arrival", "visibility: committed", "window: none",
            "ack_timeout: 1s", "max_redeliveries: 1", "dead_letter: #box", "initial: none",
            "deliver_on: commit",
        ] {
            #expect(
                try bench.manageFault("ALTER WATCH #\"\(watch)\" SET [\(option)]") == .watchOptionImmutable,
                "\(option)")
        }
        #expect(try bench.manageFault("ALTER WATCH w1 SET [colour: red]") == .watchOptionInvalid)
        #expect(try bench.manageFault("ALTER WATCH w1 SET [buffer: 0]") == .watchOptionInvalid)
        #expect(try bench.manageFault("ALTER WATCH w1 SET [filter: t.colour = 1]") == .unknownAttribute)
        #expect(bench.hub.rows.first?["buffer_size"] == .int(1000))
        try bench.manage("ALTER WATCH w1 SET [buffer: 3, on_full: block, delivery: reliable]")
        #expect(bench.hub.rows.first?["buffer_size"] == .int(3))
        #expect(bench.hub.rows.first?["on_full"] == .string("block"))
        #expect(bench.hub.rows.first?["delivery"] == .string("reliable"))
        #expect(try bench.manageFault("ALTER WATCH w1 SET [on_full: drop]") == .watchOptionInvalid)
        // A narrower filter takes away what it leaves out, a wider one gives it back.
        try bench.manage("ALTER WATCH w1 SET [filter: t.rank > 3]")
        #expect(bench.events(watch) == ["removed dig"])
        try bench.manage("ALTER WATCH w1 SET [filter: t.rank > $least]", ["least": .int(2)])
        #expect(bench.events(watch) == ["added dig"])
    }
}
