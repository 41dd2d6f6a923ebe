internal import IPLD
internal import MeshCore
internal import MeshGraph

/// Runs the statements of one unit, one after the other.
///
/// Without a transaction it reads only.
final class StatementRunner {
    let session: Session
    let transaction: GraphTransaction?
    let ontologies: OntologyLoading?
    /// The program's text: an ontology is published as it was written.
    let source: [UInt8]
    private var constraints: ConstraintChecker?
    private var savepoints: [Savepoint] = []
    /// Instances of the file, for the names that bare edges use.
    var instances: [(name: String?, type: String, id: LocalID)] = []
    /// The ontology blocks that LOAD and EXTEND have made, the last being the one in force.
    private(set) var newOntologies: [OntologyBlock] = []
    /// What CREATE and DROP INDEX ask for; done when the unit commits.
    private(set) var indexes: [IndexDefinition]?
    private(set) var isRolledBack = false

    /// Where ROLLBACK TO goes back to: the graph, the schema and the indexes asked for.
    private struct Savepoint {
        let name: String
        let mark: GraphTransaction.Mark
        let schema: GraphSchema
        let ontologyCount: Int
        let indexes: [IndexDefinition]?
    }

    init(
        _ session: Session, source: [UInt8], transaction: GraphTransaction?, ontologies: OntologyLoading?
    ) throws {
        self.session = session
        self.source = source
        self.transaction = transaction
        self.ontologies = ontologies
        if transaction != nil { try useSchema() }
    }

    /// `own`: The declarations that must be sound: those that this very statement loads.
    private func useSchema(own: Set<String> = []) throws {
        transaction?.rules = session.schema.rules.isEmpty ? nil : try RuleEngine(session, own: own)
        constraints = try ConstraintChecker(session, own: own)
    }

    func run(_ statement: Statement) throws -> StatementResult {
        guard !isRolledBack else {
            throw Diagnostic(.noTransaction, "the transaction has been rolled back", at: statement.range)
        }
        transaction?.warnings = []
        var result = try result(of: statement)
        if let transaction, let constraints {
            try constraints.checkNear(transaction.takeDirty(), transaction)
            result.warnings += transaction.warnings
        }
        return result
    }

    /// Judges what is judged at a commit.
    func finish() throws -> [Diagnostic] {
        guard let transaction, let constraints else { return [] }
        transaction.warnings = []
        guard !transaction.touched.isEmpty else { return [] }
        try constraints.checkFar(transaction)
        try constraints.checkMinimums(transaction.touched, transaction)
        return transaction.warnings
    }

    private func result(of statement: Statement) throws -> StatementResult {
        switch statement.kind {
        case .match(let match): return try self.match(match)
        case .walk(let walk): return try self.walk(walk)
        case .matchMutate(let pattern, let statements): return try matchMutate(pattern, statements)
        case .inspect(let name, let returning): return try inspect(name, returning)
        case .show(let show): return try self.show(show)
        case .explain(let inner): return try explain(inner, isProfile: false)
        case .profile(let inner): return try explain(inner, isProfile: true)
        case .begin: return StatementResult(statement: "begin")
        case .commit: return StatementResult(statement: "commit")
        case .rollback:
            isRolledBack = true
            return StatementResult(statement: "rollback")
        case .savepoint(let name):
            guard let transaction else { return StatementResult(statement: "savepoint") }
            savepoints.append(
                Savepoint(
                    name: name.text, mark: transaction.mark, schema: session.schema,
                    ontologyCount: newOntologies.count, indexes: indexes))
            return StatementResult(statement: "savepoint")
        case .rollbackTo(let name):
            guard let place = savepoints.lastIndex(where: { $0.name == name.text }) else {
                throw Diagnostic(
                    .unknownSavepoint, "there is no savepoint \(name.text)", at: name.range,
                    hint: NearestName.of(name.text, among: savepoints.map(\.name)).map {
                        "did you mean \($0)?"
                    })
            }
            let savepoint = savepoints[place]
            if newOntologies.count > savepoint.ontologyCount {
                newOntologies.removeSubrange(savepoint.ontologyCount...)
                try session.use(savepoint.schema)
                try useSchema()
            }
            indexes = savepoint.indexes
            try transaction?.rollBack(to: savepoint.mark)
            savepoints.removeSubrange((place + 1)...)
            return StatementResult(statement: "rollback_to")
        case .beginSession(let target):
            try beginSession(target, statement.range)
            return StatementResult(statement: "begin_session")
        case .endSession:
            guard let outer = session.authorities.popLast() else {
                throw Diagnostic(.noActorBound, "no session is open", at: statement.range)
            }
            session.authority = outer
            return StatementResult(statement: "end_session")
        case .unsupported(let name):
            throw Diagnostic.unsupported(name, at: statement.range)
        case .watch, .acknowledge, .manageWatch, .alterWatch:
            throw Diagnostic(
                .watchUnknown, "a watch lives as long as the connection that opened it",
                at: statement.range, hint: "meshctl graph watch 'WATCH …'")
        default:
            guard let transaction else {
                throw Diagnostic(
                    .noTransaction, "a program that only reads cannot change anything", at: statement.range)
            }
            return try mutate(statement, transaction)
        }
    }

