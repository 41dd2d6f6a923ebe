internal import MeshCore
public import MeshRuntime

/// Runs a graph's file as a job: a pure function of the request, the file and what its modules give.
///
/// Passes follow one another in one lifecycle, a millisecond apart from the request's instant on. What the job prints,
/// its capture and its files follow from nothing else, so that whoever repeats it has the same bytes and the same fuel.
public enum FlowJob {
    /// Runs it.
    ///
    /// - Parameters:
    ///   - request: The job; its arguments are those of ``JobGraph``.
    ///   - code: The graph's file.
    ///   - wasm: Runs a module and waits for it.
    ///   - isOutOfTime: Whether real time has run out; asked between passes and before modules are called.
    /// - Returns: Outcomes as modules have them: `trap` with a fault's code for a file that cannot run, `exit` with
    ///   ``failedPassCode`` after a pass that failed.
    public static func run(
        _ request: RunRequest, code: [UInt8], wasm: @escaping @Sendable (RunRequest, [UInt8]) -> RunResult,
        isOutOfTime: @escaping @Sendable () -> Bool
    ) -> RunResult {
        var run = FlowJobRun(
            request,
            ModuleDesk(request.limits, JobInputs(request), wasm: wasm, isOutOfTime: isOutOfTime))
        return run.result(code)
    }

    /// The exit status of a job whose pass failed.
    public static let failedPassCode: Int32 = 3
}

/// One run, from its file to what came of it.
private struct FlowJobRun {
    private let request: RunRequest
    private let desk: ModuleDesk
    private let inputs: JobInputs
    private var host: ContractHost
    private var stdout: [UInt8] = []
    private var stderr: [UInt8] = []
    private var files: [String: [UInt8]] = [:]
    /// The passes of the capture as they will stand in it, with commas between.
    private var capturedPasses = ""
    private var capture: String?

    init(_ request: RunRequest, _ desk: ModuleDesk) {
        self.request = request
        self.desk = desk
        inputs = JobInputs(request)
        host = ContractHost(grant: request.grant, section: nil)
    }

    mutating func result(_ code: [UInt8]) -> RunResult {
        let outcome: RunOutcome
        do throws(RunEnd) { outcome = try run(code) } catch { outcome = error.outcome }
        var written = files.sorted { $0.key < $1.key }.map {
            RunResult.OutputFile(name: $0.key, bytes: $0.value)
        }
        if let capture {
            written.append(RunResult.OutputFile(name: JobGraph.captureName, bytes: Array(capture.utf8)))
        }
        return RunResult(
            outcome: outcome, metering: desk.account.metering(for: outcome), stdout: stdout, stderr: stderr,
            effects: host.effects, files: written.sorted { $0.name < $1.name })
    }

    private mutating func run(_ code: [UInt8]) throws(RunEnd) -> RunOutcome {
        try desk.checkTime()
        try desk.book { account throws(RunEnd) in
            try account.charge(code.count, at: FlowFuel.perFileByte)
            try account.hold(code.count, at: FlowMemory.perFileByte)
        }
        let job = try graph(code)
        try desk.book { account throws(RunEnd) in
            try account.charge(job.elementCount, at: FlowFuel.perElement)
            try account.hold(job.elementCount, at: UInt64(GraphLimits.elementBytes))
        }
        let sources = PassInputs(try read(job.prepared.reads))
        let given = sources.readings.reduce(0) { $0 + $1.unitCount }
        var machine = Orchestrator(
            graph: job.prepared, configuration: OrchestratorConfiguration(cadence: .continuous))
        var failure: PassFailure?
        for number in 0..<job.passes where failure == nil {
            try desk.checkTime()
            try desk.book { account throws(RunEnd) in
                try account.charge(at: FlowFuel.perPass)
                try account.charge(job.prepared.graph.nodes.count, at: FlowFuel.perNode)
                try account.charge(job.prepared.graph.edges.count, at: FlowFuel.perEdge)
                try account.charge(given, at: FlowFuel.perGivenUnit)
                try account.hold(at: FlowMemory.perPass)
                try account.hold(job.prepared.recordCount, at: FlowMemory.perRecord)
            }
            failure = try pass(number, &machine, job, sources)
        }
        let text = machine.capture.json(passes: capturedPasses)
        try desk.book { account throws(RunEnd) in
            // The passes in it are paid for.
            try account.write(text.utf8.count - capturedPasses.utf8.count)
        }
        capturedPasses = ""
        capture = text
        guard let failure else { return RunOutcome(.ok) }
        try log("\(failure)")
        return RunOutcome(.exit, exitCode: FlowJob.failedPassCode)
    }

    /// The graph, or the end of the job with every fault on stderr that there is room for.
    private mutating func graph(_ code: [UInt8]) throws(RunEnd) -> JobGraph {
        var arguments = request.arguments
        // A module's entry and variables mean nothing here, and nothing that is asked for is passed over.
        if let entry = request.entry { arguments.append(entry) }
        if !request.environment.isEmpty { arguments.append("env") }
        do throws(JobGraphError) {
            return try JobGraph(code, arguments: arguments, memoryBytes: request.limits.memoryBytes)
        } catch {
            for fault in error.faults {
                do throws(RunEnd) {
                    try log(fault.message + (fault.hint.map { "\n  \($0)" } ?? ""))
                } catch {
                    break
                }
            }
            throw RunEnd(.trap, trap: error.faults[0].code)
        }
    }

