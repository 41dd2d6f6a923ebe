import IPLD
import MeshCore
import MeshDAG
import MeshGraph
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@testable import MEW

/// Three nodes that write apart, hear of one another in any order, and take the end of one feed back.
private struct Trio {
    struct Message {
        let entry: GraphChangeEntry
        let position: EntryPosition
    }

    static let ontology = """
        ontology shared {
          node Person { name: String? [unique]  age: Int? [indexed]  note: String? }
          node Worker : Person { wage: Int? }
          node Task { title: String?  points: Int = 1  at: Timestamp = now() }
          edge knows(a: Person, b: Person) [symmetric, unique] { weight: Int? }
          edge assigned(task: Task, person: Person) [task -> 0..1] { since: Int? }
          edge part_of(part: Task, whole: Task) [acyclic, on_kill_target: cascade]
          edge praises(who: Person, what: edge<assigned>)
          rule tired [priority: 2]: t: Task WHERE t.points = 5 => SET t.points = 6
          constraint old: p: Person => p.age = null OR p.age >= 0
        }
        """

    let benches = [1, 2, 3].map { Workbench(author: UInt8($0)) }
    var generator: SeededGenerator
    /// What each has published, in order of its feed.
    var feeds: [[Message]] = [[], [], []]
    /// The places of feeds that each has folded, own ones too.
    var folded: [Set<[Int]>] = [[], [], []]
    /// From where on the first one's feed is taken back, once it is.
    var forkAt: Int?
    var hasUndone: Set<Int> = []

    init(_ generator: SeededGenerator) {
        self.generator = generator
        for (place, bench) in benches.enumerated() {
            // Clocks that disagree.
            bench.now = Timestamp(milliseconds: 1_700_000_000_000 + Int64(place) * 7)
        }
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[number(0...values.count - 1)] }

    // MARK: Writing

    /// Runs a program at one of them; what is refused there has changed nothing.
    mutating func write(_ place: Int, _ source: String) throws {
        let bench = benches[place]
        bench.now = Timestamp(milliseconds: bench.now.milliseconds + Int64(number(0...20)))
        let before = bench.history.count
        let state = try GraphDump(GraphView(bench.storage)).text()
        do { try bench.run(source) } catch is Diagnostic {
            #expect(try GraphDump(GraphView(bench.storage)).text() == state, "\(source)")
        }
        // Nobody finds a change of its own void.
        #expect(Int(bench.seq) == feeds[place].count + bench.history.count - before, "\(source)")
        for (entry, position) in bench.history[before...] {
            folded[place].insert([place, feeds[place].count])
            feeds[place].append(Message(entry: entry, position: position))
        }
    }

    private func ids(_ place: Int, _ pattern: String) throws -> [String] {
        try benches[place].rows("MATCH \(pattern) RETURN x.id ORDER BY x.id").compactMap(\.first)
    }

