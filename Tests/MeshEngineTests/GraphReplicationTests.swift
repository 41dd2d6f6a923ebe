import MEW
import MeshAPI
import MeshCore
import MeshEngine
import MeshGraph
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@Suite("The graph on several nodes", .tags(.Size.small))
struct GraphReplicationTests {
    private func linked(_ count: Int = 3) throws -> Mesh {
        let mesh = try Mesh(count: count, threshold: count > 2 ? 2 : 1)
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        return mesh
    }

    @Test func `what one node writes every node has, with the same canonical dump`() throws {
        let mesh = try linked()
        try mesh.mew(0, Mesh.people)
        #expect(try mesh.converge())
        try mesh.mew(
            1,
            "BEGIN SPAWN #ann: Person { name = \"Ann\", age = 30 } SPAWN #bob: Person { name = \"Bob\" } LINK knows(#ann, #bob) COMMIT"
        )
        #expect(try mesh.converge())
        try mesh.mew(2, "SET #ann { age = 31 }")
        try mesh.mew(2, "SPAWN #dig: Task { title = \"dig\" }")
        #expect(try mesh.converge())
        for node in 0..<3 {
            #expect(
                try mesh.rows(node, "MATCH p: Person RETURN p.name, p.age ORDER BY p.name") == [
                    ["Ann", "31"], ["Bob", "null"],
                ])
            #expect(
                try mesh.rows(
                    node, "MATCH a: Person, b: Person, knows(a, b) RETURN a.name, b.name ORDER BY a.name")
                    == [["Ann", "Bob"], ["Bob", "Ann"]])
        }
        try mesh.expectEqualGraphs([0, 1, 2])
    }

    @Test func `a node sees its own writes at once, also while it is alone`() throws {
        let mesh = try linked()
        try mesh.mew(0, Mesh.people)
        mesh.cut(0, 1)
        mesh.cut(0, 2)
        try mesh.mew(0, "SPAWN #ann: Person { name = \"Ann\" }")
        #expect(try mesh.rows(0, "MATCH p: Person RETURN p.name") == [["Ann"]])
        let run = try mesh.mew(0, "SET #ann { age = 3 } MATCH p: Person RETURN p.age")
        #expect(run.results.last?.rows == [[.int(3)]])
        #expect(throws: Diagnostic.self) { try mesh.mew(0, "SPAWN p: Person { name = \"Ann\" }") }
        mesh.connect(0, 1)
        #expect(try mesh.converge())
        try mesh.expectEqualGraphs([0, 1, 2])
    }

    @Test func `ontologies that two nodes declare apart become one schema everywhere`() throws {
        let mesh = try linked(4)
        try mesh.mew(0, "ontology base { node Thing { name: String [required] } }")
        #expect(try mesh.converge())
        for a in [0, 1] { for b in [2, 3] { mesh.cut(a, b) } }
        try mesh.mew(
            0,
            "ontology left { node Plant { latin: String } edge grows(what: Plant, at: Thing) node Shared { from: String = \"left\" } }"
        )
        try mesh.mew(
            2,
            "ontology right { node Stone { weight: Int } edge lies(what: Stone, at: Thing) node Shared { from: String = \"right\" } }"
        )
        try mesh.mew(
            1,
            "BEGIN SPAWN #garden: Thing { name = \"garden\" } SPAWN #rose: Plant { latin = \"rosa\" } LINK grows(#rose, #garden) COMMIT"
        )
        try mesh.mew(
            3,
            "BEGIN SPAWN #quarry: Thing { name = \"quarry\" } SPAWN #slab: Stone { weight = 7 } LINK lies(#slab, #quarry) COMMIT"
        )
        #expect(throws: Diagnostic.self) { try mesh.mew(3, "SPAWN p: Plant { latin = \"x\" }") }
        for a in [0, 1] { for b in [2, 3] { mesh.connect(a, b) } }
        #expect(try mesh.converge())
        try mesh.expectEqualGraphs([0, 1, 2, 3])
        for node in 0..<4 {
            #expect(
                try mesh.rows(node, "MATCH p: Plant, t: Thing, grows(p, t) RETURN t.name") == [["garden"]])
            #expect(try mesh.rows(node, "MATCH s: Stone, t: Thing, lies(s, t) RETURN t.name") == [["quarry"]])
            #expect(
                try mesh.rows(node, "MATCH c: _Conflict RETURN c.kind, c.name") == [
                    ["declaration", "Shared"]
                ])
        }
        // Either side may use both, and the join is what it is checked against.
        try mesh.mew(3, "BEGIN SPAWN #fern: Plant { latin = \"filix\" } LINK grows(#fern, #quarry) COMMIT")
        #expect(try mesh.converge())
        try mesh.expectEqualGraphs([0, 1, 2, 3])
        #expect(
            try mesh.rows(0, "MATCH p: Plant, t: Thing, grows(p, t) RETURN t.name ORDER BY t.name") == [
                ["garden"], ["quarry"],
            ])
    }

    @Test func `what two nodes broke together is listed alike everywhere, until somebody mends it`() throws {
        let mesh = try linked()
        try mesh.mew(0, Mesh.people)
        try mesh.mew(
            0,
            "BEGIN SPAWN #t1: Task { title = \"one\" } SPAWN #t2: Task { title = \"two\" } SPAWN #p0: Person { name = \"Eve\" } COMMIT"
        )
        #expect(try mesh.converge())
        for other in [1, 2] { mesh.cut(0, other) }
        mesh.cut(1, 2)
        // Longer than what an index keeps of a text, and the same as far as that goes.
        let long = String(repeating: "x", count: 2_000)
        for node in 0..<3 {
            try mesh.mew(
                node,
                "BEGIN SPAWN #me\(node): Person { name = \"Ann\", age = \(node) } LINK assigned(#t1, #me\(node)) COMMIT"
            )
            try mesh.mew(node, "SPAWN p: Person { name = \"\(long)a\" }")
            try mesh.mew(node, "SPAWN p: Person { name = \"\(long)b\" }")
        }
        try mesh.mew(0, "LINK part_of(#t1, #t2)")
        try mesh.mew(1, "LINK part_of(#t2, #t1)")
        for other in [1, 2] { mesh.connect(0, other) }
        mesh.connect(1, 2)
        #expect(try mesh.converge())
        try mesh.expectEqualGraphs([0, 1, 2])
        for node in 0..<3 {
            let kinds = try mesh.rows(
                node, "MATCH c: _Conflict RETURN c.kind, c.name, length(c.entities) ORDER BY c.kind, c.name")
            #expect(
                kinds == [
                    ["acyclic", "part_of", "2"], ["cardinality", "assigned", "4"],
                    ["unique", "Person.name", "3"], ["unique", "Person.name", "3"],
                    ["unique", "Person.name", "3"],
                ], "node \(node)")
        }
        try mesh.mew(2, "BEGIN MATCH p: Person WHERE p.name = \"Ann\" AND p.age > 0 KILL p COMMIT")
        try mesh.mew(2, "MATCH a: Task, b: Task, part_of(a, b) AS e WHERE a.title = \"two\" UNLINK e")
        #expect(try mesh.converge())
        try mesh.expectEqualGraphs([0, 1, 2])
        for node in 0..<3 {
            #expect(
                try mesh.rows(node, "MATCH c: _Conflict RETURN c.kind, c.name") == [
                    ["unique", "Person.name"], ["unique", "Person.name"],
                ])
        }
    }

    @Test func `a node made again from its store goes on with the same graph`() throws {
        let mesh = try linked()
        try mesh.mew(0, Mesh.people)
        try mesh.mew(0, "SPAWN #ann: Person { name = \"Ann\" }")
        #expect(try mesh.converge())
        let before = try mesh.dump(0)
        for node in 0..<3 {
            mesh.kill(node)
            try mesh.restart(node)
        }
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        for node in 0..<3 { #expect(try mesh.dump(node) == before) }
        try mesh.mew(1, "SPAWN #bob: Person { name = \"Bob\" }")
        try mesh.mew(2, "ontology more { node Extra { n: Int } }")
        #expect(try mesh.converge())
        try mesh.mew(0, "SPAWN x: Extra { n = 1 }")
        #expect(try mesh.converge())
        try mesh.expectEqualGraphs([0, 1, 2])
    }

    @Test func `a node that joins late builds the same graph`() throws {
        let mesh = try linked(4)
        mesh.kill(3)
        try mesh.mew(0, Mesh.people)
        for number in 0..<20 {
            try mesh.mew(number % 3, "SPAWN #p\(number): Person { name = \"p\(number)\", age = \(number) }")
            #expect(try mesh.converge([0, 1, 2]))
        }
        try mesh.mew(1, "MATCH p: Person WHERE p.age > 15 KILL p")
        mesh.nodes[3].storage = MemoryStorage()
        try mesh.restart(3)
        #expect(try mesh.converge())
        #expect(try mesh.rows(3, "MATCH p: Person RETURN COUNT(*)") == [["16"]])
        try mesh.expectEqualGraphs([0, 1, 2, 3])
    }

    @Test func `an index that somebody made here outlives a rebuild`() throws {
        let mesh = try linked(1)
        try mesh.mew(0, Mesh.people)
        try mesh.mew(0, "CREATE INDEX by_age ON Person(age)")
        func names() throws -> [String] {
            try GraphView(mesh.nodes[0].storage).indexes().map(\.definition.name).sorted()
        }
        let before = try names()
        #expect(before.contains("by_age"))
        try mesh.rebuild(0)
        #expect(try names() == before)
    }
}
