internal import MEW
internal import MeshAPI
internal import MeshEngine
internal import MeshGraph
internal import MeshStorage

/// System rows for a query that runs on a snapshot: the engine gives them, a page at a time.
///
/// The engine goes on with its other work between two pages, so a long listing holds nobody up; each row is
/// whole, and rows of different pages may be a moment apart.
final class SnapshotTables: VirtualTables {
    /// How many jobs one page is about.
    private static let pageCount = 256
    /// How many rows of one type a query may read.
    private static let rowCountMax = 1_000_000

    private let ask: (ControlCommand) -> ControlReply?
    private let view: GraphView
    private let schema: GraphSchema
    private let watches: () -> [VirtualRow]
    /// Whole listings: a query meets the same rows however often it asks.
    private var known: [String: [VirtualRow]] = [:]

    init(
        view: GraphView, schema: GraphSchema, watches: @escaping () -> [VirtualRow],
        ask: @escaping (ControlCommand) -> ControlReply?
    ) {
        self.view = view
        self.schema = schema
        self.watches = watches
        self.ask = ask
    }

    func rows(
        ofType type: String, where key: (attribute: String, value: GraphValue)?
    ) throws -> [VirtualRow] {
        if let rows = known[type] { return rows }
        switch type {
        case "_Watch": return watches()
        case "_Conflict":
            let rows = try Conflicts.rows(view, schema)
            known[type] = rows
            return rows
        default: break
        }
        guard SystemRows.types.contains(type) else { return [] }
        var rows: [VirtualRow] = []
        var after: String?
        repeat {
            let reply = ask(.systemRows(type: type, key: key, after: after, limit: Self.pageCount))
            guard case .systemRows(let more, let next)? = reply else {
                throw Diagnostic(.storageFailed, "the node is stopping or too busy to answer")
            }
            rows += more
            after = next
            guard rows.count <= Self.rowCountMax else {
                throw Diagnostic(
                    .workLimit, "there are more than \(Self.rowCountMax) rows of \(type)",
                    hint: "look them up by one of their keys")
            }
        } while after != nil
        if key == nil { known[type] = rows }
        return rows
    }
}
