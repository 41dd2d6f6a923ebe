internal import CommandLineArguments
internal import ControlClient
internal import ExecutionDocuments
internal import ExecutionStore
internal import MeshAPI

/// Where executions are read from: the files below a folder, or what a daemon knows of the executions of jobs.
protocol ExecutionSource {
    /// All of them, in the order in which they started.
    func log() throws -> ExecutionLog
    /// The labels of the snapshots that are here, sorted.
    func labels(_ execution: LoggedExecution) throws -> [SnapshotLabel]
    /// A snapshot, byte for byte.
    func read(_ execution: LoggedExecution, _ label: SnapshotLabel) throws -> ExecutionDocument
}

extension ExecutionStore: ExecutionSource {
    func labels(_ execution: LoggedExecution) throws -> [SnapshotLabel] { try labels(execution.uid) }

    func read(_ execution: LoggedExecution, _ label: SnapshotLabel) throws -> ExecutionDocument {
        try read(execution.uid, label)
    }
}

/// The executions of jobs as a daemon's replica has them, on whichever node they ran.
struct DaemonExecutions: ExecutionSource {
    let client: HTTPControlClient

    func log() throws -> ExecutionLog { try ExecutionLog(try client.bytes("/v1/executions/log")) }

    /// A run keeps two snapshots; where it has none here the daemon says why.
    func labels(_ execution: LoggedExecution) throws -> [SnapshotLabel] {
        switch execution.status {
        case .created: []
        case .running: [.start]
        case .completed: [.end, .start]
        // A run that was lost has left no receipt, and so no snapshot that everybody knows.
        case .failed: (try? read(execution, .end)) == nil ? [] : [.end, .start]
        }
    }

    func read(_ execution: LoggedExecution, _ label: SnapshotLabel) throws -> ExecutionDocument {
        try ExecutionDocument(
            decoding: try client.bytes("/v1/executions/\(execution.uid)/\(label)"))
    }
}

extension CommandContext {
    /// The files below `--root`, or without it the daemon.
    func executions() throws -> any ExecutionSource {
        guard arguments.text("root") != nil else { return DaemonExecutions(client: try client()) }
        return try CommandEntry.executionStore(self)
    }
}
