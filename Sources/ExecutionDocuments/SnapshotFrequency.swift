public import MeshCore

/// A place in an execution where a snapshot may be taken.
public enum SnapshotPoint: Hashable, Sendable {
    /// The outer context has put the inputs together.
    case start
    /// Processing is over.
    case end
    /// The boundary of a step of a pipeline, by the step's name.
    case step(SnapshotLabel)
    /// A significant operation.
    case operation
    /// A point that the protocol has a name for.
    case named(SnapshotLabel)
}

/// How often an execution is snapshotted, beyond start and end, which are always.
///
/// Written in a document as `config.snapshots`: `"ends"`, `"steps"`, `"operations"`, or a list of labels.
public enum SnapshotFrequency: Hashable, Sendable {
    /// Start and end.
    case ends
    /// And every step's boundary.
    case steps
    /// And every significant operation, steps among them.
    case operations
    /// And the points of these names, be they steps or the protocol's own; at most ``namesMax``.
    case named([SnapshotLabel])

    /// The most names that may be asked for.
    public static let namesMax = 256

    /// Reads the frequency that a document's `config` asks for; ``ends`` where it asks for none.
    ///
    /// - Throws: ``ExecutionFailure/badName`` for anything that is no frequency.
    public init(of document: ExecutionDocument) throws(ExecutionError) {
        switch document["config"]?["snapshots"] {
        case .none, .text("ends"): self = .ends
        case .text("steps"): self = .steps
        case .text("operations"): self = .operations
        case .list(let names) where names.count <= Self.namesMax:
            var labels: [SnapshotLabel] = []
            for name in names {
                guard case .text(let text) = name else { throw Self.unknown() }
                labels.append(try SnapshotLabel(text.description))
            }
            self = .named(labels)
        default: throw Self.unknown()
        }
    }

    private static func unknown() -> ExecutionError {
        ExecutionError(
            .badName, "config.snapshots is no snapshot frequency",
            hint: "\"ends\", \"steps\", \"operations\", or a list of at most \(namesMax) labels")
    }

    /// Whether a snapshot is taken at that point.
    public func wants(_ point: SnapshotPoint) -> Bool {
        switch (point, self) {
        case (.start, _), (.end, _): true
        case (.step, .steps), (.step, .operations), (.operation, .operations): true
        case (.named, .operations): true
        case (.step(let label), .named(let labels)), (.named(let label), .named(let labels)):
            labels.contains(label)
        case (.step, .ends), (.operation, _), (.named, .ends), (.named, .steps): false
        }
    }
}

/// Decides at each point of one execution whether a snapshot is taken, and what it is called.
public struct SnapshotPlan: Hashable, Sendable {
    public let frequency: SnapshotFrequency
    /// Operations so far, snapshotted or not.
    public private(set) var operationCount: UInt32 = 0

    public init(_ frequency: SnapshotFrequency) { self.frequency = frequency }

    /// The label of the snapshot to take here, or `nil` for none.
    ///
    /// An operation is called by its sequence number, from 1.
    public mutating func label(at point: SnapshotPoint) -> SnapshotLabel? {
        if case .operation = point { operationCount = operationCount == .max ? .max : operationCount + 1 }
        guard frequency.wants(point) else { return nil }
        switch point {
        case .start: return .start
        case .end: return .end
        case .step(let label), .named(let label): return label
        case .operation: return SnapshotLabel(sequence: operationCount)
        }
    }
}
