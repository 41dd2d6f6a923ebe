internal import MEW
internal import MeshAPI
internal import MeshCore
internal import MeshEngine
internal import MeshGraph
internal import MeshStorage

/// What the watches need of the daemon around them.
struct GraphWatchHost: Sendable {
    /// The DID that whoever comes through the control socket acts as.
    let actor: String
    /// Runs its body on a snapshot of what was last committed; short, and never one within another.
    let snapshot: @Sendable (_ body: (any StorageReader) throws -> Void) throws -> Void
    /// Asks the engine and waits; never while a snapshot is open, which may keep the engine from committing.
    let ask: @Sendable (ControlCommand) -> ControlReply?
    let now: @Sendable () -> Timestamp
    let warn: @Sendable (String) -> Void
}

/// The engine's rows, which were read before the watches are judged, and those that are made when they are asked for.
final class WatchedRows: VirtualTables {
    private var rows: [String: [VirtualRow]]
    private let make: (String) throws -> [VirtualRow]

    init(_ rows: [String: [VirtualRow]], make: @escaping (String) throws -> [VirtualRow]) {
        self.rows = rows
        self.make = make
    }

    func rows(
        ofType type: String, where key: (attribute: String, value: GraphValue)?
    ) throws -> [VirtualRow] {
        if let known = rows[type] { return known }
        let made = try make(type)
        rows[type] = made
        return made
    }
}

extension GraphWatchEvent {
    init(_ event: WatchEvent) {
        func columns(_ values: [ResultValue]) -> [String: JSONValue] {
            Dictionary(
                zip(event.columns, values.map { JSONValue($0) }), uniquingKeysWith: { first, _ in first })
        }
        self.init(
            watch: event.watch, type: event.kind.rawValue, match: columns(event.values),
            prev: event.previous.map(columns), deliveryID: event.delivery, tick: event.tick, lost: event.lost,
            reason: event.reason.map { "\($0.code.rawValue): \($0.message)" })
    }
}
