internal import MeshCore
internal import MeshGraph

/// Checks expressions and patterns against a schema, and makes of them what runs.
///
/// It stops at the first fault of a statement: what follows from one would only repeat it.
struct Compiler {
    /// What an expression may contain, by where it stands.
    struct Place: OptionSet {
        let rawValue: Int
        /// `current_actor()` and its like.
        static let policy = Place(rawValue: 1)
        /// No clock may be read: constraints.
        static let deterministic = Place(rawValue: 2)
        /// Aggregates over the rows of a MATCH.
        static let aggregates = Place(rawValue: 4)
    }

    let schema: GraphSchema
    private(set) var names: NameSlots
    /// Names that stand for entities of the session (`x` after `SPAWN x: …`), with the types that they have.
    let sessionVariables: [String: StaticType]
    let statistics: any PlanningStatistics
    var place: Place = []
    private(set) var slotCount = 0
    /// The aggregates that have been met, in order; ``Code/aggregate(_:)`` names them.
    var aggregates: [AggregateCode] = []
    var isInAggregate = false

    init(
        schema: GraphSchema, names: NameSlots, sessionVariables: [String: StaticType],
        statistics: any PlanningStatistics
    ) {
        self.schema = schema
        self.names = names
        self.sessionVariables = sessionVariables
        self.statistics = statistics
    }

    mutating func newSlot() -> Int {
        defer { slotCount += 1 }
        return slotCount
    }

    /// Goes on with the names and slots of something that has been compiled before.
    mutating func share(_ names: NameSlots, slots: Int) {
        self.names = names
        slotCount = slots
    }

    typealias Checked = (code: Code, type: StaticType)

    // MARK: Expressions

    mutating func expression(_ expression: Expression, _ scope: Scope) throws(Diagnostic) -> Checked {
        let range = expression.range
        switch expression.kind {
        case .literal(let value): return (.constant(value), Self.type(of: value))
        case .reference(let text): return (.reference(text), .unknown)
        case .parameter(let name, let isOptional):
            return (.parameter(name, isOptional: isOptional, range), .unknown)
        case .variable(let name): return try variable(name, range, scope)
        case .attribute(let base, let name): return try attribute(base, name, scope)
        case .call(let name, let arguments): return try call(name, arguments, range, scope)
        case .list(let elements):
            var codes: [Code] = []
            var types: [StaticType] = []
            for element in elements {
                let (code, type) = try self.expression(element, scope)
                codes.append(code)
                types.append(type)
            }
            return (.list(codes), .list(StaticType.join(types)))
        case .unary(.negate, let operand):
            let (code, type) = try self.expression(operand, scope)
            try require(type, [.int, .float, .duration], "-", operand.range)
            return (.negate(code, range), type)
        case .unary(.not, let operand):
            let (code, type) = try self.expression(operand, scope)
            guard type.isAll([.bool]) else {
                throw Diagnostic(
                    .typeMismatch, "not wants Bool, and this is \(type)", at: operand.range,
                    hint: "not binds tighter than =: write not (a = b)")
            }
            return (.not(code), .join([.scalar(.bool), .null]))
        case .binary(let symbol, let left, let right): return try binary(symbol, left, right, range, scope)
        case .isOfType(let operand, let type):
            let (code, _) = try self.expression(operand, scope)
            return (.isOfType(code, try typeTest(type)), .scalar(.bool))
        case .isNull(let operand, let isNegated):
            return (
                .isNull(try self.expression(operand, scope).code, isNegated: isNegated), .scalar(.bool)
            )
        case .isIn(let operand, let list, let isNegated):
            let (code, _) = try self.expression(operand, scope)
            let (listCode, type) = try self.expression(list, scope)
            for member in type.members {
                switch member {
                case .list, .unknown, .null: break
                default:
                    throw Diagnostic(
                        .typeMismatch, "IN wants a list, and this is \(type)", at: list.range,
                        hint: "write the values in brackets: [1, 2]")
                }
            }
            return (.isIn(code, listCode, isNegated: isNegated), .scalar(.bool))
        case .exists(let pattern, let isNegated):
            return (.exists(try subPattern(pattern, scope), isNegated: isNegated), .scalar(.bool))
        case .aggregate(let call): return try aggregate(call, scope)
        }
    }

