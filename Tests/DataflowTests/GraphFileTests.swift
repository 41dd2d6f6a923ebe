import Dataflow
import JSON5
import MeshCore
import MeshTestSupport
import Testing

@Suite("Graph files", .tags(.Size.small))
struct GraphFileTests {
    static let reference = """
        {
          // More than the threshold is acknowledged.
          version: 1, name: "reference",
          nodes: [
            {id: "a", primitive: "number_source", parameters: {value: 3}},
            {id: "b", primitive: "number_source", version: "0.1.0", parameters: {value: 1.0}},
            {id: "above", cluster: "threshold", version: "1", parameters: {limit: 2}},
            {id: "act", primitive: "ack_action"},
          ],
          edges: [
            {from: "a.value", to: "above.price"}, {from: "above.event", to: "act.event"},
          ],
          outputs: [{name: "action_outcome", from: "act.outcome"}, {name: "event", from: "above.event"}],
          clusters: [
            {
              id: "threshold", version: "1", signature: "trigger",
              nodes: [
                {id: "limit", primitive: "const_number", parameters: {value: {parameter: "limit"}}},
                {id: "gt", primitive: "gt"}, {id: "emit", primitive: "emit_if_true"},
              ],
              edges: [
                {from: "limit.value", to: "gt.b"}, {from: "gt.result", to: "emit.input"},
              ],
              inputs: [{name: "price", type: "number", to: ["gt.a"]}],
              outputs: [{name: "event", from: "emit.event"}],
              parameters: [{name: "limit", type: "number"}],
            },
          ],
        }
        """

    private func expand(_ text: String) throws -> FlowGraph { try GraphFile(text).expanded(.standard()) }

