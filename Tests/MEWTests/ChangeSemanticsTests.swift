import MeshCore
import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

/// Mutations, constraints, rules and transactions, one sentence of the language after the other.
@Suite("What changes do", .tags(.Size.small))
struct ChangeSemanticsTests {
    private func bench(_ ontology: String) throws -> Workbench {
        let bench = Workbench()
        try bench.run("ontology o { \(ontology) }")
        return bench
    }

    private func count(_ bench: Workbench, _ pattern: String) throws -> Int {
        Int(try bench.rows("MATCH \(pattern) RETURN COUNT(*)")[0][0]) ?? -1
    }

    // MARK: Attributes

    @Test func `defaults are filled in when something is made, and then stay`() throws {
        let bench = try bench(
            "node A { at: Timestamp = now()  in: Timestamp = now() + 7.days  n: Int = 2 * 3  s: String? = \"x\" }"
        )
        try bench.run("SPAWN #a: A")
        bench.now = Timestamp(milliseconds: 1_800_000_000_000)
        try bench.run("SPAWN #b: A { s = null }")
        #expect(
            try bench.rows("MATCH a: A RETURN a.at, a.in, a.n, a.s ORDER BY a.at") == [
                ["@1700000000000", "@1700604800000", "6", "x"],
                ["@1800000000000", "@1800604800000", "6", "null"],
            ])
    }

    @Test func `a value is unique among all types below the one that declares it, nulls apart`() throws {
        let bench = try bench("node A { k: String? [unique] } node B : A {} node C : A {}")
        try bench.run("SPAWN b: B { k = \"x\" }, b2: B, c2: C")
        #expect(try bench.fault("SPAWN c: C { k = \"x\" }") == .duplicateUnique)
        #expect(try bench.fault("SET c2.k = \"x\"") == .duplicateUnique)
        #expect(try bench.fault("SET b.k = \"x\"") == nil)
        try bench.run("KILL b")
        #expect(try bench.fault("SET c2.k = \"x\"") == nil)
        // What the transaction itself has made counts too.
        #expect(
            try bench.fault("BEGIN SPAWN d: A { k = \"y\" } SPAWN e: A { k = \"y\" } COMMIT")
                == .duplicateUnique)
        #expect(
            try bench.fault("BEGIN SPAWN d: A { k = \"y\" } KILL d SPAWN e: A { k = \"y\" } COMMIT") == nil)
    }

    @Test func `a read-only attribute is given a value once, and a required one always has one`() throws {
        let bench = try bench("node A { k: Int? [readonly]  r: Int [required] }")
        try bench.run("SPAWN #a: A { k = 1, r = 1 }")
        #expect(try bench.fault("SET #a.k = 1") == .readonlyAttribute)
        #expect(try bench.fault("SET #a.r = null") == .missingRequired)
        #expect(try bench.fault("SPAWN b: A { r = null }") == .missingRequired)
    }

    @Test func `an int becomes a float where one is declared, and indexes agree`() throws {
        let bench = try bench("node A { f: Float? [indexed]  n: Int? [indexed] }")
        try bench.run("SPAWN #a: A { f = 2, n = 3 }")
        #expect(try bench.rows("MATCH a: A WHERE a.f = 2 RETURN type_of(a.f)") == [["Float"]])
        for condition in [
            "a.n > 2.5", "a.n < 3.5", "a.n >= 2.5 AND a.n <= 3.5", "2.5 < a.n", "a.f > 1", "a.n < 1e30",
            "a.n > -1e30",
        ] {
            #expect(try count(bench, "a: A WHERE \(condition)") == 1, "\(condition)")
        }
        for condition in ["a.n > 3.5", "a.n < 2.5", "a.n = 2.5", "a.n > 1e30", "a.n < -1e30"] {
            #expect(try count(bench, "a: A WHERE \(condition)") == 0, "\(condition)")
        }
    }

    @Test func `an index finds what equals a value and nothing that is only near it`() throws {
        let bench = try bench("node A { f: Float? [indexed]  s: String? [indexed] }")
        let zeros = String(repeating: "\u{0}", count: 250)
        try bench.run(
            "SPAWN a: A { f = 9007199254740992.0, s = $s }", ["s": .string(zeros + "a")])
        #expect(try count(bench, "a: A WHERE a.f = 9007199254740992") == 1)
        #expect(try count(bench, "a: A WHERE a.f = 9007199254740993") == 0)
        for (end, count) in [("a", "1"), ("b", "0")] {
            #expect(
                try bench.rows("MATCH a: A WHERE a.s = $s RETURN COUNT(*)", ["s": .string(zeros + end)])
                    == [[count]])
        }
    }

    // MARK: Edges

    @Test func `a symmetric edge is the same both ways, and counts for both ends`() throws {
        let bench = try bench("node P { n: Int? } edge pair(a: P, b: P) [symmetric, unique, a -> 0..1]")
        try bench.run("SPAWN #a: P { n = 1 }, #b: P { n = 2 }, #c: P { n = 3 }")
        try bench.run("LINK pair(#b, #a)")
        #expect(
            try bench.rows("MATCH p: P, q: P, pair(p, q) RETURN p.n, q.n ORDER BY p.n") == [
                ["1", "2"], ["2", "1"],
            ])
        #expect(try count(bench, "pair(_, _)") == 1)
        #expect(try count(bench, "pair(#a, _)") == 1)
        #expect(try bench.fault("LINK pair(#a, #b)") == .duplicateUnique)
        for link in ["pair(#a, #c)", "pair(#c, #a)", "pair(#b, #c)", "pair(#c, #b)"] {
            #expect(try bench.fault("LINK \(link)") == .cardinalityExceeded, "\(link)")
        }
        try bench.run("UNLINK pair(#a, #b)")
        #expect(try bench.fault("LINK pair(#c, #b)") == nil)
    }

    @Test func `the most that a cardinality allows is judged by LINK, the least by COMMIT`() throws {
        let bench = try bench("node T { } node P { } edge at(t: T, p: P) [t -> 1..2]")
        #expect(try bench.fault("SPAWN t: T") == .cardinalityMissing)
        try bench.run("BEGIN SPAWN #t: T SPAWN #p: P SPAWN #q: P LINK at(#t, #p) AS first COMMIT")
        #expect(try bench.fault("UNLINK #first") == .cardinalityMissing)
        try bench.run("BEGIN UNLINK #first LINK at(#t, #q) COMMIT")
        #expect(try bench.fault("KILL #q") == .cardinalityMissing)
        try bench.run("LINK at(#t, #p)")
        #expect(try bench.fault("LINK at(#t, #p)") == .cardinalityExceeded)
        #expect(try bench.fault("KILL #t") == nil)
    }

    @Test func `an acyclic edge refuses whatever closes a circle`() throws {
        let bench = try bench("node N { } edge under(a: N, b: N) [acyclic]")
        try bench.run("SPAWN #a: N, #b: N, #c: N LINK under(#a, #b) LINK under(#b, #c)")
        #expect(try bench.fault("LINK under(#c, #a)") == .cycle)
        #expect(try bench.fault("LINK under(#a, #a)") == .cycle)
        #expect(try bench.fault("LINK under(#a, #c)") == nil)
        #expect(try bench.fault("BEGIN UNLINK under(#a, _) LINK under(#c, #a) COMMIT") == nil)
    }

    @Test func `edges on edges go with the edge beneath, however many there are`() throws {
        let bench = try bench(
            "node N { } edge e(a: N, b: N) edge on(x: edge<any>, n: N) edge any_of(x: any, y: any | edge<any>)"
        )
        try bench.run(
            "SPAWN #a: N, #b: N LINK e(#a, #b) AS one LINK on(one, #a) AS two LINK on(two, #b) AS three LINK any_of(#a, three)"
        )
        #expect(try count(bench, "on(x, _), on(_, _) AS x") == 1)
        #expect(try bench.fault("LINK any_of(three, #a)") == .edgeTargetType)
        let result = try bench.run("UNLINK #one").last
        #expect(result?["unlinked_count"] == .int(4))
        #expect(result?["cascade_count"] == .int(3))
        #expect(try count(bench, "on(_, _)") == 0)
        try bench.run("LINK e(#a, #b) AS one LINK on(one, #a) AS two")
        #expect(try bench.run("KILL #b").last?["unlinked_edges"] == .int(2))
    }

    @Test func `a variable of any type stands for nodes, however it is found`() throws {
        let bench = try bench("node N { } edge e(a: N, b: N) edge on(n: N, x: any | edge<any>)")
        try bench.run("SPAWN #a: N, #b: N LINK e(#a, #b) AS one LINK on(#a, one) LINK on(#a, #b)")
        #expect(try count(bench, "x: any, on(_, x)") == 1)
        #expect(try count(bench, "x: any, on(#a, x)") == 1)
        #expect(try count(bench, "x: edge<any>, on(#a, x)") == 1)
        #expect(try count(bench, "n: N, on(n, x), e(_, _) AS x") == 1)
        #expect(try count(bench, "x: any WHERE x = #one") == 0)
    }

    @Test func `with no hop at all the start itself must be what the end is declared to be`() throws {
        let bench = try bench("node N { } node M { } edge e(a: N, b: M)")
        try bench.run("SPAWN #a: N, #b: M LINK e(#a, #b)")
        #expect(try count(bench, "a: N, b: M, e*(a, b)") == 1)
        #expect(try count(bench, "b: M, e*(#a, b)") == 1)
        #expect(try count(bench, "a: any, b: any, e*(a, b)") == 3)
        // From b itself and from a, twice.
        #expect(try count(bench, "e*(_, x), e*(_, x)") == 4)
        #expect(try count(bench, "e+(_, _)") == 1)
        #expect(try count(bench, "a: N, e+(_, _)") == 1)
        try bench.run("UNLINK e(_, _)")
        #expect(try count(bench, "a: N, e+(_, _)") == 0)
    }

    // MARK: Referential actions

    @Test func `KILL does to what is linked as the edges declare, or as it says itself`() throws {
        let ontology = """
            node N { k: String? }
            edge owns(a: N, b: N) [on_kill_source: cascade]
            edge sees(a: N, b: N)
            edge keeps(a: N, b: N) [on_kill_target: prevent]
            """
        func made() throws -> Workbench {
            let bench = try bench(ontology)
            try bench.run(
                "SPAWN #a: N, #b: N, #c: N, #d: N LINK owns(#a, #b) LINK owns(#b, #c) LINK sees(#a, #d) LINK keeps(#d, #c)"
            )
            return bench
        }
        let held = try made()
        #expect(try held.fault("KILL #a") == .killPrevented)
        #expect(try held.fault("KILL #c CASCADE") == .killPrevented)
        #expect(try count(held, "n: N") == 4)
        try held.run("UNLINK keeps(_, _)")
        let result = try held.run("KILL #a").last
        #expect(result?["killed_count"] == .int(3))
        #expect(result?["cascade_count"] == .int(2))
        #expect(result?["unlinked_edges"] == .int(3))
        let forced = try made()
        try forced.run("UNLINK keeps(_, _)")
        #expect(try forced.run("KILL #a CASCADE").last?["killed_count"] == .int(4))
        let alone = try made()
        #expect(try alone.run("KILL #a NO CASCADE").last?["killed_count"] == .int(1))
        #expect(try count(alone, "n: N") == 3)
    }

    @Test func `a circle of cascades ends, and one too long is refused whole`() throws {
        let bench = try bench("node N { n: Int? } edge owns(a: N, b: N) [on_kill_source: cascade]")
        try bench.run("SPAWN #a: N, #b: N LINK owns(#a, #b) LINK owns(#b, #a)")
        #expect(try bench.run("KILL #a").last?["killed_count"] == .int(2))
        let nodes = (0...101).map { "SPAWN #n\($0): N" } + (0..<101).map { "LINK owns(#n\($0), #n\($0 + 1))" }
        try bench.run("BEGIN \(nodes.joined(separator: "\n")) COMMIT")
        #expect(try bench.fault("KILL #n0") == .cascadeLimit)
        #expect(try count(bench, "n: N") == 102)
        #expect(try bench.run("KILL #n1").last?["killed_count"] == .int(101))
    }

    @Test func `an ontology of too many pieces is refused, and goes on to be written to`() throws {
        let bench = try bench("node N { }")
        var fault: ErrorCode?
        for number in 0..<140 where fault == nil {
            fault = try bench.fault("EXTEND ONTOLOGY { node N\(number) { } }")
        }
        #expect(fault == .tooLong)
        #expect(try bench.fault("SPAWN n: N0") == nil)
    }

    // MARK: Keys and references

    @Test func `an explicit key is taken once, and free again when its node is gone`() throws {
        let bench = try bench("node A { n: Int? } node B { }")
        try bench.run("SPAWN #k: A { n = 1 }")
        #expect(try bench.fault("SPAWN #k: A") == .duplicateKey)
        #expect(try bench.fault("SPAWN #k: B") == nil)
        #expect(try bench.fault("KILL #k") == .ambiguousReference)
        try bench.run("KILL #\"A/k\"")
        #expect(try bench.fault("KILL #\"A/k\"") == .unknownReference)
        try bench.run("SPAWN #k: A")
        #expect(try bench.rows("MATCH a: A RETURN a.id, a.n") == [["A/k", "null"]])
    }

    @Test func `a name of the session goes before a key`() throws {
        let bench = try bench("node A { n: Int? }")
        try bench.run("SPAWN #x: A { n = 1 } SPAWN x: A { n = 2 } SET #x.n = 3")
        #expect(try bench.rows("MATCH a: A RETURN a.n ORDER BY a.n") == [["1"], ["3"]])
        try bench.run("KILL x SET #x.n = 5")
        #expect(try bench.rows("MATCH a: A RETURN a.n") == [["5"]])
    }

    // MARK: Rules

    @Test func `rules fire by priority, then in order of declaration, once for each binding`() throws {
        let bench = try bench(
            """
            node N { log: String = "" }
            rule second: n: N WHERE length(n.log) < 3 => SET n.log = n.log ++ "b"
            rule third: n: N WHERE length(n.log) < 3 => SET n.log = n.log ++ "c"
            rule first [priority: 5]: n: N WHERE length(n.log) < 3 => SET n.log = n.log ++ "a"
            rule fourth [priority: -5]: n: N => SET n.log = n.log ++ "d"
            """)
        try bench.run("SPAWN #n: N")
        #expect(try bench.rows("MATCH n: N RETURN n.log") == [["abcd"]])
        // In another transaction each may fire again.
        try bench.run("SET #n.log = \"\"")
        #expect(try bench.rows("MATCH n: N RETURN n.log") == [["abcd"]])
        try bench.run("BEGIN SET #n.log = \"\" SET #n.log = \"x\" COMMIT")
        #expect(try bench.rows("MATCH n: N RETURN n.log") == [["x"]])
    }

    @Test func `a rule sees what others have made, also what was touched before`() throws {
        let bench = try bench(
            """
            node A { x: Int? } node B { } node C { } edge e(a: A, b: B)
            rule make: a: A => SPAWN b: B, LINK e(a, b)
            rule next: b: B, e(_, b) => SPAWN c: C
            rule far: a: A WHERE EXISTS(c: C) => SET a.x = 1
            """)
        try bench.run("SPAWN #a: A")
        #expect(try count(bench, "b: B") == 1)
        #expect(try count(bench, "c: C") == 1)
        // It became true by something that its match does not hold.
        #expect(try bench.rows("MATCH a: A RETURN a.x") == [["1"]])
    }

    @Test func `rules that do not come to rest take the whole transaction with them`() throws {
        let bench = try bench("node N { n: Int = 0 } rule on: n: N => SPAWN m: N")
        #expect(try bench.fault("SPAWN n: N") == .ruleDepth)
        #expect(try bench.fault("BEGIN SPAWN n: N COMMIT") == .ruleDepth)
        #expect(try count(bench, "n: N") == 0)
    }

    @Test func `a chain of a hundred rules is allowed, and one more is not`() throws {
        func made(_ most: Int) throws -> Workbench {
            try bench("node N { n: Int = 0 } rule on: n: N WHERE n.n < \(most) => SPAWN m: N { n = n.n + 1 }")
        }
        #expect(try made(100).fault("SPAWN n: N") == nil)
        #expect(try made(101).fault("SPAWN n: N") == .ruleDepth)
    }

    @Test func `a manual rule waits for TRIGGER, which says how often it fired`() throws {
        let bench = try bench(
            "node N { n: Int = 0 } rule up [manual]: n: N WHERE n.n < 2 => SET n.n = n.n + 1")
        try bench.run("SPAWN #a: N, #b: N { n = 1 }, #c: N { n = 2 }")
        #expect(try bench.run("TRIGGER up").last?["fired"] == .int(2))
        #expect(try bench.run("TRIGGER up WHERE n.n > 5").last?["fired"] == .int(0))
        #expect(try bench.run("TRIGGER up").last?["fired"] == .int(1))
        #expect(try bench.run("TRIGGER up").last?["fired"] == .int(0))
        #expect(try bench.fault("TRIGGER down") == .unknownRule)
    }

    @Test func `what a rule links and ends is dealt with like anybody's`() throws {
        let bench = try bench(
            """
            node N { n: Int [>= 0] = 0 } edge e(a: N, b: N) [acyclic]
            rule drop: n: N WHERE n.n = 9 => KILL n
            rule bad: n: N WHERE n.n = 8 => SET n.n = -1
            rule loop: a: N, b: N, e(a, b) WHERE a.n = 7 => LINK e(b, a)
            """)
        try bench.run("SPAWN #n: N { n = 9 }")
        #expect(try count(bench, "n: N") == 0)
        #expect(try bench.fault("SPAWN n: N { n = 8 }") == .valueRefused)
        try bench.run("SPAWN #a: N, #b: N LINK e(#a, #b)")
        #expect(try bench.fault("SET #a.n = 7") == .cycle)
        #expect(try bench.rows("MATCH n: N WHERE n.n = 7 RETURN COUNT(*)") == [["0"]])
    }

    @Test func `a rule that does not fit what ontologies have become keeps nobody from writing`() throws {
        // Two who knew nothing of one another: one's rule needs what the other's declaration has taken.
        let one = try bench("node N { n: Int? }")
        let other = Workbench(author: 2)
        for (entry, position) in one.history {
            try other.receive(entry, one.blocks, at: position)
        }
        try one.run(
            "EXTEND ONTOLOGY { node X { a: Int? } rule r: x: X WHERE x.a = 1 => SET x.a = 2 constraint c: x: X => x.a < 9 }"
        )
        try other.run(
            "EXTEND ONTOLOGY { node X { b: Int? } rule r2: x: X WHERE x.b = 1 => SET x.b = 2 constraint c2: x: X => x.b < 9 }"
        )
        // The second loads upon the first at a third node, where one of the two X has lost.
        for (entry, position) in other.history.dropFirst() {
            try one.receive(entry, other.blocks, at: position)
        }
        #expect(one.replica.heads.count == 2 || one.replica.heads.count == 1)
        #expect(try one.fault("SPAWN n: N { n = 1 }") == nil)
        #expect(try count(one, "n: N") == 1)
    }

    // MARK: Constraints

    @Test func `a constraint is judged wherever what it names has changed`() throws {
        let bench = try bench(
            """
            node C { most: Int? } node N { n: Int? } edge e(a: N, b: N)
            constraint order: a: N, b: N, e(a, b) => a.n <= b.n
            constraint least: n: N => n.n <= (#top.most ?? 100)
            constraint some: c: C => EXISTS(n: N)
            """)
        #expect(try bench.fault("SPAWN #top: C { most = 5 }") == .constraintViolated)
        try bench.run("BEGIN SPAWN #top: C { most = 5 } SPAWN #a: N { n = 1 } SPAWN #b: N { n = 2 } COMMIT")
        try bench.run("LINK e(#a, #b)")
        #expect(try bench.fault("SET #a.n = 3") == .constraintViolated)
        #expect(try bench.fault("SET #b.n = 0") == .constraintViolated)
        #expect(try bench.fault("LINK e(#b, #a)") == .constraintViolated)
        // By the way of a reference.
        #expect(try bench.fault("SET #b.n = 6") == .constraintViolated)
        #expect(try bench.fault("SET #top.most = 1") == .constraintViolated)
        #expect(try bench.fault("BEGIN KILL #a KILL #b COMMIT") == .constraintViolated)
        #expect(try bench.fault("BEGIN KILL #a KILL #b SPAWN n: N COMMIT") == .constraintViolated)
        #expect(try bench.fault("BEGIN KILL #a KILL #b SPAWN n: N { n = 0 } COMMIT") == nil)
    }

    // MARK: Transactions

    @Test func `a savepoint takes back what came after it, names, ontologies and indexes too`() throws {
        let bench = try bench("node A { n: Int? }")
        try bench.run(
            """
            BEGIN
            SPAWN one: A { n = 1 }
            SAVEPOINT s
            SPAWN two: A { n = 2 }
            EXTEND ONTOLOGY { node B { } }
            SPAWN b: B
            CREATE INDEX i ON A(n)
            ROLLBACK TO s
            SPAWN three: A { n = 3 }
            ROLLBACK TO s
            SPAWN four: A { n = 4 }
            COMMIT
            """)
        #expect(try bench.rows("MATCH a: A RETURN a.n ORDER BY a.n") == [["1"], ["4"]])
        #expect(try bench.fault("MATCH b: B RETURN b") == .unknownType)
        #expect(try bench.rows("SHOW INDEXES") == [])
        #expect(try bench.fault("SET two.n = 1") == .unknownVariable)
        #expect(try bench.fault("SET four.n = 1") == nil)
    }

    @Test func `of a transaction that fails, is rolled back or never ends nothing is kept`() throws {
        let bench = try bench("node A { n: Int? [unique] }")
        let before = bench.seq
        #expect(try bench.fault("BEGIN SPAWN a: A { n = 1 } SPAWN b: A { n = 1 } COMMIT") == .duplicateUnique)
        try bench.run("BEGIN SPAWN a: A { n = 1 } ROLLBACK")
        try bench.run("BEGIN SPAWN a: A { n = 1 }")
        #expect(try count(bench, "a: A") == 0)
        #expect(bench.seq == before)
    }

    @Test func `a MATCH that changes what it matches works on what it has matched`() throws {
        let bench = try bench("node A { n: Int? } edge e(a: A, b: A)")
        try bench.run("SPAWN #a: A { n = 1 }, #b: A { n = 2 } LINK e(#a, #b)")
        try bench.run("MATCH a: A SET a.n = a.n + 1 SPAWN c: A { n = a.n * 10 } LINK e(a, c)")
        #expect(try bench.rows("MATCH a: A RETURN a.n ORDER BY a.n") == [["2"], ["3"], ["20"], ["30"]])
        try bench.run("MATCH a: A, b: A, e(a, b) AS x UNLINK x KILL b")
        #expect(try bench.rows("MATCH a: A RETURN a.n") == [["2"]])
    }
}