    /// An expression whose value decides something.
    mutating func condition(
        _ expression: Expression, _ scope: Scope, _ what: String
    ) throws(Diagnostic) -> Code {
        let (code, type) = try self.expression(expression, scope)
        try require(type, [.bool], what, expression.range)
        return code
    }

    static func type(of value: GraphValue) -> StaticType {
        switch value {
        case .null: .null
        case .bool: .scalar(.bool)
        case .int: .scalar(.int)
        case .float: .scalar(.float)
        case .string: .scalar(.string)
        case .timestamp: .scalar(.timestamp)
        case .duration: .scalar(.duration)
        case .hash: .scalar(.hash)
        case .bytes: .scalar(.bytes)
        case .entity: .unknown
        case .list(let values): .list(.join(values.map(type(of:))))
        }
    }

    private func require(
        _ type: StaticType, _ scalars: Set<ScalarType>, _ what: String, _ range: SourceRange
    ) throws(Diagnostic) {
        guard !type.isAll(scalars) else { return }
        let wanted = scalars.map(\.rawValue).sorted().joined(separator: " or ")
        throw Diagnostic(.typeMismatch, "\(what) wants \(wanted), and this is \(type)", at: range)
    }

    private func variable(
        _ name: String, _ range: SourceRange, _ scope: Scope
    ) throws(Diagnostic) -> Checked {
        if let variable = scope[name] { return (.slot(variable.slot), variable.type) }
        if let (local, type) = scope.locals[name] { return (.local(local), type) }
        if let type = sessionVariables[name] { return (.reference(name), type) }
        let nearest = NearestName.of(name, among: scope.names + sessionVariables.keys.sorted())
        throw Diagnostic(
            .unknownVariable, "there is no variable \(name) here", at: range,
            hint: nearest.map { "did you mean \($0)?" } ?? "declare it in the pattern: \(name): Type")
    }

    private mutating func attribute(
        _ base: Expression, _ name: Name, _ scope: Scope
    ) throws(Diagnostic) -> Checked {
        let (code, type) = try expression(base, scope)
        guard type.isEntity else {
            throw Diagnostic(
                .typeMismatch, "only nodes and edges have attributes, and this is \(type)",
                at: base.range)
        }
        switch name.text {
        case "id", "_id":
            // A declared attribute of that name goes first.
            if name.text == "_id" || declaredType(of: "id", in: type) == nil {
                return (.attribute(code, .id), .scalar(.id))
            }
        case "_type": return (.attribute(code, .type), .scalar(.string))
        case "_targets": return (.attribute(code, .targets), .list(.unknown))
        default: break
        }
        let found = try attributeType(name, of: type)
        return (.attribute(code, .named(names.slot(name.text))), found)
    }

    /// The type of an attribute that every member declares; `nil` where one does not, or nothing is known.
    private func declaredType(of attribute: String, in type: StaticType) -> StaticType? {
        let known = try? attributeType(Name(attribute), of: type)
        return known == .unknown ? nil : known
    }

    /// The type of an attribute of anything that has `type`.
    ///
    /// Each member of a union must have it; what only a type below has is null where it is absent.
    func attributeType(_ name: Name, of type: StaticType) throws(Diagnostic) -> StaticType {
        var types: [StaticType] = []
        for member in type.members where member != .null {
            switch member {
            case .node(let node):
                guard let found = nodeAttribute(name.text, of: node) else {
                    throw unknownAttribute(name, of: node, among: allAttributes(of: node))
                }
                types.append(found)
            case .edge(let edge?):
                guard let found = schema.edges[edge]?.attribute(name.text) else {
                    throw unknownAttribute(
                        name, of: edge, among: schema.edges[edge]?.attributes.map(\.name) ?? [])
                }
                types.append(found.type)
            default: return .unknown
            }
        }
        return StaticType.join(types)
    }

