internal import MeshCore

/// Makes a syntax tree of a contract's tokens.
///
/// A recursive descent. Brackets nest at most ``Limits/nestingMax`` deep by the time it sees them, and operators
/// and `else if` are read in loops that end the tree where it gets higher than ``Limits/chainMax``: so neither the
/// parser nor anybody who walks its trees needs more than a bounded stack.
///
/// A fault ends its statement and not the reading, which goes on behind it.
struct Parser {
    let bytes: [UInt8]
    let tokens: [Token]
    var index = 0
    private(set) var diagnostics: [Diagnostic] = []
    /// How high the tree is of what was read last.
    var height = 0
    /// The first bracket of the statement at hand that has been opened and not closed.
    var outermost: Int?
    /// No head before this token of its block is a section's with arguments: so much has been looked ahead.
    private var lookedAheadTo = 0
    /// The head of the property that was read last, for hints.
    var previousHead: Int?
    let unclosedLine: Int?
    private let unterminatedLines: Set<UInt32>
    let hasSwallowedBrace: Bool
    var hasReportedEnd = false
    /// What comes after is not looked for.
    var isFull: Bool { diagnostics.count >= Limits.diagnosticCountMax }

    /// Thrown when a fault has been reported and its statement is given up.
    struct Fault: Error {}

    init(_ lexer: Lexer) {
        bytes = lexer.bytes
        tokens = lexer.tokens
        unclosedLine = lexer.unclosedLine
        unterminatedLines = lexer.unterminatedLines
        hasSwallowedBrace = lexer.hasSwallowedBrace
    }

    // MARK: - Tokens

    var kind: Token.Kind { tokens[index].kind }

    /// The kind of the token behind the one at hand; two more stand behind the end of the text.
    func kind(_ ahead: Int) -> Token.Kind {
        index + ahead < tokens.count ? tokens[index + ahead].kind : .end
    }

    func range(_ index: Int) -> SourceRange {
        let token = tokens[index]
        var width = Int(token.end) - Int(token.offset)
        if !token.isPlain || token.kind == .refused {
            width = bytes[Int(token.offset)..<Int(token.end)].count { $0 & 0xC0 != 0x80 }
        }
        return SourceRange(
            token.start,
            SourcePosition(
                offset: Int(token.end), line: Int(token.line), column: Int(token.column) + width))
    }

    /// Where the token ends that was taken last.
    var previousEnd: SourcePosition { index > 0 ? range(index - 1).end : .start }

    /// How the token is spelled.
    func spelling(_ index: Int) -> String {
        String(decoding: bytes[Int(tokens[index].offset)..<Int(tokens[index].end)], as: UTF8.self)
    }

    func isWord(_ word: StaticString, at index: Int) -> Bool {
        let token = tokens[index]
        guard token.kind == .word, Int(token.end - token.offset) == word.utf8CodeUnitCount else {
            return false
        }
        for step in 0..<word.utf8CodeUnitCount
        where unsafe bytes[Int(token.offset) + step] != word.utf8Start[step] {
            return false
        }
        return true
    }

    /// `true` or `false`.
    func isTruth(_ index: Int) -> Bool { isWord("true", at: index) || isWord("false", at: index) }

    /// The word or string at `index` as a name.
    func name(_ index: Int) -> Name {
        switch tokens[index].kind {
        case .string: Name(text(ofString: index), isQuoted: true, range(index))
        case .word: Name(spelling(index), range(index))
        default: Name("", range(index))
        }
    }

    // MARK: - Statements

    mutating func contract() -> [Statement] { statements(isOutermost: true) }

    /// Statements up to a `}` of ours or the end of the text, whatever stands between.
    private mutating func statements(isOutermost: Bool) -> [Statement] {
        var statements: [Statement] = []
        var highest = 0
        while !isFull {
            switch kind {
            case .semicolon, .comma:
                index += 1
                continue
            case .rightBrace where isOutermost:
                report(
                    .unexpectedToken, "this '}' closes nothing", at: index,
                    hint: "remove it, or open the block that it was meant to close")
                index += 1
                continue
            case .end, .rightBrace,
                .rightParenthesis where !isOutermost && tokens[index].hasPartner,
                .rightBracket where !isOutermost && tokens[index].hasPartner:
                height = highest
                return statements
            default: break
            }
            let start = index
            do throws(Fault) {
                statements.append(try statement())
                highest = max(highest, height)
            } catch {
                recover(from: start)
            }
        }
        height = highest
        return statements
    }

    private mutating func statement() throws(Fault) -> Statement {
        switch kind {
        case .word:
            switch keyword(at: index) {
            case nil: return try headed()
            case .if: return try conditional()
            case .for: return try loop()
            case .let: return try binding()
            case .return: return try result()
            case .function: return try function()
            case .on: return try handler()
            case .else:
                throw fault(
                    "this 'else' belongs to no 'if'", at: index, hint: "it stands behind the '}' of an 'if'")
            }
        case .string, .refused: return try headed()
        default: throw misplacedToken()
        }
    }

