extension Emitter {
    mutating func writeStrings(_ helper: Helper) {
        switch helper {
        case .equalStrings: writeEqualStrings()
        case .split:
            writeRaw(helper.name, Signature([.i64], [.i32, .i32])) { emitter in
                emitter.write(.get(0), .high, .op(.i32Wrap), .get(0), .op(.i32Wrap))
            }
        case .join: writeJoin()
        case .integerText:
            writeRaw(helper.name, Signature([.i64], [.i64]), locals: [.i64, .i64]) { emitter in
                // As long as the smallest integer; what is not used stays free.
                emitter.write(
                    .i64(20), .call(.reserve), .top, .tee(1), .i64(32), .op(.i64ShiftLeft), .get(0), .get(1),
                    .op(.i32Wrap), .call(.digits), .op(.i64ExtendUnsigned), .tee(2), .setTop, .get(2),
                    .get(1),
                    .op(.i64Subtract), .op(.i64Or))
            }
        case .booleanText:
            writeRaw(helper.name, Signature([.i32], [.i64])) { emitter in
                emitter.write(.string("true"), .string("false"), .get(0), .op(.select))
            }
        case .durationText:
            writeRaw(helper.name, Signature([.i64], [.i64])) { emitter in
                // As ``DurationUnit/text(_:)`` does.
                for unit in DurationUnit.allCases.reversed() where unit != .milliseconds {
                    emitter.write(
                        .get(0), .i64(unit.milliseconds), .op(.i64Remainder), .op(.i64IsZero), .get(0),
                        .i64(0), .op(.i64NotEqual), .op(.i32And), .begin(.conditional), .get(0),
                        .i64(unit.milliseconds), .op(.i64Divide), .call(.integerText),
                        .string(unit.rawValue), .call(.join), .op(.leave), .op(.end))
                }
                emitter.write(.get(0), .call(.integerText), .string("ms"), .call(.join))
            }
        case .digits: writeDigits()
        case .append:
            writeRaw(helper.name, Signature([.i64]), locals: [.i64]) { emitter in
                emitter.write(
                    .get(0), .low, .tee(1), .call(.reserve), .top, .op(.i32Wrap), .get(0), .high,
                    .op(.i32Wrap),
                    .get(1), .op(.i32Wrap), .memoryCopy, .top, .get(1), .op(.i64Add), .setTop)
            }
        case .reserve: writeReserve()
        default: writePrint()
        }
    }

    private mutating func writeEqualStrings() {
        writeRaw(Helper.equalStrings.name, Signature([.i64, .i64], [.i32]), locals: [.i32]) { emitter in
            // The same place and length, or lengths that differ.
            emitter.write(
                .get(0), .get(1), .op(.i64Equal), .begin(.conditional), .i32(1), .op(.leave), .op(.end),
                .get(0),
                .op(.i32Wrap), .tee(2), .get(1), .op(.i32Wrap), .op(.i32NotEqual), .begin(.conditional),
                .i32(0),
                .op(.leave), .op(.end))
            // From the end.
            emitter.write(
                .begin(.loop), .get(2), .op(.i32IsZero), .begin(.conditional), .i32(1), .op(.leave),
                .op(.end),
                .get(2), .i32(1), .op(.i32Subtract), .tee(2), .get(0), .high, .op(.i32Wrap), .op(.i32Add),
                .access(.i32Load8, 0), .get(2), .get(1), .high, .op(.i32Wrap), .op(.i32Add),
                .access(.i32Load8, 0),
                .op(.i32Equal), .branchIf(0), .op(.end), .i32(0))
        }
    }

