internal import MeshCore
extension SchemaBuilder {
    /// Takes over constraints, rules and policies.
    ///
    /// Their names have been judged when they were added; their patterns and expressions are the checker's
    /// business, which needs the whole schema.
    mutating func buildPrograms() {
        for entry in entries {
            switch entry.declaration {
            case .constraint(let constraint):
                if let range = Self.clockCall(in: constraint) {
                    report(
                        Diagnostic(
                            .wallTimeInDeterministic,
                            "the constraint \(constraint.name) asks the time: it would hold now and not later",
                            at: range), from: entry.source)
                } else {
                    schema.constraints.append(constraint)
                }
            case .rule(let rule): schema.rules.append(rule)
            case .policy(let policy): schema.policies.append(policy)
            case .alias, .node, .edge: break
            }
        }
    }

    /// Where a constraint calls `now()` or `wall_time()`.
    private static func clockCall(in constraint: ConstraintDeclaration) -> SourceRange? {
        clockCall(in: constraint.condition) ?? clockCall(in: constraint.pattern)
    }

    private static func clockCall(in pattern: Pattern) -> SourceRange? {
        pattern.condition.flatMap { clockCall(in: $0) }
    }

    private static func clockCall(in expression: Expression) -> SourceRange? {
        switch expression.kind {
        case .literal, .reference, .parameter, .variable: return nil
        case .call(let name, let arguments):
            if ["now", "wall_time"].contains(name.text.lowercased()) { return expression.range }
            return first(arguments)
        case .attribute(let inner, _), .unary(_, let inner), .isOfType(let inner, _),
            .isNull(let inner, _):
            return clockCall(in: inner)
        case .list(let elements): return first(elements)
        case .binary(_, let left, let right), .isIn(let left, let right, _):
            return clockCall(in: left) ?? clockCall(in: right)
        case .exists(let pattern, _): return clockCall(in: pattern)
        case .aggregate(let call):
            if let found = call.condition.flatMap({ clockCall(in: $0) }) { return found }
            switch call.argument {
            case .rows: return nil
            case .value(let value): return clockCall(in: value)
            case .pattern(let pattern): return clockCall(in: pattern)
            }
        }
    }

    private static func first(_ expressions: [Expression]) -> SourceRange? {
        for expression in expressions {
            if let found = clockCall(in: expression) { return found }
        }
        return nil
    }
}
