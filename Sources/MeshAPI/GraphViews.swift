/// Statements to run against the graph, in order: one script.
///
/// Statements between `BEGIN` and `COMMIT` are one transaction; every other commits by itself. The first
/// that fails ends the script. A transaction or session that is open at the end is undone or ended with it, which is
/// no fault.
public struct GraphRequest: APIRecord, Hashable {
    /// The statements.
    public var source: String
    /// What stands for `$name`: a timestamp, duration, hash or bytes is the text or number that results use.
    public var parameters: [String: JSONValue]?
    /// What `#name` and `name` mean from earlier statements of a session: ids of entities.
    public var bindings: [String: String]?
    /// Whether everything is undone at the end; the answer is as if it had been kept.
    public var dryRun: Bool?
    /// Whether a script without `BEGIN` of its own is one transaction: all of it takes effect, or nothing.
    public var atomic: Bool?
    /// What diagnostics call the text, such as a file's name: `query.mew`.
    public var name: String?

    public init(
        source: String, parameters: [String: JSONValue]? = nil, bindings: [String: String]? = nil,
        dryRun: Bool? = nil, atomic: Bool? = nil, name: String? = nil
    ) {
        self.source = source
        self.parameters = parameters
        self.bindings = bindings
        self.dryRun = dryRun
        self.atomic = atomic
        self.name = name
    }

    enum CodingKeys: String, CodingKey {
        case source
        case parameters
        case bindings
        case dryRun = "dry_run"
        case atomic
        case name
    }

    public static let fields: [APIField] = [
        APIField("source", .string),
        APIField("parameters", .map(.any), optional: true),
        APIField("bindings", .map(.string), optional: true),
        APIField("dry_run", .boolean, optional: true),
        APIField("atomic", .boolean, optional: true),
        APIField("name", .string, optional: true),
    ]
}

/// What came of a script.
public struct GraphResponse: APIRecord, Hashable {
    /// One for each statement, in order.
    public var results: [GraphResultView]
    /// The names that the session knows now, those of the request among them: to be sent with the next.
    public var bindings: [String: String]

    public init(results: [GraphResultView], bindings: [String: String] = [:]) {
        self.results = results
        self.bindings = bindings
    }

    public static let fields: [APIField] = [
        APIField("results", .array(.record("GraphResultView"))),
        APIField("bindings", .map(.string)),
    ]
}

/// What came of one statement.
///
/// In cells a timestamp is RFC 3339 text, a duration whole milliseconds, a hash hexadecimal, bytes base64
/// with padding, an entity `{"_id", "_type", …}` with its attributes, and an edge has `_targets` besides: a list
/// of ids.
///
/// A row of `SHOW TYPES` has `name`, `abstract`, `system` and `attributes`: a list of `name: Type`, those inherited among
/// them and aliases resolved. One of `SHOW EDGES` has `name`, `system`, `parameters` and `attributes` in that form.
public struct GraphResultView: APIRecord, Hashable {
    /// Its kind: `match`, `spawn`, `link`, `unlink`, `set`, `kill`, `inspect`, `walk`, `trigger`, `show`,
    /// `explain`, `profile`, `begin`, `commit`, `rollback`, `savepoint`, `load_ontology`, `extend_ontology`,
    /// `create_index`, `drop_index`, `ack`, `nack` and so on.
    public var statement: String
    /// What the rows' cells are; empty for a statement without rows.
    public var columns: [String]
    /// Each as long as ``columns``.
    public var rows: [[JSONValue]]
    /// What else there is to say: `success`, `id`, `killed_count`, `killed_ids`, `cascade_count`,
    /// `unlinked_count`, `modified_count`, `fired`, `found`, `match_count`, `return_count` and so on.
    public var summary: [String: JSONValue]
    /// What was found fault with and done all the same.
    public var warnings: [DiagnosticView]

    public init(
        statement: String, columns: [String] = [], rows: [[JSONValue]] = [],
        summary: [String: JSONValue] = [:], warnings: [DiagnosticView] = []
    ) {
        self.statement = statement
        self.columns = columns
        self.rows = rows
        self.summary = summary
        self.warnings = warnings
    }

    public static let fields: [APIField] = [
        APIField("statement", .string),
        APIField("columns", .array(.string)),
        APIField("rows", .array(.array(.any))),
        APIField("summary", .map(.any)),
        APIField("warnings", .array(.record("DiagnosticView"))),
    ]
}
