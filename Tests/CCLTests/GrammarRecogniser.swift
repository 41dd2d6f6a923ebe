/// Says whether a text is one of the documented grammar's, by trying every reading.
///
/// It knows the EBNF and the meaning of what is said in words, and shares nothing with the parser.
struct GrammarRecogniser {
    let grammar: GrammarRules

    enum TokenKind: String { case word, string, integer, decimal, duration, sign }

    struct Token {
        let kind: TokenKind
        let text: String
        let startsLine: Bool
    }

    private static let kinds: [TokenKind] = [.word, .string, .integer, .decimal, .duration]

    func accepts(_ text: String) -> Bool {
        guard let tokens = tokens(of: text) else { return false }
        let reading = Reading(grammar: grammar, tokens: tokens)
        return reading.ends(.rule("contract"), at: 0).contains(tokens.count)
    }

    // MARK: - Tokens

    /// The text's tokens; `nil` where none can begin.
    func tokens(of text: String) -> [Token]? {
        let signs = grammar.leaves(of: grammar.names.filter { !grammar.tokenNames.contains($0) })
            .filter { !$0.hasPrefix("?") && $0.first?.isLetter == false }.map { Array($0.unicodeScalars) }
        let scalars = Array(text.unicodeScalars)
        var tokens: [Token] = []
        var startsLine = true
        var place = 0
        while place < scalars.count {
            if [" ", "\t", "\r", "\u{0B}", "\u{0C}", "\n"].contains(scalars[place]) {
                if scalars[place] == "\n" { startsLine = true }
                place += 1
                continue
            }
            // Where a rule cannot begin is not looked for.
            if scalars[place] == "/" || scalars[place] == "#", let end = longest("comment", scalars, place) {
                place = end
                continue
            }
            var best: (end: Int, kind: TokenKind)?
            for kind in Self.kinds where (kind == .word) == Self.isLetter(scalars[place]) {
                guard (kind == .string) == (scalars[place] == "\""),
                    let end = longest(kind.rawValue, scalars, place)
                else { continue }
                if let found = best, found.end >= end { continue }
                best = (end, kind)
            }
            for sign in signs where scalars[place...].starts(with: sign) {
                if let found = best, found.end >= place + sign.count { continue }
                best = (place + sign.count, .sign)
            }
            guard let (end, kind) = best else { return nil }
            let isNumber = kind == .integer || kind == .decimal || kind == .duration
            if isNumber, end < scalars.count, Self.isLetter(scalars[end]) || Self.isDigit(scalars[end]) {
                return nil
            }
            var spelling = String.UnicodeScalarView()
            spelling.append(contentsOf: scalars[place..<end])
            tokens.append(Token(kind: kind, text: String(spelling), startsLine: startsLine))
            startsLine = false
            place = end
        }
        return tokens
    }

