import Dataflow
import MeshCore

/// Draws graphs that keep every rule.
struct RandomGraph {
    var generator: SeededGenerator
    private var building = Building()
    private var ports: [FlowType: [(name: String, kind: PrimitiveKind)]] = [:]
    private var count = 0

    init(_ generator: SeededGenerator) { self.generator = generator }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

    /// Ids that are no order of the graph.
    private mutating func id() -> String {
        count += 1
        return "n\(below(1_000))_\(count)"
    }

    private mutating func pick(_ type: FlowType, for kind: PrimitiveKind) -> String? {
        let fitting = (ports[type] ?? []).filter { $0.kind.mayFeed(kind) }
        return fitting.isEmpty ? nil : fitting[below(fitting.count)].name
    }

    private mutating func number() -> ParameterValue {
        switch below(5) {
        case 0: .int(Int64(below(7) - 3))
        case 1: .number(0)
        case 2: .number(-0.0)
        case 3: .number(1e308)
        default: .number(Double(below(2_000) - 1_000) / 8)
        }
    }

    private mutating func parameters(_ manifest: PrimitiveManifest) -> [String: ParameterValue] {
        var values: [String: ParameterValue] = [:]
        for parameter in manifest.parameters where parameter.fallback == nil || below(3) > 0 {
            values[parameter.name] =
                switch parameter.type {
                case .number: number()
                case .bool: .bool(below(2) == 0)
                case .int: .int(Int64(below(3) + 1))
                case .string: .text("note \(below(9))")
                case .choice: .text(parameter.choices[below(parameter.choices.count)])
                }
        }
        return values
    }

    private mutating func add(_ manifest: PrimitiveManifest) {
        var inputs: [String: String] = [:]
        for input in manifest.inputs where input.isRequired || below(2) == 0 {
            if let from = pick(input.type, for: manifest.kind) {
                inputs[input.name] = from
            } else if input.isRequired {
                return
            }
        }
        let id = id()
        building.node(id, manifest.id, parameters(manifest), inputs)
        for input in manifest.inputs where input.cardinality == .multiple && below(2) == 0 {
            if let more = pick(input.type, for: manifest.kind), more != inputs[input.name] {
                building.edges.append(FlowEdge(Building.port(more), NodePort(id, input.name)))
            }
        }
        for output in manifest.outputs {
            ports[output.type, default: []].append(("\(id).\(output.name)", manifest.kind))
            if below(4) == 0 { building.output("o\(building.outputs.count)", "\(id).\(output.name)") }
        }
    }

    /// A valid graph of about `size` nodes.
    mutating func graph(_ size: Int, of manifests: [PrimitiveManifest]) -> FlowGraph {
        building = Building()
        ports = [:]
        // With something of each type to begin with, most draws find their inputs.
        for id in ["const_number", "boolean_source", "not", "emit_if_true"] {
            if let manifest = manifests.first(where: { $0.id == id }) { add(manifest) }
        }
        for _ in 0..<size { add(manifests[below(manifests.count)]) }
        if building.nodes.isEmpty { building.node("only", "number_source") }
        building.nodes.shuffle(using: &generator)
        building.edges.shuffle(using: &generator)
        return building.graph
    }

    /// The primitives that need nobody but the engine.
    static let inner = PrimitiveRegistry.standard().manifests.filter {
        !["graph_query", "blob", "file", "wasm", "submit_job", "graph_mutation", "append_file", "webhook"]
            .contains($0.id)
    }
}
