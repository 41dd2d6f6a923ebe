internal import MeshCore
/// Patterns: nodes and edges that must hold together.
extension Parser {
    /// Elements, and the WHERE behind them.
    mutating func pattern() throws(Reported) -> Pattern {
        let elements = try patternElements()
        height = 0
        guard takes(.where) else { return elements }
        let condition = try expression()
        return Pattern(
            elements: elements.elements, condition: condition, range: range(from: elements.range.start))
    }

    /// Elements alone.
    mutating func patternElements() throws(Reported) -> Pattern {
        let start = current
        let elements = try list { parser throws(Reported) in try parser.patternElement() }
        return Pattern(elements: elements, condition: nil, range: range(from: start))
    }

    mutating func patternElement() throws(Reported) -> PatternElement {
        guard isName(current) else {
            throw expected("a variable or an edge", hint: "write p: Person, or knows(p, q)")
        }
        if peek(1).isSymbol(.colon) {
            let variable = try name("a variable")
            advance()
            return .node(NodePattern(variable: variable, type: try type()))
        }
        return .edge(try edgePattern())
    }

    private mutating func edgePattern() throws(Reported) -> EdgePattern {
        let start = current
        let edge = try qualifiedName("an edge")
        var repetition = EdgePattern.Repetition.once
        if takes(.plus) {
            repetition = .oneOrMore
        } else if takes(.star) {
            repetition = .zeroOrMore
        }
        guard takes(.leftParenthesis) else {
            throw expected(
                repetition == .once ? "':' and a type, or '(' and what the edge joins" : "'('")
        }
        let targets = try patternTargets()
        var depth: Int?
        if current.isSymbol(.leftBracket), peek(1).keyword == .depth, peek(2).isSymbol(.colon) {
            guard repetition != .once else {
                throw fail(
                    .unexpectedToken, "only a repeated edge has a depth", at: peek(1).range,
                    hint: "write \(edge.text)+(…) or \(edge.text)*(…)")
            }
            for _ in 0..<3 { advance() }
            depth = try count("a number of steps")
            try expect(.rightBracket)
        }
        let variable = takes(.as) ? try name("a variable") : nil
        return EdgePattern(
            edge: edge, repetition: repetition, targets: targets, depth: depth, variable: variable,
            range: range(from: start))
    }

    /// Behind the opening parenthesis.
    mutating func patternTargets() throws(Reported) -> [PatternTarget] {
        let targets = try list { parser throws(Reported) in try parser.patternTarget() }
        try expect(.rightParenthesis)
        return targets
    }

    mutating func patternTarget() throws(Reported) -> PatternTarget {
        let token = current
        switch token.kind {
        case .word("_"):
            advance()
            return .anything(token.range)
        case .word where isName(token): return .variable(try name("a variable"))
        case .reference(let text):
            advance()
            return .reference(Name(text, token.range))
        case .parameter(let text, isOptional: false):
            advance()
            return .parameter(Name(text, token.range))
        default: throw expected("a variable, _, #id or $parameter")
        }
    }
}
