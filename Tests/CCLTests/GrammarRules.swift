import Foundation

/// An EBNF of the documentation, taken apart.
struct GrammarRules {
    indirect enum Node: Sendable {
        case sequence([Node])
        case choice([Node])
        case optional(Node)
        case repetition(Node)
        case exception(Node, Node)
        case terminal(String)
        case rule(String)
        /// `? … ?`
        case special(String)
    }

    private(set) var rules: [String: Node] = [:]
    /// In the order of the text.
    private(set) var names: [String] = []
    /// Those behind the comment `Tokens`.
    private(set) var tokenNames: [String] = []
    /// How many steps each rule takes at least to come to an end.
    private(set) var heights: [String: Int] = [:]

    struct Fault: Error { let message: String }

    /// The one that stands in `Grammar.md`.
    static let documented: GrammarRules? = {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/CCL/CCL.docc/Grammar.md").standardized
        guard let text = try? String(contentsOf: page, encoding: .utf8) else { return nil }
        let parts = text.components(separatedBy: "```")
        guard let block = parts.first(where: { $0.hasPrefix("ebnf\n") }) else { return nil }
        return try? GrammarRules(String(block.dropFirst(5)))
    }()

    init(_ text: String) throws {
        var tokens: [String] = []
        var rest = Substring(text)
        while let first = rest.first {
            let end: (String) throws -> Substring = { mark in
                guard let range = rest.dropFirst().range(of: mark) else { throw Fault(message: "no \(mark)") }
                return rest[..<range.upperBound]
            }
            if first.isWhitespace {
                rest = rest.dropFirst()
                continue
            }
            let token: Substring
            if rest.hasPrefix("(*") {
                token = try end("*)")
            } else if first == "\"" || first == "'" || first == "?" {
                token = try end(String(first))
            } else if first.isLetter {
                token = rest.prefix { $0.isLetter }
            } else {
                token = rest.prefix(1)
            }
            tokens.append(String(token))
            rest = rest.dropFirst(token.count)
        }
        var index = 0
        var areTokens = false
        while index < tokens.count {
            if tokens[index].hasPrefix("(*") {
                areTokens = tokens[index].contains("Tokens")
                index += 1
                continue
            }
            let name = tokens[index]
            guard index + 1 < tokens.count, tokens[index + 1] == "=" else {
                throw Fault(message: "no = behind \(name)")
            }
            index += 2
            rules[name] = try Self.choice(tokens, &index)
            guard index < tokens.count, tokens[index] == ";" else {
                throw Fault(message: "no ; behind \(name)")
            }
            index += 1
            names.append(name)
            if areTokens { tokenNames.append(name) }
        }
        for _ in names {
            for name in names {
                if let rule = rules[name], let height = Self.height(rule, heights) {
                    heights[name] = height + 1
                }
            }
        }
    }

    static func height(_ node: GrammarRules.Node, _ heights: [String: Int]) -> Int? {
        switch node {
        case .terminal, .special, .optional, .repetition: return 0
        case .rule(let name): return heights[name]
        case .exception(let node, _): return height(node, heights)
        case .choice(let nodes): return nodes.compactMap { height($0, heights) }.min()
        case .sequence(let nodes):
            let parts = nodes.map { height($0, heights) }
            return parts.contains { $0 == nil } ? nil : parts.compactMap(\.self).max()
        }
    }

    private static func choice(_ tokens: [String], _ index: inout Int) throws -> Node {
        var nodes = [try sequence(tokens, &index)]
        while index < tokens.count, tokens[index] == "|" {
            index += 1
            nodes.append(try sequence(tokens, &index))
        }
        return nodes.count == 1 ? nodes[0] : .choice(nodes)
    }

    private static func sequence(_ tokens: [String], _ index: inout Int) throws -> Node {
        var nodes = [try item(tokens, &index)]
        while index < tokens.count, tokens[index] == "," {
            index += 1
            nodes.append(try item(tokens, &index))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private static func item(_ tokens: [String], _ index: inout Int) throws -> Node {
        let node = try primary(tokens, &index)
        guard index < tokens.count, tokens[index] == "-" else { return node }
        index += 1
        return .exception(node, try primary(tokens, &index))
    }

    private static func primary(_ tokens: [String], _ index: inout Int) throws -> Node {
        guard index < tokens.count else { throw Fault(message: "the text ends") }
        let token = tokens[index]
        index += 1
        let closing = ["(": ")", "[": "]", "{": "}"][token]
        if let closing {
            let inner = try choice(tokens, &index)
            guard index < tokens.count, tokens[index] == closing else {
                throw Fault(message: "no \(closing)")
            }
            index += 1
            return switch token {
            case "[": .optional(inner)
            case "{": .repetition(inner)
            default: inner
            }
        }
        switch token.first {
        case "\"", "'": return .terminal(String(token.dropFirst().dropLast()))
        case "?": return .special(token.dropFirst().dropLast().trimmingCharacters(in: .whitespaces))
        default:
            guard token.first?.isLetter == true else { throw Fault(message: "'\(token)' is out of place") }
            return .rule(token)
        }
    }

    /// Everything that is neither a rule nor made of parts, each once: terminals and what is said in words.
    func leaves(of names: [String]) -> Set<String> {
        var found: Set<String> = []
        func visit(_ node: Node) {
            switch node {
            case .sequence(let nodes), .choice(let nodes): nodes.forEach(visit)
            case .optional(let node), .repetition(let node): visit(node)
            case .exception(let node, _): visit(node)
            case .terminal(let text): found.insert(text)
            case .special(let text): found.insert("? \(text) ?")
            case .rule: break
            }
        }
        for name in names { if let rule = rules[name] { visit(rule) } }
        return found
    }

    /// The rules that `name`'s rule names, itself among them.
    func reachable(from name: String) -> Set<String> {
        var found: Set<String> = []
        func visit(_ node: Node) {
            switch node {
            case .sequence(let nodes), .choice(let nodes): nodes.forEach(visit)
            case .optional(let node), .repetition(let node): visit(node)
            case .exception(let first, let second):
                visit(first)
                visit(second)
            case .terminal, .special: break
            case .rule(let name):
                guard found.insert(name).inserted, let rule = rules[name] else { return }
                visit(rule)
            }
        }
        visit(.rule(name))
        return found
    }
}
