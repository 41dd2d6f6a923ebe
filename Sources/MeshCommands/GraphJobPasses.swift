internal import Dataflow
internal import ExecutionDocuments
internal import ExecutionStore
internal import MeshCore
internal import MeshMarket

/// The executions of the passes of a graph that ran as a job, and of the triggers that emitted in them.
///
/// A job's run leaves its capture as an output, and members repeat that; so nobody keeps these documents. They are made
/// by doing the captured passes once more, whenever somebody asks. A pass is called by its run's uid, a point and its
/// number from 0; a trigger by its pass's uid, a point and its place among those that emitted. Their instants are the
/// job's own, which begin with its creation.
struct GraphJobPasses {
    /// Whether an execution is the run of a graph as a job.
    static func isGraph(_ run: LoggedExecution) -> Bool {
        run.protocolName.description == JobExecution.protocolName(language: "dataflow")
    }

    /// Passes in order, each before its triggers.
    private(set) var executions: [AdoptedExecution] = []

    /// - Parameters:
    ///   - run: The uid of the run.
    ///   - graph: The job's code.
    ///   - capture: The run's output `capture`.
    /// - Throws: What is wrong with either, such as a capture that does not come out again.
    init(of run: ExecutionUID, graph: String, capture: String) throws {
        let source = FlowSource("the graph of \(run)", text: graph)
        guard let prepared = source.prepared else {
            throw CommandFailure(
                code: source.faults.first?.code ?? "dataflow.invalid",
                "the graph of \(run): \(source.faults.first?.message ?? "cannot be run")")
        }
        let bundle = try CaptureBundle(reading: capture)
        guard try bundle.replay(on: prepared).json.utf8.elementsEqual(capture.utf8) else {
            throw CommandFailure(
                code: "dataflow.capture", "the capture of \(run) does not come out again",
                hint: "meshctl dataflow replay names the first difference")
        }
        var state = prepared.initialState()
        for (number, captured) in bundle.passes.enumerated() {
            try add(captured, number: number, of: run, prepared, &state)
        }
    }

    private mutating func add(
        _ captured: CapturedPass, number: Int, of run: ExecutionUID, _ graph: PreparedGraph,
        _ state: inout TriggerState
    ) throws(ExecutionError) {
        let pass = ExecutionDocument(
            uid: try ExecutionUID("\(run).\(number)"),
            protocolName: try ProtocolName(FlowDocument.passProtocol),
            context: .root, parentUID: run, timestamp: captured.finishedAt)
        let start = try FlowDocument.pass(
            pass, graph: graph, snapshots: nil, inputs: captured.inputs, state: state)
        var evaluated = graph.evaluate(captured.inputs, state: &state, adapter: captured.recorded)
        for result in captured.results { evaluated.acknowledge(result) }
        var end = start
        try end.set("result", to: try FlowPassProcessing.result(evaluated))
        executions.append(
            try AdoptedExecution(
                start: start,
                end: try Self.ended(end, evaluated.failure.map { "\($0)" }, captured.finishedAt)))
        for (place, firing) in evaluated.firings.enumerated() {
            let trigger = ExecutionDocument(
                uid: try ExecutionUID("\(pass.uid).\(place)"),
                protocolName: try ProtocolName(FlowDocument.triggerProtocol), context: .root,
                parentUID: pass.uid, timestamp: captured.finishedAt)
            let (start, processed) = try FlowDocument.trigger(trigger, firing)
            executions.append(
                try AdoptedExecution(
                    start: start, end: try Self.ended(processed, nil, captured.finishedAt)))
        }
    }

    private static func ended(
        _ document: ExecutionDocument, _ failure: String?, _ instant: Timestamp
    ) throws(ExecutionError) -> ExecutionDocument {
        var ended = try document.becoming(failure == nil ? .completed : .failed)
        try ended.set(failure == nil ? "completedAt" : "failedAt", to: .string(instant.description))
        if let failure { try ended.set("error", to: .string(failure)) }
        return ended
    }
}
