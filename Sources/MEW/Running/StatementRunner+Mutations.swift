internal import MeshCore
internal import MeshGraph

extension StatementRunner {
    /// Runs a statement that changes something.
    func mutate(_ statement: Statement, _ transaction: GraphTransaction) throws -> StatementResult {
        let range = statement.range
        switch statement.kind {
        case .spawn(let items, let returning): return try spawn(items, returning, transaction)
        case .instance(let item): return try instance(item, transaction)
        case .edgeInstance(let edge, let targets, let attributes):
            let ids = try instanceTargets(targets, of: edge, transaction)
            let (id, _) = try transaction.link(
                edge, ids, ifNotExists: false, try values(attributes), at: range)
            return try linked(id, created: true, nil)
        case .link(let link): return try self.link(link, range, transaction)
        case .unlink(let target, let returning):
            return try unlink(target, returning, range, transaction)
        case .set(let target, let attributes, let returning):
            return try set(target, attributes, returning, range, transaction)
        case .kill(let target, let mode, let returning):
            return try kill(target, mode, returning, range, transaction)
        case .trigger(let rule, let condition):
            guard let engine = transaction.rules else {
                throw Diagnostic(
                    .unknownRule, "there is no rule \(rule.text)", at: rule.range,
                    hint: "ontologies declare rules: rule name: pattern => action")
            }
            var result = StatementResult(statement: "trigger")
            let fired = try engine.trigger(rule, where: condition, transaction)
            result.summary = [.init("fired", .int(Int64(fired)))]
            return result
        case .loadOntology(let declaration): return try load(declaration, isExtension: false)
        case .extendOntology(let declaration): return try load(declaration, isExtension: true)
        case .loadOntologyFrom(let path):
            throw Diagnostic(
                .unsupportedStatement, "the node reads no files: \(path) is on the client's side", at: range,
                hint: "meshctl query and meshctl graph load read it and send what is in it")
        case .createIndex(let name, let type, let attributes):
            return try createIndex(name, type, attributes)
        case .dropIndex(let name): return try dropIndex(name)
        default:
            throw Diagnostic(.unsupportedStatement, "this changes nothing here", at: statement.range)
        }
    }

    // MARK: Values

    /// The values of an attribute block.
    func values(_ assignments: [AttributeAssignment]) throws -> [AssignedValue] {
        try assignments.map { assignment in
            let isParameter = if case .parameter = assignment.value.kind { true } else { false }
            return AssignedValue(
                name: assignment.attribute, value: try value(assignment.value),
                range: assignment.value.range, isParameter: isParameter)
        }
    }

    private func value(_ expression: Expression) throws -> GraphValue {
        // What most statements hold needs no compiler.
        switch expression.kind {
        case .literal(let value): return value
        case .parameter(let name, _): if let value = session.parameters[name] { return value }
        default: break
        }
        var compiler = try session.compiler()
        let code = try compiler.expression(expression, Scope()).code
        try compiler.names.resolve(session.view)
        return try session.context(compiler.names, slotCount: compiler.slotCount).evaluate(code)
    }

    private func idText(_ id: LocalID) throws -> ResultValue {
        .string(try session.view.entityID(id).description)
    }

    // MARK: SPAWN

    private func spawn(
        _ items: [SpawnItem], _ returning: [Projection]?, _ transaction: GraphTransaction
    ) throws -> StatementResult {
        var result = StatementResult(statement: "spawn")
        var ids: [LocalID] = []
        for item in items { ids.append(try spawn(item, transaction)) }
        let texts = try ids.map(idText)
        result.summary = [.init("success", .bool(true)), .init("id", texts.first ?? .null)]
        if texts.count > 1 { result.summary.append(.init("ids", .list(texts))) }
        try append(returning, ids, created: true, to: &result)
        return result
    }

    private func spawn(_ item: SpawnItem, _ transaction: GraphTransaction) throws -> LocalID {
        let id = try transaction.spawn(
            item.type, key: item.key?.text, try values(item.attributes), at: item.range)
        if let variable = item.variable { session.bindings[variable.text] = id }
        return id
    }

    private func append(
        _ returning: [Projection]?, _ ids: [LocalID], created: Bool?, to result: inout StatementResult
    ) throws {
        guard let returning else { return }
        (result.columns, result.rows) = try Fields(session: session, projections: returning)
            .rows(of: ids, created: created)
    }

    // MARK: Bare instances

