internal import MeshCore

/// One word, literal or sign of a program, with the place where it stands.
///
/// A class, because the parser hands tokens from frame to frame while it recurses, and its frames must be small.
final class Token {
    enum Kind: Equatable {
        /// A name or a keyword, as it was written.
        case word(String)
        /// The magnitude: 2^63 is one only behind a minus.
        case integer(UInt64)
        case float(Double)
        case string(String)
        case timestamp(Int64)
        /// The magnitude in milliseconds.
        case duration(UInt64)
        case hash(Bytes32)
        case reference(String)
        case parameter(String, isOptional: Bool)
        case symbol(Symbol)
        /// A literal that has been refused already; it stands where a literal may.
        case refused
        case end
    }

    let kind: Kind
    let range: SourceRange
    /// What a word means where the grammar asks for a keyword.
    let keyword: Keyword?
    /// No other token stands before it in its line.
    let startsLine: Bool
    /// A character directly before it was refused, so that it need not be what was meant.
    let followsFault: Bool
    /// The `---` comments directly before it.
    let documentation: Documentation?

    init(
        kind: Kind, range: SourceRange, keyword: Keyword?, startsLine: Bool, followsFault: Bool,
        documentation: Documentation?
    ) {
        self.kind = kind
        self.range = range
        self.keyword = keyword
        self.startsLine = startsLine
        self.followsFault = followsFault
        self.documentation = documentation
    }

    func isSymbol(_ symbol: Symbol) -> Bool { kind == .symbol(symbol) }

    var isWord: Bool { if case .word = kind { true } else { false } }

    var word: String? { if case .word(let text) = kind { text } else { nil } }

    /// How a message names it.
    var description: String {
        switch kind {
        case .word(let text): "'\(text.prefix(40))'"
        case .integer(let value): "'\(value)'"
        case .float(let value): "'\(value)'"
        case .string: "a string"
        case .timestamp: "a timestamp"
        case .duration: "a duration"
        case .hash: "a hash"
        case .reference(let text): "'#\(text.prefix(40))'"
        case .parameter(let text, _): "'$\(text.prefix(40))'"
        case .symbol(let symbol): "'\(symbol.rawValue)'"
        case .refused: "a literal"
        case .end: "the end of the text"
        }
    }
}

/// Doc comments as one text, with the place where they begin.
struct Documentation {
    var text: String
    let start: SourcePosition
}

/// The signs that the grammar knows, and `~`, which only statements use that are refused by name.
enum Symbol: String, CaseIterable {
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBrace = "{"
    case rightBrace = "}"
    case leftBracket = "["
    case rightBracket = "]"
    case comma = ","
    case semicolon = ";"
    case doubleColon = "::"
    case colon = ":"
    case arrow = "=>"
    case rightArrow = "->"
    case bar = "|"
    case coalesce = "??"
    case question = "?"
    case range = ".."
    case dot = "."
    case concatenate = "++"
    case plus = "+"
    case minus = "-"
    case star = "*"
    case slash = "/"
    case percent = "%"
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case notEqual = "!="
    case less = "<"
    case greater = ">"
    case equal = "="
    case tilde = "~"
}
