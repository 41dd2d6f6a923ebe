public import MeshCore
public import MeshGraph

/// What a script runs against: a schema, who asks, and the values that came with it.
public struct ScriptEnvironment {
    public var schema: GraphSchema
    public var authority: Authority
    public var now: Timestamp
    public var parameters: [String: GraphValue]
    /// What names of the session stand for, as ids.
    public var bindings: [String: String]
    public var virtual: (any VirtualTables)?
    /// Elementary steps that each statement may take.
    public var stepLimit: Int

    public init(
        schema: GraphSchema, authority: Authority, now: Timestamp, parameters: [String: GraphValue] = [:],
        bindings: [String: String] = [:], virtual: (any VirtualTables)? = nil,
        stepLimit: Int = Limits.readSteps
    ) {
        self.schema = schema
        self.authority = authority
        self.now = now
        self.parameters = parameters
        self.bindings = bindings
        self.virtual = virtual
        self.stepLimit = stepLimit
    }
}
