internal import CCL
internal import CommandLineArguments
internal import IPLD
internal import MeshAPI
internal import MeshCore

extension Operand {
    static let contract = Operand("FILE.ccl", "The contract; - is standard input")
}

extension CommandEntry {
    static let cclCheck = CommandEntry(
        Command(
            "check", "Check contracts without running them",
            discussion: """
                Names, types, the arguments of every call, code that cannot be reached or never ends, and what is
                spent against what is declared. Ends with status 1 when there are errors; warnings do not count.
                """,
            flags: [.format],
            operands: [
                Operand("FILE.ccl", "The contracts; - is standard input", isRepeatable: true)
            ],
            examples: ["meshctl ccl check budget.ccl", "meshctl ccl check *.ccl -o json"])
    ) { context in
        let sources = try context.arguments.operands("FILE.ccl").map { try ContractSource($0, context) }
        if context.format == .table { for source in sources { source.showDiagnostics(context) } }
        context.show(
            .array(
                sources.map { source in
                    .object([
                        .init(key: "file", value: .text(source.path)),
                        .init(key: "ok", value: .boolean(source.errorCount == 0)),
                        .init(key: "errors", value: .integer(source.errorCount)),
                        .init(key: "warnings", value: .integer(source.warningCount)),
                        .init(key: "diagnostics", value: source.tree),
                    ])
                })
        ) { sources.map { "\($0.path): \($0.summary)" } }
        return sources.allSatisfy { $0.errorCount == 0 } ? .done : .error
    }

    static let cclCompile = CommandEntry(
        Command(
            "compile", "Compile a contract to WebAssembly",
            discussion: """
                The module is the same, byte by byte, wherever it is made. With the target wasi the host's functions
                stand in the module and print what would be done, so that any runtime can try the contract.
                """,
            flags: [
                Flag(
                    "output", short: "o", .text("FILE.wasm"),
                    "Where to write it (FILE.wasm beside the source); - is standard output"),
                Flag("target", .choice(["host", "wasi"]), "Who is to run it", default: "host"),
                Flag("strip", .toggle, "Leave the names of functions and values out"),
                Flag("source-map", .text("FILE.map"), "Write a source map too"),
            ],
            operands: [.contract],
            examples: [
                "meshctl ccl compile budget.ccl",
                "meshctl ccl compile budget.ccl --strip -o - | wasm-validate -",
            ])
    ) { context in
        let path = context.arguments.operand("FILE.ccl") ?? "-"
        let map = context.arguments.text("source-map")
        let source = try ContractSource(
            path, context,
            options: EmissionOptions(
                names: !context.arguments.has("strip"),
                target: context.arguments.text("target") == "wasi" ? .wasi : .host,
                sourceMap: map.map { _ in ContractSource.fileName(path) },
                mapURL: map.map(ContractSource.fileName)))
        let module = try source.module()
        source.showDiagnostics(context)
        let output =
            context.arguments.text("output")
            ?? (path == "-" ? "-" : (path.hasSuffix(".ccl") ? String(path.dropLast(4)) : path) + ".wasm")
        try context.write(module.bytes, to: output)
        if let map, let text = module.sourceMap { try context.write(Array(text.utf8), to: map) }
        context.console.message(
            "\(output == "-" ? "module" : output): \(module.bytes.count) bytes, \(CID(of: module.bytes, codec: .raw))"
        )
        return .done
    }

    static let cclExplain = CommandEntry(
        Command(
            "explain", "Say in plain words what a contract does",
            flags: [.format], operands: [.contract], examples: ["meshctl ccl explain budget.ccl"])
    ) { context in
        let source = try ContractSource(context.arguments.operand("FILE.ccl") ?? "-", context)
        _ = try source.module()
        guard let program = source.compilation.program else { return .error }
        if context.format == .table { source.showDiagnostics(context) }
        let spending = source.compilation.spending
        var text = Contract.explanation(program, spending: spending)
        while text.hasSuffix("\n") { text.removeLast() }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        func number(_ value: Int64?) -> JSONTree { value.map { .integer(Int($0)) } ?? .null }
        context.show(
            .object([
                .init(key: "file", value: .text(source.path)),
                .init(key: "effects", value: .array(lines.map { .text($0) })),
                .init(
                    key: "uses",
                    value: .array(
                        spending.uses.map { use in
                            .object([
                                .init(key: "resource_type", value: .text(use.resource)),
                                .init(key: "at_least", value: number(use.atLeast)),
                                .init(key: "at_most", value: number(use.atMost)),
                            ])
                        })),
                .init(
                    key: "submissions",
                    value: .object([
                        .init(key: "at_least", value: number(spending.submissionsAtLeast)),
                        .init(key: "at_most", value: number(spending.submissionsAtMost)),
                    ])),
                .init(key: "modules", value: .array(spending.modules.map { .text($0) })),
                .init(key: "events", value: .array(program.handlers.map { .text($0.event) })),
            ])
        ) { lines }
        return .done
    }

    static let cclFormat = CommandEntry(
        Command(
            "fmt", "Print contracts in the language's own layout",
            flags: [
                Flag("write", short: "w", .toggle, "Rewrite the files instead of printing"),
                Flag("check", .toggle, "Change nothing; end with status 1 when a file is laid out otherwise"),
            ],
            operands: [
                Operand("FILE.ccl", "The contracts; - is standard input", isRepeatable: true)
            ],
            examples: ["meshctl ccl fmt budget.ccl", "meshctl ccl fmt --write *.ccl"])
    ) { context in
        var status = ExitStatus.done
        for path in context.arguments.operands("FILE.ccl") {
            let bytes = try context.contents(of: path)
            let (text, diagnostics) = Contract.formatted(bytes)
            guard let text else {
                let source = String(decoding: bytes, as: UTF8.self)
                let name = path == "-" ? "standard input" : path
                for one in diagnostics {
                    context.console.message(one.rendered(source: source, name: name))
                }
                context.console.message("\(name): left as it is")
                status = .error
                continue
            }
            let isSame = Array(text.utf8) == bytes
            if context.arguments.has("check") {
                if !isSame {
                    context.console.line(path)
                    status = .error
                }
            } else if context.arguments.has("write"), path != "-" {
                if !isSame { try context.write(Array(text.utf8), to: path) }
            } else {
                context.console.writeOutput(Array(text.utf8))
            }
        }
        return status
    }
}
