public import MeshCore

extension ExecutionDocument {
    /// The document after a JSON merge patch; top-level members that the patch does not name keep their bytes.
    ///
    /// - Throws: ``ExecutionFailure/identity`` where the patch names a field of identity,
    ///   ``ExecutionFailure/badJSON`` where it is no object, ``ExecutionFailure/tooLarge`` beyond `limits`.
    public func merging(
        _ delta: DocumentValue, limits: DocumentLimits = .standard
    ) throws(ExecutionError) -> ExecutionDocument {
        guard case .object(let changes) = delta else {
            throw ExecutionError(.badJSON, "a delta is an object, as RFC 7396 has it")
        }
        if let change = changes.first(where: { IdentityKey.all.contains($0.key) }) {
            throw ExecutionError(.identity, "the delta would change \"\(change.key)\", which is identity")
        }
        var removed: [DocumentText] = []
        var merged = self
        for change in changes {
            if case .null = change.value {
                removed.append(change.key)
            } else {
                merged.write(change.key, (self[change.key] ?? .null).merging(change.value))
            }
        }
        merged.remove(removed)
        return try ExecutionDocument(decoding: merged.bytes, limits: limits)
    }

    /// Whether `other` has the same six fields, each with the same value.
    func hasIdentity(of other: ExecutionDocument) -> Bool {
        IdentityKey.all.allSatisfy { self[$0] == other[$0] }
    }
}
