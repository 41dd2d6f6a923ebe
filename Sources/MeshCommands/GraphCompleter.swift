/// Knows what may stand where the cursor is, of keywords and of what a schema declares.
struct GraphCompleter {
    var catalog: GraphCatalog

    static let keywords = [
        "ABSTRACT", "ACK", "ALTER", "AND", "AS", "ASC", "BEGIN", "BY", "CANCEL", "CASCADE", "COLLECT",
        "COMMIT",
        "CONSTRAINT", "COUNT", "CREATE", "CREATED", "DEPTH", "DESC", "DISTINCT", "DROP", "EDGE", "EDGES",
        "EXISTS", "EXPLAIN", "EXTEND", "FALSE", "FOLLOW", "FROM", "IF", "INDEX", "INDEXES", "INSPECT", "IS",
        "KILL", "LIMIT", "LINK", "LOAD", "MATCH", "NACK", "NODE", "NODES", "NOT", "NULL", "OFFSET", "ON",
        "ONTOLOGY", "OPTIONAL", "OR", "ORDER", "PATH", "PAUSE", "POLICY", "PROFILE", "RESUME", "RETURN",
        "RETURNING", "ROLLBACK", "RULE", "RULES", "SAVEPOINT", "SERIALIZABLE", "SET", "SHOW", "SPAWN",
        "STATISTICS", "STATUS", "TERMINAL", "TO", "TRIGGER", "TRUE", "TYPE", "TYPES", "UNLINK", "UNTIL",
        "WALK",
        "WATCH", "WHERE",
    ]

    static let scalars = ["Bool", "Bytes", "Duration", "Float", "Hash", "ID", "Int", "String", "Timestamp"]

    /// What may replace the word that `text` ends with.
    func complete(_ text: String) -> LineEditor.Completion {
        if text.first == "\\", !text.contains(where: \.isWhitespace) {
            return completion(of: text, among: ShellCommand.allCases.map { "\\" + $0.rawValue })
        }
        let word = String(text.reversed().prefix(while: \.isWordPart).reversed())
        let before = text.dropLast(word.count)
        // Nothing is known of what stands in quotes, or of ids.
        let script = ScriptText(String(before))
        if script.isOpen { return LineEditor.Completion(replaced: 0, candidates: []) }
        switch before.last(where: { !$0.isWhitespace }) {
        case "#" where before.last == "#", "$" where before.last == "$":
            return LineEditor.Completion(replaced: 0, candidates: [])
        case "." where before.last == ".":
            return completion(of: word, among: attributes(of: variable(before: script), in: script))
        case ":": return completion(of: word, among: catalog.types.map(\.name) + Self.scalars)
        default: break
        }
        if let type = openBlock(script) { return completion(of: word, among: attributes(of: type)) }
        if let last = script.tokens.last?.keyword, ["LINK", "UNLINK", "FOLLOW", "EDGE"].contains(last) {
            return completion(of: word, among: catalog.edges.map(\.name))
        }
        // As the user writes: keywords in small letters where the word is.
        let isSmall = word.contains(where: \.isLowercase) && !word.contains(where: \.isUppercase)
        let keywords = isSmall ? Self.keywords.map { $0.lowercased() } : Self.keywords
        return completion(
            of: word, among: keywords + (catalog.types + catalog.edges).map(\.name))
    }

    private func completion(of word: String, among all: [String]) -> LineEditor.Completion {
        LineEditor.Completion(
            replaced: word.count, candidates: Set(all).filter { $0.hasPrefix(word) }.sorted())
    }

    /// The name before the dot that the text ends with.
    private func variable(before script: ScriptText) -> String? {
        guard case .word(let name, _)? = script.tokens.dropLast().last else { return nil }
        return name
    }

    /// The attributes of what `variable` was declared as; of everything where that is not known.
    private func attributes(of variable: String?, in script: ScriptText) -> [String] {
        let tokens = script.tokens
        for index in tokens.indices.dropFirst(2) {
            if case .word(let name, _) = tokens[index - 2], name == variable,
                case .mark(":", _, _) = tokens[index - 1], case .word(let type, _) = tokens[index],
                catalog.type(type) != nil
            {
                return attributes(of: type)
            }
        }
        return (catalog.types + catalog.edges).flatMap { $0.attributes.map(\.name) } + ["_id", "_type"]
    }

    private func attributes(of type: String) -> [String] {
        (catalog.type(type) ?? catalog.edge(type))?.attributes.map(\.name) ?? []
    }

    /// The type before the brace that is open at the end, where the name of an attribute is expected.
    private func openBlock(_ script: ScriptText) -> String? {
        guard script.depth > 0 else { return nil }
        let open = script.tokens.lastIndex { token in
            if case .mark("{", _, let depth) = token { depth == script.depth - 1 } else { false }
        }
        guard let open, open > 0, case .word(let type, _) = script.tokens[open - 1],
            catalog.type(type) ?? catalog.edge(type) != nil
        else { return nil }
        switch script.tokens.last {
        case .mark("{", _, _)?, .mark(",", _, _)?: return type
        default: return nil
        }
    }
}
