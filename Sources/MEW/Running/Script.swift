/// A program's statements, gathered into what commits together.
public struct ScriptUnit: Sendable {
    public let statements: [Statement]
    /// Whether it stood between BEGIN and COMMIT.
    public let isTransaction: Bool
    /// Whether BEGIN had no COMMIT: it may be tried, and is never kept.
    public let isOpen: Bool
    /// Whether it may change the graph, so that only the engine may run it.
    public let isMutating: Bool

    public init(statements: [Statement], isTransaction: Bool, isOpen: Bool, isMutating: Bool) {
        self.statements = statements
        self.isTransaction = isTransaction
        self.isOpen = isOpen
        self.isMutating = isMutating
    }

    /// The units of a program, in order.
    ///
    /// Consecutive reading statements are one unit: they see the same state.
    ///
    /// - Throws: ``ErrorCode/transactionActive`` for a BEGIN inside a transaction,
    ///   ``ErrorCode/noTransaction`` for what belongs into one and stands outside.
    public static func units(of statements: [Statement]) throws(Diagnostic) -> [ScriptUnit] {
        var units: [ScriptUnit] = []
        var open: [Statement]?
        var reads: [Statement] = []
        func flush() {
            if reads.isEmpty { return }
            units.append(
                ScriptUnit(statements: reads, isTransaction: false, isOpen: false, isMutating: false))
            reads = []
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
                units.append(
                    ScriptUnit(
                        statements: all, isTransaction: true, isOpen: false,
                        isMutating: all.contains(where: \.isMutating)))
                open = nil
            case .savepoint, .rollbackTo:
                guard open != nil else { throw outside(statement) }
                open?.append(statement)
            default:
                if open != nil {
                    open?.append(statement)
                } else if statement.isMutating {
                    flush()
                    units.append(
                        ScriptUnit(
                            statements: [statement], isTransaction: false, isOpen: false, isMutating: true))
                } else {
                    reads.append(statement)
                }
            }
        }
        flush()
        if let open {
            units.append(
                ScriptUnit(statements: open, isTransaction: true, isOpen: true, isMutating: true))
        }
        return units
    }

    private static func outside(_ statement: Statement) -> Diagnostic {
        Diagnostic(.noTransaction, "no transaction is open", at: statement.range, hint: "BEGIN opens one")
    }
}

extension Statement {
    /// Whether it may change the graph, the ontology or the indexes.
    public var isMutating: Bool {
        switch kind {
        case .matchMutate(_, let statements): statements.contains(where: \.isMutating)
        case .spawn, .link, .unlink, .set, .kill, .trigger, .loadOntology, .loadOntologyFrom,
            .extendOntology, .createIndex, .dropIndex, .instance, .edgeInstance:
            true
        case .profile(let inner): inner.isMutating
        default: false
        }
    }
}
