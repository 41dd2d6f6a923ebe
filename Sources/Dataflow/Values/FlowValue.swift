/// What kind of value a port carries.
public enum FlowType: String, Sendable, Hashable, CaseIterable {
    case number
    case series
    case bool
    case event
    case string
}

/// One value that a port carries.
public enum FlowValue: Sendable {
    case number(Double)
    case series([Double])
    case bool(Bool)
    case event(FlowEvent)
    case string(String)

    /// The type of ports that it fits.
    public var type: FlowType {
        switch self {
        case .number: .number
        case .series: .series
        case .bool: .bool
        case .event: .event
        case .string: .string
        }
    }

    /// Whether every number in it is finite.
    public var isFinite: Bool {
        switch self {
        case .number(let value): value.isFinite
        case .series(let values): values.allSatisfy(\.isFinite)
        default: true
        }
    }
}

extension FlowValue: Hashable {
    /// Equality of what would be written down: a NaN equals every NaN, and zero is not minus zero.
    ///
    /// That is what replays are held to; the primitives `eq` and `neq` compare as IEEE 754 does.
    public static func == (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.number(let x), .number(let y)): x.comparableBits == y.comparableBits
        case (.series(let x), .series(let y)):
            x.count == y.count && zip(x, y).allSatisfy { $0.comparableBits == $1.comparableBits }
        case (.bool(let x), .bool(let y)): x == y
        case (.event(let x), .event(let y)): x == y
        case (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .number(let value): hasher.combine(value.comparableBits)
        case .series(let values): for value in values { hasher.combine(value.comparableBits) }
        case .bool(let value): hasher.combine(value)
        case .event(let value): hasher.combine(value)
        case .string(let value): for byte in value.utf8 { hasher.combine(byte) }
        }
    }
}

extension Double {
    /// The bits, with one pattern for every NaN: processors differ in the sign of the one that they make.
    var comparableBits: UInt64 { isNaN ? 0x7ff8_0000_0000_0000 : bitPattern }
}
