internal import MeshCore

extension Emitter {
    /// Writes a boolean of which only counts whether it is 0.
    mutating func writeCondition(_ value: Value) {
        switch value.kind {
        case .host(let function, let arguments) where function.returnsAnswer:
            writeArguments(arguments, of: function)
            call(function)
        case .and, .or:
            writeSpine(value, isExact: false)
        case .not(let inner):
            writeNegation(inner, isExact: false)
        default:
            write(value)
        }
    }

    /// Writes a boolean that is other than 0 when the value is false.
    mutating func writeNegatedCondition(_ value: Value) {
        writeNegation(value, isExact: false)
    }

    mutating func writeNegation(_ value: Value, isExact: Bool) {
        switch value.kind {
        case .constant(.boolean(let holds)):
            code.i32(holds ? 0 : 1)
        case .not(let inner):
            if isExact { write(inner) } else { writeCondition(inner) }
        case .comparison(let comparison, let left, let right) where comparison.opposite(of: left.type) != nil:
            writeComparison(comparison.opposite(of: left.type) ?? comparison, left, right)
        default:
            writeCondition(value)
            code.write(.i32IsZero)
        }
    }

    mutating func writeComparison(_ comparison: BinaryOperator, _ left: Value, _ right: Value) {
        switch left.type {
        case .string:
            if case .string("")? = right.constant {
                write(left)
                code.write(.i32Wrap)
                code.write(.i32IsZero)
            } else {
                write(left)
                write(right)
                call(.equalStrings)
            }
            if comparison == .notEqual { code.write(.i32IsZero) }
        case .boolean:
            if case .boolean(let constant)? = right.constant {
                if constant == (comparison == .equal) {
                    write(left)
                } else {
                    writeNegation(left, isExact: true)
                }
            } else {
                write(left)
                write(right)
                code.write(comparison == .equal ? .i32Equal : .i32NotEqual)
            }
        case .decimal:
            write(left)
            write(right)
            code.write(comparison.ofDecimals)
        case .integer, .duration, nil:
            write(left)
            if comparison == .equal, right.constant == .integer(0) || right.constant == .duration(0) {
                code.write(.i64IsZero)
            } else {
                write(right)
                code.write(comparison.ofIntegers)
            }
        }
    }

    // MARK: Arguments of the host

    /// Writes the arguments of a host function; a string becomes an address and a length.
    mutating func writeArguments(_ arguments: [Value], of function: HostFunction) {
        for argument in arguments {
            guard argument.type == .string else {
                write(argument)
                continue
            }
            if case .string(let text)? = argument.constant {
                writeParts(of: text)
            } else {
                writeParts(of: argument)
            }
        }
    }

    /// Writes a constant string as address and length.
    mutating func writeParts(of text: String) {
        code.write(.i32Constant)
        code.write(.address(string: strings.number(of: text)))
        code.i32(Int32(clamping: text.utf8.count))
    }

    private mutating func writeParts(of value: Value) {
        // The first two in place: up to there the function that does it would be longer.
        splitCount += 1
        if splitCount > 2 {
            write(value)
            return call(.split)
        }
        if case .local(let local) = value.kind, let index = frame.indexes[local] {
            code.get(index)
            writeAddress()
            code.get(index)
            return code.write(.i32Wrap)
        }
        write(value)
        let temporary = frame.acquire(.i64)
        code.tee(temporary)
        writeAddress()
        code.get(temporary)
        code.write(.i32Wrap)
        frame.release(temporary, .i64)
    }

    /// The address of the string that is there.
    mutating func writeAddress() {
        code.i64(32)
        code.write(.i64ShiftRightUnsigned)
        code.write(.i32Wrap)
    }
}

extension BinaryOperator {
    /// The comparison that holds just where this does not; of decimals `<` has none, since NaN is neither.
    fileprivate func opposite(of type: ValueType?) -> BinaryOperator? {
        switch self {
        case .equal: return .notEqual
        case .notEqual: return .equal
        default: break
        }
        guard type != .decimal else { return nil }
        switch self {
        case .less: return .greaterOrEqual
        case .lessOrEqual: return .greater
        case .greater: return .lessOrEqual
        case .greaterOrEqual: return .less
        default: return nil
        }
    }

    fileprivate var ofIntegers: Opcode {
        switch self {
        case .notEqual: .i64NotEqual
        case .less: .i64Less
        case .lessOrEqual: .i64LessOrEqual
        case .greater: .i64Greater
        case .greaterOrEqual: .i64GreaterOrEqual
        default: .i64Equal
        }
    }

    fileprivate var ofDecimals: Opcode {
        switch self {
        case .notEqual: .f64NotEqual
        case .less: .f64Less
        case .lessOrEqual: .f64LessOrEqual
        case .greater: .f64Greater
        case .greaterOrEqual: .f64GreaterOrEqual
        default: .f64Equal
        }
    }
}
