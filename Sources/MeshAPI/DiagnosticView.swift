/// What is wrong with a script or a contract, and where.
public struct DiagnosticView: APIRecord, Hashable {
    /// Stable, such as `E2002` or `C301`.
    public var code: String
    /// One sentence.
    public var message: String
    /// Of the text, from 1; null for what no place of it caused.
    @Nullable public var line: Int?
    /// Of the line, in characters from 1.
    @Nullable public var column: Int?
    /// Behind the last character.
    @Nullable public var endColumn: Int?
    /// What to write instead, or what to do.
    @Nullable public var hint: String?
    /// All of it as people read it: several lines, with the text's own line and a caret.
    public var rendered: String

    public init(
        code: String, message: String, line: Int? = nil, column: Int? = nil, endColumn: Int? = nil,
        hint: String? = nil, rendered: String
    ) {
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.endColumn = endColumn
        self.hint = hint
        self.rendered = rendered
    }

    enum CodingKeys: String, CodingKey {
        case code
        case message
        case line
        case column
        case endColumn = "end_column"
        case hint
        case rendered
    }

    public static let fields: [APIField] = [
        APIField("code", .string),
        APIField("message", .string),
        APIField("line", .integer, nullable: true),
        APIField("column", .integer, nullable: true),
        APIField("end_column", .integer, nullable: true),
        APIField("hint", .string, nullable: true),
        APIField("rendered", .string),
    ]
}
