internal import MeshCore
/// SPAWN, LINK, UNLINK, SET and KILL.
extension Parser {
    /// Behind `keyword`.
    mutating func mutation(_ keyword: Keyword) throws(Reported) -> Statement.Kind {
        switch keyword {
        case .spawn:
            let items = try list { parser throws(Reported) in try parser.spawnItem() }
            return .spawn(items, returning: try returning())
        case .link: return .link(try link())
        case .unlink: return try unlink()
        case .set: return try set()
        default: return try kill()
        }
    }

    // MARK: - SPAWN

    /// `x: Type { … }`, `#key: Type { … } AS x`, `Type { … } AS x`.
    private mutating func spawnItem() throws(Reported) -> SpawnItem {
        let start = current
        var variable: Name?
        let key = takesKey()
        if key != nil {
            try expect(.colon)
        } else if isName(current), peek(1).isSymbol(.colon) {
            variable = try name("a variable")
            advance()
        } else if isName(current), !peek(1).isSymbol(.leftBrace), !peek(1).isSymbol(.doubleColon),
            !peek(1).isSymbol(.dot), peek(1).keyword != .as
        {
            advance()
            throw expected("':' and a type")
        }
        return try spawnItem(variable: variable, key: key, from: start)
    }

    /// From the type on.
    private mutating func spawnItem(
        variable: Name?, key: Name?, from start: Token
    ) throws(Reported) -> SpawnItem {
        let type = try qualifiedName(
            variable == nil && key == nil ? "a variable, ':' and a type" : "a type", allowsDots: true)
        let attributes = try optionalAttributes()
        var variable = variable
        if variable == nil, takes(.as) { variable = try name("a variable") }
        return SpawnItem(
            variable: variable, key: key, type: type, attributes: attributes, range: range(from: start))
    }

    // MARK: - Targets

    /// `#id`, a variable, `$parameter`, or `{ MATCH … }`.
    mutating func entityTarget() throws(Reported) -> EntityTarget {
        let token = current
        switch token.kind {
        case .reference(let text):
            advance()
            return .reference(Name(text, token.range))
        case .parameter(let text, isOptional: false):
            advance()
            return .parameter(Name(text, token.range))
        case .symbol(.leftBrace):
            advance()
            let match = try matchInBraces()
            try expect(.rightBrace)
            return .match(match, range(from: token))
        case .word where isName(token): return .variable(try name("a variable"))
        default: throw expected("#id, a variable, $parameter or { MATCH … }")
        }
    }

    // MARK: - LINK

    private mutating func link() throws(Reported) -> LinkStatement {
        var ifNotExists = false
        if current.keyword == .if, peek(1).keyword == .not {
            advance()
            advance()
            try expect(.exists)
            ifNotExists = true
        }
        let edge = try qualifiedName("an edge")
        try expect(.leftParenthesis)
        let targets = try list { parser throws(Reported) in try parser.linkTarget() }
        try expect(.rightParenthesis)
        let variable = takes(.as) ? try name("a variable") : nil
        let attributes = try optionalAttributes()
        return LinkStatement(
            ifNotExists: ifNotExists, edge: edge, targets: targets, variable: variable,
            attributes: attributes, returning: try returning())
    }

    private mutating func linkTarget() throws(Reported) -> LinkStatement.Target {
        let next = peek(1)
        guard current.keyword == .spawn, !next.isSymbol(.comma), !next.isSymbol(.rightParenthesis) else {
            return .entity(try entityTarget())
        }
        advance()
        return .spawn(try spawnItem())
    }

    // MARK: - UNLINK, SET, KILL

    private mutating func unlink() throws(Reported) -> Statement.Kind {
        let target: UnlinkTarget
        if isName(current), peek(1).isSymbol(.leftParenthesis) || peek(1).isSymbol(.doubleColon) {
            let edge = try qualifiedName("an edge")
            try expect(.leftParenthesis)
            target = .pattern(edge: edge, targets: try patternTargets())
        } else {
            target = .entity(try entityTarget())
        }
        return .unlink(target, returning: try returning())
    }

    private mutating func set() throws(Reported) -> Statement.Kind {
        let start = current
        let target = try entityTarget()
        if current.isSymbol(.leftBrace) {
            return .set(target, try attributes(), returning: try returning())
        }
        var assignments = [try assignment()]
        while current.isSymbol(.comma), peek(1).kind == start.kind, peek(2).isSymbol(.dot) {
            advance()
            advance()
            assignments.append(try assignment())
        }
        if current.isSymbol(.comma) {
            throw fail(
                .unexpectedToken, "one SET changes one entity", hint: "write another SET for the next one")
        }
        return .set(target, assignments, returning: try returning())
    }

    /// `.name = value`.
    mutating func assignment() throws(Reported) -> AttributeAssignment {
        guard takes(.dot) else { throw expected("'.' and an attribute, or '{'") }
        let attribute = try anyName("the name of an attribute")
        try expect(.equal)
        return AttributeAssignment(attribute: attribute, value: try expression())
    }

    private mutating func kill() throws(Reported) -> Statement.Kind {
        let target = try entityTarget()
        var mode = KillMode.declared
        if takes(.cascade) {
            mode = .cascade
        } else if current.keyword == .no, peek(1).keyword == .cascade {
            advance()
            advance()
            mode = .noCascade
        }
        return .kill(target, mode, returning: try returning())
    }
}
