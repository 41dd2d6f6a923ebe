/// A port of a node.
public struct NodePort: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let node: String
    public let port: String

    public init(_ node: String, _ port: String) {
        self.node = node
        self.port = port
    }

    public var description: String { "\(node).\(port)" }

    public static func < (a: Self, b: Self) -> Bool { a.node == b.node ? a.port < b.port : a.node < b.node }
}

/// Where an edge begins.
public enum EdgeOrigin: Sendable, Hashable, Comparable, CustomStringConvertible {
    case port(NodePort)
    /// A value from outside of the graph, which graphs that run may not have.
    case external(String)

    public var description: String {
        switch self {
        case .port(let port): port.description
        case .external(let name): "@\(name)"
        }
    }
}

/// A value's way from an output to an input.
public struct FlowEdge: Sendable, Hashable, Comparable {
    public let from: EdgeOrigin
    public let to: NodePort

    public init(from: EdgeOrigin, to: NodePort) {
        self.from = from
        self.to = to
    }

    public init(_ from: NodePort, _ to: NodePort) {
        self.init(from: .port(from), to: to)
    }

    public static func < (a: Self, b: Self) -> Bool { a.to == b.to ? a.from < b.from : a.to < b.to }
}

/// What a node gives one parameter.
public struct ParameterBinding: Sendable, Hashable {
    public let name: String
    public let value: ParameterValue

    public init(_ name: String, _ value: ParameterValue) {
        self.name = name
        self.value = value
    }
}

/// One step of where a node was written: which node of which cluster.
public struct AuthoringStep: Sendable, Hashable {
    /// The cluster's id; empty for the graph itself.
    public let cluster: String
    public let node: String

    public init(cluster: String, node: String) {
        self.cluster = cluster
        self.node = node
    }
}

/// A primitive at a place in a graph.
public struct FlowNode: Sendable, Hashable {
    public let id: String
    public let primitive: PrimitiveReference
    /// By name.
    public let parameters: [ParameterBinding]
    /// Where it was written, from the graph inwards; no part of what the graph is.
    public let authoringPath: [AuthoringStep]

    public init(
        _ id: String, _ primitive: PrimitiveReference, parameters: [ParameterBinding] = [],
        authoringPath: [AuthoringStep] = []
    ) {
        self.id = id
        self.primitive = primitive
        self.parameters = parameters.sorted { $0.name < $1.name }
        self.authoringPath = authoringPath
    }
}

/// A value that a pass reports, under its name.
public struct BoundaryOutput: Sendable, Hashable {
    public let name: String
    public let port: NodePort

    public init(_ name: String, _ port: NodePort) {
        self.name = name
        self.port = port
    }
}

/// A graph of primitives without clusters, in one canonical order: nodes by id, edges by where they end and
/// begin, outputs by name.
///
/// It need not be valid; ``GraphValidator`` says whether it is.
public struct FlowGraph: Sendable, Hashable {
    public let nodes: [FlowNode]
    public let edges: [FlowEdge]
    public let outputs: [BoundaryOutput]
    /// Values that the graph would take from outside.
    public let externalInputs: [String]
    /// Whether the author asks for triggers without state.
    public let asksForStatelessTriggers: Bool

    public init(
        nodes: [FlowNode], edges: [FlowEdge], outputs: [BoundaryOutput], externalInputs: [String] = [],
        asksForStatelessTriggers: Bool = false
    ) {
        self.nodes = nodes.sorted { $0.id < $1.id }
        self.edges = edges.sorted()
        self.outputs = outputs.sorted { $0.name == $1.name ? $0.port < $1.port : $0.name < $1.name }
        self.externalInputs = externalInputs.sorted()
        self.asksForStatelessTriggers = asksForStatelessTriggers
    }
}
