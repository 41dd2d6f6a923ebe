internal import CCL
internal import MeshCore

/// Well-typed programs by chance: every kind of value and instruction, few that fail early.
struct EmissionGenerator {
    private var random: SeededGenerator
    private var functions: [Function] = []
    private var locals: [ValueType] = []
    /// Locals that may be read where the code stands.
    private var visible: [Int] = []
    private var result: ValueType?
    private var line = 1

    static func program(seed: UInt64) -> Program {
        var generator = EmissionGenerator(random: SeededGenerator(seed: seed))
        // Each function calls only those that were made before it, so the last is what runs.
        let count = generator.below(4)
        for index in 0..<count { generator.addFunction("f\(index)") }
        generator.addMain()
        var program = Program(
            functions: generator.functions, main: count, handlers: [], declarations: [], limits: [],
            requirements: JobRequirements())
        program.name = "seed.ccl"
        return program
    }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    private mutating func one<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    // MARK: Functions

    private mutating func addFunction(_ name: String) {
        let parameters = (0..<below(4)).map { _ in one(ValueType.allCases) }
        let result = below(4) == 0 ? nil : one(ValueType.allCases)
        add(name, parameters, result, statements: 1 + below(4))
    }

    private mutating func addMain() {
        add("main", [], nil, statements: 4 + below(8))
    }

    private mutating func add(
        _ name: String, _ parameters: [ValueType], _ result: ValueType?, statements: Int
    ) {
        locals = parameters
        visible = Array(parameters.indices)
        self.result = result
        line += 1
        var body = self.body(statements, depth: 3)
        if result != nil { body.append(closing(depth: 2)) }
        functions.append(
            Function(
                name: name,
                locals: locals.enumerated().map { .init(name: "v\($0.offset)", type: $0.element) },
                parameterCount: parameters.count, result: result, body: body,
                position: SourcePosition(offset: line, line: line, column: 1)))
    }

    private mutating func closing(depth: Int) -> Instruction {
        if depth > 0, below(3) == 0 {
            let condition = value(.boolean, depth: 2)
            let then = body(below(2), depth: 0) + [closing(depth: depth - 1)]
            return at(
                .conditional(
                    condition, then: then, otherwise: body(below(2), depth: 0) + [closing(depth: depth - 1)]))
        }
        return at(.result(result.map { value($0, depth: 2) }))
    }

    // MARK: Instructions

    private mutating func at(_ kind: Instruction.Kind) -> Instruction {
        line += 1
        return Instruction(kind, at: SourcePosition(offset: line * 7, line: line, column: 1 + below(80)))
    }

    private mutating func body(_ count: Int, depth: Int) -> [Instruction] {
        let outside = visible
        defer { visible = outside }
        var instructions: [Instruction] = []
        for _ in 0..<count { instructions.append(instruction(depth: depth)) }
        return instructions
    }

    private mutating func local(_ type: ValueType) -> Int {
        locals.append(type)
        return locals.count - 1
    }

