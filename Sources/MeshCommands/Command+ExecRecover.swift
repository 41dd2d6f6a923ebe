internal import CommandLineArguments
internal import ExecutionDocuments
internal import ExecutionStore
internal import MeshAPI
internal import MeshCore

extension CommandEntry {
    static let execRecover = CommandEntry(
        Command(
            "recover", "Restart an execution that was cut off, from its start snapshot",
            discussion: """
                What is done again is said first; --dry-run says it and does nothing. A run of dataflow is done again
                whole, under its own uid, from its start snapshot alone: the graph and the flags as they were, with
                the files below --root. A pass or a trigger is recovered with the run that it belongs to. What failed
                has its end in the log for good: it is done again as a new run below it. A run that still goes on is
                refused. Executions of other protocols are restarted by whoever runs those. Ends with 3 when a pass
                fails. Without --root it is the run of a job, and its job is submitted again as its start snapshot
                has it.
                """,
            flags: [.executionFiles, Flag("dry-run", .toggle, "Say what would be done again"), .format],
            operands: [.execution],
            examples: ["meshctl exec recover 3f0c --dry-run", "meshctl exec recover 3f0c --root data"])
    ) { context in
        guard context.arguments.text("root") != nil else { return try recoverJob(context) }
        let store = try executionStore(context)
        let log = try reading { try store.log() }
        let (uid, belonging) = wholeRun(try execution(context, log), log)
        var plan = try reading { try store.recover(uid) }
        var sentences = belonging
        guard plan.start.protocolName.description == FlowRecord.runProtocol else {
            sentences += plan.sentences
            show(plan, sentences, nil, nil, context)
            if context.arguments.has("dry-run") { return .done }
            throw CommandFailure(
                code: "exec.no-runner", "nothing here restarts \(plan.start.protocolName)",
                hint:
                    "meshctl exec show \(uid) --root \(context.arguments.text("root") ?? ".") --label start has what its runner needs"
            )
        }
        var claim: ExecutionClaim?
        if !context.arguments.has("dry-run") {
            claim = try FlowRecord.claim(plan.start, store)
            // It may have ended until the claim was there.
            plan = try reading { try store.recover(uid) }
        }
        let recovery = try reading { try FlowRecovery(plan, store) }
        let graph = try recovery.source.ready(context)
        sentences += recovery.sentences
        guard let claim else {
            show(plan, sentences, recovery, nil, context)
            return .done
        }
        defer { withExtendedLifetime(claim) {} }
        // People read what is done again before it is.
        if context.format == .table { for sentence in sentences { context.console.line(sentence.onOneLine) } }
        let record = try recovery.begin(claim, store, graph: graph)
        let run = try run(graph, recovery.settings, record, context)
        if context.format == .table {
            for line in lines(run, isPerforming: recovery.settings.isPerforming) {
                context.console.line(line)
            }
        } else {
            show(plan, sentences, recovery, (record, run), context)
        }
        return run.failure == nil ? .done : .jobFailed
    }

    /// The run that an execution belongs to, which is what can be done again; where that is another, a sentence says so.
    static func wholeRun(
        _ named: LoggedExecution, _ log: ExecutionLog
    ) -> (run: ExecutionUID, sentences: [String]) {
        var uid = named.uid
        // A trigger belongs to a pass and a pass to a run; a log that says otherwise is not followed round and round.
        for name in [FlowDocument.triggerProtocol, FlowDocument.passProtocol] {
            if let one = log[uid], one.protocolName.description == name, let parent = one.parentUID {
                uid = parent
            }
        }
        guard uid != named.uid else { return (uid, []) }
        return (
            uid,
            ["\(named.uid) is a \(named.protocolName) of the run \(uid), which is done again whole"]
        )
    }

    /// What the plan of a recovery is as data, whoever does it.
    static func members(_ plan: RecoveryPlan, _ sentences: [String]) -> [JSONTree.Member] {
        [
            .init(key: "uid", value: .text("\(plan.start.uid)")),
            .init(key: "status", value: .text(plan.status.rawValue)),
            .init(key: "snapshots", value: .array(plan.redoneSnapshots.map { .text("\($0)") })),
            .init(key: "children", value: .array(plan.redoneChildren.map { .text("\($0)") })),
            .init(key: "sentences", value: .array(sentences.map { .text($0) })),
        ]
    }

    private static func show(
        _ plan: RecoveryPlan, _ sentences: [String], _ recovery: FlowRecovery?,
        _ done: (record: FlowRecord, run: FlowRun)?, _ context: CommandContext
    ) {
        var members = members(plan, sentences)
        let actions = (recovery?.performed ?? []).map { action in
            JSONTree.object([
                .init(key: "node", value: .text(action.node)),
                .init(key: "primitive", value: .text(action.primitive)),
                .init(key: "outcome", value: .text(action.outcome)),
                .init(key: "pass", value: .text("\(action.pass)")),
            ])
        }
        members.insert(.init(key: "actions", value: .array(actions)), at: 4)
        if let done {
            members.append(.init(key: "run", value: .text("\(done.record.uid)")))
            members.append(.init(key: "passes", value: passes(done.run)))
        }
        context.show(.object(members)) { sentences.map(\.onOneLine) }
    }
}
