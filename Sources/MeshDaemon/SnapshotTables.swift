internal import MEW
internal import MeshEngine
internal import MeshGraph

/// What the system types read for a query that runs on a snapshot.
///
/// What the engine knows was asked of it before (``StoredRows``): the store's map cannot grow while a snapshot
/// is open, so a query that waited for the engine then could wait for itself.
final class SnapshotTables: VirtualTables {
    private let stored: StoredRows
    private let view: GraphView
    private let schema: GraphSchema
    private let watches: () -> [VirtualRow]
    private var conflicts: [VirtualRow]?

    init(
        _ stored: StoredRows, view: GraphView, schema: GraphSchema, watches: @escaping () -> [VirtualRow]
    ) {
        self.stored = stored
        self.view = view
        self.schema = schema
        self.watches = watches
    }

    func rows(
        ofType type: String, where key: (attribute: String, value: GraphValue)?
    ) throws -> [VirtualRow] {
        switch type {
        case "_Watch": return watches()
        case "_Conflict":
            let rows = try conflicts ?? Conflicts.rows(view, schema)
            conflicts = rows
            return rows
        default: return try stored.rows(ofType: type, where: key)
        }
    }
}
