internal import MeshAPI
internal import Synchronization

/// Prints records as they come, in a form that is whole once it ends.
///
/// JSON becomes one array, closed also when Ctrl+C ends it; YAML a list; CSV rows under one heading.
final class RecordStream: Sendable {
    private struct State {
        var count = 0
        var isEnded = false
    }

    private let console: Console
    private let format: OutputFormat
    private let state = Mutex(State())

    init(_ context: CommandContext) {
        console = context.console
        format = context.format
    }

    /// Prints one record; `text` is what the table format shows of it.
    func add(_ record: some APIRecord, text: () -> String) {
        state.withLock { state in
            guard !state.isEnded else { return }
            defer { state.count += 1 }
            let isFirst = state.count == 0
            switch format {
            case .table: console.writeOutput(Array(text().utf8))
            case .json:
                console.writeOutput(
                    Array(((isFirst ? "[\n" : ",\n") + JSONTree(record).json(indent: nil)).utf8))
            case .yaml: console.writeOutput(Array(JSONTree.array([JSONTree(record)]).yaml().utf8))
            case .csv:
                let heading = isFirst ? record.fieldNames.joined(separator: ",") + "\r\n" : ""
                let row = JSONTree(record).csv()
                let start = row.firstIndex(of: "\r\n").map { row.index(after: $0) } ?? row.startIndex
                console.writeOutput(Array((heading + row[start...]).utf8))
            }
        }
    }

    /// Closes what is open; calling it again does nothing.
    func end() {
        state.withLock { state in
            guard !state.isEnded else { return }
            state.isEnded = true
            if format == .json { console.line(state.count == 0 ? "[]" : "\n]") }
            if format == .yaml, state.count == 0 { console.line("[]") }
        }
    }
}

extension APIRecord {
    /// The keys, in the order of the fields.
    fileprivate var fieldNames: [String] { Self.fields.map(\.name) }
}
