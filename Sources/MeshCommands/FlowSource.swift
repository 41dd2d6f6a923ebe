internal import Dataflow
internal import JSON5
internal import MeshAPI

/// A graph file as the commands use it: read, expanded, checked and, where nothing is wrong, ready to run.
struct FlowSource {
    /// One thing that is wrong, wherever it was found.
    struct Fault {
        let code: String
        let message: String
    }

    let path: String
    /// The file as it was read.
    let text: String
    private(set) var faults: [Fault] = []
    private(set) var graph: FlowGraph?
    private(set) var registry = PrimitiveRegistry.standard()
    private(set) var prepared: PreparedGraph?

    init(_ path: String, _ context: CommandContext) throws {
        self.init(path, text: try FlowSource.text(path, context))
    }

    init(_ path: String, text: String) {
        self.path = path == "-" ? "standard input" : path
        self.text = text
        do {
            let file = try GraphFile(text)
            registry = .standard(rules: .init(statelessTriggersOnly: file.asksForStatelessTriggers))
            let expanded = try file.expanded(registry)
            graph = expanded
            let found = GraphValidator.allFaults(expanded, registry)
            faults = found.map { Fault(code: $0.code, message: $0.description) }
            if found.isEmpty { prepared = try PreparedGraph(expanded, registry: registry) }
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
