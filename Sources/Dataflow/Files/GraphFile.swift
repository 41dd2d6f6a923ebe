public import JSON5

/// A parameter's value in a file: given, or taken from a parameter of the cluster around it.
public enum FileParameter: Sendable, Hashable {
    case value(ParameterValue)
    case exposed(String)
}

/// A node as it is written: a primitive or a cluster at a place.
public struct FileNode: Sendable {
    public let id: String
    /// Whether ``reference`` names a cluster.
    public let isCluster: Bool
    public let reference: PrimitiveReference
    public let parameters: [(name: String, value: FileParameter)]
    let path: String
    let position: TextPosition?
}

/// An edge as it is written.
public struct FileEdge: Sendable {
    public let from: EdgeOrigin
    public let to: NodePort
    let path: String
    let position: TextPosition?
}

/// An output as it is written, of the graph or of a cluster.
public struct FileOutput: Sendable {
    public let name: String
    public let from: NodePort
    let path: String
    let position: TextPosition?
}

/// What a cluster looks like from outside.
public enum BoundaryKind: String, Sendable, Hashable, CaseIterable {
    case sourceLike = "source"
    case computeLike = "compute"
    case triggerLike = "trigger"
    case actionLike = "action"
}

/// An input of a cluster and the inputs within that it stands for.
public struct FileInput: Sendable {
    public let name: String
    public let type: FlowType
    public let to: [NodePort]
    let path: String
    let position: TextPosition?
}

/// A graph under a name of its own, which stands as one node in others.
public struct FileCluster: Sendable {
    public let reference: PrimitiveReference
    public let nodes: [FileNode]
    public let edges: [FileEdge]
    public let inputs: [FileInput]
    public let outputs: [FileOutput]
    public let parameters: [Parameter]
    /// What the author says that it is.
    public let signature: BoundaryKind?
    let path: String
    let position: TextPosition?
}

/// A graph as a file holds it, before its clusters are expanded.
public struct GraphFile: Sendable {
    /// The version of the files that are read here.
    public static let version = 1

    /// For people; no part of what the graph is.
    public let name: String
    public let nodes: [FileNode]
    public let edges: [FileEdge]
    public let outputs: [FileOutput]
    public let externalInputs: [String]
    public let clusters: [FileCluster]
    public let asksForStatelessTriggers: Bool

    /// Reads a file: JSON, or JSON5.
    ///
    /// - Throws: Everything that is wrong with its form, each with its path and place.
    public init(_ text: String) throws(JSON5Error) {
        let value = try JSON5Parser.file(text, byteCountMax: GraphLimits.fileBytesMax)
        let faults = FaultList()
        let file = GraphFileReader(faults: faults).file(value)
        if !faults.faults.isEmpty { throw JSON5Error(faults: faults.faults) }
        self = file
    }

    init(
        name: String, nodes: [FileNode], edges: [FileEdge], outputs: [FileOutput], externalInputs: [String],
        clusters: [FileCluster], asksForStatelessTriggers: Bool
    ) {
        self.name = name
        self.nodes = nodes
        self.edges = edges
        self.outputs = outputs
        self.externalInputs = externalInputs
        self.clusters = clusters
        self.asksForStatelessTriggers = asksForStatelessTriggers
    }
}
