import MeshCore
import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

/// Whoever plays a watch's events over what it began with has what a MATCH gives in the end.
@Suite("Watches, replayed", .tags(.Size.small))
struct WatchReplayTests {
    private struct Query {
        let pattern: String
        let variables: [String]
        /// Whether only what is touched needs to be looked at.
        let isIncremental: Bool

        init(_ pattern: String, _ variables: [String], isIncremental: Bool) {
            self.pattern = pattern
            self.variables = variables
            self.isIncremental = isIncremental
        }

        /// All that tells a match, and values that change.
        var projections: String {
            variables.map { "\($0).id AS \($0)_id, \($0) AS \($0)_value" }.joined(separator: ", ")
        }
    }

    private static let queries = [
        Query("t: Task", ["t"], isIncremental: true),
        Query("t: Task WHERE t.rank > 2", ["t"], isIncremental: true),
        Query("t: Task WHERE NOT t.done AND t.rank < 4", ["t"], isIncremental: true),
        Query("t: Task, p: Person, assigned(t, p)", ["t", "p"], isIncremental: true),
        Query("t: Task, p: Person, assigned(t, p) WHERE t.rank > p.age", ["t", "p"], isIncremental: true),
        Query("t: Task, p: Person, assigned(t, p) AS a", ["t", "p", "a"], isIncremental: true),
        Query(
            "t: Task, p: Person, assigned(t, p) AS a WHERE a.since >= 2", ["t", "p", "a"], isIncremental: true
        ),
        Query("t: Task, assigned(t, _)", ["t"], isIncremental: true),
        Query("a: Task, b: Task, part_of(a, b)", ["a", "b"], isIncremental: true),
        Query("a: Task, part_of(a, a)", ["a"], isIncremental: true),
        Query(
            "a: Task, b: Task, c: Task, part_of(a, b), part_of(b, c)", ["a", "b", "c"], isIncremental: true),
        Query("a: Person, b: Person WHERE a.age = b.age", ["a", "b"], isIncremental: true),
        Query("x: Task | Person", ["x"], isIncremental: true),
        Query("t: Task WHERE EXISTS(p: Person, assigned(t, p))", ["t"], isIncremental: false),
        Query("t: Task WHERE NOT EXISTS(p: Person, assigned(t, p))", ["t"], isIncremental: false),
        Query(
            "p: Person WHERE NOT EXISTS(t: Task, assigned(t, p) WHERE t.rank > 2)", ["p"],
            isIncremental: false
        ),
        Query("p: Person WHERE COUNT(t: Task, assigned(t, p)) > 1", ["p"], isIncremental: false),
        Query("a: Task, b: Task, part_of+(a, b)", ["a", "b"], isIncremental: false),
        Query("a: Task, b: Task, part_of*(a, b) WHERE b.rank > 2", ["a", "b"], isIncremental: false),
        Query("t: Task, assigned(t, #ann)", ["t"], isIncremental: false),
    ]

    /// A random program over a handful of keyed entities, so that things come and go and come again.
    private static func change(_ chance: inout SeededGenerator) -> String {
        func task() -> String { "#t\(Int.random(in: 0..<6, using: &chance))" }
        func person() -> String { ["#ann", "#bob", "#cem"].randomElement(using: &chance) ?? "#ann" }
        switch Int.random(in: 0..<12, using: &chance) {
        case 0, 1:
            return "SPAWN \(task()): Task { title = \"x\", rank = \(Int.random(in: 1...5, using: &chance)) }"
        case 2:
            return
                "SPAWN \(person()): Person { name = \"n\", age = \(Int.random(in: 1...4, using: &chance)) }"
        case 3: return "KILL \(task())"
        case 4: return "KILL \(person())"
        case 5: return "SET \(task()).rank = \(Int.random(in: 1...5, using: &chance))"
        case 6: return "SET \(task()).done = \(Bool.random(using: &chance))"
        case 7: return "SET \(person()).age = \(Int.random(in: 1...4, using: &chance))"
        case 8, 9:
            return
                "LINK assigned(\(task()), \(person())) { since = \(Int.random(in: 1...4, using: &chance)) }"
        case 10: return "LINK part_of(\(task()), \(task()))"
        default:
            return Bool.random(using: &chance)
                ? "UNLINK assigned(\(task()), _)" : "UNLINK part_of(_, \(task()))"
        }
    }

    @Test("a watch's events over its initial set give what a fresh MATCH gives", arguments: Seed.sample(40))
    func replay(seed: Seed) throws {
        var chance = seed.generator
        let bench = WatchBench()
        try bench.change(WatchBench.ontology)
        for _ in 0..<15 { _ = try? bench.bench.run(Self.change(&chance)) }
        try bench.tell()
        var open: [(query: Query, watch: String, state: [String: String])] = []
        for query in Self.queries {
            let size = [3, 1000].randomElement(using: &chance) ?? 3
            let watch = try bench.open(
                "WATCH \(query.pattern) [buffer: \(size), on_full: block] RETURN \(query.projections)")
            open.append((query, watch, [:]))
        }
        func fetch(_ index: Int) throws {
            for event in bench.hub.take(open[index].watch, countMax: 10_000, now: bench.now) ?? [] {
                let count = open[index].query.variables.count
                let key = (0..<count).map { event.values[2 * $0].text }.joined(separator: " ")
                let old = open[index].state[key]
                let context = "\(open[index].query.pattern): \(event.text)"
                switch event.kind {
                case .initial, .added:
                    #expect(old == nil, "\(seed) \(context)")
                    open[index].state[key] = Self.text(event.values)
                case .changed:
                    #expect(old == event.previous.map(Self.text), "\(seed) \(context)")
                    open[index].state[key] = Self.text(event.values)
                case .removed:
                    #expect(old != nil, "\(seed) \(context)")
                    open[index].state[key] = nil
                default: Issue.record("\(seed) \(context)")
                }
            }
        }
        for _ in 0..<40 {
            // Several changes may come before anybody looks.
            for _ in 0..<Int.random(in: 1...3, using: &chance) {
                _ = try? bench.bench.run(Self.change(&chance))
            }
            try bench.tell()
            for index in open.indices where Bool.random(using: &chance) { try fetch(index) }
        }
        for index in open.indices {
            // Those that were full catch up, a buffer at a time.
            repeat {
                try fetch(index)
                if bench.hub.wantsToCatchUp { try bench.tell() }
            } while bench.hub.hasEvents(open[index].watch)
            let query = open[index].query
            let rows = try bench.bench.run("MATCH \(query.pattern) RETURN DISTINCT \(query.projections)")
            let fresh = Set(rows.last?.rows.map(Self.text) ?? [])
            #expect(
                Set(open[index].state.values) == fresh, "\(seed) \(query.pattern)")
            let detector = try #require(bench.hub.watches[WatchHub.key(open[index].watch)]).detector
            #expect(query.isIncremental == !detector.program.reads.looksFurther, "\(query.pattern)")
            if query.isIncremental { #expect(detector.partCount > 0) }
        }
    }

    private static func text(_ values: [ResultValue]) -> String {
        values.map { value in
            guard case .entity(let entity) = value else { return value.text }
            return entity.id + "{"
                + entity.attributes.map { "\($0.name)=\($0.value.text)" }.joined(separator: ",") + "}"
        }.joined(separator: " ")
    }
}
