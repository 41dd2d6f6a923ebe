internal import MeshCore
/// What reading a program gave: every statement that could be read, and what was wrong with the others.
public struct ParsedScript: Sendable {
    public let statements: [Statement]
    /// In the order of their places; at most ``Parser/diagnosticsMax``.
    public let diagnostics: [Diagnostic]
}

/// One thing that was read by itself, or why it could not be.
public struct Parsed<Value: Sendable>: Sendable {
    /// `nil` when ``diagnostics`` says why.
    public let value: Value?
    public let diagnostics: [Diagnostic]

    /// The value of a text without a fault.
    ///
    /// - Throws: The first diagnostic, when there is one.
    public func get() throws(Diagnostic) -> Value {
        if let first = diagnostics.first { throw first }
        guard let value else { throw Diagnostic(.unexpectedToken, "there is nothing to read") }
        return value
    }
}

/// Reads the text of MEW programs into syntax trees.
///
/// A recursive descent with one token of its own and three to look ahead. Nothing that a text can hold makes it
/// trap, overflow the stack, or take memory out of proportion: a text is at most ``sourceBytesMax`` long, nests at
/// most ``nestingMax`` deep, and the tree of an expression is at most ``heightMax`` high, because whoever walks it
/// later does so by recursion.
///
/// A fault ends its statement and not the reading: it goes on at the next `;`, or at the next line that begins
/// with a statement, and so reports several faults at once.
public struct Parser {
    public static let sourceBytesMax = 1 << 20
    public static let nestingMax = 200
    public static let heightMax = 500
    public static let diagnosticsMax = 20

    private var lexer: Lexer
    /// The token at hand and those behind it.
    private var window: [Token] = []
    /// The token that was taken last.
    private(set) var previous: Token?
    var diagnostics: [Diagnostic] = []
    var depth = 0
    /// Braces that have been opened and not closed.
    var openBraces = 0
    /// How high the tree is of the expression that was read last; 0 for none.
    var height = 0

    private static let lookahead = 4

    private init(_ bytes: [UInt8]) {
        lexer = Lexer(bytes)
        for _ in 0..<Self.lookahead { window.append(lexer.next()) }
    }

    // MARK: - Entrances

    /// Reads a program: statements, bare declarations and bare instances.
    public static func script(_ source: String) -> ParsedScript {
        if let refusal = refuses(byteCount: source.utf8.count) {
            return ParsedScript(statements: [], diagnostics: [refusal])
        }
        var parser = Parser(Array(source.utf8))
        let statements = parser.statements()
        return ParsedScript(statements: statements, diagnostics: parser.allDiagnostics)
    }

    /// Reads a program from bytes that nobody has checked to be UTF-8.
    public static func script(bytes: [UInt8]) -> ParsedScript {
        if let refusal = refuses(byteCount: bytes.count) {
            return ParsedScript(statements: [], diagnostics: [refusal])
        }
        if let invalid = InvalidEncoding.find(in: bytes) {
            return ParsedScript(statements: [], diagnostics: [invalid])
        }
        return script(String(decoding: bytes, as: UTF8.self))
    }

    /// Reads one expression, and nothing behind it.
    public static func expression(_ source: String) -> Parsed<Expression> {
        whole(source) { parser throws(Reported) in try parser.expression() }
    }

    /// Reads one pattern with its WHERE, and nothing behind it: what a reactor's trigger is written as.
    public static func pattern(_ source: String) -> Parsed<Pattern> {
        whole(source) { parser throws(Reported) in try parser.pattern() }
    }

    /// Reads an ontology: `ontology Name { … }`, or declarations alone.
    ///
    /// Several wrappers are one ontology without a name that has the declarations of all.
    public static func ontology(_ source: String) -> Parsed<OntologyDeclaration> {
        whole(source) { parser throws(Reported) in parser.wholeOntology() }
    }

    private static func whole<Value>(
        _ source: String, _ read: (inout Parser) throws(Reported) -> Value
    ) -> Parsed<Value> {
        if let refusal = refuses(byteCount: source.utf8.count) {
            return Parsed(value: nil, diagnostics: [refusal])
        }
        var parser = Parser(Array(source.utf8))
        do throws(Reported) {
            let value = try read(&parser)
            _ = parser.takes(.semicolon)
            guard parser.current.kind == .end else { throw parser.expected("the end of the text") }
            let diagnostics = parser.allDiagnostics
            return Parsed(value: diagnostics.isEmpty ? value : nil, diagnostics: diagnostics)
        } catch {
            return Parsed(value: nil, diagnostics: parser.allDiagnostics)
        }
    }

    private static func refuses(byteCount: Int) -> Diagnostic? {
        guard byteCount > sourceBytesMax else { return nil }
        return Diagnostic(
            .tooLong, "a program has at most \(sourceBytesMax) bytes, this one has \(byteCount)",
            hint: "send it in parts, or import data with `meshctl graph import`")
    }

