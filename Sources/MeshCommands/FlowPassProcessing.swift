internal import Dataflow
internal import ExecutionDocuments
internal import MeshCore

/// The inner part of a recorded pass: what its document's `input` and `state` make of the graph.
///
/// It reads nothing and does nothing; what it gives is the member `result` of a delta. Modules of `wasm` nodes are
/// named by the graph and fetched by whoever made `adapter`.
struct FlowPassProcessing {
    let graph: PreparedGraph
    let adapter: AdapterFunction

    /// Evaluates the pass of a frozen document.
    func delta(_ frozen: FrozenDocument) throws(ExecutionError) -> InnerResult {
        guard frozen["config"]?["graph"] == .string("\(graph.cid)") else {
            throw ExecutionError(.badReference, "the document is of a pass of another graph")
        }
        guard let input = frozen["input"], let readings = FlowDocument.readings(input),
            var state = state(frozen["state"])
        else { throw ExecutionError(.badJSON, "the document's input and state are not those of a pass") }
        let pass = graph.evaluate(PassInputs(readings), state: &state, adapter: adapter)
        return .delta(.object([DocumentMember("result", try Self.result(pass))]))
    }

    private func state(_ value: DocumentValue?) -> TriggerState? {
        guard let value else { return graph.state(remembering: []) }
        guard case .list(let elements) = value else { return nil }
        let numbers = elements.compactMap(FlowDocument.double)
        return numbers.count == elements.count ? graph.state(remembering: numbers) : nil
    }

    /// What triggers remember, as the member `state`; `nil` for a graph without state.
    static func state(_ state: TriggerState) -> DocumentValue? {
        state.numbers.isEmpty ? nil : .list(state.numbers.map(FlowDocument.number))
    }

    /// A pass as it stands: its report, which triggers emitted, and what was worked out by modules.
    static func result(_ pass: EvaluatedPass) throws(ExecutionError) -> DocumentValue {
        guard case .object(var members) = try DocumentValue(decoding: Array(pass.report().json.utf8)) else {
            throw ExecutionError(.badJSON, "the report of a pass is no object")
        }
        members.append(DocumentMember("emitted", .list(pass.firings.map { .string($0.node) })))
        members.append(DocumentMember("computed", FlowDocument.readings(pass.computed)))
        return .object(members)
    }
}
