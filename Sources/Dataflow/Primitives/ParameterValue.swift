/// What kind of value a parameter takes.
public enum ParameterType: String, Sendable, Hashable, CaseIterable {
    case int
    case number
    case bool
    case string
    /// One of a list of words.
    case choice = "enum"
}

/// The value that a node gives a parameter.
public enum ParameterValue: Sendable, Hashable {
    case int(Int64)
    case number(Double)
    case bool(Bool)
    /// Text, or a word of a parameter of type `enum`.
    case text(String)

    /// What it is, for messages.
    public var kindName: String {
        switch self {
        case .int: "a whole number"
        case .number: "a number"
        case .bool: "true or false"
        case .text: "text"
        }
    }

    /// This value as a parameter of `type` takes it: whole numbers stand for numbers, nothing else is turned
    /// into anything.
    ///
    /// - Returns: `nil` where it does not fit.
    public func converted(to type: ParameterType) -> ParameterValue? {
        switch (self, type) {
        case (.int, .int), (.number, .number), (.bool, .bool), (.text, .string), (.text, .choice): self
        case (.int(let value), .number): .number(Double(value))
        default: nil
        }
    }

    /// Whether this is no number, or a finite one.
    public var isFinite: Bool {
        if case .number(let value) = self { return value.isFinite }
        return true
    }

    var double: Double {
        switch self {
        case .int(let value): Double(value)
        case .number(let value): value
        case .bool(let value): value ? 1 : 0
        case .text: 0
        }
    }
}

/// A parameter that a primitive takes.
public struct Parameter: Sendable, Hashable {
    public let name: String
    public let type: ParameterType
    /// What it is when the node gives none; `nil` where the node must give one.
    public let fallback: ParameterValue?
    /// The least and greatest number, for parameters of types int and number.
    public let bounds: ClosedRange<Double>?
    /// The words, for a parameter of type `enum`.
    public let choices: [String]

    public init(
        _ name: String, _ type: ParameterType, default fallback: ParameterValue? = nil,
        bounds: ClosedRange<Double>? = nil, choices: [String] = []
    ) {
        self.name = name
        self.type = type
        self.fallback = fallback
        self.bounds = bounds
        self.choices = choices
    }

    /// Why a value that has this parameter's type cannot be its value, or `nil`.
    func objection(to value: ParameterValue) -> String? {
        if let bounds, type == .int || type == .number, !bounds.contains(value.double) {
            return "must be between \(bounds.lowerBound) and \(bounds.upperBound)"
        }
        if type == .choice, case .text(let word) = value, !choices.contains(word) {
            return "must be one of \(choices.joined(separator: ", "))"
        }
        return nil
    }
}
