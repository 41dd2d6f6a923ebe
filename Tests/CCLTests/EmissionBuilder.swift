internal import CCL
internal import MeshCore

/// Short ways to write checked programs.
extension Value {
    static func integer(_ value: Int64) -> Value { Value(.constant(.integer(value)), .integer) }
    static func decimal(_ value: Double) -> Value { Value(.constant(.decimal(value)), .decimal) }
    static func string(_ value: String) -> Value { Value(.constant(.string(value)), .string) }
    static func boolean(_ value: Bool) -> Value { Value(.constant(.boolean(value)), .boolean) }
    static func duration(_ value: Int64) -> Value { Value(.constant(.duration(value)), .duration) }
    static func local(_ local: Int, _ type: ValueType) -> Value { Value(.local(local), type) }

    static func arithmetic(_ operation: BinaryOperator, _ left: Value, _ right: Value) -> Value {
        let isDuration = left.type == .duration || right.type == .duration
        return Value(.arithmetic(operation, left, right), isDuration ? .duration : left.type)
    }

    static func comparison(_ operation: BinaryOperator, _ left: Value, _ right: Value) -> Value {
        Value(.comparison(operation, left, right), .boolean)
    }

    static func and(_ left: Value, _ right: Value) -> Value { Value(.and(left, right), .boolean) }
    static func or(_ left: Value, _ right: Value) -> Value { Value(.or(left, right), .boolean) }
    static func not(_ inner: Value) -> Value { Value(.not(inner), .boolean) }
    static func negated(_ inner: Value) -> Value { Value(.negated(inner), inner.type) }
    static func joined(_ left: Value, _ right: Value) -> Value { Value(.joined(left, right), .string) }
    static func text(_ inner: Value) -> Value { Value(.text(inner), .string) }
    static func converted(_ inner: Value) -> Value { Value(.decimal(inner), .decimal) }
    static func rounded(_ rounding: Rounding, _ inner: Value) -> Value {
        Value(.rounded(rounding, inner), .integer)
    }
    static func minimum(_ left: Value, _ right: Value) -> Value { Value(.minimum(left, right), left.type) }
    static func maximum(_ left: Value, _ right: Value) -> Value { Value(.maximum(left, right), left.type) }
    static func length(_ inner: Value) -> Value { Value(.length(inner), .integer) }

    static func call(_ function: Int, _ arguments: [Value] = [], gives type: ValueType? = nil) -> Value {
        Value(.call(function: function, arguments), type)
    }

    static func host(_ function: HostFunction, _ arguments: Value...) -> Value {
        Value(.host(function, arguments), function.returnsAnswer ? .boolean : nil)
    }
}

extension Instruction {
    static func at(_ line: Int, _ kind: Kind) -> Instruction {
        Instruction(kind, at: SourcePosition(offset: line * 10, line: line, column: 3))
    }

    static func log(_ message: Value) -> Instruction { .at(1, .evaluate(.host(.logMessage, message))) }
    static func log(_ message: String) -> Instruction { .log(.string(message)) }
    static func set(_ local: Int, _ value: Value) -> Instruction { .at(2, .set(local: local, value)) }
    static func result(_ value: Value?) -> Instruction { .at(3, .result(value)) }

    static func require(_ condition: Value, _ message: Value? = nil) -> Instruction {
        .at(4, .require(condition, message: message))
    }

    static func when(
        _ condition: Value, _ then: [Instruction], else otherwise: [Instruction] = []
    ) -> Instruction {
        .at(5, .conditional(condition, then: then, otherwise: otherwise))
    }

    static func count(_ local: Int, _ from: Value, _ to: Value, _ body: [Instruction]) -> Instruction {
        .at(6, .count(local: local, from: from, to: to, body: body))
    }

    static func each(_ local: Int, _ values: [Value], _ body: [Instruction]) -> Instruction {
        .at(7, .each(local: local, values, body: body))
    }
}

extension Function {
    /// A function whose locals are called `v0`, `v1` ….
    static func test(
        _ name: String, _ locals: [ValueType] = [], parameters: Int = 0, result: ValueType? = nil,
        _ body: [Instruction]
    ) -> Function {
        Function(
            name: name,
            locals: locals.enumerated().map { Local(name: "v\($0.offset)", type: $0.element) },
            parameterCount: parameters, result: result, body: body,
            position: SourcePosition(offset: 0, line: 1, column: 1))
    }
}

extension Program {
    /// A program whose first function is what runs.
    static func test(
        _ functions: [Function], handlers: [(event: String, function: Int)] = []
    ) -> Program {
        Program(
            functions: functions, main: 0, handlers: handlers, declarations: [], limits: [],
            requirements: JobRequirements())
    }

    /// A program of one function.
    static func main(_ locals: [ValueType] = [], _ body: [Instruction]) -> Program {
        .test([.test("main", locals, body)])
    }
}
