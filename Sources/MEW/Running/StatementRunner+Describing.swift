internal import MeshCore
internal import MeshGraph

extension StatementRunner {
    // MARK: SHOW

    func show(_ show: ShowStatement) throws -> StatementResult {
        var result = StatementResult(statement: "show")
        let context = session.unfilteredContext(NameSlots(), slotCount: 0)
        if let table = try session.schema.table(for: show) {
            result.columns = table.columns
            result.rows = try table.rows.map { try $0.map { try context.result($0) } }
            return result
        }
        switch show {
        case .indexes:
            result.columns = ["name", "types", "attribute", "unique", "rows"]
            result.rows = try session.view.indexes().map { index in
                [
                    .string(index.definition.name), .list(index.definition.types.map { .string($0) }),
                    .string(index.definition.attribute), .bool(index.definition.isUnique),
                    .int(Int64(try session.view.rowCount(of: index))),
                ]
            }
        case .statistics:
            result.columns = ["kind", "type", "count"]
            for type in session.schema.storedTypes {
                result.rows.append([.string("node"), .string(type), .int(try count(type))])
            }
            for edge in session.schema.edges.keys.sorted() {
                result.rows.append([.string("edge"), .string(edge), .int(try count(edge))])
            }
        case .status:
            let total = { (types: [String]) in try types.reduce(into: Int64(0)) { $0 += try self.count($1) } }
            result.columns = ["ontology", "types", "edges", "nodes", "links"]
            result.rows = [
                [
                    session.schema.ontology.map { .string("\($0)") } ?? .null,
                    .int(Int64(session.schema.storedTypes.count)),
                    .int(Int64(session.schema.edges.count)),
                    .int(try total(session.schema.storedTypes)),
                    .int(try total(session.schema.edges.keys.sorted())),
                ]
            ]
        case .watches:
            // The same rows as `MATCH w: _Watch`.
            result.columns = ["watch", "pattern", "mode", "status"]
            for id in try context.virtualRows("_Watch", where: nil) {
                guard let (_, row) = context.virtualRow(id) else { continue }
                result.rows.append(
                    [.string(row.key)]
                        + (try ["pattern", "mode", "status"].map { try context.result(row[$0]) }))
            }
        default: break
        }
        return result
    }

    private func count(_ type: String) throws -> Int64 {
        guard let name = try session.view.nameID(type) else { return 0 }
        return Int64(clamping: try session.view.count(ofType: name))
    }

    // MARK: EXPLAIN and PROFILE

    /// The steps of a statement's plan, with the rows that were expected and, for PROFILE, those that came.
    func explain(_ statement: Statement, isProfile: Bool) throws -> StatementResult {
        var result = StatementResult(statement: isProfile ? "profile" : "explain")
        result.columns = ["step", "operation", "expected_rows"] + (isProfile ? ["rows"] : [])
        var compiler = try session.compiler()
        let plan: PatternPlan
        var program: MatchProgram?
        switch statement.kind {
        case .match(let match):
            let compiled = try compiler.match(match)
            program = compiled
            plan = compiled.plan
        case .matchMutate(let pattern, _): plan = try compiler.pattern(pattern, Scope()).plan
        default:
            throw Diagnostic(
                .unsupportedStatement, "only a MATCH has a plan", at: statement.range,
                hint: "EXPLAIN MATCH …")
        }
        var counted: [Int] = []
        if isProfile {
            guard let program else {
                throw Diagnostic(
                    .unsupportedStatement, "PROFILE runs what it measures, and this would change the graph",
                    at: statement.range, hint: "EXPLAIN shows the plan without running it")
            }
            try compiler.names.resolve(session.view)
            let context = session.context(compiler.names, slotCount: compiler.slotCount)
            context.profile = Array(repeating: 0, count: plan.steps.count)
            let rows = try program.run(context)
            counted = context.profile ?? []
            result.summary = [
                .init("return_count", .int(Int64(rows.count))),
                .init("steps_taken", .int(Int64(session.stepLimit - context.stepsLeft))),
            ]
        }
        let writer = PlanWriter(plan: plan)
        for (index, step) in plan.steps.enumerated() {
            var row: [ResultValue] = [
                .int(Int64(index + 1)), .string(writer.text(step.kind)),
                .float((step.rows * 10).rounded() / 10),
            ]
            if isProfile { row.append(.int(Int64(counted[index]))) }
            result.rows.append(row)
        }
        for (number, optional) in (program?.optionals ?? []).enumerated() {
            let writer = PlanWriter(plan: optional, outer: plan.variables)
            for step in optional.steps {
                result.rows.append(
                    [
                        .string("optional \(number + 1)"), .string(writer.text(step.kind)),
                        .float((step.rows * 10).rounded() / 10),
                    ] + (isProfile ? [.null] : []))
            }
        }
        return result
    }
}