    @Test("a file with a cluster is read, expanded and run")
    func reference() throws {
        let graph = try expand(Self.reference)
        #expect(graph.nodes.map(\.id) == ["a", "above/emit", "above/gt", "above/limit", "act", "b"])
        #expect(
            graph.nodes[1].authoringPath == [
                AuthoringStep(cluster: "", node: "above"), AuthoringStep(cluster: "threshold", node: "emit"),
            ])
        let prepared = try PreparedGraph(graph, registry: .standard())
        var state = prepared.initialState()
        #expect(prepared.run(state: &state)["action_outcome"] == .event(.filled))
    }

    @Test("two files that mean the same graph have one CID, and another value gives another")
    func identity() throws {
        let other = Self.reference.replacing("name: \"reference\",", with: "")
            .replacing(
                "{from: \"limit.value\", to: \"gt.b\"}, {from: \"gt.result\", to: \"emit.input\"}",
                with: "{from: \"gt.result\", to: \"emit.input\"}, {from: \"limit.value\", to: \"gt.b\"}")
        #expect(other != Self.reference)
        #expect(try expand(other).cid == expand(Self.reference).cid)
        #expect(
            try expand(Self.reference.replacing("limit: 2", with: "limit: 4")).cid
                != expand(Self.reference).cid)
    }

    @Test("every fault of a file's form is told with its path and place")
    func faults() throws {
        let text = """
            {version: 2, nodes: [{id: "a b", primitive: "not"}, {id: "x", primitive: "not", cluster: "c"},
              {id: "n", primitive: "not", parameters: {p: [], q: 1, q: 2}}, {id: "n", primitive: "not"}, 7],
             edges: [{from: "a", to: "n.value"}, {from: "@out", to: "n.value"}, {from: "n.a"}],
             outputs: [{name: "o", from: "n.r"}, {name: "o", from: "n.r"}], extra: 1, clusters: {}}
            """
        let error = #expect(throws: JSON5Error.self) { try GraphFile(text) }
        let paths = Set(error?.faults.map(\.path) ?? [])
        #expect(
            paths.isSuperset(of: [
                "version", "nodes[0].id", "nodes[1]", "nodes[2].parameters.p", "nodes[2].parameters.q",
                "nodes[3]",
                "nodes[4]", "edges[0].from", "edges[1].from", "edges[2].to", "outputs[1]", "extra",
                "clusters",
            ]), "\(paths)")
        let position = error?.faults.first { $0.path == "nodes[3]" }?.position
        #expect(position == TextPosition(line: 2, column: 65))
    }

    @Test("an input from outside is read, and refused by the validator")
    func external() throws {
        let graph = try expand(
            #"{"version":1,"nodes":[{"id":"n","primitive":"not"}],"inputs":["x"],"edges":[{"from":"@x","to":"n.value"}]}"#
        )
        #expect(GraphValidator.firstFault(graph, .standard()) == .externalInputNotAllowed(name: "x"))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let wanted: ClusterFailure
        let from: String
        let to: String
        var testDescription: String { "\(wanted)" }
    }

    static let cases: [Case] = [
        Case(wanted: .emptyCluster, from: "clusters: [", to: "clusters: [{id: \"e\", nodes: []},"),
        Case(
            wanted: .missingCluster, from: "cluster: \"threshold\", version: \"1\"", to: "cluster: \"gone\""),
        Case(
            wanted: .duplicateInputPort, from: "inputs: [{",
            to: "inputs: [{name: \"price\", to: [\"gt.a\"]}, {"),
        Case(
            wanted: .duplicateOutputPort, from: "outputs: [{name: \"event\", from: \"emit.event\"}",
            to: "outputs: [{name: \"event\", from: \"emit.event\"}, {name: \"event\", from: \"emit.event\"}"),
        Case(
            wanted: .duplicateParameter, from: "parameters: [{",
            to: "parameters: [{name: \"limit\", type: \"number\"}, {"),
        Case(
            wanted: .parameterDefaultTypeMismatch, from: "{name: \"limit\", type: \"number\"}",
            to: "{name: \"limit\", type: \"number\", default: true}"),
        Case(wanted: .missingRequiredParameter, from: "parameters: {limit: 2}", to: "parameters: {}"),
        Case(wanted: .parameterBindingTypeMismatch, from: "limit: 2", to: "limit: \"two\""),
        Case(wanted: .exposedParameterNotFound, from: "{parameter: \"limit\"}", to: "{parameter: \"bound\"}"),
        Case(
            wanted: .exposedParameterNotFound,
            from: "{id: \"b\", primitive: \"number_source\", version: \"0.1.0\", parameters: {value: 1.0}}",
            to: "{id: \"b\", primitive: \"number_source\", parameters: {value: {parameter: \"x\"}}}"),
        Case(
            wanted: .exposedParameterTypeMismatch, from: "{name: \"limit\", type: \"number\"}",
            to: "{name: \"limit\", type: \"bool\"}"),
        Case(wanted: .signatureInferenceFailed, from: "to: [\"gt.a\"]", to: "to: [\"gt.z\"]"),
        Case(wanted: .signatureInferenceFailed, from: "to: [\"gt.a\"]", to: "to: []"),
        Case(wanted: .signatureInferenceFailed, from: "type: \"number\", to", to: "type: \"bool\", to"),
        Case(wanted: .signatureInferenceFailed, from: "from: \"emit.event\"", to: "from: \"emit.gone\""),
        Case(wanted: .declaredSignatureInvalid, from: "signature: \"trigger\"", to: "signature: \"source\""),
        Case(
            wanted: .clusterRecursion, from: "{id: \"gt\", primitive: \"gt\"},",
            to:
                "{id: \"gt\", primitive: \"gt\"}, {id: \"me\", cluster: \"threshold\", version: \"1\", parameters: {limit: 1}},"
        ),
        Case(wanted: .unknownClusterPort, from: "to: \"above.price\"", to: "to: \"above.cost\""),
        Case(wanted: .unknownClusterPort, from: "{limit: 2}", to: "{limit: 2, other: 1}"),
        Case(wanted: .unknownNode, from: "to: \"emit.input\"", to: "to: \"omit.input\""),
    ]

    @Test("what is wrong with clusters is told by its code and path", arguments: cases)
    func clusterFaults(_ it: Case) throws {
        let text = Self.reference.replacing(it.from, with: it.to)
        #expect(text != Self.reference)
        let error = #expect(throws: ExpansionError.self) { try expand(text) }
        let codes = error?.faults.map(\.code) ?? []
        #expect(codes.contains(it.wanted), "\(error?.description ?? "none")")
        #expect(error?.faults.allSatisfy { !$0.path.isEmpty } == true)
    }

    @Test("every code of clusters is met by a test")
    func complete() {
        #expect(Set(Self.cases.map(\.wanted)).union([.tooLarge]) == Set(ClusterFailure.allCases))
    }

    @Test("the kind of a cluster follows from its ports")
    func kinds() throws {
        let bodies = [
            (
                "source",
                "nodes: [{id: \"n\", primitive: \"number_source\"}], outputs: [{name: \"o\", from: \"n.value\"}]"
            ),
            (
                "compute",
                "nodes: [{id: \"n\", primitive: \"negate\"}], inputs: [{name: \"i\", to: [\"n.value\"]}], outputs: [{name: \"o\", from: \"n.result\"}]"
            ),
            (
                "trigger",
                "nodes: [{id: \"n\", primitive: \"emit_if_true\"}], inputs: [{name: \"i\", type: \"bool\", to: [\"n.input\"]}], outputs: [{name: \"o\", from: \"n.event\"}]"
            ),
            (
                "action",
                "nodes: [{id: \"n\", primitive: \"ack_action\"}], inputs: [{name: \"i\", type: \"event\", to: [\"n.event\"]}], outputs: [{name: \"o\", from: \"n.outcome\"}]"
            ),
        ]
        for (kind, body) in bodies {
            for declared in BoundaryKind.allCases {
                let text =
                    "{version: 1, nodes: [], clusters: [{id: \"c\", signature: \"\(declared.rawValue)\", \(body)}]}"
                if declared.rawValue == kind {
                    #expect(try expand(text).nodes.isEmpty)
                } else {
                    let error = #expect(throws: ExpansionError.self) { try expand(text) }
                    #expect(error?.faults.map(\.code) == [.declaredSignatureInvalid])
                }
            }
        }
    }

    /// Clusters that each hold `width` of the one before.
    private func nest(_ depth: Int, _ width: Int, ports: Int = 0) -> String {
        var clusters: [String] = []
        for level in 0..<depth {
            let inner = level == 0 ? "primitive: \"not\"" : "cluster: \"c\(level - 1)\""
            let nodes = (0..<width).map { "{id: \"n\($0)\", \(inner)}" }.joined(separator: ", ")
            let port = level == 0 ? "value" : "i"
            let ends = Array(repeating: "\"n0.\(port)\"", count: ports).joined(separator: ", ")
            let input = ports > 0 ? ", inputs: [{name: \"i\", type: \"bool\", to: [\(ends)]}]" : ""
            clusters.append("{id: \"c\(level)\", nodes: [\(nodes)]\(input)}")
        }
        return
            "{version: 1, nodes: [{id: \"top\", cluster: \"c\(depth - 1)\"}], clusters: [\(clusters.joined(separator: ", "))]}"
    }

    @Test("clusters that multiply, stand too deep or fan out without end are refused before they grow")
    func bombs() throws {
        #expect(try expand(nest(3, 4)).nodes.count == 64)
        for text in [nest(12, 10), nest(10, 1, ports: 20)] {
            let error = #expect(throws: ExpansionError.self) { try expand(text) }
            #expect(error?.faults.first?.code == .tooLarge)
        }
        #expect(try expand(nest(GraphLimits.clusterDepthMax, 1)).nodes.count == 1)
        for depth in [GraphLimits.clusterDepthMax + 1, 500] {
            let error = #expect(throws: ExpansionError.self) { try expand(nest(depth, 1)) }
            #expect(error?.faults.first?.code == .clusterRecursion)
        }
    }

    @Test("spoilt files are refused or read, and never trap", arguments: Seed.sample(300))
    func hostile(_ seed: Seed) {
        var generator = seed.generator
        var bytes = Array(Self.reference.utf8)
        let words = [
            "{", "}", "[", "]", "\"", ",", "NaN", "1e999", "-9223372036854775808", "null", "@", ".", "\u{0}",
            "é",
        ]
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, index + Int.random(in: 0...12, using: &generator))
            bytes.replaceSubrange(
                index..<end, with: words.randomElement(using: &generator).map { Array($0.utf8) } ?? [])
        }
        let text = String(decoding: bytes, as: UTF8.self)
        do {
            let graph = try expand(text)
            let faults = GraphValidator.allFaults(graph, .standard())
            if faults.isEmpty {
                let prepared = try PreparedGraph(graph, registry: .standard())
                var state = prepared.initialState()
                #expect(prepared.run(state: &state).outputs.count == graph.outputs.count)
            } else {
                #expect(faults.first == GraphValidator.firstFault(graph, .standard()))
            }
            _ = GraphDrawing(graph, registry: .standard()).svg
        } catch {
            #expect(!"\(error)".isEmpty)
        }
    }
}

