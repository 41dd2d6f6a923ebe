internal import MeshCore

extension Emitter {
    /// Writes a value, which is left behind; a boolean is 0 or 1.
    mutating func write(_ value: Value) {
        switch value.kind {
        case .constant(let constant):
            write(constant)
        case .local(let local):
            writeLocal(local, value.type)
        case .arithmetic, .joined, .and, .or:
            writeSpine(value, isExact: true)
        case .comparison(let comparison, let left, let right):
            writeComparison(comparison, left, right)
        case .not(let inner):
            writeNegation(inner, isExact: true)
        case .negated(let inner):
            writeNegated(inner, value.type)
        case .text(let inner):
            writeText(inner)
        case .decimal(let inner):
            write(inner)
            code.write(.f64ConvertI64)
        case .rounded(let rounding, let inner):
            write(inner)
            writeRounding(rounding)
        case .minimum(let left, let right):
            write(left)
            write(right)
            if value.type == .decimal { code.write(.f64Minimum) } else { call(.minimum) }
        case .maximum(let left, let right):
            write(left)
            write(right)
            if value.type == .decimal { code.write(.f64Maximum) } else { call(.maximum) }
        case .length(let inner):
            if case .string(let text)? = inner.constant {
                code.i64(Int64(text.utf8.count))
            } else {
                write(inner)
                code.write(.i32Wrap)
                code.write(.i64ExtendUnsigned)
            }
        case .call(let function, let arguments):
            for argument in arguments { write(argument) }
            code.call(.function(place(of: function)))
        case .host(let function, let arguments):
            writeArguments(arguments, of: function)
            call(function)
            if !function.returnsAnswer {
                if value.type != nil { code.i32(1) }
            } else if value.type == nil {
                code.write(.drop)
            } else {
                // Anything other than 0 is a yes.
                code.i32(0)
                code.write(.i32NotEqual)
            }
        }
    }

    private mutating func write(_ constant: Constant) {
        switch constant {
        case .string(let text): writePacked(text)
        case .integer(let value), .duration(let value): code.i64(value)
        case .decimal(let value): code.f64(value)
        case .boolean(let value): code.i32(value ? 1 : 0)
        }
    }

    /// Writes a string as one value.
    mutating func writePacked(_ text: String) {
        code.write(.i64Constant)
        code.write(.packed(string: strings.number(of: text)))
    }

    private mutating func writeLocal(_ local: Int, _ type: ValueType?) {
        if let index = frame.indexes[local] { return code.get(index) }
        // Nothing ever gave it a value.
        switch type?.machine {
        case .i32: code.i32(0)
        case .f64: code.f64(0)
        case .i64, nil: code.i64(0)
        }
    }

    private mutating func writeNegated(_ inner: Value, _ type: ValueType?) {
        if type == .decimal {
            write(inner)
            code.write(.f64Negate)
        } else {
            code.i64(0)
            write(inner)
            code.i32(line)
            call(.subtract)
        }
    }

    private mutating func writeText(_ inner: Value) {
        switch inner.type {
        case .string:
            write(inner)
        case .integer:
            write(inner)
            call(.integerText)
        case .boolean:
            write(inner)
            call(.booleanText)
        case .duration:
            write(inner)
            call(.durationText)
        case .decimal, nil:
            // No such text exists; the checker lets none through.
            code.write(.unreachable)
        }
    }

    private mutating func writeRounding(_ rounding: Rounding) {
        switch rounding {
        case .nearest: code.write(.f64Nearest)
        case .down: code.write(.f64Floor)
        case .up: code.write(.f64Ceiling)
        }
        code.i32(line)
        call(.integer)
    }

    // MARK: Chains

    /// Writes operators that stand one behind the other, `a + b + c`, without a call for each.
    ///
    /// `isExact`: Whether a boolean has to be 0 or 1.
    mutating func writeSpine(_ value: Value, isExact: Bool) {
        var spine: [Value] = []
        var left = value
        loop: while true {
            switch left.kind {
            case .arithmetic(_, let inner, _), .joined(let inner, _), .and(let inner, _), .or(let inner, _):
                spine.append(left)
                left = inner
            default:
                break loop
            }
        }
        writeOperand(left, of: spine[spine.count - 1])
        for index in spine.indices.reversed() {
            let isExact = index == 0 ? isExact : needsExact(spine[index - 1])
            writeOperation(spine[index], isExact: isExact)
        }
    }

    /// Whether the left side of the operator has to be 0 or 1.
    private func needsExact(_ value: Value) -> Bool {
        switch value.kind {
        case .and(_, let right), .or(_, let right): right.isCheap
        default: true
        }
    }

    private mutating func writeOperand(_ left: Value, of value: Value) {
        if needsExact(value) { write(left) } else { writeCondition(left) }
    }

    /// Writes the right side and the operator, behind the left side.
    private mutating func writeOperation(_ value: Value, isExact: Bool) {
        switch value.kind {
        case .arithmetic(let operation, _, let right):
            writeArithmetic(operation, right, value.type)
        case .joined(_, let right):
            write(right)
            call(.join)
        case .and(_, let right):
            if right.isCheap {
                write(right)
                return code.write(.i32And)
            }
            code.write(.conditional)
            code.write(byte: MachineType.i32.rawValue)
            if isExact { write(right) } else { writeCondition(right) }
            code.write(.otherwise)
            code.i32(0)
            code.write(.end)
        case .or(_, let right):
            if right.isCheap {
                write(right)
                return code.write(.i32Or)
            }
            code.write(.conditional)
            code.write(byte: MachineType.i32.rawValue)
            code.i32(1)
            code.write(.otherwise)
            if isExact { write(right) } else { writeCondition(right) }
            code.write(.end)
        default:
            break
        }
    }

    private mutating func writeArithmetic(_ operation: BinaryOperator, _ right: Value, _ type: ValueType?) {
        write(right)
        if type == .decimal {
            switch operation {
            case .add: return code.write(.f64Add)
            case .subtract: return code.write(.f64Subtract)
            case .multiply: return code.write(.f64Multiply)
            default: break
            }
            if operation == .divide, case .decimal(let divisor)? = right.constant, divisor != 0 {
                return code.write(.f64Divide)
            }
            code.i32(line)
            return call(operation == .divide ? .divideDecimals : .remainderOfDecimals)
        }
        if case .integer(let divisor)? = right.constant, divisor != 0 {
            if operation == .remainder { return code.write(.i64Remainder) }
            if operation == .divide, divisor != -1 { return code.write(.i64Divide) }
        }
        code.i32(line)
        switch operation {
        case .add: call(.add)
        case .subtract: call(.subtract)
        case .multiply: call(.multiply)
        case .divide: call(.divide)
        default: call(.remainder)
        }
    }
}

extension Value {
    /// A boolean that is there at once: nothing in it can fail, and evaluating it costs less than a branch.
    fileprivate var isCheap: Bool {
        switch kind {
        case .constant, .local: true
        case .not(let inner): inner.isPlain
        case .comparison(_, let left, let right): left.type != .string && left.isPlain && right.isPlain
        default: false
        }
    }

    private var isPlain: Bool {
        switch kind {
        case .constant, .local: true
        default: false
        }
    }
}
