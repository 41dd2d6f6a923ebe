public import MeshGraph

extension StaticType {
    /// Whether a value is one of this type as it stands, without an Int in the place of a Float.
    ///
    /// An entity never is, nor a float that is not finite: attributes hold neither.
    public func holds(_ value: GraphValue) -> Bool {
        switch (self, value) {
        case (.null, .null): true
        case (.scalar(.float), .int): false
        case (.scalar(let scalar), _): scalar.fitting(value) != nil
        case (.list(let element), .list(let values)): values.allSatisfy(element.holds)
        case (.union(let members), _): members.contains { $0.holds(value) }
        default: false
        }
    }

    /// A value as one of this type: itself, or an Int as Float where the type has Float and no Int.
    ///
    /// - Returns: `nil` for a value of another type, for an entity, and for a float that is not finite.
    public func fitting(_ value: GraphValue) -> GraphValue? {
        switch self {
        case .null: return value.isNull ? value : nil
        case .scalar(let scalar): return scalar.fitting(value)
        case .list(let element):
            guard case .list(let values) = value else { return nil }
            if holds(value) { return value }
            var fitted: [GraphValue] = []
            fitted.reserveCapacity(values.count)
            for value in values {
                guard let one = element.fitting(value) else { return nil }
                fitted.append(one)
            }
            return .list(fitted)
        case .union(let members):
            // What fits as it is, before what must be promoted.
            if holds(value) { return value }
            for member in members {
                if let promoted = member.fitting(value) { return promoted }
            }
            return nil
        case .node, .anyNode, .edge, .unknown: return nil
        }
    }
}

extension ScalarType {
    fileprivate func fitting(_ value: GraphValue) -> GraphValue? {
        switch (self, value) {
        case (.string, .string), (.int, .int), (.bool, .bool), (.timestamp, .timestamp),
            (.duration, .duration), (.hash, .hash), (.bytes, .bytes), (.id, .string):
            value
        case (.float, .float(let number)): number.isFinite ? value : nil
        case (.float, .int(let number)): .float(Double(number))
        default: nil
        }
    }
}

extension ValueCheck {
    /// -1, 0 or 1 as the first comes before, with or after the second; `nil` for values without an order.
    static func order(_ a: GraphValue, _ b: GraphValue) -> Int? {
        switch (a, b) {
        case (.int(let a), .int(let b)), (.timestamp(let a), .timestamp(let b)),
            (.duration(let a), .duration(let b)):
            a < b ? -1 : a == b ? 0 : 1
        case (.float(let a), .float(let b)): a < b ? -1 : a == b ? 0 : 1
        case (.int(let a), .float(let b)): Double(a) < b ? -1 : Double(a) == b ? 0 : 1
        case (.float(let a), .int(let b)): a < Double(b) ? -1 : a == Double(b) ? 0 : 1
        default: nil
        }
    }
}
