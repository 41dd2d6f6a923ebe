import MeshCore

/// Texts of contracts by chance: well typed, every kind of value and statement, few that fail early.
///
/// What is known when a contract is compiled would be worked out there; so most values come out of parameters.
struct ContractGenerator {
    enum Kind: String, CaseIterable { case string, integer, decimal, boolean, duration }

    private var random: SeededGenerator
    private var functions: [(name: String, parameters: [Kind], result: Kind?)] = []
    private var visible: [(name: String, kind: Kind, isVariable: Bool)] = []
    private var nameCount = 0
    private var callDepth = 0
    /// Whether the code that is made stands in a function, from which alone one can return.
    private var isInFunction = false
    /// Whether every literal is given through a function.
    private var hides = false

    init(random: SeededGenerator) {
        self.random = random
    }

    /// A whole contract.
    mutating func contract() -> String {
        functions = []
        visible = []
        var texts: [String] = []
        isInFunction = true
        for index in 0..<(1 + below(4)) { texts.append(function("f\(index)")) }
        isInFunction = false
        visible = []
        let body = block(count: 5 + below(6), depth: 3, result: nil)
        return """
            resources { compute: 1000000000; cpu: 1000000000; token: 1000000000; }
            execution {
            \(body)}
            \(texts.joined())
            function hide_string(a: string): string { return a; }
            function hide_integer(a: integer): integer { return a; }
            function hide_decimal(a: decimal): decimal { return a; }
            function hide_boolean(a: boolean): boolean { return a; }
            function hide_duration(a: duration): duration { return a; }

            """
    }

    /// One expression, with its literals bare and with each of them hidden from the checker.
    mutating func pair(_ kind: Kind) -> (bare: String, hidden: String) {
        visible = []
        functions = []
        hides = true
        let marked = value(kind, depth: 4)
        hides = false
        // hide_string( and its kin around literals only: taking the names away leaves parentheses.
        var bare = marked
        for kind in Kind.allCases { bare = bare.replacing("hide_\(kind.rawValue)(", with: "(") }
        return (bare, marked)
    }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
    private mutating func one<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    // MARK: Statements

    private mutating func function(_ name: String) -> String {
        let parameters = (0..<(1 + below(3))).map { _ in one(Kind.allCases) }
        let result = below(4) == 0 ? nil : one(Kind.allCases)
        visible = parameters.enumerated().map { ("p\($0.offset)", $0.element, false) }
        let list = zip(visible, parameters).map { "\($0.name): \($1.rawValue)" }.joined(separator: ", ")
        var body = block(count: 1 + below(3), depth: 2, result: result)
        if let result { body += "return \(value(result, depth: 2));\n" }
        functions.append((name, parameters, result))
        return "function \(name)(\(list))\(result.map { ": \($0.rawValue)" } ?? "") {\n\(body)}\n"
    }

    private mutating func block(count: Int, depth: Int, result: Kind?) -> String {
        let outside = visible
        defer { visible = outside }
        var text = ""
        for _ in 0..<count { text += statement(depth: depth, result: result) }
        return text
    }

    private mutating func fresh() -> String {
        nameCount += 1
        return "v\(nameCount)"
    }

