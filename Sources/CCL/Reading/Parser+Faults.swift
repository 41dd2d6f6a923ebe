internal import MeshCore

extension Parser {
    /// How a message names the token.
    func description(_ index: Int) -> String {
        switch tokens[index].kind {
        case .end: "the end of the text"
        case .word: "'\(spelling(index).prefix(40))'"
        case .string: "a string"
        case .integer, .decimal: "the number \(spelling(index).prefix(40))"
        case .duration: "the duration \(spelling(index).prefix(40))"
        case .refused: "what is no value"
        default: "'\(tokens[index].kind.sign)'"
        }
    }

    /// Words that others write where this language has another.
    private static let foreignWords: [String: String] = [
        "fn": "write function name(…) { … }", "func": "write function name(…) { … }",
        "def": "write function name(…) { … }", "const": "write let name = value",
        "var": "write let name = value", "elif": "write else if", "elseif": "write else if",
        "elsif": "write else if", "while": "loops are bounded: write for i in range(a, b)",
        "foreach": "write for x in list",
    ]

    static let keywords = ["function", "on", "if", "else", "for", "let", "return"]

    /// What was probably meant where the token at hand cannot follow the head before it.
    func misplacedHint(behind head: Int) -> String? {
        guard tokens[head].kind == .word, tokens[head].line == tokens[index].line else { return nil }
        let word = spelling(head)
        if let hint = Self.foreignWords[word] { return hint }
        switch kind {
        case .leftBrace, .equals, .leftParenthesis, .colon:
            if let near = NearestName.of(word, among: Self.keywords) { return "did you mean '\(near)'?" }
        default: break
        }
        switch kind {
        case .dot: return "a statement begins with one name; a property within a block stands in that block"
        case .equal: return "write = to set a property, or if before a comparison"
        case .leftBrace: return "a block stands directly behind a name and its arguments"
        case .equals where index == head + 2 && kind(-1).binary != nil:
            return "write \(word) = \(word) \(kind(-1).sign) …"
        case .colon, .equals: return index == head + 2 ? "write ';' before \(description(head + 1))" : nil
        case .plus, .minus, .star, .slash, .percent:
            return kind(1) == .equals ? "write \(word) = \(word) \(kind.sign) …" : nil
        case .word, .string, .integer, .decimal, .duration:
            return "write ';' or a new line before the next statement"
        default: return nil
        }
    }

    /// What was probably meant where a condition ends in another way than with `{`.
    func conditionHint() -> String? {
        switch kind {
        case .equals: "write == to compare"
        case .word where isWord("and", at: index): "write &&"
        case .word where isWord("or", at: index): "write ||"
        case .word where isWord("then", at: index): "write { … } around what is to be done"
        case .semicolon, .word: "what is to be done stands in { … }"
        default: nil
        }
    }

    /// Reports what stands where a list or an argument list should go on or end.
    mutating func unfinished(_ opening: Int, closing: Token.Kind) -> Fault {
        let what = "',' or '\(closing.sign)'"
        if kind.beginsExpression || kind == .leftBrace, tokens[opening].hasPartner {
            return expected(what, hint: "a comma is missing before \(description(index))")
        }
        if kind == .equals, closing == .rightParenthesis {
            return expected(what, hint: "write label: value, or == to compare")
        }
        if !tokens[opening].hasPartner {
            let sign = tokens[opening].kind.sign
            return expected(what, hint: "the '\(sign)' in line \(tokens[opening].line) is not closed")
        }
        return expected(what)
    }

    // MARK: - Reports

    /// Reports that something else than `what` stands here.
    mutating func expected(_ what: String, hint: String? = nil) -> Fault {
        if kind == .end, unclosedLine != nil {
            reportUnclosedBlock()
            return Fault()
        }
        return fault("expected \(what), found \(description(index))", at: index, hint: hint)
    }

    mutating func fault(_ message: String, at index: Int, hint: String? = nil) -> Fault {
        report(.unexpectedToken, message, at: index, hint: hint)
        return Fault()
    }

    mutating func reportUnclosedBlock() {
        guard !hasReportedEnd else { return }
        hasReportedEnd = true
        guard !hasSwallowedBrace else { return }
        report(
            .unexpectedToken, "the text ends where a '}' is missing", at: tokens.count - 3,
            hint: unclosedLine.map { "the '{' in line \($0) is not closed" })
    }

    /// Reports what cannot begin a statement.
    ///
    /// - Parameter head: What stands before it and is no whole statement with it.
    /// - Returns: What to throw.
    mutating func misplacedToken(behind head: Int? = nil) -> Fault {
        let before = head ?? previousHead
        let hint = before.flatMap { misplacedHint(behind: $0) }
        switch kind {
        case .leftBrace where head == nil && hint == nil:
            return fault("a block needs a name before it", at: index)
        case .rightParenthesis, .rightBracket:
            return fault("this '\(kind.sign)' closes nothing", at: index, hint: "remove it")
        default:
            let wanted =
                head == nil && (hint == nil || tokens[index].startsLine)
                ? "a statement" : "';' or the end of the line"
            return fault("expected \(wanted), found \(description(index))", at: index, hint: hint)
        }
    }
}
