/// The functions that a module has besides the contract's own, each only where something calls it.
enum Helper: Int, CaseIterable {
    // Checked arithmetic; the last parameter is the line.
    case add, subtract, multiply, divide, remainder
    case divideDecimals, remainderOfDecimals
    /// A whole decimal as an integer.
    case integer
    case minimum, maximum

    // Strings.
    case equalStrings
    /// A string as address and length.
    case split
    case join
    case integerText, booleanText, durationText
    /// Writes decimal digits at an address; gives the address behind them.
    case digits
    /// Puts a string at the heap's top.
    case append
    /// Makes room for so many bytes at the heap's top.
    case reserve

    /// Logs what failed in which line and ends the run.
    case fail
    /// Writes bytes to the standard output.
    case print

    /// Those that may fail, and what they fail by.
    static let failing: Set<Helper> = [
        .add, .subtract, .multiply, .divide, .remainder, .divideDecimals, .remainderOfDecimals, .integer,
        .fail,
    ]

    /// As the name section says it.
    var name: String { "ccl.\(self)" }
}

/// One instruction of a helper.
enum Step {
    case op(Opcode)
    case get(Int), set(Int), tee(Int)
    case i32(Int32), i64(Int64), f64(Double)
    case begin(Opcode), beginResult(Opcode, MachineType)
    case branch(Int), branchIf(Int)
    case call(Helper), callWrite
    /// A string as one value.
    case string(String)
    case scratch(Scratch)
    /// Loads and stores, with the offset.
    case access(Opcode, Int)
    case memorySize, memoryGrow, memoryCopy
    case top, setTop
    /// The low half of a string or a length as 64 bits.
    case low
    /// The address of the string that is there.
    case high
}

extension Emitter {
    mutating func write(_ steps: Step...) {
        for step in steps { write(step) }
    }

    private mutating func write(_ step: Step) {
        switch step {
        case .op(let opcode): code.write(opcode)
        case .get(let local): code.get(local)
        case .set(let local): code.set(local)
        case .tee(let local): code.tee(local)
        case .i32(let value): code.i32(value)
        case .i64(let value): code.i64(value)
        case .f64(let value): code.f64(value)
        case .begin(let opcode):
            code.write(opcode)
            code.write(byte: MachineType.nothing)
        case .beginResult(let opcode, let type):
            code.write(opcode)
            code.write(byte: type.rawValue)
        case .branch(let depth):
            code.write(.branch)
            code.write(count: depth)
        case .branchIf(let depth):
            code.write(.branchIf)
            code.write(count: depth)
        case .call(let helper): call(helper)
        case .callWrite: code.call(.write)
        case .string(let text): writePacked(text)
        case .scratch(let place): address(of: place)
        case .access(let opcode, let offset):
            code.write(opcode)
            code.write(count: 0)
            code.write(count: offset)
        case .memorySize:
            code.write(.memorySize)
            code.write(byte: 0)
        case .memoryGrow:
            code.write(.memoryGrow)
            code.write(byte: 0)
        case .memoryCopy:
            code.write(.bulk)
            code.write(count: 10)
            code.write(count: 0)
            code.write(count: 0)
        case .top:
            usesHeap = true
            code.write(.globalGet)
            code.write(count: 0)
        case .setTop:
            code.write(.globalSet)
            code.write(count: 0)
        case .low: write(.op(.i32Wrap), .op(.i64ExtendUnsigned))
        case .high: write(.i64(32), .op(.i64ShiftRightUnsigned))
        }
    }
}
