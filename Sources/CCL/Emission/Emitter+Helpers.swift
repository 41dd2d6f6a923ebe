internal import MeshCore

extension Emitter {
    private static let overflow = "overflow"
    private static let divisionByZero = "division by zero"
    private static let outOfRange = "out of range"

    mutating func write(_ helper: Helper) {
        switch helper {
        case .add, .subtract, .multiply, .divide, .remainder, .minimum, .maximum: writeIntegers(helper)
        case .divideDecimals, .remainderOfDecimals, .integer: writeDecimals(helper)
        case .fail: writeFail()
        default: writeStrings(helper)
        }
    }

    /// Writes what a helper does when the condition that is there holds: it says so and ends the run.
    private mutating func failIf(_ what: String, line: Int) {
        write(.begin(.conditional), .string(what), .get(line), .call(.fail), .op(.end))
    }

    // MARK: Integers

    private mutating func writeIntegers(_ helper: Helper) {
        if helper == .minimum || helper == .maximum {
            return writeRaw(helper.name, Signature([.i64, .i64], [.i64])) { emitter in
                emitter.write(
                    .get(0), .get(1), .get(0), .get(1), .op(helper == .minimum ? .i64Less : .i64Greater),
                    .op(.select))
            }
        }
        writeRaw(helper.name, Signature([.i64, .i64, .i32], [.i64]), locals: Self.locals(helper)) { emitter in
            switch helper {
            case .add:
                // The result has another sign than both sides.
                emitter.write(
                    .get(0), .get(1), .op(.i64Add), .tee(3), .get(0), .op(.i64Xor), .get(3), .get(1),
                    .op(.i64Xor),
                    .op(.i64And), .i64(0), .op(.i64Less))
                emitter.failIf(Self.overflow, line: 2)
                emitter.write(.get(3))
            case .subtract:
                // The sides have different signs, and the result has not the left one's.
                emitter.write(
                    .get(0), .get(1), .op(.i64Subtract), .tee(3), .get(0), .op(.i64Xor), .get(0), .get(1),
                    .op(.i64Xor), .op(.i64And), .i64(0), .op(.i64Less))
                emitter.failIf(Self.overflow, line: 2)
                emitter.write(.get(3))
            case .multiply:
                // Dividing the result gives the left side again; by 0 and by -1 the engine may not be asked.
                emitter.write(
                    .get(0), .get(1), .op(.i64Multiply), .set(3), .get(1), .i64(1), .op(.i64Add), .i64(1),
                    .op(.i64GreaterUnsigned), .beginResult(.conditional, .i32), .get(3), .get(1),
                    .op(.i64Divide),
                    .get(0), .op(.i64NotEqual), .op(.otherwise), .get(0), .get(1), .op(.i64And), .i64(.min),
                    .op(.i64Equal), .op(.end))
                emitter.failIf(Self.overflow, line: 2)
                emitter.write(.get(3))
            case .divide:
                emitter.write(.get(1), .op(.i64IsZero))
                emitter.failIf(Self.divisionByZero, line: 2)
                emitter.write(
                    .get(0), .i64(.min), .op(.i64Equal), .get(1), .i64(-1), .op(.i64Equal), .op(.i32And))
                emitter.failIf(Self.overflow, line: 2)
                emitter.write(.get(0), .get(1), .op(.i64Divide))
            default:
                emitter.write(.get(1), .op(.i64IsZero))
                emitter.failIf(Self.divisionByZero, line: 2)
                emitter.write(.get(0), .get(1), .op(.i64Remainder))
            }
        }
    }

    private static func locals(_ helper: Helper) -> [MachineType] {
        helper == .divide || helper == .remainder ? [] : [.i64]
    }

    // MARK: Decimals

