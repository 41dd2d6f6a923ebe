internal import MeshCore
/// Names, types and small literals, which every part of the grammar uses.
extension Parser {
    /// Whether a variable, type or edge may be named by this token.
    func isName(_ token: Token) -> Bool { token.isWord && token.keyword?.isReserved != true }

    /// A name that is no reserved word: of a variable, a declaration or a savepoint.
    mutating func name(_ what: String) throws(Reported) -> Name {
        guard let text = current.word, isName(current) else { throw expected(what) }
        return Name(text, advance().range)
    }

    /// A name in a place where nothing but a name can stand: of an attribute.
    mutating func anyName(_ what: String) throws(Reported) -> Name {
        guard let text = current.word else { throw expected(what) }
        return Name(text, advance().range)
    }

    /// `Name` or `Ontology::Name`.
    mutating func qualifiedName(_ what: String, allowsDots: Bool = false) throws(Reported) -> Name {
        var name = try name(what)
        while current.isSymbol(.doubleColon) || allowsDots && current.isSymbol(.dot) && peek(1).isWord {
            advance()
            let part = try self.name("a name")
            name = Name(name.text + "::" + part.text, name.range.through(part.range))
            // A name with many parts is a mistake, and each part costs a copy of the whole.
            if name.text.utf8.count > 1024 {
                throw fail(.tooLong, "this name is longer than 1024 bytes", at: name.range)
            }
        }
        return name
    }

    /// Things separated by commas, at least one.
    mutating func list<Value>(
        _ read: (inout Parser) throws(Reported) -> Value
    ) throws(Reported) -> [Value] {
        var values = [try read(&self)]
        while takes(.comma) { values.append(try read(&self)) }
        return values
    }

    mutating func string(_ what: String) throws(Reported) -> String {
        guard case .string(let text) = current.kind else { throw expected(what) }
        advance()
        return text
    }

    /// A whole number with or without a minus.
    mutating func integer(_ what: String) throws(Reported) -> Int64 {
        let start = current
        let isNegative = takes(.minus)
        guard case .integer(let magnitude) = current.kind else { throw expected(what) }
        advance()
        guard let value = Int64(magnitude: magnitude, isNegative: isNegative) else {
            throw fail(
                .invalidNumber, "this number is beyond what 64 bits hold", at: range(from: start),
                hint: "the largest is 9223372036854775807")
        }
        return value
    }

    /// A count: never negative.
    mutating func count(_ what: String) throws(Reported) -> Int {
        guard case .integer(let magnitude) = current.kind, let value = Int(exactly: magnitude) else {
            throw expected(what)
        }
        advance()
        return value
    }

    // MARK: - Types

    /// `A | B?`, `String[]`, `edge<any>`.
    mutating func type() throws(Reported) -> TypeExpression {
        let start = current
        var members = [try suffixedType()]
        while takes(.bar) { members.append(try suffixedType()) }
        return members.count == 1
            ? members[0] : TypeExpression(.union(members), range(from: start))
    }

    private mutating func suffixedType() throws(Reported) -> TypeExpression {
        let start = current
        var type = try primaryType()
        var suffixes = 0
        while true {
            try checkDepth(adding: suffixes)
            if takes(.question) || takes(.coalesce) {
                // What is optional twice is optional.
                if case .optional = type.kind { continue }
                type = TypeExpression(.optional(type), range(from: start))
            } else if current.isSymbol(.leftBracket), peek(1).isSymbol(.rightBracket) {
                advance()
                advance()
                type = TypeExpression(.list(type), range(from: start))
            } else {
                return type
            }
            suffixes += 1
        }
    }

    /// A type that needs no parentheses: what may follow the colon of `x:Type` in an expression.
    mutating func primaryType(allowsDots: Bool = true) throws(Reported) -> TypeExpression {
        let start = current
        // The type was forgotten, and the next declaration is none.
        if start.startsLine, beginsDeclaration { throw expected("a type") }
        if takes(.leftParenthesis) {
            let type = try nested { parser throws(Reported) in try parser.type() }
            try expect(.rightParenthesis)
            return TypeExpression(type.kind, range(from: start))
        }
        if current.keyword == .any {
            advance()
            return TypeExpression(.any, range(from: start))
        }
        if current.keyword == .edge, peek(1).isSymbol(.less) {
            advance()
            advance()
            let edge = takes(.any) ? nil : try qualifiedName("the name of an edge, or any").text
            try expect(.greater)
            return TypeExpression(.edge(edge), range(from: start))
        }
        let name = try qualifiedName("a type", allowsDots: allowsDots)
        return TypeExpression(.named(name.text), name.range)
    }
}

extension Int64 {
    /// `nil` when 64 bits do not hold it.
    init?(magnitude: UInt64, isNegative: Bool) {
        if isNegative {
            guard magnitude <= 1 << 63 else { return nil }
            self = Int64(bitPattern: ~magnitude &+ 1)
        } else {
            guard let value = Int64(exactly: magnitude) else { return nil }
            self = value
        }
    }
}