    private mutating func instruction(depth: Int) -> Instruction {
        switch below(depth > 0 ? 14 : 8) {
        case 0...2: return at(.evaluate(Value.host(.logMessage, printed())))
        case 3: return at(.evaluate(effect()))
        case 4, 5:
            let type = one(ValueType.allCases)
            let value = value(type, depth: 3)
            let new = local(type)
            visible.append(new)
            return at(.set(local: new, value))
        case 6:
            guard !visible.isEmpty else { return at(.evaluate(effect())) }
            let known = one(visible)
            return at(.set(local: known, value(locals[known], depth: 3)))
        case 7:
            // Holds most often, so that what comes behind it runs.
            let condition =
                below(8) == 0
                ? value(.boolean, depth: 2) : Value.or(value(.boolean, depth: 1), .boolean(true))
            return at(.require(condition, message: below(2) == 0 ? nil : value(.string, depth: 2)))
        case 8, 9:
            let condition = value(.boolean, depth: 3)
            let then = body(below(3), depth: depth - 1)
            return at(.conditional(condition, then: then, otherwise: body(below(3), depth: depth - 1)))
        case 10:
            let from =
                below(3) == 0
                ? Value.integer(Int64(below(5)) - 2) : .minimum(value(.integer, depth: 1), .integer(2))
            let to =
                below(2) == 0
                ? Value.integer(Int64(below(6))) : .arithmetic(.add, from, .integer(Int64(below(4))))
            let new = local(.integer)
            return loop(new, depth) { .count(local: new, from: from, to: to, body: $0) }
        case 11, 12:
            let type = one(ValueType.allCases)
            let isConstant = below(2) == 0
            let values = (0..<below(7)).map { _ in isConstant ? constant(type) : value(type, depth: 2) }
            let new = local(type)
            return loop(new, depth) { .each(local: new, values, body: $0) }
        default:
            guard below(4) == 0 else { return at(.evaluate(effect())) }
            return at(.result(result.map { value($0, depth: 2) }))
        }
    }

    private mutating func loop(_ local: Int, _ depth: Int, _ kind: ([Instruction]) -> Instruction.Kind)
        -> Instruction
    {
        visible.append(local)
        let inner = body(1 + below(3), depth: depth - 1)
        visible.removeLast()
        return at(kind(inner))
    }

    private mutating func effect() -> Value {
        switch below(5) {
        case 0: return .host(.anchorToDAG, value(.string, depth: 2))
        case 1: return .host(.recordResourceUsage, value(.string, depth: 1), value(.integer, depth: 2))
        case 2:
            return .host(
                .submitJob, value(.string, depth: 1), value(.string, depth: 1), value(.string, depth: 1),
                value(.integer, depth: 1), value(.string, depth: 1))
        default: return call(nil, depth: 2) ?? .host(.logMessage, printed())
        }
    }

    /// Any value as a text.
    private mutating func printed() -> Value {
        switch one(ValueType.allCases) {
        case .string: value(.string, depth: 3)
        case .decimal: .text(.comparison(.less, value(.decimal, depth: 3), value(.decimal, depth: 1)))
        case let type: .text(value(type, depth: 3))
        }
    }

    // MARK: Values

    private mutating func call(_ type: ValueType?, depth: Int) -> Value? {
        let candidates = functions.indices.filter { type == nil || functions[$0].result == type }
        guard !candidates.isEmpty else { return nil }
        let chosen = one(candidates)
        let arguments = functions[chosen].locals.prefix(functions[chosen].parameterCount).map {
            value($0.type, depth: depth - 1)
        }
        return .call(chosen, arguments, gives: functions[chosen].result)
    }

    private mutating func constant(_ type: ValueType) -> Value {
        switch type {
        case .string:
            .string(
                one(["", "a", "compute", "put", "the compute", "ü", "e\u{301}", "tab\tline\n", "job of mine"])
            )
        case .integer: .integer(integer())
        case .duration: .duration(integer())
        case .boolean: .boolean(below(2) == 0)
        case .decimal: .decimal(one([0, -0.0, 1, 0.5, -2.5, 3.25, 0.1, 1e9, -7, 1e300]))
        }
    }

    private mutating func integer() -> Int64 {
        if below(40) == 0 { return one([.min, .max, .min + 1, 1 << 40]) }
        return Int64(below(below(2) == 0 ? 4 : 200)) - 2
    }

