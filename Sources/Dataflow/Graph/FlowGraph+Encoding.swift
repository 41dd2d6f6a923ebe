public import IPLD

extension FlowGraph {
    /// The graph as canonical DAG-CBOR: two files that mean the same graph give the same bytes.
    public var encoded: [UInt8] {
        IPLDValue.map([
            .init(key: "kind", value: .text("dataflow.graph")),
            .init(key: "nodes", value: .list(nodes.map(Self.value))),
            .init(key: "edges", value: .list(edges.map(Self.value))),
            .init(
                key: "outputs",
                value: .list(
                    outputs.map { .list([.text($0.name), .text($0.port.node), .text($0.port.port)]) })),
            .init(key: "inputs", value: .list(externalInputs.map(IPLDValue.text))),
            .init(key: "stateless", value: .bool(asksForStatelessTriggers)),
        ]).encoded
    }

    /// The CID of ``encoded``: what names the graph in capture bundles and receipts.
    public var cid: CID { CID(of: encoded, codec: .dagCBOR) }

    private static func value(_ node: FlowNode) -> IPLDValue {
        .list([
            .text(node.id), .text(node.primitive.id), .text(node.primitive.version),
            .list(node.parameters.map { .list([.text($0.name), value($0.value)]) }),
        ])
    }

    private static func value(_ edge: FlowEdge) -> IPLDValue {
        switch edge.from {
        case .port(let from): .list([from.node, from.port, edge.to.node, edge.to.port].map(IPLDValue.text))
        case .external(let name): .list([name, edge.to.node, edge.to.port].map(IPLDValue.text))
        }
    }

    private static func value(_ parameter: ParameterValue) -> IPLDValue {
        switch parameter {
        case .int(let value):
            .integer(negative: value < 0, magnitude: value < 0 ? UInt64(-1 - value) : UInt64(value))
        // What is not finite has no place in DAG-CBOR and is refused by the validator.
        case .number(let value): value.isFinite ? .double(value) : .list([.text(value.description)])
        case .bool(let value): .bool(value)
        case .text(let value): .text(value)
        }
    }
}
