import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

private let people = """
    ontology people {
      node Person { name: String [required, unique]  age: Int?  city: String? }
      node Task { title: String [required]  done: Bool = false  points: Int = 1 }
      edge knows(a: Person, b: Person) [symmetric, no_self]
      edge assigned(task: Task, person: Person) [task -> 0..1] { since: Timestamp = now() }
      edge part_of(part: Task, whole: Task) [acyclic]
    }
    """

private func bench() throws -> Workbench {
    let bench = Workbench()
    try bench.run(people)
    try bench.run(
        """
        BEGIN
        SPAWN ann: Person { name = "Ann", age = 30, city = "Ulm" }
        SPAWN bob: Person { name = "Bob", age = 40 }
        SPAWN cem: Person { name = "Cem", age = 50, city = "Ulm" }
        SPAWN t1: Task { title = "dig", points = 3 }
        SPAWN t2: Task { title = "plant", points = 5 }
        SPAWN t3: Task { title = "garden" }
        LINK knows(ann, bob)
        LINK knows(bob, cem)
        LINK assigned(t1, ann)
        LINK assigned(t2, ann)
        LINK part_of(t1, t3)
        LINK part_of(t2, t1)
        COMMIT
        """)
    return bench
}

@Suite("Running programs", .tags(.Size.small))
struct RunningTests {
    @Test func `a pattern gives every way in which its variables can be bound`() throws {
        let bench = try bench()
        #expect(
            try bench.rows("MATCH p: Person WHERE p.age >= 40 RETURN p.name ORDER BY p.age DESC")
                == [["Cem"], ["Bob"]])
        #expect(
            try bench.rows(
                "MATCH a: Person, b: Person, knows(a, b) WHERE a.name = \"Bob\" RETURN b.name ORDER BY b.name"
            )
                == [["Ann"], ["Cem"]])
    }

    @Test func `optional patterns leave nulls where nothing matches`() throws {
        let bench = try bench()
        #expect(
            try bench.rows(
                "MATCH p: Person OPTIONAL MATCH t: Task, assigned(t, p) RETURN p.name, t.title ORDER BY p.name, t.title"
            )
                == [["Ann", "dig"], ["Ann", "plant"], ["Bob", "null"], ["Cem", "null"]])
    }

    @Test func `aggregates are grouped by what is not aggregated`() throws {
        let bench = try bench()
        #expect(
            try bench.rows(
                "MATCH p: Person RETURN p.city, COUNT(*), MAX(p.age), COLLECT(p.name) ORDER BY p.city")
                == [["null", "1", "40", "[Bob]"], ["Ulm", "2", "50", "[Ann, Cem]"]])
        #expect(
            try bench.rows("MATCH p: Person WHERE p.age > 99 RETURN COUNT(*), SUM(p.age)") == [["0", "0"]])
        #expect(
            try bench.rows(
                "MATCH p: Person WHERE COUNT(t: Task, assigned(t, p)) > 1 RETURN p.name") == [["Ann"]])
    }

    @Test func `patterns inside expressions see the variables around them`() throws {
        let bench = try bench()
        #expect(
            try bench.rows(
                "MATCH p: Person WHERE NOT EXISTS(t: Task, assigned(t, p)) RETURN p.name ORDER BY p.name")
                == [["Bob"], ["Cem"]])
    }

    @Test func `edges are followed on and on, within a depth`() throws {
        let bench = try bench()
        #expect(
            try bench.rows(
                "MATCH a: Task, b: Task, part_of+(a, b) WHERE a.title = \"plant\" RETURN b.title ORDER BY b.title"
            )
                == [["dig"], ["garden"]])
        #expect(
            try bench.rows(
                "MATCH a: Task, b: Task, part_of*(a, b) [depth: 1] WHERE a.title = \"plant\" RETURN b.title ORDER BY b.title"
            )
                == [["dig"], ["plant"]])
        #expect(
            try bench.rows("WALK FROM #t2 FOLLOW part_of RETURN endpoint.title, depth") == [
                ["dig", "1"], ["garden", "2"],
            ])
    }

    @Test func `a mutation is seen by those after it, and by nobody when the transaction fails`() throws {
        let bench = try bench()
        let code = try bench.fault(
            """
            BEGIN
            SPAWN d: Person { name = "Dee" }
            SET d { age = 7 }
            SPAWN e: Person { name = "Dee" }
            COMMIT
            """)
        #expect(code == .duplicateUnique)
        #expect(try bench.rows("MATCH p: Person RETURN COUNT(*)") == [["3"]])
    }

    struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let source: String
        let code: ErrorCode

        init(_ code: ErrorCode, _ source: String) {
            testDescription = "\(code.rawValue): \(source)"
            self.source = source
            self.code = code
        }
    }

    @Test(
        "what cannot be done is refused with its code",
        arguments: [
            Fault(.unknownType, "SPAWN x: Persn { name = \"x\" }"),
            Fault(.unknownAttribute, "MATCH p: Person RETURN p.nme"),
            Fault(.unknownAttribute, "SPAWN x: Person { name = \"x\", agee = 3 }"),
            Fault(.typeMismatch, "SPAWN x: Person { name = 3 }"),
            Fault(.typeMismatch, "MATCH p: Person WHERE p.age = \"x\" RETURN p"),
            Fault(.missingRequired, "SPAWN x: Person { age = 3 }"),
            Fault(.duplicateUnique, "SPAWN x: Person { name = \"Ann\" }"),
            Fault(.cardinalityExceeded, "LINK assigned(#t1, #bob)"),
            Fault(.cycle, "LINK part_of(#t3, #t2)"),
            Fault(.selfLink, "LINK knows(#ann, #ann)"),
            Fault(.systemType, "SPAWN j: Job { job_id = \"x\" }"),
            Fault(.divisionByZero, "MATCH p: Person RETURN p.age / 0"),
            Fault(.unterminatedString, "MATCH p: Person WHERE p.name = \"x RETURN p"),
            Fault(.unknownEdge, "LINK knws(#ann, #bob)"),
            Fault(.unknownVariable, "MATCH p: Person RETURN q"),
            Fault(.wrongArity, "LINK knows(#ann)"),
            Fault(.edgeTargetType, "LINK assigned(#ann, #bob)"),
            Fault(.unknownReference, "KILL #nobody"),
            Fault(.noTransaction, "COMMIT"),
            Fault(.transactionActive, "BEGIN BEGIN COMMIT"),
            Fault(.missingParameter, "MATCH p: Person WHERE p.name = $who RETURN p"),
            Fault(.misplacedAggregate, "MATCH p: Person WHERE COUNT(p) > 1 RETURN p"),
            Fault(.unknownFunction, "MATCH p: Person RETURN uper(p.name)"),
            Fault(.notOneMatch, "LINK knows(#ann, { MATCH p: Person RETURN p })"),
        ])
    func faults(_ fault: Fault) throws {
        let bench = try bench()
        let before = try bench.rows("MATCH p: Person RETURN COUNT(*)")
        #expect(try bench.fault(fault.source) == fault.code)
        #expect(try bench.rows("MATCH p: Person RETURN COUNT(*)") == before)
    }
}
