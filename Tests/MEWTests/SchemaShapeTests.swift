import MEW
import MeshGraph
import MeshTestSupport
import Testing

@Suite("The schema builder keeps what was declared", .tags(.Size.small))
struct SchemaShapeTests {
    @Test("attributes are inherited parents first, a diamond's once, and modifiers add up")
    func inheritance() throws {
        let schema = try schema(
            """
            [abstract] node Thing { name: String [required], made: Timestamp = now() }
            node Named : Thing { nick: String? }
            node Aged : Thing { name: String [length: 1..8] age: Int? [>= 0] }
            node Person : Named, Aged { email: String? [unique] }
            node Child : Person { email: String? [format: email] }
            """)
        let person = try #require(schema.nodes["Person"])
        #expect(person.attributes.map(\.name) == ["name", "made", "nick", "age", "email"])
        let name = try #require(person.attribute("name"))
        #expect(name.isRequired)
        #expect(name.checks == [.length(1, 8)])
        #expect(name.declaredIn == "Thing")
        #expect(person.ancestors == ["Thing", "Named", "Aged"])
        #expect(schema.concreteTypes(of: "Thing") == ["Aged", "Child", "Named", "Person"])
        #expect(schema.concreteTypes(of: "Person") == ["Child", "Person"])
        #expect(schema.isSubtype("Child", of: "Thing"))
        #expect(!schema.isSubtype("Thing", of: "Child"))
        let email = try #require(schema.nodes["Child"]?.attribute("email"))
        #expect(email.isUnique)
        #expect(email.declaredIn == "Person")
        #expect(email.checks == [.format("email")])
    }

    @Test("a type's own default comes before its parents', and the first parent's before the second's")
    func defaults() throws {
        let schema = try schema(
            """
            node A { x: Int = 1 } node B { x: Int = 2 }
            node C : A, B {} node D : A { x: Int = 3 } node E : B, A { x: Int [>= 0] }
            """)
        func value(_ type: String) throws -> GraphValue {
            let expression = try #require(schema.nodes[type]?.attribute("x")?.defaultValue)
            return try ConstantExpression.value(of: expression, now: nil)
        }
        #expect(try value("C") == .int(1))
        #expect(try value("D") == .int(3))
        #expect(try value("E") == .int(2))
    }

    @Test("aliases bring their checks, unions are flat and each member counts once")
    func aliases() throws {
        let schema = try schema(
            """
            type Email = String [format: email]
            type Short = Email [length: 3..20]
            type Number = Int | Float
            type Key = Number | String | Int
            node A { mail: Short?, all: Email[]?, key: Key? }
            """)
        let mail = try #require(schema.nodes["A"]?.attribute("mail"))
        #expect(mail.type == .union([.scalar(.string), .null]))
        #expect(mail.checks == [.format("email"), .length(3, 20)])
        let key = try #require(schema.nodes["A"]?.attribute("key"))
        #expect(key.type.description == "(Int | Float | String)?")
        #expect(schema.nodes["A"]?.attribute("all")?.type.description == "String[]?")
        #expect(schema.aliases["Number"]?.type == .union([.scalar(.int), .scalar(.float)]))
    }

    @Test("bounds are values of the attribute's type, and both ends of a range are in it")
    func bounds() throws {
        let schema = try schema(
            """
            node A {
              a: Float? [> 0, 0..10]
              b: Duration? [<= 5.min]
              c: Timestamp? [>= @2026-01-01]
              d: String? [in: ["x", "y"]]
              e: Int? [>= -3]
            }
            """)
        let node = try #require(schema.nodes["A"])
        #expect(node.attribute("a")?.checks == [.above(.float(0)), .atLeast(.float(0)), .atMost(.float(10))])
        #expect(node.attribute("b")?.checks == [.atMost(.duration(300_000))])
        #expect(node.attribute("c")?.checks == [.atLeast(.timestamp(1_767_225_600_000))])
        #expect(node.attribute("d")?.checks == [.oneOf([.string("x"), .string("y")])])
        #expect(node.attribute("e")?.checks == [.atLeast(.int(-3))])
    }

