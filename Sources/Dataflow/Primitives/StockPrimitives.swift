extension PrimitiveRegistry {
    /// The twenty stock primitives, the triggers with state (unless `rules` exclude them) and what reaches the
    /// surroundings through the orchestrator.
    public static func standard(rules: Rules = Rules()) -> PrimitiveRegistry {
        var registry = PrimitiveRegistry(rules: rules)
        let all =
            stockPrimitives + statefulTriggers.filter { !rules.statelessTriggersOnly || $0.0.stateCount == 0 }
        for (manifest, opcode) in all { registry.take(manifest, .builtIn(opcode)) }
        for manifest in adapterPrimitives { registry.take(manifest, .adapter) }
        return registry
    }

    private mutating func take(_ manifest: PrimitiveManifest, _ implementation: Implementation) {
        do {
            try register(manifest, implementation)
        } catch {
            preconditionFailure("a primitive of ours breaks a rule: \(error)")
        }
    }

    private static func arithmetic(_ id: String, _ opcode: Opcode) -> (PrimitiveManifest, Opcode) {
        (
            PrimitiveManifest(
                id, kind: .compute, inputs: [InputPort("a", .number), InputPort("b", .number)],
                outputs: [OutputPort("result", .number)]), opcode
        )
    }

    private static func comparison(_ id: String, _ opcode: Opcode) -> (PrimitiveManifest, Opcode) {
        (
            PrimitiveManifest(
                id, kind: .compute, inputs: [InputPort("a", .number), InputPort("b", .number)],
                outputs: [OutputPort("result", .bool)]), opcode
        )
    }

    private static func connective(_ id: String, _ opcode: Opcode) -> (PrimitiveManifest, Opcode) {
        (
            PrimitiveManifest(
                id, kind: .compute, inputs: [InputPort("a", .bool), InputPort("b", .bool)],
                outputs: [OutputPort("result", .bool)]), opcode
        )
    }

    private static func constant(
        _ id: String, _ kind: PrimitiveKind, _ type: FlowType, default fallback: ParameterValue?
    ) -> (PrimitiveManifest, Opcode) {
        (
            PrimitiveManifest(
                id, kind: kind,
                // A compute must have an input; what comes in by this one is not looked at.
                inputs: kind == .compute ? [InputPort("unit", type, isRequired: false)] : [],
                outputs: [OutputPort("value", type)],
                parameters: [Parameter("value", type == .number ? .number : .bool, default: fallback)]),
            .constant
        )
    }

    private static func acting(
        _ id: String, _ parameter: Parameter, _ opcode: Opcode
    ) -> (PrimitiveManifest, Opcode) {
        (
            PrimitiveManifest(
                id, kind: .action, inputs: [InputPort("event", .event, cardinality: .multiple)],
                outputs: [OutputPort("outcome", .event)], parameters: [parameter], cadence: .event), opcode
        )
    }

    static var stockPrimitives: [(PrimitiveManifest, Opcode)] {
        [
            constant("number_source", .source, .number, default: .number(0)),
            constant("boolean_source", .source, .bool, default: .bool(false)),
            constant("const_number", .compute, .number, default: nil),
            constant("const_bool", .compute, .bool, default: nil),
            arithmetic("add", .add), arithmetic("subtract", .subtract), arithmetic("multiply", .multiply),
            arithmetic("divide", .divide),
            (
                PrimitiveManifest(
                    "negate", kind: .compute, inputs: [InputPort("value", .number)],
                    outputs: [OutputPort("result", .number)]), .negate
            ),
            comparison("gt", .greater), comparison("lt", .less), comparison("eq", .equal),
            comparison("neq", .unequal),
            connective("and", .and), connective("or", .or),
            (
                PrimitiveManifest(
                    "not", kind: .compute, inputs: [InputPort("value", .bool)],
                    outputs: [OutputPort("result", .bool)]), .not
            ),
            (
                PrimitiveManifest(
                    "select", kind: .compute,
                    inputs: [
                        InputPort("cond", .bool), InputPort("when_true", .number),
                        InputPort("when_false", .number),
                    ], outputs: [OutputPort("result", .number)]), .select
            ),
            (
                PrimitiveManifest(
                    "emit_if_true", kind: .trigger, inputs: [InputPort("input", .bool)],
                    outputs: [OutputPort("event", .event)]), .emitIfTrue
            ),
            acting("ack_action", Parameter("accept", .bool, default: .bool(true)), .acknowledge),
            acting("annotate_action", Parameter("note", .string, default: .text("")), .annotate),
        ]
    }
}
