internal import JSON5

/// Reads values as ``FlowValue/json`` writes them.
struct FlowValueReader {
    let faults: FaultList

    /// The value, or `nil` after noting what is wrong.
    func value(_ value: JSON5Value?, _ path: String) -> FlowValue? {
        guard case .object(let members) = value?.content, members.count == 1, let member = members.first,
            let type = FlowType(rawValue: member.key)
        else {
            let types = FlowType.allCases.map(\.rawValue).joined(separator: ", ")
            faults.add(
                path, "must be an object with one member, named by its type: \(types)", value?.position)
            return nil
        }
        let read: FlowValue? =
            switch (type, member.value.content) {
            case (.number, let content): Self.number(content).map { .number($0) }
            case (.bool, .boolean(let flag)): .bool(flag)
            case (.string, .string(let text)): .string(text)
            case (.event, .string(let name)): FlowEvent(name: name).map { .event($0) }
            case (.series, .array(let elements)): Self.series(elements)
            default: nil
            }
        if read == nil { faults.add("\(path).\(member.key)", "is not a \(type.rawValue)", member.position) }
        return read
    }

    private static func number(_ content: JSON5Value.Content) -> Double? {
        switch content {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .string("nan"): .nan
        case .string("inf"): .infinity
        case .string("-inf"): -.infinity
        default: nil
        }
    }

    private static func series(_ elements: [JSON5Value]) -> FlowValue? {
        guard elements.count <= GraphLimits.seriesMax else { return nil }
        let numbers = elements.compactMap { number($0.content) }
        return numbers.count == elements.count ? .series(numbers) : nil
    }
}
