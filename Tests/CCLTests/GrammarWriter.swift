internal import MeshCore

/// Writes random texts by the documented grammar.
struct GrammarWriter {
    let grammar: GrammarRules
    var generator: SeededGenerator
    /// Rules, terminals and words that were used.
    private(set) var used: Set<String> = []

    private enum Piece {
        case text(String)
        /// What the next gap must keep to: a line's end, or none.
        case lineEnd, sameLine
    }

    init(_ grammar: GrammarRules, _ generator: SeededGenerator) {
        self.grammar = grammar
        self.generator = generator
    }

    mutating func contract(depth: Int = 20) -> String { rule("contract", depth: depth) }

    mutating func rule(_ name: String, depth: Int) -> String {
        join(pieces(.rule(name), depth))
    }

    // MARK: - Choices

    private static let words = [
        "a", "b", "total", "roles", "quorum", "x1", "_y", "Weights", "submit_job", "in", "iff", "lets",
    ]

    private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &generator) == 0 }

    private mutating func pieces(_ node: GrammarRules.Node, _ depth: Int) -> [Piece] {
        switch node {
        case .terminal(let text):
            used.insert(text)
            return [.text(text)]
        case .special(let words):
            used.insert("? \(words) ?")
            switch words {
            case "the statement ends": return [.lineEnd]
            case "on this line", "a bare value begins": return [.sameLine]
            default: return []
            }
        case .rule(let name):
            used.insert(name)
            if grammar.tokenNames.contains(name) { return [.text(token(name))] }
            return grammar.rules[name].map { pieces($0, depth - 1) } ?? []
        case .exception(let node, _): return pieces(node, depth)
        case .optional(let node): return depth > 0 && chance(2) ? pieces(node, depth) : []
        case .repetition(let node):
            var count = 0
            while depth > 0, count < 5, !chance(count == 0 ? 2 : 3) { count += 1 }
            return (0..<count).flatMap { _ in pieces(node, depth) }
        case .sequence(let nodes):
            var written: [Piece] = []
            for (index, node) in nodes.enumerated() {
                // What begins a bare value is said before it, and chosen with it.
                if index > 0, case .special("a bare value begins") = nodes[index - 1] {
                    written += bareValue(node, depth)
                } else {
                    written += pieces(node, depth)
                }
            }
            return written
        case .choice(let nodes):
            let heights = nodes.map { GrammarRules.height($0, grammar.heights) ?? Int.max }
            let least = heights.min() ?? 0
            let open = zip(nodes, heights).filter { $0.1 <= max(least, depth) }.map(\.0)
            return pieces(open[Int.random(in: 0..<open.count, using: &generator)], depth)
        }
    }

    private mutating func bareValue(_ node: GrammarRules.Node, _ depth: Int) -> [Piece] {
        for _ in 0..<8 {
            let written = pieces(node, depth)
            if case .text("(") = written.first { continue }
            return written
        }
        return [.text("1")]
    }

    // MARK: - Tokens

    private mutating func token(_ name: String) -> String {
        if name == "word", !chance(4) {
            return Self.words[Int.random(in: 0..<Self.words.count, using: &generator)]
        }
        while true {
            let text = grammar.rules[name].map { characters($0) } ?? ""
            if name == "decimal", Double(text.filter { $0 != "_" })?.isFinite != true { continue }
            // Words that mean something have their places elsewhere; numbers need not be beyond 64 bits.
            let isReserved = ["if", "on", "true", "false", "let", "for", "return", "else", "function"]
                .contains(text)
            if !isReserved, name == "string" || text.utf8.count <= 9 { return text }
        }
    }

    private mutating func characters(_ node: GrammarRules.Node) -> String {
        switch node {
        case .terminal(let text):
            used.insert(text)
            return text
        case .rule(let name):
            used.insert(name)
            return grammar.rules[name].map { characters($0) } ?? ""
        case .special(let words):
            used.insert("? \(words) ?")
            return character(of: words)
        case .optional(let node): return chance(2) ? characters(node) : ""
        case .repetition(let node):
            return (0..<Int.random(in: 0...3, using: &generator)).map { _ in characters(node) }.joined()
        case .sequence(let nodes): return nodes.map { characters($0) }.joined()
        case .choice(let nodes): return characters(nodes[Int.random(in: 0..<nodes.count, using: &generator)])
        case .exception(let node, _): return characters(node)
        }
    }

    private mutating func character(of words: String) -> String {
        let choices: [Character] =
            switch words {
            case "a letter": ["a", "f", "k", "z", "A", "Z", "_", "e", "s"]
            case "a digit": ["0", "1", "5", "9"]
            // Together no surrogate and none beyond the last character.
            case "a hexadecimal digit": ["0", "1", "4", "7"]
            default: ["a", "Z", " ", "\t", "é", "日", "😀", "/", "#", "{", ";", "'", "$"]
            }
        return String(choices[Int.random(in: 0..<choices.count, using: &generator)])
    }

    // MARK: - Gaps

    private mutating func join(_ pieces: [Piece]) -> String {
        var text = ""
        var wanted: Piece?
        for piece in pieces {
            guard case .text(let token) = piece else {
                wanted = piece
                continue
            }
            if !text.isEmpty { text += gap(wanted) }
            text += token
            wanted = nil
        }
        if chance(2) { text += gap(nil) }
        return text
    }

    private mutating func gap(_ wanted: Piece?) -> String {
        let spaces = [" ", "  ", "\t", " \r "]
        let space = spaces[Int.random(in: 0..<spaces.count, using: &generator)]
        switch wanted {
        case .sameLine: return space
        case .lineEnd: break
        case .text, nil: if !chance(6) { return space }
        }
        if chance(4), let comment = grammar.rules["comment"] {
            used.insert("comment")
            return space + characters(comment) + "\n"
        }
        return chance(3) ? "\n\n\n" : "\n" + space
    }
}
