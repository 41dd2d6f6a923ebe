/// The causal role of a primitive.
public enum PrimitiveKind: String, Sendable, Hashable, CaseIterable {
    /// Brings a value of the surroundings into the graph.
    case source
    /// Works a value out of values.
    case compute
    /// Turns values and events into an event.
    case trigger
    /// Asks the surroundings for an effect; the end of a path.
    case action

    /// Whether an output of this kind may feed an input of `target`: the wiring matrix.
    public func mayFeed(_ target: PrimitiveKind) -> Bool {
        switch (self, target) {
        case (.source, .compute), (.compute, .compute), (.compute, .trigger), (.trigger, .trigger),
            (.trigger, .action):
            true
        default: false
        }
    }

    /// The types that inputs of this kind may have.
    var inputTypes: [FlowType] {
        switch self {
        case .source: []
        case .compute: [.number, .series, .bool]
        case .trigger: [.number, .series, .bool, .event]
        case .action: [.event, .number, .bool, .string]
        }
    }

    /// The types that outputs of this kind may have.
    var outputTypes: [FlowType] {
        switch self {
        case .source: [.number, .series, .bool, .string]
        case .compute: [.number, .series, .bool]
        case .trigger, .action: [.event]
        }
    }
}

/// Whether an input takes one edge or any number of them.
public enum Cardinality: String, Sendable, Hashable { case single, multiple }

/// An input of a primitive.
public struct InputPort: Sendable, Hashable {
    public let name: String
    public let type: FlowType
    public let isRequired: Bool
    public let cardinality: Cardinality

    public init(
        _ name: String, _ type: FlowType, isRequired: Bool = true, cardinality: Cardinality = .single
    ) {
        self.name = name
        self.type = type
        self.isRequired = isRequired
        self.cardinality = cardinality
    }
}

/// An output of a primitive.
public struct OutputPort: Sendable, Hashable {
    public let name: String
    public let type: FlowType

    public init(_ name: String, _ type: FlowType) {
        self.name = name
        self.type = type
    }
}

/// When a primitive is meant to be evaluated.
public enum Cadence: String, Sendable, Hashable, CaseIterable { case continuous, event }

/// What a primitive is: its ports, its parameters and what it promises.
///
/// A manifest says; ``PrimitiveRegistry`` decides whether what it says may be.
public struct PrimitiveManifest: Sendable, Hashable {
    public var id: String
    public var version: String
    public var kind: PrimitiveKind
    public var inputs: [InputPort]
    public var outputs: [OutputPort]
    public var parameters: [Parameter]
    /// Whether the same inputs and state always give the same outputs.
    public var isDeterministic: Bool
    public var cadence: Cadence
    /// Whether it may be tried again within a pass, which nothing may.
    public var isRetryable: Bool
    /// How many numbers of state it keeps from pass to pass.
    public var stateCount: Int
    public var hasSideEffects: Bool

    public init(
        _ id: String, version: String = "0.1.0", kind: PrimitiveKind, inputs: [InputPort] = [],
        outputs: [OutputPort], parameters: [Parameter] = [], isDeterministic: Bool = true,
        cadence: Cadence = .continuous, isRetryable: Bool = false, stateCount: Int = 0,
        hasSideEffects: Bool? = nil
    ) {
        self.id = id
        self.version = version
        self.kind = kind
        self.inputs = inputs
        self.outputs = outputs
        self.parameters = parameters
        self.isDeterministic = isDeterministic
        self.cadence = cadence
        self.isRetryable = isRetryable
        self.stateCount = stateCount
        self.hasSideEffects = hasSideEffects ?? (kind == .action)
    }

    /// The id and version by which nodes name it.
    public var reference: PrimitiveReference { PrimitiveReference(id: id, version: version) }

    func input(_ name: String) -> InputPort? { inputs.first { $0.name == name } }
    func output(_ name: String) -> OutputPort? { outputs.first { $0.name == name } }
    func parameter(_ name: String) -> Parameter? { parameters.first { $0.name == name } }
}

/// A primitive's id and version.
public struct PrimitiveReference: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let id: String
    public let version: String

    public init(id: String, version: String = "0.1.0") {
        self.id = id
        self.version = version
    }

    public var description: String { "\(id)@\(version)" }

    public static func < (a: Self, b: Self) -> Bool {
        a.id == b.id ? a.version < b.version : a.id < b.id
    }
}
