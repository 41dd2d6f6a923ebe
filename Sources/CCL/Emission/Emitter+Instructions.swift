internal import MeshCore

extension Emitter {
    /// Writes one instruction, which leaves nothing behind it.
    mutating func write(_ instruction: Instruction, isLast: Bool) {
        begin(at: instruction.position)
        switch instruction.kind {
        case .evaluate(let value):
            writeEffect(value)
        case .set(let local, let value):
            write(value)
            if let index = frame.indexes[local] { code.set(index) }
        case .conditional:
            writeChain(instruction, isLast: isLast)
        case .count(let local, let from, let to, let body):
            writeCount(local, from, to, body)
        case .each(let local, let values, let body):
            writeEach(local, values, body)
        case .result(let value):
            if let value { write(value) }
            if !isLast || frame.result != nil { code.write(.leave) }
        case .require(let condition, let message):
            writeRequire(condition, message)
        }
    }

    /// Writes a value for what it does.
    private mutating func writeEffect(_ value: Value) {
        switch value.kind {
        case .constant, .local:
            break
        case .host(let function, let arguments):
            writeArguments(arguments, of: function)
            call(function)
            if function.returnsAnswer { code.write(.drop) }
        default:
            write(value)
            if value.type != nil { code.write(.drop) }
        }
    }

    /// `if`, `else if` …, without a call for each.
    private mutating func writeChain(_ first: Instruction, isLast: Bool) {
        var open = 0
        var current = first
        chain: while case .conditional(let condition, let then, let otherwise) = current.kind {
            if open > 0 { begin(at: current.position) }
            if case .boolean(let holds)? = condition.constant {
                _ = write(body: holds ? then : otherwise)
                break chain
            }
            if then.isEmpty && otherwise.isEmpty {
                writeEffect(condition)
                break chain
            }
            if then.isEmpty {
                writeNegatedCondition(condition)
            } else {
                writeCondition(condition)
            }
            code.write(.conditional)
            code.write(byte: MachineType.nothing)
            open += 1
            if then.isEmpty {
                _ = write(body: otherwise, isLast: isLast)
                break chain
            }
            _ = write(body: then, isLast: isLast)
            if otherwise.isEmpty { break chain }
            code.write(.otherwise)
            code.forget()
            if otherwise.count == 1, case .conditional = otherwise[0].kind {
                current = otherwise[0]
            } else {
                _ = write(body: otherwise, isLast: isLast)
                break chain
            }
        }
        for _ in 0..<open { code.write(.end) }
        code.forget()
    }

    private mutating func writeRequire(_ condition: Value, _ message: Value?) {
        switch condition.constant {
        case .boolean(true):
            break
        case .boolean(false):
            writeFailure(message)
        default:
            writeNegatedCondition(condition)
            code.write(.conditional)
            code.write(byte: MachineType.nothing)
            writeFailure(message)
            code.write(.end)
        }
    }

    /// Logs where and why, when there is a reason, and ends the run.
    private mutating func writeFailure(_ message: Value?) {
        if let message {
            if case .string(let text)? = message.constant, wholeFailureCount < 3, !hasFail {
                // Up to there whole lines are shorter than the function that puts them together.
                wholeFailureCount += 1
                writeParts(of: "\(program.name):\(line): \(text)")
                call(.logMessage)
            } else {
                write(message)
                code.i32(line)
                call(.fail)
            }
        }
        code.write(.unreachable)
    }

    // MARK: Loops

    private mutating func writeCount(_ local: Int, _ from: Value, _ to: Value, _ body: [Instruction]) {
        var end: Int64?
        if case .integer(let constant)? = to.constant { end = constant }
        if case .integer(let start)? = from.constant, let end, start >= end { return }
        // The local itself counts unless something else gives it values too.
        let isOwn = frame.writes[local] == 1 && frame.indexes[local] != nil
        let counter = isOwn ? frame.indexes[local] ?? 0 : frame.acquire(.i64)
        var bound: Int?
        write(from)
        var isConditional = true
        if end != nil, case .integer? = from.constant {
            // It runs once at least.
            isConditional = false
            code.set(counter)
        } else {
            code.tee(counter)
            if let end {
                code.i64(end)
            } else {
                let local = frame.acquire(.i64)
                bound = local
                write(to)
                code.tee(local)
            }
            code.write(.i64Less)
            code.write(.conditional)
            code.write(byte: MachineType.nothing)
        }
        code.write(.loop)
        code.write(byte: MachineType.nothing)
        code.forget()
        if !isOwn, let index = frame.indexes[local] {
            code.get(counter)
            code.set(index)
        }
        let place = position
        let continues = write(body: body)
        begin(at: place)
        if continues {
            code.get(counter)
            code.i64(1)
            code.write(.i64Add)
            code.tee(counter)
            if let bound {
                code.get(bound)
                code.write(.i64Less)
            } else {
                code.i64(end ?? 0)
                code.write(.i64NotEqual)
            }
            code.write(.branchIf)
            code.write(count: 0)
        }
        code.write(.end)
        if isConditional { code.write(.end) }
        code.forget()
        if !isOwn { frame.release(counter, .i64) }
        if let bound { frame.release(bound, .i64) }
    }
}
