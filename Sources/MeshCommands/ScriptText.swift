/// Statements as their writer sees them, without their meaning: where texts, comments and brackets are.
///
/// What a command line needs before it sends anything; the daemon reads them for good.
struct ScriptText {
    let text: String
    /// What stands outside of comments, in order.
    let tokens: [Token]
    /// How many brackets of any kind are open at the end; less than nothing when too many were closed.
    let depth: Int
    /// Whether a text or a comment is open at the end.
    let isOpen: Bool

    enum Token: Hashable {
        case word(String, Range<String.Index>)
        /// What stands between the quotes, its escapes as written.
        case quoted(String, Range<String.Index>)
        case mark(Character, Range<String.Index>, depth: Int)

        var range: Range<String.Index> {
            switch self {
            case .word(_, let range), .quoted(_, let range), .mark(_, let range, _): range
            }
        }

        /// A word in capitals, which keywords may be compared with; nil for all else.
        var keyword: String? { if case .word(let text, _) = self { text.uppercased() } else { nil } }

        var isSemicolon: Bool { if case .mark(";", _, 0) = self { true } else { false } }
    }

    init(_ text: String) {
        self.text = text
        var tokens: [Token] = []
        var depth = 0
        var isOpen = false
        var index = text.startIndex
        func isWord(_ character: Character) -> Bool {
            character == "_" || character.isLetter || character.isNumber
        }
        while index < text.endIndex {
            let start = index
            let character = text[index]
            let rest = text[index...]
            if rest.hasPrefix("--") {
                index = rest.firstIndex(where: \.isNewline) ?? text.endIndex
            } else if rest.hasPrefix("/*") {
                let body = text.index(index, offsetBy: 2)
                if let end = Self.find("*/", in: text[body...]) {
                    index = end
                } else {
                    isOpen = true
                    index = text.endIndex
                }
            } else if character == "\"" || character == "'" {
                index = text.index(after: index)
                let first = index
                while index < text.endIndex, text[index] != character {
                    index = text.index(after: index)
                    if text[text.index(before: index)] == "\\", index < text.endIndex {
                        index = text.index(after: index)
                    }
                }
                if index == text.endIndex { isOpen = true }
                let end = index
                if index < text.endIndex { index = text.index(after: index) }
                tokens.append(.quoted(String(text[first..<end]), start..<index))
            } else if isWord(character) {
                while index < text.endIndex, isWord(text[index]) { index = text.index(after: index) }
                tokens.append(.word(String(text[start..<index]), start..<index))
            } else {
                index = text.index(after: index)
                if character.isWhitespace { continue }
                if ")]}".contains(character) { depth -= 1 }
                tokens.append(.mark(character, start..<index, depth: depth))
                if "([{".contains(character) { depth += 1 }
            }
        }
        self.tokens = tokens
        self.depth = depth
        self.isOpen = isOpen
    }

    private static func find(_ mark: String, in text: Substring) -> String.Index? {
        var rest = text
        while !rest.isEmpty {
            if rest.hasPrefix(mark) { return rest.index(rest.startIndex, offsetBy: mark.count) }
            rest = rest.dropFirst()
        }
        return nil
    }

    /// Whether nothing but blanks and comments is there.
    var isEmpty: Bool { tokens.isEmpty && !isOpen }

    /// Whether a statement can end here: nothing is open.
    var isBalanced: Bool { depth <= 0 && !isOpen }

    /// Whether the last statement is ended by a semicolon.
    var isTerminated: Bool { isBalanced && tokens.last?.isSemicolon == true }

    /// The first keywords, in capitals.
    func keywords(_ count: Int) -> [String] { tokens.prefix(count).map { $0.keyword ?? "" } }

    /// The statements that semicolons separate, each with its own.
    var statements: [String] {
        var parts: [String] = []
        var start = text.startIndex
        for token in tokens where token.isSemicolon {
            parts.append(String(text[start..<token.range.upperBound]))
            start = token.range.upperBound
        }
        parts.append(String(text[start...]))
        return parts.filter { !ScriptText($0).tokens.allSatisfy(\.isSemicolon) }
    }

    /// The places of `LOAD ONTOLOGY FROM "path"`, with the path.
    var ontologyFiles: [(range: Range<String.Index>, path: String)] {
        guard tokens.count >= 4 else { return [] }
        return (0...tokens.count - 4).compactMap { index in
            let four = tokens[index..<index + 4]
            guard four.dropLast().map(\.keyword) == ["LOAD", "ONTOLOGY", "FROM"],
                case .quoted(let path, let last)? = four.last
            else { return nil }
            return (four[index].range.lowerBound..<last.upperBound, path)
        }
    }
}
