internal import CCL
internal import MeshCore

/// What a program does, computed from the program itself: the other half of every test that runs a module.
///
/// It shares no code with the emitter and answers as a module does that prints for the host.
struct EmissionTwin {
    enum Datum: Equatable {
        case string([UInt8])
        case integer(Int64)
        case decimal(Double)
        case boolean(Bool)
    }

    /// The run has ended before its end.
    struct Trap: Error {}
    /// More steps than a test should take.
    struct TooLong: Error {}

    private enum Flow {
        case next
        case result(Datum?)
    }

    private let program: Program
    private(set) var output: [UInt8] = []
    private var locals: [Datum] = []
    private var steps = 0
    private var line = 0

    /// - Returns: What is printed, and whether the run ended before its end.
    static func run(_ program: Program) throws -> (output: [UInt8], isTrapped: Bool) {
        var twin = EmissionTwin(program: program)
        do {
            _ = try twin.call(program.main, [])
            return (twin.output, false)
        } catch is Trap {
            return (twin.output, true)
        }
    }

    private init(program: Program) {
        self.program = program
    }

    // MARK: Instructions

    private mutating func call(_ index: Int, _ arguments: [Datum]) throws -> Datum? {
        let function = program.functions[index]
        let saved = (locals, line)
        defer { (locals, line) = saved }
        locals = arguments
        for local in function.locals.dropFirst(arguments.count) {
            switch local.type {
            case .string: locals.append(.string([]))
            case .integer, .duration: locals.append(.integer(0))
            case .decimal: locals.append(.decimal(0))
            case .boolean: locals.append(.boolean(false))
            }
        }
        if case .result(let result) = try run(function.body) { return result }
        return nil
    }

    private mutating func run(_ body: [Instruction]) throws -> Flow {
        for instruction in body {
            if case .result(let result) = try run(instruction) { return .result(result) }
        }
        return .next
    }

    private mutating func run(_ instruction: Instruction) throws -> Flow {
        steps += 1
        if steps > 200_000 { throw TooLong() }
        line = instruction.position.line
        switch instruction.kind {
        case .evaluate(let value):
            _ = try evaluate(value)
        case .set(let local, let value):
            locals[local] = try evaluate(value) ?? .integer(0)
        case .conditional(let condition, let then, let otherwise):
            return try run(try holds(condition) ? then : otherwise)
        case .count(let local, let from, let to, let body):
            let start = try integer(from)
            let end = try integer(to)
            var current = start
            while current < end {
                locals[local] = .integer(current)
                if case .result(let result) = try run(body) { return .result(result) }
                current += 1
            }
        case .each(let local, let values, let body):
            for value in values {
                line = instruction.position.line
                locals[local] = try evaluate(value) ?? .integer(0)
                if case .result(let result) = try run(body) { return .result(result) }
            }
        case .result(let value):
            return .result(try value.flatMap { try evaluate($0) })
        case .require(let condition, let message):
            if try holds(condition) { break }
            if let message { throw fail(String(decoding: try bytes(message), as: UTF8.self)) }
            throw Trap()
        }
        return .next
    }

    // MARK: Values

    private mutating func holds(_ value: Value) throws -> Bool { try evaluate(value) == .boolean(true) }

    private mutating func integer(_ value: Value) throws -> Int64 {
        guard case .integer(let integer)? = try evaluate(value) else { throw TooLong() }
        return integer
    }

    private mutating func decimal(_ value: Value) throws -> Double {
        guard case .decimal(let decimal)? = try evaluate(value) else { throw TooLong() }
        return decimal
    }

    private mutating func bytes(_ value: Value) throws -> [UInt8] {
        guard case .string(let bytes)? = try evaluate(value) else { throw TooLong() }
        return bytes
    }

    private mutating func evaluate(_ value: Value) throws -> Datum? {
        steps += 1
        switch value.kind {
        case .constant(.string(let text)): return .string(Array(text.utf8))
        case .constant(.integer(let constant)), .constant(.duration(let constant)): return .integer(constant)
        case .constant(.decimal(let constant)): return .decimal(constant)
        case .constant(.boolean(let constant)): return .boolean(constant)
        case .local(let local): return locals[local]
        case .arithmetic(let operation, let left, let right):
            if value.type == .decimal {
                return .decimal(try arithmetic(operation, try decimal(left), try decimal(right)))
            }
            return .integer(try arithmetic(operation, try integer(left), try integer(right)))
        case .comparison(let operation, let left, let right):
            return .boolean(try compare(operation, left, right))
        case .and(let left, let right): return .boolean(try holds(left) && holds(right))
        case .or(let left, let right): return .boolean(try holds(left) || holds(right))
        case .not(let inner): return .boolean(try !holds(inner))
        case .negated(let inner):
            if value.type == .decimal { return .decimal(-(try decimal(inner))) }
            return .integer(try arithmetic(.subtract, 0, try integer(inner)))
        case .joined(let left, let right): return .string(try bytes(left) + bytes(right))
        case .text(let inner):
            guard let datum = try evaluate(inner) else { throw TooLong() }
            switch datum {
            case .string: return datum
            case .integer(let integer):
                guard inner.type == .duration else { return .string(Array(integer.description.utf8)) }
                for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")]
                where integer != 0 && integer % Int64(unit) == 0 {
                    return .string(Array("\(integer / Int64(unit))\(name)".utf8))
                }
                return .string(Array("\(integer)ms".utf8))
            case .boolean(let boolean): return .string(Array((boolean ? "true" : "false").utf8))
            case .decimal: throw TooLong()
            }
        case .decimal(let inner): return .decimal(Double(try integer(inner)))
        case .rounded(let rounding, let inner): return .integer(try rounded(rounding, try decimal(inner)))
        case .minimum(let left, let right): return try extreme(left, right, isMinimum: true)
        case .maximum(let left, let right): return try extreme(left, right, isMinimum: false)
        case .length(let inner): return .integer(Int64(try bytes(inner).count))
        case .call(let function, let arguments):
            var evaluated: [Datum] = []
            for argument in arguments { evaluated.append(try evaluate(argument) ?? .integer(0)) }
            return try call(function, evaluated)
        case .host(let function, let arguments):
            return try host(function, arguments)
        }
    }

