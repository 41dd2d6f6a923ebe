/// Gives every output a slot and every node an instruction.
struct GraphLayout {
    var order: [String] = []
    var instructions: [PreparedGraph.Instruction] = []
    var calls: [PreparedGraph.Call] = []
    var readers: [PreparedGraph.Read] = []
    var actions: [PreparedGraph.Action] = []
    var triggers: [PreparedGraph.Trigger] = []
    var slotPorts: [NodePort] = []
    var slotTypes: [FlowType] = []
    var template: [Double] = []
    var boxes: [Int32] = []
    var boxCount = 0
    var stateCount = 0
    var outputs: [(name: String, slot: Int32)] = []

    /// Where an edge comes from and at which port it ends.
    private struct Wire {
        let port: String
        let slot: Int32
    }

    init(_ valid: GraphValidator, _ graph: FlowGraph, _ registry: PrimitiveRegistry) {
        let entries = graph.nodes.map { registry.entry($0.primitive) }
        var firstSlots = [Int32](repeating: 0, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            firstSlots[index] = Int32(template.count)
            for port in entries[index]?.manifest.outputs ?? [] {
                slotPorts.append(NodePort(node.id, port.name))
                slotTypes.append(port.type)
                template.append(0)
                let isBoxed = port.type == .series || port.type == .string
                boxes.append(isBoxed ? Int32(boxCount) : -1)
                boxCount += isBoxed ? 1 : 0
            }
        }
        func slot(_ node: Int32, _ port: String) -> Int32 {
            let index = entries[Int(node)]?.manifest.outputs.firstIndex { $0.name == port } ?? 0
            return firstSlots[Int(node)] + Int32(index)
        }

        // The edges are sorted by the node that they end at; these are where each node's begin.
        var wireStarts = [Int](repeating: valid.links.count, count: graph.nodes.count + 1)
        for (index, link) in valid.links.enumerated().reversed() { wireStarts[Int(link.target)] = index }
        for index in graph.nodes.indices.reversed() {
            wireStarts[index] = min(wireStarts[index], wireStarts[index + 1])
        }
        func wires(_ node: Int) -> [Wire] {
            valid.links[wireStarts[node]..<wireStarts[node + 1]].map {
                Wire(port: $0.edge.to.port, slot: slot($0.source, $0.from.port))
            }
        }

        var position = [Int32](repeating: 0, count: graph.nodes.count)
        for (place, node) in valid.order.enumerated() { position[Int(node)] = Int32(place) }
        var acting: [(trigger: Int32, node: Int32)] = []
        for number in valid.order {
            let index = Int(number)
            guard let entry = entries[index] else { continue }
            if entry.manifest.kind == .action {
                let last = valid.links[wireStarts[index]..<wireStarts[index + 1]]
                    .map { position[Int($0.source)] }.max()
                acting.append((last ?? 0, number))
                continue
            }
            order.append(graph.nodes[index].id)
            let incoming = wires(index)
            if entry.manifest.kind == .trigger {
                let events = entry.manifest.outputs.enumerated().filter { $0.element.type == .event }
                triggers.append(
                    PreparedGraph.Trigger(
                        node: graph.nodes[index].id, inputs: incoming.map { ($0.port, $0.slot) },
                        events: events.map { firstSlots[index] + Int32($0.offset) }))
            }
            add(graph.nodes[index], entry, incoming, output: firstSlots[index])
        }
        // Actions follow the triggers that they wait for; of those behind the same one the lowest id is first.
        acting.sort { $0 < $1 }
        for (_, number) in acting {
            let index = Int(number)
            guard let entry = entries[index] else { continue }
            order.append(graph.nodes[index].id)
            addAction(graph.nodes[index], entry, wires(index), output: firstSlots[index])
        }
        readers.sort { $0.request.node < $1.request.node }
        let numbers = Dictionary(
            uniqueKeysWithValues: graph.nodes.enumerated().map { ($0.element.id, Int32($0.offset)) })
        outputs = graph.outputs.map { ($0.name, slot(numbers[$0.port.node] ?? 0, $0.port.port)) }
    }

    private static func request(
        _ node: FlowNode, _ manifest: PrimitiveManifest, _ values: [ParameterValue]
    ) -> AdapterRequest {
        AdapterRequest(
            node: node.id, primitive: node.primitive,
            parameters: zip(manifest.parameters, values).map { ParameterBinding($0.name, $1) })
    }

    private mutating func add(
        _ node: FlowNode, _ entry: PrimitiveRegistry.Entry, _ wires: [Wire], output: Int32
    ) {
        let manifest = entry.manifest
        let values = ParameterCheck.values(node, manifest)
        var instruction = PreparedGraph.Instruction(opcode: .call, output: output, state: Int32(stateCount))
        stateCount += manifest.stateCount
        func slot(_ index: Int) -> Int32 {
            guard index < manifest.inputs.count else { return -1 }
            return wires.first { $0.port == manifest.inputs[index].name }?.slot ?? -1
        }
        switch entry.implementation {
        case .builtIn(.constant):
            template[Int(output)] = values.first?.double ?? 0
            return
        case .builtIn(let opcode):
            instruction.opcode = opcode
            (instruction.first, instruction.second, instruction.third) = (slot(0), slot(1), slot(2))
            if let value = values.first { instruction.parameter = Self.operand(value) }
        case .adapter where manifest.kind == .source:
            readers.append(
                PreparedGraph.Read(
                    request: Self.request(node, manifest, values), outputs: manifest.outputs, output: output))
            return
        case .adapter, .function:
            var function: PrimitiveFunction?
            if case .function(let given) = entry.implementation { function = given }
            instruction.call = Int32(calls.count)
            let inputs = manifest.inputs.flatMap { input in
                let wired = wires.filter { $0.port == input.name }.map { (port: input.name, slot: $0.slot) }
                return wired.isEmpty ? [(port: input.name, slot: Int32(-1))] : wired
            }
            calls.append(
                PreparedGraph.Call(
                    request: Self.request(node, manifest, values), function: function, parameters: values,
                    inputs: inputs, outputs: manifest.outputs, stateCount: manifest.stateCount))
        }
        instructions.append(instruction)
    }

    private static func operand(_ value: ParameterValue) -> Double {
        switch value {
        case .text("up"): 1
        case .text("down"): -1
        default: value.double
        }
    }

    private mutating func addAction(
        _ node: FlowNode, _ entry: PrimitiveRegistry.Entry, _ wires: [Wire], output: Int32
    ) {
        let values = ParameterCheck.values(node, entry.manifest)
        var opcode = Opcode.command
        if case .builtIn(let builtIn) = entry.implementation { opcode = builtIn }
        let events = wires.filter { wire in entry.manifest.input(wire.port)?.type == .event }
        actions.append(
            PreparedGraph.Action(
                opcode: opcode, request: Self.request(node, entry.manifest, values), parameters: values,
                events: events.map(\.slot), output: output))
    }
}
