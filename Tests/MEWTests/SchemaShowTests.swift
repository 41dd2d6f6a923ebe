import MEW
import MeshGraph
import MeshTestSupport
import Testing

@Suite("SHOW describes a schema, and a schema says which indexes it wants", .tags(.Size.small))
struct SchemaShowTests {
    private let source = """
        --- Somebody.
        [abstract] node Being { name: String [required, unique, length: 1..64], age: Int? [indexed, 0..150] }
        node Person : Being { email: String? [unique, format: email], since: Timestamp = now() }
        node Child : Person { nick: String? [indexed: desc] }
        node Dog : Being {}
        type Pet = Dog | Child
        type Mark = Int [1..6]
        edge knows(a: Person, b: Person) [symmetric, no_self, a -> 0..*] { code: String? [unique] }
        edge walks(Person, Dog) [on_kill_target: cascade]
        constraint adult [soft, message: "too young"]: p: Person => p.age >= 18
        rule late: p: Person => KILL p
        rule early [priority: 9]: p: Person => SET p.age = 1
        policy open [priority: 2]: ON MATCH(p: Person) | SPAWN ALLOW IF true MESSAGE "hm"
        """

    private func rows(_ statement: ShowStatement) throws -> [[String]] {
        let table = try #require(try schema(source).table(for: statement))
        for row in table.rows { #expect(row.count == table.columns.count) }
        return table.rows.map { row in
            row.map { value in
                switch value {
                case .string(let text): text
                case .null: "-"
                default: value.literal
                }
            }
        }
    }

    @Test("types come with what is above them, the system's among them")
    func types() throws {
        let all = try rows(.types)
        #expect(all.map { $0[0] } == all.map { $0[0] }.sorted())
        func row(_ name: String) -> [String]? { all.first { $0[0] == name } }
        #expect(
            row("Being")
                == [
                    "Being", "node", "", "true", "false", "false", #"["name: String", "age: Int?"]"#,
                    "Somebody.",
                ])
        #expect(row("Child")?[2] == "Person")
        #expect(row("Child")?[6].contains(#""email: String?""#) == true)
        #expect(row("Pet") == ["Pet", "alias", "Dog | Child", "false", "false", "false", "[]", ""])
        #expect(row("Mark") == ["Mark", "alias", "Int", "false", "false", "false", "[]", ">= 1, <= 6"])
        #expect(row("Job")?[5] == "true")
    }

