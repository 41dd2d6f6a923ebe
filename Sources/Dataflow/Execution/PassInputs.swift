/// A value at a port of a node.
public struct PortValue: Sendable, Hashable {
    public let port: String
    public let value: FlowValue

    public init(_ port: String, _ value: FlowValue) {
        self.port = port
        self.value = value
    }
}

/// What an adapter gave a node: its outputs, or why there are none.
public struct Reading: Sendable, Hashable {
    public let node: String
    /// By the names of the primitive's outputs, in any order.
    public let result: Result<[PortValue], PrimitiveFailure>

    public init(node: String, _ result: Result<[PortValue], PrimitiveFailure>) {
        self.node = node
        self.result = result
    }

    public init(node: String, _ values: [PortValue]) {
        self.init(node: node, .success(values))
    }
}

/// The snapshot that a pass is a function of: what each adapter source has read, taken before the pass begins.
public struct PassInputs: Sendable, Hashable {
    /// By node.
    public let readings: [Reading]

    public init(_ readings: [Reading] = []) {
        self.readings = readings.sorted { $0.node < $1.node }
    }
}

/// Something outside of the engine that a node stands for, with its parameters in the manifest's order.
public struct AdapterRequest: Sendable, Hashable {
    public let node: String
    public let primitive: PrimitiveReference
    public let parameters: [ParameterBinding]

    public init(node: String, primitive: PrimitiveReference, parameters: [ParameterBinding]) {
        self.node = node
        self.primitive = primitive
        self.parameters = parameters
    }

    /// The text of a parameter, or `nil` where there is none of that name and type.
    public func text(_ name: String) -> String? {
        guard case .text(let text) = parameters.first(where: { $0.name == name })?.value else { return nil }
        return text
    }

    /// The whole number of a parameter, or `nil` where there is none of that name and type.
    public func integer(_ name: String) -> Int64? {
        guard case .int(let value) = parameters.first(where: { $0.name == name })?.value else { return nil }
        return value
    }
}

/// Works out an adapter compute (`wasm`) within a pass; it must give the same for the same.
///
/// Inputs come by port; a port that takes many edges comes once for each, in the graph's order.
public typealias AdapterFunction =
    @Sendable (AdapterRequest, [PortValue]) -> Result<[PortValue], PrimitiveFailure>
