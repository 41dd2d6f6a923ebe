extension GraphFile {
    /// The graph that the file means, with every cluster replaced by what it holds.
    ///
    /// A node of a cluster is called by the cluster's node and its own id, with `/` between them. What is wrong with
    /// the graph itself is ``GraphValidator``'s to say.
    ///
    /// - Parameters:
    ///   - registry: The primitives that there are.
    ///   - byteCountMax: What nodes and edges may count at most, as ``GraphLimits/expansionBytesMax`` counts.
    /// - Returns: A graph without clusters.
    /// - Throws: Everything that is wrong with the clusters.
    public func expanded(
        _ registry: PrimitiveRegistry, byteCountMax: Int = GraphLimits.expansionBytesMax
    ) throws(ExpansionError) -> FlowGraph {
        let signatures = ClusterSignatures(self, registry)
        if !signatures.faults.isEmpty { throw ExpansionError(faults: signatures.faults) }
        var expansion = ClusterExpansion(signatures, byteCountMax: byteCountMax)
        let root = expansion.place(
            nodes, edges, prefix: "", cluster: "", path: [], parameters: [:])
        let ends = outputs.map { BoundaryOutput($0.name, expansion.origin($0.from, root, $0.path)) }
        if !expansion.faults.isEmpty { throw ExpansionError(faults: expansion.faults) }
        return FlowGraph(
            nodes: expansion.nodes, edges: expansion.edges, outputs: ends, externalInputs: externalInputs,
            asksForStatelessTriggers: asksForStatelessTriggers)
    }
}

/// Puts clusters in the place of the nodes that name them.
struct ClusterExpansion {
    /// A cluster's ports after it was put in place: what stands for them in the expanded graph.
    struct Placed {
        var inputs: [String: [NodePort]] = [:]
        var outputs: [String: NodePort] = [:]
    }

    /// The nodes of one level: their ids after expansion, and the clusters among them.
    struct Level {
        var prefix: String
        var clusters: [String: Placed] = [:]
    }

    private let signatures: ClusterSignatures
    private(set) var nodes: [FlowNode] = []
    private(set) var edges: [FlowEdge] = []
    private(set) var faults: [ClusterFault] = []
    /// How many ends of edges were looked at: inputs that stand for many, in clusters of clusters, multiply.
    private var endCount = 0
    /// What nodes and edges count so far: clusters of clusters multiply them, and make each id longer.
    private var byteCount = 0
    private let byteCountMax: Int

    init(_ signatures: ClusterSignatures, byteCountMax: Int = GraphLimits.expansionBytesMax) {
        self.signatures = signatures
        self.byteCountMax = byteCountMax
    }

    /// Counts one more node, edge or end of an input; `false`, with a fault, where that is one too many.
    private mutating func count(_ bytes: Int, _ path: String) -> Bool {
        byteCount += bytes
        if byteCount <= byteCountMax { return true }
        add(.tooLarge, path, "expands to more than \(byteCountMax) bytes")
        return false
    }

    private mutating func add(_ code: ClusterFailure, _ path: String, _ message: String) {
        guard faults.count < GraphLimits.faultsMax else { return }
        faults.append(ClusterFault(code: code, path: path, message: message, position: nil))
    }

    /// The output that stands for `port` on a level.
    mutating func origin(_ port: NodePort, _ level: Level, _ path: String) -> NodePort {
        guard let placed = level.clusters[port.node] else {
            return NodePort(level.prefix + port.node, port.port)
        }
        if let inner = placed.outputs[port.port] { return inner }
        add(.unknownClusterPort, path, "the cluster “\(port.node)” has no output “\(port.port)”")
        return port
    }

    private mutating func targets(_ port: NodePort, _ level: Level, _ path: String) -> [NodePort] {
        guard let placed = level.clusters[port.node] else {
            return [NodePort(level.prefix + port.node, port.port)]
        }
        if let inner = placed.inputs[port.port] {
            endCount += inner.count
            if endCount <= GraphLimits.edgesMax { return inner }
            add(.tooLarge, path, "expands to more than \(GraphLimits.edgesMax) edges")
            return []
        }
        add(.unknownClusterPort, path, "the cluster “\(port.node)” has no input “\(port.port)”")
        return []
    }

    /// Adds the nodes and edges of one level; the depth of clusters was bounded before.
    mutating func place(
        _ fileNodes: [FileNode], _ fileEdges: [FileEdge], prefix: String, cluster: String,
        path: [AuthoringStep], parameters: [String: ParameterValue]
    ) -> Level {
        var level = Level(prefix: prefix)
        for node in fileNodes {
            guard faults.isEmpty else { return level }
            var bindings: [ParameterBinding] = []
            for (name, value) in node.parameters {
                switch value {
                case .value(let given): bindings.append(ParameterBinding(name, given))
                case .exposed(let outer):
                    if let given = parameters[outer] { bindings.append(ParameterBinding(name, given)) }
                }
            }
            let steps = path + [AuthoringStep(cluster: cluster, node: node.id)]
            if node.isCluster, let inner = signatures.clusters[node.reference] {
                level.clusters[node.id] = place(inner, prefix + node.id + "/", steps, bindings)
            } else {
                let bytes = GraphLimits.elementBytes + prefix.utf8.count + node.id.utf8.count
                guard count(bytes, node.path) else { return level }
                nodes.append(
                    FlowNode(
                        prefix + node.id, node.reference, parameters: bindings, authoringPath: steps))
            }
            if nodes.count > GraphLimits.nodesMax {
                add(.tooLarge, node.path, "expands to more than \(GraphLimits.nodesMax) nodes")
            }
        }
        for edge in fileEdges {
            let ends = targets(edge.to, level, edge.path)
            guard edges.count + ends.count <= GraphLimits.edgesMax else {
                add(.tooLarge, edge.path, "expands to more than \(GraphLimits.edgesMax) edges")
                return level
            }
            switch edge.from {
            case .port(let from):
                let begin = origin(from, level, edge.path)
                for end in ends {
                    let bytes = GraphLimits.elementBytes + begin.node.utf8.count + end.node.utf8.count
                    guard count(bytes, edge.path) else { return level }
                }
                edges += ends.map { FlowEdge(begin, $0) }
            case .external: edges += ends.map { FlowEdge(from: edge.from, to: $0) }
            }
        }
        return level
    }

    private mutating func place(
        _ cluster: FileCluster, _ prefix: String, _ path: [AuthoringStep], _ bindings: [ParameterBinding]
    ) -> Placed {
        var values: [String: ParameterValue] = [:]
        for parameter in cluster.parameters {
            let given = bindings.first { $0.name == parameter.name }?.value ?? parameter.fallback
            values[parameter.name] = given?.converted(to: parameter.type)
        }
        let level = place(
            cluster.nodes, cluster.edges, prefix: prefix, cluster: cluster.reference.id, path: path,
            parameters: values)
        var placed = Placed()
        for input in cluster.inputs {
            var ends: [NodePort] = []
            for target in input.to where faults.isEmpty {
                let found = targets(target, level, input.path)
                for end in found where faults.isEmpty {
                    _ = count(GraphLimits.endBytes + end.node.utf8.count, input.path)
                }
                ends += found
            }
            placed.inputs[input.name] = ends
        }
        for output in cluster.outputs {
            placed.outputs[output.name] = origin(output.from, level, output.path)
        }
        return placed
    }
}
