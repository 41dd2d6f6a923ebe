internal import JSON5

/// A graph file as it is used: read, expanded, checked and, where nothing is wrong, ready to run.
public struct GraphSource: Sendable {
    /// One thing that is wrong, wherever it was found.
    public struct Fault: Sendable, Hashable {
        /// The stable code.
        public let code: String
        /// One sentence for people.
        public let message: String
    }

    /// The file as it was given.
    public let text: String
    /// Everything that is wrong, what decides first.
    public private(set) var faults: [Fault] = []
    /// The graph as far as it could be read, right or wrong.
    public private(set) var graph: FlowGraph?
    /// What its nodes can be.
    public private(set) var registry = PrimitiveRegistry.standard()
    /// The graph ready for passes; `nil` exactly where there are ``faults``.
    public private(set) var prepared: PreparedGraph?

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - text: The file.
    ///   - byteCountMax: What its clusters may come to when they are expanded.
    public init(_ text: String, byteCountMax: Int = GraphLimits.expansionBytesMax) {
        self.text = text
        do {
            let file = try GraphFile(text)
            registry = .standard(rules: .init(statelessTriggersOnly: file.asksForStatelessTriggers))
            let expanded = try file.expanded(
                registry, byteCountMax: min(byteCountMax, GraphLimits.expansionBytesMax))
            graph = expanded
            prepared = try PreparedGraph(expanded, registry: registry)
        } catch let error as JSON5Error {
            faults = error.faults.map { Fault(code: "dataflow.file", message: $0.description) }
        } catch let error as ExpansionError {
            faults = error.faults.map { Fault(code: $0.code.rawValue, message: $0.description) }
        } catch let error as GraphError {
            faults = error.faults.map { Fault(code: $0.code, message: $0.description) }
        } catch {
            faults = [Fault(code: "dataflow.invalid", message: "\(error)")]
        }
    }
}
