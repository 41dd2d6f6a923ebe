import MEW
import MeshTestSupport
import Testing

/// A source with faults: the code of each and the words that it points at.
struct Faulty: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let source: String
    let faults: [String]

    init(_ title: String, _ source: String, _ faults: String...) {
        testDescription = title
        self.source = source
        self.faults = faults
    }
}

@Suite("The schema builder refuses what does not make sense", .tags(.Size.small))
struct SchemaFaultTests {
    private func check(_ faulty: Faulty) throws {
        let (_, diagnostics) = try build(faulty.source)
        let found = diagnostics.filter { $0.severity == .error }
            .map { "\($0.code.rawValue) \($0.words(in: faulty.source))" }
        #expect(found == faulty.faults, "\(diagnostics)")
    }

    @Test(
        "a name has one meaning, and the system's names are its own",
        arguments: [
            Faulty("two nodes", "node A {} node A {}", "E2006 A"),
            Faulty("a node and an edge", "node A {} edge A(x: any)", "E2006 A"),
            Faulty("a node and an alias", "type A = Int node A {}", "E2006 A"),
            Faulty("an attribute twice", "node A { x: Int? x: Int? }", "E2006 x"),
            Faulty("a parameter twice", "edge e(x: any, x: any)", "E2006 x"),
            Faulty("a parent twice", "node A {} node B : A, A {}", "E2006 A"),
            Faulty(
                "two constraints",
                "node A { x: Int? } constraint c: a: A => a.x > 0 constraint c: a: A => a.x > 1",
                "E2006 c"),
            Faulty("two rules", "node A {} rule r: a: A => KILL a rule r: a: A => KILL a", "E2006 r"),
            Faulty(
                "two policies", "policy p: ON * ALLOW IF true policy p: ON * DENY IF true", "E2006 p"),
            Faulty("an alias that hides a scalar", "type String = Int", "E2006 String"),
            Faulty("a node that hides a scalar", "node Hash {}", "E2006 Hash"),
            Faulty("a type of the system", "node Job { x: Int? }", "E2006 Job"),
            Faulty("an edge named as a type of the system", "edge Receipt(x: any)", "E2006 Receipt"),
            Faulty("a node with the system's prefix", "node _A {}", "E2011 _A"),
            Faulty("a node with the engine's prefix", "node __A {}", "E2011 __A"),
            Faulty("an edge with the system's prefix", "edge _e(x: any)", "E2011 _e"),
            Faulty("an alias with the system's prefix", "type _T = Int", "E2011 _T"),
            Faulty("a rule with the system's prefix", "node A {} rule _r: a: A => KILL a", "E2011 _r"),
            Faulty("an attribute with the system's prefix", "node A { _x: Int? }", "E2011 _x"),
            Faulty("the attribute that everything has", "node A { id: Int? }", "E2011 id"),
            Faulty("an ontology with the system's prefix", "ontology _O { node A {} }", "E2011 _O"),
            Faulty("an ontology on one that is not there", "ontology O : P { node A {} }", "E2001 P"),
        ])
    func names(_ faulty: Faulty) throws { try check(faulty) }

