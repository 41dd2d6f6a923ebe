internal import MeshCore
/// Cuts a program into tokens, one for each call.
///
/// It never stops at a fault: it notes a diagnostic, and goes on behind it with a token that stands for what was
/// meant, so that one reading finds several faults. Memory does not grow with the text.
struct Lexer {
    let bytes: [UInt8]
    var diagnostics: [Diagnostic] = []
    private var offset = 0
    private var line = 1
    private var column = 1
    private var lineHasToken = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // A byte order mark is nobody's token.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    /// The next token; ``Token/Kind/end`` for ever once the text is used up.
    mutating func next() -> Token {
        var followsFault = false
        while true {
            let documentation = skipSpace()
            let start = place
            let startsLine = !lineHasToken
            guard let kind = scan(from: start) else {
                followsFault = true
                continue
            }
            lineHasToken = true
            var keyword: Keyword?
            if case .word(let text) = kind { keyword = Keyword(word: text) }
            return Token(
                kind: kind, range: SourceRange(start, place), keyword: keyword, startsLine: startsLine,
                followsFault: followsFault, documentation: documentation)
        }
    }

    // MARK: - Reading

    var place: SourcePosition { SourcePosition(offset: offset, line: line, column: column) }

    func byte(_ ahead: Int = 0) -> UInt8? {
        offset + ahead < bytes.count ? bytes[offset + ahead] : nil
    }

    func follows(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard offset + count <= bytes.count else { return false }
        for index in 0..<count where unsafe bytes[offset + index] != text.utf8Start[index] { return false }
        return true
    }

    mutating func take(_ count: Int = 1) {
        for _ in 0..<count where offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if byte == 0x0A {
                line += 1
                column = 1
                lineHasToken = false
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
    }

    /// Takes what satisfies `condition` and returns it.
    mutating func run(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = offset
        while let byte = byte(), condition(byte) { take() }
        return bytes[start..<offset]
    }

    mutating func report(
        _ code: ErrorCode, _ message: String, from start: SourcePosition, hint: String? = nil
    ) {
        diagnostics.append(Diagnostic(code, message, at: SourceRange(start, place), hint: hint))
    }

    // MARK: - Space and comments

    /// Leaves the place at the next token, and returns the doc comments passed on the way.
    private mutating func skipSpace() -> Documentation? {
        var documentation: Documentation?
        while let byte = byte() {
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                take()
            } else if follows("--") {
                readLineComment(into: &documentation)
            } else if follows("/*") {
                skipBlockComment()
            } else {
                break
            }
        }
        return documentation
    }

    private mutating func readLineComment(into documentation: inout Documentation?) {
        let start = place
        // Four dashes and more are a ruler and document nothing.
        let isDocumentation = follows("---") && byte(3) != 0x2D
        var text = run { $0 != 0x0A }
        guard isDocumentation else { return }
        text = text.dropFirst(3)
        if text.first == 0x20 { text = text.dropFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 || last == 0x0D { text = text.dropLast() }
        let line = String(decoding: text, as: UTF8.self)
        if documentation == nil {
            documentation = Documentation(text: line, start: start)
        } else {
            documentation?.text += "\n" + line
        }
    }

    private mutating func skipBlockComment() {
        let start = place
        take(2)
        let opening = place
        while byte() != nil {
            if follows("*/") { return take(2) }
            take()
        }
        diagnostics.append(
            Diagnostic(
                .unterminatedComment, "this comment has no end", at: SourceRange(start, opening),
                hint: "write */ where it ends"))
    }

    // MARK: - Tokens

    /// What begins here; `nil` for a character that was refused and passed over.
    private mutating func scan(from start: SourcePosition) -> Token.Kind? {
        guard let byte = byte() else { return .end }
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
            return .word(takeWord())
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return scanNumber(from: start)
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            return scanString(from: start).map(Token.Kind.string) ?? .refused
        case UInt8(ascii: "@"): return scanTimestamp(from: start)
        case UInt8(ascii: "#"): return scanReference(from: start)
        case UInt8(ascii: "$"): return scanParameter(from: start)
        default: return scanSymbol() ?? refuseCharacter(from: start)
        }
    }

