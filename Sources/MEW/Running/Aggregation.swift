internal import MeshCore
internal import MeshGraph

/// One aggregate over the rows that it has been given.
struct Aggregation {
    private let code: AggregateCode
    private var count: Int64 = 0
    private var sum: GraphValue = .null
    private var best: GraphValue = .null
    private var collected: [GraphValue] = []
    private var seen: Set<GraphValue> = []

    init(_ code: AggregateCode) {
        self.code = code
    }

    /// Takes the row that the slots hold.
    mutating func take(_ context: ExecutionContext) throws {
        if let condition = code.condition, try !context.isTrue(condition) { return }
        guard let expression = code.value else {
            count += 1
            return
        }
        let value = try context.evaluate(expression)
        // Nulls are left out of every aggregate but COUNT(*).
        if value.isNull { return }
        if code.isDistinct {
            guard seen.count < Limits.rowCount else { throw Self.tooMany(code.range) }
            guard seen.insert(value).inserted else { return }
        }
        count += 1
        switch code.function {
        case .count: break
        case .sum, .avg: sum = sum.isNull ? value : try Arithmetic.apply(.add, sum, value, code.range)
        case .min: if best.isNull || Comparison.precedes(value, best) < 0 { best = value }
        case .max: if best.isNull || Comparison.precedes(value, best) > 0 { best = value }
        case .collect:
            if let limit = code.limit, collected.count >= limit {
                throw Diagnostic(
                    .collectLimit, "COLLECT met more than \(limit) values", at: code.range,
                    hint: "say how many: COLLECT(x [limit: 50000]), or [limit: none]")
            }
            guard collected.count < Limits.rowCount else { throw Self.tooMany(code.range) }
            collected.append(value)
        }
    }

    private static func tooMany(_ range: SourceRange) -> Diagnostic {
        Diagnostic(.workLimit, "an aggregate holds at most \(Limits.rowCount) values", at: range)
    }

    var value: GraphValue {
        get throws {
            switch code.function {
            case .count: return .int(count)
            case .sum: return sum.isNull ? .int(0) : sum
            case .min, .max: return best
            case .collect: return .list(collected)
            case .avg:
                if count == 0 { return .null }
                if case .duration(let total) = sum { return .duration(total / count) }
                let total: GraphValue = if case .int(let whole) = sum { .float(Double(whole)) } else { sum }
                return try Arithmetic.apply(.divide, total, .float(Double(count)), code.range)
            }
        }
    }
}
