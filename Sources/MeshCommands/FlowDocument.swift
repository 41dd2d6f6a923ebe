internal import Dataflow
internal import ExecutionDocuments

/// Values of dataflow as values of execution documents, both ways.
enum FlowDocument {
    /// `{"number":3.0}`, `{"series":[…]}`, `{"bool":…}`, `{"event":"emitted"}` or `{"string":…}`.
    static func value(_ value: FlowValue) -> DocumentValue {
        let content: DocumentValue =
            switch value {
            case .number(let number): self.number(number)
            case .series(let numbers): .list(numbers.map(self.number))
            case .bool(let flag): .boolean(flag)
            case .event(let event): .string(event.name)
            case .string(let text): .string(text)
            }
        return .object([DocumentMember(DocumentText(value.type.rawValue), content)])
    }

    /// What ``value(_:)`` has written; `nil` for anything else.
    static func flow(_ value: DocumentValue) -> FlowValue? {
        guard case .object(let members) = value, members.count == 1, let member = members.first else {
            return nil
        }
        switch (FlowType(rawValue: member.key.description), member.value) {
        case (.number, let content): return double(content).map { .number($0) }
        case (.series, .list(let elements)):
            var numbers: [Double] = []
            numbers.reserveCapacity(elements.count)
            for element in elements {
                guard let number = double(element) else { return nil }
                numbers.append(number)
            }
            return .series(numbers)
        case (.bool, .boolean(let flag)): return .bool(flag)
        case (.event, .text(let name)): return FlowEvent(name: name.description).map { .event($0) }
        case (.string, .text(let text)): return .string(text.description)
        default: return nil
        }
    }

    /// What nodes were given, by node and port; a failure as its class and message.
    static func readings(_ readings: [Reading]) -> DocumentValue {
        .object(
            readings.map { reading in
                let content: DocumentValue =
                    switch reading.result {
                    case .success(let values):
                        .object(values.map { DocumentMember(DocumentText($0.port), value($0.value)) })
                    case .failure(let failure):
                        .object([
                            DocumentMember("class", .string(failure.errorClass.rawValue)),
                            DocumentMember("message", .string(failure.message)),
                        ])
                    }
                return DocumentMember(DocumentText(reading.node), content)
            })
    }

    /// What ``readings(_:)-([Reading])`` has written; `nil` for anything else.
    static func readings(_ value: DocumentValue) -> [Reading]? {
        guard case .object(let nodes) = value else { return nil }
        var readings: [Reading] = []
        for node in nodes {
            let name = node.key.description
            guard case .object(let ports) = node.value else { return nil }
            // A port's value is an object, so that no port passes for a failure.
            if case .text(let text)? = node.value["class"] {
                guard let errorClass = ErrorClass(rawValue: text.description),
                    case .text(let message)? = node.value["message"]
                else { return nil }
                readings.append(
                    Reading(node: name, .failure(PrimitiveFailure(errorClass, message.description))))
                continue
            }
            var values: [PortValue] = []
            for port in ports {
                guard let value = flow(port.value) else { return nil }
                values.append(PortValue(port.key.description, value))
            }
            readings.append(Reading(node: name, values))
        }
        return readings
    }

    /// Numbers as documents have them: JSON has no NaN and no infinity, so those are text.
    static func number(_ number: Double) -> DocumentValue {
        // A NaN may have a sign, which nobody is told.
        if number.isNaN { return .string("nan") }
        return (try? DocumentValue(decoding: Array(number.description.utf8))) ?? .string(number.description)
    }

    /// What ``number(_:)`` has written.
    static func double(_ value: DocumentValue) -> Double? {
        switch value {
        case .number(let number): Double(number.description)
        case .text("nan"): .nan
        case .text("inf"): .infinity
        case .text("-inf"): -.infinity
        default: nil
        }
    }
}