    /// Two strings that lie one behind the other already are one, and what ends at the heap's top is grown
    /// there: a string that a loop builds piece by piece takes no more memory than its length.
    private mutating func writeJoin() {
        let (left, right, added, end, joined) = (0, 1, 2, 3, 4)
        writeRaw(Helper.join.name, Signature([.i64, .i64], [.i64]), locals: [.i64, .i64, .i64]) { emitter in
            emitter.write(
                .get(right), .low, .set(added), .get(left), .set(joined), .get(left), .high, .get(left), .low,
                .op(.i64Add), .tee(end), .get(right), .high, .op(.i64NotEqual), .begin(.conditional))
            emitter.write(
                .get(end), .top, .op(.i64NotEqual), .begin(.conditional), .top, .i64(32), .op(.i64ShiftLeft),
                .get(left), .low, .op(.i64Or), .set(joined), .get(left), .call(.append), .op(.end))
            emitter.write(.get(right), .call(.append), .op(.end), .get(joined), .get(added), .op(.i64Add))
        }
    }

    private mutating func writeDigits() {
        let (value, place, rest, end) = (0, 1, 2, 3)
        writeRaw(Helper.digits.name, Signature([.i64, .i32], [.i32]), locals: [.i64, .i32]) { emitter in
            // The smallest integer stays as it is, and is read without a sign below.
            emitter.write(
                .get(value), .i64(0), .op(.i64Less), .begin(.conditional), .get(place), .i32(0x2d),
                .access(.i32Store8, 0), .get(place), .i32(1), .op(.i32Add), .set(place), .i64(0), .get(value),
                .op(.i64Subtract), .set(value), .op(.end))
            emitter.write(
                .get(value), .set(rest), .begin(.loop), .get(place), .i32(1), .op(.i32Add), .set(place),
                .get(rest),
                .i64(10), .op(.i64DivideUnsigned), .tee(rest), .i64(0), .op(.i64NotEqual), .branchIf(0),
                .op(.end))
            emitter.write(
                .get(place), .set(end), .begin(.loop), .get(place), .i32(1), .op(.i32Subtract), .tee(place),
                .get(value), .i64(10), .op(.i64RemainderUnsigned), .op(.i32Wrap), .i32(0x30), .op(.i32Add),
                .access(.i32Store8, 0), .get(value), .i64(10), .op(.i64DivideUnsigned), .tee(value), .i64(0),
                .op(.i64NotEqual), .branchIf(0), .op(.end), .get(end))
        }
    }

    private mutating func writeReserve() {
        let (count, pages) = (0, 1)
        writeRaw(Helper.reserve.name, Signature([.i64]), locals: [.i64]) { emitter in
            // The pages that are missing; below 0 there are enough.
            emitter.write(
                .top, .get(count), .op(.i64Add), .i64(0xffff), .op(.i64Add), .i64(16),
                .op(.i64ShiftRightUnsigned),
                .memorySize, .op(.i64ExtendUnsigned), .op(.i64Subtract), .tee(pages), .i64(0),
                .op(.i64Greater),
                .begin(.conditional), .get(pages), .op(.i32Wrap), .memoryGrow, .i32(-1), .op(.i32Equal),
                .begin(.conditional), .op(.unreachable), .op(.end), .op(.end))
        }
    }

    /// `fd_write` may take less than it is given.
    private mutating func writePrint() {
        writeRaw(Helper.print.name, Signature([.i32, .i32]), locals: [.i32]) { emitter in
            emitter.write(
                .begin(.block), .begin(.loop), .get(1), .op(.i32IsZero), .branchIf(1), .scratch(.output),
                .get(0),
                .access(.i32Store, 0), .scratch(.output), .get(1), .access(.i32Store, 4))
            emitter.write(
                .i32(1), .scratch(.output), .i32(1), .scratch(.output), .i32(8), .op(.i32Add), .callWrite,
                .scratch(.output), .access(.i32Load, 8), .tee(2), .op(.i32IsZero), .op(.i32Or),
                .begin(.conditional), .op(.unreachable), .op(.end))
            emitter.write(
                .get(0), .get(2), .op(.i32Add), .set(0), .get(1), .get(2), .op(.i32Subtract), .set(1),
                .branch(0),
                .op(.end), .op(.end))
        }
    }
}
