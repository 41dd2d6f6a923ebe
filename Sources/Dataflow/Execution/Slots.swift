/// The values of one pass: numbers, flags and events as numbers, series and text apart.
struct Slots: Sendable {
    var numbers: [Double]
    var boxes: [FlowValue]

    init(_ graph: PreparedGraph) {
        numbers = graph.template
        boxes = [FlowValue](repeating: .bool(false), count: graph.boxCount)
    }

    func value(_ slot: Int32, _ graph: PreparedGraph) -> FlowValue {
        let index = Int(slot)
        switch graph.slotTypes[index] {
        case .number: return .number(numbers[index])
        case .bool: return .bool(numbers[index] != 0)
        case .event: return .event(FlowEvent(rawValue: UInt8(numbers[index])) ?? .notEmitted)
        case .series, .string: return boxes[Int(graph.boxes[index])]
        }
    }

    /// Stores a value whose type is the slot's.
    mutating func set(_ slot: Int32, _ value: FlowValue, _ graph: PreparedGraph) {
        switch value {
        case .number(let number): numbers[Int(slot)] = number
        case .bool(let flag): numbers[Int(slot)] = flag ? 1 : 0
        case .event(let event): numbers[Int(slot)] = Double(event.rawValue)
        case .series, .string: boxes[Int(graph.boxes[Int(slot)])] = value
        }
    }
}