    mutating func writeSomething(_ place: Int) throws {
        if place == 0, forkAt != nil { return }
        let people = try ids(place, "x: Person")
        let tasks = try ids(place, "x: Task")
        let edges = try ids(place, "assigned(_, _) AS x") + ids(place, "knows(_, _) AS x")
        func ref(_ ids: [String], _ trio: inout Trio) -> String {
            ids.isEmpty ? "#nobody" : "#\"\(trio.pick(ids))\""
        }
        let key = pick(["k1", "k2", "k3"])
        let name = pick(["\"Ann\"", "\"Bob\"", "null", "\"Cem\""])
        switch number(0...15) {
        case 0: try write(place, "SPAWN p: Person { name = \(name), age = \(number(-1...9)) }")
        case 1: try write(place, "SPAWN #\(key): \(pick(["Person", "Worker", "Task"]))")
        case 2: try write(place, "SPAWN t: Task { title = \"t\", points = \(number(3...5)) }")
        case 3: try write(place, "LINK knows(\(ref(people, &self)), \(ref(people, &self))) { weight = 1 }")
        case 4, 5: try write(place, "LINK assigned(\(ref(tasks, &self)), \(ref(people, &self)))")
        case 6: try write(place, "LINK part_of(\(ref(tasks, &self)), \(ref(tasks, &self)))")
        case 7, 8: try write(place, "SET \(ref(people, &self)) { age = \(number(0...9)), name = \(name) }")
        case 9: try write(place, "SET \(ref(tasks, &self)).points = \(number(0...5))")
        case 10: try write(place, "KILL \(ref(people + tasks, &self))")
        case 11: try write(place, "UNLINK \(ref(edges, &self))")
        case 12:
            let assigned = try ids(place, "assigned(_, _) AS x")
            try write(place, "LINK praises(\(ref(people, &self)), \(ref(assigned, &self)))")
        case 13:
            // The same names, meant alike or not.
            let type = pick(["Int?", "String?", "Int = 3"])
            let number = number(0...3)
            try write(
                place,
                """
                EXTEND ONTOLOGY { node Extra\(number) { x: \(type) }  edge joins\(number)(a: Extra\(number), b: any) }
                """)
        case 14: try write(place, "SPAWN e: Extra\(number(0...3)) { x = \(pick(["1", "\"one\"", "null"])) }")
        default:
            try write(
                place,
                """
                BEGIN
                SPAWN a: Person { note = "both" }
                SPAWN b: Task
                LINK assigned(b, a) AS c
                LINK praises(\(ref(people, &self)), c)
                SET a.age = 3
                COMMIT
                """)
        }
    }

    // MARK: Hearing

    /// Folds one of the entries that `place` has not heard of yet.
    mutating func hear(_ place: Int, _ message: [Int]) throws {
        if isTakenBack(message), hasUndone.contains(place) { return }
        guard folded[place].insert(message).inserted else { return }
        let given = feeds[message[0]][message[1]]
        let bench = benches[place]
        for cid in given.entry.attachments {
            if try bench.storage.hasBlock(cid) { continue }
            let bytes = try #require(try benches[message[0]].storage.block(cid))
            try bench.storage.putBlock(bytes, cid: cid)
        }
        let outcome = try bench.replica.fold(given.entry, at: given.position, in: bench.storage)
        #expect(outcome.void == nil)
    }

    func unheard(_ place: Int) -> [[Int]] {
        feeds.indices.flatMap { author in feeds[author].indices.map { [author, $0] } }
            .filter { !folded[place].contains($0) && !(isTakenBack($0) && hasUndone.contains(place)) }
    }

    private func isTakenBack(_ message: [Int]) -> Bool {
        forkAt.map { message[0] == 0 && message[1] >= $0 } ?? false
    }

    /// Takes the forked suffix back at one of them, in any order.
    mutating func undo(_ place: Int) throws {
        guard forkAt != nil, hasUndone.insert(place).inserted else { return }
        let bench = benches[place]
        for message in folded[place].filter(isTakenBack).sorted(by: { $0[1] < $1[1] })
            .shuffled(using: &generator)
        {
            let given = feeds[0][message[1]]
            _ = try bench.replica.undo(given.entry, at: given.position, in: bench.storage)
            folded[place].remove(message)
        }
    }

    // MARK: Comparing

    static func state(_ bench: Workbench) throws -> String {
        try GraphDump(GraphView(bench.storage)).text() + "\n" + declarations(bench.replica.schema)
            + "\n\(bench.replica.heads)"
    }

    static func declarations(_ schema: GraphSchema) throws -> String {
        let bench = Workbench()
        return try [ShowStatement.types, .edges, .rules, .constraints, .policies]
            .map { "\(try schema.table(for: $0).map { "\($0)" } ?? "")" }.joined(separator: "\n")
            + schema.nodes.keys.sorted().map { name in
                "\(name): \(schema.nodes[name]?.attributes.map { "\($0.name) \($0.type)" } ?? [])"
            }.joined(separator: "\n") + "\(bench.seq)"
    }
}

