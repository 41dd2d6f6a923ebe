internal import MeshCore
internal import MeshGraph

/// The arithmetic of the language: Int wraps, Float is IEEE 754, null gives null.
enum Arithmetic {
    static func mismatch(_ symbol: String, _ value: GraphValue, _ range: SourceRange) -> Diagnostic {
        Diagnostic(
            .typeMismatch, "\(symbol) has no meaning for \(Compiler.type(of: value).description)", at: range)
    }

    private static func divisionByZero(_ range: SourceRange) -> Diagnostic {
        Diagnostic(.divisionByZero, "division by zero", at: range, hint: "guard it in the condition")
    }

    static func apply(
        _ symbol: BinaryOperator, _ a: GraphValue, _ b: GraphValue, _ range: SourceRange
    ) throws(Diagnostic) -> GraphValue {
        switch (a, b) {
        case (.null, _), (_, .null): return .null
        case (.int(let x), .int(let y)): return .int(try integers(symbol, x, y, range))
        case (.float(let x), .float(let y)): return .float(try floats(symbol, x, y, range))
        case (.int(let x), .float(let y)): return .float(try floats(symbol, Double(x), y, range))
        case (.float(let x), .int(let y)): return .float(try floats(symbol, x, Double(y), range))
        case (.string(let x), .string(let y)) where symbol == .concatenate: return .string(x + y)
        case (.list(let x), .list(let y)) where symbol == .concatenate: return .list(x + y)
        case (.timestamp(let x), .duration(let y)) where symbol == .add: return .timestamp(x &+ y)
        case (.duration(let x), .timestamp(let y)) where symbol == .add: return .timestamp(x &+ y)
        case (.timestamp(let x), .duration(let y)) where symbol == .subtract: return .timestamp(x &- y)
        case (.timestamp(let x), .timestamp(let y)) where symbol == .subtract: return .duration(x &- y)
        case (.duration(let x), .duration(let y)):
            switch symbol {
            case .add: return .duration(x &+ y)
            case .subtract: return .duration(x &- y)
            case .divide, .remainder:
                let result = try integers(symbol, x, y, range)
                return symbol == .divide ? .int(result) : .duration(result)
            default: break
            }
        case (.duration(let x), .int(let y)) where symbol == .multiply || symbol == .divide:
            return .duration(try integers(symbol, x, y, range))
        case (.int(let x), .duration(let y)) where symbol == .multiply: return .duration(x &* y)
        default: break
        }
        throw Diagnostic(
            .typeMismatch,
            "\(Compiler.type(of: a).description) \(symbol.rawValue) \(Compiler.type(of: b).description) has no meaning",
            at: range)
    }

    private static func integers(
        _ symbol: BinaryOperator, _ x: Int64, _ y: Int64, _ range: SourceRange
    ) throws(Diagnostic) -> Int64 {
        switch symbol {
        case .add: return x &+ y
        case .subtract: return x &- y
        case .multiply: return x &* y
        case .divide:
            guard y != 0 else { throw divisionByZero(range) }
            return x.dividedReportingOverflow(by: y).partialValue
        case .remainder:
            guard y != 0 else { throw divisionByZero(range) }
            return x.remainderReportingOverflow(dividingBy: y).partialValue
        default: throw mismatch(symbol.rawValue, .int(x), range)
        }
    }

    private static func floats(
        _ symbol: BinaryOperator, _ x: Double, _ y: Double, _ range: SourceRange
    ) throws(Diagnostic) -> Double {
        switch symbol {
        case .add: return x + y
        case .subtract: return x - y
        case .multiply: return x * y
        case .divide:
            guard y != 0 else { throw divisionByZero(range) }
            return x / y
        case .remainder:
            guard y != 0 else { throw divisionByZero(range) }
            return x.truncatingRemainder(dividingBy: y)
        default: throw mismatch(symbol.rawValue, .float(x), range)
        }
    }
}

