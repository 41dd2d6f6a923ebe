public import JSON5

/// What can be wrong with clusters.
public enum ClusterFailure: String, Sendable, Hashable, CaseIterable {
    /// A cluster without nodes.
    case emptyCluster = "dataflow.empty-cluster"
    /// No cluster of this id and version is in the file.
    case missingCluster = "dataflow.missing-cluster"
    case duplicateInputPort = "dataflow.duplicate-input-port"
    case duplicateOutputPort = "dataflow.duplicate-output-port"
    case duplicateParameter = "dataflow.duplicate-cluster-parameter"
    case parameterDefaultTypeMismatch = "dataflow.parameter-default-type-mismatch"
    /// A parameter without a default is not given.
    case missingRequiredParameter = "dataflow.missing-required-parameter"
    /// A value given to a cluster's parameter is not of its type.
    case parameterBindingTypeMismatch = "dataflow.parameter-binding-type-mismatch"
    /// A node takes its value from a parameter that the cluster does not have.
    case exposedParameterNotFound = "dataflow.exposed-parameter-not-found"
    /// A node takes its value from a parameter of another type.
    case exposedParameterTypeMismatch = "dataflow.exposed-parameter-type-mismatch"
    /// A port stands for one within that is not there or is of another type.
    case signatureInferenceFailed = "dataflow.signature-inference-failed"
    /// The cluster is not what its author says it is.
    case declaredSignatureInvalid = "dataflow.declared-signature-invalid"
    /// A cluster that stands in itself, or too deep in others.
    case clusterRecursion = "dataflow.cluster-recursion"
    /// A node or edge names a port or parameter that the cluster does not have.
    case unknownClusterPort = "dataflow.unknown-cluster-port"
    /// An edge or an input names a node that the cluster does not have.
    case unknownNode = "dataflow.unknown-node-in-cluster"
    /// More nodes or edges after expansion than a graph may have.
    case tooLarge = "dataflow.expansion-too-large"
}

/// One thing that is wrong with clusters, and where.
public struct ClusterFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let code: ClusterFailure
    /// Such as `clusters[1].inputs[0]`.
    public let path: String
    public let message: String
    public let position: TextPosition?

    public var description: String { "\(path): \(message)" + (position.map { " (\($0))" } ?? "") }
}

/// Everything that keeps a file from being expanded; never empty.
public struct ExpansionError: Error, Sendable, Equatable, CustomStringConvertible {
    public let faults: [ClusterFault]
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
