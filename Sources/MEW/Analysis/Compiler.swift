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
    private var isInAggregate = false

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
            return (.not(try condition(operand, scope, "not")), .join([.scalar(.bool), .null]))
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

    // MARK: Operators

    private mutating func binary(
        _ symbol: BinaryOperator, _ left: Expression, _ right: Expression, _ range: SourceRange,
        _ scope: Scope
    ) throws(Diagnostic) -> Checked {
        switch symbol {
        case .and, .or:
            let first = try condition(left, scope, symbol.rawValue)
            let second = try condition(right, scope, symbol.rawValue)
            return (symbol == .and ? .and(first, second) : .or(first, second), .scalar(.bool))
        default: break
        }
        let (first, firstType) = try expression(left, scope)
        let (second, secondType) = try expression(right, scope)
        switch symbol {
        case .coalesce:
            return (.coalesce(first, second), StaticType.join([firstType.withoutNull, secondType]))
        case .equal, .notEqual, .less, .greater, .lessOrEqual, .greaterOrEqual:
            guard Self.areComparable(firstType, secondType, isOrder: symbol.isOrder) else {
                throw Diagnostic(
                    .typeMismatch,
                    "\(firstType) \(symbol.rawValue) \(secondType) compares what cannot be compared",
                    at: range)
            }
            return (.compare(symbol, first, second, range), .scalar(.bool))
        default:
            guard let result = Self.arithmetic(symbol, firstType, secondType) else {
                let isText = firstType.isAll([.string]) && secondType.isAll([.string]) && symbol == .add
                throw Diagnostic(
                    .typeMismatch,
                    "\(firstType) \(symbol.rawValue) \(secondType) has no meaning", at: range,
                    hint: isText ? "strings are joined by ++" : nil)
            }
            return (.arithmetic(symbol, first, second, range), result)
        }
    }

    private static func areComparable(_ a: StaticType, _ b: StaticType, isOrder: Bool) -> Bool {
        for first in a.withoutNull.members {
            for second in b.withoutNull.members {
                switch (first, second) {
                case (.unknown, _), (_, .unknown), (.null, _), (_, .null): return true
                case (.scalar(let x), .scalar(let y)):
                    if x == y { return !isOrder || (x != .id && x != .bool) || x == .bool }
                    if [x, y].allSatisfy({ $0 == .int || $0 == .float }) { return true }
                    // An id is compared with its text.
                    if !isOrder, Set([x, y]) == [.id, .string] { return true }
                case (.list, .list): return !isOrder
                case (.node, .node), (.anyNode, .node), (.node, .anyNode), (.anyNode, .anyNode),
                    (.edge, .edge), (.anyNode, .edge), (.edge, .anyNode):
                    return !isOrder
                case (.scalar(.id), .node), (.node, .scalar(.id)), (.scalar(.id), .anyNode),
                    (.anyNode, .scalar(.id)), (.scalar(.id), .edge), (.edge, .scalar(.id)):
                    return !isOrder
                default: break
                }
            }
        }
        return false
    }

    /// The type of `a symbol b`; `nil` where it has no meaning.
    static func arithmetic(_ symbol: BinaryOperator, _ a: StaticType, _ b: StaticType) -> StaticType? {
        let hasNull = a.mayBeNull || b.mayBeNull
        let first = a.withoutNull
        let second = b.withoutNull
        func maybe(_ type: StaticType) -> StaticType { hasNull ? type.optional : type }
        if first == .unknown || second == .unknown || first == .null || second == .null { return .unknown }
        if symbol == .concatenate {
            if first.isAll([.string]), second.isAll([.string]) { return maybe(.scalar(.string)) }
            if case .list(let x) = first, case .list(let y) = second { return maybe(.list(.join([x, y]))) }
            return nil
        }
        let numbers: Set<ScalarType> = [.int, .float]
        if first.isAll(numbers), second.isAll(numbers) {
            let bothInt = first.isAll([.int]) && second.isAll([.int])
            return maybe(bothInt ? .scalar(.int) : .scalar(.float))
        }
        guard case .scalar(let x) = first, case .scalar(let y) = second else { return nil }
        switch (symbol, x, y) {
        case (.add, .timestamp, .duration), (.add, .duration, .timestamp), (.subtract, .timestamp, .duration):
            return maybe(.scalar(.timestamp))
        case (.subtract, .timestamp, .timestamp), (.add, .duration, .duration),
            (.subtract, .duration, .duration), (.multiply, .duration, .int), (.multiply, .int, .duration),
            (.divide, .duration, .int), (.remainder, .duration, .duration):
            return maybe(.scalar(.duration))
        case (.divide, .duration, .duration): return maybe(.scalar(.int))
        default: return nil
        }
    }

    // MARK: Calls

    private mutating func call(
        _ name: Name, _ arguments: [Expression], _ range: SourceRange, _ scope: Scope
    ) throws(Diagnostic) -> Checked {
        guard let function = Function(rawValue: name.text.lowercased()) else {
            let nearest = NearestName.of(name.text.lowercased(), among: Function.allCases.map(\.rawValue))
            throw Diagnostic(
                .unknownFunction, "there is no function \(name.text)", at: name.range,
                hint: nearest.map { "did you mean \($0)?" })
        }
        let parameters = function.parameters
        guard
            function.isVariadic ? arguments.count >= parameters.count : arguments.count == parameters.count
        else {
            throw Diagnostic(
                .wrongArity,
                "\(function.rawValue) takes \(parameters.count)\(function.isVariadic ? " or more" : "") "
                    + "argument\(parameters.count == 1 ? "" : "s"), not \(arguments.count)", at: range)
        }
        if function.isOfPolicies, !place.contains(.policy) {
            throw Diagnostic(
                .unknownFunction, "\(function.rawValue)() is known in policies only", at: name.range)
        }
        if function.readsClock, place.contains(.deterministic) {
            throw Diagnostic(
                .wallTimeInDeterministic, "a constraint may not depend on the time it is checked at",
                at: name.range, hint: "compare timestamps that the graph holds")
        }
        var codes: [Code] = []
        var types: [StaticType] = []
        for (index, argument) in arguments.enumerated() {
            let (code, type) = try expression(argument, scope)
            try check(type, parameters[Swift.min(index, parameters.count - 1)], function, argument.range)
            codes.append(code)
            types.append(type)
        }
        switch function {
        case .currentActor: return (.local(.currentActor), .unknown)
        case .operation: return (.local(.operation), .scalar(.string))
        case .target: return (.local(.target), .unknown)
        case .targetType: return (.local(.targetType), .scalar(.string))
        case .targetAttribute: return (.local(.targetAttribute), .scalar(.string).optional)
        default: return (.call(function, codes, range), function.result(types))
        }
    }

    private func check(
        _ type: StaticType, _ parameter: Function.Parameter, _ function: Function, _ range: SourceRange
    ) throws(Diagnostic) {
        let fits: Bool
        let wanted: String
        switch parameter {
        case .string: (fits, wanted) = (type.isAll([.string]), "a String")
        case .number: (fits, wanted) = (type.isAll([.int, .float]), "a number")
        case .timestamp: (fits, wanted) = (type.isAll([.timestamp]), "a Timestamp")
        case .duration: (fits, wanted) = (type.isAll([.duration]), "a Duration")
        case .int: (fits, wanted) = (type.isAll([.int]), "an Int")
        case .stringOrList:
            fits = type.members.allSatisfy { if case .list = $0 { true } else { $0.isAll([.string]) } }
            wanted = "a String or a list"
        case .anything: return
        }
        guard fits else {
            throw Diagnostic(
                .typeMismatch, "\(function.rawValue) wants \(wanted) here, and this is \(type)",
                at: range)
        }
    }

    // MARK: Aggregates

    private mutating func aggregate(
        _ call: AggregateCall, _ scope: Scope
    ) throws(Diagnostic) -> Checked {
        let limit: Int? =
            switch call.limit {
            case .standard: call.function == .collect ? Limits.collectCount : nil
            case .count(let count): count
            case .none: nil
            }
        if case .pattern(let pattern) = call.argument {
            guard call.function == .count else {
                throw Diagnostic(
                    .misplacedAggregate, "only COUNT takes a pattern", at: call.range,
                    hint: "name a value: \(call.function.rawValue.uppercased())(x.attribute)")
            }
            let fold = AggregateCode(
                function: .count, isDistinct: false, value: nil, condition: nil, limit: nil,
                range: call.range)
            return (.fold(fold, try subPattern(pattern, scope)), .scalar(.int))
        }
        guard place.contains(.aggregates), !isInAggregate else {
            throw Diagnostic(
                .misplacedAggregate,
                isInAggregate
                    ? "an aggregate stands inside another" : "an aggregate may stand in RETURN and ORDER BY",
                at: call.range,
                hint: isInAggregate ? nil : "in WHERE, count a pattern: COUNT(x: Type, edge(y, x))")
        }
        isInAggregate = true
        defer { isInAggregate = false }
        var value: Checked?
        if case .value(let expression) = call.argument { value = try self.expression(expression, scope) }
        if let value, call.function == .sum || call.function == .avg,
            !value.type.isAll([.int, .float]) && !value.type.isAll([.duration])
        {
            throw Diagnostic(
                .typeMismatch,
                "\(call.function.rawValue.uppercased()) wants numbers or durations, and this is \(value.type)",
                at: call.range)
        }
        var condition: Code?
        if let written = call.condition { condition = try self.condition(written, scope, "WHERE") }
        aggregates.append(
            AggregateCode(
                function: call.function, isDistinct: call.isDistinct, value: value?.code,
                condition: condition, limit: limit, range: call.range))
        let type: StaticType =
            switch call.function {
            case .count: .scalar(.int)
            case .sum: value?.type ?? .unknown
            case .avg:
                value?.type.isAll([.duration]) == true
                    ? .scalar(.duration).optional : .scalar(.float).optional
            case .min, .max: (value?.type ?? .unknown).optional
            case .collect: .list(value?.type ?? .unknown)
            }
        return (.aggregate(aggregates.count - 1), type)
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

extension BinaryOperator {
    var isOrder: Bool {
        switch self {
        case .less, .greater, .lessOrEqual, .greaterOrEqual: true
        default: false
        }
    }
}
