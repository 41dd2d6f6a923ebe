/// Says whether a graph can be run.
///
/// The stages, in their order: the graph's shape; primitives that are known; no input from outside; nodes that are
/// there and no cycle; wiring; required inputs; ports and types; gating of actions; parameters. Within a stage nodes
/// are looked at by id and edges in the graph's order, so that the first fault is decided.
public struct GraphValidator {
    private let graph: FlowGraph
    private let stopsAtFirst: Bool
    private var faults: [GraphFault] = []
    private(set) var manifests: [PrimitiveManifest?]
    private var numbers: [String: Int32] = [:]
    /// The edges between nodes that are there.
    private(set) var links: [(edge: FlowEdge, from: NodePort, source: Int32, target: Int32)] = []
    private(set) var order: [Int32] = []
    private let registry: PrimitiveRegistry

    /// The fault that decides, or `nil` for a graph that can be run.
    public static func firstFault(_ graph: FlowGraph, _ registry: PrimitiveRegistry) -> GraphFault? {
        var validator = GraphValidator(graph, registry, stopsAtFirst: true)
        validator.run()
        return validator.faults.first
    }

    /// Every fault, the deciding one first; at most ``GraphLimits/faultsMax``.
    ///
    /// What depends on something that is already at fault (an edge to a node that is not there, a node of an unknown
    /// primitive) is left out.
    public static func allFaults(_ graph: FlowGraph, _ registry: PrimitiveRegistry) -> [GraphFault] {
        var validator = GraphValidator(graph, registry, stopsAtFirst: false)
        validator.run()
        return validator.faults
    }

    /// A validator that has found nothing wrong, for preparation.
    static func validated(
        _ graph: FlowGraph, _ registry: PrimitiveRegistry
    ) throws(GraphError) -> GraphValidator {
        var validator = GraphValidator(graph, registry, stopsAtFirst: false)
        validator.run()
        if !validator.faults.isEmpty { throw GraphError(faults: validator.faults) }
        return validator
    }

    private init(_ graph: FlowGraph, _ registry: PrimitiveRegistry, stopsAtFirst: Bool) {
        self.graph = graph
        self.registry = registry
        self.stopsAtFirst = stopsAtFirst
        manifests = []
    }

    private var isDone: Bool { stopsAtFirst && !faults.isEmpty || faults.count >= GraphLimits.faultsMax }

    private mutating func add(_ fault: GraphFault) {
        if faults.count < GraphLimits.faultsMax { faults.append(fault) }
    }

    private mutating func run() {
        let sizes = [
            ("nodes", graph.nodes.count, GraphLimits.nodesMax),
            ("edges", graph.edges.count, GraphLimits.edgesMax),
            ("outputs", graph.outputs.count, GraphLimits.outputsMax),
            ("external inputs", graph.externalInputs.count, GraphLimits.externalInputsMax),
        ]
        for (what, count, max) in sizes where count > max { add(.tooLarge(what, count: count, max: max)) }
        // Nothing is walked that is larger than it may be.
        if !faults.isEmpty { return }
        checkShape()
        if isDone { return }
        lookUp()
        if isDone { return }
        refuseExternalInputs()
        if isDone { return }
        sort()
        if isDone { return }
        checkWiring()
        if isDone { return }
        checkRequiredInputs()
        if isDone { return }
        checkTypes()
        if isDone { return }
        checkGating()
        if isDone { return }
        checkParameters()
    }

    private mutating func checkShape() {
        for (index, node) in graph.nodes.enumerated() {
            if !GraphLimits.isNodeID(node.id) { add(.badName(node.id)) }
            if index > 0, graph.nodes[index - 1].id == node.id { add(.duplicateNode(node.id)) }
            numbers[node.id] = Int32(index)
            if node.parameters.count > GraphLimits.parametersMax {
                add(
                    .tooLarge(
                        "parameters of \(node.id)", count: node.parameters.count,
                        max: GraphLimits.parametersMax))
            }
        }
        for (index, edge) in graph.edges.enumerated() where index > 0 && graph.edges[index - 1] == edge {
            add(.duplicateEdge(from: edge.from.description, to: edge.to))
        }
        for (index, output) in graph.outputs.enumerated() {
            if !GraphLimits.isName(output.name) { add(.badName(output.name)) }
            if index > 0, graph.outputs[index - 1].name == output.name { add(.duplicateOutput(output.name)) }
        }
    }

