public import MeshGraph

/// One thing that a watch saw.
public struct WatchEvent: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable {
        case initial, added, removed, changed, consumed
        /// Events were lost: the buffer was full.
        case overflow
        /// The last event: the watch has ended.
        case cancelled
    }

    /// The watch's id, `_Watch/key`.
    public let watch: String
    public let kind: Kind
    /// What the values are called; empty for ``Kind/overflow`` and ``Kind/cancelled``.
    public var columns: [String] = []
    /// As long as ``columns``. For ``Kind/removed`` those that were last seen.
    public var values: [ResultValue] = []
    /// The values before, for ``Kind/changed``.
    public var previous: [ResultValue]?
    /// What ACK and NACK name, for ``Kind/consumed``.
    public var delivery: String?
    /// How many changes had been taken in.
    public let tick: Int
    /// How many events are lost, for ``Kind/overflow``.
    public var lost: Int?
    /// Why the watch has ended, for ``Kind/cancelled``; `nil` where somebody asked for it.
    public var reason: Diagnostic?

    init(_ kind: Kind, of watch: String, tick: Int) {
        self.kind = kind
        self.watch = watch
        self.tick = tick
    }
}

/// Something that a watch does to the graph: a transaction for the engine.
///
/// Whoever performs it tells ``WatchHub/finished(_:failure:now:)`` what came of it.
public struct WatchAction: Sendable {
    public let number: UInt64
    /// The id of the watch on whose account it is done.
    public let watch: String
    public let unit: ScriptUnit
    /// The text that the unit came from.
    public let source: [UInt8]
    public let parameters: [String: GraphValue]
    public let bindings: [String: String]
    /// As the kernel, or with the watcher's own authority.
    public let isKernel: Bool
    public let authority: Authority
}