    @Test("edges take names or none, unions, any, other edges, and any number of targets")
    func edges() throws {
        let schema = try schema(
            """
            node R {} node S {} node C {}
            type Trigger = R | S
            edge executes(R | S, C)
            edge fires(t: Trigger, c: C) [t -> 0..3, c -> 1..*]
            edge touches(R, any)
            edge doubts(about: edge<executes>, by: C)
            edge notes(edge<any>)
            edge meets(a: R, b: S, c: C) { at: Timestamp = now() }
            edge knows(a: R, b: R) [symmetric, no_self, unique, a -> 0..2, on_kill_source: prevent]
            edge part(R, R) [acyclic, on_kill_target: cascade]
            """)
        #expect(
            schema.edges["executes"]?.parameters.map(\.type) == [
                .union([.node("R"), .node("S")]), .node("C"),
            ])
        #expect(schema.edges["executes"]?.parameters.allSatisfy { $0.name == nil } == true)
        let fires = try #require(schema.edges["fires"])
        #expect(fires.parameters[0].type == .union([.node("R"), .node("S")]))
        #expect(
            fires.cardinalities == [
                .init(position: 0, minimum: 0, maximum: 3), .init(position: 1, minimum: 1, maximum: nil),
            ])
        #expect(schema.edges["touches"]?.parameters[1].type == .anyNode)
        #expect(schema.edges["doubts"]?.parameters[0].type == .edge("executes"))
        #expect(schema.edges["notes"]?.parameters[0].type == .edge(nil))
        #expect(schema.edges["meets"]?.parameters.count == 3)
        #expect(schema.edges["meets"]?.attribute("at")?.type == .scalar(.timestamp))
        let knows = try #require(schema.edges["knows"])
        #expect(knows.isSymmetric && knows.noSelf && knows.isUnique && !knows.isAcyclic)
        #expect(
            knows.cardinalities == [
                .init(position: 0, minimum: 0, maximum: 2), .init(position: 1, minimum: 0, maximum: 2),
            ])
        #expect(knows.onKillSource == .prevent && knows.onKillTarget == .prevent)
        let part = try #require(schema.edges["part"])
        #expect(part.isAcyclic && part.onKillSource == .unlink && part.onKillTarget == .cascade)
    }

    @Test("a cardinality finds a parameter without a name by its type or its end")
    func cardinalityByType() throws {
        let ends = try schema("node A {} edge e(A, A) [source -> 0..1, target -> 1..2]")
        #expect(
            ends.edges["e"]?.cardinalities == [
                .init(position: 0, minimum: 0, maximum: 1), .init(position: 1, minimum: 1, maximum: 2),
            ])
        let schema = try schema("node A {} node B {} edge e(A, B) [B -> 0..1]")
        #expect(schema.edges["e"]?.cardinalities == [.init(position: 1, minimum: 0, maximum: 1)])
    }

    @Test("acyclic and no_self accept parameters that one node can stand at")
    func meeting() throws {
        let schema = try schema(
            """
            [abstract] node A {} [abstract] node B {} node C : A, B {} node D : C {}
            edge a(x: A, y: B) [no_self]
            edge b(x: any, y: D) [acyclic]
            edge c(x: A | D, y: C) [acyclic, no_self]
            edge d(x: edge<a>, y: edge<any>) [no_self]
            abstract node Idea {} abstract node Plan : Idea {}
            edge f(x: Idea, y: Plan) [acyclic]
            """)
        #expect(schema.edges["a"]?.noSelf == true)
        #expect(schema.edges["b"]?.isAcyclic == true)
        #expect(schema.edges["c"]?.isAcyclic == true)
        #expect(schema.edges["d"]?.noSelf == true)
        // Nothing is of either type yet, but something will be.
        #expect(schema.edges["f"]?.isAcyclic == true)
    }

    @Test("words of the language may be written small, and an ontology's name may stand before a type")
    func spellings() throws {
        let schema = try schema(
            "ontology Base { node A { x: string? } node B : Base::A {} edge e(x: Base::B) }")
        #expect(schema.nodes["A"]?.attribute("x")?.type == .union([.scalar(.string), .null]))
        #expect(schema.nodes["B"]?.parents == ["A"])
        #expect(schema.edges["e"]?.parameters[0].type == .node("B"))
    }

    @Test("constraints, rules and policies stay in the order of their declaration")
    func programs() throws {
        let schema = try schema(
            """
            node A { x: Int? }
            rule b: a: A => KILL a
            rule a: a: A => KILL a
            constraint z: a: A => a.x > 0
            constraint y: a: A => a.x > 1
            policy p: ON * ALLOW IF true
            policy a: ON * ALLOW IF true
            """)
        #expect(schema.rules.map(\.name.text) == ["b", "a"])
        #expect(schema.constraints.map(\.name.text) == ["z", "y"])
        #expect(schema.policies.map(\.name.text) == ["p", "a"])
    }

    @Test("the source document's types are accepted as they are written")
    func sourceDocument() throws {
        let (schema, diagnostics) = try build(
            """
            node CodeModule {
              name: String [required]
              source_hash: Hash [required]        -- code bytes in external storage
              language: String [required]         -- "wasm", "python", "javascript", etc.
              entry_point: String?
            }
            node Invocation {
              status: String [required]
              created_at: Timestamp
              started_at: Timestamp?
              completed_at: Timestamp?
              error: String?
            }
            edge invokes(Invocation, CodeModule)
            edge input(Invocation, any)
            edge output(Invocation, any)
            node Reactor { trigger_pattern: String [required]  enabled: Bool = true }
            node Scheduler { cron: String [required]  enabled: Bool = true }
            edge executes(Reactor | Scheduler, CodeModule)
            edge triggered_by(Invocation, Reactor | Scheduler)
            """)
        #expect(diagnostics.map(\.code) == [.unusedNullability])
        #expect(schema.edges.count == 5 + SystemOntology.schema.edges.count)
        #expect(schema.nodes.count == 4 + SystemOntology.schema.nodes.count)
    }

    @Test("a chain, a fan and a circle of ten thousand types end with an answer")
    func manyTypes() throws {
        var chain = "node T0 {} "
        for number in 1..<10_000 { chain += "node T\(number) : T\(number - 1) {} " }
        let (first, faults) = try build(chain)
        // Deeper than the limit is left out, and so is what rests on it.
        #expect(first.nodes["T64"] != nil)
        #expect(first.nodes["T65"] == nil)
        #expect(faults.count == 1)

        var circle = "node T0 : T9999 {} "
        for number in 1..<10_000 { circle += "node T\(number) : T\(number - 1) {} " }
        let (second, cycles) = try build(circle)
        #expect(second.nodes.count == SystemOntology.schema.nodes.count)
        #expect(cycles.allSatisfy { $0.code == .inheritanceConflict })
        #expect(cycles.count == 256)

        let many = (0..<17_000).map { "node T\($0) {}" }.joined(separator: " ")
        let (third, refused) = try build(many)
        #expect(third.nodes.count == 16_384 + SystemOntology.schema.nodes.count)
        #expect(refused.first?.code == .invalidDeclaration)
    }

    @Test("types that would multiply their attributes without end are left out")
    func multiplication() throws {
        var source = "node Wide { " + (0..<250).map { "a\($0): Int?" }.joined(separator: " ") + " } "
        for number in 0..<3000 { source += "node N\(number) : Wide {} " }
        let (schema, diagnostics) = try build(source)
        let total = schema.nodes.values.map(\.attributes.count).sorted().reduce(0, +)
        #expect(total <= 262_144 + 200)
        #expect(schema.nodes["N0"] != nil && schema.nodes["N2999"] == nil)
        #expect(diagnostics.allSatisfy { $0.code == .invalidDeclaration })
    }

    @Test("declarations whose cost is more than their text are left out beyond a bound")
    func costs() throws {
        func errors(_ source: String) throws -> [ErrorCode] {
            try build(source).diagnostics.filter { $0.severity == .error }.map(\.code)
        }
        // Two families that never meet, and edges that ask whether they do.
        var families = "abstract node A {} abstract node B {} "
        for number in 0..<1000 { families += "node A\(number) : A {} node B\(number) : B {} " }
        for number in 0..<1000 { families += "edge e\(number)(x: A, y: B) [acyclic] " }
        #expect(try Set(errors(families)) == [.invalidModifier])

        let values = (0..<1100).map(String.init).joined(separator: ", ")
        #expect(try errors("node A { x: Int? [in: [\(values)]] }") == [.invalidModifier])
        let half = (0..<600).map(String.init).joined(separator: ", ")
        let other = (600..<1200).map(String.init).joined(separator: ", ")
        #expect(
            try errors("node A { x: Int? [in: [\(half)]] } node B : A { x: Int? [in: [\(other)]] }")
                == [.inheritanceConflict])

        let parents = (0..<33).map { "P\($0)" }
        let many = parents.map { "node \($0) {}" }.joined(separator: " ")
        #expect(try errors(many + " node A : \(parents.joined(separator: ", ")) {}") == [.invalidDeclaration])
        #expect(
            try errors("\(many) edge e(\((parents + parents).joined(separator: " | ")))") == [
                .invalidDeclaration
            ])

        let patterns = (0..<2100).map { "a\($0 % 200)_\($0 / 200): String? [match: \"\($0)\"]" }
        var types = ""
        for (number, start) in stride(from: 0, to: 2100, by: 100).enumerated() {
            types += "node N\(number) { \(patterns[start..<(start + 100)].joined(separator: " ")) } "
        }
        #expect(try errors(types).count == 52)

        let name = String(repeating: "x", count: 100_000)
        let (_, diagnostics) = try build("node A { a: \(name) }")
        #expect(diagnostics.first?.message.count == 401)
    }
}
