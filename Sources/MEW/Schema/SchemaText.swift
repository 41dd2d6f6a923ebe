internal import MeshGraph

extension ValueCheck: CustomStringConvertible {
    /// The check as a modifier is written.
    public var description: String {
        switch self {
        case .atLeast(let value): ">= \(value.literal)"
        case .atMost(let value): "<= \(value.literal)"
        case .above(let value): "> \(value.literal)"
        case .below(let value): "< \(value.literal)"
        case .oneOf(let values): "in: [" + values.map(\.literal).joined(separator: ", ") + "]"
        case .format(let name): "format: \(name)"
        case .matches(let pattern): "match: " + Printer.quoted(pattern)
        case .length(let low, let high): "length: \(low)..\(high)"
        }
    }
}

extension AttributeType {
    /// Its modifiers as one writes them, without brackets.
    public var modifiersText: String {
        var parts: [String] = []
        if isRequired { parts.append("required") }
        if isUnique { parts.append("unique") }
        if isReadonly { parts.append("readonly") }
        if isIndexed, !isUnique { parts.append("indexed") }
        return (parts + checks.map(\.description)).joined(separator: ", ")
    }
}

extension EdgeType.Parameter: CustomStringConvertible {
    public var description: String { (name.map { "\($0): " } ?? "") + type.description }
}

extension EdgeType.Cardinality: CustomStringConvertible {
    public var description: String {
        maximum == minimum ? String(minimum) : "\(minimum)..\(maximum.map(String.init) ?? "*")"
    }
}

extension EdgeType {
    /// Its modifiers as one writes them, without brackets.
    public var modifiersText: String {
        var parts: [String] = []
        if isSymmetric { parts.append("symmetric") }
        if noSelf { parts.append("no_self") }
        if isAcyclic { parts.append("acyclic") }
        if isUnique { parts.append("unique") }
        for restriction in cardinalities {
            let name = parameters[restriction.position].name ?? String(restriction.position + 1)
            parts.append("\(name) -> \(restriction)")
        }
        if onKillSource != .unlink { parts.append("on_kill_source: \(onKillSource.rawValue)") }
        if onKillTarget != .unlink { parts.append("on_kill_target: \(onKillTarget.rawValue)") }
        return parts.joined(separator: ", ")
    }
}