    private func instance(_ item: SpawnItem, _ transaction: GraphTransaction) throws -> StatementResult {
        let id = try spawn(item, transaction)
        instances.append((item.variable?.text ?? item.key?.text, item.type.text, id))
        var result = StatementResult(statement: "spawn")
        result.summary = [.init("success", .bool(true)), .init("id", try idText(id))]
        return result
    }

    /// What the names of a bare edge stand for.
    ///
    /// A variable, or a key; else the one unnamed instance of the file whose type the edge takes there.
    private func instanceTargets(
        _ targets: [PatternTarget], of edge: Name, _ transaction: GraphTransaction
    ) throws -> [LocalID] {
        let declared = try transaction.declared(edge: edge)
        guard declared.parameters.count == targets.count else {
            throw Diagnostic(
                .wrongArity,
                "\(edge.text) joins \(declared.parameters.count), and \(targets.count) are given",
                at: edge.range, hint: declared.signature)
        }
        return try targets.enumerated().map { position, target in
            switch target {
            case .reference(let name): return try one(.reference(name), name.range)
            case .parameter(let name): return try one(.parameter(name), name.range)
            case .anything(let range):
                throw Diagnostic(.unknownVariable, "an edge joins what is named", at: range)
            case .variable(let name):
                if let id = session.bindings[name.text] { return id }
                if let found = instances.last(where: { $0.name == name.text }) { return found.id }
                // A key that an earlier file, or another author, has given.
                let keyed = session.context(NameSlots(), slotCount: 0)
                if let found = try keyed.resolve(name.text, at: name.range) { return found }
                return try unnamed(name, declared.parameters[position].type)
            }
        }
    }

    private func unnamed(_ name: Name, _ type: StaticType) throws -> LocalID {
        let compiler = try session.compiler()
        let fitting = instances.filter { $0.name == nil && compiler.overlap(.node($0.type), type) }
        if fitting.count == 1 { return fitting[0].id }
        throw Diagnostic(
            fitting.isEmpty ? .unknownVariable : .ambiguousReference,
            fitting.isEmpty
                ? "nothing in this file is called \(name.text)"
                : "\(name.text) may be any of \(fitting.count) instances of this file", at: name.range,
            hint: "name the instance: \(name.text): \(fitting.first?.type ?? type.description) { … }")
    }

    // MARK: LINK

    private func link(
        _ link: LinkStatement, _ range: SourceRange, _ transaction: GraphTransaction
    ) throws -> StatementResult {
        var targets: [LocalID] = []
        for target in link.targets {
            switch target {
            case .entity(let entity): targets.append(try one(entity, range))
            case .spawn(let item): targets.append(try spawn(item, transaction))
            }
        }
        let (id, created) = try transaction.link(
            link.edge, targets, ifNotExists: link.ifNotExists, try values(link.attributes), at: range)
        if let variable = link.variable { session.bindings[variable.text] = id }
        return try linked(id, created: created, link.returning)
    }

    private func linked(
        _ id: LocalID, created: Bool, _ returning: [Projection]?
    ) throws -> StatementResult {
        var result = StatementResult(statement: "link")
        result.summary = [
            .init("success", .bool(true)), .init("id", try idText(id)), .init("created", .bool(created)),
        ]
        try append(returning, [id], created: created, to: &result)
        return result
    }

    // MARK: UNLINK, SET, KILL

    private func unlink(
        _ target: UnlinkTarget, _ returning: [Projection]?, _ range: SourceRange,
        _ transaction: GraphTransaction
    ) throws -> StatementResult {
        var edges: [LocalID] = []
        switch target {
        case .entity(let entity): edges = try all(entity, range)
        case .pattern(let edge, let targets): edges = try matching(edge, targets, range, transaction)
        }
        var result = StatementResult(statement: "unlink")
        let rows = try shown(returning, edges)
        var removal: [LocalID] = []
        for edge in edges where try session.view.isVisible(edge) {
            guard try session.view.entity(edge)?.isEdge == true else {
                throw Diagnostic(
                    .typeMismatch, "UNLINK is for edges, and this is a node", at: range,
                    hint: "KILL ends a node")
            }
            removal += try transaction.unlink(edge, at: range).unlinked
        }
        result.summary = [
            .init("success", .bool(true)), .init("unlinked_count", .int(Int64(removal.count))),
            .init("unlinked_ids", .list(try removal.prefix(1000).map(idText))),
            .init("cascade_count", .int(Int64(max(0, removal.count - edges.count)))),
        ]
        (result.columns, result.rows) = rows
        return result
    }

