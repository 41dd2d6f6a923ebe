internal import MeshCore

extension Parser {
    /// The words that open a statement.
    enum Keyword { case function, on, `if`, `else`, `for`, `let`, `return` }

    /// The keyword at `index`; `nil` for a name, which such a word is too where no such statement can follow.
    func keyword(at index: Int) -> Keyword? {
        let token = tokens[index]
        guard token.kind == .word else { return nil }
        let next = index + 1 < tokens.count ? tokens[index + 1].kind : .end
        switch bytes[Int(token.offset)] {
        case UInt8(ascii: "i"):
            return isWord("if", at: index) && !next.isBehindName ? .if : nil
        case UInt8(ascii: "e"):
            return isWord("else", at: index) && !next.isBehindName ? .else : nil
        case UInt8(ascii: "r"):
            return isWord("return", at: index) && next != .colon && next != .equals ? .return : nil
        case UInt8(ascii: "l"):
            return isWord("let", at: index) && next == .word ? .let : nil
        case UInt8(ascii: "f"):
            if isWord("function", at: index) { return next == .word ? .function : nil }
            guard isWord("for", at: index) else { return nil }
            return next == .leftParenthesis || next == .word && isWord("in", at: index + 2) ? .for : nil
        case UInt8(ascii: "o"):
            guard isWord("on", at: index), next == .word || next == .string else { return nil }
            return tokens[index + 2].kind == .leftBrace ? .on : nil
        default: return nil
        }
    }

    /// `if condition { … } else if … else { … }`, read in a loop and built from its end.
    mutating func conditional() throws(Fault) -> Statement {
        struct Link {
            let start: SourcePosition
            let condition: Expression
            let then: Block
            let height: Int
        }
        var links: [Link] = []
        var otherwise: Block?
        var otherwiseHeight = 0
        while true {
            let first = index
            index += 1
            let condition = try header(
                first, missing: "the condition of this 'if' is missing", hint: "write if condition { … }")
            let conditionHeight = height
            let then = try block()
            if links.count <= Limits.chainMax {
                links.append(
                    Link(
                        start: tokens[first].start, condition: condition, then: then,
                        height: max(conditionHeight, height)))
                // The rest is read and left out.
                if links.count > Limits.chainMax { reportTooHigh(at: first) }
            }
            guard keyword(at: index) == .else else { break }
            index += 1
            guard keyword(at: index) != .if else { continue }
            guard kind == .leftBrace else {
                throw expected("'{' or 'if'", hint: "what is to be done stands in { … }")
            }
            otherwise = try block()
            otherwiseHeight = height
            break
        }
        let end = previousEnd
        var statement: Statement?
        var isTooHigh = links.count > Limits.chainMax
        for link in links.reversed() {
            if let inner = statement {
                if height >= Limits.chainMax {
                    if !isTooHigh { reportTooHigh(at: index - 1) }
                    isTooHigh = true
                    otherwiseHeight = 0
                } else {
                    otherwise = Block([inner], inner.range)
                    otherwiseHeight = height
                }
            }
            statement = Statement(
                .conditional(
                    Conditional(
                        condition: link.condition, then: link.then, otherwise: otherwise,
                        isChain: statement != nil && otherwise != nil)),
                SourceRange(link.start, end))
            height = max(link.height, otherwiseHeight) + 1
            otherwise = nil
        }
        guard let statement else { throw Fault() }
        return statement
    }

    /// The expression before the block of the statement at `first`; where it has a fault, the block is read all the
    /// same.
    private mutating func header(
        _ first: Int, missing: String, hint: String
    ) throws(Fault) -> Expression {
        do throws(Fault) {
            if kind == .leftBrace { throw fault(missing, at: first, hint: hint) }
            let value = try expression()
            if kind != .leftBrace { throw expected("'{'", hint: conditionHint()) }
            return value
        } catch {
            guard recoverAtBlock() else { throw error }
            height = 1
            return Expression(.name([Name("", range(first))]), range(first))
        }
    }

    /// Reads `for name in sequence { … }`.
    mutating func loop() throws(Fault) -> Statement {
        let first = index
        guard kind(1) == .word else {
            let fault = fault(
                "expected a name behind 'for', found '('", at: index + 1,
                hint: "write for name in list { … } or for i in range(a, b) { … }")
            // The semicolons in it are not the ends of statements.
            repeat {
                index += 1
            } while kind != .leftBrace && kind != .rightBrace && kind != .end
                && !tokens[index].startsLine
            throw fault
        }
        let variable = name(index + 1)
        refuseReserved(index + 1)
        index += 3
        let sequence = try header(
            first, missing: "what this 'for' goes through is missing", hint: "write a list or range(a, b)")
        let sequenceHeight = height
        let body = try block()
        height = max(height, sequenceHeight) + 1
        return Statement(.loop(variable, sequence, body), SourceRange(tokens[first].start, body.range.end))
    }