    private mutating func writeDecimals(_ helper: Helper) {
        switch helper {
        case .divideDecimals:
            writeRaw(helper.name, Signature([.f64, .f64, .i32], [.f64])) { emitter in
                emitter.write(.get(1), .f64(0), .op(.f64Equal))
                emitter.failIf(Self.divisionByZero, line: 2)
                emitter.write(.get(0), .get(1), .op(.f64Divide))
            }
        case .remainderOfDecimals:
            writeRemainderOfDecimals()
        default:
            writeRaw(helper.name, Signature([.f64, .i32], [.i64])) { emitter in
                // -2⁶³ is an integer and 2⁶³ is none; of NaN neither holds.
                emitter.write(
                    .get(0), .f64(-0x1p63), .op(.f64GreaterOrEqual), .get(0), .f64(0x1p63), .op(.f64Less),
                    .op(.i32And), .op(.i32IsZero))
                emitter.failIf(Self.outOfRange, line: 1)
                emitter.write(.get(0), .op(.i64Truncate))
            }
        }
    }

    /// The exact remainder: the right side, doubled as often as it fits and halved back, is taken wherever it fits.
    private mutating func writeRemainderOfDecimals() {
        let (left, right, line, rest, piece, divisor) = (0, 1, 2, 3, 4, 5)
        writeRaw(
            Helper.remainderOfDecimals.name, Signature([.f64, .f64, .i32], [.f64]),
            locals: [.f64, .f64, .f64]
        ) { emitter in
            emitter.write(.get(right), .f64(0), .op(.f64Equal))
            emitter.failIf(Self.divisionByZero, line: line)
            // What is not finite on the left, or no number on the right, leaves no number.
            emitter.write(
                .get(left), .get(left), .op(.f64Subtract), .f64(0), .op(.f64Equal), .get(right), .get(right),
                .op(.f64Equal), .op(.i32And), .op(.i32IsZero), .begin(.conditional), .f64(.infinity),
                .f64(.infinity), .op(.f64Subtract), .op(.leave), .op(.end))
            emitter.write(
                .get(left), .op(.f64Absolute), .set(rest), .get(right), .op(.f64Absolute), .tee(divisor),
                .set(piece))
            emitter.write(
                .begin(.block), .begin(.loop), .get(piece), .get(piece), .op(.f64Add), .get(rest),
                .op(.f64LessOrEqual), .op(.i32IsZero), .branchIf(1), .get(piece), .get(piece), .op(.f64Add),
                .set(piece), .branch(0), .op(.end), .op(.end))
            emitter.write(
                .begin(.block), .begin(.loop), .get(rest), .get(piece), .op(.f64GreaterOrEqual),
                .begin(.conditional), .get(rest), .get(piece), .op(.f64Subtract), .set(rest), .op(.end),
                .get(piece),
                .get(divisor), .op(.f64LessOrEqual), .branchIf(1), .get(piece), .f64(0.5), .op(.f64Multiply),
                .set(piece), .branch(0), .op(.end), .op(.end))
            emitter.write(.get(rest), .get(left), .op(.f64CopySign))
        }
    }

    // MARK: Failing

    /// Logs `NAME:LINE: ` and what is given.
    ///
    /// The name lies at the end of the data, so that the rest goes behind.
    ///
    /// What lies there is lost, and nothing will miss it; a text may be copied over itself.
    private mutating func writeFail() {
        writeRaw(Helper.fail.name, Signature([.i64, .i32]), locals: [.i32]) { emitter in
            emitter.write(
                .scratch(.name), .get(1), .op(.i64ExtendUnsigned), .scratch(.failure), .call(.digits),
                .tee(2),
                .i32(0x203a), .access(.i32Store16, 0))
            emitter.write(
                .get(2), .i32(2), .op(.i32Add), .tee(2), .get(0), .high, .op(.i32Wrap), .get(0),
                .op(.i32Wrap),
                .memoryCopy, .get(2), .get(0), .op(.i32Wrap), .op(.i32Add), .scratch(.name), .op(.i32Subtract)
            )
            emitter.call(.logMessage)
            emitter.write(.op(.unreachable))
        }
    }
}
