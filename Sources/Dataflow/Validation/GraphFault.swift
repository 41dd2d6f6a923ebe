/// One thing that keeps a graph from being run.
///
/// The first ten are what the order of validation decides about; the others belong to the stages before (the
/// graph's shape) and behind (parameters and doubly wired inputs).
public enum GraphFault: Error, Sendable, Hashable {
    /// No primitive of this id and version is known.
    case missingPrimitive(node: String, PrimitiveReference)
    /// An edge takes a value from outside of the graph.
    case externalInputNotAllowed(name: String)
    /// An edge or an output names a node that is not there.
    case unknownNode(String)
    /// Nodes that depend on themselves: each feeds the next, the last the first.
    case cycleDetected([String])
    /// The kind of one node may not feed the kind of the other.
    case invalidEdgeKind(from: String, PrimitiveKind, to: String, PrimitiveKind)
    case missingRequiredInput(node: String, input: String)
    /// An edge ends at an input that the node does not have.
    case missingInputMetadata(node: String, input: String)
    /// An edge or an output begins at an output that the node does not have.
    case missingOutputMetadata(node: String, output: String)
    case typeMismatch(from: NodePort, to: NodePort, expected: FlowType, got: FlowType)
    /// An action that no trigger's event reaches.
    case actionNotGated(String)

    /// An id or name of other characters than it may have, or too long.
    case badName(String)
    case duplicateNode(String)
    case duplicateEdge(from: String, to: NodePort)
    case duplicateOutput(String)
    /// More of something than there may be.
    case tooLarge(String, count: Int, max: Int)

    /// Two edges end at an input that takes one.
    case inputWiredTwice(node: String, input: String)
    case unknownParameter(node: String, parameter: String)
    case duplicateParameter(node: String, parameter: String)
    case missingParameter(node: String, parameter: String)
    case parameterType(node: String, parameter: String, expected: ParameterType, got: String)
    /// Out of bounds, none of the choices, or too long.
    case parameterOutOfBounds(node: String, parameter: String, reason: String)
    /// NaN or infinite: two such graphs could not be told to be equal.
    case parameterNotFinite(node: String, parameter: String)

    /// The stable code.
    public var code: String {
        let name =
            switch self {
            case .missingPrimitive: "missing-primitive"
            case .externalInputNotAllowed: "external-input-not-allowed"
            case .unknownNode: "unknown-node"
            case .cycleDetected: "cycle-detected"
            case .invalidEdgeKind: "invalid-edge-kind"
            case .missingRequiredInput: "missing-required-input"
            case .missingInputMetadata: "missing-input-metadata"
            case .missingOutputMetadata: "missing-output-metadata"
            case .typeMismatch: "type-mismatch"
            case .actionNotGated: "action-not-gated"
            case .badName: "bad-name"
            case .duplicateNode: "duplicate-node"
            case .duplicateEdge: "duplicate-edge"
            case .duplicateOutput: "duplicate-output"
            case .tooLarge: "too-large"
            case .inputWiredTwice: "input-wired-twice"
            case .unknownParameter: "unknown-parameter"
            case .duplicateParameter: "duplicate-parameter"
            case .missingParameter: "missing-parameter"
            case .parameterType: "parameter-type"
            case .parameterOutOfBounds: "parameter-out-of-bounds"
            case .parameterNotFinite: "parameter-not-finite"
            }
        return "dataflow.\(name)"
    }
}

extension GraphFault: CustomStringConvertible {
    /// One sentence for people.
    public var description: String {
        switch self {
        case .missingPrimitive(let node, let reference): "\(node): there is no primitive \(reference)"
        case .externalInputNotAllowed(let name):
            "the input “\(name)” comes from outside, and a graph that runs brings its own sources"
        case .unknownNode(let node): "there is no node “\(node)”"
        case .cycleDetected(let nodes): "these nodes depend on themselves: \(Self.cycleText(nodes))"
        case .invalidEdgeKind(let from, let source, let to, let target):
            "\(from) → \(to): \(source.article) may not feed \(target.article)"
        case .missingRequiredInput(let node, let input): "\(node): nothing feeds the input “\(input)”"
        case .missingInputMetadata(let node, let input): "\(node) has no input “\(input)”"
        case .missingOutputMetadata(let node, let output): "\(node) has no output “\(output)”"
        case .typeMismatch(let from, let to, let expected, let got):
            "\(from) → \(to): the input takes \(expected.rawValue), the output gives \(got.rawValue)"
        case .actionNotGated(let node): "\(node): no trigger's event reaches this action"
        case .badName(let name): "“\(name.prefix(80))” cannot be a name"
        case .duplicateNode(let node): "there are two nodes “\(node)”"
        case .duplicateEdge(let from, let to): "the edge \(from) → \(to) stands here twice"
        case .duplicateOutput(let name): "there are two outputs “\(name)”"
        case .tooLarge(let what, let count, let max): "there are \(count) \(what); \(max) are the most"
        case .inputWiredTwice(let node, let input): "\(node).\(input) is fed by two edges and takes one"
        case .unknownParameter(let node, let parameter): "\(node) has no parameter “\(parameter)”"
        case .duplicateParameter(let node, let parameter): "\(node).\(parameter) is given twice"
        case .missingParameter(let node, let parameter): "\(node) needs the parameter “\(parameter)”"
        case .parameterType(let node, let parameter, let expected, let got):
            "\(node).\(parameter) takes \(expected.rawValue), not \(got)"
        case .parameterOutOfBounds(let node, let parameter, let reason): "\(node).\(parameter) \(reason)"
        case .parameterNotFinite(let node, let parameter):
            "\(node).\(parameter) is not finite, so no two such graphs could be called equal"
        }
    }

    /// `a → b → a`; the middle of a long cycle is counted and not shown.
    private static func cycleText(_ nodes: [String]) -> String {
        let shown =
            nodes.count <= 40
            ? nodes : Array(nodes.prefix(20)) + ["(\(nodes.count - 40) more)"] + Array(nodes.suffix(20))
        return (shown + nodes.prefix(1)).joined(separator: " → ")
    }
}

extension PrimitiveKind {
    var article: String { self == .action ? "an action" : "a \(rawValue)" }
}

/// A graph that cannot be run: everything that was found, the decided first fault first.
public struct GraphError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Never empty.
    public let faults: [GraphFault]

    public init(faults: [GraphFault]) {
        self.faults = faults
    }

    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
