public import MeshGraph
internal import MEW

/// Rows of system types that have been read for a program, which is run again when it turns out to need more.
///
/// So nobody asks the engine while a transaction of the store is open: a program that misses rows fails with
/// ``missing`` set, is taken back like any that fails, and runs once more when they are here.
public final class StoredRows: VirtualTables {
    /// All rows of a type, or those that are found by one of its keys.
    public struct Key: Hashable, Sendable {
        public let type: String
        /// `nil` for all rows.
        public private(set) var attribute: String?
        public private(set) var value = GraphValue.null

        init(_ type: String, _ key: (attribute: String, value: GraphValue)? = nil) {
            self.type = type
            guard let key, NodeEngine.isSystemKey(key.attribute) else { return }
            attribute = key.attribute
            value = key.value
        }

        /// The attribute and its value, as the engine is asked for them.
        public var lookUp: (attribute: String, value: GraphValue)? { attribute.map { ($0, value) } }
    }

    /// How many look-ups by key are made before a type is read whole.
    public static let keyCountMax = 16

    private var rows: [Key: [VirtualRow]] = [:]
    /// What was asked for and is not here.
    public private(set) var missing: Key?

    public init() {}

    /// Whether something is missing; forgets it.
    public func takeMissing() -> Key? {
        defer { missing = nil }
        guard let missing else { return nil }
        // Many look-ups cost more than one listing.
        return rows.count < Self.keyCountMax ? missing : Key(missing.type)
    }

    /// Keeps what was missing.
    public func supply(_ found: [VirtualRow], for key: Key) { rows[key] = found }

    public func rows(
        ofType type: String, where key: (attribute: String, value: GraphValue)?
    ) throws -> [VirtualRow] {
        guard type == "_Conflict" || SystemRows.types.contains(type) else { return [] }
        if let all = rows[Key(type)] { return all }
        let wanted = Key(type, key)
        if let some = rows[wanted] { return some }
        missing = wanted
        throw Diagnostic(.storageFailed, "the rows of \(type) are not read yet")
    }
}
