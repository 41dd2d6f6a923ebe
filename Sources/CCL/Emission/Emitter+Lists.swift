internal import MeshCore

extension Emitter {
    /// How many values one `br_table` chooses from; more stand in several, one behind the other.
    private static let choiceMax = 100

    /// A loop over values: the body again for each of them, or once with a table of them, whichever is shorter.
    mutating func writeEach(_ local: Int, _ values: [Value], _ body: [Instruction]) {
        guard let first = values.first, let type = first.type?.machine, let index = frame.indexes[local]
        else {
            return
        }
        if values.count == 1 {
            write(first)
            code.set(index)
            _ = write(body: body)
            code.forget()
            return
        }
        // The counter is taken first, so that loops within the body have others.
        let counter = frame.acquire(.i32)
        defer { frame.release(counter, .i32) }
        let place = position
        let start = code.count
        code.forget()
        let continues = write(body: body)
        let size = code.count - start
        let piece = code.cut(from: start)
        begin(at: place)
        let constants = values.compactMap(\.constant)
        if constants.count == values.count {
            let valueSizes = constants.reduce(0) { $0 + byteCount(of: $1) }
            // What the loop itself takes is 24 bytes, and each value eight in memory.
            if valueSizes + values.count * (size + 2) <= size + 24 + values.count * 8 {
                return writeEach(index, values, piece)
            }
            return writeTable(index, type, constants, piece, counter, continues)
        }
        // The values' code takes the same space either way.
        if values.count * (size + 2) <= size + 22 + values.count * 6 {
            return writeEach(index, values, piece)
        }
        writeChoice(index, type, values, piece, counter, continues)
    }

    private func byteCount(of constant: Constant) -> Int {
        switch constant {
        case .string: 7
        case .integer(let value), .duration(let value): 1 + LEB128.size(signed: value)
        case .decimal: 6
        case .boolean: 2
        }
    }

    /// The body for each value anew.
    private mutating func writeEach(_ index: Int, _ values: [Value], _ piece: CodeBuffer.Piece) {
        let place = position
        for value in values {
            begin(at: place)
            write(value)
            code.set(index)
            code.paste(piece)
        }
    }

    /// One loop that reads its values from memory.
    private mutating func writeTable(
        _ index: Int, _ type: MachineType, _ constants: [Constant], _ piece: CodeBuffer.Piece, _ counter: Int,
        _ continues: Bool
    ) {
        let entries = constants.map { constant -> ConstantTables.Entry in
            switch constant {
            case .string(let text): .string(strings.number(of: text))
            case .integer(let value), .duration(let value): .bits(UInt64(bitPattern: value))
            case .decimal(let value): .bits(value.bitPattern)
            case .boolean(let value): .bits(value ? 1 : 0)
            }
        }
        let table = tables.number(of: entries)
        open(counter)
        code.get(counter)
        switch type {
        case .i32: code.write(.i32Load)
        case .i64: code.write(.i64Load)
        case .f64: code.write(.f64Load)
        }
        code.write(count: 0)
        code.write(.table(table))
        code.set(index)
        code.paste(piece)
        close(counter, step: 8, end: constants.count &* 8, continues)
    }

    /// One loop that chooses among the values' code.
    private mutating func writeChoice(
        _ index: Int, _ type: MachineType, _ values: [Value], _ piece: CodeBuffer.Piece, _ counter: Int,
        _ continues: Bool
    ) {
        open(counter)
        code.write(.block)
        code.write(byte: type.rawValue)
        var start = 0
        while start < values.count {
            let end = min(start + Self.choiceMax, values.count)
            let isLast = end == values.count
            if !isLast {
                code.write(.block)
                code.write(byte: MachineType.nothing)
                code.get(counter)
                code.i32(Int32(clamping: end))
                code.write(.i32GreaterOrEqualUnsigned)
                code.write(.branchIf)
                code.write(count: 0)
            }
            for _ in start..<end {
                code.write(.block)
                code.write(byte: MachineType.nothing)
            }
            code.get(counter)
            if start > 0 {
                code.i32(Int32(clamping: start))
                code.write(.i32Subtract)
            }
            code.write(.branchTable)
            // The last is where everything else goes.
            code.write(count: end - start - 1)
            for depth in 0..<end - start { code.write(count: depth) }
            for place in start..<end {
                code.write(.end)
                code.forget()
                write(values[place])
                if place < values.count - 1 {
                    code.write(.branch)
                    code.write(count: end - place - 1 + (isLast ? 0 : 1))
                }
            }
            if !isLast { code.write(.end) }
            start = end
        }
        code.write(.end)
        code.set(index)
        code.paste(piece)
        close(counter, step: 1, end: values.count, continues)
    }

    private mutating func open(_ counter: Int) {
        code.i32(0)
        code.set(counter)
        code.write(.loop)
        code.write(byte: MachineType.nothing)
    }

    private mutating func close(_ counter: Int, step: Int, end: Int, _ continues: Bool) {
        if continues {
            code.get(counter)
            code.i32(Int32(clamping: step))
            code.write(.i32Add)
            code.tee(counter)
            code.i32(Int32(clamping: end))
            code.write(.i32NotEqual)
            code.write(.branchIf)
            code.write(count: 0)
        }
        code.write(.end)
        code.forget()
    }
}
