/// What a node offers to the edges around it: a primitive's ports or those of a cluster.
struct Interface {
    var inputs: [(name: String, type: FlowType)]
    /// `isWireable` is false for what became of actions.
    var outputs: [(name: String, type: FlowType, isWireable: Bool)]
    var parameters: [Parameter]

    init(_ manifest: PrimitiveManifest) {
        inputs = manifest.inputs.map { ($0.name, $0.type) }
        outputs = manifest.outputs.map { ($0.name, $0.type, manifest.kind != .action) }
        parameters = manifest.parameters
    }

    init() {
        (inputs, outputs, parameters) = ([], [], [])
    }

    /// What the ports make it look like from outside.
    var kind: BoundaryKind {
        let wireable = outputs.filter(\.isWireable)
        if wireable.isEmpty { return .actionLike }
        if wireable.contains(where: { $0.type == .event }) { return .triggerLike }
        return inputs.isEmpty ? .sourceLike : .computeLike
    }
}

/// Works out what each cluster of a file looks like, the ones within before those around them.
struct ClusterSignatures {
    let file: GraphFile
    let registry: PrimitiveRegistry
    private(set) var faults: [ClusterFault] = []
    private(set) var interfaces: [PrimitiveReference: Interface] = [:]
    private(set) var clusters: [PrimitiveReference: FileCluster] = [:]
    /// How many clusters stand in one another from each on.
    private var depths: [PrimitiveReference: Int] = [:]

    init(_ file: GraphFile, _ registry: PrimitiveRegistry) {
        self.file = file
        self.registry = registry
        for cluster in file.clusters { clusters[cluster.reference] = cluster }
        var underWay: [PrimitiveReference] = []
        for cluster in file.clusters { visit(cluster, &underWay) }
        for node in file.nodes { checkInstance(node, within: nil) }
    }

    mutating func add(_ code: ClusterFailure, _ path: String, _ message: String, _ cluster: FileCluster) {
        guard faults.count < GraphLimits.faultsMax else { return }
        faults.append(ClusterFault(code: code, path: path, message: message, position: cluster.position))
    }

    /// The ports of a node, or `nil` where what it names is not known.
    func interface(_ node: FileNode) -> Interface? {
        node.isCluster ? interfaces[node.reference] : registry.manifest(node.reference).map(Interface.init)
    }

    private mutating func visit(_ cluster: FileCluster, _ underWay: inout [PrimitiveReference]) {
        guard interfaces[cluster.reference] == nil else { return }
        guard !underWay.contains(cluster.reference), underWay.count < GraphLimits.clusterDepthMax else {
            let chain = (underWay + [cluster.reference]).map(\.description).joined(separator: " → ")
            add(
                .clusterRecursion, cluster.path, "clusters stand in themselves or too deep: \(chain)", cluster
            )
            interfaces[cluster.reference] = Interface()
            return
        }
        underWay.append(cluster.reference)
        for node in cluster.nodes where node.isCluster {
            if let inner = clusters[node.reference] { visit(inner, &underWay) }
        }
        underWay.removeLast()
        let depth = 1 + (cluster.nodes.filter(\.isCluster).map { depths[$0.reference] ?? 0 }.max() ?? 0)
        depths[cluster.reference] = depth
        if depth > GraphLimits.clusterDepthMax {
            add(
                .clusterRecursion, cluster.path,
                "\(depth) clusters stand in one another; \(GraphLimits.clusterDepthMax) are the most", cluster
            )
        }
        if interfaces[cluster.reference] == nil { check(cluster) }
    }

