public import IPLD

/// A valid graph laid out for passes: instructions in topological order over numbered slots.
///
/// It never changes; any number of threads may run passes over it.
public final class PreparedGraph: Sendable {
    /// One node's work.
    ///
    /// Slots are numbers of outputs; where an input is not wired its slot is −1.
    struct Instruction: Sendable {
        var opcode: Opcode
        var first: Int32 = -1
        var second: Int32 = -1
        var third: Int32 = -1
        /// The first of the node's output slots.
        var output: Int32
        /// Where the node's state begins.
        var state: Int32 = 0
        /// The parameter of triggers: passes, every, or the direction.
        var parameter: Double = 0
        /// Which of ``calls`` it is.
        var call: Int32 = -1
    }

    /// What a function or an adapter needs besides slots.
    struct Call: Sendable {
        let request: AdapterRequest
        let function: PrimitiveFunction?
        let parameters: [ParameterValue]
        /// The slots of inputs, with their ports; one for each edge, −1 where an input is not wired.
        let inputs: [(port: String, slot: Int32)]
        let outputs: [OutputPort]
        let stateCount: Int
    }

    /// An adapter source, and where what it reads goes.
    struct Read: Sendable {
        let request: AdapterRequest
        let outputs: [OutputPort]
        let output: Int32
    }

    struct Action: Sendable {
        let opcode: Opcode
        let request: AdapterRequest
        let parameters: [ParameterValue]
        let events: [Int32]
        let output: Int32
    }

    public let graph: FlowGraph
    /// The CID of ``graph``.
    public let cid: CID
    /// What every pass needs read before it, by node.
    public var reads: [AdapterRequest] { readers.map(\.request) }
    /// The nodes in the order in which a pass takes them; actions come last.
    public let order: [String]
    /// Whether anything is remembered from pass to pass.
    public var isStateful: Bool { stateCount > 0 }

    /// A trigger, and what its firing is known by.
    struct Trigger: Sendable {
        let node: String
        /// Inputs that are wired, with their ports; one for each edge.
        let inputs: [(port: String, slot: Int32)]
        /// Its outputs that are events.
        let events: [Int32]
    }

    let instructions: [Instruction]
    let calls: [Call]
    let readers: [Read]
    let actions: [Action]
    /// In the order of the pass.
    let triggers: [Trigger]
    /// Which port each slot is.
    let slotPorts: [NodePort]
    let slotTypes: [FlowType]
    /// Every slot before a pass; constants stand here already.
    let template: [Double]
    /// How many slots hold series or text, which lie apart.
    let boxes: [Int32]
    let boxCount: Int
    let stateCount: Int
    let outputs: [(name: String, slot: Int32)]

    /// Lays `graph` out.
    ///
    /// - Throws: Everything that is wrong with the graph.
    public init(_ graph: FlowGraph, registry: PrimitiveRegistry) throws(GraphError) {
        let layout = GraphLayout(try GraphValidator.validated(graph, registry), graph, registry)
        self.graph = graph
        cid = graph.cid
        order = layout.order
        instructions = layout.instructions
        calls = layout.calls
        readers = layout.readers
        actions = layout.actions
        triggers = layout.triggers
        slotPorts = layout.slotPorts
        slotTypes = layout.slotTypes
        template = layout.template
        boxes = layout.boxes
        boxCount = layout.boxCount
        stateCount = layout.stateCount
        outputs = layout.outputs
    }

    /// The state with which a lifecycle begins.
    public func initialState() -> TriggerState { TriggerState(count: stateCount) }

    /// The state that gave ``TriggerState/numbers``; `nil` where another graph's did.
    public func state(remembering numbers: [Double]) -> TriggerState? {
        guard numbers.count == stateCount else { return nil }
        var state = initialState()
        state.values = numbers
        return state
    }
}
