internal import MeshCore
/// MATCH, INSPECT and WALK.
extension Parser {
    /// Behind MATCH.
    mutating func match() throws(Reported) -> Statement.Kind {
        let pattern = try pattern()
        if let keyword = current.keyword, Self.perRow.contains(keyword) {
            return .matchMutate(pattern, try changesOfMatch())
        }
        return .match(try matchTail(pattern))
    }

    /// What MATCH may do for each row instead of returning it.
    private static let perRow: [Keyword] = [.spawn, .link, .unlink, .set, .kill, .walk]

    private mutating func changesOfMatch() throws(Reported) -> [Statement] {
        var statements: [Statement] = []
        while let keyword = current.keyword, Self.perRow.contains(keyword) {
            let start = advance()
            let kind = keyword == .walk ? .walk(try walk()) : try mutation(keyword)
            statements.append(Statement(kind, range(from: start)))
        }
        return statements
    }

    /// `MATCH … RETURN …` inside braces, with the word MATCH still ahead.
    mutating func matchInBraces() throws(Reported) -> MatchStatement {
        try expect(.match)
        let pattern = try pattern()
        return try matchTail(pattern)
    }

    /// From OPTIONAL MATCH or RETURN to the end.
    private mutating func matchTail(_ pattern: Pattern) throws(Reported) -> MatchStatement {
        var optionals: [Pattern] = []
        var condition: Expression?
        while current.keyword == .optional, peek(1).keyword == .match {
            if let own = condition, let last = optionals.popLast() {
                // Another OPTIONAL MATCH follows: the condition was the one's before it.
                optionals.append(
                    Pattern(elements: last.elements, condition: own, range: last.range.through(own.range)))
                condition = nil
            }
            advance()
            advance()
            optionals.append(try patternElements())
            if takes(.where) { condition = try expression() }
            if current.keyword == .where, let own = condition, let last = optionals.popLast() {
                // Two conditions: the optional part's, and that of the whole.
                optionals.append(
                    Pattern(elements: last.elements, condition: own, range: last.range.through(own.range)))
                advance()
                condition = try expression()
                break
            }
        }
        guard takes(.return) else {
            throw expected(
                optionals.isEmpty ? "RETURN, or a change such as SET" : "RETURN", near: Self.matchClauses)
        }
        let isDistinct = takes(.distinct)
        let projections = try projections()
        return MatchStatement(
            pattern: pattern, optionals: optionals, condition: condition, isDistinct: isDistinct,
            projections: projections, order: try order(), limit: takes(.limit) ? try expression() : nil,
            offset: takes(.offset) ? try expression() : nil)
    }

    private static let matchClauses = [
        "WHERE", "RETURN", "OPTIONAL", "SET", "KILL", "LINK", "UNLINK", "SPAWN",
    ]

    private mutating func order() throws(Reported) -> [MatchStatement.OrderKey] {
        guard current.keyword == .order, peek(1).keyword == .by else { return [] }
        advance()
        advance()
        return try list { parser throws(Reported) in
            let expression = try parser.expression()
            let isDescending = parser.takes(.desc)
            if !isDescending { _ = parser.takes(.asc) }
            return MatchStatement.OrderKey(expression: expression, isDescending: isDescending)
        }
    }

    // MARK: - What comes back

    /// `*`, or expressions with the names of their columns.
    mutating func projections() throws(Reported) -> [Projection] {
        try list { parser throws(Reported) in
            if parser.current.isSymbol(.star) { return .all(parser.advance().range) }
            let expression = try parser.expression()
            return .expression(expression, alias: parser.takes(.as) ? try parser.anyName("a name") : nil)
        }
    }

    mutating func returning() throws(Reported) -> [Projection]? {
        takes(.returning) ? try projections() : nil
    }

    /// Behind INSPECT.
    mutating func inspect() throws(Reported) -> Statement.Kind {
        guard let target = takesKey() else { throw expected("#id") }
        return .inspect(target, returning: takes(.return) ? try projections() : nil)
    }

