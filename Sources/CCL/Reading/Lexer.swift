internal import MeshCore

/// Cuts a contract into tokens, all of them at once, and finds the brackets that belong together.
///
/// It never stops at a fault: it notes a diagnostic and goes on with a token that stands for what was meant, so
/// that one reading finds several faults. What nests deeper than ``Limits/nestingMax`` becomes one refused token,
/// so that whoever reads the tokens by recursion has a bounded depth.
struct Lexer {
    /// The text with one zero byte behind it, so that looking at the next byte needs no question.
    let bytes: [UInt8]
    let count: Int
    var offset = 0
    private var line: UInt32 = 1
    /// The offset at which this line would begin if all before `offset` were of one byte, less one.
    private var columnBase = -1
    private var lineHasToken = false
    private var isSuspect = false

    private(set) var tokens: [Token] = []
    private(set) var comments: [Comment] = []
    private(set) var diagnostics: [Diagnostic] = []

    /// Brackets that are open here.
    private var open: [OpenBracket] = []
    /// How deep we are in what is passed over, because it nests too deeply.
    private var passedDepth = 0
    /// The column of the first token of this line.
    private var indentation = 0
    /// The `{` that probably lacks its `}`: the first that a brace further to the left would close.
    private var likelyUnclosed: Int?

    /// Lines with a string that has no end: which of their quotation marks begin a string is anybody's guess.
    var unterminatedLines: Set<UInt32> = []
    /// Such a string holds a `}`, which may be one that a block lacks.
    var hasSwallowedBrace = false
    /// No `*/` follows, so that nobody looks for one again.
    var hasNoCommentEnd = false

    private struct OpenBracket {
        let kind: Token.Kind
        let token: Int
        let indentation: Int
    }

