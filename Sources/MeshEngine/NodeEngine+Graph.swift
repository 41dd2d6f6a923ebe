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
    /// What system types read, besides what is stored.
    var graphSchema: GraphSchema { replica.schema }

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

    /// How many rows of one system type a program that changes the graph may read.
    private static let systemRowCountMax = 10_000

    /// Runs a program; each of its units that changes something is published before the next one runs.
    mutating func run(_ script: GraphScript, _ step: Step) throws -> GraphRun {
        if !script.isDryRun { try requirePublishing() }
        var run = GraphRun(results: [], bindings: script.bindings, failure: nil)
        let tables = try mentionedTables(script, step)
        for unit in script.isDryRun ? [Self.whole(script.units)] : script.units {
            do {
                let outcome = try self.run(unit, script, run.bindings, tables, step)
                run.results += outcome.results
                run.bindings = outcome.bindings
            } catch let failure as UnitFailure {
                run.failure = failure.diagnostic
                return run
            }
        }
        return run
    }

    /// A program as one transaction that is never kept.
    private static func whole(_ units: [ScriptUnit]) -> ScriptUnit {
        ScriptUnit(
            statements: units.flatMap(\.statements), isTransaction: true, isOpen: true, isMutating: true)
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

    /// The rows of the system types that a program mentions, as they are now.
    private mutating func mentionedTables(_ script: GraphScript, _ step: Step) throws -> StoredRows {
        let tables = StoredRows()
        let text = String(decoding: script.source, as: UTF8.self)
        for type in SystemRows.types where text.contains(type) {
            var rows: [VirtualRow] = []
            var after: String?
            repeat {
                let (more, next) = try self.rows(ofType: type, where: nil, after: after, limit: 1000, step)
                rows += more
                after = next
                if rows.count > Self.systemRowCountMax {
                    throw Refused(
                        422, "E9023",
                        "the program mentions \(type), of which there are more than \(Self.systemRowCountMax) rows",
                        hint: "read them with a MATCH of its own, and give what is needed as parameters")
                }
            } while after != nil
            tables.rows[type] = rows
        }
        return tables
    }
}

/// Rows that were read before a program runs.
final class StoredRows: VirtualTables {
    var rows: [String: [VirtualRow]] = [:]

    func rows(
        ofType type: String, where key: (attribute: String, value: GraphValue)?
    ) throws -> [VirtualRow] {
        rows[type] ?? []
    }
}