    // MARK: Reading

    func walk(_ walk: WalkStatement) throws -> StatementResult {
        let runner = try WalkRunner(walk, session)
        var result = StatementResult(statement: "walk")
        result.columns = runner.columns
        result.rows = try runner.run()
        result.summary = [.init("return_count", .int(Int64(result.rows.count)))]
        return result
    }

    private func match(_ match: MatchStatement) throws -> StatementResult {
        var compiler = try session.compiler()
        let program = try compiler.match(match)
        try compiler.names.resolve(session.view)
        let context = session.context(compiler.names, slotCount: compiler.slotCount)
        var result = StatementResult(statement: "match")
        result.columns = program.columns
        let rows = try program.run(context)
        result.rows = try rows.map { try $0.map { try context.result($0) } }
        result.summary = [.init("return_count", .int(Int64(rows.count)))]
        return result
    }

    private func inspect(_ name: Name, _ returning: [Projection]?) throws -> StatementResult {
        let context = session.context(NameSlots(), slotCount: 0)
        var result = StatementResult(statement: "inspect")
        guard let id = try context.resolve(name.text, at: name.range),
            try context.visibility?.isVisible(id, context) ?? true,
            case .entity(let shown) = try context.result(.entity(id))
        else {
            result.summary = [.init("found", .bool(false)), .init("type", .null), .init("data", .null)]
            return result
        }
        result.summary = [
            .init("found", .bool(true)), .init("type", .string(shown.targets == nil ? "node" : "edge")),
            .init("data", .entity(shown)),
        ]
        if let returning {
            (result.columns, result.rows) = try Fields(session: session, projections: returning)
                .rows(of: [id], created: nil)
        }
        return result
    }

    private func beginSession(_ target: EntityTarget, _ range: SourceRange) throws {
        let id = try one(target, range)
        let context = session.unfilteredContext(NameSlots(), slotCount: 0)
        let type = try context.typeName(id) ?? "nothing"
        let actors = ["Person", "Agent", "Service"]
        guard actors.contains(where: { session.schema.isSubtype(type, of: $0) }) else {
            throw Diagnostic(
                .invalidActor, "\(type) is no type of actor", at: range,
                hint: "actors are of the types \(actors.joined(separator: ", ")), and of those below them")
        }
        session.authorities.append(session.authority)
        session.authority.sessionActor = id
    }

    // MARK: Targets

    /// The one entity that a target names.
    ///
    /// Where a merge has given several what only one may have, the one that was there first is meant, on every
    /// replica; MATCH and `_Conflict` show them all.
    func one(_ target: EntityTarget, _ range: SourceRange) throws -> LocalID {
        let found = try all(target, range)
        if found.count == 1 { return found[0] }
        if try shareUniqueValue(found), let first = try session.view.earliest(of: found) { return first }
        throw Diagnostic(
            .notOneMatch, "exactly one is wanted here, and the MATCH gives \(found.count)", at: range,
            hint: found.isEmpty ? nil : "narrow the pattern, or add LIMIT 1")
    }

    /// Whether some value that must be unique is the same in all of these.
    private func shareUniqueValue(_ found: [LocalID]) throws -> Bool {
        guard found.count > 1, !found.contains(where: \.isVirtual), let first = try session.view.row(found[0])
        else { return false }
        let type = try session.view.name(first.type)
        for attribute in session.schema.nodes[type]?.attributes ?? [] where attribute.isUnique {
            guard let name = try session.view.nameID(attribute.name) else { continue }
            let value = try first.value(name, in: session.view)
            let isShared = try found.allSatisfy { id in
                try session.view.row(id)?.value(name, in: session.view) == value
            }
            if isShared, !value.isNull { return true }
        }
        return false
    }