    @Test(
        "a type is what its name says and holds what its place allows",
        arguments: [
            Faulty("unknown in an attribute", "node A { x: Strin }", "E2001 Strin"),
            Faulty("unknown in an edge", "edge e(x: Nobody)", "E2001 Nobody"),
            Faulty("unknown in an alias", "type T = Nothing | Int", "E2001 Nothing"),
            Faulty("unknown parent", "node A : B {}", "E2001 B"),
            Faulty("unknown ontology before a type", "node A {} edge e(x: O::A)", "E2001 O::A"),
            Faulty("a node as an attribute", "node A {} node B { a: A }", "E2011 A"),
            Faulty("any as an attribute", "node B { a: any }", "E2011 any"),
            Faulty("an edge as an attribute", "edge e(x: any) node B { a: edge<e>? }", "E2011 edge<e>?"),
            Faulty("a list of nodes", "node A {} node B { a: A[] }", "E2011 A"),
            Faulty("a list of lists", "node B { a: Int[][]? }", "E2011 Int[]"),
            Faulty("a scalar as a parameter", "edge e(x: Int)", "E2011 Int"),
            Faulty("an optional parameter", "node A {} edge e(x: A?)", "E2011 A?"),
            Faulty("edge<> of a node", "node A {} edge e(x: edge<A>)", "E2004 edge<A>"),
            Faulty("edge<> of nothing", "edge knows(x: any) edge e(x: edge<know>)", "E2004 edge<know>"),
            Faulty("an edge to a view of the system's", "edge e(x: Job)", "E2015 Job"),
            Faulty("an alias of itself", "type A = A | Int", "E2011 A"),
            Faulty(
                "aliases of each other", "type A = B? type B = C[] type C = A", "E2011 A", "E2011 B",
                "E2011 C"),
            Faulty("below an alias", "type T = Int node A : T {}", "E2011 T"),
            Faulty("below an edge", "edge e(x: any) node A : e {}", "E2011 e"),
            Faulty("below a scalar", "node A : Int {}", "E2011 Int"),
            Faulty(
                "a union with a type that has modifiers",
                "type E = String [format: email] node A { x: E | Int }",
                "E2011 E"),
        ])
    func types(_ faulty: Faulty) throws { try check(faulty) }

    @Test(
        "inheritance has no cycles and no contradictions",
        arguments: [
            Faulty("above itself", "node A : A {}", "E2018 A"),
            Faulty(
                "a circle, and one below it", "node A : B {} node B : A {} node C : A {}", "E2018 A",
                "E2018 B"),
            Faulty("a sealed parent", "[sealed] node A {} node B : A {}", "E2010 A"),
            Faulty("a parent of the system's", "node B : Job {}", "E2010 Job"),
            Faulty("abstract and sealed", "[abstract, sealed] node A {}", "E2011 A"),
            Faulty(
                "two parents that differ", "node A { x: Int? } node B { x: String? } node C : A, B {}",
                "E2018 C"),
            Faulty("a child that differs", "node A { x: Int? } node B : A { x: Int }", "E2018 x"),
            Faulty(
                "unique in two families",
                "node A { x: Int [unique] } node B { x: Int [unique] } node C : A, B {}",
                "E2018 C"),
        ])
    func inheritance(_ faulty: Faulty) throws { try check(faulty) }

    @Test(
        "an attribute's modifiers go with its type",
        arguments: [
            Faulty("optional and required", "node A { x: Int? [required] }", "E2012 required"),
            Faulty("given twice", "node A { x: Int [required, required] }", "E2012 required"),
            Faulty("a bound on a string", "node A { x: String? [>= 1] }", "E2012 >= 1"),
            Faulty("a bound of another type", "node A { x: Timestamp? [>= 1] }", "E2012 >= 1"),
            Faulty("a Float bound on an Int", "node A { x: Int? [< 1.5] }", "E2012 < 1.5"),
            Faulty("a range on a duration", "node A { x: Duration? [1..2] }", "E2012 1..2"),
            Faulty("a range that counts down", "node A { x: Int? [2..1] }", "E2012 2..1"),
            Faulty("bounds that leave nothing", "node A { x: Int? [> 3, <= 3] }", "E2012 <= 3"),
            Faulty("length of a number", "node A { x: Int? [length: 1..2] }", "E2012 length: 1..2"),
            Faulty("a length that counts down", "node A { x: String? [length: 2..1] }", "E2012 length: 2..1"),
            Faulty("match on a number", "node A { x: Int? [match: \"a\"] }", "E2012 match: \"a\""),
            Faulty("a pattern that is none", "node A { x: String? [match: \"(a\"] }", "E2012 match: \"(a\""),
            Faulty("a format of a number", "node A { x: Int? [format: email] }", "E2012 format: email"),
            Faulty("in: of another type", "node A { x: Int? [in: [1, \"a\"]] }", "E2012 in: [1, \"a\"]"),
            Faulty("an index on a list", "node A { x: String[]? [indexed] }", "E2012 indexed"),
            Faulty("unique on a list", "node A { x: String[]? [unique] }", "E2012 unique"),
            Faulty("required on an alias", "type T = Int [required]", "E2012 required"),
            Faulty("a modifier on a union alias", "type T = Int | String [>= 1]", "E2012 >= 1"),
            Faulty(
                "a modifier against the alias's own", "type T = Int [>= 10] node A { x: T? [< 5] }",
                "E2012 < 5"),
        ])
    func modifiers(_ faulty: Faulty) throws { try check(faulty) }

