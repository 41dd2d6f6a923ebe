extension StaticType {
    /// The members of a union; itself otherwise.
    var members: [StaticType] { if case .union(let members) = self { members } else { [self] } }

    /// Whether null is among its values.
    var isOptional: Bool { members.contains(.null) || self == .unknown }

    /// Without null; `nil` where nothing else is left.
    var nonNull: StaticType {
        let rest = members.filter { $0 != .null }
        return rest.isEmpty ? .null : rest.count == 1 ? rest[0] : .union(rest)
    }

    var optional: StaticType { StaticType.join([self, .null]) }

    /// The least type that has all of these.
    static func join(_ types: [StaticType]) -> StaticType {
        var members: [StaticType] = []
        for type in types {
            if type == .unknown { return .unknown }
            for member in type.members where !members.contains(member) { members.append(member) }
        }
        if members.isEmpty { return .unknown }
        return members.count == 1 ? members[0] : .union(members)
    }

    /// Whether every member, null aside, is one of these scalars; nothing known counts as yes.
    func isAll(_ scalars: Set<ScalarType>) -> Bool {
        members.allSatisfy { member in
            switch member {
            case .null, .unknown: true
            case .scalar(let scalar): scalars.contains(scalar)
            default: false
            }
        }
    }

    /// Whether it names nodes or edges and nothing else, null aside.
    var isEntity: Bool {
        members.allSatisfy { member in
            switch member {
            case .null, .unknown, .node, .anyNode, .edge: true
            default: false
            }
        }
    }

    /// As it is written in declarations and messages.
    var text: String {
        switch self {
        case .null: "null"
        case .scalar(let scalar): scalar.rawValue
        case .node(let name): name
        case .anyNode: "any"
        case .edge(let name): "edge<\(name ?? "any")>"
        case .list(let element): "\(element.text)[]"
        case .unknown: "unknown"
        case .union(let members):
            members.contains(.null)
                ? (members.count == 2 ? nonNull.text : "(\(nonNull.text))") + "?"
                : members.map(\.text).joined(separator: " | ")
        }
    }
}