/// How values compare: null equals null, and no order holds with it.
enum Comparison {
    static func holds(
        _ symbol: BinaryOperator, _ a: GraphValue, _ b: GraphValue, _ range: SourceRange
    ) throws(Diagnostic) -> Bool {
        switch symbol {
        case .equal: return areEqual(a, b)
        case .notEqual: return !areEqual(a, b)
        default: break
        }
        if a.isNull || b.isNull { return false }
        guard let order = order(a, b) else {
            if case .float = a, case .float = b { return false }
            throw Diagnostic(
                .typeMismatch,
                "\(Compiler.type(of: a).description) \(symbol.rawValue) \(Compiler.type(of: b).description) compares what has no order",
                at: range)
        }
        switch symbol {
        case .less: return order < 0
        case .greater: return order > 0
        case .lessOrEqual: return order <= 0
        default: return order >= 0
        }
    }

    static func areEqual(_ a: GraphValue, _ b: GraphValue) -> Bool {
        switch (a, b) {
        case (.int, .float), (.float, .int): order(a, b) == 0
        // Bytes, as everywhere else: an index knows no other equality.
        case (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
        default: a == b
        }
    }

    /// Without rounding the whole number to what a Float can hold.
    private static func mixed(_ x: Int64, _ y: Double) -> Int? {
        if y.isNaN { return nil }
        if y >= 0x1p63 { return -1 }
        if y < -0x1p63 { return 1 }
        let whole = y.rounded(.towardZero)
        let nearest = Int64(whole)
        if x != nearest { return x < nearest ? -1 : 1 }
        return y > whole ? -1 : y < whole ? 1 : 0
    }

    /// Below 0, 0 or above 0; `nil` where the values have no order between them.
    static func order(_ a: GraphValue, _ b: GraphValue) -> Int? {
        func compare<Value: Comparable>(_ x: Value, _ y: Value) -> Int { x < y ? -1 : x > y ? 1 : 0 }
        switch (a, b) {
        case (.int(let x), .int(let y)): return compare(x, y)
        case (.float(let x), .float(let y)): return x.isNaN || y.isNaN ? nil : compare(x, y)
        case (.int(let x), .float(let y)): return mixed(x, y)
        case (.float(let x), .int(let y)): return mixed(y, x).map { -$0 }
        case (.string(let x), .string(let y)):
            return x.utf8.elementsEqual(y.utf8) ? 0 : x.utf8.lexicographicallyPrecedes(y.utf8) ? -1 : 1
        case (.timestamp(let x), .timestamp(let y)), (.duration(let x), .duration(let y)):
            return compare(x, y)
        case (.bool(let x), .bool(let y)): return compare(x ? 1 : 0, y ? 1 : 0)
        case (.hash(let x), .hash(let y)): return compare(x, y)
        case (.bytes(let x), .bytes(let y)):
            return x == y ? 0 : x.lexicographicallyPrecedes(y) ? -1 : 1
        default: return nil
        }
    }

    /// A total order for ORDER BY: null first, then by kind, then by value.
    static func precedes(_ a: GraphValue, _ b: GraphValue) -> Int {
        if let order = order(a, b) { return order }
        let (x, y) = (rank(a), rank(b))
        if x != y { return x < y ? -1 : 1 }
        switch (a, b) {
        case (.entity(let x), .entity(let y)): return x < y ? -1 : x > y ? 1 : 0
        case (.list(let x), .list(let y)):
            for (first, second) in zip(x, y) {
                let order = precedes(first, second)
                if order != 0 { return order }
            }
            return x.count < y.count ? -1 : x.count > y.count ? 1 : 0
        case (.float(let x), .float(let y)): return x.isNaN == y.isNaN ? 0 : x.isNaN ? -1 : 1
        default: return 0
        }
    }

    private static func rank(_ value: GraphValue) -> Int {
        switch value {
        case .null: 0
        case .bool: 1
        case .int, .float: 2
        case .string: 3
        case .timestamp: 4
        case .duration: 5
        case .hash: 6
        case .bytes: 7
        case .entity: 8
        case .list: 9
        }
    }
}
