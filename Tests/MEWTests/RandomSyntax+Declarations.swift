internal import MeshCore
import MEW
import MeshGraph

extension RandomSyntax {
    private mutating func number(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
    private mutating func chance(_ oneIn: Int) -> Bool { number(oneIn) == 0 }
    private mutating func pick<Value>(_ values: [Value]) -> Value { values[number(values.count)] }
    private mutating func some<Value>(_ least: Int, _ most: Int, _ make: (inout Self) -> Value) -> [Value] {
        (0..<Int.random(in: least...most, using: &generator)).map { _ in make(&self) }
    }

    private mutating func documentation() -> String? {
        pick([nil, nil, "A line.", "Two\nlines.", "", "- a dash", " indented\n\n\"quoted\""])
    }

    mutating func ontology() -> OntologyDeclaration {
        let name = chance(2) ? Name("team") : nil
        return OntologyDeclaration(
            name: name, parents: name != nil && chance(2) ? [Name("core"), Name("a::b")] : [],
            declarations: some(0, 3) { $0.declaration() }, range: .none)
    }

    mutating func declaration() -> Declaration {
        switch number(6) {
        case 0:
            .alias(
                AliasDeclaration(
                    name: Name("Alias"), type: type(), modifiers: some(0, 2) { $0.attributeModifier() },
                    documentation: documentation()))
        case 1:
            .node(
                NodeDeclaration(
                    name: Name("Task"), isAbstract: chance(3), isSealed: chance(3),
                    parents: chance(2) ? [Name("core::Thing")] : [],
                    attributes: some(0, 3) { $0.attribute() },
                    documentation: documentation()))
        case 2:
            .edge(
                EdgeDeclaration(
                    name: Name("knows"),
                    parameters: some(1, 3) {
                        .init(name: $0.chance(2) ? Name("task") : nil, type: $0.type())
                    },
                    modifiers: some(0, 3) { $0.edgeModifier() }, attributes: some(0, 2) { $0.attribute() },
                    documentation: documentation()))
        case 3:
            .constraint(
                ConstraintDeclaration(
                    name: Name("c"), isSoft: chance(2), message: chance(2) ? "no \"way\"" : nil,
                    pattern: pattern(2), condition: expression(3), documentation: documentation()))
        case 4:
            .rule(
                RuleDeclaration(
                    name: Name("r"), priority: Int64(number(5) - 2), isManual: chance(2),
                    inheritsAuthority: chance(2), pattern: pattern(2), actions: actions(),
                    documentation: documentation()))
        default: .policy(policy())
        }
    }

    private mutating func attribute() -> AttributeDeclaration {
        AttributeDeclaration(
            name: Name(pick(["name", "type", "in", "order", "set", "node", "where"])), type: type(),
            modifiers: some(0, 2) { $0.attributeModifier() }, defaultValue: chance(2) ? expression(2) : nil,
            documentation: documentation())
    }

    private mutating func attributeModifier() -> AttributeModifier {
        switch number(10) {
        case 0: AttributeModifier(.required, .none)
        case 1: AttributeModifier(.unique, .none)
        case 2: AttributeModifier(.readonly, .none)
        case 3: AttributeModifier(.indexed(descending: chance(2)), .none)
        case 4:
            AttributeModifier(
                .bound(pick([.less, .greater, .lessOrEqual, .greaterOrEqual]), expression(1)), .none)
        case 5: AttributeModifier(.between(pick([.min, -5, 0]), pick([.max, 5])), .none)
        case 6: AttributeModifier(.oneOf(some(1, 3) { $0.expression(0) }), .none)
        case 7: AttributeModifier(.format("email"), .none)
        case 8: AttributeModifier(.matches("^\\d+\"$"), .none)
        default: AttributeModifier(.length(1, 64), .none)
        }
    }

    private mutating func edgeModifier() -> EdgeModifier {
        switch number(8) {
        case 0: EdgeModifier(.symmetric, .none)
        case 1: EdgeModifier(.noSelf, .none)
        case 2: EdgeModifier(.acyclic, .none)
        case 3: EdgeModifier(.unique, .none)
        case 4: EdgeModifier(.indexed, .none)
        case 5:
            EdgeModifier(.cardinality(Name("task"), minimum: number(3), maximum: pick([nil, 2, 9])), .none)
        case 6: EdgeModifier(.onKillSource(pick(EdgeModifier.ReferentialAction.allCases)), .none)
        default: EdgeModifier(.onKillTarget(pick(EdgeModifier.ReferentialAction.allCases)), .none)
        }
    }

    mutating func actions() -> [RuleAction] {
        some(1, 3) { syntax in
            let assignments = syntax.some(1, 2) {
                AttributeAssignment(attribute: Name("a"), value: $0.expression(2))
            }
            let kind: RuleAction.Kind =
                switch syntax.number(5) {
                case 0: .spawn(Name("n"), type: Name("core::Note"), attributes: assignments)
                case 1: .kill(.variable(Name("x")))
                case 2: .unlink(.reference(Name("a b")))
                case 3:
                    .link(
                        edge: Name("knows"), targets: [.variable(Name("x")), .reference(Name("me"))],
                        variable: syntax.chance(2) ? Name("k") : nil, attributes: assignments)
                default: .set(.variable(Name("x")), assignments)
                }
            return RuleAction(kind, .none)
        }
    }

    private mutating func policy() -> PolicyDeclaration {
        let operations = some(1, 3) { syntax in
            PolicyDeclaration.Operation(
                kind: syntax.pick([nil] + PolicyDeclaration.OperationKind.allCases), isMeta: syntax.chance(4),
                target: syntax.chance(2) ? syntax.pattern(0).elements[0] : nil,
                attribute: syntax.chance(3) ? Name("a b") : nil, range: .none)
        }
        return PolicyDeclaration(
            name: Name("p"), priority: Int64(number(3) - 1), operations: operations, allows: chance(2),
            condition: expression(2), message: chance(2) ? "why" : nil, documentation: documentation())
    }
}
