internal import MeshCore
extension Compiler {
    mutating func binary(
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
            return (
                .compare(symbol, first.read(as: secondType), second.read(as: firstType), range),
                .scalar(.bool)
            )
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
}

extension BinaryOperator {
    var isOrder: Bool {
        switch self {
        case .less, .greater, .lessOrEqual, .greaterOrEqual: true
        default: false
        }
    }
}

extension Code {
    /// A parameter that is to be read as a value of this type; anything else as it is.
    fileprivate func read(as type: StaticType) -> Code {
        guard case .parameter(let name, let isOptional, let range, nil) = self, type != .unknown else {
            return self
        }
        return .parameter(name, isOptional: isOptional, range, as: type)
    }
}