@Suite("Graphs are drawn", .tags(.Size.small))
struct DrawingTests {
    @Test("DOT and SVG show every node, edge and output, by how deep the nodes stand")
    func reference() {
        let graph = Building.reference.graph
        let drawing = GraphDrawing(graph, registry: .standard())
        #expect(
            graph.nodes.map(\.id) == ["a", "act", "b", "emit", "gt"] && drawing.depths == [0, 3, 0, 2, 1])
        let dot = drawing.dot
        #expect(dot.split(separator: "\n").count { $0.contains(" -> ") } == graph.edges.count + 1)
        #expect(dot.contains("\"gt\" -> \"emit\"") && dot.contains("rank=same; \"a\"; \"b\""))
        let svg = drawing.svg
        #expect(svg.split(separator: "\n").count { $0.hasPrefix("<g>") } == 5)
        #expect(svg.split(separator: "\n").count { $0.hasPrefix("<path ") } == 4)
        #expect(svg.contains("▸ action_outcome"))
    }

    @Test("a graph that cannot be run is drawn too, and no name breaks the text")
    func broken() {
        var it = Building()
        it.node("p", "not", [:], ["value": "q.result"])
        it.node("q", "not", [:], ["value": "p.result"])
        it.node("<\"&", "nothing")
        let drawing = GraphDrawing(it.graph, registry: .standard())
        #expect(drawing.svg.contains("&lt;&quot;&amp;") && drawing.dot.contains("\"<\\\"&\""))
    }
}
