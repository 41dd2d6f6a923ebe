/// What runs a primitive.
public enum Implementation: Sendable {
    /// One of the engine's own instructions.
    case builtIn(Opcode)
    /// A function of the program around the engine, given inputs, parameters and the node's state.
    ///
    /// Inputs come in the manifest's order, `nil` where none is wired; a port that takes many edges has one
    /// element for each. Outputs are returned in the manifest's order.
    case function(PrimitiveFunction)
    /// Read, worked out or done outside of the engine: a source is read before the pass, a compute is handed
    /// to the pass's ``AdapterFunction``, an action becomes a command.
    case adapter
}

/// A primitive as a function; it must give the same for the same.
public typealias PrimitiveFunction =
    @Sendable (
        _ inputs: [FlowValue?], _ parameters: [ParameterValue], _ state: inout [Double]
    ) throws(PrimitiveFailure) -> [FlowValue]

/// The engine's own instructions.
public enum Opcode: UInt8, Sendable, Hashable, CaseIterable {
    /// The value of the parameter `value`; costs nothing in a pass.
    case constant
    case add, subtract, multiply, divide, negate
    case greater, less, equal, unequal
    case and, or, not
    case select
    case emitIfTrue
    case crossover, once, debounce, count
    /// A function, or what an adapter works out.
    case call
    /// What the pass's inputs hold.
    case reading
    case acknowledge, annotate
    /// An action that becomes a command.
    case command
}

/// What kind of failure stopped a pass: it decides whether another pass is tried.
public enum ErrorClass: String, Sendable, Hashable, CaseIterable {
    case networkTimeout = "network_timeout"
    case adapterUnavailable = "adapter_unavailable"
    case validationFailed = "validation_failed"
    case runtimeError = "runtime_error"
    case deadlineExceeded = "deadline_exceeded"
    case cancelled

    /// Whether another pass may end better.
    public var isRetried: Bool {
        switch self {
        case .networkTimeout, .adapterUnavailable, .runtimeError: true
        case .validationFailed, .deadlineExceeded, .cancelled: false
        }
    }
}

/// A primitive that could not give its outputs, or an action that could not be done.
public struct PrimitiveFailure: Error, Sendable, Hashable {
    public let errorClass: ErrorClass
    /// One sentence for people.
    public let message: String

    public init(_ errorClass: ErrorClass, _ message: String) {
        self.errorClass = errorClass
        self.message = message
    }
}
