internal import MeshCore
internal import MeshGraph

/// What the statements of one script share while they run in one transaction.
///
/// Used by one thread.
final class Session {
    let view: GraphView
    var schema: GraphSchema
    let now: Timestamp
    let stepLimit: Int
    let parameters: [String: GraphValue]
    var authority: Authority
    /// Actors beneath the one in force, for nested sessions.
    var authorities: [Authority] = []
    var bindings: [String: LocalID] = [:]
    let rows: VirtualEntities
    private var statistics: GraphStatistics?
    /// `nil` where the schema declares no policy.
    private(set) var policies: PolicySet?

    init(_ environment: ScriptEnvironment, view: GraphView) throws {
        self.view = view
        schema = environment.schema
        now = environment.now
        stepLimit = environment.stepLimit
        parameters = environment.parameters
        authority = environment.authority
        rows = VirtualEntities(environment.virtual)
        try readPolicies()
        let context = self.context(NameSlots(), slotCount: 0)
        for name in environment.bindings.keys.sorted() {
            guard let text = environment.bindings[name] else { continue }
            // What has gone since is no longer bound.
            if let id = try context.resolve(text) { bindings[name] = id }
        }
    }

    /// Goes on with another schema, after LOAD or EXTEND ONTOLOGY.
    ///
    /// `own`: The declarations that must be sound; see ``sound(_:own:_:)``.
    func use(_ schema: GraphSchema, own: Set<String> = []) throws {
        self.schema = schema
        statistics = nil
        try readPolicies(own: own)
    }

    private func readPolicies(own: Set<String> = []) throws {
        policies = schema.policies.isEmpty ? nil : try PolicySet(self, own: own)
    }

    /// What a declaration compiles to; `nil` for one that does not fit the schema, unless it is one's own.
    ///
    /// Ontologies that were made apart may not fit once they are joined: a name that another has declared first
    /// is not what a rule meant. What nobody here has written must not keep everybody from writing.
    func sound<Program>(
        _ name: Name, own: Set<String>, _ compile: (inout Compiler) throws -> Program
    ) throws -> Program? {
        do {
            // The names of the session are no business of a declaration.
            var compiler = try declarationCompiler()
            return try compile(&compiler)
        } catch let fault as Diagnostic {
            if own.contains(name.text) { throw fault }
            return nil
        }
    }

    /// A compiler for rules, constraints and policies: it knows no name of the session.
    func declarationCompiler() throws -> Compiler { try compiler(variables: [:]) }

    /// A compiler for one statement.
    func compiler() throws -> Compiler {
        var variables: [String: StaticType] = [:]
        for name in bindings.keys.sorted() {
            guard let id = bindings[name] else { continue }
            variables[name] = try staticType(id)
        }
        return try compiler(variables: variables)
    }

    private func compiler(variables: [String: StaticType]) throws -> Compiler {
        let statistics = try self.statistics ?? GraphStatistics(view)
        self.statistics = statistics
        return Compiler(
            schema: schema, names: NameSlots(), sessionVariables: variables, statistics: statistics)
    }

    private func staticType(_ id: LocalID) throws -> StaticType {
        if let (type, _) = rows.row(id) { return .node(type) }
        guard let row = try view.row(id) else { return .unknown }
        let type = try view.name(row.type)
        return row.isEdge ? .edge(type) : .node(type)
    }

    /// What a compiled program is evaluated in; reads are filtered by policy.
    func context(_ names: NameSlots, slotCount: Int) -> ExecutionContext {
        let context = unfilteredContext(names, slotCount: slotCount)
        if authority.actor != nil, let policies { context.visibility = policies.visibility(for: authority) }
        return context
    }

    /// The same for what runs with the system's eyes: rules, constraints, policies.
    func unfilteredContext(_ names: NameSlots, slotCount: Int) -> ExecutionContext {
        ExecutionContext(
            view: view, schema: schema, names: names, slotCount: slotCount, now: now, rows: rows,
            parameters: parameters, bindings: bindings, authority: authority, stepsLeft: stepLimit)
    }

    /// The session's names with the ids that they stand for.
    func bindingTexts() throws -> [String: String] {
        let context = unfilteredContext(NameSlots(), slotCount: 0)
        return try bindings.mapValues { try context.idText($0) }
    }
}
