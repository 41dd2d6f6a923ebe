/// The words that the grammar asks for somewhere; in any case of letters, and names elsewhere.
enum Keyword: String, CaseIterable {
    // Expressions.
    case and, or, not, exists, `is`, `in`, null, `true`, `false`

    // Queries.
    case match, optional, `where`, `return`, returning, distinct, order, by, asc, desc, limit, offset, `as`
    case inspect, walk, from, follow, depth, until, collect, inbound, outbound, any, nodes, edges, path
    case terminal

    // Changes.
    case spawn, link, unlink, set, kill, cascade, no, `if`

    // Transactions and sessions.
    case begin, commit, rollback, savepoint, to, trigger, session, end, read, committed, serializable
    case transaction

    // Administration.
    case load, extend, ontology, show, create, drop, index, on, explain, profile

    // Watches.
    case watch, ack, nack, pause, resume, cancel, alter, `do`

    // Declarations.
    case type, node, edge, constraint, rule, policy, abstract, sealed, allow, deny, message, meta

    // Statements of the wider language that this implementation refuses by name.
    case tick, snapshot, checkout, diff, branch, `switch`, merge, versions

    private static let byText = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
    private static let longest = allCases.reduce(0) { max($0, $1.rawValue.utf8.count) }

    /// The keyword that `word` spells in any case, or `nil`.
    init?(word: String) {
        guard word.utf8.count <= Self.longest, let found = Self.byText[word.lowercased()] else { return nil }
        self = found
    }

    /// As canonical text writes it.
    var text: String { rawValue.uppercased() }

    /// Never a name of a variable, a type or an edge: an expression could not go on after it.
    var isReserved: Bool {
        switch self {
        case .and, .or, .not, .is, .in, .null, .true, .false, .where, .return, .returning, .as, .distinct:
            true
        default: false
        }
    }

    /// Begins a statement when it stands where one may.
    var startsStatement: Bool {
        switch self {
        case .match, .inspect, .walk, .spawn, .link, .unlink, .set, .kill, .begin, .commit, .rollback,
            .savepoint, .trigger, .end, .load, .extend, .show, .create, .drop, .explain, .profile, .watch,
            .ack, .nack, .pause, .resume, .cancel, .alter:
            true
        default: false
        }
    }

    /// Begins a declaration when a name follows.
    var startsDeclaration: Bool {
        switch self {
        case .type, .node, .edge, .constraint, .rule, .policy, .abstract, .sealed, .ontology: true
        default: false
        }
    }

    var isUnsupportedStatement: Bool {
        switch self {
        case .tick, .snapshot, .checkout, .diff, .branch, .switch, .merge, .versions: true
        default: false
        }
    }

    /// What a misspelt first word is compared with.
    static let statementWords =
        allCases.filter { $0.startsStatement || $0.startsDeclaration || $0.isUnsupportedStatement }.map(
            \.text)
    /// What a word is compared with that stands behind a whole statement.
    static let clauseWords: [String] =
        ([
            .where, .return, .returning, .order, .limit, .offset, .as, .and, .or, .optional, .cascade, .until,
            .depth, .follow, .collect, .set, .on,
        ] as [Keyword]).map(\.text)
}