    /// Reads `let name: type = value`.
    mutating func binding() throws(Fault) -> Statement {
        let start = tokens[index].start
        let variable = name(index + 1)
        refuseReserved(index + 1)
        index += 2
        var type: Name?
        if kind == .colon {
            index += 1
            type = try word("a type")
        }
        guard kind == .equals else {
            throw expected("'='", hint: kind == .equal ? "write = to bind" : "write let name = value")
        }
        index += 1
        let value = try value()
        height += 1
        return Statement(.binding(variable, type: type, value), SourceRange(start, value.range.end))
    }

    /// `return value`, the value on the same line.
    mutating func result() throws(Fault) -> Statement {
        let first = index
        index += 1
        let token = tokens[index]
        height = 1
        guard !token.startsLine else { return Statement(.result(nil), range(first)) }
        switch token.kind {
        case .semicolon, .comma, .rightBrace, .end: return Statement(.result(nil), range(first))
        default: break
        }
        let value = try value()
        height += 1
        return Statement(.result(value), SourceRange(tokens[first].start, value.range.end))
    }

    /// Reads `function name(a: type, b): type { … }`.
    mutating func function() throws(Fault) -> Statement {
        let first = index
        let name = name(index + 1)
        refuseReserved(index + 1)
        index += 2
        var parameters: [FunctionDeclaration.Parameter] = []
        var result: Name?
        do throws(Fault) {
            parameters = try self.parameters()
            if kind == .colon {
                index += 1
                result = try word("a type")
            }
            if kind != .leftBrace {
                throw expected("'{'", hint: kind == .minus ? "write : before the type of the result" : nil)
            }
        } catch {
            guard recoverAtBlock() else { throw error }
        }
        let body = try block()
        height += 1
        return Statement(
            .function(FunctionDeclaration(name: name, parameters: parameters, result: result, body: body)),
            SourceRange(tokens[first].start, body.range.end))
    }

    private mutating func parameters() throws(Fault) -> [FunctionDeclaration.Parameter] {
        guard kind == .leftParenthesis else { throw expected("'(' and the parameters") }
        let opening = index
        outermost = opening
        index += 1
        var parameters: [FunctionDeclaration.Parameter] = []
        while kind != .rightParenthesis {
            refuseReserved(index)
            let name = try word("a parameter")
            var type: Name?
            if kind == .colon {
                index += 1
                type = try word("a type")
            }
            parameters.append(FunctionDeclaration.Parameter(name: name, type: type))
            if kind == .comma {
                index += 1
            } else if kind != .rightParenthesis {
                throw unfinished(opening, closing: .rightParenthesis)
            }
        }
        index += 1
        outermost = nil
        return parameters
    }

    /// Reads `on "event" { … }`.
    mutating func handler() throws(Fault) -> Statement {
        let first = index
        let event = name(index + 1)
        index += 2
        let body = try block()
        height += 1
        return Statement(
            .handler(event: event, body), SourceRange(tokens[first].start, body.range.end))
    }

    mutating func word(_ what: String) throws(Fault) -> Name {
        guard kind == .word else { throw expected(what) }
        index += 1
        return name(index - 1)
    }

    /// Reports a name that could never be read again.
    private mutating func refuseReserved(_ index: Int) {
        guard isTruth(index) else { return }
        report(.unexpectedToken, "'\(spelling(index))' is a value and no name", at: index)
    }

    mutating func reportTooHigh(at index: Int) {
        report(
            .nestedTooDeeply, "more than \(Limits.chainMax) operators or branches build on each other here",
            at: index,
            hint: "bind parts of it with let, or put them into functions")
    }
}

extension Token.Kind {
    var isNumber: Bool { self == .integer || self == .decimal || self == .duration }

    /// Behind a word it shows that the word is a name, even where it is spelled like a keyword.
    var isBehindName: Bool {
        switch self {
        case .colon, .equals, .semicolon, .comma, .rightBrace, .rightBracket, .rightParenthesis, .end: true
        default: false
        }
    }
}