    private mutating func lookUp() {
        manifests.reserveCapacity(graph.nodes.count)
        for node in graph.nodes {
            var manifest = registry.manifest(node.primitive)
            // An author who asks for triggers without state finds no others in the catalogue.
            if graph.asksForStatelessTriggers, let found = manifest, found.kind == .trigger,
                found.stateCount > 0
            {
                manifest = nil
            }
            if manifest == nil { add(.missingPrimitive(node: node.id, node.primitive)) }
            manifests.append(manifest)
        }
    }

    private mutating func refuseExternalInputs() {
        for edge in graph.edges {
            if case .external(let name) = edge.from { add(.externalInputNotAllowed(name: name)) }
        }
    }

    private mutating func sort() {
        for edge in graph.edges {
            guard case .port(let from) = edge.from else { continue }
            let (source, target) = (numbers[from.node], numbers[edge.to.node])
            if source == nil { add(.unknownNode(from.node)) }
            if target == nil { add(.unknownNode(edge.to.node)) }
            if let source, let target { links.append((edge, from, source, target)) }
        }
        for output in graph.outputs where numbers[output.port.node] == nil {
            add(.unknownNode(output.port.node))
        }
        let sorted = TopologicalOrder(
            nodeCount: graph.nodes.count, edges: links.map { (from: $0.source, to: $0.target) })
        order = sorted.order
        if !sorted.cycle.isEmpty { add(.cycleDetected(sorted.cycle.map { graph.nodes[Int($0)].id })) }
    }

    private mutating func checkWiring() {
        for link in links {
            guard let source = manifests[Int(link.source)], let target = manifests[Int(link.target)],
                !source.kind.mayFeed(target.kind)
            else { continue }
            add(.invalidEdgeKind(from: link.from.node, source.kind, to: link.edge.to.node, target.kind))
        }
    }

    /// Calls `body` for each node with its manifest and where its edges stand in ``links``, which are sorted by target.
    private func forEachNode(_ body: (FlowNode, PrimitiveManifest, Range<Int>) -> Void) {
        var end = 0
        for (index, node) in graph.nodes.enumerated() {
            let start = end
            while end < links.count, Int(links[end].target) == index { end += 1 }
            if let manifest = manifests[index] { body(node, manifest, start..<end) }
        }
    }

    private mutating func checkRequiredInputs() {
        var found: [GraphFault] = []
        forEachNode { node, manifest, range in
            for input in manifest.inputs where input.isRequired {
                if !range.contains(where: { links[$0].edge.to.port == input.name }) {
                    found.append(.missingRequiredInput(node: node.id, input: input.name))
                }
            }
        }
        for fault in found { add(fault) }
    }

    private mutating func checkTypes() {
        for link in links {
            guard let source = manifests[Int(link.source)], let target = manifests[Int(link.target)] else {
                continue
            }
            let input = target.input(link.edge.to.port)
            let output = source.output(link.from.port)
            if input == nil {
                add(.missingInputMetadata(node: link.edge.to.node, input: link.edge.to.port))
            }
            if output == nil { add(.missingOutputMetadata(node: link.from.node, output: link.from.port)) }
            if let input, let output, input.type != output.type {
                add(
                    .typeMismatch(
                        from: link.from, to: link.edge.to, expected: input.type, got: output.type))
            }
        }
        for output in graph.outputs {
            guard let number = numbers[output.port.node], let manifest = manifests[Int(number)],
                manifest.output(output.port.port) == nil
            else { continue }
            add(.missingOutputMetadata(node: output.port.node, output: output.port.port))
        }
    }

    private mutating func checkGating() {
        var found: [GraphFault] = []
        forEachNode { node, manifest, range in
            guard manifest.kind == .action else { return }
            let isGated = range.contains { index in
                manifests[Int(links[index].source)]?.kind == .trigger
                    && manifest.input(links[index].edge.to.port)?.type == .event
            }
            if !isGated { found.append(.actionNotGated(node.id)) }
        }
        for fault in found { add(fault) }
    }

    private mutating func checkParameters() {
        var found: [GraphFault] = []
        forEachNode { node, manifest, range in
            for (index, later) in zip(range, range.dropFirst()) {
                let port = links[later].edge.to.port
                if links[index].edge.to.port == port, manifest.input(port)?.cardinality == .single {
                    found.append(.inputWiredTwice(node: node.id, input: port))
                }
            }
            found += ParameterCheck.faults(node, manifest)
        }
        for fault in found { add(fault) }
    }
}
