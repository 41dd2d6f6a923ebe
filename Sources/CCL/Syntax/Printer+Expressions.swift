internal import MeshCore

extension Printer {
    /// An expression, on the line at hand if it fits.
    mutating func write(_ expression: Expression) {
        guard isLaidOut else { return writeFlat(expression) }
        if !fits(expression.range, { $0.writeFlat(expression) }) { writeBroken(expression) }
        pass(expression.range.end)
    }

    mutating func write(_ call: Call) {
        guard isLaidOut else { return writeFlat(call) }
        if !fits(call.range, { $0.writeFlat(call) }) { writeBroken(call) }
        pass(call.range.end)
    }

    // MARK: - One line

    mutating func writeFlat(_ expression: Expression) {
        if givesUp() { return }
        switch expression.kind {
        case .string(let text): copy(expression.range, orWrite: text.quoted)
        case .integer(let value): writeNumber(expression.range, String(value))
        case .decimal(_, let text): write(text)
        case .boolean(let value): if value { write("true") } else { write("false") }
        case .duration(let value, let unit): writeNumber(expression.range, "\(value)\(unit.rawValue)")
        case .list(let elements):
            write("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { write(", ") }
                writeFlat(element)
                if isOverfull { return }
            }
            write("]")
        case .object(let block): writeFlat(block)
        case .name(let parts):
            for (index, part) in parts.enumerated() {
                if index > 0 { write(".") }
                write(part)
            }
        case .call(let call): writeFlat(call)
        case .unary(let sign, let operand):
            writeSign(sign, before: operand)
            writeFlat(operand)
        case .binary(let sign, let left, let right):
            writeFlat(left)
            write(" ")
            write(sign.rawValue)
            write(" ")
            writeFlat(right)
        case .parenthesized(let inner):
            write("(")
            writeFlat(inner)
            write(")")
        }
    }

    /// A minus and a number behind it would be read as one number.
    private mutating func writeSign(_ sign: UnaryOperator, before operand: Expression) {
        write(sign.rawValue)
        guard sign == .negate else { return }
        switch operand.kind {
        case .integer(let value) where value >= 0: write(" ")
        case .duration(let value, _) where value >= 0: write(" ")
        case .decimal(_, let text) where !text.hasPrefix("-"): write(" ")
        default: break
        }
    }

    /// A number as it was written, with its `_`.
    private mutating func writeNumber(_ range: SourceRange, _ canonical: String) {
        copy(range, orWrite: canonical)
    }

    private mutating func writeFlat(_ call: Call) {
        write(call.name)
        write("(")
        for (index, argument) in call.arguments.enumerated() {
            if index > 0 { write(", ") }
            write(label: argument.label)
            writeFlat(argument.value)
            if isOverfull { return }
        }
        write(")")
    }

    private mutating func write(label: Name?) {
        guard let label else { return }
        write(label)
        write(": ")
    }

    // MARK: - Several lines

    // No comma behind the last: one of the published grammars refuses it.

    private mutating func writeBroken(_ expression: Expression) {
        switch expression.kind {
        case .list(let elements):
            guard !elements.isEmpty || holdsComment(expression.range) else { return write("[]") }
            writeBroken(expression.range, opening: "[", closing: "]") { printer in
                for (index, element) in elements.enumerated() {
                    printer.newLine(before: element.range.start, keepsBlank: index > 0)
                    printer.write(element)
                    if index + 1 < elements.count { printer.write(",") }
                }
            }
        case .object(let block) where block.isPlainObject && !block.statements.isEmpty:
            writeBroken(expression.range, opening: "{", closing: "}") { printer in
                for (index, member) in block.statements.enumerated() {
                    printer.newLine(before: member.range.start, keepsBlank: index > 0)
                    printer.writeMember(member)
                    if index + 1 < block.statements.count { printer.write(",") }
                    printer.pass(member.range.end)
                }
            }
        case .object(let block): write(block)
        case .call(let call): writeBroken(call)
        case .unary(let sign, let operand):
            writeSign(sign, before: operand)
            write(operand)
        case .binary(let sign, let left, let right):
            write(left)
            write(" ")
            write(sign.rawValue)
            write(" ")
            write(right)
        case .parenthesized(let inner):
            write("(")
            write(inner)
            write(")")
        case .string, .integer, .decimal, .boolean, .duration, .name:
            // Too long, and of one piece.
            writeFlat(expression)
        }
    }

    private mutating func writeBroken(_ call: Call) {
        write(call.name)
        guard !call.arguments.isEmpty else { return write("()") }
        let brackets = SourceRange(call.name.range.end, call.range.end)
        writeBroken(brackets, opening: "(", closing: ")") { printer in
            for (index, argument) in call.arguments.enumerated() {
                let start = argument.label?.range.start ?? argument.value.range.start
                printer.newLine(before: start, keepsBlank: index > 0)
                printer.write(label: argument.label)
                printer.write(argument.value)
                if index + 1 < call.arguments.count { printer.write(",") }
            }
        }
    }
}

extension Expression {
    /// The expression as canonical text on one line; reading it gives the same tree.
    public var sourceText: String {
        var printer = Printer()
        printer.writeFlat(self)
        return String(decoding: printer.text, as: UTF8.self)
    }
}

extension String {
    /// As a string literal.
    var quoted: String {
        var text = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{08}": text += "\\b"
            case "\u{0C}": text += "\\f"
            case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value):
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
