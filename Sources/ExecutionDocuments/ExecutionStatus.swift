public import MeshCore

/// How far an execution has come: created → running → completed | failed.
public enum ExecutionStatus: String, Hashable, Sendable, CaseIterable {
    case created
    case running
    case completed
    case failed

    /// - Throws: ``ExecutionFailure/badStatus``.
    public init(_ text: String) throws(ExecutionError) {
        guard let status = Self(rawValue: text) else {
            throw ExecutionError(
                .badStatus, "\"\(text.prefix(40))\" is no status",
                hint: "created, running, completed or failed")
        }
        self = status
    }

    /// Whether nothing follows it.
    public var isFinal: Bool { self == .completed || self == .failed }

    /// Whether `next` may follow.
    public func allows(_ next: Self) -> Bool {
        switch (self, next) {
        case (.created, .running), (.running, .completed), (.running, .failed): true
        default: false
        }
    }

    /// - Throws: ``ExecutionFailure/badTransition`` where ``allows(_:)`` is false.
    public func check(_ next: Self) throws(ExecutionError) {
        guard allows(next) else {
            throw ExecutionError(
                .badTransition, "an execution that is \(rawValue) cannot become \(next.rawValue)")
        }
    }
}
