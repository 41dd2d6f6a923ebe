extension StaticType {
    /// The least type that has all of these; nothing is known of the whole where nothing is of one.
    static func join(_ types: [StaticType]) -> StaticType {
        types.isEmpty || types.contains(.unknown) ? .unknown : .either(types)
    }

    /// With null among its values.
    var optional: StaticType { self == .unknown ? self : .either([self, .null]) }

    /// Whether null may be among its values, for all that is known.
    var mayBeNull: Bool { isOptional || self == .unknown }

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
}