@Suite("Replicas with the same changes are the same", .tags(.Size.small))
struct ReplicaTests {
    @Test(
        "whatever the order in which changes arrive, and whenever the end of a feed is taken back",
        arguments: Seed.sample(TwinTests.count(40)))
    func convergence(_ seed: Seed) throws {
        var trio = Trio(seed.generator)
        try trio.write(0, Trio.ontology)
        // Two learn it, or one declares the same by itself.
        try trio.hear(1, [0, 0])
        if trio.number(0...1) == 0 { try trio.hear(2, [0, 0]) } else { try trio.write(2, Trio.ontology) }
        for step in 0..<60 {
            let place = trio.number(0...2)
            switch trio.number(0...3) {
            case 0, 1: try trio.writeSomething(place)
            case 2:
                for message in trio.unheard(place).shuffled(using: &trio.generator).prefix(trio.number(1...6))
                {
                    try trio.hear(place, message)
                }
            default: if trio.number(0...2) == 0 { try trio.undo(place) }
            }
            if step == 30, trio.feeds[0].count > 3 {
                // Never the first: everybody's ontology would go with it.
                trio.forkAt = trio.number(1...trio.feeds[0].count - 1)
            }
        }
        for place in 0..<3 {
            if trio.number(0...1) == 0 { try trio.undo(place) }
            for message in trio.unheard(place).shuffled(using: &trio.generator) {
                try trio.hear(place, message)
            }
            try trio.undo(place)
        }
        let states = try trio.benches.map { try Trio.state($0) }
        for place in 1..<3 where states[place] != states[0] {
            let lines = states.map { $0.split(separator: "\n") }
            let own = lines[place].filter { !lines[0].contains($0) }
            let other = lines[0].filter { !lines[place].contains($0) }
            Issue.record(
                "\(place) differs\n  has:   \(own.joined(separator: "\n         "))\n  lacks: \(other.joined(separator: "\n         "))"
            )
        }
        for bench in trio.benches {
            // The same is read from the store, and it can be written to.
            let restored = try GraphReplica(restoring: bench.storage)
            #expect(restored.heads == bench.replica.heads)
            #expect(
                try Trio.declarations(restored.schema) == Trio.declarations(bench.replica.schema))
        }
        // A suffix taken back leaves no trace: one who never had it is the same.
        let fresh = Workbench(author: 9)
        for place in trio.folded[1].sorted(by: { ($0[1], $0[0]) < ($1[1], $1[0]) }) {
            let given = trio.feeds[place[0]][place[1]]
            for cid in given.entry.attachments {
                let bytes = try #require(try trio.benches[1].storage.block(cid))
                try fresh.storage.putBlock(bytes, cid: cid)
            }
            _ = try fresh.replica.fold(given.entry, at: given.position, in: fresh.storage)
        }
        #expect(try Trio.state(fresh) == states[1])
        try trio.write(1, "SPAWN last: Person { note = \"last\" }")
        #expect(
            try trio.benches[1].rows("MATCH p: Person WHERE p.note = \"last\" RETURN COUNT(*)") == [["1"]])
    }

    @Test("an ontology stays in force as long as a change that names it is kept, whichever came first")
    func ontologyInForce() throws {
        var trio = Trio(SeededGenerator(seed: 1))
        try trio.write(0, Trio.ontology)
        try trio.write(0, "SPAWN #t: Task { title = \"t\" }")
        try trio.write(0, "SPAWN #u: Task { title = \"u\" }")
        for message in [2, 0, 1] { try trio.hear(1, [0, message]) }
        for message in [1, 2, 0] { try trio.hear(2, [0, message]) }
        trio.forkAt = 1
        for place in 0..<3 { try trio.undo(place) }
        let states = try trio.benches.map { try Trio.state($0) }
        #expect(states[0].contains("Worker"))
        #expect(states == [states[0], states[0], states[0]])
        trio.forkAt = 0
        trio.hasUndone = []
        for place in 0..<3 { try trio.undo(place) }
        let empty = try Trio.state(Workbench())
        #expect(try trio.benches.map { try Trio.state($0) } == [empty, empty, empty])
    }

    @Test("ontologies too large together leave those that fit in force, and the graph open to writing")
    func tooMuchTogether() throws {
        let benches = [Workbench(author: 1), Workbench(author: 2)]
        // Two chains, each of more than half of what an ontology may have.
        let filling = String(repeating: "\n", count: 190_000)
        let messages = try [3, 4].map { author in
            var blocks: [Block] = []
            for number in 0..<12 {
                let source = "node N\(author)_\(number) { } \(filling) node M\(author)_\(number) { }"
                blocks.append(
                    try OntologyBlock(bases: blocks.last.map { [$0.cid] } ?? [], source: source).block)
            }
            let change = GraphChange(operations: [
                .spawn(type: "N\(author)_0", key: "k\(author)", attributes: [])
            ])
            let (entry, _) = try GraphChangeEntry.split(
                change.encoded(), ontology: blocks[11].cid, bases: blocks[..<11].map(\.cid).sorted())
            let position = EntryPosition(
                author: Workbench(author: UInt8(author)).author, scope: "default", seq: 0, index: 0,
                time: HybridTime(milliseconds: 1, counter: 0))
            return (entry, blocks, position)
        }
        for (bench, order) in zip(benches, [messages, messages.reversed()]) {
            for (entry, blocks, position) in order { try bench.receive(entry, blocks, at: position) }
            #expect(bench.replica.heads.count == 2)
            let types = bench.replica.schema.nodes.keys.filter { SystemOntology.schema.nodes[$0] == nil }
            #expect(types.count == 24)
        }
        #expect(try Trio.state(benches[0]) == Trio.state(benches[1]))
        let known = benches[0].replica.schema.nodes["N3_0"] == nil ? "N4_0" : "N3_0"
        #expect(try benches[0].fault("SPAWN n: \(known)") == nil)
        #expect(try benches[0].rows("MATCH n: \(known) RETURN COUNT(*)") == [["2"]])
    }

    @Test("what breaks a constraint only once it is joined stays on both sides, and everywhere alike")
    func mergesKeepBoth() throws {
        var trio = Trio(SeededGenerator(seed: 1))
        try trio.write(0, Trio.ontology)
        try trio.write(0, "SPAWN #t: Task { title = \"t\" }")
        try trio.write(0, "SPAWN #u: Task { title = \"u\" }")
        try trio.hear(1, [0, 0])
        try trio.hear(1, [0, 1])
        try trio.hear(1, [0, 2])
        for place in [0, 1] {
            try trio.write(place, "SPAWN p: Person { name = \"Ann\", age = \(place) }")
            try trio.write(place, "LINK assigned(#t, p)")
        }
        try trio.write(0, "LINK part_of(#t, #u)")
        try trio.write(1, "LINK part_of(#u, #t)")
        for place in [0, 1] { for message in trio.unheard(place) { try trio.hear(place, message) } }
        for bench in [trio.benches[0], trio.benches[1]] {
            #expect(
                try bench.rows("MATCH p: Person WHERE p.name = \"Ann\" RETURN p.age ORDER BY p.age") == [
                    ["0"], ["1"],
                ])
            #expect(try bench.rows("MATCH assigned(#t, _) RETURN COUNT(*)") == [["2"]])
            #expect(
                try bench.rows("MATCH t: Task, part_of+(t, t) RETURN t.title ORDER BY t.title") == [
                    ["t"], ["u"],
                ])
            // What is broken can be mended, and not be made worse.
            #expect(
                try bench.fault("LINK assigned(#t, { MATCH p: Person RETURN p LIMIT 1 })")
                    == .cardinalityExceeded)
            #expect(try bench.fault("SPAWN p: Person { name = \"Ann\" }") == .duplicateUnique)
            // Where one is wanted, the one that was there first is meant; others are not told apart so.
            let ann = "{ MATCH p: Person WHERE p.name = \"Ann\" RETURN p }"
            #expect(try bench.fault("LINK knows(\(ann), { MATCH t: Task RETURN t })") == .notOneMatch)
        }
        // The second author wrote first: its feed was shorter then, and its clock behind.
        let first =
            "BEGIN SPAWN q: Person { name = \"Bo\" } LINK knows(q, { MATCH p: Person WHERE p.name = \"Ann\" RETURN p }) MATCH p: Person, q: Person, knows(q, p) WHERE q.name = \"Bo\" RETURN p.age ROLLBACK"
        for bench in [trio.benches[0], trio.benches[1]] {
            #expect(try bench.run(first).dropLast().last?.rows.map { $0.map(\.text) } == [["1"]])
        }
        #expect(try Trio.state(trio.benches[0]) == Trio.state(trio.benches[1]))
    }
}
