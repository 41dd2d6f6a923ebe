internal import MeshCore

extension Printer {
    mutating func write(contract tree: SyntaxTree) {
        var isFirst = true
        for statement in tree.statements {
            newLine(before: statement.range.start, keepsBlank: !isFirst)
            write(statement)
            isFirst = false
        }
        finish(at: tree.end)
    }

    mutating func write(_ statement: Statement) {
        switch statement.kind {
        case .flag(let name):
            write(name)
            write(";")
        case .property(let name, let separator, let value):
            writeProperty(name, separator, value)
            write(";")
        case .section(let name, let arguments, let block):
            write(name)
            for argument in arguments {
                write(" ")
                write(argument)
            }
            write(" ")
            write(block)
        case .call(let call):
            write(call)
            write(";")
        case .binding(let name, let type, let value):
            write("let ")
            write(name)
            write(type: type)
            write(" = ")
            write(value)
            write(";")
        case .conditional(let conditional): write(conditional)
        case .loop(let name, let sequence, let block):
            write("for ")
            write(name)
            write(" in ")
            write(sequence)
            write(" ")
            write(block)
        case .function(let function): write(function)
        case .handler(let event, let block):
            write("on ")
            write(event)
            write(" ")
            write(block)
        case .result(let value):
            write("return")
            if let value {
                write(" ")
                write(value)
            }
            write(";")
        }
        pass(statement.range.end)
    }

    mutating func write(_ name: Name) {
        if name.isQuoted {
            copy(name.range, orWrite: name.text.quoted)
        } else {
            write(name.text)
        }
    }

    mutating func writeProperty(_ name: Name, _ separator: Statement.Separator, _ value: Expression) {
        write(name)
        if separator == .equals { write(" = ") } else { write(": ") }
        write(value)
    }

    private mutating func write(type: Name?) {
        guard let type else { return }
        write(": ")
        write(type)
    }

    private mutating func write(_ conditional: Conditional) {
        write("if ")
        write(conditional.condition)
        write(" ")
        write(conditional.then)
        guard let otherwise = conditional.otherwise else { return }
        write(" else ")
        if conditional.isChain, otherwise.statements.count == 1, let next = otherwise.statements.first,
            case .conditional(let chained) = next.kind
        {
            write(chained)
        } else {
            write(otherwise)
        }
    }

    private mutating func write(_ function: FunctionDeclaration) {
        write("function ")
        write(function.name)
        write("(")
        for (index, parameter) in function.parameters.enumerated() {
            if index > 0 { write(", ") }
            write(parameter.name)
            write(type: parameter.type)
        }
        write(")")
        write(type: function.result)
        write(" ")
        write(function.body)
    }

    /// A block with each statement on a line of its own; without a source, on the line at hand.
    mutating func write(_ block: Block) {
        guard isLaidOut else { return writeFlat(block) }
        guard !block.statements.isEmpty || holdsComment(block.range) else {
            write("{}")
            return pass(block.range.end)
        }
        writeBroken(block.range, opening: "{", closing: "}") { printer in
            var isFirst = true
            for statement in block.statements {
                printer.newLine(before: statement.range.start, keepsBlank: !isFirst)
                printer.write(statement)
                isFirst = false
            }
        }
    }

    /// Brackets around lines.
    mutating func writeBroken(
        _ range: SourceRange, opening: StaticString, closing: StaticString, _ body: (inout Printer) -> Void
    ) {
        write(opening)
        pass(range.start)
        indent()
        let start = text.count
        body(&self)
        outdent(before: range.end, isEmpty: text.count == start)
        write(closing)
        pass(range.end)
    }

    /// `{ a: 1, b: 2 }` or, with anything but properties in it, `{ a: 1; b { c } }`.
    mutating func writeFlat(_ block: Block) {
        guard !block.statements.isEmpty else { return write("{}") }
        let isObject = block.isPlainObject
        if !isObject { refuseFlat() }
        write("{ ")
        for (index, statement) in block.statements.enumerated() {
            if index > 0 {
                if isObject { write(", ") } else { write(" ") }
            }
            if givesUp() { return }
            if isObject { writeMember(statement) } else { write(statement) }
        }
        write(" }")
    }

    /// A flag or a property without the sign behind it.
    mutating func writeMember(_ statement: Statement) {
        switch statement.kind {
        case .flag(let name): write(name)
        case .property(let name, let separator, let value): writeProperty(name, separator, value)
        default: write(statement)
        }
    }
}

extension Block {
    /// It holds nothing but flags and properties.
    var isPlainObject: Bool {
        statements.allSatisfy { statement in
            switch statement.kind {
            case .flag, .property: true
            default: false
            }
        }
    }
}
