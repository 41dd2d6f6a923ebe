public import MEW
public import MeshGraph

/// A program over the graph, read already, as the control API hands it over.
public struct GraphScript: Sendable {
    /// How many transactions one program may have: each is an anchor of its own, and the node does nothing else
    /// meanwhile.
    public static let transactionCountMax = 1000

    public var units: [ScriptUnit]
    /// The program's text.
    public var source: [UInt8]
    public var parameters: [String: GraphValue]
    /// Names of the session with the ids that they stand for.
    public var bindings: [String: String]
    /// Tries everything, and keeps nothing.
    public var isDryRun: Bool
    /// As the kernel: for what watches do.
    public var isKernel: Bool

    public init(
        units: [ScriptUnit], source: [UInt8], parameters: [String: GraphValue] = [:],
        bindings: [String: String] = [:], isDryRun: Bool = false, isKernel: Bool = false
    ) {
        self.units = units
        self.source = source
        self.parameters = parameters
        self.bindings = bindings
        self.isDryRun = isDryRun
        self.isKernel = isKernel
    }
}

/// What a program gave.
public struct GraphRun: Sendable {
    public var results: [StatementResult]
    public var bindings: [String: String]
    /// Why it went no further.
    ///
    /// The units before the one that failed have taken effect.
    public var failure: Diagnostic?

    public init(results: [StatementResult], bindings: [String: String], failure: Diagnostic?) {
        self.results = results
        self.bindings = bindings
        self.failure = failure
    }
}

/// What a step has done to the graph and to what system types read.
public struct GraphTouched: Sendable {
    /// Sorted, each once.
    public var entities: [LocalID] = []
    /// Whether rows of system types may have changed.
    public var isSystemChanged = false
    /// Whether other ontologies are in force.
    public var isSchemaChanged = false

    public init() {}

    public var isEmpty: Bool { entities.isEmpty && !isSystemChanged && !isSchemaChanged }
}
