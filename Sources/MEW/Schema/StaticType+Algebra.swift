extension StaticType {
    /// The union of `types`: flat, each once, null last; the type itself where only one is left.
    public static func either(_ types: [StaticType]) -> StaticType {
        var members: [StaticType] = []
        var seen: Set<StaticType> = []
        var hasNull = false
        var waiting = Array(types.reversed())
        while let type = waiting.popLast() {
            switch type {
            case .union(let parts): waiting.append(contentsOf: parts.reversed())
            case .null: hasNull = true
            default: if seen.insert(type).inserted { members.append(type) }
            }
        }
        if hasNull { members.append(.null) }
        return members.count == 1 ? members[0] : .union(members)
    }

    /// Its members, itself where it is no union.
    public var members: [StaticType] {
        if case .union(let members) = self { members } else { [self] }
    }

    /// Whether null is among its values.
    public var isOptional: Bool { members.contains(.null) }

    /// The same without null; ``StaticType/null`` itself stays what it is.
    public var withoutNull: StaticType {
        guard case .union(let members) = self else { return self }
        return .either(members.filter { $0 != .null })
    }

    /// Whether both have the same values, in whatever order their members were written.
    public func isSame(as other: StaticType) -> Bool { Set(members) == Set(other.members) }
}

extension StaticType: CustomStringConvertible {
    /// The type as one writes it: `String?`, `Int | Float`, `edge<knows>`, `String[]`.
    public var description: String {
        switch self {
        case .null: return "null"
        case .scalar(let scalar): return scalar.rawValue
        case .node(let name): return name
        case .anyNode: return "any"
        case .edge(let name): return "edge<\(name ?? "any")>"
        case .list(let element):
            let text = element.description
            return text.contains(" ") ? "(\(text))[]" : "\(text)[]"
        case .unknown: return "unknown"
        case .union(let members):
            let texts = members.filter { $0 != .null }.map(\.description)
            let text = texts.joined(separator: " | ")
            guard members.contains(.null) else { return text }
            return texts.count == 1 ? "\(text)?" : "(\(text))?"
        }
    }
}