    private mutating func statement(depth: Int, result: Kind?) -> String {
        switch below(depth > 0 ? 14 : 9) {
        case 0, 1, 2: return "log(\(printed()));\n"
        case 3: return effect()
        case 4, 5:
            let (name, kind) = (fresh(), one(Kind.allCases))
            let text = "let \(name)\(below(2) == 0 ? ": \(kind.rawValue)" : "") = \(hiddenValue(kind));\n"
            visible.append((name, kind, true))
            return text
        case 6:
            let known = visible.filter(\.isVariable)
            guard !known.isEmpty else { return effect() }
            let chosen = one(known)
            return "\(chosen.name) = \(value(chosen.kind, depth: 2));\n"
        case 7:
            let condition =
                below(3) == 0
                ? hiddenValue(.boolean) : "(\(value(.boolean, depth: 1)) || hide_boolean(true))"
            return "require(\(condition)\(below(2) == 0 ? "" : ", \(value(.string, depth: 1))"));\n"
        case 8: return call(nil, depth: 2).map { $0 + ";\n" } ?? effect()
        case 9, 10:
            let condition = below(2) == 0 ? "(\(hiddenValue(.boolean)))" : hiddenValue(.boolean)
            let then = block(count: 1 + below(2), depth: depth - 1, result: result)
            let otherwise = block(count: 1 + below(2), depth: depth - 1, result: result)
            return "if \(condition) {\n\(then)}\(below(2) == 0 ? " else {\n\(otherwise)}" : "")\n"
        case 11:
            let name = fresh()
            let most = "min(max(\(hiddenValue(.integer)), 0), 4)"
            let range = below(2) == 0 ? "range(\(most))" : "range(-1, \(most))"
            return loop(name, .integer, "\(range)", depth: depth, result: result)
        case 12:
            let kind = one(Kind.allCases)
            let items = (0..<(1 + below(4))).map { _ in value(kind, depth: 1) }.joined(separator: ", ")
            return loop(fresh(), kind, "[\(items)]", depth: depth, result: result)
        default:
            guard isInFunction, below(3) == 0 else { return effect() }
            let returned = result.map { " " + value($0, depth: 2) } ?? ""
            return "if \(hiddenValue(.boolean)) { return\(returned); }\n"
        }
    }

    private mutating func loop(
        _ name: String, _ kind: Kind, _ sequence: String, depth: Int, result: Kind?
    ) -> String {
        visible.append((name, kind, false))
        let body = block(count: 1 + below(2), depth: depth - 1, result: result)
        visible.removeLast()
        return "for \(name) in \(sequence) {\n\(body)}\n"
    }

    private mutating func amount() -> String { "min(max(\(hiddenValue(.integer)), 1), 1000)" }

    private mutating func effect() -> String {
        switch below(7) {
        case 0: return "anchor_data(\(value(.string, depth: 2)), path: \(value(.string, depth: 1)));\n"
        case 1: return "record_resource_usage(\"cpu\", \(amount()));\n"
        case 2:
            return
                "perform_action(\"step \" + \(hiddenValue(.integer)), \(amount()), \"\(one(["compute", "cpu"]))\");\n"
        case 3: return "mint_tokens(\"badge\", \(amount()), \(value(.string, depth: 1)));\n"
        case 4: return "log_event(\(value(.string, depth: 1)), detail: \(value(.string, depth: 1)));\n"
        case 5: return "require(check_resource_authorization(\"cpu\", \(amount())));\n"
        default: return "log(\(printed()));\n"
        }
    }

    private mutating func printed() -> String {
        switch one(Kind.allCases) {
        case .string: value(.string, depth: 3)
        case .decimal: "text(\(value(.decimal, depth: 2)) < \(value(.decimal, depth: 2)))"
        case let kind: "text(\(value(kind, depth: 3)))"
        }
    }

    // MARK: Values

    private mutating func call(_ kind: Kind?, depth: Int) -> String? {
        let candidates = functions.filter { kind == nil ? $0.result == nil : $0.result == kind }
        // Calls within the arguments of calls would make runs grow with the power of their depth.
        guard !candidates.isEmpty, callDepth == 0 else { return nil }
        callDepth += 1
        defer { callDepth -= 1 }
        let chosen = one(candidates)
        let arguments = chosen.parameters.map { value($0, depth: depth - 1) }
        return "\(chosen.name)(\(arguments.joined(separator: ", ")))"
    }

    /// A value of which something is known to the run alone.
    private mutating func hiddenValue(_ kind: Kind) -> String {
        let known = visible.filter { $0.kind == kind }
        if !known.isEmpty, below(2) == 0 { return one(known).name }
        if kind == .boolean, below(3) > 0 { return value(.boolean, depth: 2) }
        return "hide_\(kind.rawValue)(\(literal(kind)))"
    }

    private mutating func literal(_ kind: Kind) -> String {
        switch kind {
        case .string: one(["\"\"", "\"a\"", "\"compute\"", "\"h\\u{e9}\"", "\"two\\nlines\"", "\"tab\\t\""])
        case .integer: number()
        case .decimal:
            // In pairs nothing grows beyond what is finite.
            one([
                "0.0", "1.0", "0.5", "-2.5", "3.25", "0.1", "1e9", "-7.0", hides ? "1e12" : "1e300", "2.5e-3",
            ])
        case .boolean: one(["true", "false"])
        case .duration: one(["0s", "1ms", "5s", "2m", "1h", "30d", "-10s", "100000000d"])
        }
    }

