extension PrimitiveRegistry {
    private static func trigger(
        _ id: String, inputs: [InputPort], parameters: [Parameter] = [], _ opcode: Opcode
    ) -> (PrimitiveManifest, Opcode) {
        (
            PrimitiveManifest(
                id, kind: .trigger, inputs: inputs, outputs: [OutputPort("event", .event)],
                parameters: parameters, cadence: .event, stateCount: 1), opcode
        )
    }

    /// The triggers that keep a number from pass to pass, until the orchestrator resets the lifecycle.
    ///
    /// - `crossover` emits when `a` gets to the other side of `b`; touching is not crossing, and a comparison with
    ///   NaN tells nothing. `direction` says which ways count. State: the side, −1 or 1; 0 before the first.
    /// - `once` emits for the first event of a lifecycle. State: whether it has.
    /// - `debounce` emits when `input` has been true for exactly `passes` passes in a row. State: for how many.
    /// - `count` emits for every `every`-th event. State: events since the last.
    static var statefulTriggers: [(PrimitiveManifest, Opcode)] {
        let event = [InputPort("event", .event)]
        return [
            trigger(
                "crossover", inputs: [InputPort("a", .number), InputPort("b", .number)],
                parameters: [
                    Parameter(
                        "direction", .choice, default: .text("up"), choices: ["up", "down", "either"])
                ], .crossover),
            trigger("once", inputs: event, .once),
            trigger(
                "debounce", inputs: [InputPort("input", .bool)],
                parameters: [Parameter("passes", .int, default: .int(2), bounds: 1...1_000_000_000)],
                .debounce),
            trigger(
                "count", inputs: event,
                parameters: [Parameter("every", .int, bounds: 1...1_000_000_000)], .count),
        ]
    }
}

extension Opcode {
    /// The manifest whose ports this instruction is written for, or `nil` for those that fit several.
    private static let shapes: [Opcode: PrimitiveManifest] = {
        var shapes: [Opcode: PrimitiveManifest] = [:]
        for (manifest, opcode) in PrimitiveRegistry.stockPrimitives + PrimitiveRegistry.statefulTriggers
        where opcode != .constant {
            shapes[opcode] = manifest
        }
        return shapes
    }()

    /// Whether a primitive of this manifest can be run by this instruction.
    func fits(_ manifest: PrimitiveManifest) -> Bool {
        switch self {
        case .call, .reading, .command: return false
        case .constant:
            let types: [FlowType: ParameterType] = [.number: .number, .bool: .bool]
            guard manifest.outputs.count == 1, let output = manifest.outputs.first,
                manifest.kind == .source || manifest.kind == .compute
            else { return false }
            return manifest.parameters.map(\.name) == ["value"]
                && manifest.parameters.first?.type == types[output.type]
        default:
            guard let shape = Self.shapes[self] else { return false }
            return manifest.kind == shape.kind && manifest.stateCount == shape.stateCount
                && manifest.outputs.map(\.type) == shape.outputs.map(\.type)
                && manifest.inputs.map(\.type) == shape.inputs.map(\.type)
                && manifest.inputs.map(\.isRequired) == shape.inputs.map(\.isRequired)
                && manifest.inputs.map(\.cardinality) == shape.inputs.map(\.cardinality)
                && manifest.parameters.map(\.name) == shape.parameters.map(\.name)
                && manifest.parameters.map(\.type) == shape.parameters.map(\.type)
                && manifest.parameters.map(\.bounds) == shape.parameters.map(\.bounds)
        }
    }
}
