/// Statements as their writer sees them, without their meaning: where texts, comments and brackets are.
///
/// What a command line needs before it sends anything; the daemon reads them for good.
struct ScriptText {
    let bytes: [UInt8]
    /// What stands outside of comments, in order.
    let tokens: [Token]
    /// How many brackets of any kind are open at the end; less than nothing when too many were closed.
    let depth: Int
    /// Whether a text or a comment is open at the end.
    let isOpen: Bool

    enum Token: Hashable {
        case word(String, Range<Int>)
        /// What stands between the quotes, its escapes as written.
        case quoted(String, Range<Int>)
        /// A character outside of ASCII is part of a word.
        case mark(Character, Range<Int>, depth: Int)

        /// Its place in ``ScriptText/bytes``.
        var range: Range<Int> {
            switch self {
            case .word(_, let range), .quoted(_, let range), .mark(_, let range, _): range
            }
        }

        /// A word in capitals, which keywords may be compared with; nil for all else.
        var keyword: String? { if case .word(let text, _) = self { text.uppercased() } else { nil } }

        /// One that ends a statement: no bracket is open.
        var isSemicolon: Bool { if case .mark(";", _, ...0) = self { true } else { false } }
    }

    init(_ text: String) {
        let bytes = Array(text.utf8)
        self.bytes = bytes
        var tokens: [Token] = []
        var depth = 0
        var isOpen = false
        var index = 0
        func next(_ offset: Int = 1) -> UInt8? {
            index + offset < bytes.count ? bytes[index + offset] : nil
        }
        func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        while index < bytes.count {
            let start = index
            switch bytes[index] {
            case 0x09, 0x0a, 0x0d, 0x20: index += 1
            case UInt8(ascii: "-") where next() == UInt8(ascii: "-"):
                while index < bytes.count, bytes[index] != 0x0a { index += 1 }
            case UInt8(ascii: "/") where next() == UInt8(ascii: "*"):
                index += 2
                while index < bytes.count, bytes[index] != UInt8(ascii: "*") || next() != UInt8(ascii: "/") {
                    index += 1
                }
                if index == bytes.count { isOpen = true }
                index = min(index + 2, bytes.count)
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let quote = bytes[index]
                index += 1
                // A text ends with its line at the latest, closed or not.
                while index < bytes.count, bytes[index] != quote, bytes[index] != 0x0a {
                    index += bytes[index] == UInt8(ascii: "\\") && next() != 0x0a ? 2 : 1
                }
                index = min(index, bytes.count)
                if index == bytes.count { isOpen = true }
                let end = index
                if index < bytes.count, bytes[index] == quote { index += 1 }
                tokens.append(.quoted(string(start + 1..<end), start..<index))
            case let byte where Self.isWordPart(byte):
                while index < bytes.count, Self.isWordPart(bytes[index]) { index += 1 }
                tokens.append(.word(string(start..<index), start..<index))
            case let byte:
                index += 1
                if [UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}")].contains(byte) { depth -= 1 }
                tokens.append(.mark(Character(Unicode.Scalar(byte)), start..<index, depth: depth))
                if [UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{")].contains(byte) { depth += 1 }
            }
        }
        self.tokens = tokens
        self.depth = depth
        self.isOpen = isOpen
    }

    private static func isWordPart(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), 0x80...: true
        default: false
        }
    }

    /// What stands at a place.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Whether nothing but blanks and comments is there.
    var isEmpty: Bool { tokens.isEmpty && !isOpen }

    /// Whether a statement can end here: nothing is open.
    var isBalanced: Bool { depth <= 0 && !isOpen }

    /// Whether the last statement is ended by a semicolon.
    var isTerminated: Bool { isBalanced && tokens.last?.isSemicolon == true }

    /// The first keywords, in capitals; an empty text for what is none.
    func keywords(_ count: Int) -> [String] { tokens.prefix(count).map { $0.keyword ?? "" } }

    /// The statements that semicolons separate, each with its own.
    var statements: [String] {
        var parts: [String] = []
        var start = 0
        var isBlank = true
        for token in tokens {
            guard token.isSemicolon else {
                isBlank = false
                continue
            }
            if !isBlank { parts.append(text(start..<token.range.upperBound)) }
            start = token.range.upperBound
            isBlank = true
        }
        if !isBlank || isOpen { parts.append(text(start..<bytes.count)) }
        return parts
    }

    /// The places of `LOAD ONTOLOGY FROM "path"`, with the path.
    var ontologyFiles: [(range: Range<Int>, path: String)] {
        guard tokens.count >= 4 else { return [] }
        return (0...tokens.count - 4).compactMap { index in
            guard case .quoted(let path, let last) = tokens[index + 3],
                tokens[index..<index + 3].map(\.keyword) == ["LOAD", "ONTOLOGY", "FROM"]
            else { return nil }
            return (tokens[index].range.lowerBound..<last.upperBound, path)
        }
    }
}
