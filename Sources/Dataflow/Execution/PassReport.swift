/// What stopped a pass, and at which node.
public struct PassFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public let node: String
    public let failure: PrimitiveFailure

    init(node: String, _ failure: PrimitiveFailure) {
        self.node = node
        self.failure = failure
    }

    init(node: String, _ errorClass: ErrorClass, _ message: String) {
        self.init(node: node, PrimitiveFailure(errorClass, message))
    }

    public var description: String { "\(node): \(failure.message) (\(failure.errorClass.rawValue))" }
}

/// What an action did, for the record; no node of any pass sees it.
public struct Acknowledgement: Sendable, Hashable {
    public let node: String
    public let outcome: FlowEvent
    /// What the action noted, or why it failed; empty where there is nothing to say.
    public let note: String

    public init(node: String, outcome: FlowEvent, note: String = "") {
        self.node = node
        self.outcome = outcome
        self.note = note
    }
}

/// What became of a command.
public enum ActionResult: Sendable, Hashable {
    /// `attempted`, `filled` or `rejected`; anything else counts as a failure of the one who says it.
    case outcome(FlowEvent)
    /// It failed, and with it the rest of the pass's actions.
    case failure(PrimitiveFailure)
}

/// What a pass gave.
public struct PassReport: Sendable, Hashable {
    /// A boundary output and its value.
    public struct Output: Sendable, Hashable {
        public let name: String
        public let value: FlowValue
    }

    /// By name; empty where the pass was stopped before its actions.
    public let outputs: [Output]
    /// One for each action, in the order of the actions.
    public let acknowledgements: [Acknowledgement]
    /// The commands that were handed out, in order.
    public let commands: [AdapterRequest]
    /// What stopped it, or `nil`.
    public let failure: PassFailure?

    /// The value of the boundary output of that name.
    public subscript(name: String) -> FlowValue? { outputs.first { $0.name == name }?.value }

    /// The report as canonical JSON: equal reports give the same bytes.
    public var json: String {
        var json = JSONText()
        json.object { write(to: &$0) }
        return json.text
    }

    func write(to json: inout JSONText) {
        json.key("outputs")
        json.object { json in
            for output in outputs {
                json.key(output.name)
                json.value(output.value)
            }
        }
        json.key("acknowledgements")
        json.list(acknowledgements) { json, record in
            json.object { json in
                json.key("node")
                json.string(record.node)
                json.key("outcome")
                json.string(record.outcome.name)
                if !record.note.isEmpty {
                    json.key("note")
                    json.string(record.note)
                }
            }
        }
        json.key("commands")
        json.list(commands) { json, command in
            json.object { json in
                json.key("node")
                json.string(command.node)
                json.key("primitive")
                json.string(command.primitive.description)
                json.key("parameters")
                json.object { json in
                    for binding in command.parameters {
                        json.key(binding.name)
                        json.parameter(binding.value)
                    }
                }
            }
        }
        if let failure {
            json.key("failure")
            json.object { json in
                json.key("node")
                json.string(failure.node)
                json.failure(failure.failure)
            }
        }
    }
}

extension JSONText {
    mutating func parameter(_ value: ParameterValue) {
        switch value {
        case .int(let value): integer(value)
        case .number(let value): number(value)
        case .bool(let value): bool(value)
        case .text(let value): string(value)
        }
    }

    /// The members of a failure, within an object.
    mutating func failure(_ failure: PrimitiveFailure) {
        key("class")
        string(failure.errorClass.rawValue)
        key("message")
        string(failure.message)
    }
}
