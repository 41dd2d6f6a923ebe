internal import MeshCore
internal import MeshGraph

/// A MATCH that has been checked and planned.
final class MatchProgram: Sendable {
    struct OrderKey: Sendable {
        enum Source: Sendable {
            case column(Int)
            case code(Code)
        }
        let source: Source
        let isDescending: Bool
    }

    let plan: PatternPlan
    let optionals: [PatternPlan]
    let condition: Code?
    let isDistinct: Bool
    let columns: [String]
    let projections: [Code]
    /// Which projections hold no aggregate: what rows are grouped by, if any other does.
    let isKey: [Bool]
    let aggregates: [AggregateCode]
    let order: [OrderKey]
    let limit: Code?
    let offset: Code?
    let slotCount: Int
    /// Whether nothing but the number of matches is asked for.
    let isPlainCount: Bool

    init(
        plan: PatternPlan, optionals: [PatternPlan], condition: Code?, isDistinct: Bool, columns: [String],
        projections: [Code], isKey: [Bool], aggregates: [AggregateCode], order: [OrderKey], limit: Code?,
        offset: Code?, slotCount: Int
    ) {
        self.plan = plan
        self.optionals = optionals
        self.condition = condition
        self.isDistinct = isDistinct
        self.columns = columns
        self.projections = projections
        self.isKey = isKey
        self.aggregates = aggregates
        self.order = order
        self.limit = limit
        self.offset = offset
        self.slotCount = slotCount
        isPlainCount = Self.isPlainCount(
            projections, aggregates,
            isSimple: optionals.isEmpty && condition == nil && !isDistinct && order.isEmpty && limit == nil
                && offset == nil)
    }

    private static func isPlainCount(
        _ projections: [Code], _ aggregates: [AggregateCode], isSimple: Bool
    ) -> Bool {
        guard isSimple, projections.count == 1, case .aggregate(0) = projections[0], aggregates.count == 1
        else { return false }
        let aggregate = aggregates[0]
        guard aggregate.function == .count, !aggregate.isDistinct, aggregate.condition == nil else {
            return false
        }
        // A variable of the pattern is never null here.
        switch aggregate.value {
        case nil, .slot?: return true
        default: return false
        }
    }
}

extension Compiler {
    /// Checks a MATCH.
    ///
    /// `outer`: Variables around it, for one that stands in braces.
    mutating func match(_ match: MatchStatement, outer: Scope = Scope()) throws(Diagnostic) -> MatchProgram {
        var (plan, scope) = try pattern(match.pattern, outer)
        var optionals: [PatternPlan] = []
        for optional in match.optionals {
            let (plan, wider) = try pattern(optional, scope)
            optionals.append(plan)
            var next = scope
            for variable in wider.all where scope[variable.name] == nil {
                next.declare(variable.name, slot: variable.slot, type: variable.type.optional)
            }
            scope = next
        }
        let condition = try match.condition.map { written throws(Diagnostic) in
            try self.condition(written, scope, "WHERE")
        }
        place.insert(.aggregates)
        defer { place.remove(.aggregates) }
        aggregates = []
        let written = expanded(match.projections, scope)
        var projections: [Code] = []
        var isKey: [Bool] = []
        for projection in written {
            let before = aggregates.count
            projections.append(try expression(projection.expression, scope).code)
            isKey.append(aggregates.count == before)
        }
        let columns = Columns.names(written)
        var order: [MatchProgram.OrderKey] = []
        for key in match.order {
            if case .variable(let name) = key.expression.kind,
                let column = written.firstIndex(where: { $0.alias?.text == name })
            {
                order.append(MatchProgram.OrderKey(source: .column(column), isDescending: key.isDescending))
            } else {
                let code = try expression(key.expression, scope).code
                order.append(MatchProgram.OrderKey(source: .code(code), isDescending: key.isDescending))
            }
        }
        let limit = try count(match.limit, "LIMIT")
        let offset = try count(match.offset, "OFFSET")
        return MatchProgram(
            plan: plan, optionals: optionals, condition: condition, isDistinct: match.isDistinct,
            columns: columns, projections: projections, isKey: isKey, aggregates: aggregates, order: order,
            limit: limit, offset: offset, slotCount: slotCount)
    }

    /// The projections with `*` written out: every variable, in order.
    func expanded(_ projections: [Projection], _ scope: Scope) -> [(expression: Expression, alias: Name?)] {
        projections.flatMap { projection -> [(expression: Expression, alias: Name?)] in
            switch projection {
            case .expression(let expression, let alias): [(expression, alias)]
            case .all(let range):
                scope.all.map { (Expression(.variable($0.name), range), Name($0.name, range)) }
            }
        }
    }

    private mutating func count(_ expression: Expression?, _ what: String) throws(Diagnostic) -> Code? {
        guard let expression else { return nil }
        let (code, type) = try self.expression(expression, Scope())
        guard type.isAll([.int]) else {
            throw Diagnostic(
                .typeMismatch, "\(what) wants an Int, and this is \(type)", at: expression.range)
        }
        return code
    }
}
