public import ExecutionDocuments
internal import Glibc
public import MeshCore

/// The word of a process that it is running an execution; it falls with the value, and with the process however it
/// ends.
///
/// Only those who ask are kept out: the store itself writes for everybody. Used by one thread.
public final class ExecutionClaim {
    private let file: OpenFile

    init(_ file: OpenFile) { self.file = file }
}

extension ExecutionStore {
    /// Claims an execution that has been created; `nil` where another claim on it stands.
    ///
    /// - Throws: ``ExecutionFailure/missingSnapshot`` where nothing of it was ever written, and what stands in the way
    ///   of its folder.
    public func claim(_ document: ExecutionDocument) throws(ExecutionError) -> ExecutionClaim? {
        guard
            let folder = try snapshots(document.context, document.protocolName, document.uid),
            // It begins with a dot, so that it is no snapshot of any label.
            let file = try folder.open(".claim", O_RDWR | O_CREAT)
        else {
            throw ExecutionError(.missingSnapshot, "\(document.uid) has no folder to be claimed in")
        }
        return try file.tryLock() ? ExecutionClaim(file) : nil
    }
}
