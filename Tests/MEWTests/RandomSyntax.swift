import MEW
import MeshCore
import MeshGraph

/// Makes syntax trees of every kind from a seed, within what a text can say.
struct RandomSyntax {
    var generator: SeededGenerator

    init(_ generator: SeededGenerator) { self.generator = generator }

    private mutating func number(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
    private mutating func chance(_ oneIn: Int) -> Bool { number(oneIn) == 0 }
    private mutating func pick<Value>(_ values: [Value]) -> Value { values[number(values.count)] }
    private mutating func some<Value>(_ least: Int, _ most: Int, _ make: (inout Self) -> Value) -> [Value] {
        (0..<Int.random(in: least...most, using: &generator)).map { _ in make(&self) }
    }

    // Names that are keywords somewhere, and names that are not.
    private mutating func variable() -> Name {
        Name(
            pick([
                "x", "y", "order", "from", "type", "id", "limit", "set", "nodes", "path", "count", "_x",
                "Depth",
            ]))
    }
    private mutating func attribute() -> Name {
        Name(
            pick([
                "a", "name", "id", "type", "in", "is", "not", "and", "where", "return", "null", "depth",
                "set",
            ]))
    }
    private mutating func typeName() -> Name {
        Name(pick(["Task", "Person", "core::Thing", "Order", "a::b::C"]))
    }
    private mutating func edgeName() -> Name { Name(pick(["knows", "part_of", "core::holds", "link", "e"])) }
    private mutating func text() -> String {
        pick(["", "a", "it's", "say \"hi\"", "\\", "line\nbreak\t", "é日😀", "\u{0}\u{7F}", "-- no", "#x $y"])
    }

    mutating func type(_ depth: Int = 2) -> TypeExpression {
        switch depth > 0 ? number(9) : number(4) {
        case 0: TypeExpression(.any)
        case 1: TypeExpression(.edge(chance(2) ? nil : edgeName().text))
        case 2, 3: TypeExpression(.named(typeName().text))
        case 4: TypeExpression(.union(some(2, 3) { $0.type(depth - 1) }))
        case 5: TypeExpression(.list(type(depth - 1)))
        case 6: optional(type(depth - 1))
        default: TypeExpression(.named("String"))
        }
    }

    /// What is optional twice is read as optional once.
    private func optional(_ type: TypeExpression) -> TypeExpression {
        if case .optional = type.kind { type } else { TypeExpression(.optional(type)) }
    }

    private mutating func literal() -> GraphValue {
        switch number(10) {
        case 0: .null
        case 1: .bool(chance(2))
        case 2: .int(pick([0, 1, -1, .max, .min, 42]))
        case 3: .float(pick([0, -0.5, 1e300, .leastNonzeroMagnitude, 1.0, -1e21]))
        case 4, 5: .string(text())
        case 6: .timestamp(pick([0, -1, 1_700_000_000_123, 253_402_300_799_999, -62_167_219_200_000]))
        case 7: .duration(pick([0, 1, 1000, 60_000, 86_400_000, -3_600_000, .max, .min]))
        case 8: .hash(Bytes32(some(32, 32) { UInt8($0.number(256)) }))
        default: .int(Int64(number(1000)) - 500)
        }
    }

    mutating func expression(_ depth: Int) -> Expression {
        guard depth > 0 else {
            switch number(5) {
            case 0: return Expression(.variable(variable().text))
            case 1: return Expression(.reference(pick(["me", "a b", "x/y/0", "\"", "9"])))
            case 2: return Expression(.parameter("p", isOptional: chance(2)))
            default: return Expression(.literal(literal()))
            }
        }
        switch number(13) {
        case 0: return Expression(.attribute(expression(depth - 1), attribute()))
        case 1:
            let name = Name(pick(["length", "now", "f", "min", "a"]))
            // One argument of `min` would be an aggregate.
            return Expression(.call(name, some(2, 3) { $0.expression(depth - 1) }))
        case 2: return Expression(.list(some(0, 3) { $0.expression(depth - 1) }))
        case 3: return Expression(.unary(pick([.negate, .not]), expression(depth - 1)))
        case 4, 5, 6:
            let symbol = pick(BinaryOperator.allCases)
            return Expression(.binary(symbol, expression(depth - 1), expression(depth - 1)))
        case 7: return Expression(.isOfType(expression(depth - 1), type(1)))
        case 8: return Expression(.isNull(expression(depth - 1), isNegated: chance(2)))
        case 9: return Expression(.isIn(expression(depth - 1), expression(depth - 1), isNegated: chance(2)))
        case 10: return Expression(.exists(pattern(depth - 1), isNegated: chance(2)))
        case 11: return Expression(.aggregate(aggregate(depth - 1)))
        default: return expression(0)
        }
    }

    private mutating func aggregate(_ depth: Int) -> AggregateCall {
        let function = pick(AggregateCall.Function.allCases)
        let isDistinct = chance(3)
        var argument = AggregateCall.Argument.value(expression(depth))
        var condition = chance(3) ? expression(depth) : nil
        if function == .count, chance(2) {
            if isDistinct || chance(2) {
                argument = .pattern(pattern(depth))
                condition = nil
            } else {
                argument = .rows
            }
        }
        return AggregateCall(
            function: function, isDistinct: isDistinct, argument: argument, condition: condition,
            limit: function == .collect ? pick([.standard, .count(5), .none]) : .standard, range: .none)
    }

    private mutating func target() -> PatternTarget {
        switch number(5) {
        case 0: .anything(.none)
        case 1: .reference(Name(pick(["me", "a b"])))
        case 2: .parameter(Name("p"))
        default: .variable(variable())
        }
    }

    private mutating func element() -> PatternElement {
        guard chance(2) else { return .node(NodePattern(variable: variable(), type: type())) }
        let repetition = pick([EdgePattern.Repetition.once, .once, .oneOrMore, .zeroOrMore])
        return .edge(
            EdgePattern(
                edge: edgeName(), repetition: repetition, targets: some(1, 3) { $0.target() },
                depth: repetition != .once && chance(2) ? number(10) : nil,
                variable: chance(3) ? variable() : nil,
                range: .none))
    }

    mutating func pattern(_ depth: Int) -> Pattern {
        Pattern(
            elements: some(1, 3) { $0.element() }, condition: depth > 0 && chance(2) ? expression(depth) : nil
        )
    }

    private mutating func projections() -> [Projection] {
        some(1, 3) { syntax in
            if syntax.chance(5) { return .all(.none) }
            return .expression(syntax.expression(2), alias: syntax.chance(3) ? syntax.variable() : nil)
        }
    }

    private mutating func assignments(_ least: Int = 0) -> [AttributeAssignment] {
        some(least, 3) { AttributeAssignment(attribute: $0.attribute(), value: $0.expression(2)) }
    }

    private mutating func match() -> MatchStatement {
        let optionals = some(0, 2) { $0.pattern(1) }
        return MatchStatement(
            pattern: pattern(2), optionals: optionals,
            // Without one of its own, the whole would take that of the last part.
            condition: optionals.last.map { $0.condition != nil || chance(2) } == true ? expression(2) : nil,
            isDistinct: chance(3),
            projections: projections(),
            order: some(0, 2) { .init(expression: $0.expression(1), isDescending: $0.chance(2)) },
            limit: chance(2) ? expression(1) : nil, offset: chance(3) ? expression(0) : nil)
    }

    private mutating func entity() -> EntityTarget {
        switch number(5) {
        case 0: .reference(Name(pick(["me", "a b"])))
        case 1: .parameter(Name("p"))
        case 2: .match(match(), .none)
        default: .variable(variable())
        }
    }

    private mutating func item() -> SpawnItem {
        SpawnItem(
            variable: chance(3) ? nil : variable(), key: chance(4) ? Name("key one") : nil, type: typeName(),
            attributes: assignments(), range: .none)
    }

    private mutating func change() -> Statement {
        let returning = chance(3) ? projections() : nil
        switch number(5) {
        case 0: return Statement(.spawn(some(1, 2) { $0.item() }, returning: returning), .none)
        case 1:
            let targets = some(1, 3) { syntax -> LinkStatement.Target in
                syntax.chance(4) ? .spawn(syntax.item()) : .entity(syntax.entity())
            }
            let link = LinkStatement(
                ifNotExists: chance(3), edge: edgeName(), targets: targets,
                variable: chance(3) ? variable() : nil,
                attributes: assignments(), returning: returning)
            return Statement(.link(link), .none)
        case 2:
            let target: UnlinkTarget =
                chance(2)
                ? .entity(entity()) : .pattern(edge: edgeName(), targets: some(1, 2) { $0.target() })
            return Statement(.unlink(target, returning: returning), .none)
        case 3: return Statement(.set(entity(), assignments(1), returning: returning), .none)
        default:
            return Statement(
                .kill(entity(), pick([.declared, .cascade, .noCascade]), returning: returning), .none)
        }
    }

    mutating func statement() -> Statement {
        let kind: Statement.Kind
        switch number(14) {
        case 0, 1: kind = .match(match())
        case 2: kind = .matchMutate(pattern(2), some(1, 3) { $0.change() })
        case 3, 4: return change()
        case 5: kind = .inspect(Name("me"), returning: chance(2) ? projections() : nil)
        case 6: kind = .walk(walk())
        case 7: kind = control()
        case 8: kind = .loadOntology(ontology())
        case 9: kind = .extendOntology(ontology())
        case 10: kind = chance(2) ? .explain(statement()) : .profile(Statement(.match(match()), .none))
        case 11: kind = .watch(watch())
        case 12: kind = management()
        default:
            kind =
                chance(2)
                ? .instance(bareItem())
                : .edgeInstance(
                    edge: Name(pick(["knows", "core::link", "merge"])), targets: some(1, 3) { $0.target() },
                    attributes: assignments())
        }
        return Statement(kind, .none)
    }

    private mutating func bareItem() -> SpawnItem {
        let item = item()
        return SpawnItem(
            variable: item.key == nil ? item.variable : nil, key: item.key, type: item.type,
            attributes: item.attributes, range: .none)
    }

    private mutating func control() -> Statement.Kind {
        switch number(9) {
        case 0: .begin(serializable: chance(2))
        case 1: .commit
        case 2: .rollback
        case 3: .savepoint(variable())
        case 4: .rollbackTo(variable())
        case 5: .trigger(rule: Name("r"), condition: chance(2) ? expression(2) : nil)
        case 6: .beginSession(entity())
        case 7: .endSession
        default: .loadOntologyFrom(text())
        }
    }

    private mutating func walk() -> WalkStatement {
        let result: WalkStatement.Result =
            switch number(5) {
            case 0: .path
            case 1: .nodes
            case 2: .edges
            case 3: .terminal(chance(2) ? variable() : nil)
            default: .projections(projections())
            }
        return WalkStatement(
            start: expression(1),
            steps: some(1, 3) {
                .init(edge: $0.edgeName(), direction: $0.pick([.forward, .backward, .either]))
            },
            minimumDepth: number(3), maximumDepth: chance(2) ? number(9) : nil,
            until: chance(2) ? expression(2) : nil, result: result)
    }

    // MARK: - Watches and administration

    private mutating func watchValue(_ depth: Int) -> WatchOption.Value {
        let value = expression(depth)
        // A word alone is the option's own.
        var isWord = false
        if case .variable = value.kind { isWord = true }
        if !isWord, chance(2) { return .expression(value, isDescending: chance(3)) }
        return .word(
            pick(["drop", "attribute", "reliable"]), depth > 0 ? some(0, 2) { $0.watchValue(depth - 1) } : [])
    }

    private mutating func watchOptions(_ least: Int) -> [WatchOption] {
        some(least, 3) { syntax in
            if syntax.chance(4) {
                return WatchOption(
                    name: Name("filter"), value: .expression(syntax.expression(2), isDescending: false))
            }
            return WatchOption(name: Name("mode"), value: syntax.watchValue(2))
        }
    }

    private mutating func watch() -> WatchStatement {
        let acts = chance(3)
        return WatchStatement(
            pattern: pattern(2), options: watchOptions(0), projections: acts ? [] : projections(),
            actions: acts ? actions() : [])
    }

    private mutating func management() -> Statement.Kind {
        switch number(6) {
        case 0: .acknowledge(expression(1), isNegative: chance(2), noRetry: chance(2))
        case 1: .manageWatch(pick([.pause, .resume, .cancel]), expression(1))
        case 2: .alterWatch(expression(0), watchOptions(1))
        case 3:
            .show(
                pick([
                    .types, .edges, .constraints, .rules, .policies, .indexes, .statistics, .status, .watches,
                    .type(typeName()), .edge(edgeName()), .constraint(Name("c")), .rule(Name("r")),
                ]))
        case 4:
            .createIndex(
                name: chance(2) ? Name("i") : nil, on: typeName(),
                attributes: some(0, 2) { IndexedAttribute(name: $0.attribute(), isDescending: $0.chance(2)) })
        default: .dropIndex(Name("i"))
        }
    }
}
