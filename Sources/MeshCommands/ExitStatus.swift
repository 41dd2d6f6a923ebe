internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI
internal import MeshCore

/// How `meshctl` ends; scripts rely on the numbers.
public enum ExitStatus: Int32, Sendable, Hashable, CaseIterable {
    case done = 0
    case error = 1
    /// There was no acceptable bid.
    case notPlaced = 2
    case jobFailed = 3
    case verificationFailed = 4
    case timedOut = 5
    case usage = 64
}

/// A command that cannot go on, with what to tell the user.
public struct CommandFailure: Error, Sendable {
    let status: ExitStatus
    let detail: APIErrorDetail

    init(
        _ status: ExitStatus = .error, code: String, _ message: String, hint: String? = nil,
        retryable: Bool = false
    ) {
        self.status = status
        detail = APIErrorDetail(code: code, message: message, hint: hint, retryable: retryable)
    }

    init(_ detail: APIErrorDetail) {
        status = .error
        self.detail = detail
    }

    /// Whatever a command throws, as something to print.
    init(describing error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let refusal as ControlRefusal: self.init(refusal.error)
        case let error as ControlClientError:
            self.init(
                error.code == .timedOut ? .timedOut : .error, code: error.code.rawValue, error.message,
                hint: error.hint, retryable: error.code != .malformed)
        case let error as UsageError:
            self.init(.usage, code: "usage", error.message, hint: error.hint)
        default:
            self.init(code: "error", String(describing: error))
        }
    }
}
