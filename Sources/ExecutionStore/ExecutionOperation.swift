public import ExecutionDocuments

/// One thing to write; several of them share the waiting for the disk.
public enum ExecutionOperation: Hashable, Sendable {
    /// A new document, created or running already: its `start` snapshot, and the line that starts it.
    case create(ExecutionDocument)
    /// A created document whose inputs are complete: its `start` snapshot anew, and that it runs.
    case begin(ExecutionDocument)
    /// A snapshot that is neither `start` nor `end`.
    case snapshot(ExecutionDocument, SnapshotLabel)
    /// Its `end` snapshot, and that it completed.
    case complete(ExecutionDocument)
    /// Its `end` snapshot with the error, and that it failed.
    case fail(ExecutionDocument, error: String?)
}
