import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

/// Who may do and see what.
@Suite("Policies decide who may", .tags(.Size.small))
struct PolicyTests {
    private static let types = """
        node Person { did: String? [unique]  name: String?  secret: String? }
        node Doc { title: String?  owner: String?  level: Int = 0 }
        node Log { text: String? }
        edge wrote(who: Person, doc: Doc) { when: Int? }
        edge cites(a: Doc, b: Doc)
        """

    /// A graph that somebody has filled before there were policies.
    private func bench(_ policies: String) throws -> Workbench {
        let bench = Workbench()
        try bench.run("ontology p { \(Self.types) }")
        try bench.run(
            """
            SPAWN #ann: Person { did = "did:ann", name = "Ann", secret = "s1" }
            SPAWN #bob: Person { did = "did:bob", name = "Bob", secret = "s2" }
            SPAWN #a: Doc { title = "a", owner = "did:ann" }
            SPAWN #b: Doc { title = "b", owner = "did:bob", level = 1 }
            SPAWN #c: Doc { title = "c", owner = "did:ann", level = 2 }
            LINK wrote(#ann, #a) LINK wrote(#bob, #b) LINK cites(#a, #b) LINK cites(#b, #c)
            """)
        try bench.run("EXTEND ONTOLOGY { \(policies) }")
        return bench
    }

    private func titles(_ bench: Workbench, _ actor: String) throws -> [String] {
        bench.actor = actor
        return try bench.rows("MATCH d: Doc RETURN d.title ORDER BY d.title").map { $0[0] }
    }

    @Test func `without a policy everything is allowed, and with one nothing but what it allows`() throws {
        let open = try bench("node Other { }")
        #expect(try open.fault("SPAWN d: Doc") == nil)
        let closed = try bench("policy p: ON SPAWN(l: Log) ALLOW IF true")
        #expect(try closed.fault("SPAWN l: Log") == nil)
        for statement in [
            "SPAWN d: Doc", "SPAWN p: Person", "KILL #ann", "SET #ann.name = \"x\"",
            "LINK wrote(#ann, #b)", "UNLINK wrote(#ann, #a)",
        ] {
            let code = try closed.fault(statement)
            // What may not be read is not there.
            #expect(code == .permissionDenied || code == .unknownReference, "\(statement)")
        }
        #expect(try titles(closed, "did:ann") == [])
    }

    @Test func `the highest priority decides, and of equals the one that denies`() throws {
        let bench = try bench(
            """
            policy see: ON MATCH ALLOW IF true
            policy low [priority: 1]: ON SET(d: Doc) ALLOW IF true
            policy high [priority: 9]: ON SET(d: Doc) DENY IF d.level > 1 MESSAGE "too high"
            policy equal [priority: 1]: ON SET(d: Doc) DENY IF d.level = 1
            """)
        #expect(try bench.fault("SET #a.title = \"x\"") == nil)
        #expect(try bench.fault("SET #b.title = \"x\"") == .permissionDenied)
        do {
            try bench.run("SET #c.title = \"x\"")
            Issue.record("it was allowed")
        } catch let fault as Diagnostic {
            #expect(fault.message.contains("too high"))
        }
    }

