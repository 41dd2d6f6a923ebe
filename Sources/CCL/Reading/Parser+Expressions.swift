internal import MeshCore

extension Parser {
    /// An object or an expression: an object is no operand, so that a block may follow a condition.
    mutating func value() throws(Fault) -> Expression {
        guard kind == .leftBrace else { return try expression() }
        let block = try block()
        height += 1
        return Expression(.object(block), block.range)
    }

    /// Operands joined by operators that bind at least as tightly as `minimum`.
    mutating func expression(_ minimum: Int = 1) throws(Fault) -> Expression {
        var left = try unary()
        guard var binary = kind.binary, binary.precedence >= minimum else { return left }
        var leftHeight = height
        var isTooHigh = false
        while true {
            let sign = index
            index += 1
            let right = try expression(binary.precedence + 1)
            if max(leftHeight, height) >= Limits.chainMax {
                // The rest is read and left out.
                if !isTooHigh { reportTooHigh(at: sign) }
                isTooHigh = true
            } else {
                left = Expression(.binary(binary, left, right), left.range.through(right.range))
                leftHeight = max(leftHeight, height) + 1
            }
            guard let next = kind.binary, next.precedence >= minimum else { break }
            if binary.precedence == 3, next.precedence == 3 {
                throw fault(
                    "comparisons do not follow each other", at: index,
                    hint: "join two comparisons with &&, or write parentheses")
            }
            binary = next
        }
        height = leftHeight
        return left
    }

    /// An operand with the signs before it.
    mutating func unary() throws(Fault) -> Expression {
        guard kind == .minus || kind == .not else { return try primary() }
        var signs: [Int] = []
        while kind == .not || kind == .minus && !beginsNegativeNumber {
            if signs.count <= Limits.chainMax { signs.append(index) }
            index += 1
        }
        var operand = try primary()
        for sign in signs.reversed() {
            guard height < Limits.chainMax else {
                reportTooHigh(at: sign)
                break
            }
            operand = Expression(
                .unary(tokens[sign].kind == .not ? .not : .negate, operand),
                SourceRange(tokens[sign].start, operand.range.end))
            height += 1
        }
        return operand
    }

    /// A minus belongs to the number directly behind it, which can then be the least one of all.
    private var beginsNegativeNumber: Bool {
        kind(1).isNumber && tokens[index + 1].offset == tokens[index].end
    }

    private mutating func primary() throws(Fault) -> Expression {
        let first = index
        height = 1
        switch kind {
        case .string:
            index += 1
            return Expression(.string(text(ofString: first)), range(first))
        case .integer, .decimal, .duration:
            index += 1
            return Expression(number(first, isNegative: false), range(first))
        case .minus where beginsNegativeNumber:
            index += 2
            return Expression(number(first + 1, isNegative: true), range(first).through(range(first + 1)))
        case .refused:
            index += 1
            return Expression(.name([name(first)]), range(first))
        case .word: return try word()
        case .leftBracket: return try list()
        case .leftParenthesis:
            outermost = outermost ?? first
            index += 1
            let value = try value()
            guard kind == .rightParenthesis else { throw unfinishedParentheses(first) }
            close(first)
            height += 1
            return Expression(.parenthesized(value), range(first).through(range(index - 1)))
        case .leftBrace:
            throw expected("a value", hint: "an object is no operand; it may stand in parentheses")
        default: throw expected("a value")
        }
    }

    /// Takes the bracket that closes the one at `opening`.
    private mutating func close(_ opening: Int) {
        index += 1
        if outermost == opening { outermost = nil }
    }

    private mutating func unfinishedParentheses(_ opening: Int) -> Fault {
        if kind == .equals { return expected("')'", hint: "write == to compare") }
        let isWord = kind == .word
        let hint =
            isWord ? conditionHint() : "the '(' in line \(tokens[opening].line) is not closed before this"
        return expected("')'", hint: hint)
    }

    /// A truth value, a dotted name or a call.
    private mutating func word() throws(Fault) -> Expression {
        let first = index
        index += 1
        switch bytes[Int(tokens[first].offset)] {
        case UInt8(ascii: "t") where isWord("true", at: first):
            return Expression(.boolean(true), range(first))
        case UInt8(ascii: "f") where isWord("false", at: first):
            return Expression(.boolean(false), range(first))
        default: break
        }
        if kind == .leftParenthesis {
            let call = try call(first)
            height += 1
            return Expression(.call(call), call.range)
        }
        var names = [name(first)]
        while kind == .dot {
            index += 1
            names.append(try word("a name behind '.'"))
        }
        if kind == .leftParenthesis {
            throw fault("a dotted name cannot be called", at: index, hint: "functions have one name")
        }
        return Expression(.name(names), SourceRange(tokens[first].start, previousEnd))
    }

    private mutating func list() throws(Fault) -> Expression {
        let first = index
        outermost = outermost ?? first
        index += 1
        var elements: [Expression] = []
        var highest = 0
        while kind != .rightBracket {
            elements.append(try value())
            highest = max(highest, height)
            if kind == .comma {
                index += 1
            } else if kind != .rightBracket {
                throw unfinished(first, closing: .rightBracket)
            }
        }
        close(first)
        height = highest + 1
        return Expression(.list(elements), SourceRange(tokens[first].start, previousEnd))
    }

    /// `(arguments)` of the call whose name has been taken.
    mutating func call(_ first: Int) throws(Fault) -> Call {
        let opening = index
        outermost = outermost ?? opening
        index += 1
        var arguments: [Call.Argument] = []
        var highest = 0
        while kind != .rightParenthesis {
            var label: Name?
            if kind == .word || kind == .string, kind(1) == .colon {
                if kind == .string {
                    throw fault(
                        "a label is a word", at: index,
                        hint: "write \(text(ofString: index).prefix(40)): value")
                }
                label = name(index)
                index += 2
            }
            arguments.append(Call.Argument(label: label, value: try value()))
            highest = max(highest, height)
            if kind == .comma {
                index += 1
            } else if kind != .rightParenthesis {
                throw unfinished(opening, closing: .rightParenthesis)
            }
        }
        close(opening)
        height = highest + 1
        return Call(
            name: name(first), arguments: arguments, range: SourceRange(tokens[first].start, previousEnd))
    }
}