    static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
    }

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    /// Whether a character is one that `words` allow.
    static func isCharacter(_ scalar: Unicode.Scalar, of words: String) -> Bool {
        switch words {
        case "a letter": isLetter(scalar)
        case "a digit": isDigit(scalar)
        case "a hexadecimal digit":
            isDigit(scalar) || ("a"..."f").contains(scalar) || ("A"..."F").contains(scalar)
        case "a character of a line": scalar != "\n"
        case "a character of a text":
            scalar != "\"" && scalar != "\\" && (scalar.value >= 0x20 || scalar == "\t")
        default: false
        }
    }

    /// Where the longest reading of a token rule at `place` ends.
    private func longest(_ rule: String, _ scalars: [Unicode.Scalar], _ place: Int) -> Int? {
        characterEnds(.rule(rule), scalars, place).max()
    }

    private func characterEnds(
        _ node: GrammarRules.Node, _ scalars: [Unicode.Scalar], _ place: Int
    ) -> Set<Int> {
        switch node {
        case .rule(let name): return grammar.rules[name].map { characterEnds($0, scalars, place) } ?? []
        case .terminal(let text):
            let wanted = Array(text.unicodeScalars)
            return scalars[place...].starts(with: wanted) ? [place + wanted.count] : []
        case .special(let words):
            return place < scalars.count && Self.isCharacter(scalars[place], of: words) ? [place + 1] : []
        default:
            return GrammarRecogniser.ends(node, at: place) { characterEnds($0, scalars, $1) }
        }
    }

    /// Where the parts of a node can end, by where they can end themselves.
    static func ends(
        _ node: GrammarRules.Node, at place: Int, _ part: (GrammarRules.Node, Int) -> Set<Int>
    ) -> Set<Int> {
        switch node {
        case .sequence(let nodes):
            return nodes.reduce([place]) { places, node in
                places.reduce(into: []) { $0.formUnion(part(node, $1)) }
            }
        case .choice(let nodes): return nodes.reduce(into: []) { $0.formUnion(part($1, place)) }
        case .optional(let node): return part(node, place).union([place])
        case .repetition(let node):
            var found: Set<Int> = [place]
            var open = [place]
            while let next = open.popLast() {
                for end in part(node, next) where found.insert(end).inserted { open.append(end) }
            }
            return found
        case .exception(let node, let other): return part(node, place).subtracting(part(other, place))
        case .rule, .terminal, .special: return []
        }
    }

    // MARK: - Statements

    /// The readings of one text; a class, because what is known is added to from within.
    private final class Reading {
        let grammar: GrammarRules
        let tokens: [Token]
        private var known: [String: [Int: Set<Int>]] = [:]

        init(grammar: GrammarRules, tokens: [Token]) {
            self.grammar = grammar
            self.tokens = tokens
        }

        func ends(_ node: GrammarRules.Node, at place: Int) -> Set<Int> {
            switch node {
            case .rule(let name):
                if let kind = TokenKind(rawValue: name) {
                    return self[place]?.kind == kind ? [place + 1] : []
                }
                if let found = known[name]?[place] { return found }
                let found = grammar.rules[name].map { ends($0, at: place) } ?? []
                known[name, default: [:]][place] = found
                return found
            case .terminal(let text):
                guard let token = self[place], token.kind == .sign || token.kind == .word else { return [] }
                return token.text == text ? [place + 1] : []
            case .special(let words): return holds(words, at: place) ? [place] : []
            default:
                return GrammarRecogniser.ends(node, at: place) { self.ends($0, at: $1) }
            }
        }

        private subscript(place: Int) -> Token? { place < tokens.count ? tokens[place] : nil }

        private func holds(_ words: String, at place: Int) -> Bool {
            let token = self[place]
            switch words {
            case "the statement ends":
                guard let token, !token.startsLine else { return true }
                return token.kind == .sign && [";", ",", "}"].contains(token.text)
            case "on this line": return token?.startsLine == false
            case "no keyword": return !isKeyword(place)
            case "a bare value begins":
                guard let token else { return false }
                return switch token.kind {
                case .integer, .decimal, .duration: true
                case .word: !token.startsLine && !isKeyword(place)
                case .string: !token.startsLine
                case .sign: ["[", "-", "!"].contains(token.text)
                }
            default: return false
            }
        }

        private func isKeyword(_ place: Int) -> Bool {
            guard let token = self[place], token.kind == .word else { return false }
            let next = self[place + 1]
            switch token.text {
            case "if", "else":
                guard let next else { return false }
                return !(next.kind == .sign && [":", "=", ";", ",", "}", "]", ")"].contains(next.text))
            case "for":
                let isRange =
                    next?.kind == .word && self[place + 2]?.kind == .word && self[place + 2]?.text == "in"
                return next?.text == "(" || isRange
            case "let", "function": return next?.kind == .word
            case "on":
                let after = self[place + 2]
                return (next?.kind == .word || next?.kind == .string) && after?.kind == .sign
                    && after?.text == "{"
            case "return": return !(next?.kind == .sign && [":", "="].contains(next?.text))
            default: return false
            }
        }
    }
}