    @Test("a type comes with its attributes")
    func type() throws {
        #expect(
            try rows(.type(Name("Person"))) == [
                ["name", "String", "required, unique, length: 1..64", "-", "Being", "-"],
                ["age", "Int?", "indexed, >= 0, <= 150", "-", "Being", "-"],
                ["email", "String?", "unique, format: email", "-", "Person", "-"],
                ["since", "Timestamp", "", "now()", "Person", "-"],
            ])
        #expect(try rows(.type(Name("Mark"))) == [["Mark", "Int", ">= 1, <= 6"]])
    }

    @Test("edges come with their parameters, one edge with its attributes too")
    func edges() throws {
        let all = try rows(.edges)
        #expect(all.map { $0[0] } == ["_watch_dead_letter", "knows", "walks"])
        #expect(
            all[1] == [
                "knows", #"["a: Person", "b: Person"]"#, "false", "symmetric, no_self, a -> 0..*, b -> 0..*",
                #"["code: String?"]"#, "-",
            ])
        #expect(all[2] == ["walks", #"["Person", "Dog"]"#, "false", "on_kill_target: cascade", "[]", "-"])
        #expect(
            try rows(.edge(Name("knows"))) == [
                ["parameter", "a", "Person", "0..*", "-"], ["parameter", "b", "Person", "0..*", "-"],
                ["attribute", "code", "String?", "unique", "-"],
            ])
        #expect(try rows(.edge(Name("walks"))).map { $0[1] } == ["1", "2"])
    }

    @Test("constraints, rules in the order of their firing, and policies come as they were written")
    func programs() throws {
        #expect(try rows(.constraints) == [["adult", "soft", "p: Person", "p.age >= 18", "too young", "-"]])
        #expect(try rows(.constraint(Name("adult"))).count == 1)
        #expect(
            try rows(.rules) == [
                ["early", "9", "auto", "p: Person", "SET p.age = 1", "-"],
                ["late", "0", "auto", "p: Person", "KILL p", "-"],
            ])
        #expect(try rows(.rule(Name("late"))).count == 1)
        #expect(
            try rows(.policies) == [["open", "2", "MATCH(p: Person) | SPAWN", "allow", "true", "hm", "-"]])
    }

    @Test("a name that is not there is refused with the nearest, and what is no schema's business is left")
    func unknown() throws {
        let schema = try schema(source)
        let cases: [(ShowStatement, ErrorCode, String)] = [
            (.type(Name("Persn")), .unknownType, "Person"), (.edge(Name("know")), .unknownEdge, "knows"),
            (.constraint(Name("adlut")), .unknownReference, "adult"),
            (.rule(Name("eraly")), .unknownRule, "early"),
        ]
        for (statement, code, name) in cases {
            let refused = try refusal { _ = try schema.table(for: statement) }
            #expect(refused.code == code)
            #expect(refused.hint == "did you mean \(name)?")
        }
        #expect(try schema.table(for: .status) == nil)
        #expect(try schema.table(for: .indexes) == nil)
    }

    @Test("every unique or indexed attribute has one index over the declaring type and all below it")
    func indexes() throws {
        let plan = IndexPlan.definitions(for: try schema(source))
        #expect(
            plan == [
                IndexDefinition(
                    name: "Being.age", types: ["Child", "Dog", "Person"], attribute: "age", isUnique: false),
                IndexDefinition(
                    name: "Being.name", types: ["Child", "Dog", "Person"], attribute: "name", isUnique: true),
                IndexDefinition(name: "Child.nick", types: ["Child"], attribute: "nick", isUnique: false),
                IndexDefinition(
                    name: "Person.email", types: ["Child", "Person"], attribute: "email", isUnique: true),
                IndexDefinition(name: "knows.code", types: ["knows"], attribute: "code", isUnique: true),
            ])
        #expect(IndexPlan.definitions(for: SystemOntology.schema) == [])
    }

    @Test("a child that makes an inherited attribute unique has an index of its own")
    func narrowedIndex() throws {
        let schema = try schema(
            "node A { x: Int? [indexed] } node B : A { x: Int? [unique] } node C : A { x: Int? [indexed] }")
        #expect(
            IndexPlan.definitions(for: schema) == [
                IndexDefinition(name: "A.x", types: ["A", "B", "C"], attribute: "x", isUnique: false),
                IndexDefinition(name: "B.x", types: ["B"], attribute: "x", isUnique: true),
            ])
        #expect(schema.nodes["B"]?.attribute("x").map(IndexPlan.name) == "B.x")
        #expect(schema.nodes["C"]?.attribute("x").map(IndexPlan.name) == "A.x")
    }

    @Test("the system's types are sealed views, but for the letter that the kernel writes")
    func system() {
        let schema = SystemOntology.schema
        #expect(
            schema.nodes.map(\.key).sorted() == [
                "Attestation", "Award", "Bid", "Feed", "Job", "MeshNode", "Receipt", "Token", "_Conflict",
                "_DeadLetter", "_Watch",
            ])
        for (name, node) in schema.nodes {
            #expect(node.isSystem && node.isSealed && node.concreteTypes == [name])
            #expect(node.isVirtual == (name != "_DeadLetter"))
            #expect(node.attributes.allSatisfy { $0.isReadonly })
            #expect(Set(node.attributes.map(\.name)).count == node.attributes.count)
        }
        for (type, key) in [
            ("Job", "job_id"), ("MeshNode", "did"), ("Receipt", "receipt_cid"), ("Award", "award_cid"),
            ("Attestation", "attestation_cid"), ("Token", "grant_cid"),
        ] {
            #expect(schema.nodes[type]?.attribute(key)?.isUnique == true, "\(type).\(key)")
        }
        for type in ["Bid", "Award", "Receipt", "Attestation"] {
            #expect(schema.nodes[type]?.attribute("job_id")?.isIndexed == true, "\(type)")
        }
        #expect(schema.edges["_watch_dead_letter"]?.isSystem == true)
    }
}
