internal import MeshCore
/// Ontologies: types, nodes and edges.
extension Parser {
    // MARK: - Ontologies

    /// A whole text of declarations.
    mutating func wholeOntology() -> OntologyDeclaration {
        let start = current
        var parts: [OntologyDeclaration] = []
        while true {
            while takes(.semicolon) {}
            guard current.kind != .end, !hasEnoughDiagnostics else { break }
            let part = current
            do throws(Reported) {
                if current.keyword == .ontology {
                    parts.append(try wrappedOntology())
                } else {
                    guard beginsDeclaration else {
                        throw expected("a declaration", near: Self.declarationWords)
                    }
                    parts.append(bareDeclarations(stopsAtOntology: true))
                }
            } catch {
                recoverDeclaration(from: part, braces: 0)
                _ = takes(.rightBrace)
                openBraces = 0
            }
        }
        if parts.count == 1 { return parts[0] }
        return OntologyDeclaration(
            name: nil, parents: [], declarations: parts.flatMap(\.declarations), range: range(from: start))
    }

    private static let declarationWords = [
        "NODE", "EDGE", "TYPE", "CONSTRAINT", "RULE", "POLICY", "ONTOLOGY",
    ]

    /// `ontology Name : Parents { … }`.
    mutating func wrappedOntology() throws(Reported) -> OntologyDeclaration {
        let start = advance()
        let name = current.isSymbol(.leftBrace) ? nil : try name("a name for the ontology")
        let parents = try parents()
        try expect(.leftBrace)
        let declarations = declarations(untilBrace: true, stopsAtOntology: false)
        try expect(.rightBrace)
        return OntologyDeclaration(
            name: name, parents: parents, declarations: declarations,
            range: range(from: start.documentation?.start ?? start.range.start))
    }

    /// `{ … }` with a name before it or none; its range is what is inside, which can be read again by itself.
    mutating func bracedOntology() throws(Reported) -> OntologyDeclaration {
        var name = isName(current) ? try self.name("a name, or '{'") : nil
        var parents = name == nil ? [] : try parents()
        try expect(.leftBrace)
        let first = current
        var declarations: [Declaration] = []
        if name == nil, first.keyword == .ontology {
            let inner = try wrappedOntology()
            (name, parents, declarations) = (inner.name, inner.parents, inner.declarations)
        } else {
            declarations = self.declarations(untilBrace: true, stopsAtOntology: false)
        }
        let inside =
            declarations.isEmpty
            ? SourceRange(first.range.start, first.range.start)
            : range(from: first.documentation?.start ?? first.range.start)
        try expect(.rightBrace)
        return OntologyDeclaration(name: name, parents: parents, declarations: declarations, range: inside)
    }

    /// Declarations without a wrapper, as long as they follow each other.
    mutating func bareDeclarations(stopsAtOntology: Bool) -> OntologyDeclaration {
        let start = current.documentation?.start ?? current.range.start
        let declarations = declarations(untilBrace: false, stopsAtOntology: stopsAtOntology)
        return OntologyDeclaration(
            name: nil, parents: [], declarations: declarations, range: range(from: start))
    }

    private mutating func declarations(untilBrace: Bool, stopsAtOntology: Bool) -> [Declaration] {
        var declarations: [Declaration] = []
        while !hasEnoughDiagnostics {
            if untilBrace {
                while takes(.semicolon) || takes(.comma) {}
                if current.isSymbol(.rightBrace) || current.kind == .end { break }
            } else {
                if !beginsDeclaration || stopsAtOntology && current.keyword == .ontology { break }
            }
            let start = current
            let braces = openBraces
            do throws(Reported) {
                declarations.append(try declaration())
            } catch {
                recoverDeclaration(from: start, braces: braces)
            }
        }
        return declarations
    }

    /// Goes on where a line begins with a declaration, or before the brace that closes the block around it.
    private mutating func recoverDeclaration(from start: Token, braces: Int) {
        if current.range.start == start.range.start, current.kind != .end, !current.isSymbol(.rightBrace) {
            advance()
        }
        while current.kind != .end {
            if current.startsLine {
                // A statement ends bare declarations; within braces there is none.
                let endsBare = braces == 0 && current.keyword?.startsStatement == true && beginsStatement
                if beginsDeclaration || endsBare { break }
            }
            if openBraces <= braces, current.isSymbol(.rightBrace) || takes(.semicolon) { break }
            advance()
        }
        openBraces = braces
    }

