public import MeshCore

/// The copy of a document that inner processing receives: it can be read and nothing else.
public struct FrozenDocument: Hashable, Sendable {
    /// The document as it stands; changing a copy of it changes nothing here.
    public let document: ExecutionDocument

    public init(_ document: ExecutionDocument) { self.document = document }

    /// The value of a member, or `nil`.
    public subscript(key: DocumentText) -> DocumentValue? { document[key] }
}

/// What inner processing gives back.
public enum InnerResult: Hashable, Sendable {
    /// A whole document in the place of the one received.
    case document(ExecutionDocument)
    /// What changes, as a JSON merge patch (RFC 7396).
    case delta(DocumentValue)
}

/// Inner processing: a function of its document alone.
///
/// It is given no store, no clock and no chance; what it needs is in the document.
public typealias InnerProcessing = (FrozenDocument) throws(ExecutionError) -> InnerResult

extension ExecutionDocument {
    /// The document after inner processing; the one received is as before, whatever happens.
    ///
    /// - Parameters:
    ///   - isChecked: Whether the processing runs twice, and two results that differ are refused.
    ///   - limits: How much the result may hold.
    ///   - inner: The processing.
    /// - Returns: The document with its result, still running.
    /// - Throws: What `inner` throws, ``ExecutionFailure/badTransition`` for a document that is not running,
    ///   ``ExecutionFailure/identity`` where identity would change, ``ExecutionFailure/impure`` and
    ///   ``ExecutionFailure/tooLarge``.
    public func processed(
        isChecked: Bool = false, limits: DocumentLimits = .standard, by inner: InnerProcessing
    ) throws(ExecutionError) -> ExecutionDocument {
        guard status == .running else {
            throw ExecutionError(
                .badTransition, "an execution that is \(status.rawValue) is not processed")
        }
        let frozen = FrozenDocument(self)
        let result = try inner(frozen)
        if isChecked {
            guard try inner(frozen) == result else {
                throw ExecutionError(
                    .impure, "the inner processing gave two results for one document",
                    hint: "it may use nothing but the document")
            }
        }
        switch result {
        case .delta(let delta): return try merging(delta, limits: limits)
        case .document(let document):
            guard document.hasIdentity(of: self) else {
                throw ExecutionError(.identity, "the inner processing changed the document's identity")
            }
            return try ExecutionDocument(decoding: document.bytes, limits: limits)
        }
    }
}
