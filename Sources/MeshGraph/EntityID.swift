internal import MeshCore
public import MeshIdentity

/// What an entity is called everywhere.
///
/// Its text is what people see and write after `#`: `"z6Mk…/12/0"` for one that an operation made,
/// `"Type/key"` for one with an explicit key and for a row of a system type. The order is that of the
/// canonical dump.
public enum EntityID: Hashable, Sendable {
    /// Made by the operation at `index` (see ``OperationIndex``) of the author's anchor `seq`.
    case operation(author: DID, seq: UInt64, index: UInt32)
    /// Named by whoever made it: every author's `key` of one type is the same entity.
    case key(type: String, key: String)

    /// How many bytes of UTF-8 an explicit key may have.
    public static let keyByteCountMax = 256
}

extension EntityID {
    /// Whether two are the same, byte by byte: strings may be equal and differ in their bytes.
    public static func == (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.operation(let author, let seq, let index), .operation(let other, let otherSeq, let otherIndex)):
            author == other && seq == otherSeq && index == otherIndex
        case (.key(let type, let key), .key(let otherType, let otherKey)):
            type.utf8.elementsEqual(otherType.utf8) && key.utf8.elementsEqual(otherKey.utf8)
        case (.operation, .key), (.key, .operation): false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .operation(let author, let seq, let index):
            hasher.combine(author)
            hasher.combine(seq)
            hasher.combine(index)
        case .key(let type, let key):
            // Equal bytes make equal strings.
            hasher.combine(type)
            hasher.combine(key)
        }
    }
}

extension EntityID: CustomStringConvertible {
    public var description: String {
        switch self {
        case .operation(let author, let seq, let index):
            "\(author.description.dropFirst(Self.methodCount))/\(seq)/\(index)"
        case .key(let type, let key): "\(type)/\(key)"
        }
    }

    /// Reads either form; `nil` for a text that is neither.
    public init?(_ text: String) {
        if let id = Self.operation(text) {
            self = id
            return
        }
        let utf8 = text.utf8
        guard let slash = utf8.firstIndex(of: UInt8(ascii: "/")), slash > utf8.startIndex else { return nil }
        let type = text[..<slash]
        let key = text[utf8.index(after: slash)...]
        guard GraphLimits.isName(type.utf8), GraphLimits.isKey(key.utf8) else { return nil }
        self = .key(type: String(type), key: String(key))
    }

    /// The length of `did:key:`.
    private static let methodCount = 8

    private static func operation(_ text: String) -> EntityID? {
        guard text.utf8.count <= 128, text.utf8.first == UInt8(ascii: "z") else { return nil }
        let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let seq = UInt64(parts[1]), let index = UInt32(parts[2]),
            "\(seq)" == parts[1], "\(index)" == parts[2], let author = DID("did:key:" + parts[0])
        else { return nil }
        return .operation(author: author, seq: seq, index: index)
    }
}

extension EntityID: Comparable {
    /// What operations made first, by author, seq and index; then what has a key, by type and key.
    public static func < (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.operation(let author, let seq, let index), .operation(let other, let otherSeq, let otherIndex)):
            if author != other { return author < other }
            return (seq, index) < (otherSeq, otherIndex)
        case (.key(let type, let key), .key(let otherType, let otherKey)):
            if !type.utf8.elementsEqual(otherType.utf8) {
                return type.utf8.lexicographicallyPrecedes(otherType.utf8)
            }
            return key.utf8.lexicographicallyPrecedes(otherKey.utf8)
        case (.operation, .key): return true
        case (.key, .operation): return false
        }
    }
}

/// The place of an operation within an anchor: 8 bits for the entry, 20 for the operation within the change.
public enum OperationIndex {
    /// How many operations one change may have.
    public static let operationCountMax = 1 << 20

    public static func make(entry: Int, operation: Int) -> UInt32 {
        precondition(
            entry >= 0 && entry < 256 && operation >= 0 && operation < operationCountMax,
            "operation \(operation) of entry \(entry)")
        return UInt32(entry) << 20 | UInt32(operation)
    }
}
