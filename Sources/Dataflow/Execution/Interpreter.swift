/// Works through the instructions of a graph: the first phase of a pass.
struct Interpreter {
    let graph: PreparedGraph
    let adapter: AdapterFunction?
    var slots: Slots
    var state: [Double]
    /// What adapter computes gave, in the order of the pass.
    var computed: [Reading] = []

    init(_ graph: PreparedGraph, state: [Double], adapter: AdapterFunction?) {
        self.graph = graph
        self.adapter = adapter
        slots = Slots(graph)
        self.state = state
    }

    /// Evaluates every node but actions, each once.
    mutating func run(_ inputs: PassInputs) throws(PassFailure) {
        try load(inputs)
        // The numbers are moved out for the loop, so that writing them never copies.
        var numbers: [Double] = []
        swap(&numbers, &slots.numbers)
        for instruction in graph.instructions {
            if instruction.opcode == .call {
                swap(&numbers, &slots.numbers)
                try call(instruction)
                swap(&numbers, &slots.numbers)
            } else {
                Self.step(instruction, &numbers, &state)
            }
        }
        swap(&numbers, &slots.numbers)
    }

    @inline(__always)
    private static func step(
        _ it: PreparedGraph.Instruction, _ numbers: inout [Double], _ state: inout [Double]
    ) {
        let result: Double
        let first = numbers[Int(it.first)]
        switch it.opcode {
        case .add: result = first + numbers[Int(it.second)]
        case .subtract: result = first - numbers[Int(it.second)]
        case .multiply: result = first * numbers[Int(it.second)]
        case .divide: result = first / numbers[Int(it.second)]
        case .negate: result = -first
        case .greater: result = first > numbers[Int(it.second)] ? 1 : 0
        case .less: result = first < numbers[Int(it.second)] ? 1 : 0
        case .equal: result = first == numbers[Int(it.second)] ? 1 : 0
        case .unequal: result = first != numbers[Int(it.second)] ? 1 : 0
        case .and: result = first != 0 && numbers[Int(it.second)] != 0 ? 1 : 0
        case .or: result = first != 0 || numbers[Int(it.second)] != 0 ? 1 : 0
        case .not: result = first != 0 ? 0 : 1
        case .select: result = numbers[Int(first != 0 ? it.second : it.third)]
        case .emitIfTrue: result = first
        case .crossover:
            let second = numbers[Int(it.second)]
            let side: Double = first > second ? 1 : first < second ? -1 : 0
            let before = state[Int(it.state)]
            let isCrossing = side != 0 && before != 0 && side != before
            result = isCrossing && (it.parameter == 0 || it.parameter == side) ? 1 : 0
            if side != 0 { state[Int(it.state)] = side }
        case .once:
            result = first == 1 && state[Int(it.state)] == 0 ? 1 : 0
            if first == 1 { state[Int(it.state)] = 1 }
        case .debounce:
            let held = first != 0 ? state[Int(it.state)] + 1 : 0
            result = held == it.parameter ? 1 : 0
            state[Int(it.state)] = min(held, it.parameter + 1)
        case .count:
            let seen = state[Int(it.state)] + (first == 1 ? 1 : 0)
            result = seen >= it.parameter ? 1 : 0
            state[Int(it.state)] = seen >= it.parameter ? 0 : seen
        // None of these is among the instructions of a prepared graph.
        case .constant, .call, .reading, .acknowledge, .annotate, .command: return
        }
        numbers[Int(it.output)] = result
    }

    private mutating func load(_ inputs: PassInputs) throws(PassFailure) {
        var index = 0
        for reader in graph.readers {
            let node = reader.request.node
            while index < inputs.readings.count, inputs.readings[index].node < node { index += 1 }
            guard index < inputs.readings.count, inputs.readings[index].node == node else {
                throw PassFailure(node: node, .adapterUnavailable, "nothing was read for this source")
            }
            try store(inputs.readings[index].result, of: node, reader.outputs, at: reader.output)
        }
    }

    private mutating func store(
        _ result: Result<[PortValue], PrimitiveFailure>, of node: String, _ outputs: [OutputPort],
        at slot: Int32
    ) throws(PassFailure) {
        switch result {
        case .failure(let failure): throw PassFailure(node: node, failure)
        case .success(let values):
            for (offset, port) in outputs.enumerated() {
                guard let value = values.first(where: { $0.port == port.name })?.value else {
                    throw PassFailure(node: node, .validationFailed, "the output “\(port.name)” is missing")
                }
                try store(value, of: node, port, at: slot + Int32(offset))
            }
        }
    }

    private mutating func store(
        _ value: FlowValue, of node: String, _ port: OutputPort, at slot: Int32
    ) throws(PassFailure) {
        guard value.type == port.type else {
            throw PassFailure(
                node: node, .validationFailed,
                "the output “\(port.name)” is \(value.type.rawValue) and not \(port.type.rawValue)")
        }
        switch value {
        case .series(let numbers) where numbers.count > GraphLimits.seriesMax:
            throw PassFailure(node: node, .validationFailed, "the series “\(port.name)” is too long")
        case .event(let event) where event.isOutcome:
            throw PassFailure(node: node, .validationFailed, "a trigger gave what became of an action")
        default: slots.set(slot, value, graph)
        }
    }

    private mutating func call(_ instruction: PreparedGraph.Instruction) throws(PassFailure) {
        let call = graph.calls[Int(instruction.call)]
        let node = call.request.node
        if let function = call.function {
            let inputs = call.inputs.map { $0.slot < 0 ? nil : slots.value($0.slot, graph) }
            let range = Int(instruction.state)..<Int(instruction.state) + call.stateCount
            var own = Array(state[range])
            let values: [FlowValue]
            do {
                values = try function(inputs, call.parameters, &own)
            } catch {
                throw PassFailure(node: node, error)
            }
            guard values.count == call.outputs.count, own.count == range.count else {
                throw PassFailure(
                    node: node, .validationFailed, "it gave another number of outputs or states")
            }
            state.replaceSubrange(range, with: own)
            for (offset, value) in values.enumerated() {
                try store(value, of: node, call.outputs[offset], at: instruction.output + Int32(offset))
            }
        } else {
            guard let adapter else {
                throw PassFailure(node: node, .adapterUnavailable, "nothing here works this primitive out")
            }
            let inputs = call.inputs.filter { $0.slot >= 0 }
            let result = adapter(
                call.request, inputs.map { PortValue($0.port, slots.value($0.slot, graph)) })
            computed.append(Reading(node: node, result))
            try store(result, of: node, call.outputs, at: instruction.output)
        }
    }
}