    /// What RETURNING shows of entities that are about to end.
    private func shown(
        _ returning: [Projection]?, _ ids: [LocalID]
    ) throws -> (columns: [String], rows: [[ResultValue]]) {
        var result = StatementResult(statement: "")
        try append(returning, ids, created: nil, to: &result)
        return (result.columns, result.rows)
    }

    /// The edges of a name between what is given, anything standing for `_`.
    private func matching(
        _ edge: Name, _ targets: [PatternTarget], _ range: SourceRange, _ transaction: GraphTransaction
    ) throws -> [LocalID] {
        let declared = try transaction.declared(edge: edge)
        guard declared.parameters.count == targets.count else {
            throw Diagnostic(
                .wrongArity,
                "\(edge.text) joins \(declared.parameters.count), and \(targets.count) are given",
                at: edge.range, hint: declared.signature)
        }
        let variable = Name("_edge", edge.range)
        let pattern = Pattern(
            elements: [
                .edge(
                    EdgePattern(
                        edge: edge, repetition: .once, targets: targets, depth: nil, variable: variable,
                        range: range))
            ], condition: nil, range: range)
        for target in targets {
            if case .reference(let name) = target { _ = try one(.reference(name), name.range) }
        }
        let match = MatchStatement(
            pattern: pattern, optionals: [], condition: nil, isDistinct: true,
            projections: [.expression(Expression(.variable(variable.text), range), alias: nil)], order: [],
            limit: nil, offset: nil)
        return try all(.match(match, range), range)
    }

    private func set(
        _ target: EntityTarget, _ attributes: [AttributeAssignment], _ returning: [Projection]?,
        _ range: SourceRange, _ transaction: GraphTransaction
    ) throws -> StatementResult {
        let ids = try all(target, range)
        for id in ids { try transaction.set(id, try values(attributes), at: range) }
        var result = StatementResult(statement: "set")
        result.summary = [
            .init("success", .bool(true)), .init("modified_count", .int(Int64(ids.count))),
            .init("modified_ids", .list(try ids.prefix(1000).map(idText))),
        ]
        try append(returning, ids, created: nil, to: &result)
        return result
    }

    private func kill(
        _ target: EntityTarget, _ mode: KillMode, _ returning: [Projection]?, _ range: SourceRange,
        _ transaction: GraphTransaction
    ) throws -> StatementResult {
        let ids = try all(target, range)
        let rows = try shown(returning, ids)
        var removal = GraphTransaction.Removal()
        for id in ids where try session.view.isVisible(id) {
            let one = try transaction.kill(id, mode, at: range)
            removal.killed += one.killed
            removal.unlinked += one.unlinked
            removal.cascadeCount += one.cascadeCount
        }
        var result = StatementResult(statement: "kill")
        result.summary = [
            .init("success", .bool(true)), .init("killed_count", .int(Int64(removal.killed.count))),
            .init("killed_ids", .list(try removal.killed.prefix(1000).map(idText))),
            .init("cascade_count", .int(Int64(removal.cascadeCount))),
            .init("unlinked_edges", .int(Int64(removal.unlinked.count))),
        ]
        (result.columns, result.rows) = rows
        return result
    }

    // MARK: MATCH with mutations

    /// MATCH followed by changes, or by WALK from what was matched; a WALK alone needs no transaction.
    func matchMutate(_ pattern: Pattern, _ statements: [Statement]) throws -> StatementResult {
        var compiler = try session.compiler()
        let (plan, scope) = try compiler.pattern(pattern, Scope())
        try compiler.names.resolve(session.view)
        let context = session.context(compiler.names, slotCount: compiler.slotCount)
        // All matches first: what the mutations make is matched by the next statement.
        var matches: [[LocalID]] = []
        try Matcher(context: context, plan: plan).forEach {
            guard matches.count < Limits.rowCount else {
                throw Diagnostic(
                    .workLimit, "the pattern has more than \(Limits.rowCount) matches", at: pattern.range)
            }
            matches.append(scope.all.map { context.slots[$0.slot] })
            return true
        }
        let outer = session.bindings
        var counts: [(name: String, count: Int64)] = []
        var result = StatementResult(statement: "match_mutate")
        for match in matches {
            session.bindings = outer
            for (variable, id) in zip(scope.all, match) { session.bindings[variable.name] = id }
            for statement in statements {
                // What an earlier match has ended is no longer there to be changed.
                guard try areThere(statement) else { continue }
                let one = try self.one(statement)
                if one.statement == "walk" {
                    result.columns = one.columns
                    result.rows += one.rows
                    guard result.rows.count <= Limits.rowCount else {
                        throw Diagnostic(
                            .workLimit, "the walks give more than \(Limits.rowCount) rows", at: pattern.range)
                    }
                }
                if let place = counts.firstIndex(where: { $0.name == one.statement }) {
                    counts[place].count += 1
                } else {
                    counts.append((one.statement, 1))
                }
            }
        }
        session.bindings = outer
        result.summary =
            [.init("success", .bool(true)), .init("match_count", .int(Int64(matches.count)))]
            + counts.map { .init($0.name + "_count", .int($0.count)) }
        return result
    }