    /// A flag, a property, a section or a call: what begins with a name that is no keyword.
    private mutating func headed() throws(Fault) -> Statement {
        let first = index
        let start = tokens[first].start
        index += 1
        switch kind {
        case .colon, .equals:
            let separator: Statement.Separator = kind == .colon ? .colon : .equals
            index += 1
            previousHead = first
            let value = try value()
            height += 1
            return Statement(.property(name(first), separator, value), SourceRange(start, value.range.end))
        case .leftParenthesis where tokens[first].kind != .string && !isTruth(first):
            let call = try call(first)
            height += 1
            return Statement(.call(call), call.range)
        case .leftBrace: return try section(first, arguments: [])
        default: break
        }
        guard beginsBareValue(at: index) else {
            guard endsStatement(at: index) || tokens[first].isSuspect else {
                throw misplacedToken(behind: first)
            }
            height = 1
            return Statement(.flag(name(first)), SourceRange(start, range(first).end))
        }
        if index >= lookedAheadTo, argumentsLeadToBlock() {
            var arguments: [Expression] = []
            var highest = 0
            while kind != .leftBrace {
                arguments.append(try unary())
                highest = max(highest, height)
            }
            let section = try section(first, arguments: arguments)
            height = max(height, highest + 1)
            return section
        }
        previousHead = first
        let value = try expression()
        height += 1
        return Statement(.property(name(first), .none, value), SourceRange(start, value.range.end))
    }

    private mutating func section(_ first: Int, arguments: [Expression]) throws(Fault) -> Statement {
        let block = try block()
        height += 1
        return Statement(
            .section(name(first), arguments: arguments, block),
            SourceRange(tokens[first].start, block.range.end))
    }

    /// Whether what follows may stand behind a head without a sign between them.
    ///
    /// A word or a string on the next line is a statement of its own, and so is a keyword.
    private func beginsBareValue(at index: Int) -> Bool {
        switch tokens[index].kind {
        case .word: !tokens[index].startsLine && keyword(at: index) == nil
        case .string, .refused: !tokens[index].startsLine
        case .integer, .decimal, .duration, .leftBracket, .minus, .not: true
        default: false
        }
    }

    private func endsStatement(at index: Int) -> Bool {
        switch tokens[index].kind {
        case .semicolon, .comma, .rightBrace, .end: true
        default: tokens[index].startsLine
        }
    }

    /// Whether what follows on this line are arguments up to a `{`, which may stand on the next.
    ///
    /// Where they are not, it is known for every head among them too: so a line is looked at once.
    private mutating func argumentsLeadToBlock() -> Bool {
        var ahead = index
        while true {
            let token = tokens[ahead]
            if token.kind == .leftBrace { return true }
            guard !token.startsLine else { break }
            switch token.kind {
            case .string, .integer, .decimal, .duration, .refused:
                ahead += 1
                continue
            case .minus where tokens[ahead + 1].kind.isNumber:
                ahead += 2
                continue
            case .word where keyword(at: ahead) == nil:
                ahead += 1
                while tokens[ahead].kind == .dot, tokens[ahead + 1].kind == .word { ahead += 2 }
                continue
            case .leftBracket where token.hasPartner:
                ahead = Int(token.partner) + 1
                continue
            default: break
            }
            break
        }
        lookedAheadTo = ahead
        return false
    }

    mutating func block() throws(Fault) -> Block {
        guard kind == .leftBrace else { throw expected("'{'") }
        let first = index
        let (outer, lookedAhead) = (outermost, lookedAheadTo)
        (outermost, lookedAheadTo) = (nil, 0)
        index += 1
        let statements = statements(isOutermost: false)
        (outermost, lookedAheadTo) = (outer, lookedAhead)
        if kind == .rightBrace {
            index += 1
        } else if kind == .end || isFull {
            reportUnclosedBlock()
        } else {
            let hint = "the '{' in line \(tokens[first].line) is not closed"
            _ = fault("expected '}', found \(description(index))", at: index, hint: hint)
        }
        return Block(statements, SourceRange(tokens[first].start, previousEnd))
    }

    // MARK: - Faults

    /// Notes a fault, unless it is the consequence of one that has been reported already.
    mutating func report(_ code: DiagnosticCode, _ message: String, at index: Int, hint: String? = nil) {
        let isConsequence =
            tokens[index].isSuspect || index > 0 && tokens[index - 1].isSuspect
            || unterminatedLines.contains(tokens[index].line)
        guard !isFull, code != .unexpectedToken || !isConsequence else { return }
        if diagnostics.last?.range.start == tokens[index].start { return }
        diagnostics.append(Diagnostic(code, message, at: range(index), hint: hint))
    }
}
