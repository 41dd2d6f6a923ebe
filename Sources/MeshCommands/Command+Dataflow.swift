internal import CommandLineArguments
internal import Dataflow
internal import FoundationEssentials
internal import MeshAPI
internal import MeshCore

extension Operand {
    static let graphFile = Operand("FILE.json", "The graph; - is standard input")
}

extension CommandEntry {
    static let dataflowValidate = CommandEntry(
        Command(
            "validate", "Check graphs without running them",
            discussion:
                "Every fault is listed, the first in the order of the checks first. Ends with 1 where there is one.",
            flags: [.format],
            operands: [Operand("FILE.json", "The graphs; - is standard input", isRepeatable: true)],
            examples: ["meshctl dataflow validate pipeline.json", "meshctl dataflow validate *.json -o json"])
    ) { context in
        let sources = try context.arguments.operands("FILE.json").map { try FlowSource($0, context) }
        context.show(
            .array(
                sources.map { source in
                    .object([
                        .init(key: "file", value: .text(source.path)),
                        .init(key: "ok", value: .boolean(source.faults.isEmpty)),
                        .init(key: "nodes", value: .integer(source.graph?.nodes.count ?? 0)),
                        .init(key: "edges", value: .integer(source.graph?.edges.count ?? 0)),
                        .init(key: "graph", value: source.prepared.map { .text("\($0.cid)") } ?? .null),
                        .init(
                            key: "faults",
                            value: .array(
                                source.faults.map {
                                    .object([
                                        .init(key: "code", value: .text($0.code)),
                                        .init(key: "message", value: .text($0.message)),
                                    ])
                                })),
                    ])
                })
        ) {
            sources.flatMap { source -> [String] in
                guard source.faults.isEmpty else {
                    return source.faults.map { "\(source.path): \($0.message)".onOneLine }
                }
                return [
                    "\(source.path): \(source.graph?.nodes.count ?? 0) nodes, \(source.graph?.edges.count ?? 0) edges, \(source.prepared.map { "\($0.cid)" } ?? "")"
                ]
            }
        }
        return sources.allSatisfy(\.faults.isEmpty) ? .done : .error
    }

    static let dataflowPrimitives = CommandEntry(
        Command(
            "primitives", "List what nodes of a graph can be", flags: [.format],
            examples: ["meshctl dataflow primitives"])
    ) { context in
        let manifests = PrimitiveRegistry.standard().manifests
        func inputs(_ manifest: PrimitiveManifest) -> [String] {
            manifest.inputs.map {
                "\($0.name)\($0.isRequired ? "" : "?"): \($0.type.rawValue)\($0.cardinality == .multiple ? "…" : "")"
            }
        }
        func outputs(_ manifest: PrimitiveManifest) -> [String] {
            manifest.outputs.map { "\($0.name): \($0.type.rawValue)" }
        }
        context.show(
            .array(
                manifests.map { manifest in
                    .object([
                        .init(key: "id", value: .text(manifest.id)),
                        .init(key: "version", value: .text(manifest.version)),
                        .init(key: "kind", value: .text(manifest.kind.rawValue)),
                        .init(key: "inputs", value: .array(inputs(manifest).map { .text($0) })),
                        .init(key: "outputs", value: .array(outputs(manifest).map { .text($0) })),
                        .init(
                            key: "parameters",
                            value: .array(
                                manifest.parameters.map { .text("\($0.name): \($0.type.rawValue)") })),
                        .init(key: "stateful", value: .boolean(manifest.stateCount > 0)),
                    ])
                })
        ) {
            Table(
                headings: ["Primitive", "Kind", "Inputs", "Outputs", "Parameters"],
                rows: manifests.map { manifest in
                    [
                        "\(manifest.reference)", manifest.kind.rawValue,
                        inputs(manifest).joined(separator: " "), outputs(manifest).joined(separator: " "),
                        manifest.parameters.map { "\($0.name): \($0.type.rawValue)" }.joined(separator: " "),
                    ]
                }
            ).lines(emphasised: context.console.isColourful)
        }
        return .done
    }

    static let dataflowGraph = CommandEntry(
        Command(
            "graph", "Draw a graph",
            discussion: "A graph that cannot be run is drawn all the same, as far as it can be read.",
            flags: [
                Flag("as", .choice(["dot", "svg"]), "The form", default: "svg"),
                Flag(
                    "output", short: "o", .text("FILE"), "Where to write it; - is standard output",
                    default: "-"),
            ], operands: [.graphFile],
            examples: ["meshctl dataflow graph pipeline.json -o pipeline.svg"])
    ) { context in
        let source = try FlowSource(context.arguments.operand("FILE.json") ?? "-", context)
        guard let graph = source.graph else {
            _ = try source.ready(context)
            return .error
        }
        let drawing = GraphDrawing(graph, registry: source.registry)
        let text = context.arguments.text("as") == "dot" ? drawing.dot : drawing.svg
        try context.write(Array(text.utf8), to: context.arguments.text("output"))
        for fault in source.faults { context.console.message("warning: \(fault.message)".onOneLine) }
        return .done
    }

    static let dataflowReplay = CommandEntry(
        Command(
            "replay", "Run a captured run again and compare every byte",
            discussion: """
                Nothing is read and nothing done: what the sources gave and what the actions answered is in the capture.
                Ends with 4 at the first difference, and names it.
                """,
            flags: [
                Flag("capture", .text("FILE.json"), "What dataflow run wrote", required: true), .format,
            ],
            operands: [.graphFile],
            examples: ["meshctl dataflow replay pipeline.json --capture run.json"])
    ) { context in
        let source = try FlowSource(context.arguments.operand("FILE.json") ?? "-", context)
        let graph = try source.ready(context)
        let document = try FlowSource.text(context.arguments.text("capture") ?? "-", context)
        let result: ReplayResult
        do {
            result = try CaptureBundle.verify(document, on: graph)
        } catch {
            throw CommandFailure(.verificationFailed, code: "dataflow.capture", "\(error)")
        }
        switch result {
        case .identical:
            context.show(.object([.init(key: "identical", value: .boolean(true))])) {
                ["The same, byte by byte: \(document.utf8.count) bytes"]
            }
            return .done
        case .different(let path, let captured, let replayed):
            context.show(
                .object([
                    .init(key: "identical", value: .boolean(false)),
                    .init(key: "path", value: .text(path)), .init(key: "captured", value: .text(captured)),
                    .init(key: "replayed", value: .text(replayed)),
                ])
            ) { ["Different at \(path): captured \(captured), replayed \(replayed)".onOneLine] }
            return .verificationFailed
        }
    }
}
