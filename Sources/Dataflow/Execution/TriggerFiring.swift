/// A trigger that emitted in a pass, and what had come in.
public struct TriggerFiring: Sendable, Hashable {
    public let node: String
    /// By port, one for each edge, in the order in which the node's edges come in.
    public let inputs: [PortValue]

    public init(node: String, inputs: [PortValue]) {
        self.node = node
        self.inputs = inputs
    }
}
