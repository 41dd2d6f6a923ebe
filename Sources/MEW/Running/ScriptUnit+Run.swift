public import MeshDAG
public import MeshGraph
public import MeshStorage

/// What a unit gave, and what is to be published of it.
public struct UnitOutcome: Sendable {
    public let results: [StatementResult]
    /// The session's names afterwards, with the ids that they stand for.
    public let bindings: [String: String]
    /// `nil` where nothing has changed.
    public let change: GraphChange?
    /// Ontology blocks that were made, each on top of the one before.
    public let ontologies: [OntologyBlock]
    /// The indexes that there are to be; `nil` where nothing was asked of them.
    public let indexes: [IndexDefinition]?
}

/// A statement that failed, with what those before it in the unit gave.
///
/// Nothing of the unit has taken effect.
public struct UnitFailure: Error {
    public let diagnostic: Diagnostic
    public let results: [StatementResult]

    public init(diagnostic: Diagnostic, results: [StatementResult]) {
        self.diagnostic = diagnostic
        self.results = results
    }
}

extension ScriptUnit {
    /// Runs a unit that changes nothing, on a snapshot.
    ///
    /// `source`: The program's text.
    ///
    /// Throws ``UnitFailure``, or what the store throws.
    public func read(
        _ environment: ScriptEnvironment, source: [UInt8], in storage: any StorageReader
    ) throws -> UnitOutcome {
        let session = try Self.diagnosed([]) { try Session(environment, view: GraphView(storage)) }
        let runner = try Self.diagnosed([]) {
            try StatementRunner(session, source: source, transaction: nil, ontologies: nil)
        }
        var results: [StatementResult] = []
        for statement in sessions { _ = try Self.diagnosed([]) { try runner.run(statement) } }
        for statement in statements {
            results.append(try Self.diagnosed(results) { try runner.run(statement) })
        }
        return UnitOutcome(
            results: results, bindings: try session.bindingTexts(), change: nil, ontologies: [], indexes: nil)
    }

    /// Runs a unit that may change the graph, and takes everything back.
    ///
    /// The graph is then as it was; ``UnitOutcome/change`` is what is to be published at `position`, and has
    /// the effects that the unit has seen when it is applied there. A unit that ends by ROLLBACK has none.
    ///
    /// - `source`: The program's text.
    /// - `position`: Where the change will stand.
    /// - `ontologies`: Those in force, for LOAD and EXTEND ONTOLOGY.
    ///
    /// Throws ``UnitFailure``, or what the store throws; after the latter the transaction beneath can only
    ///   end.
    public func write(
        _ environment: ScriptEnvironment, source: [UInt8], at position: EntryPosition,
        ontologies: OntologyLoading, in storage: any StorageWriter
    ) throws -> UnitOutcome {
        let journal = Journal(storage)
        let start = journal.mark
        do {
            let outcome = try write(
                environment, source: source, at: position, ontologies: ontologies, journal: journal)
            try journal.rollback(to: start)
            return outcome
        } catch let failure as UnitFailure {
            try journal.rollback(to: start)
            throw failure
        }
    }

    private func write(
        _ environment: ScriptEnvironment, source: [UInt8], at position: EntryPosition,
        ontologies: OntologyLoading, journal: Journal
    ) throws -> UnitOutcome {
        let session = try Self.diagnosed([]) { try Session(environment, view: GraphView(journal)) }
        let transaction = GraphTransaction(session: session, journal: journal, position: position)
        let runner = try Self.diagnosed([]) {
            try StatementRunner(session, source: source, transaction: transaction, ontologies: ontologies)
        }
        var results: [StatementResult] = []
        for statement in sessions { _ = try Self.diagnosed([]) { try runner.run(statement) } }
        for statement in statements {
            results.append(try Self.diagnosed(results) { try runner.run(statement) })
        }
        let keeps = !runner.isRolledBack && !isOpen
        if !runner.isRolledBack, !isUnfinished {
            let warnings = try Self.diagnosed(results) { try runner.finish() }
            if !warnings.isEmpty, !results.isEmpty { results[results.count - 1].warnings += warnings }
        }
        let isChange = !transaction.operations.isEmpty || !runner.newOntologies.isEmpty
        return UnitOutcome(
            results: results,
            bindings: runner.isRolledBack ? environment.bindings : try session.bindingTexts(),
            change: keeps && isChange ? GraphChange(operations: transaction.operations) : nil,
            ontologies: keeps ? runner.newOntologies : [], indexes: keeps ? runner.indexes : nil)
    }

    /// Whether it ends inside a transaction: what only a commit judges is then not judged yet.
    private var isUnfinished: Bool {
        var isInside = false
        for statement in statements {
            switch statement.kind {
            case .begin: isInside = true
            case .commit, .rollback: isInside = false
            default: break
            }
        }
        return isInside
    }

    private static func diagnosed<Value>(
        _ results: [StatementResult], _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch let diagnostic as Diagnostic {
            throw UnitFailure(diagnostic: diagnostic, results: results)
        }
    }
}
