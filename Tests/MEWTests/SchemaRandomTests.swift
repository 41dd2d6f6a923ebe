import MEW
import MeshCore
import MeshGraph
import MeshTestSupport
import Testing

/// Draws ontologies that are partly sound: a few names that meet often.
private struct OntologyGenerator {
    var generator: SeededGenerator

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: 0..<choices.count, using: &generator)]
    }

    mutating func type(edges: Bool) -> String {
        let values = [
            "Int", "String", "Float?", "Timestamp", "T0", "T1?", "Int | String", "String[]", "Bool?", "Nope",
        ]
        let targets = ["N0", "N1", "N2", "N0 | N1", "any", "edge<e0>", "edge<any>", "e1", "T2", "Job", "Int"]
        return edges ? pick(targets) : pick(values)
    }

    mutating func attribute(_ number: Int) -> String {
        let modifiers = [
            "", "", " [required]", " [unique]", " [>= 1]", " [length: 1..3]", " [in: [1, 2]]",
            " [match: \"a+\"]",
        ]
        let defaults = ["", "", " = 1", " = now()", " = \"a\"", " = null", " = 1 / 0"]
        return "x\(number % 3): \(type(edges: false))\(pick(modifiers))\(pick(defaults))"
    }

    mutating func declaration(_ number: Int) -> String {
        let attributes = (0..<Int.random(in: 0..<4, using: &generator)).map { attribute($0) }
        let block = "{ " + attributes.joined(separator: " ") + " }"
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: return "type T\(number % 4) = \(type(edges: Bool.random(using: &generator)))"
        case 1, 2:
            let modifiers = [
                "", "", " [symmetric]", " [acyclic]", " [a -> 0..1]", " [on_kill_target: cascade]",
                " [unique]",
            ]
            return
                "edge e\(number % 4)(a: \(type(edges: true)), b: \(type(edges: true)))\(pick(modifiers)) \(block)"
        case 3: return "constraint c\(number % 5): n: N\(number % 4) => n.x0 > 1"
        default:
            let parents = pick(["", "", " : N0", " : N1, N2", " : N3", " : T0"])
            return pick(["", "abstract ", "sealed "]) + "node N\(number % 6)\(parents) \(block)"
        }
    }
}

@Suite("Whatever is declared, the builder gives an answer", .tags(.Size.small))
struct SchemaRandomTests {
    /// Everything about a schema that anybody can see.
    private func description(_ schema: GraphSchema) throws -> [SchemaTable] {
        var tables: [SchemaTable] = []
        var statements: [ShowStatement] = [.types, .edges]
        statements += schema.nodes.map(\.key).sorted().map { .type(Name($0)) }
        statements += schema.edges.map(\.key).sorted().map { .edge(Name($0)) }
        for statement in statements {
            if let table = try schema.table(for: statement) { tables.append(table) }
        }
        return tables
    }

    @Test(
        "random declarations are judged alike in any order, and no survivor rests on what was left out",
        arguments: Seed.sample(300))
    func anyOrder(_ seed: Seed) throws {
        var random = OntologyGenerator(generator: seed.generator)
        var lines: [String: String] = [:]
        for number in 0..<Int.random(in: 1..<14, using: &random.generator) {
            // One declaration of each name: of two the order would decide.
            let line = random.declaration(number)
            let name = line.split(whereSeparator: { " (:".contains($0) }).first {
                $0.count == 2 && $0.last?.isNumber == true
            }
            lines[String(try #require(name, "\(line)"))] = line
        }
        let names = lines.keys.sorted()
        let (first, faults) = try build(names.map { lines[$0] ?? "" }.joined(separator: "\n"))
        let shuffled = names.shuffled(using: &random.generator)
        let (second, others) = try build(shuffled.map { lines[$0] ?? "" }.joined(separator: "\n"))
        #expect(try description(first) == description(second))
        #expect(
            faults.map { "\($0.code) \($0.message)" }.sorted()
                == others.map { "\($0.code) \($0.message)" }.sorted())

        for node in first.nodes.map(\.value) {
            for parent in node.parents { #expect(first.nodes[parent]?.isSealed == false) }
            for name in node.concreteTypes { #expect(first.isSubtype(name, of: node.name)) }
            for parent in node.ancestors.compactMap({ first.nodes[$0] }) {
                for attribute in parent.attributes {
                    #expect(node.attribute(attribute.name)?.type.isSame(as: attribute.type) == true)
                }
            }
        }
        for edge in first.edges.map(\.value) where !edge.isSystem {
            for member in edge.parameters.flatMap(\.type.members) {
                switch member {
                case .node(let name): #expect(first.nodes[name]?.isVirtual == false)
                case .edge(.some(let name)): #expect(first.edges[name] != nil)
                case .anyNode, .edge(nil): break
                default: Issue.record("\(edge.name) takes \(member)")
                }
            }
        }
        // Without an error everything stands.
        if !faults.contains(where: { $0.severity == .error }) {
            let declared =
                first.nodes.count + first.edges.count + first.aliases.count + first.constraints.count
            let system = SystemOntology.schema.nodes.count + SystemOntology.schema.edges.count
            #expect(declared == lines.count + system)
        }
    }

    @Test("what a schema lets in, a checker elsewhere lets in too", arguments: Seed.sample(100))
    func fillingArrives(_ seed: Seed) throws {
        var random = OntologyGenerator(generator: seed.generator)
        let source = (0..<6).map { number in
            "node M\(number) { \((0..<3).map { random.attribute($0) }.joined(separator: " ")) }"
        }
        let (schema, _) = try build(source.joined(separator: "\n"))
        let checker = ChangeChecker(schema)
        let values: [GraphValue] = [
            .int(1), .int(2), .string("a"), .float(1.5), .null, .list([.string("a")]), .timestamp(1),
        ]
        for node in schema.nodes.map(\.value).sorted(by: { $0.name < $1.name }) where !node.isSystem {
            for _ in 0..<10 {
                let assigned = node.attributes.filter { _ in Bool.random(using: &random.generator) }
                    .map { AssignedValue(name: Name($0.name), value: random.pick(values)) }
                let filled = schema.fill(assigned, into: node.attributes, of: node.name, now: 1)
                guard filled.errors.isEmpty else { continue }
                let change = GraphChange(operations: [
                    .spawn(type: node.name, key: nil, attributes: filled.attributes)
                ])
                #expect(checker.fault(in: change) == nil)
            }
        }
    }
}
