internal import CCL
internal import MeshCore

/// Holds a program against what `Program` says of itself, without knowing how it was checked.
struct CheckingValidator {
    let program: Program
    private(set) var faults: [String] = []
    private var function = 0

    init(_ program: Program) { self.program = program }

    static func faults(_ program: Program) -> [String] {
        var validator = CheckingValidator(program)
        validator.validate()
        return validator.faults
    }

    private mutating func validate() {
        expect(program.functions.indices.contains(program.main), "main is a function")
        for handler in program.handlers {
            expect(program.functions.indices.contains(handler.function), "a handler is a function")
        }
        expect(
            Set(program.handlers.map(\.event)).count == program.handlers.count, "events have one handler each"
        )
        expect(
            program.limits.map(\.resource) == program.limits.map(\.resource).sorted(), "limits are sorted")
        for (index, one) in program.functions.enumerated() {
            function = index
            expect(one.parameterCount <= one.locals.count, "parameters are locals")
            visit(one.body)
            if one.result != nil { expect(!reachesEnd(one.body), "\(one.name) ends with a value") }
        }
    }

    private mutating func expect(_ holds: Bool, _ what: String) {
        if !holds { faults.append("\(program.functions[function].name): \(what)") }
    }

    /// Whether control can leave at the end; a constant condition counts as if it were none.
    private func reachesEnd(_ body: [Instruction]) -> Bool {
        for instruction in body {
            switch instruction.kind {
            case .result: return false
            case .require(let value, _):
                if case .constant(.boolean(false)) = value.kind { return false }
            case .conditional(let value, let then, let otherwise):
                switch value.kind {
                case .constant(.boolean(let holds)): if !reachesEnd(holds ? then : otherwise) { return false }
                default: if !reachesEnd(then), !reachesEnd(otherwise) { return false }
                }
            case .count(_, let from, let to, let body):
                if case .constant = from.kind, case .constant = to.kind, !reachesEnd(body) { return false }
            case .each(_, _, let body): if !reachesEnd(body) { return false }
            case .evaluate, .set: continue
            }
        }
        return true
    }

    private mutating func visit(_ body: [Instruction]) {
        for instruction in body {
            switch instruction.kind {
            case .evaluate(let value): visit(value)
            case .set(let local, let value): local_(local, value.type); visit(value)
            case .conditional(let value, let then, let otherwise):
                visit(value, .boolean)
                visit(then)
                visit(otherwise)
            case .count(let local, let from, let to, let body):
                local_(local, .integer)
                visit(from, .integer)
                visit(to, .integer)
                visit(body)
            case .each(let local, let values, let body):
                expect(Int64(values.count) <= Limits.loopCountMax, "a loop is bounded")
                for value in values {
                    local_(local, value.type)
                    visit(value)
                }
                visit(body)
            case .result(let value):
                expect(
                    value?.type == program.functions[function].result, "the result has the function's type")
                if let value { visit(value) }
            case .require(let value, let message):
                visit(value, .boolean)
                if let message { visit(message, .string) }
            }
        }
    }

    private mutating func local_(_ local: Int, _ type: ValueType?) {
        let locals = program.functions[function].locals
        expect(locals.indices.contains(local) && locals[local].type == type, "local \(local) holds its type")
    }

    private mutating func visit(_ value: Value, _ type: ValueType) {
        expect(value.type == type, "\(value.kind) is \(type)")
        visit(value)
    }

    private mutating func visit(_ value: Value) {
        let type = value.type
        switch value.kind {
        case .constant(let constant): expect(constant.type == type, "a constant has its type")
        case .local(let local): local_(local, type)
        case .arithmetic(let sign, let a, let b):
            expect(a.type == type, "the left side has the result's type")
            let isScaled = type == .duration && (sign == .multiply || sign == .divide)
            visit(a)
            visit(b, isScaled ? .integer : type ?? .string)
            expect(type == .integer || type == .decimal || type == .duration, "arithmetic is of numbers")
            expect(sign != .remainder || type == .integer, "remainders are of integers")
        case .comparison(let sign, let a, let b):
            expect(type == .boolean && a.type == b.type && a.type != nil, "both sides have one type")
            let isOrdered = a.type != .string && a.type != .boolean
            expect(isOrdered || sign == .equal || sign == .notEqual, "what is compared has an order")
            visit(a)
            visit(b)
        case .and(let a, let b), .or(let a, let b):
            expect(type == .boolean, "a condition is a boolean")
            visit(a, .boolean)
            visit(b, .boolean)
        case .not(let a): visit(a, .boolean)
        case .negated(let a):
            expect(a.type == type && type != .string && type != .boolean, "what is negated is a number")
            visit(a)
        case .joined(let a, let b):
            expect(type == .string, "joined is text")
            visit(a, .string)
            visit(b, .string)
        case .text(let a):
            expect(type == .string, "text is text")
            expect(a.type == .integer || a.type == .boolean || a.type == .duration, "what has text")
            visit(a)
        case .decimal(let a): visit(a, .integer)
        case .rounded(_, let a):
            expect(type == .integer, "rounded is an integer")
            visit(a, .decimal)
        case .minimum(let a, let b), .maximum(let a, let b):
            expect(a.type == type && b.type == type, "the smaller of one type")
            visit(a)
            visit(b)
        case .length(let a): visit(a, .string)
        case .call(let callee, let arguments):
            guard callee < function, program.functions.indices.contains(callee) else {
                expect(false, "a function is called after those that it calls")
                return
            }
            let called = program.functions[callee]
            expect(called.result == type, "a call has the function's type")
            expect(called.parameterCount == arguments.count, "a call has all arguments")
            for (argument, local) in zip(arguments, called.locals) { visit(argument, local.type) }
        case .host(let host, let arguments):
            expect(host.returnsAnswer ? type == .boolean : type == nil, "a host's answer is a boolean")
            let wanted: [ValueType] = host.parameters.replacing("ii", with: "s").map {
                $0 == "s" ? .string : .integer
            }
            expect(arguments.map(\.type) == wanted, "a host gets what it takes")
            for argument in arguments { visit(argument) }
        }
    }
}
