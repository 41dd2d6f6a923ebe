/// An event: a value whose wiring is restricted, and which carries nothing but what happened.
///
/// The first two are what triggers give, the others are what became of an action.
public enum FlowEvent: UInt8, Sendable, Hashable, CaseIterable {
    case notEmitted = 0
    case emitted = 1
    /// Handed to the outside, whose answer is not known.
    case attempted = 2
    case filled = 3
    case rejected = 4
    /// Never begun, because an action before it in the same pass failed.
    case cancelled = 5
    case failed = 6
    /// Not begun, because one of the action's events was not emitted.
    case skipped = 7

    /// The name in documents, such as `not_emitted`.
    public var name: String {
        switch self {
        case .notEmitted: "not_emitted"
        case .emitted: "emitted"
        case .attempted: "attempted"
        case .filled: "filled"
        case .rejected: "rejected"
        case .cancelled: "cancelled"
        case .failed: "failed"
        case .skipped: "skipped"
        }
    }

    /// The event of that name, or `nil`.
    public init?(name: String) {
        guard let event = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = event
    }

    /// Whether this is what became of an action, and not what a trigger gives.
    public var isOutcome: Bool { rawValue >= 2 }
}