    // MARK: - WALK

    /// Behind WALK, in either spelling.
    mutating func walk() throws(Reported) -> WalkStatement {
        try expect(.from)
        let start = try expression()
        try expect(.follow)
        var steps = [try step()]
        while takes(.comma) || takes(.bar) { steps.append(try step()) }
        let depths = try walkDepth()
        let until = takes(.until) ? try expression() : nil
        let collected = takes(.collect) ? try collectedParts() : nil
        return WalkStatement(
            start: start, steps: steps, minimumDepth: depths.0, maximumDepth: depths.1, until: until,
            result: try walkResult(collected: collected))
    }

    private mutating func step() throws(Reported) -> WalkStatement.Step {
        let edge = try qualifiedName("an edge")
        var direction = WalkStatement.Direction.forward
        if takes(.rightArrow) || takes(.outbound) {
            direction = .forward
        } else if takes(.inbound) {
            direction = .backward
        } else if takes(.any) {
            direction = .either
        } else if current.isSymbol(.less) {
            // Two signs, because `a <-1` compares in an expression.
            advance()
            if takes(.rightArrow) {
                direction = .either
            } else {
                guard takes(.minus) else { throw expected("'-' of '<-'") }
                direction = .backward
            }
        }
        return WalkStatement.Step(edge: edge, direction: direction)
    }

    /// `DEPTH 5`, `DEPTH 2..5`, `DEPTH 2..`, `[depth: 5]`: one number is the most.
    private mutating func walkDepth() throws(Reported) -> (Int, Int?) {
        let isBracketed = current.isSymbol(.leftBracket)
        if isBracketed {
            advance()
            try expect(.depth)
            try expect(.colon)
        } else if !takes(.depth) {
            return (1, nil)
        }
        let first = try count("a number of steps")
        var depths: (Int, Int?) = (1, first)
        if takes(.range) {
            if case .integer = current.kind {
                depths = (first, try count("a number of steps"))
            } else {
                depths = (first, nil)
            }
        }
        if isBracketed { try expect(.rightBracket) }
        return depths
    }

    private mutating func collectedParts() throws(Reported) -> [Token] {
        try list { parser throws(Reported) in
            guard let keyword = parser.current.keyword, [.nodes, .edges, .path].contains(keyword) else {
                throw parser.expected("nodes, edges or path", near: ["NODES", "EDGES", "PATH"])
            }
            return parser.advance()
        }
    }

    private mutating func walkResult(collected: [Token]?) throws(Reported) -> WalkStatement.Result {
        guard takes(.return) else {
            // COLLECT alone says what comes back.
            guard let collected else {
                throw expected("RETURN", near: ["RETURN", "UNTIL", "DEPTH", "COLLECT"])
            }
            if collected.count == 1 { return Self.result(collected[0].keyword) ?? .path }
            return .projections(
                collected.map { token in
                    .expression(Expression(.variable(token.word ?? ""), token.range), alias: nil)
                })
        }
        if current.keyword == .terminal, peek(1).keyword == .as || !continuesExpression(peek(1)) {
            advance()
            return .terminal(takes(.as) ? try name("a name") : nil)
        }
        // `RETURN nodes` is the nodes, `RETURN nodes, depth` a row of two columns.
        if let result = Self.result(current.keyword), !continuesExpression(peek(1)) {
            advance()
            return result
        }
        return .projections(try projections())
    }

    private static func result(_ keyword: Keyword?) -> WalkStatement.Result? {
        switch keyword {
        case .path: .path
        case .nodes: .nodes
        case .edges: .edges
        default: nil
        }
    }

    private func continuesExpression(_ token: Token) -> Bool {
        switch token.kind {
        case .symbol(.semicolon), .symbol(.rightBrace), .symbol(.rightParenthesis): false
        case .symbol: true
        case .word: [.as, .and, .or, .is, .in, .not].contains(token.keyword)
        default: false
        }
    }
}