    @Test(
        "a default is a constant that the attribute accepts",
        arguments: [
            Faulty("of another type", "node A { x: Int = \"a\" }", "E2003 \"a\""),
            Faulty("null where null cannot be", "node A { x: Int = null }", "E2003 null"),
            Faulty("null where a value is required", "node A { x: Int [required] = null }", "E3002 null"),
            Faulty("now() as a number", "node A { x: Int = now() }", "E2003 now()"),
            Faulty("a sum of what cannot be added", "node A { x: Int = 1 + true }", "E2003 1 + true"),
            Faulty("a variable", "node A { x: Int = y }", "E2011 y"),
            Faulty("a function", "node A { x: String = upper(\"a\") }", "E2011 upper(\"a\")"),
            Faulty("a division by zero", "node A { x: Int = 1 / 0 }", "E9041 1 / 0"),
            Faulty("below its own bound", "node A { x: Int [>= 5] = 3 }", "E3004 3"),
            Faulty("not of its format", "node A { x: String [format: slug] = \"A b\" }", "E3004 \"A b\""),
        ])
    func defaults(_ faulty: Faulty) throws { try check(faulty) }

    @Test(
        "an edge's modifiers go with its parameters",
        arguments: [
            Faulty(
                "symmetric between two types", "node A {} node B {} edge e(a: A, b: B) [symmetric]",
                "E2012 symmetric"),
            Faulty(
                "symmetric among three", "node A {} edge e(a: A, b: A, c: A) [symmetric]", "E2012 symmetric"),
            Faulty(
                "acyclic between strangers", "node A {} node B {} edge e(a: A, b: B) [acyclic]",
                "E2012 acyclic"),
            Faulty(
                "no_self between strangers", "node A {} node B {} edge e(a: A, b: B) [no_self]",
                "E2012 no_self"),
            Faulty("no_self of one", "node A {} edge e(a: A) [no_self]", "E2012 no_self"),
            Faulty("a cardinality of nobody", "node A {} edge e(a: A, b: A) [c -> 1]", "E2012 c"),
            Faulty("a type that both have", "node A {} edge e(A, A) [A -> 1]", "E2012 A"),
            Faulty(
                "a cardinality twice", "node A {} edge e(a: A, b: A) [a -> 1, a -> 0..1]", "E2012 a -> 0..1"),
            Faulty("a cardinality of none", "node A {} edge e(a: A, b: A) [a -> 0]", "E2012 a -> 0"),
            Faulty(
                "a cardinality that counts down", "node A {} edge e(a: A, b: A) [a -> 3..2]",
                "E2012 a -> 3..2"),
            Faulty(
                "symmetric with two cardinalities",
                "node A {} edge e(a: A, b: A) [symmetric, a -> 1, b -> 2]", "E2012 e"),
            Faulty(
                "symmetric with two actions",
                "node A {} edge e(a: A, b: A) [symmetric, on_kill_source: cascade, on_kill_target: prevent]",
                "E2012 e"),
            Faulty(
                "an action of three", "node A {} edge e(a: A, b: A, c: A) [on_kill_source: cascade]",
                "E2012 on_kill_source: cascade"),
            Faulty(
                "an action twice",
                "node A {} edge e(a: A, b: A) [on_kill_target: cascade, on_kill_target: unlink]",
                "E2012 on_kill_target: unlink"),
            Faulty("about itself", "edge e(x: edge<e>)", "E3503 e"),
            Faulty(
                "about each other", "edge e(x: edge<f>) edge f(x: edge<g>) edge g(x: e) edge h(x: edge<e>)",
                "E3503 e",
                "E3503 f", "E3503 g"),
            Faulty(
                "by way of an alias", "type T = edge<e> | edge<any> edge e(x: T)", "E3503 e"),
            Faulty("a faulty attribute", "edge e(x: any) { n: Int? [length: 1..2] }", "E2012 length: 1..2"),
        ])
    func edges(_ faulty: Faulty) throws { try check(faulty) }