    /// The entities that a target names.
    func all(_ target: EntityTarget, _ range: SourceRange) throws -> [LocalID] {
        let context = session.context(NameSlots(), slotCount: 0)
        func named(_ text: String, _ what: String, _ range: SourceRange) throws -> [LocalID] {
            if let id = try context.resolve(text, at: range), try isSeen(id, context) { return [id] }
            throw Diagnostic(
                .unknownReference, "\(what) is not there", at: range,
                hint: NearestName.of(text, among: session.bindings.keys.sorted()).map {
                    "did you mean \($0)?"
                })
        }
        switch target {
        case .reference(let name): return try named(name.text, "#\(name.text)", name.range)
        case .variable(let name):
            if let id = session.bindings[name.text] { return [id] }
            throw Diagnostic(
                .unknownVariable, "there is no variable \(name.text)", at: name.range,
                hint: NearestName.of(name.text, among: session.bindings.keys.sorted()).map {
                    "did you mean \($0)?"
                } ?? "#\(name.text) names an entity by its key")
        case .parameter(let name):
            guard case .string(let text)? = session.parameters[name.text] else {
                throw Diagnostic(
                    .missingParameter, "the parameter $\(name.text) is not given as an id", at: name.range)
            }
            return try named(text, "what $\(name.text) names", name.range)
        case .match(let match, _):
            var compiler = try session.compiler()
            let program = try compiler.match(match)
            try compiler.names.resolve(session.view)
            let context = session.context(compiler.names, slotCount: compiler.slotCount)
            var seen: Set<LocalID> = []
            var found: [LocalID] = []
            for row in try program.run(context) {
                guard case .entity(let id)? = row.first else {
                    throw Diagnostic(
                        .typeMismatch, "the MATCH must return entities first", at: range,
                        hint: "RETURN the variable itself")
                }
                if seen.insert(id).inserted { found.append(id) }
            }
            return found
        }
    }

    private func isSeen(_ id: LocalID, _ context: ExecutionContext) throws -> Bool {
        try context.visibility?.isVisible(id, context) ?? true
    }

    // MARK: Ontologies

    /// Goes on with the schema that a new block on top of those in force makes.
    func load(_ declaration: OntologyDeclaration, isExtension: Bool) throws -> StatementResult {
        let range = declaration.range
        let text = source[max(0, range.start.offset)..<min(source.count, range.end.offset)]
        let source = String(decoding: text, as: UTF8.self)
        guard let ontologies else {
            throw Diagnostic(.noTransaction, "ontologies are loaded by transactions", at: declaration.range)
        }
        try session.policies?.require(
            PolicySet.Request(kind: .spawn, isMeta: true), session.authority, at: range)
        let bases = newOntologies.last.map { [$0.block.cid] } ?? ontologies.heads
        let block: OntologyBlock
        do throws(IPLDError) { block = try OntologyBlock(bases: bases, source: source) } catch {
            throw Diagnostic(.tooLong, error.message, at: range, hint: error.hint)
        }
        let made = newOntologies
        let resolution = try OntologyResolver.resolve(
            block, named: block.block.cid, declared: declaration
        ) { cid throws(any Error) in
            try made.first { $0.block.cid == cid } ?? ontologies.load(cid)
        }
        switch resolution {
        case .missing(let cid):
            throw Diagnostic(.storageFailed, "the ontology \(cid) is not here", at: range)
        case .refused(let fault): throw fault
        case .resolved(let resolved):
            if let fault = resolved.diagnostics.first(where: { $0.severity == .error }) {
                throw fault
            }
            if let lost = resolved.ownConflicts.first { throw lost.diagnostic }
            newOntologies.append(block)
            let own = Set(declaration.declarations.map(\.name.text))
            try session.use(resolved.schema, own: own)
            try useSchema(own: own)
            var result = StatementResult(statement: isExtension ? "extend_ontology" : "load_ontology")
            result.summary = [
                .init("success", .bool(true)), .init("ontology", .string("\(block.block.cid)")),
                .init("types", .int(Int64(resolved.schema.nodes.values.filter { !$0.isSystem }.count))),
                .init("edges", .int(Int64(resolved.schema.edges.values.filter { !$0.isSystem }.count))),
            ]
            result.warnings = resolved.diagnostics
            return result
        }
    }

    /// The indexes that there will be when the unit commits.
    func changeIndexes(_ change: (inout [IndexDefinition]) throws -> Void) throws {
        var definitions = try indexes ?? session.view.indexes().map(\.definition)
        try change(&definitions)
        indexes = definitions
    }
}
