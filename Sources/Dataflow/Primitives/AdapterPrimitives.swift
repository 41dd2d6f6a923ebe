extension PrimitiveRegistry {
    private static func source(
        _ id: String, _ parameters: [Parameter], _ outputs: [OutputPort]
    ) -> PrimitiveManifest {
        PrimitiveManifest(id, kind: .source, outputs: outputs, parameters: parameters)
    }

    private static func action(_ id: String, _ parameters: [Parameter]) -> PrimitiveManifest {
        PrimitiveManifest(
            id, kind: .action, inputs: [InputPort("event", .event, cardinality: .multiple)],
            outputs: [OutputPort("outcome", .event)], parameters: parameters, cadence: .event)
    }

    /// The primitives whose effect is the orchestrator's: the engine knows their ports and parameters, takes what
    /// they read from the pass's inputs, and gives what they do as commands.
    static var adapterPrimitives: [PrimitiveManifest] {
        let bytes = [
            OutputPort("text", .string), OutputPort("numbers", .series), OutputPort("size", .number),
        ]
        return [
            // The first column of what a query gives, and its first row's cell as a number and as text.
            source(
                "graph_query",
                [Parameter("query", .string), Parameter("column", .string, default: .text(""))],
                [
                    OutputPort("rows", .number), OutputPort("value", .number), OutputPort("column", .series),
                    OutputPort("text", .string), OutputPort("found", .bool),
                ]),
            source("blob", [Parameter("cid", .string)], bytes),
            source("file", [Parameter("path", .string)], bytes + [OutputPort("exists", .bool)]),
            PrimitiveManifest(
                "wasm", kind: .compute,
                inputs: [
                    InputPort("numbers", .number, isRequired: false, cardinality: .multiple),
                    InputPort("series", .series, isRequired: false),
                    InputPort("flag", .bool, isRequired: false),
                ],
                outputs: [OutputPort("result", .number), OutputPort("series", .series)],
                parameters: [
                    Parameter("module", .string), Parameter("function", .string, default: .text("run")),
                    Parameter(
                        "fuel", .int, default: .int(10_000_000), bounds: 1...1_000_000_000_000),
                ]),
            action(
                "submit_job",
                [Parameter("manifest", .string), Parameter("input", .string, default: .text(""))]),
            action("graph_mutation", [Parameter("statement", .string)]),
            action("append_file", [Parameter("path", .string), Parameter("line", .string)]),
            action(
                "webhook",
                [
                    Parameter("url", .string), Parameter("body", .string, default: .text("")),
                    Parameter("method", .choice, default: .text("POST"), choices: ["POST", "PUT"]),
                ]),
        ]
    }
}
