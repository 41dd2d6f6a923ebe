internal import IPLD
internal import MEW
internal import MeshAPI
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshGraph
internal import MeshIdentity
internal import MeshStorage

// The property graph: changes are folded like any entry, and programs become changes.
extension NodeEngine {
    // MARK: Folding

    mutating func foldGraph(
        _ record: GraphChangeEntry, cid: CID, position: EntryPosition, _ step: Step
    ) throws(StorageError) {
        let folded = try replica.fold(record, at: position, in: step.storage)
        note(folded)
        if let void = folded.void {
            effects.append(
                .log(
                    .warning,
                    "a change of \(name(of: position.author)) is void: \(void.code.rawValue): \(void.message)"
                ))
            effects.append(
                .event(
                    kind: "graph.void", job: nil, node: position.author, cid: cid,
                    detail: "\(void.code.rawValue): \(void.message)"))
        }
    }

    mutating func undoGraph(
        _ record: GraphChangeEntry, position: EntryPosition, _ step: Step
    ) throws(StorageError) {
        note(try replica.undo(record, at: position, in: step.storage))
    }

    private mutating func note(_ folded: GraphReplica.Folded) {
        graphTouched.entities += folded.touched
        if folded.isSchemaChanged { graphTouched.isSchemaChanged = true }
    }

    /// Tells those who watch what the step has touched, once.
    mutating func tellWatchers() {
        if !changed.isEmpty { graphTouched.isSystemChanged = true }
        guard !graphTouched.isEmpty else { return }
        graphTouched.entities = Set(graphTouched.entities).sorted()
        effects.append(.graphChanged(graphTouched))
        graphTouched = GraphTouched()
    }

    // MARK: Programs

    /// Runs a program; each of its units that changes something is published before the next one runs.
    mutating func run(_ script: GraphScript, _ step: Step) throws -> GraphRun {
        if !script.isDryRun { try requirePublishing() }
        let units = script.isDryRun ? [ScriptUnit.joined(script.units, isOpen: true)] : script.units
        guard units.count(where: \.isMutating) <= GraphScript.transactionCountMax else {
            throw Refused(
                422, ErrorCode.workLimit.rawValue,
                "the program has more than \(GraphScript.transactionCountMax) transactions",
                hint: "put its statements between BEGIN and COMMIT")
        }
        var run = GraphRun(results: [], bindings: script.bindings, failure: nil)
        let tables = StoredRows()
        var published: ScriptUnit?
        for unit in units {
            do {
                let outcome = try reading(tables, step) { engine throws in
                    try engine.run(unit, script, run.bindings, tables, step)
                }
                run.results += outcome.results
                run.bindings = outcome.bindings
                if unit.isMutating, !script.isDryRun { published = unit }
            } catch let failure as UnitFailure {
                run.failure = published == nil ? failure.diagnostic : Self.noting(unit, failure.diagnostic)
                return run
            }
        }
        return run
    }

    /// Says of a failure that it has not taken back what came before it.
    private static func noting(_ unit: ScriptUnit, _ diagnostic: Diagnostic) -> Diagnostic {
        let line = (unit.statements.first?.range ?? diagnostic.range)?.start.line
        let kept =
            line.map { "the statements before line \($0) have taken effect" }
            ?? "the statements before it have taken effect"
        return Diagnostic(
            diagnostic.code, diagnostic.message, at: diagnostic.range,
            hint: diagnostic.hint.map { "\($0); \(kept)" } ?? kept, severity: diagnostic.severity)
    }

    private mutating func run(
        _ unit: ScriptUnit, _ script: GraphScript, _ bindings: [String: String], _ tables: StoredRows,
        _ step: Step
    ) throws -> UnitOutcome {
        let environment = ScriptEnvironment(
            schema: replica.schema,
            authority: script.isKernel ? .kernel : Authority(actor: "\(signer.did)"), now: step.now,
            parameters: script.parameters, bindings: bindings, virtual: tables,
            stepLimit: Limits.writeSteps)
        guard unit.isMutating else {
            return try unit.read(environment, source: script.source, in: step.storage)
        }
        if unit.isOpen, !script.isDryRun {
            throw UnitFailure(
                diagnostic: Diagnostic(
                    .noTransaction, "BEGIN has no COMMIT, so nothing of it is kept",
                    at: unit.statements.first?.range, hint: "end it with COMMIT"), results: [])
        }
        // Whatever waits goes first: the change is then alone in its anchor, and its place is known.
        while !pending.isEmpty, !script.isDryRun { try publishPending(step) }
        let feed = FeedID(author: signer.did, scope: settings.scope)
        let position = EntryPosition(
            author: signer.did, scope: settings.scope, seq: graph.head(feed).map { $0.seq + 1 } ?? 0,
            index: 0,
            // Later than all that is there, as the anchor will be.
            time: .last)
        let (outcome, publication) = try replica.write(
            unit, environment, source: script.source, at: position, in: step.storage)
        if script.isDryRun { return outcome }
        if let indexes = outcome.indexes {
            var writer = GraphWriter(step.storage)
            try writer.setIndexes(indexes)
            graphTouched.isSchemaChanged = true
        }
        guard let publication else { return outcome }
        for block in publication.blocks where try !step.storage.hasBlock(block.cid) {
            try step.storage.putBlock(block.bytes, cid: block.cid)
        }
        publish(publication.entry.encoded, step)
        try publishPending(step)
        guard graph.head(feed)?.seq == position.seq else {
            throw Refused(
                409, "node.frozen", "this node's own feed is frozen, so nothing can be published in it")
        }
        return outcome
    }

    // MARK: System types

    /// How many rows of one system type a program that changes the graph may read.
    private static let systemRowCountMax = 10_000

    /// Runs a unit, and again with the rows of system types that it turned out to need.
    ///
    /// A unit that asks for rows which are not there fails, and is taken back like any that fails.
    private mutating func reading(
        _ tables: StoredRows, _ step: Step, _ body: (inout NodeEngine) throws -> UnitOutcome
    ) throws -> UnitOutcome {
        while true {
            do {
                return try body(&self)
            } catch let failure as UnitFailure {
                guard let missing = tables.takeMissing() else { throw failure }
                try supply(missing, to: tables, step)
            }
        }
    }

    private mutating func supply(_ wanted: StoredRows.Key, to tables: StoredRows, _ step: Step) throws {
        if wanted.type == "_Conflict" {
            tables.supply(try Conflicts.rows(GraphView(step.storage), replica.schema), for: wanted)
            return
        }
        if let key = wanted.lookUp {
            let found = try rows(ofType: wanted.type, where: key, after: nil, limit: .max, step).rows
            tables.supply(found, for: wanted)
            return
        }
        var found: [VirtualRow] = []
        var after: String?
        repeat {
            let (more, next) = try rows(ofType: wanted.type, where: nil, after: after, limit: 1000, step)
            found += more
            after = next
            if found.count > Self.systemRowCountMax {
                throw UnitFailure(
                    diagnostic: Diagnostic(
                        .workLimit,
                        "a program that changes the graph may read \(Self.systemRowCountMax) rows of \(wanted.type), and there are more",
                        hint: "read them with a MATCH of its own, and give what is needed as parameters"),
                    results: [])
            }
        } while after != nil
        tables.supply(found, for: wanted)
    }
}
