internal import Dataflow
internal import MeshAPI

/// A graph file as the commands use it, by the name that people gave it.
struct FlowSource {
    let path: String
    private let source: GraphSource

    /// The file as it was read.
    var text: String { source.text }
    var faults: [GraphSource.Fault] { source.faults }
    var graph: FlowGraph? { source.graph }
    var registry: PrimitiveRegistry { source.registry }
    var prepared: PreparedGraph? { source.prepared }

    init(_ path: String, _ context: CommandContext) throws {
        self.init(path, text: try FlowSource.text(path, context))
    }

    init(_ path: String, text: String) {
        self.path = path == "-" ? "standard input" : path
        source = GraphSource(text)
    }

    static func text(_ path: String, _ context: CommandContext) throws -> String {
        guard let text = String(validating: try context.contents(of: path), as: UTF8.self) else {
            throw CommandFailure(code: "file.unreadable", "\(path) is not UTF-8")
        }
        return text
    }

    /// The graph, ready to run.
    ///
    /// - Throws: The first thing that is wrong; the others go to standard error.
    func ready(_ context: CommandContext) throws -> PreparedGraph {
        if let prepared { return prepared }
        for fault in faults.dropFirst() { context.console.message("\(path): \(fault.message)") }
        throw CommandFailure(
            code: faults.first?.code ?? "dataflow.invalid",
            "\(path): \(faults.first?.message ?? "cannot be run")",
            hint: faults.count > 1
                ? "\(faults.count) things are wrong; meshctl dataflow validate lists them" : nil)
    }
}
