internal import Dataflow
internal import ExecutionDocuments
internal import MeshCore

// What the documents of passes and triggers hold, whoever keeps them.
extension FlowDocument {
    static let passProtocol = "dataflow.pass"
    static let triggerProtocol = "dataflow.trigger"

    /// A pass that begins: what its sources have read and its triggers remember.
    static func pass(
        _ document: ExecutionDocument, graph: PreparedGraph, snapshots: DocumentValue?, inputs: PassInputs,
        state: TriggerState
    ) throws(ExecutionError) -> ExecutionDocument {
        var pass = document
        var config = [DocumentMember("graph", .string("\(graph.cid)"))]
        if let snapshots { config.append(DocumentMember("snapshots", snapshots)) }
        try pass.set("config", to: .object(config))
        try pass.set("input", to: readings(inputs.readings))
        if let state = FlowPassProcessing.state(state) { try pass.set("state", to: state) }
        return try pass.becoming(.running)
    }

    /// A trigger that emitted, as it begins and with its result.
    static func trigger(
        _ document: ExecutionDocument, _ firing: TriggerFiring
    ) throws(ExecutionError) -> (start: ExecutionDocument, processed: ExecutionDocument) {
        var trigger = document
        try trigger.set("config", to: .object([DocumentMember("node", .string(firing.node))]))
        try trigger.set("input", to: inputs(firing.inputs))
        let start = try trigger.becoming(.running)
        trigger = start
        try trigger.set("result", to: value(.event(.emitted)))
        return (start, trigger)
    }

    /// What came into a trigger by port; several edges of one port as a list.
    private static func inputs(_ values: [PortValue]) -> DocumentValue {
        var members: [DocumentMember] = []
        for value in values {
            let key = DocumentText(value.port)
            let entry = self.value(value.value)
            guard let position = members.firstIndex(where: { $0.key == key }) else {
                members.append(DocumentMember(key, entry))
                continue
            }
            if case .list(let list) = members[position].value {
                members[position].value = .list(list + [entry])
            } else {
                members[position].value = .list([members[position].value, entry])
            }
        }
        return .object(members)
    }
}