    /// What the lexer and the grammar found, in the order of the text.
    private var allDiagnostics: [Diagnostic] {
        let all = (lexer.diagnostics + diagnostics).enumerated().sorted { a, b in
            let (first, second) = (a.element.range?.start.offset ?? 0, b.element.range?.start.offset ?? 0)
            return first == second ? a.offset < b.offset : first < second
        }
        return all.prefix(Self.diagnosticsMax).map(\.element)
    }

    /// Whether reading on could tell nothing more.
    var hasEnoughDiagnostics: Bool { diagnostics.count + lexer.diagnostics.count >= Self.diagnosticsMax }

    // MARK: - Tokens

    var current: Token { window[0] }

    func peek(_ ahead: Int) -> Token { window[ahead] }

    @discardableResult
    mutating func advance() -> Token {
        let token = window.removeFirst()
        window.append(lexer.next())
        if token.isSymbol(.leftBrace) { openBraces += 1 }
        if token.isSymbol(.rightBrace) { openBraces -= 1 }
        previous = token
        return token
    }

    /// From `start` to the token that was taken last.
    func range(from start: Token) -> SourceRange { range(from: start.range.start) }

    func range(from start: SourcePosition) -> SourceRange {
        SourceRange(start, max(start, previous?.range.end ?? start))
    }

    /// Takes `symbol` when it stands here.
    mutating func takes(_ symbol: Symbol) -> Bool {
        guard current.isSymbol(symbol) else { return false }
        advance()
        return true
    }

    /// Takes `keyword` when it stands here.
    mutating func takes(_ keyword: Keyword) -> Bool {
        guard current.keyword == keyword else { return false }
        advance()
        return true
    }

    /// Takes the word `word`, which is a keyword in one place only, in any case of letters.
    mutating func takesWord(_ word: String) -> Bool {
        guard current.word?.lowercased() == word else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Symbol) throws(Reported) {
        guard takes(symbol) else { throw expected("'\(symbol.rawValue)'") }
    }

    mutating func expect(_ keyword: Keyword) throws(Reported) {
        guard takes(keyword) else { throw expected(keyword.text, near: [keyword.text]) }
    }

    // MARK: - Faults

    /// Notes that something else should stand here; a misspelt word is compared with those in `near`.
    mutating func expected(_ what: String, near: [String] = [], hint: String? = nil) -> Reported {
        // What the lexer has refused is told already.
        if current.kind == .refused || current.followsFault || previous?.kind == .refused {
            return Reported()
        }
        var message = "expected \(what)"
        if let previous { message += " after \(previous.description)" }
        message += ", found \(current.description)"
        let meant = current.word.flatMap { NearestName.of($0, among: near) }
        var place = current.range
        if current.kind == .end, let end = previous?.range.end { place = SourceRange(end, end) }
        return fail(.unexpectedToken, message, at: place, hint: meant.map { "did you mean \($0)?" } ?? hint)
    }

    mutating func fail(
        _ code: ErrorCode, _ message: String, at range: SourceRange? = nil, hint: String? = nil
    ) -> Reported {
        diagnostics.append(Diagnostic(code, message, at: range ?? current.range, hint: hint))
        return Reported()
    }

    // MARK: - Bounds

    /// Reads something that may hold its own kind.
    mutating func nested<Value>(
        _ read: (inout Parser) throws(Reported) -> Value
    ) throws(Reported) -> Value {
        guard depth < Self.nestingMax else { throw tooDeep() }
        depth += 1
        defer { depth -= 1 }
        return try read(&self)
    }

    mutating func tooDeep() -> Reported {
        fail(
            .nestedTooDeeply, "this nests deeper than \(Self.nestingMax) levels",
            hint: "take it apart: name parts by variables, or write lists instead of chains")
    }

    /// Nesting that the caller counts without recursion.
    mutating func checkDepth(adding count: Int) throws(Reported) {
        if depth + count > Self.nestingMax { throw tooDeep() }
    }
}

/// A fault that stands among the diagnostics already.
struct Reported: Error {}

/// The first place where bytes are not UTF-8.
enum InvalidEncoding {
    static func find(in bytes: [UInt8]) -> Diagnostic? {
        if String(validating: bytes, as: UTF8.self) != nil { return nil }
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var (offset, line, column) = (0, 1, 1)
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            offset += UTF8.width(scalar)
            column += 1
            if scalar == "\n" { (line, column) = (line + 1, 1) }
        }
        let place = SourcePosition(offset: offset, line: line, column: column)
        return Diagnostic(
            .invalidCharacter, "this byte does not belong to any UTF-8 character",
            at: SourceRange(place, place), hint: "save the program as UTF-8")
    }
}
