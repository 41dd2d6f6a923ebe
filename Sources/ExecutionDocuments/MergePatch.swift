extension DocumentValue {
    /// The value after a JSON merge patch (RFC 7396): null removes, an object reaches into an object, and
    /// anything else replaces.
    ///
    /// Members that stay keep their order, and new ones follow in the patch's. Recursion ends with the depth of
    /// the patch, which a reader has bounded.
    public func merging(_ patch: DocumentValue) -> DocumentValue {
        guard case .object(let changes) = patch else { return patch }
        var members: [DocumentMember] = []
        if case .object(let own) = self { members = own }
        var positions: [DocumentText: Int] = [:]
        for (position, member) in members.enumerated() { positions[member.key] = position }
        var removed: Set<Int> = []
        for change in changes {
            let position = positions[change.key]
            if case .null = change.value {
                if let position { removed.insert(position) }
            } else if let position {
                members[position].value = members[position].value.merging(change.value)
            } else {
                members.append(DocumentMember(change.key, DocumentValue.null.merging(change.value)))
            }
        }
        guard !removed.isEmpty else { return .object(members) }
        return .object(members.enumerated().filter { !removed.contains($0.offset) }.map(\.element))
    }
}
