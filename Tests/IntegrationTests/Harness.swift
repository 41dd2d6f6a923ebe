import Foundation
import Glibc
import MeshDevnet

/// Something that the harness itself could not do or wait for.
struct HarnessError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension ChildProcess {
    /// Waits for its end; it is killed when that does not come in time.
    func ended(within seconds: Double = 30) throws -> Ending {
        if let ending = wait(seconds) { return ending }
        signal(SIGKILL)
        throw HarnessError("process \(processID) had not ended after \(seconds) s, and was killed")
    }
}

/// Asks until there is an answer, which must come within `seconds`.
///
/// For what the control API has no long poll for; between two looks the thread rests for a moment.
func eventually<Value>(
    _ what: @autoclosure () -> String, within seconds: Double = 30, _ look: () throws -> Value?
) throws -> Value {
    let deadline = Date(timeIntervalSinceNow: seconds)
    let pause = NSCondition()
    while true {
        if let value = try look() { return value }
        guard Date() < deadline else { throw HarnessError("\(what()): not within \(seconds) s") }
        pause.withLock { _ = pause.wait(until: Date(timeIntervalSinceNow: 0.02)) }
    }
}