    init(_ source: [UInt8]) {
        var bytes = source
        bytes.append(0)
        self.bytes = bytes
        count = source.count
        // A byte order mark is nobody's token.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            offset = 3
            columnBase = 2
        }
        tokens.reserveCapacity(count / 5 + 4)
    }

    // MARK: - Reading

    var place: SourcePosition {
        SourcePosition(offset: offset, line: Int(line), column: offset - columnBase)
    }

    /// The byte that follows; zero at the end.
    func byte(_ ahead: Int = 0) -> UInt8 { offset + ahead < count ? bytes[offset + ahead] : 0 }

    /// Says that the byte at hand is the second or later one of a character.
    mutating func noteContinuation() { columnBase += 1 }

    mutating func report(
        _ code: DiagnosticCode, _ message: String, from start: SourcePosition, hint: String? = nil
    ) {
        isSuspect = true
        guard diagnostics.count < Limits.diagnosticCountMax else { return }
        diagnostics.append(Diagnostic(code, message, at: SourceRange(start, place), hint: hint))
    }

    /// Adds what ends here.
    @inline(__always)
    mutating func add(_ kind: Token.Kind, from start: Int, column: Int, isPlain: Bool = true) {
        let startsLine = !lineHasToken
        if startsLine {
            lineHasToken = true
            indentation = column
        }
        guard passedDepth == 0 else { return }
        tokens.append(
            Token(
                kind: kind, startsLine: startsLine, isSuspect: isSuspect, isPlain: isPlain,
                offset: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: offset),
                line: line, column: UInt32(truncatingIfNeeded: column)))
        isSuspect = false
    }

    var column: Int { offset - columnBase }

    // MARK: - Tokens

    mutating func scan() {
        while true {
            let byte = bytes[offset]
            switch byte {
            case 0x20, 0x09, 0x0B, 0x0C, 0x0D: offset += 1
            case 0x0A: endLine()
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "_"):
                scanWord()
            case UInt8(ascii: "0")...UInt8(ascii: "9"): scanNumber()
            case UInt8(ascii: "\""): scanString()
            case UInt8(ascii: "#"): scanComment(sign: 1)
            case UInt8(ascii: "/"):
                switch bytes[offset + 1] {
                case UInt8(ascii: "/"): scanComment(sign: 2)
                case UInt8(ascii: "*"): refuseBlockComment()
                default: sign(.slash)
                }
            case UInt8(ascii: "{"): opening(.leftBrace)
            case UInt8(ascii: "["): opening(.leftBracket)
            case UInt8(ascii: "("): opening(.leftParenthesis)
            case UInt8(ascii: "}"): closing(.rightBrace, of: .leftBrace)
            case UInt8(ascii: "]"): closing(.rightBracket, of: .leftBracket)
            case UInt8(ascii: ")"): closing(.rightParenthesis, of: .leftParenthesis)
            case UInt8(ascii: ";"):
                // No list goes on behind one.
                forgetBrackets()
                sign(.semicolon)
            case UInt8(ascii: ","): sign(.comma)
            case UInt8(ascii: ":"): sign(.colon)
            case UInt8(ascii: "."): sign(.dot)
            case UInt8(ascii: "+"): sign(.plus)
            case UInt8(ascii: "-"): sign(.minus)
            case UInt8(ascii: "*"): sign(.star)
            case UInt8(ascii: "%"): sign(.percent)
            case UInt8(ascii: "="): sign(.equals, or: .equal, before: UInt8(ascii: "="))
            case UInt8(ascii: "!"): sign(.not, or: .notEqual, before: UInt8(ascii: "="))
            case UInt8(ascii: "<"): sign(.less, or: .lessOrEqual, before: UInt8(ascii: "="))
            case UInt8(ascii: ">"): sign(.greater, or: .greaterOrEqual, before: UInt8(ascii: "="))
            case UInt8(ascii: "&"): doubledSign(.and, byte)
            case UInt8(ascii: "|"): doubledSign(.or, byte)
            case UInt8(ascii: "$"): refusePlaceholder()
            case 0 where offset >= count: return finish()
            default: refuseCharacter()
            }
        }
    }

    private mutating func endLine() {
        offset += 1
        line += 1
        columnBase = offset - 1
        lineHasToken = false
    }

    /// Passes over everything before `target`, over the ends of lines too.
    mutating func skip(to target: Int) {
        while offset < target {
            if bytes[offset] == 0x0A {
                endLine()
            } else {
                if bytes[offset] & 0xC0 == 0x80 { columnBase += 1 }
                offset += 1
            }
        }
    }

    private mutating func scanWord() {
        let start = offset
        repeat { offset += 1 } while Self.continuesWord(bytes[offset])
        add(.word, from: start, column: start - columnBase)
    }

    @inline(__always)
    static func continuesWord(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x5F
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private mutating func sign(_ kind: Token.Kind) {
        offset += 1
        add(kind, from: offset - 1, column: column - 1)
    }

    private mutating func sign(_ kind: Token.Kind, or longer: Token.Kind, before second: UInt8) {
        let (start, column) = (offset, column)
        let isLonger = bytes[offset + 1] == second
        offset += isLonger ? 2 : 1
        add(isLonger ? longer : kind, from: start, column: column)
    }

    /// `&&` or `||`; half of one is read as the whole.
    private mutating func doubledSign(_ kind: Token.Kind, _ byte: UInt8) {
        let start = place
        offset += 1
        if bytes[offset] == byte {
            offset += 1
        } else {
            let half = Character(Unicode.Scalar(byte))
            report(
                .invalidCharacter, "'\(half)' has no meaning by itself", from: start,
                hint: "write \(half)\(half)")
        }
        add(kind, from: start.offset, column: start.column)
    }

    private mutating func scanComment(sign: Int) {
        let start = place
        offset += sign
        while bytes[offset] != 0x0A, offset < count {
            if bytes[offset] & 0xC0 == 0x80 { columnBase += 1 }
            offset += 1
        }
        var text = bytes[start.offset + sign..<offset]
        while let first = text.first, first == 0x20 || first &- 9 < 5 { text = text.dropFirst() }
        while let last = text.last, last == 0x20 || last &- 9 < 5 { text = text.dropLast() }
        comments.append(Comment(String(decoding: text, as: UTF8.self), SourceRange(start, place)))
    }

    // MARK: - Brackets

    private mutating func opening(_ kind: Token.Kind) {
        if passedDepth > 0 {
            passedDepth += 1
            return sign(kind)
        }
        guard open.count < Limits.nestingMax else {
            let start = place
            offset += 1
            report(
                .nestedTooDeeply, "this is nested more than \(Limits.nestingMax) deep", from: start,
                hint: "nothing in this bracket was read")
            add(.refused, from: start.offset, column: start.column)
            passedDepth = 1
            return
        }
        sign(kind)
        open.append(OpenBracket(kind: kind, token: tokens.count - 1, indentation: indentation))
    }

    private mutating func closing(_ kind: Token.Kind, of opening: Token.Kind) {
        if passedDepth > 0 {
            sign(kind)
            passedDepth -= 1
            return
        }
        let startsLine = !lineHasToken
        sign(kind)
        // A brace closes what was left open in its block; other brackets do not reach over a brace.
        let found = open.lastIndex { bracket in bracket.kind == opening || bracket.kind == .leftBrace }
        var partner = found
        if kind == .rightBrace {
            partner = open.lastIndex { $0.kind == .leftBrace }
        } else if let found, open[found].kind != opening {
            // But for one that was opened in the same line: then the brace lacks its end.
            partner = open.lastIndex { $0.kind == opening && tokens[$0.token].line == line }
        }
        guard let partner else { return }
        let closed = open[partner]
        open.removeSubrange(partner...)
        let index = tokens.count - 1
        tokens[closed.token].partner = UInt32(truncatingIfNeeded: index)
        tokens[index].partner = UInt32(truncatingIfNeeded: closed.token)
        if kind == .rightBrace, startsLine, likelyUnclosed == nil, indentation < closed.indentation {
            likelyUnclosed = closed.token
        }
    }

    /// Takes the lists that are open in this block for ones that lack their end.
    mutating func forgetBrackets() {
        guard passedDepth == 0 else { return }
        while let last = open.last, last.kind != .leftBrace { open.removeLast() }
    }

    /// The line of the `{` that most likely lacks its `}`, when one does.
    private(set) var unclosedLine: Int?

    private mutating func finish() {
        passedDepth = 0
        let start = offset
        // Whoever looks two tokens ahead finds one.
        for _ in 0..<3 { add(.end, from: start, column: column) }
        if let innermost = open.last(where: { $0.kind == .leftBrace }) {
            unclosedLine = Int(tokens[likelyUnclosed ?? innermost.token].line)
        }
    }
}
