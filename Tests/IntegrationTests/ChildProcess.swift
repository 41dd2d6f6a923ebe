import Foundation
import Glibc
import Synchronization

/// How a process ended.
enum Ending: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
}

/// Something that the harness itself could not do or wait for.
struct HarnessError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A program that was started with its streams in files, and that does not outlive the tests.
///
/// A thread of its own waits for its end, so that waiting for it needs no polling.
final class ChildProcess: @unchecked Sendable {
    // Sendable because `ending` is behind `condition`.

    let processID: pid_t
    private let condition = NSCondition()
    private var ending: Ending?

    /// Everything that runs, so that it can be ended with the test program.
    private static let running = Mutex<Set<pid_t>>([])
    private static let endsWithUs: Void = {
        _ = atexit { ChildProcess.killAll() }
    }()

    private static func killAll() {
        for processID in running.withLock({ $0 }) { _ = kill(processID, SIGKILL) }
    }

    /// Starts `program`.
    ///
    /// - Parameters:
    ///   - program: Its path.
    ///   - arguments: The words behind its name.
    ///   - environment: What is added to this program's own environment.
    ///   - input: The file that it reads as its standard input.
    ///   - output: The file that its standard output is appended to.
    ///   - errors: The file that its standard error is appended to.
    /// - Throws: ``HarnessError`` if it cannot be started.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        input: String = "/dev/null", output: String, errors: String
    ) throws {
        Self.endsWithUs
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // Other tests of this program ignore SIGPIPE, and a child would inherit that.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var merged = ProcessInfo.processInfo.environment
        merged.merge(environment) { _, new in new }
        let words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
        let variables = unsafe merged.map { unsafe strdup("\($0)=\($1)") } + [nil]
        defer { unsafe (words + variables).forEach { unsafe free($0) } }
        var processID: pid_t = 0
        let status = unsafe posix_spawn(&processID, program, &actions, &attributes, words, variables)
        guard status == 0 else {
            throw HarnessError("\(program) cannot be started: \(unsafe String(cString: strerror(status)))")
        }
        self.processID = processID
        Self.running.withLock { _ = $0.insert(processID) }
        let reaper = Thread { [self] in reap() }
        reaper.name = "reaper-\(processID)"
        reaper.start()
    }

    private func reap() {
        var status: Int32 = 0
        while unsafe waitpid(processID, &status, 0) < 0, errno == EINTR {}
        Self.running.withLock { _ = $0.remove(processID) }
        condition.withLock {
            ending = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
            condition.broadcast()
        }
    }

    /// How it ended, if it has.
    var hasEnded: Ending? { condition.withLock { ending } }

    /// Sends a signal, unless it has ended.
    func signal(_ number: Int32) {
        condition.withLock { if ending == nil { _ = kill(processID, number) } }
    }

    /// Waits for its end; it is killed when that does not come in time.
    func wait(_ seconds: Double = 30) throws -> Ending {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while ending == nil {
            guard condition.wait(until: deadline) else {
                _ = kill(processID, SIGKILL)
                throw HarnessError("process \(processID) had not ended after \(seconds) s, and was killed")
            }
        }
        guard let ending else { throw HarnessError("process \(processID) ended without a status") }
        return ending
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