    /// A run of letters, digits and `_`, all of one byte and one column.
    mutating func takeWord() -> String {
        let start = offset
        while offset < bytes.count, Self.continuesWord(bytes[offset]) { offset += 1 }
        column += offset - start
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    static func startsWord(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || byte == 0x5F
    }

    static func continuesWord(_ byte: UInt8) -> Bool { startsWord(byte) || isDigit(byte) }

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private mutating func scanReference(from start: SourcePosition) -> Token.Kind? {
        take()
        if let byte = byte(), Self.startsWord(byte) {
            return .reference(takeWord())
        }
        if byte() == UInt8(ascii: "\"") {
            return scanString(from: place).map(Token.Kind.reference) ?? .refused
        }
        report(
            .invalidCharacter, "'#' must be followed by a name", from: start,
            hint: "write #name, or #\"any characters\"")
        return .refused
    }

    private mutating func scanParameter(from start: SourcePosition) -> Token.Kind? {
        take()
        guard let first = byte(), Self.startsWord(first) else {
            report(.invalidCharacter, "'$' must be followed by a name", from: start, hint: "write $name")
            return .refused
        }
        let name = takeWord()
        // `$a ?? b` is a choice and `$a? ?? b` one too: of an odd number of marks the first is the parameter's.
        var marks = 0
        while byte(marks) == UInt8(ascii: "?") { marks += 1 }
        if marks % 2 == 1 { take() }
        return .parameter(name, isOptional: marks % 2 == 1)
    }

    private mutating func scanSymbol() -> Token.Kind? {
        guard let first = byte() else { return nil }
        if let second = byte(1), let symbol = Self.pair(first, second) {
            take(2)
            return .symbol(symbol)
        }
        guard first < 0x80, let symbol = Self.singles[Int(first)] else { return nil }
        take()
        return .symbol(symbol)
    }

    /// By the byte of each sign that is one character.
    private static let singles: [Symbol?] = {
        var singles = [Symbol?](repeating: nil, count: 128)
        for symbol in Symbol.allCases where symbol.rawValue.utf8.count == 1 {
            for byte in symbol.rawValue.utf8 { singles[Int(byte)] = symbol }
        }
        return singles
    }()

    private static func pair(_ first: UInt8, _ second: UInt8) -> Symbol? {
        switch (first, second) {
        case (UInt8(ascii: ":"), UInt8(ascii: ":")): .doubleColon
        case (UInt8(ascii: "="), UInt8(ascii: ">")): .arrow
        case (UInt8(ascii: "-"), UInt8(ascii: ">")): .rightArrow
        case (UInt8(ascii: "?"), UInt8(ascii: "?")): .coalesce
        case (UInt8(ascii: "."), UInt8(ascii: ".")): .range
        case (UInt8(ascii: "+"), UInt8(ascii: "+")): .concatenate
        case (UInt8(ascii: "<"), UInt8(ascii: "=")): .lessOrEqual
        case (UInt8(ascii: ">"), UInt8(ascii: "=")): .greaterOrEqual
        case (UInt8(ascii: "!"), UInt8(ascii: "=")): .notEqual
        default: nil
        }
    }

    private mutating func refuseCharacter(from start: SourcePosition) -> Token.Kind? {
        let first = byte() ?? 0
        take()
        while let byte = byte(), byte & 0xC0 == 0x80 { take() }
        // Foreign letters in a row are one fault; quotation marks and dots are each a mistake of their own.
        while first >= 0x80, let byte = byte(), byte >= 0x80, !follows("”"), !follows("“"), !follows("…") {
            take()
        }
        let text = String(decoding: bytes[start.offset..<offset], as: UTF8.self)
        guard let scalar = text.unicodeScalars.first else { return nil }
        let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
        let shown = isControl ? "this control character" : "'\(text.prefix(40))'"
        let hint: String? =
            switch scalar {
            case "\u{201C}", "\u{201D}", "\u{2018}", "\u{2019}": "write straight quotation marks: \"…\""
            case "\u{2026}": "write out what the dots stand for"
            case "`": "names are written without quotation marks"
            case "!": "write NOT, or != between two values"
            case "&": "write AND"
            default: scalar.value > 0x7F ? "names are made of the letters a to z, digits and _" : nil
            }
        report(.invalidCharacter, "\(shown) has no meaning here", from: start, hint: hint)
        return nil
    }
}
