internal import IPLD
public import MeshCore

/// Something from outside on which a pass may follow.
public struct ExternalEvent: Sendable, Hashable {
    /// What happened.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case tick
        case dataAvailable = "data_available"
        case command
    }

    /// Unique within a capture; what is received twice is skipped.
    public let id: String
    public let time: Timestamp
    public let kind: Kind
    /// Text of the one who sent it; the graph does not see it.
    public let payload: String

    public init(id: String, time: Timestamp, kind: Kind, payload: String = "") {
        self.id = id
        self.time = time
        self.kind = kind
        self.payload = payload
    }

    /// The longest payload and id, in bytes.
    public static let payloadMax = 1 << 20
    public static let idMax = 256

    /// The SHA-256 of the payload, in hexadecimal.
    public var payloadHash: String {
        Hexadecimal.encode(CID(of: Array(payload.utf8), codec: .raw).digest.bytes)
    }
}

/// What the orchestrator decided about an event.
public struct Decision: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A pass begins now.
        case invoke
        /// No pass follows on this event.
        case skip
        /// A pass may follow later.
        case `defer`
    }

    public let eventID: String
    public let kind: Kind
    /// When the event is looked at again, where a window decides.
    public let scheduleAt: Timestamp?
    /// The attempt that an invocation begins; each has a number of its own.
    public let episode: Int?
    public let deadline: Timestamp?
    /// How many attempts on this event came before.
    public let retryCount: Int
    /// How the attempt ended; `nil` while it has not.
    public internal(set) var termination: RunTermination?
}

/// How an attempt ended.
public enum RunTermination: Sendable, Hashable, CustomStringConvertible {
    case completed
    case timedOut
    /// The lifecycle ended while it was under way.
    case aborted
    case failed(ErrorClass)

    /// Whether another attempt may end better.
    public var isRetried: Bool {
        switch self {
        case .timedOut: true
        case .failed(let errorClass): errorClass.isRetried
        case .completed, .aborted: false
        }
    }

    /// `completed`, `timed_out`, `aborted` or `failed:` and the class.
    public var description: String {
        switch self {
        case .completed: "completed"
        case .timedOut: "timed_out"
        case .aborted: "aborted"
        case .failed(let errorClass): "failed:\(errorClass.rawValue)"
        }
    }

    /// Reads ``description``.
    public init?(_ text: String) {
        switch text {
        case "completed": self = .completed
        case "timed_out": self = .timedOut
        case "aborted": self = .aborted
        default:
            guard text.hasPrefix("failed:"), let found = ErrorClass(rawValue: String(text.dropFirst(7)))
            else {
                return nil
            }
            self = .failed(found)
        }
    }
}