    private mutating func number() -> String {
        if below(30) == 0 {
            return one(["-9223372036854775808", "9223372036854775807", "4294967296", "-2147483649"])
        }
        return "\(below(below(2) == 0 ? 4 : 200) - 2)"
    }

    private mutating func leaf(_ kind: Kind) -> String {
        let known = visible.filter { $0.kind == kind }
        if !known.isEmpty, below(3) > 0 { return one(known).name }
        return hides ? "hide_\(kind.rawValue)(\(literal(kind)))" : literal(kind)
    }

    private mutating func value(_ kind: Kind, depth: Int) -> String {
        if depth <= 0 || below(5) == 0 { return leaf(kind) }
        if below(7) == 0, let call = call(kind, depth: depth) { return call }
        let inner = depth - 1
        func both(_ left: String, _ operation: String, _ right: String) -> String {
            "(\(left) \(operation) \(right))"
        }
        switch kind {
        case .string:
            switch below(5) {
            case 0: return "text(\(value(one([.integer, .boolean, .duration]), depth: inner)))"
            case 1:
                return both(
                    value(.string, depth: inner), "+",
                    value(one([.integer, .boolean, .duration]), depth: inner))
            default: return both(value(.string, depth: inner), "+", value(.string, depth: inner))
            }
        case .integer:
            switch below(9) {
            case 0: return "-(\(value(.integer, depth: inner)))"
            case 1: return "length(\(value(.string, depth: inner)))"
            case 2:
                return
                    "\(one(["round", "floor", "ceil"]))(max(min(\(value(.decimal, depth: inner)), 1e9), -1e9))"
            case 3:
                return
                    "\(one(["min", "max"]))(\(value(.integer, depth: inner)), \(value(.integer, depth: inner)))"
            case 4, 5: return both(value(.integer, depth: inner), one(["/", "%"]), divisor(inner))
            default:
                return both(
                    value(.integer, depth: inner), one(["+", "-", "*"]), value(.integer, depth: inner))
            }
        case .duration:
            switch below(6) {
            case 0: return "-(\(value(.duration, depth: inner)))"
            case 1:
                return
                    "\(one(["min", "max"]))(\(value(.duration, depth: inner)), \(value(.duration, depth: inner)))"
            case 2, 3:
                return both(
                    value(.duration, depth: inner), one(["+", "-"]), value(.duration, depth: inner))
            case 4: return both(value(.duration, depth: inner), "*", value(.integer, depth: inner))
            default: return both(value(.duration, depth: inner), "/", divisor(inner))
            }
        case .decimal:
            switch below(6) {
            case 0: return "-(\(value(.decimal, depth: inner)))"
            case 1:
                return
                    "\(one(["min", "max"]))(\(value(.decimal, depth: inner)), \(value(.decimal, depth: inner)))"
            case 2: return both(value(.integer, depth: inner), "*", value(.decimal, depth: inner))
            case 3: return both(value(.decimal, depth: inner), "/", one(["0.5", "-3.0", "7.0"]))
            default:
                return both(
                    value(.decimal, depth: inner), one(["+", "-", "*"]), value(.decimal, depth: inner))
            }
        case .boolean: return condition(inner)
        }
    }

    /// Seldom 0.
    private mutating func divisor(_ depth: Int) -> String {
        switch below(8) {
        case 0: value(.integer, depth: depth)
        case 1...4: one(["-1", "1", "2", "-7", "10"])
        default: "max(\(value(.integer, depth: depth)), 1)"
        }
    }

    private mutating func condition(_ depth: Int) -> String {
        switch below(8) {
        case 0, 1:
            let operation = one(["&&", "||"])
            return "(\(value(.boolean, depth: depth)) \(operation) \(value(.boolean, depth: depth)))"
        case 2: return "!(\(value(.boolean, depth: depth)))"
        case 3 where !hides: return "check_resource_authorization(\"cpu\", \(amount()))"
        default:
            let kind = one(Kind.allCases)
            let comparisons =
                kind == .string || kind == .boolean
                ? ["==", "!="] : ["==", "!=", "<", "<=", ">", ">="]
            return "(\(value(kind, depth: depth)) \(one(comparisons)) \(value(kind, depth: depth)))"
        }
    }
}
