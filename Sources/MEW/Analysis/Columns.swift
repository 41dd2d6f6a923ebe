/// Names the columns of a result.
///
/// An alias is taken as it is; `j.job_id` is `job_id`, or `j_job_id` where another column would be called the
/// same; aggregates and functions are called by their own names.
enum Columns {
    static func names(_ projections: [(expression: Expression, alias: Name?)]) -> [String] {
        let short = projections.map { $0.alias?.text ?? Self.short($0.expression) }
        var taken: Set<String> = []
        return projections.enumerated().map { index, projection in
            var name = short[index]
            if projection.alias == nil, short.filter({ $0 == name }).count > 1 {
                name = long(projection.expression)
            }
            var number = 2
            let base = name
            while !taken.insert(name).inserted {
                name = "\(base)_\(number)"
                number += 1
            }
            return name
        }
    }

    private static func short(_ expression: Expression) -> String {
        switch expression.kind {
        case .variable(let name): name
        case .attribute(_, let name): name.text
        case .aggregate(let call): call.function.rawValue
        case .call(let name, _): name.text.lowercased()
        case .parameter(let name, _): name
        case .reference(let text): text
        default: "value"
        }
    }

    private static func long(_ expression: Expression) -> String {
        switch expression.kind {
        case .attribute(let base, let name): long(base) + "_" + name.text
        case .aggregate(let call):
            if case .value(let value) = call.argument {
                call.function.rawValue + "_" + long(value)
            } else {
                call.function.rawValue
            }
        default: short(expression)
        }
    }
}
