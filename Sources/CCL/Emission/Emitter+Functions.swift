internal import MeshCore

extension Emitter {
    /// What engines bound in a function, by the implementation limits of WebAssembly's JavaScript interface.
    private static let parameterCountMax = 1_000
    private static let localCountMax = 50_000

    mutating func write(_ function: Function) throws(Failure) {
        frame = LocalLayout(function)
        let start = code.count
        code.forget()
        code.mark(function.position)
        if frame.result == nil {
            _ = write(body: function.body, isLast: true)
        } else {
            writeResult(body: function.body)
        }
        code.write(.end)
        let end = code.count
        guard function.parameterCount <= Self.parameterCountMax, frame.types.count <= Self.localCountMax
        else {
            throw Diagnostic(
                .moduleTooLarge,
                "\(function.name) has over \(Self.parameterCountMax) parameters or \(Self.localCountMax) values",
                at: SourceRange(function.position, function.position),
                hint: "divide it into several functions")
        }
        writeLocals(frame.types)
        code.forget()
        written.append(
            Written(
                name: function.name,
                signature: Signature(
                    function.locals[..<function.parameterCount].map(\.type.machine),
                    function.result.map { [$0.machine] } ?? []),
                locals: end..<code.count, body: start..<end,
                localNames: wantsNames ? localNames(function) : []))
    }

    private func localNames(_ function: Function) -> [(index: Int, name: String)] {
        var names: [(index: Int, name: String)] = []
        for (local, declared) in function.locals.enumerated() {
            if let index = frame.indexes[local] { names.append((index, declared.name)) }
        }
        names.sort { $0.index < $1.index }
        return names
    }

    // MARK: What never comes to its end

    /// Whether nothing behind the instruction runs.
    private func ends(_ instruction: Instruction) -> Bool {
        switch instruction.kind {
        case .result: true
        case .require(let condition, _): condition.constant == .boolean(false)
        default: false
        }
    }

    /// Whether a body always ends with a result or fails.
    private func isClosed(_ body: [Instruction]) -> Bool {
        var body = body
        while true {
            if body.contains(where: ends) { return true }
            guard case .conditional(_, let then, let otherwise)? = body.last?.kind, isClosed(then) else {
                return false
            }
            body = otherwise
        }
    }

    // MARK: Bodies

    /// Writes instructions that leave nothing behind them.
    ///
    /// `isLast`: Whether the function ends behind them.
    ///
    /// Returns whether what comes behind them may run.
    mutating func write(body: [Instruction], isLast: Bool = false) -> Bool {
        for (index, instruction) in body.enumerated() {
            write(instruction, isLast: isLast && index == body.count - 1)
            if ends(instruction) { return false }
        }
        return true
    }

    /// Writes the whole body of a function with a result, which is left behind it.
    private mutating func writeResult(body: [Instruction]) {
        guard isClosed(body) else {
            // The checker has seen that this end is not reached.
            _ = write(body: body)
            code.write(.unreachable)
            return
        }
        writeClosed(body: body)
    }

    private mutating func writeClosed(body: [Instruction]) {
        var body = body
        var open = 0
        while true {
            var otherwiseBody: [Instruction]?
            for (index, instruction) in body.enumerated() {
                if case .result(let value?) = instruction.kind {
                    begin(at: instruction.position)
                    write(value)
                    break
                }
                if index == body.count - 1,
                    case .conditional(let condition, let then, let otherwise) = instruction.kind
                {
                    begin(at: instruction.position)
                    writeCondition(condition)
                    code.write(.conditional)
                    code.write(byte: frame.result?.rawValue ?? MachineType.nothing)
                    writeClosed(body: then)
                    code.write(.otherwise)
                    code.forget()
                    open += 1
                    otherwiseBody = otherwise
                    break
                }
                write(instruction, isLast: false)
                if ends(instruction) { break }
            }
            guard let next = otherwiseBody else { break }
            body = next
        }
        for _ in 0..<open { code.write(.end) }
    }

    /// Notes where in the text the code stands that comes next.
    mutating func begin(at position: SourcePosition) {
        code.mark(position)
        self.position = position
    }
}
