internal import MeshCore
/// A program's statements, gathered into what commits together.
public struct ScriptUnit: Sendable {
    public let statements: [Statement]
    /// Whether it stood between BEGIN and COMMIT.
    public let isTransaction: Bool
    /// Whether BEGIN had no COMMIT: it may be tried, and is never kept.
    public let isOpen: Bool
    /// Whether it may change the graph, so that only the engine may run it.
    public let isMutating: Bool
    /// The `BEGIN SESSION` of earlier units that are open where this one begins, outermost first.
    public let sessions: [Statement]

    public init(
        statements: [Statement], isTransaction: Bool, isOpen: Bool, isMutating: Bool,
        sessions: [Statement] = []
    ) {
        self.statements = statements
        self.isTransaction = isTransaction
        self.isOpen = isOpen
        self.isMutating = isMutating
        self.sessions = sessions
    }

    /// The units of a program, in order.
    ///
    /// Consecutive reading statements are one unit: they see the same state. So are consecutive bare instances
    /// and their edges, which name one another.
    ///
    /// - Throws: ``ErrorCode/transactionActive`` for a BEGIN inside a transaction,
    ///   ``ErrorCode/noTransaction`` for what belongs into one and stands outside.
    public static func units(of statements: [Statement]) throws(Diagnostic) -> [ScriptUnit] {
        var units: [ScriptUnit] = []
        var open: [Statement]?
        var reads: [Statement] = []
        var instances: [Statement] = []
        // Sessions reach over units: those open now, and those open where the unit being gathered began.
        var sessions: [Statement] = []
        var sessionsBefore: [Statement] = []
        func close(_ statements: [Statement], isTransaction: Bool, isOpen: Bool, isMutating: Bool) {
            units.append(
                ScriptUnit(
                    statements: statements, isTransaction: isTransaction, isOpen: isOpen,
                    isMutating: isMutating, sessions: sessionsBefore))
            sessionsBefore = sessions
        }
        func flush() {
            if !reads.isEmpty { close(reads, isTransaction: false, isOpen: false, isMutating: false) }
            if !instances.isEmpty { close(instances, isTransaction: false, isOpen: false, isMutating: true) }
            reads = []
            instances = []
        }
        for statement in statements {
            switch statement.kind {
            case .begin:
                guard open == nil else {
                    throw Diagnostic(
                        .transactionActive, "a transaction is open already", at: statement.range,
                        hint: "COMMIT or ROLLBACK it first, or use SAVEPOINT")
                }
                flush()
                open = [statement]
            case .commit, .rollback:
                guard let gathered = open else { throw outside(statement) }
                let all = gathered + [statement]
                close(
                    all, isTransaction: true, isOpen: false, isMutating: all.contains(where: \.isMutating))
                open = nil
            case .savepoint, .rollbackTo:
                guard open != nil else { throw outside(statement) }
                open?.append(statement)
            default:
                if case .beginSession = statement.kind { sessions.append(statement) }
                if case .endSession = statement.kind { _ = sessions.popLast() }
                if open != nil {
                    open?.append(statement)
                } else if statement.isBare, instances.count < bareCountMax {
                    if !reads.isEmpty { flush() }
                    instances.append(statement)
                } else if statement.isMutating {
                    flush()
                    close([statement], isTransaction: false, isOpen: false, isMutating: true)
                } else {
                    if !instances.isEmpty { flush() }
                    reads.append(statement)
                }
            }
        }
        flush()
        if let open { close(open, isTransaction: true, isOpen: true, isMutating: true) }
        return units
    }

    /// All units as one transaction.
    ///
    /// `isOpen`: Whether it is tried and never kept.
    public static func joined(_ units: [ScriptUnit], isOpen: Bool) -> ScriptUnit {
        ScriptUnit(
            statements: units.flatMap(\.statements), isTransaction: true, isOpen: isOpen, isMutating: true)
    }

    /// How many bare instances commit together.
    private static let bareCountMax = 10_000

    private static func outside(_ statement: Statement) -> Diagnostic {
        Diagnostic(.noTransaction, "no transaction is open", at: statement.range, hint: "BEGIN opens one")
    }
}

extension Statement {
    /// Whether it may change the graph, the ontology or the indexes.
    public var isMutating: Bool {
        switch kind {
        case .matchMutate(_, let changes): changes.contains(where: \.isMutating)
        case .spawn, .link, .unlink, .set, .kill, .trigger, .loadOntology, .loadOntologyFrom,
            .extendOntology, .createIndex, .dropIndex, .instance, .edgeInstance:
            true
        case .profile(let inner): inner.isMutating
        default: false
        }
    }
}

extension Statement {
    /// Whether it is an instance, or an edge, as `.mew` files write them.
    fileprivate var isBare: Bool {
        switch kind {
        case .instance, .edgeInstance: true
        default: false
        }
    }
}
