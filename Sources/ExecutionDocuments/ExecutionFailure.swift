public import MeshCore

/// Why an execution document, its log or its store could not be used.
public enum ExecutionFailure: String, Sendable, CaseIterable {
    /// The bytes are not one JSON value as RFC 8259 has it, or hold a key twice.
    case badJSON = "execution.bad-json"
    /// Longer, deeper or more than the stated bounds.
    case tooLarge = "execution.too-large"
    /// An identity field is missing, is of the wrong form, or would be changed.
    case identity = "execution.identity"
    /// The status is none of the four.
    case badStatus = "execution.bad-status"
    /// The lifecycle has no such step.
    case badTransition = "execution.bad-transition"
    /// A context path that would leave the root, or that names the store's own folder.
    case badContext = "execution.bad-context"
    /// A uid, protocol or label that is no safe file name.
    case badName = "execution.bad-name"
    /// A reference to external data that cannot be read or resolved.
    case badReference = "execution.bad-reference"
    /// Bytes that do not hash to the CID they were asked for by.
    case hashMismatch = "execution.hash-mismatch"
    /// The inner processing gave different results for the same document.
    case impure = "execution.impure"
    /// A snapshot that should be there is not.
    case missingSnapshot = "execution.missing-snapshot"
    /// No execution of that uid is in the log.
    case unknown = "execution.unknown"
    /// A symbolic link, or something that is no folder, stands where the store has its folders.
    case outsideRoot = "execution.outside-root"
    /// The disk, or the space that is granted, is used up.
    case full = "execution.full"
    /// The system refused.
    case access = "execution.access"
}

/// Thrown by everything that deals with execution documents.
public typealias ExecutionError = CodedError<ExecutionFailure>
