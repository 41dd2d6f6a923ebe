/// One difference between two documents, at a JSON pointer (RFC 6901) such as `/result/rows/0`.
public struct DocumentChange: Hashable, Sendable {
    public let path: String
    /// What stood there; `nil` where it was added.
    public let before: DocumentValue?
    /// What stands there now; `nil` where it was removed.
    public let after: DocumentValue?
}

/// The differences between two documents: what was added, removed and changed, with both values.
///
/// Members are compared by key and elements by place. Numbers are compared by their spelling, so that 1 and 1.0
/// differ. Order: as the paths stand in the first document, then what only the second has.
public struct ChangeRecord: Hashable, Sendable {
    public private(set) var changes: [DocumentChange] = []

    public var added: [DocumentChange] { changes.filter { $0.before == nil } }
    public var removed: [DocumentChange] { changes.filter { $0.after == nil } }
    public var changed: [DocumentChange] { changes.filter { $0.before != nil && $0.after != nil } }

    /// What leads from `before` to `after`.
    public init(from before: DocumentValue, to after: DocumentValue) {
        compare(before, after, at: "")
    }

    /// What leads from one document to another, such as from `start` to `end`.
    public init(from before: ExecutionDocument, to after: ExecutionDocument) {
        self.init(from: before.value, to: after.value)
    }

    /// The record as JSON: `{"added": {path: value}, "removed": {path: value}, "changed": {path: [before, after]}}`.
    public var value: DocumentValue {
        func members(_ list: [DocumentChange], _ value: (DocumentChange) -> DocumentValue) -> DocumentValue {
            .object(list.map { DocumentMember(DocumentText($0.path), value($0)) })
        }
        return .object([
            DocumentMember("added", members(added) { $0.after ?? .null }),
            DocumentMember("removed", members(removed) { $0.before ?? .null }),
            DocumentMember("changed", members(changed) { .list([$0.before ?? .null, $0.after ?? .null]) }),
        ])
    }

    private mutating func compare(_ before: DocumentValue, _ after: DocumentValue, at path: String) {
        switch (before, after) {
        case (.object(let old), .object(let new)):
            var there: [DocumentText: DocumentValue] = [:]
            for member in new { there[member.key] = member.value }
            for member in old {
                let path = path + "/" + Self.escaped(member.key)
                if let value = there.removeValue(forKey: member.key) {
                    compare(member.value, value, at: path)
                } else {
                    changes.append(DocumentChange(path: path, before: member.value, after: nil))
                }
            }
            for member in new where there[member.key] != nil {
                changes.append(
                    DocumentChange(
                        path: path + "/" + Self.escaped(member.key), before: nil, after: member.value))
            }
        case (.list(let old), .list(let new)):
            for index in 0..<max(old.count, new.count) {
                let path = "\(path)/\(index)"
                if index >= new.count {
                    changes.append(DocumentChange(path: path, before: old[index], after: nil))
                } else if index >= old.count {
                    changes.append(DocumentChange(path: path, before: nil, after: new[index]))
                } else {
                    compare(old[index], new[index], at: path)
                }
            }
        default:
            if before != after {
                changes.append(DocumentChange(path: path, before: before, after: after))
            }
        }
    }

    private static func escaped(_ key: DocumentText) -> String {
        var text = ""
        for scalar in key.description.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
