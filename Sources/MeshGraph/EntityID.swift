public import MeshIdentity
internal import MeshCore

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

/// The place of an operation within an anchor: 8 bits for the entry, 20 for the operation within the change.
public enum OperationIndex {
    /// How many operations one change may have.
    public static let operationCountMax = 1 << 20

    public static func make(entry: Int, operation: Int) -> UInt32 {
        precondition(entry < 256 && operation < operationCountMax, "operation \(operation) of entry \(entry)")
        return UInt32(entry) << 20 | UInt32(operation)
    }
}