    @Test(
        "a constraint that asks the time is refused, wherever it asks",
        arguments: [
            Faulty(
                "in its condition", "node A { t: Timestamp? } constraint c: a: A => a.t < now()",
                "E9031 now()"),
            Faulty(
                "in its pattern",
                "node A { t: Timestamp? } constraint c: a: A WHERE a.t < wall_time() => true",
                "E9031 wall_time()"),
            Faulty(
                "deep within",
                "node A { t: Timestamp? } constraint c: a: A => NOT EXISTS(b: A WHERE b.t in [now()])",
                "E9031 now()"),
        ])
    func clocks(_ faulty: Faulty) throws { try check(faulty) }

    @Test("several faults are told at once, in order, and what rests on a fault is left out in silence")
    func severalAtOnce() throws {
        let source = """
            node B : A { y: Int? }
            node A { x: Nope }
            edge e(a: A, b: B)
            edge f(g: edge<e>)
            type T = A | B
            edge h(t: T)
            node Fine { z: Int? [lenght: 1] }
            """
        let parsed = Parser.ontology(source)
        // The last line cannot even be read, so it is judged without it.
        #expect(!parsed.diagnostics.isEmpty)
        let readable =
            source.split(separator: "\n").dropLast().joined(separator: "\n")
            + "\nnode Fine { z: Int? [length: 1..2] }"
        let (schema, diagnostics) = try build(readable)
        #expect(
            diagnostics.map { "\($0.code.rawValue) \($0.words(in: readable))" } == [
                "E2001 Nope", "E2012 length: 1..2",
            ])
        for name in ["A", "B", "Fine"] { #expect(schema.nodes[name] == nil) }
        for name in ["e", "f", "h"] { #expect(schema.edges[name] == nil) }
        #expect(schema.aliases["T"] == nil)
    }

    @Test("the nearest name is offered for what is misspelt")
    func nearest() throws {
        let (_, diagnostics) = try build("node Person { email: Strng? } edge knows(a: Persn, b: Person)")
        #expect(diagnostics.map(\.hint) == ["did you mean String?", "did you mean Person?"])
    }

    @Test("two edges of one name are offered as one with a union")
    func overloads() throws {
        let (_, diagnostics) = try build(
            "node R {} node S {} node C {} edge executes(R, C) edge executes(S, C)")
        #expect(diagnostics.map(\.code) == [.duplicateName])
        #expect(diagnostics[0].hint?.contains("edge executes(R | S, C)") == true)
    }

    @Test("warnings do not crowd out the errors behind them")
    func crowd() throws {
        let source =
            "node A { " + (0..<200).map { "a\($0): Int" }.joined(separator: " ") + " } node B { x: Nope }"
        let (_, diagnostics) = try build(source)
        #expect(diagnostics.filter { $0.severity == .warning }.count == 64)
        #expect(diagnostics.filter { $0.severity == .error }.map { $0.words(in: source) } == ["Nope"])
    }

    @Test("an attribute that may be left out and is not optional is warned of, and stays")
    func nullability() throws {
        let source = "node A { a: Int b: Int? c: Int = 1 d: Int [required] }"
        let (schema, diagnostics) = try build(source)
        #expect(diagnostics.map { "\($0.code.rawValue) \($0.words(in: source))" } == ["E2021 a"])
        #expect(diagnostics[0].severity == .warning)
        #expect(schema.nodes["A"]?.attributes.map(\.name) == ["a", "b", "c", "d"])
    }
}
