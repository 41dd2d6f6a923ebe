internal import Dataflow

extension CommandFailure {
    /// What keeps a graph from being a job: the first fault, with the others on standard error.
    init(describing error: JobGraphError, of source: String, in context: CommandContext) {
        let source = source == "-" ? "standard input" : source
        for fault in error.faults.dropFirst() {
            context.console.message("\(source): \(fault.message)".onOneLine)
        }
        let first = error.faults[0]
        self.init(code: first.code, "\(source): \(first.message)".onOneLine, hint: first.hint)
    }
}