    private mutating func check(_ cluster: FileCluster) {
        if cluster.nodes.isEmpty { add(.emptyCluster, cluster.path, "has no nodes", cluster) }
        var nodes: [String: FileNode] = [:]
        for node in cluster.nodes { nodes[node.id] = node }
        var interface = Interface()
        interface.parameters = checkParameters(cluster)
        for node in cluster.nodes { checkInstance(node, within: (cluster, interface.parameters)) }
        for edge in cluster.edges {
            if case .port(let from) = edge.from, nodes[from.node] == nil {
                add(.unknownNode, edge.path, "there is no node “\(from.node)”", cluster)
            }
            if nodes[edge.to.node] == nil {
                add(.unknownNode, edge.path, "there is no node “\(edge.to.node)”", cluster)
            }
        }
        for input in cluster.inputs {
            if interface.inputs.contains(where: { $0.name == input.name }) {
                add(.duplicateInputPort, input.path, "there are two inputs “\(input.name)”", cluster)
            }
            for target in input.to where nodes[target.node].map({ self.interface($0) != nil }) ?? true {
                let port = nodes[target.node].flatMap { self.interface($0) }?.inputs.first {
                    $0.name == target.port
                }
                if port?.type != input.type {
                    add(
                        .signatureInferenceFailed, input.path,
                        "\(target) is no input of type \(input.type.rawValue)", cluster)
                }
            }
            if input.to.isEmpty {
                add(.signatureInferenceFailed, input.path, "stands for no input within", cluster)
            }
            interface.inputs.append((input.name, input.type))
        }
        var outputNames: Set<String> = []
        for output in cluster.outputs {
            if !outputNames.insert(output.name).inserted {
                add(.duplicateOutputPort, output.path, "there are two outputs “\(output.name)”", cluster)
            }
            let inner = nodes[output.from.node].flatMap { self.interface($0) }
            if let port = inner?.outputs.first(where: { $0.name == output.from.port }) {
                interface.outputs.append((output.name, port.type, port.isWireable))
            } else if nodes[output.from.node] == nil || inner != nil {
                add(
                    .signatureInferenceFailed, output.path, "\(output.from) is no output within", cluster)
            }
        }
        if let declared = cluster.signature, declared != interface.kind {
            add(
                .declaredSignatureInvalid, "\(cluster.path).signature",
                "is declared to be like a \(declared.rawValue) and is like a \(interface.kind.rawValue)",
                cluster)
        }
        interfaces[cluster.reference] = interface
    }

    private mutating func checkParameters(_ cluster: FileCluster) -> [Parameter] {
        var seen: Set<String> = []
        for (index, parameter) in cluster.parameters.enumerated() {
            let path = "\(cluster.path).parameters[\(index)]"
            if !seen.insert(parameter.name).inserted {
                add(.duplicateParameter, path, "there are two parameters “\(parameter.name)”", cluster)
            }
            if let fallback = parameter.fallback, fallback.converted(to: parameter.type) == nil {
                add(
                    .parameterDefaultTypeMismatch, path,
                    "the default is \(fallback.kindName) and the parameter \(parameter.type.rawValue)",
                    cluster)
            }
        }
        return cluster.parameters
    }

    /// Holds what a node gives its parameters against what they take, as far as clusters have a part in it.
    private mutating func checkInstance(_ node: FileNode, within outer: (FileCluster, [Parameter])?) {
        func note(_ code: ClusterFailure, _ message: String, _ key: String = "") -> ClusterFault {
            ClusterFault(
                code: code, path: key.isEmpty ? node.path : "\(node.path).parameters.\(key)",
                message: message,
                position: node.position)
        }
        var found: [ClusterFault] = []
        if node.isCluster, clusters[node.reference] == nil {
            found.append(note(.missingCluster, "there is no cluster \(node.reference)"))
        }
        let interface = interface(node)
        for (name, value) in node.parameters {
            let parameter = interface?.parameters.first { $0.name == name }
            if node.isCluster, interface != nil, parameter == nil {
                found.append(note(.unknownClusterPort, "the cluster has no parameter “\(name)”", name))
            }
            switch value {
            case .exposed(let outerName):
                guard let from = outer?.1.first(where: { $0.name == outerName }) else {
                    found.append(
                        note(
                            .exposedParameterNotFound, "there is no parameter “\(outerName)” around it", name)
                    )
                    continue
                }
                if let parameter, !Self.fits(from.type, parameter.type) {
                    found.append(
                        note(
                            .exposedParameterTypeMismatch,
                            "takes \(parameter.type.rawValue), and “\(outerName)” is \(from.type.rawValue)",
                            name))
                }
            case .value(let given):
                if node.isCluster, let parameter, given.converted(to: parameter.type) == nil {
                    found.append(
                        note(
                            .parameterBindingTypeMismatch,
                            "takes \(parameter.type.rawValue), not \(given.kindName)", name))
                }
            }
        }
        if node.isCluster, let interface {
            for parameter in interface.parameters where parameter.fallback == nil {
                if !node.parameters.contains(where: { $0.name == parameter.name }) {
                    found.append(
                        note(.missingRequiredParameter, "the parameter “\(parameter.name)” is not given"))
                }
            }
        }
        faults += found.prefix(max(0, GraphLimits.faultsMax - faults.count))
    }

    private static func fits(_ from: ParameterType, _ to: ParameterType) -> Bool {
        from == to || (from == .int && to == .number) || (from == .string && to == .choice)
            || (from == .choice && to == .string)
    }
}
