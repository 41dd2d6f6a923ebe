internal import WasmRuntime
internal import CCL
internal import CommandLineArguments
internal import FoundationEssentials
internal import IPLD
internal import MeshCore
internal import MeshMarket
internal import MeshRuntime

extension CommandEntry {
    static let cclRun = CommandEntry(
        Command(
            "run", "Run a contract here and say what it would do",
            discussion: """
                The contract runs in the mesh's own runtime; nothing is submitted, anchored or spent. What it would do
                goes to standard output, its log and the metering to standard error. Ends with status 0 when the
                contract ended well and 3 when it did not.
                """,
            flags: [
                Flag(
                    "resource-type", .text("NAME"), "The resource that the job would be given",
                    default: "compute"),
                Flag(
                    "resource-amount", .integer("N", 1...(1 << 40)),
                    "How much of it (as much as the contract is known to use)"),
                Flag(
                    "event", .text("NAME"), "Run the handler of this event instead of the contract's own code"
                ),
                Flag(
                    "fuel", .integer("N", 1...Int(amountMax)), "How much fuel the run may use",
                    default: "10000000"),
                Flag("max-seconds", .integer("N", 1...86_400), "How long it may take", default: "60"),
                Flag("min-memory", .integer("MIB", 1...4096), "Its memory limit", default: "64"),
                .format,
            ], operands: [.contract],
            examples: [
                "meshctl ccl run budget.ccl", "meshctl ccl run budget.ccl --resource-amount 500 -o json",
                "meshctl ccl run election.ccl --event vote.cast",
            ])
    ) { context in
        let arguments = context.arguments
        let source = try ContractSource(arguments.operand("FILE.ccl") ?? "-", context)
        let code = try source.module().bytes
        if context.format == .table { source.showDiagnostics(context) }
        let resource = arguments.text("resource-type") ?? "compute"
        let event = arguments.text("event")
        if let event, let program = source.compilation.program,
            !program.handlers.contains(where: { $0.event == event })
        {
            let events = program.handlers.map(\.event)
            throw CommandFailure(
                code: "contract.event", "\(source.path) has no handler of \(event)",
                hint: events.isEmpty ? "it handles no event" : "it handles \(events.joined(separator: ", "))")
        }
        let request = RunRequest(
            code: CID(of: code, codec: .raw), entry: event.map { "on:\($0)" },
            limits: RunLimits(
                fuel: UInt64(arguments.integer("fuel") ?? 0),
                memoryBytes: UInt64(arguments.integer("min-memory") ?? 64) << 20,
                outputBytes: 16 << 20,
                wallMilliseconds: UInt64(arguments.integer("max-seconds") ?? 60) * 1000),
            clockStart: Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)),
            randomSeed: CID(of: code, codec: .raw).digest,
            grant: RunGrant(
                resource: resource,
                amount: UInt64(
                    arguments.integer("resource-amount") ?? source.amount(of: resource, event: event)),
                submissionCountMax: RunEffectLimits.submissionCountMax))
        let runtime = try LocalRuntime()
        let result = runtime.pool.run(request, code: code)
        let outcome = result.outcome
        let isDone = outcome.outcomeClass == .ok
        let log = String(decoding: result.stderr, as: UTF8.self)
        context.show(
            .object([
                .init(key: "file", value: .text(source.path)),
                .init(key: "ok", value: .boolean(isDone)),
                .init(
                    key: "outcome",
                    value: .object([
                        .init(key: "class", value: .text(outcome.outcomeClass.rawValue)),
                        .init(key: "trap", value: outcome.trap.map { .text($0) } ?? .null),
                    ])),
                .init(key: "effects", value: .array(result.effects.map(tree))),
                .init(
                    key: "log",
                    value: .array(log.split(separator: "\n").map { .text(String($0)) })),
                .init(key: "fuel_used", value: .integer(Int(clamping: result.metering.fuel))),
                .init(key: "host_calls", value: .integer(Int(clamping: result.metering.hostCalls))),
            ])
        ) {
            result.effects.isEmpty ? ["It would do nothing."] : result.effects.map(sentence)
        }
        if context.format == .table {
            context.console.writeMessage(result.stderr)
            context.console.message(
                isDone
                    ? "outcome: ok"
                    : "outcome: \(outcome.outcomeClass.rawValue)\(outcome.trap.map { ", \($0)" } ?? ""): a job would fail and submit nothing"
            )
            context.console.message("fuel used: \(result.metering.fuel)")
        }
        return isDone ? .done : .jobFailed
    }

    private static func sentence(_ effect: RunEffect) -> String {
        switch effect {
        case .anchored(let text): return "Would anchor: \(text.onOneLine)"
        case .used(let resource, let amount): return "Would record: \(amount) \(resource.onOneLine) used"
        case .submitted(let job):
            return
                "Would submit: \"\(job.description.onOneLine)\", module \(job.code), \(job.amount) \(job.resource.onOneLine), priority \(job.priority)"
        case .refused(let function, let reason): return "Refused: \(function.rawValue): \(reason.onOneLine)"
        }
    }

    /// An effect as a run's output `effects` lists it.
    private static func tree(_ effect: RunEffect) -> JSONTree {
        let line = RunEffect.lines([effect])
        return (try? JSONDecoder().decode(JSONTree.self, from: Data(line))) ?? .null
    }
}
