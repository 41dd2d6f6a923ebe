public import MeshCore

/// A value of an attribute, or of an expression over the graph.
///
/// Attributes hold every case but ``entity(_:)``; a float in an attribute is finite.
public enum GraphValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case float(Double)
    case string(String)
    /// Milliseconds since 1970-01-01T00:00:00Z.
    case timestamp(Int64)
    /// Milliseconds.
    case duration(Int64)
    /// A SHA-256 digest.
    case hash(Bytes32)
    case bytes([UInt8])
    /// A node or an edge, as this replica numbers it.
    case entity(LocalID)
    case list([GraphValue])

    public var isNull: Bool { if case .null = self { true } else { false } }
}