    private mutating func value(_ type: ValueType, depth: Int) -> Value {
        let known = visible.filter { locals[$0] == type }
        if depth <= 0 || below(5) == 0 {
            if !known.isEmpty, below(3) > 0 { return .local(one(known), type) }
            return constant(type)
        }
        if below(8) == 0, let call = call(type, depth: depth) { return call }
        let inner = depth - 1
        switch type {
        case .string:
            switch below(6) {
            case 0...2: return .joined(value(.string, depth: inner), value(.string, depth: inner))
            case 3: return .text(value(.boolean, depth: inner))
            case 4: return .text(value(.duration, depth: inner))
            default: return .text(value(.integer, depth: inner))
            }
        case .integer:
            switch below(9) {
            case 0: return .negated(value(.integer, depth: inner))
            case 1: return .length(value(.string, depth: inner))
            case 2:
                let decimal = value(.decimal, depth: inner)
                let bounded =
                    below(8) == 0 ? decimal : .maximum(.minimum(decimal, .decimal(1e9)), .decimal(-1e9))
                return .rounded(one([.nearest, .down, .up]), bounded)
            case 3: return .minimum(value(.integer, depth: inner), value(.integer, depth: inner))
            case 4: return .maximum(value(.integer, depth: inner), value(.integer, depth: inner))
            default: return arithmetic(.integer, .integer, depth: inner)
            }
        case .duration:
            switch below(5) {
            case 0: return .negated(value(.duration, depth: inner))
            case 1: return .minimum(value(.duration, depth: inner), value(.duration, depth: inner))
            case 2:
                return .arithmetic(
                    one([.add, .subtract]), value(.duration, depth: inner), value(.duration, depth: inner))
            default: return arithmetic(.duration, .integer, depth: inner)
            }
        case .decimal:
            switch below(7) {
            case 0: return .negated(value(.decimal, depth: inner))
            case 1: return .converted(value(.integer, depth: inner))
            case 2: return .minimum(value(.decimal, depth: inner), value(.decimal, depth: inner))
            case 3: return .maximum(value(.decimal, depth: inner), value(.decimal, depth: inner))
            default:
                if below(2) == 0 {
                    return .arithmetic(
                        one([.divide, .remainder]), value(.decimal, depth: inner),
                        divisor(.decimal, depth: inner))
                }
                return .arithmetic(
                    one([.add, .subtract, .multiply]), value(.decimal, depth: inner),
                    value(.decimal, depth: inner))
            }
        case .boolean:
            return condition(inner)
        }
    }

    private mutating func arithmetic(_ left: ValueType, _ right: ValueType, depth: Int) -> Value {
        let operations: [BinaryOperator] =
            left == right
            ? [.add, .subtract, .add, .subtract, .multiply, .divide, .remainder] : [.multiply, .divide]
        let operation = one(operations)
        let dividend = value(left, depth: depth)
        let isDivision = operation == .divide || operation == .remainder
        return .arithmetic(
            operation, dividend, isDivision ? divisor(right, depth: depth) : value(right, depth: depth))
    }

    /// Seldom 0.
    private mutating func divisor(_ type: ValueType, depth: Int) -> Value {
        switch below(8) {
        case 0: value(type, depth: depth)
        case 1...3: type == .decimal ? .decimal(one([0.5, -3, 7])) : .integer(one([-1, 1, 2, -7, 10]))
        default: .maximum(value(type, depth: depth), type == .decimal ? .decimal(0.75) : .integer(1))
        }
    }

    private mutating func condition(_ depth: Int) -> Value {
        switch below(8) {
        case 0: return .and(value(.boolean, depth: depth), value(.boolean, depth: depth))
        case 1: return .or(value(.boolean, depth: depth), value(.boolean, depth: depth))
        case 2: return .not(value(.boolean, depth: depth))
        case 3:
            return .host(
                .checkResourceAuthorization, value(.string, depth: depth), value(.integer, depth: depth))
        case 4: return .host(.anchorToDAG, value(.string, depth: depth))
        default:
            let type = one(ValueType.allCases)
            let comparisons: [BinaryOperator] =
                type == .string || type == .boolean
                ? [.equal, .notEqual] : [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
            return .comparison(one(comparisons), value(type, depth: depth), value(type, depth: depth))
        }
    }
}
