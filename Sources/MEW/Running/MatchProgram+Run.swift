internal import MeshGraph

extension MatchProgram {
    /// A row of the result, with what it is ordered by.
    private struct Row {
        var values: [GraphValue]
        var keys: [GraphValue]
    }

    /// The rows, in the order asked for.
    func run(_ context: ExecutionContext) throws -> [[GraphValue]] {
        let offset = try number(self.offset, "OFFSET", context) ?? 0
        let limit = try number(self.limit, "LIMIT", context)
        if isPlainCount, context.profile == nil {
            return [[.int(Int64(try Matcher(context: context, plan: plan).count()))]]
        }
        if limit == 0 { return [] }
        let wanted = limit.map { $0.addingReportingOverflow(offset).overflow ? Int.max : $0 + offset }
        var rows =
            aggregates.isEmpty
            ? try plainRows(context, wanted: wanted) : try groupedRows(context)
        if !order.isEmpty { sort(&rows) }
        if offset == 0, limit == nil { return rows.map(\.values) }
        return rows.dropFirst(offset).prefix(limit ?? .max).map(\.values)
    }

    /// Calls `body` for every match, optional patterns included, until it returns `false`.
    func forEachMatch(_ context: ExecutionContext, _ body: () throws -> Bool) throws {
        try Matcher(context: context, plan: plan, isProfiled: context.profile != nil).forEach {
            try optional(0, context) {
                if let condition, try !context.isTrue(condition) { return true }
                return try body()
            }
        }
    }

    private func optional(_ index: Int, _ context: ExecutionContext, _ body: () throws -> Bool) throws -> Bool
    {
        guard index < optionals.count else { return try body() }
        var isFound = false
        let isFinished = try Matcher(context: context, plan: optionals[index]).forEach {
            isFound = true
            return try optional(index + 1, context, body)
        }
        guard isFinished else { return false }
        if isFound { return true }
        for variable in optionals[index].variables { context.bind(variable.slot, ExecutionContext.none) }
        return try optional(index + 1, context, body)
    }

    private func plainRows(_ context: ExecutionContext, wanted: Int?) throws -> [Row] {
        var rows: [Row] = []
        var seen: Set<[GraphValue]> = []
        try forEachMatch(context) {
            let values = try projections.map { try context.evaluate($0) }
            if isDistinct {
                guard seen.insert(values).inserted else { return true }
            }
            if order.isEmpty {
                rows.append(Row(values: values, keys: []))
                return wanted.map { rows.count < $0 } ?? checkRoom(rows.count)
            }
            rows.append(Row(values: values, keys: try keys(values, context)))
            if let wanted, wanted < Limits.rowCount / 8, rows.count > 4 * wanted + 4096 {
                // Only the first few are asked for: what cannot be among them need not be kept.
                sort(&rows)
                rows.removeLast(rows.count - wanted)
            }
            return checkRoom(rows.count)
        }
        if rows.count > Limits.rowCount { throw Self.tooManyRows }
        return rows
    }

    private func checkRoom(_ count: Int) -> Bool { count <= Limits.rowCount }

    private static var tooManyRows: Diagnostic {
        Diagnostic(
            .workLimit, "the statement gives more than \(Limits.rowCount) rows", hint: "add a LIMIT")
    }

    /// The rows' values, grouped by those projections that hold no aggregate.
    private func groupedRows(_ context: ExecutionContext) throws -> [Row] {
        struct Group {
            var slots: [LocalID]
            var aggregations: [Aggregation]
        }
        var places: [[GraphValue]: Int] = [:]
        var groups: [Group] = []
        let fresh = aggregates.map { Aggregation($0) }
        let keyCodes = zip(projections, isKey).filter(\.1).map(\.0)
        try forEachMatch(context) {
            let key = try keyCodes.map { try context.evaluate($0) }
            let place = places[key] ?? groups.count
            if place == groups.count {
                guard groups.count < Limits.rowCount else { throw Self.tooManyRows }
                places[key] = place
                groups.append(Group(slots: context.slots, aggregations: fresh))
            }
            for index in fresh.indices { try groups[place].aggregations[index].take(context) }
            return true
        }
        if groups.isEmpty, keyCodes.isEmpty {
            groups.append(
                Group(
                    slots: Array(repeating: ExecutionContext.none, count: context.slots.count),
                    aggregations: fresh))
        }
        var rows: [Row] = []
        var seen: Set<[GraphValue]> = []
        for group in groups {
            context.slots = group.slots
            context.aggregates = try group.aggregations.map { try $0.value }
            let values = try projections.map { try context.evaluate($0) }
            if isDistinct, !seen.insert(values).inserted { continue }
            rows.append(Row(values: values, keys: try keys(values, context)))
        }
        return rows
    }

    private func keys(_ values: [GraphValue], _ context: ExecutionContext) throws -> [GraphValue] {
        try order.map { key in
            switch key.source {
            case .column(let index): values[index]
            case .code(let code): try context.evaluate(code)
            }
        }
    }

    private func sort(_ rows: inout [Row]) {
        // Equal rows keep the order in which they were found.
        let sorted = rows.enumerated().sorted { a, b in
            for (index, key) in order.enumerated() {
                let result = Comparison.precedes(a.element.keys[index], b.element.keys[index])
                if result != 0 { return key.isDescending ? result > 0 : result < 0 }
            }
            return a.offset < b.offset
        }
        rows = sorted.map(\.element)
    }

    private func number(_ code: Code?, _ what: String, _ context: ExecutionContext) throws -> Int? {
        guard let code else { return nil }
        guard case .int(let value) = try context.evaluate(code), value >= 0 else {
            throw Diagnostic(.typeMismatch, "\(what) wants a number that is not negative")
        }
        return Int(clamping: value)
    }
}