    /// Whether the token at hand begins a declaration: its keyword with a name behind it, or `[abstract] node`.
    var beginsDeclaration: Bool {
        if current.isSymbol(.leftBracket) {
            return (peek(1).keyword == .abstract || peek(1).keyword == .sealed)
        }
        guard let keyword = current.keyword, keyword.startsDeclaration else { return false }
        if keyword == .ontology, peek(1).isSymbol(.leftBrace) { return true }
        if keyword == .type { return peek(1).isWord && peek(2).isSymbol(.equal) }
        return peek(1).isWord
    }

    // MARK: - One declaration

    private mutating func declaration() throws(Reported) -> Declaration {
        let documentation = current.documentation?.text
        switch current.keyword {
        case .type where !peek(1).isSymbol(.colon): return .alias(try alias(documentation))
        case .edge: return .edge(try edge(documentation))
        case .constraint: return .constraint(try constraint(documentation))
        case .rule: return .rule(try rule(documentation))
        case .policy: return .policy(try policy(documentation))
        case .node, .abstract, .sealed: return .node(try node(documentation))
        default:
            guard current.isSymbol(.leftBracket) else {
                throw expected("a declaration", near: Self.declarationWords)
            }
            return .node(try node(documentation))
        }
    }

    private mutating func alias(_ documentation: String?) throws(Reported) -> AliasDeclaration {
        advance()
        let name = try name("a name for the type")
        try expect(.equal)
        let type = try type()
        return AliasDeclaration(
            name: name, type: type, modifiers: try attributeModifiers(), documentation: documentation)
    }

    mutating func parents() throws(Reported) -> [Name] {
        guard takes(.colon) else { return [] }
        return try list { parser throws(Reported) in
            try parser.qualifiedName("the name of a parent", allowsDots: true)
        }
    }

    /// Abstract and sealed may stand before `node`, in brackets or not, and in brackets behind the name.
    private mutating func node(_ documentation: String?) throws(Reported) -> NodeDeclaration {
        var marks = NodeMarks()
        while current.keyword != .node {
            if takes(.leftBracket) {
                try nodeMarks(into: &marks)
            } else if !takeMark(into: &marks) {
                throw expected("node", near: ["node"])
            }
        }
        advance()
        let name = try name("a name for the node")
        if takes(.leftBracket) { try nodeMarks(into: &marks) }
        let parents = try parents()
        if takes(.leftBracket) { try nodeMarks(into: &marks) }
        try expect(.leftBrace)
        return NodeDeclaration(
            name: name, isAbstract: marks.isAbstract, isSealed: marks.isSealed, parents: parents,
            attributes: try attributeDeclarations(), documentation: documentation)
    }

    private struct NodeMarks {
        var isAbstract = false
        var isSealed = false
    }

    private mutating func takeMark(into marks: inout NodeMarks) -> Bool {
        if takes(.abstract) {
            marks.isAbstract = true
        } else if takes(.sealed) {
            marks.isSealed = true
        } else {
            return false
        }
        return true
    }

    private mutating func nodeMarks(into marks: inout NodeMarks) throws(Reported) {
        repeat {
            guard takeMark(into: &marks) else {
                throw expected("abstract or sealed", near: ["abstract", "sealed"])
            }
        } while takes(.comma)
        try expect(.rightBracket)
    }

    private mutating func edge(_ documentation: String?) throws(Reported) -> EdgeDeclaration {
        advance()
        let name = try name("a name for the edge")
        try expect(.leftParenthesis)
        let parameters = try list { parser throws(Reported) in try parser.edgeParameter() }
        try expect(.rightParenthesis)
        let modifiers = try edgeModifiers()
        let attributes = takes(.leftBrace) ? try attributeDeclarations() : []
        return EdgeDeclaration(
            name: name, parameters: parameters, modifiers: modifiers, attributes: attributes,
            documentation: documentation)
    }

    /// `task: Task`, or `Task` alone.
    private mutating func edgeParameter() throws(Reported) -> EdgeDeclaration.Parameter {
        guard isName(current), peek(1).isSymbol(.colon) else {
            return EdgeDeclaration.Parameter(name: nil, type: try type())
        }
        let name = try name("a parameter")
        advance()
        return EdgeDeclaration.Parameter(name: name, type: try type())
    }
}