    // MARK: Sources

    /// What each source reads: inputs never change, so once is enough.
    private func read(_ requests: [AdapterRequest]) throws(RunEnd) -> [Reading] {
        var readings: [Reading] = []
        for request in requests {
            let isFile = request.primitive.id == "file"
            let found =
                isFile
                ? inputs[request.text("path") ?? ""] : inputs.bytes(calledBy: request.text("cid") ?? "")
            guard isFile || found != nil else {
                readings.append(
                    Reading(
                        node: request.node,
                        .failure(
                            PrimitiveFailure(
                                .validationFailed,
                                "no input of the job is \((request.text("cid") ?? "").prefix(80))"))))
                continue
            }
            let bytes = found ?? []
            try desk.book { account throws(RunEnd) in
                account.noteCall()
                try account.readInput(bytes.count)
            }
            var values = SourceValues.values(of: bytes)
            if isFile { values.append(PortValue("exists", .bool(found != nil))) }
            readings.append(Reading(node: request.node, values))
        }
        return readings
    }

    // MARK: Passes

    /// Runs one pass and writes down what it gave; what stopped it is returned.
    private mutating func pass(
        _ number: Int, _ machine: inout Orchestrator, _ job: JobGraph, _ sources: PassInputs
    ) throws(RunEnd) -> PassFailure? {
        let time = request.clockStart + Int64(number)
        let event = ExternalEvent(id: "tick-\(number)", time: time, kind: .tick)
        let decisions = machine.receive(event)
        guard let episode = decisions.first(where: { $0.kind == .invoke })?.episode,
            var pass = machine.evaluate(episode: episode, inputs: sources, adapter: desk.adapter)
        else { throw RunEnd(.engine, trap: "a pass did not begin") }
        if let end = desk.end { throw end }
        while let command = pass.nextCommand { pass.acknowledge(try perform(command, job)) }
        let report = pass.report()
        _ = machine.finish(episode: episode, pass: pass, at: time)
        guard let captured = machine.capture.passes.last else {
            throw RunEnd(.engine, trap: "a pass was not captured")
        }
        // Texts are longer than what they hold has units, so that none is made for which there is no room.
        let shown = report.outputs.reduce(0) { $0 + $1.value.unitCount }
        let kept = (sources.readings + pass.computed).reduce(0) { $0 + $1.unitCount }
        guard UInt64(2 * shown + kept) <= desk.account.outputRoom else { throw RunEnd(.output) }
        let line = report.json + "\n"
        let text = (capturedPasses.isEmpty ? "" : ",") + CaptureBundle.text(of: captured)
        try desk.book { account throws(RunEnd) in
            try account.write(line.utf8.count)
            try account.write(text.utf8.count)
        }
        stdout += line.utf8
        capturedPasses += text
        return report.failure
    }

    private mutating func perform(
        _ command: AdapterRequest, _ job: JobGraph
    ) throws(RunEnd) -> ActionResult {
        try desk.book { account throws(RunEnd) in account.noteCall() }
        switch command.primitive.id {
        case "append_file":
            let line = Array((command.text("line") ?? "").utf8) + [UInt8(ascii: "\n")]
            try desk.book { account throws(RunEnd) in try account.write(line.count) }
            files[command.text("path") ?? "", default: []] += line
            return .outcome(.filled)
        case "submit_job":
            guard let asked = job.requests[command.node] else { break }
            return .outcome(try submit(asked) ? .filled : .rejected)
        default: break
        }
        return .failure(
            PrimitiveFailure(.adapterUnavailable, "nothing in a job does \(command.primitive)"))
    }

    /// Asks the host for a job, as a contract does.
    private mutating func submit(_ asked: JobRequest) throws(RunEnd) -> Bool {
        func text(_ text: String, _ limit: Int) -> HostText {
            text.utf8.count <= limit ? .text(text) : .tooLong(limit)
        }
        let answer: ContractHost.Answer
        do throws(HostTrap) {
            answer = try host.submit(
                code: text(asked.code, ContractHost.codeByteCountMax),
                description: text(asked.description, RunEffectLimits.descriptionByteCountMax),
                resource: text(asked.resource, RunEffectLimits.resourceByteCountMax), amount: asked.amount,
                priority: text(asked.priority, ContractHost.priorityByteCountMax))
        } catch {
            throw RunEnd(.trap, trap: error.rawValue)
        }
        if let line = answer.line { try log(line) }
        return answer.isGranted
    }

    /// Writes a line to stderr.
    private mutating func log(_ line: String) throws(RunEnd) {
        let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
        try desk.book { account throws(RunEnd) in try account.write(bytes.count) }
        stderr += bytes
    }
}

extension Reading {
    /// The units of all its values; a failure's are those of its message.
    fileprivate var unitCount: Int {
        switch result {
        case .success(let values): values.reduce(0) { $0 + $1.value.unitCount }
        case .failure(let failure): failure.message.utf8.count
        }
    }
}

extension PreparedGraph {
    /// What each pass of it leaves in a report besides the values: boundary outputs and actions.
    fileprivate var recordCount: Int { outputs.count + 2 * actions.count }
}
