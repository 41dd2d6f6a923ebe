/// Transactions, sessions, ontologies as statements, SHOW and indexes.
extension Parser {
    /// Behind `keyword`.
    mutating func control(_ keyword: Keyword) throws(Reported) -> Statement.Kind {
        switch keyword {
        case .begin:
            if takes(.session) {
                try expect(.as)
                return .beginSession(try entityTarget())
            }
            _ = takes(.transaction)
            if takes(.serializable) { return .begin(serializable: true) }
            if takes(.read) { try expect(.committed) }
            return .begin(serializable: false)
        case .commit: return .commit
        case .rollback:
            guard takes(.to) else { return .rollback }
            if current.keyword == .savepoint, isName(peek(1)), !peek(1).startsLine { advance() }
            return .rollbackTo(try name("the name of a savepoint"))
        case .savepoint: return .savepoint(try name("a name for the savepoint"))
        case .end:
            try expect(.session)
            return .endSession
        default:
            let rule = try qualifiedName("the name of a rule")
            return .trigger(rule: rule, condition: takes(.where) ? try expression() : nil)
        }
    }

    /// Behind `keyword`.
    mutating func administration(_ keyword: Keyword) throws(Reported) -> Statement.Kind {
        switch keyword {
        case .load:
            try expect(.ontology)
            if takes(.from) { return .loadOntologyFrom(try string("the path of a file in quotation marks")) }
            return .loadOntology(try bracedOntology())
        case .extend:
            try expect(.ontology)
            return .extendOntology(try bracedOntology())
        case .show: return try show()
        case .create:
            try expect(.index)
            return try createIndex()
        default:
            try expect(.index)
            return .dropIndex(try name("the name of an index"))
        }
    }

    private static let shown = [
        "TYPES", "EDGES", "CONSTRAINTS", "RULES", "POLICIES", "INDEXES", "STATISTICS", "STATUS", "WATCHES",
        "TYPE", "EDGE", "CONSTRAINT", "RULE",
    ]

    private mutating func show() throws(Reported) -> Statement.Kind {
        guard let word = current.word?.lowercased() else { throw expected("what to show") }
        if word == "branches" || word == "versions" { return unsupported("SHOW \(word.uppercased())") }
        let all: ShowStatement? =
            switch word {
            case "types": .types
            case "edges": .edges
            case "constraints": .constraints
            case "rules": .rules
            case "policies": .policies
            case "indexes": .indexes
            case "statistics": .statistics
            case "status": .status
            case "watches": .watches
            default: nil
            }
        if let all {
            advance()
            return .show(all)
        }
        guard ["type", "edge", "constraint", "rule"].contains(word) else {
            throw expected(
                "what to show", near: Self.shown, hint: "one of \(Self.shown.joined(separator: ", "))")
        }
        advance()
        let name = try qualifiedName("a name")
        switch word {
        case "type": return .show(.type(name))
        case "edge": return .show(.edge(name))
        case "constraint": return .show(.constraint(name))
        default: return .show(.rule(name))
        }
    }

    /// Behind CREATE INDEX.
    private mutating func createIndex() throws(Reported) -> Statement.Kind {
        let name = current.keyword == .on && peek(1).keyword != .on ? nil : try name("a name, or ON")
        try expect(.on)
        let target = try qualifiedName("a type or an edge")
        var attributes: [IndexedAttribute] = []
        if takes(.leftParenthesis) {
            attributes = try list { parser throws(Reported) in
                let name = try parser.anyName("an attribute")
                let isDescending = parser.takes(.desc)
                if !isDescending { _ = parser.takes(.asc) }
                return IndexedAttribute(name: name, isDescending: isDescending)
            }
            try expect(.rightParenthesis)
        }
        return .createIndex(name: name, on: target, attributes: attributes)
    }
}