    private mutating func host(_ function: HostFunction, _ arguments: [Value]) throws -> Datum? {
        var fields: [[UInt8]] = []
        for argument in arguments {
            switch try evaluate(argument) {
            case .string(let bytes)?: fields.append(bytes)
            case .integer(let integer)?: fields.append(Array(integer.description.utf8))
            default: throw TooLong()
            }
        }
        let names: [HostFunction: String] = [
            .logMessage: "log", .anchorToDAG: "anchor", .checkResourceAuthorization: "check",
            .recordResourceUsage: "record", .submitJob: "submit",
        ]
        output += ([Array((names[function] ?? "").utf8)] + fields).joined(separator: [9]) + [10]
        return function.returnsAnswer ? .boolean(true) : nil
    }

    private mutating func log(_ message: [UInt8]) {
        output += Array("log\t".utf8) + message + [10]
    }

    private mutating func fail(_ what: String) -> Trap {
        log(Array("\(program.name):\(line): \(what)".utf8))
        return Trap()
    }

    // MARK: Numbers

    private mutating func arithmetic(_ operation: BinaryOperator, _ left: Int64, _ right: Int64) throws
        -> Int64
    {
        let answer: (partialValue: Int64, overflow: Bool)
        switch operation {
        case .add: answer = left.addingReportingOverflow(right)
        case .subtract: answer = left.subtractingReportingOverflow(right)
        case .multiply: answer = left.multipliedReportingOverflow(by: right)
        case .divide:
            if right == 0 { throw fail("division by zero") }
            answer = left.dividedReportingOverflow(by: right)
        default:
            if right == 0 { throw fail("division by zero") }
            answer = (right == -1 ? 0 : left % right, false)
        }
        if answer.overflow { throw fail("overflow") }
        return answer.partialValue
    }

    private mutating func arithmetic(_ operation: BinaryOperator, _ left: Double, _ right: Double) throws
        -> Double
    {
        switch operation {
        case .add: return left + right
        case .subtract: return left - right
        case .multiply: return left * right
        case .divide:
            if right == 0 { throw fail("division by zero") }
            return left / right
        default:
            if right == 0 { throw fail("division by zero") }
            return left.truncatingRemainder(dividingBy: right)
        }
    }

    private mutating func rounded(_ rounding: Rounding, _ value: Double) throws -> Int64 {
        let whole: Double
        switch rounding {
        case .nearest: whole = value.rounded(.toNearestOrEven)
        case .down: whole = value.rounded(.down)
        case .up: whole = value.rounded(.up)
        }
        guard let integer = Int64(exactly: whole) else { throw fail("out of range") }
        return integer
    }

    private mutating func extreme(_ left: Value, _ right: Value, isMinimum: Bool) throws -> Datum {
        if left.type == .decimal {
            let (a, b) = (try decimal(left), try decimal(right))
            if a.isNaN || b.isNaN { return .decimal(.nan) }
            return .decimal(isMinimum ? min(a, b) : max(a, b))
        }
        let (a, b) = (try integer(left), try integer(right))
        return .integer(isMinimum ? min(a, b) : max(a, b))
    }

    private mutating func compare(_ operation: BinaryOperator, _ left: Value, _ right: Value) throws -> Bool {
        guard let a = try evaluate(left), let b = try evaluate(right) else { throw TooLong() }
        switch (a, b) {
        case (.integer(let a), .integer(let b)): return ordered(operation, a, b)
        case (.decimal(let a), .decimal(let b)): return ordered(operation, a, b)
        default: return (operation == .equal) == (a == b)
        }
    }

    private func ordered<Number: Comparable>(_ operation: BinaryOperator, _ a: Number, _ b: Number) -> Bool {
        switch operation {
        case .equal: a == b
        case .notEqual: a != b
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        default: a >= b
        }
    }
}
