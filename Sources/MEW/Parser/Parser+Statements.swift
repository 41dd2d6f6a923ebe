internal import MeshCore
/// A program's statements, and going on behind a fault.
extension Parser {
    mutating func statements() -> [Statement] {
        var statements: [Statement] = []
        while true {
            while takes(.semicolon) {}
            guard current.kind != .end, !hasEnoughDiagnostics else { return statements }
            let start = current
            do throws(Reported) {
                statements.append(try topLevel())
                try endOfStatement()
            } catch {
                recover(from: start)
            }
        }
    }

    /// A statement, or consecutive declarations, which are one anonymous ontology together.
    private mutating func topLevel() throws(Reported) -> Statement {
        guard beginsDeclaration else { return try statement() }
        let start = current
        if start.keyword == .ontology { return try statement() }
        let ontology = bareDeclarations(stopsAtOntology: true)
        return Statement(.loadOntology(ontology), ontology.range)
    }

    private mutating func endOfStatement() throws(Reported) {
        if takes(.semicolon) || current.kind == .end || beginsDeclaration || beginsStatement { return }
        // An instance may leave out its braces.
        if current.startsLine, isNamedInstance { return }
        throw expected("';' or a statement", near: Keyword.clauseWords + Keyword.statementWords)
    }

    /// Goes on behind the next `;`, or where a line begins with a statement or a declaration.
    private mutating func recover(from start: Token) {
        openBraces = 0
        // A fault in the first token must not be met again.
        if current.range.start == start.range.start, current.kind != .end { advance() }
        while current.kind != .end {
            if takes(.semicolon) { return }
            if current.startsLine, beginsStatement || beginsDeclaration { return }
            advance()
        }
    }

    /// Whether the token at hand begins a statement: its keyword, or a bare instance.
    var beginsStatement: Bool {
        if beginsInstance { return true }
        guard let keyword = current.keyword, keyword.startsStatement || keyword.isUnsupportedStatement else {
            return false
        }
        switch peek(1).kind {
        // An attribute by the name of a statement.
        case .symbol(.equal), .symbol(.colon), .symbol(.dot): return false
        default: return true
        }
    }

    /// `Type {`, `name: Type {`, `#key: Type {`, `edge(`.
    private var beginsInstance: Bool {
        if case .reference = current.kind { return peek(1).isSymbol(.colon) }
        guard isName(current) else { return false }
        if peek(1).isSymbol(.colon) { return peek(2).isWord && peek(3).isSymbol(.leftBrace) }
        if peek(1).isSymbol(.doubleColon) { return true }
        guard current.keyword?.startsStatement != true, !beginsDeclaration else { return false }
        return peek(1).isSymbol(.leftBrace) || peek(1).isSymbol(.leftParenthesis)
    }

    // MARK: - One statement

    mutating func statement() throws(Reported) -> Statement {
        let start = current
        let kind: Statement.Kind
        if start.keyword == .ontology, beginsDeclaration {
            let ontology = try wrappedOntology()
            return Statement(.loadOntology(ontology), ontology.range)
        }
        if isNamedInstance || beginsInstance && current.keyword?.startsStatement != true {
            kind = try instance()
        } else if let keyword = current.keyword, keyword.startsStatement || keyword.isUnsupportedStatement {
            advance()
            kind = try statement(keyword)
        } else {
            throw expected("a statement", near: Keyword.statementWords)
        }
        return Statement(kind, range(from: start))
    }

    /// No statement has a colon behind its first word.
    private var isNamedInstance: Bool { isName(current) && peek(1).isSymbol(.colon) }

    /// Behind `keyword`.
    private mutating func statement(_ keyword: Keyword) throws(Reported) -> Statement.Kind {
        switch keyword {
        case .match: return try match()
        case .spawn, .link, .unlink, .set, .kill: return try mutation(keyword)
        case .inspect: return try inspect()
        case .walk: return .walk(try walk())
        case .begin, .commit, .rollback, .savepoint, .end, .trigger: return try control(keyword)
        case .load, .extend, .show, .create, .drop: return try administration(keyword)
        case .explain, .profile:
            let inner = try nested { parser throws(Reported) in try parser.statement() }
            return keyword == .explain ? .explain(inner) : .profile(inner)
        case .watch: return .watch(try watch())
        case .ack, .nack: return try acknowledgement(isNegative: keyword == .nack)
        case .pause, .resume, .cancel: return try watchManagement(keyword)
        case .alter: return try alterWatch()
        default: return unsupported(keyword.text)
        }
    }

    /// Passes over what belongs to a statement that is refused by name.
    mutating func unsupported(_ name: String) -> Statement.Kind {
        while current.kind != .end, !current.isSymbol(.semicolon) {
            if current.startsLine, beginsStatement || beginsDeclaration { break }
            advance()
        }
        return .unsupported(name)
    }

    // MARK: - Bare instances

    private mutating func instance() throws(Reported) -> Statement.Kind {
        let start = current
        if current.isWord, !peek(1).isSymbol(.colon) {
            let name = try qualifiedName("a type or an edge")
            if takes(.leftParenthesis) {
                let targets = try patternTargets()
                return .edgeInstance(edge: name, targets: targets, attributes: try optionalAttributes())
            }
            guard current.isSymbol(.leftBrace) else { throw expected("'{' or '('") }
            let attributes = try attributes()
            return .instance(
                SpawnItem(
                    variable: nil, key: nil, type: name, attributes: attributes, range: range(from: start)))
        }
        var variable: Name?
        let key = takesKey()
        if key == nil { variable = try name("a variable") }
        try expect(.colon)
        let type = try qualifiedName("a type", allowsDots: true)
        let attributes = try optionalAttributes()
        return .instance(
            SpawnItem(
                variable: variable, key: key, type: type, attributes: attributes, range: range(from: start)))
    }

    /// `#key`, if it stands here.
    mutating func takesKey() -> Name? {
        guard case .reference(let text) = current.kind else { return nil }
        return Name(text, advance().range)
    }

    // MARK: - Attribute blocks

    mutating func optionalAttributes() throws(Reported) -> [AttributeAssignment] {
        current.isSymbol(.leftBrace) ? try attributes() : []
    }

    /// `{ name = value, other = value }`, with or without the commas.
    mutating func attributes() throws(Reported) -> [AttributeAssignment] {
        try expect(.leftBrace)
        var assignments: [AttributeAssignment] = []
        while !takes(.rightBrace) {
            // The brace was forgotten, and a line begins with the next statement.
            if current.startsLine, current.keyword?.startsStatement == true, beginsStatement {
                throw expected("an attribute or '}'")
            }
            let name = try anyName("an attribute or '}'")
            guard takes(.equal) else {
                throw expected(
                    "'='", hint: current.isSymbol(.colon) ? "attributes are given by =: \(name) = …" : nil)
            }
            assignments.append(AttributeAssignment(attribute: name, value: try expression()))
            _ = takes(.comma)
        }
        return assignments
    }
}