    private func nodeAttribute(_ name: String, of node: String) -> StaticType? {
        if let own = schema.nodes[node]?.attribute(name) { return own.type }
        let below = schema.concreteTypes(of: node).compactMap { schema.nodes[$0]?.attribute(name)?.type }
        return below.isEmpty ? nil : StaticType.join(below + [.null])
    }

    private func allAttributes(of node: String) -> [String] {
        var all: [String] = []
        for type in [node] + schema.concreteTypes(of: node) {
            for attribute in schema.nodes[type]?.attributes ?? [] where !all.contains(attribute.name) {
                all.append(attribute.name)
            }
        }
        return all
    }

    private func unknownAttribute(_ name: Name, of type: String, among known: [String]) -> Diagnostic {
        let hint =
            NearestName.of(name.text, among: known).map { "did you mean \($0)?" }
            ?? (known.isEmpty
                ? "\(type) has no attributes"
                : "\(type) has \(known.prefix(12).joined(separator: ", "))")
        return Diagnostic(
            .unknownAttribute, "\(type) has no attribute \(name.text)", at: name.range, hint: hint)
    }

    // MARK: Types

    /// What a type expression means; E2001 for a name that nobody has declared.
    func staticType(_ type: TypeExpression) throws(Diagnostic) -> StaticType {
        switch type.kind {
        case .any: return .anyNode
        case .edge(nil): return .edge(nil)
        case .edge(let name?):
            guard schema.edges[name] != nil else { throw unknownEdge(Name(name, type.range)) }
            return .edge(name)
        case .optional(let inner): return try staticType(inner).optional
        case .list(let element): return .list(try staticType(element))
        case .union(let members):
            var types: [StaticType] = []
            for member in members { types.append(try staticType(member)) }
            return .join(types)
        case .named(let name):
            if let scalar = ScalarType(rawValue: name) { return .scalar(scalar) }
            if schema.nodes[name] != nil { return .node(name) }
            if let alias = schema.aliases[name] { return alias.type }
            if schema.edges[name] != nil { return .edge(name) }
            throw unknownType(Name(name, type.range))
        }
    }

    func unknownType(_ name: Name) -> Diagnostic {
        let known = schema.nodes.keys.sorted() + schema.aliases.keys.sorted()
        let nearest = NearestName.of(name.text, among: known)
        return Diagnostic(
            .unknownType, "there is no type \(name.text)", at: name.range,
            hint: nearest.map { "did you mean \($0)?" } ?? "SHOW TYPES lists those that ontologies declare")
    }

    func unknownEdge(_ name: Name) -> Diagnostic {
        let nearest = NearestName.of(name.text, among: schema.edges.keys.sorted())
        return Diagnostic(
            .unknownEdge, "there is no edge \(name.text)", at: name.range,
            hint: nearest.map { "did you mean \($0)?" } ?? "SHOW EDGES lists those that ontologies declare")
    }

    func typeTest(_ type: TypeExpression) throws(Diagnostic) -> TypeTest {
        typeTest(try staticType(type))
    }

    /// The test that something has this type.
    func typeTest(_ type: StaticType) -> TypeTest {
        var nodes: Set<String> = []
        var edges: Set<String> = []
        var virtual: Set<String> = []
        var scalar: ScalarType?
        var isEverything = false
        for member in type.members {
            switch member {
            case .anyNode: isEverything = true
            case .unknown:
                isEverything = true
                edges.formUnion(schema.edges.keys)
            case .node(let name):
                for concrete in schema.concreteTypes(of: name) {
                    if schema.nodes[concrete]?.isVirtual == true {
                        virtual.insert(concrete)
                    } else {
                        nodes.insert(concrete)
                    }
                }
            case .edge(let name?): edges.insert(name)
            case .edge(nil): edges.formUnion(schema.edges.keys)
            case .scalar(let found): scalar = found
            case .null, .list, .union: break
            }
        }
        let stored = isEverything ? edges : nodes.union(edges)
        return TypeTest(
            stored: stored.sorted().map(names.slot), virtual: virtual.sorted(), isEverything: isEverything,
            scalar: scalar)
    }
}