    @Test func `the actor is the author, or who a session stands for`() throws {
        let bench = try bench(
            """
            policy see: ON MATCH ALLOW IF true
            policy own: ON SET(d: Doc) | KILL(d: Doc) ALLOW IF d.owner = current_actor()
            policy session: ON SPAWN(l: Log) ALLOW IF EXISTS(p: Person WHERE p = current_actor() AND p.name = "Ann")
            """)
        bench.actor = "did:ann"
        #expect(try bench.fault("SET #a.level = 5") == nil)
        #expect(try bench.fault("SET #b.level = 5") == .permissionDenied)
        #expect(try bench.fault("KILL #b") == .permissionDenied)
        #expect(try bench.fault("SPAWN l: Log") == .permissionDenied)
        #expect(try bench.fault("BEGIN SESSION AS #ann SPAWN l: Log END SESSION") == nil)
        #expect(try bench.fault("BEGIN SESSION AS #bob SPAWN l: Log END SESSION") == .permissionDenied)
        #expect(
            try bench.fault(
                "BEGIN SESSION AS #bob BEGIN SESSION AS #ann SPAWN l: Log END SESSION SPAWN l: Log")
                == .permissionDenied)
        #expect(try bench.fault("BEGIN SESSION AS #ann END SESSION SPAWN l: Log") == .permissionDenied)
        #expect(
            try bench.fault("BEGIN BEGIN SESSION AS #ann SPAWN l: Log COMMIT SPAWN l: Log END SESSION") == nil
        )
        #expect(try bench.fault("BEGIN SESSION AS #a") == .invalidActor)
    }

    @Test func `reading is filtered and never refused, whatever asks`() throws {
        let bench = try bench(
            """
            policy docs: ON MATCH(d: Doc) ALLOW IF d.owner = current_actor()
            policy people: ON MATCH(p: Person) ALLOW IF true
            policy change: ON SET | LINK | KILL | UNLINK | SPAWN ALLOW IF true
            """)
        #expect(try titles(bench, "did:ann") == ["a", "c"])
        #expect(try titles(bench, "did:bob") == ["b"])
        bench.actor = "did:ann"
        #expect(try bench.rows("MATCH d: Doc RETURN COUNT(*), MAX(d.level)") == [["2", "2"]])
        #expect(
            try bench.rows("MATCH p: Person RETURN p.name, COUNT(d: Doc, wrote(p, d)) ORDER BY p.name") == [
                ["Ann", "1"], ["Bob", "0"],
            ])
        #expect(try bench.rows("MATCH p: Person WHERE NOT EXISTS(wrote(p, _)) RETURN p.name") == [["Bob"]])
        #expect(try bench.rows("MATCH wrote(_, _) AS w RETURN COUNT(*)") == [["1"]])
        #expect(
            try bench.rows(
                "MATCH p: Person OPTIONAL MATCH d: Doc, wrote(p, d) RETURN p.name, d.title ORDER BY p.name")
                == [["Ann", "a"], ["Bob", "null"]])
        // The way from a to c leads over what is not seen.
        #expect(try bench.rows("WALK FROM #a FOLLOW cites RETURN NODES") == [])
        #expect(try bench.rows("MATCH d: Doc, cites+(#a, d) RETURN d") == [])
        #expect(try bench.run("INSPECT #b").last?["found"] == .bool(false))
        #expect(try bench.fault("SET #b.title = \"x\"") == .unknownReference)
        #expect(try bench.fault("LINK cites(#a, #b)") == .unknownReference)
        #expect(try bench.rows("MATCH d: Doc WHERE d = #b RETURN d") == [])
        #expect(try bench.rows("MATCH d: Doc WHERE d.id = \"Doc/b\" RETURN d") == [])
        try bench.run("MATCH d: Doc SET d.title = \"mine\"")
        bench.actor = "did:bob"
        #expect(try bench.rows("MATCH d: Doc RETURN d.title") == [["b"]])
    }

    @Test func `a denial takes away what others allow, and an edge policy shows what its ends would not`()
        throws
    {
        let bench = try bench(
            """
            policy docs: ON MATCH(d: Doc) ALLOW IF true
            policy not_high: ON MATCH(d: Doc) DENY IF d.level > 1
            policy edges: ON MATCH(cites(a, b)) ALLOW IF a.level = 1
            """)
        #expect(try titles(bench, "did:ann") == ["a", "b"])
        // From b to c is shown by its own policy, though c is not.
        #expect(try bench.rows("MATCH cites(_, _) AS c RETURN COUNT(*)") == [["1"]])
        #expect(try bench.rows("MATCH a: Doc, b: Doc, cites(a, b) RETURN a.title, b.title") == [])
        #expect(try bench.rows("MATCH a: Doc, cites(a, _) RETURN a.title") == [["b"]])
    }

    @Test func `an attribute that may not be read is null wherever it is asked for`() throws {
        let bench = try bench(
            """
            policy people: ON MATCH(p: Person) ALLOW IF true
            policy secret: ON MATCH(p: Person).secret ALLOW IF p.did = current_actor()
            policy change: ON SET | SPAWN ALLOW IF true
            """)
        bench.actor = "did:ann"
        #expect(
            try bench.rows("MATCH p: Person RETURN p.name, p.secret ORDER BY p.name") == [
                ["Ann", "s1"], ["Bob", "null"],
            ])
        #expect(try bench.rows("MATCH p: Person WHERE p.secret = \"s2\" RETURN p.name") == [])
        #expect(try bench.rows("MATCH p: Person RETURN COUNT(p.secret), MAX(p.secret)") == [["1", "s1"]])
        #expect(try bench.rows("MATCH p: Person RETURN p.name ORDER BY p.secret DESC LIMIT 1") == [["Ann"]])
        #expect(try bench.rows("INSPECT #bob RETURN secret") == [["null"]])
        // Nor by way of an index.
        try bench.run("EXTEND ONTOLOGY { node Unrelated { } }")
        try bench.run("CREATE INDEX by_secret ON Person(secret)")
        #expect(try bench.rows("MATCH p: Person WHERE p.secret = \"s2\" RETURN p.name") == [])
        #expect(try bench.rows("MATCH p: Person WHERE p.secret >= \"s2\" RETURN p.name") == [])
    }

    @Test func `rules act with the system's authority, unless they inherit`() throws {
        let policies = """
            policy see: ON MATCH ALLOW IF true
            policy docs: ON SPAWN(d: Doc) ALLOW IF true
            """
        let system = try bench(policies + " rule log: d: Doc => SPAWN l: Log { text = d.title }")
        #expect(try system.fault("SPAWN d: Doc { title = \"x\" }") == nil)
        #expect(try system.rows("MATCH l: Log RETURN l.text") == [["x"]])
        let inherited = try bench(
            policies + " rule log [inherit_authority]: d: Doc => SPAWN l: Log { text = d.title }")
        #expect(try inherited.fault("SPAWN d: Doc { title = \"x\" }") == .permissionDenied)
        #expect(try inherited.rows("MATCH d: Doc RETURN COUNT(*)") == [["3"]])
    }

    @Test func `what a policy asks of the operation it is told`() throws {
        let bench = try bench(
            """
            policy see: ON MATCH ALLOW IF true
            policy all: ON * ALLOW IF operation() != "kill" AND (target_type() != "Log" OR operation() = "spawn") AND (target_attr() ?? "") != "owner"
            """)
        #expect(try bench.fault("SPAWN l: Log") == nil)
        #expect(try bench.fault("SET #a.title = \"x\"") == nil)
        #expect(try bench.fault("SET #a.owner = \"x\"") == .permissionDenied)
        #expect(try bench.fault("KILL #a") == .permissionDenied)
        #expect(try bench.fault("SPAWN #l: Log SET #l.text = \"x\"") == .permissionDenied)
    }

    @Test func `a policy that cannot be judged refuses`() throws {
        let bench = try bench(
            "policy see: ON MATCH ALLOW IF true policy odd: ON SET(d: Doc) ALLOW IF 1 / d.level > 0")
        #expect(try bench.fault("SET #b.title = \"x\"") == nil)
        #expect(try bench.fault("SET #a.title = \"x\"") == .policyFailed)
        #expect(try bench.rows("MATCH d: Doc WHERE d.title = \"x\" RETURN COUNT(*)") == [["1"]])
    }
}