    /// One statement of a MATCH: a WALK, or one that changes something.
    private func one(_ statement: Statement) throws -> StatementResult {
        if case .walk(let walk) = statement.kind { return try self.walk(walk) }
        guard let transaction, statement.isMutating else {
            throw Diagnostic(
                .unsupportedStatement, "this may not follow a MATCH", at: statement.range,
                hint: "a MATCH is followed by RETURN, WALK, or what changes the graph")
        }
        return try mutate(statement, transaction)
    }

    private func areThere(_ statement: Statement) throws -> Bool {
        let target: EntityTarget
        switch statement.kind {
        case .kill(let given, _, _), .set(let given, _, _), .unlink(.entity(let given), _): target = given
        default: return true
        }
        guard case .variable(let name) = target, let id = session.bindings[name.text] else { return true }
        return try id.isVirtual || session.view.isVisible(id)
    }

    // MARK: Indexes

    private func createIndex(
        _ name: Name?, _ type: Name, _ attributes: [IndexedAttribute]
    ) throws -> StatementResult {
        var result = StatementResult(statement: "create_index")
        if session.schema.edges[type.text] != nil, attributes.isEmpty {
            result.summary = [.init("success", .bool(true)), .init("created", .bool(false))]
            result.warnings = [
                Diagnostic(
                    .unknownIndex, "edges are indexed by their targets always", at: type.range,
                    severity: .warning)
            ]
            return result
        }
        guard attributes.count == 1, let attribute = attributes.first else {
            throw Diagnostic(
                .unsupportedStatement, "an index is over one attribute", at: type.range,
                hint: "create one for each: CREATE INDEX ON \(type.text)(attribute)")
        }
        let types: [String]
        let declared: [AttributeType]
        if let node = session.schema.nodes[type.text], !node.isSystem {
            types = node.concreteTypes
            declared = node.attributes
        } else if let edge = session.schema.edges[type.text], !edge.isSystem {
            types = [edge.name]
            declared = edge.attributes
        } else {
            throw try session.compiler().unknownType(type)
        }
        guard declared.contains(where: { $0.name == attribute.name.text }) else {
            throw session.schema.unknownAttribute(attribute.name, declared, type.text)
        }
        let text = name?.text ?? "\(type.text)_\(attribute.name.text)"
        try changeIndexes { definitions in
            guard !definitions.contains(where: { $0.name == text }) else {
                throw Diagnostic(
                    .duplicateName, "there is an index \(text) already", at: name?.range ?? type.range)
            }
            definitions.append(
                IndexDefinition(name: text, types: types, attribute: attribute.name.text, isUnique: false))
        }
        result.summary = [
            .init("success", .bool(true)), .init("created", .bool(true)), .init("index", .string(text)),
        ]
        return result
    }

    private func dropIndex(_ name: Name) throws -> StatementResult {
        try changeIndexes { definitions in
            guard let place = definitions.firstIndex(where: { $0.name == name.text }) else {
                throw Diagnostic(
                    .unknownIndex, "there is no index \(name.text)", at: name.range,
                    hint: NearestName.of(name.text, among: definitions.map(\.name)).map {
                        "did you mean \($0)?"
                    } ?? "SHOW INDEXES lists those there are")
            }
            guard !name.text.contains(".") else {
                throw Diagnostic(
                    .unknownIndex, "\(name.text) belongs to the ontology", at: name.range,
                    hint: "it stays as long as the attribute is unique or indexed")
            }
            definitions.remove(at: place)
        }
        var result = StatementResult(statement: "drop_index")
        result.summary = [.init("success", .bool(true))]
        return result
    }
}
