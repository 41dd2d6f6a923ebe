internal import MeshCore
/// Attributes of nodes and edges, and the modifiers in brackets.
extension Parser {
    /// Behind the opening brace, up to and with the closing one.
    mutating func attributeDeclarations() throws(Reported) -> [AttributeDeclaration] {
        var attributes: [AttributeDeclaration] = []
        while !takes(.rightBrace) {
            attributes.append(try attributeDeclaration())
            while takes(.comma) || takes(.semicolon) {}
        }
        return attributes
    }

    /// `name: Type [modifiers] = default`.
    private mutating func attributeDeclaration() throws(Reported) -> AttributeDeclaration {
        let documentation = current.documentation?.text
        let name = try anyName("an attribute or '}'")
        try expect(.colon)
        let type = try type()
        var modifiers = try attributeModifiers()
        var defaultValue: Expression?
        if takes(.equal) {
            defaultValue = try expression()
            modifiers += try attributeModifiers()
        }
        return AttributeDeclaration(
            name: name, type: type, modifiers: modifiers, defaultValue: defaultValue,
            documentation: documentation)
    }

    /// Any number of brackets.
    mutating func attributeModifiers() throws(Reported) -> [AttributeModifier] {
        var modifiers: [AttributeModifier] = []
        while !beginsDeclaration, takes(.leftBracket) {
            modifiers += try list { parser throws(Reported) in
                let start = parser.current
                let kind = try parser.attributeModifier()
                return AttributeModifier(kind, parser.range(from: start))
            }
            try expect(.rightBracket)
        }
        return modifiers
    }

    private static let attributeModifierWords = [
        "required", "unique", "readonly", "indexed", "in", "format", "match", "length",
    ]

    private mutating func attributeModifier() throws(Reported) -> AttributeModifier.Kind {
        if case .symbol(let symbol) = current.kind, let order = BinaryOperator(rawValue: symbol.rawValue),
            [.less, .greater, .lessOrEqual, .greaterOrEqual].contains(order)
        {
            advance()
            return .bound(order, try expression())
        }
        guard let word = current.word?.lowercased() else {
            let (low, high) = try bounds()
            return .between(low, high)
        }
        guard Self.attributeModifierWords.contains(word) else {
            throw expected(
                "a modifier", near: Self.attributeModifierWords,
                hint: "one of \(Self.attributeModifierWords.joined(separator: ", ")), a bound or a range")
        }
        advance()
        switch word {
        case "required": return .required
        case "unique": return .unique
        case "readonly": return .readonly
        case "indexed":
            guard takes(.colon) else { return .indexed(descending: false) }
            if takes(.desc) { return .indexed(descending: true) }
            guard takes(.asc) else { throw expected("asc or desc", near: ["asc", "desc"]) }
            return .indexed(descending: false)
        default: break
        }
        try expect(.colon)
        switch word {
        case "in":
            try expect(.leftBracket)
            let values = try list { parser throws(Reported) in try parser.expression() }
            try expect(.rightBracket)
            return .oneOf(values)
        case "format": return .format(try anyName("the name of a format").text)
        case "match": return .matches(try string("a regular expression in quotation marks"))
        default:
            let (low, high) = try bounds()
            return .length(low, high)
        }
    }

    /// `0..100`.
    private mutating func bounds() throws(Reported) -> (Int64, Int64) {
        let low = try integer("a modifier or a whole number")
        guard takes(.range) else { throw expected("'..'") }
        return (low, try integer("a whole number"))
    }

    // MARK: - Edges

    private static let edgeModifierWords = [
        "symmetric", "no_self", "acyclic", "unique", "indexed", "on_kill_source", "on_kill_target",
    ]

    mutating func edgeModifiers() throws(Reported) -> [EdgeModifier] {
        var modifiers: [EdgeModifier] = []
        while !beginsDeclaration, takes(.leftBracket) {
            modifiers += try list { parser throws(Reported) in
                let start = parser.current
                let kind = try parser.edgeModifier()
                return EdgeModifier(kind, parser.range(from: start))
            }
            try expect(.rightBracket)
        }
        return modifiers
    }

    private mutating func edgeModifier() throws(Reported) -> EdgeModifier.Kind {
        if current.isWord, peek(1).isSymbol(.rightArrow) {
            let name = try anyName("a parameter")
            advance()
            let (minimum, maximum) = try cardinality()
            return .cardinality(name, minimum: minimum, maximum: maximum)
        }
        guard let word = current.word?.lowercased(), Self.edgeModifierWords.contains(word) else {
            throw expected(
                "a modifier", near: Self.edgeModifierWords,
                hint: "one of \(Self.edgeModifierWords.joined(separator: ", ")), or parameter -> 0..1")
        }
        advance()
        switch word {
        case "symmetric": return .symmetric
        case "no_self": return .noSelf
        case "acyclic": return .acyclic
        case "unique": return .unique
        case "indexed": return .indexed
        case "on_kill_source": return .onKillSource(try referentialAction())
        default: return .onKillTarget(try referentialAction())
        }
    }

    private mutating func referentialAction() throws(Reported) -> EdgeModifier.ReferentialAction {
        try expect(.colon)
        let names = EdgeModifier.ReferentialAction.allCases.map(\.rawValue)
        guard let word = current.word?.lowercased(),
            let action = EdgeModifier.ReferentialAction(rawValue: word)
        else { throw expected("cascade, unlink or prevent", near: names) }
        advance()
        return action
    }

    /// `1`, `0..1`, `1..*` or `*`.
    private mutating func cardinality() throws(Reported) -> (Int, Int?) {
        if takes(.star) { return (0, nil) }
        let minimum = try count("a number of edges")
        guard takes(.range) else { return (minimum, minimum) }
        return (minimum, takes(.star) ? nil : try count("a number of edges, or *"))
    }
}
