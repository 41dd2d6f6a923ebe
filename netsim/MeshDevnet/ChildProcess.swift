public import Foundation
internal import Glibc
internal import Synchronization

/// A program that was started, with its output in a file, and that does not outlive this program.
///
/// A thread of its own waits for its end, so that waiting for it needs no polling.
public final class ChildProcess: @unchecked Sendable {
    // Sendable because `ending` is behind `condition`, and the rest never changes.

    /// How a process ended.
    public enum Ending: Hashable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    public let processID: Int32
    private let condition = NSCondition()
    private var ending: Ending?

    /// Everything that runs, so that it can be ended with this program.
    private static let running = Mutex<Set<pid_t>>([])
    private static let endsWithUs: Void = { _ = atexit { ChildProcess.killAll() } }()

    private static func killAll() {
        for processID in running.withLock({ $0 }) { _ = kill(processID, SIGKILL) }
    }

    /// Starts `program`.
    ///
    /// - Parameters:
    ///   - program: Its path.
    ///   - arguments: The words behind its name.
    ///   - environment: What is added to this program's own environment.
    ///   - hasOwnGroup: Whether Ctrl+C is for this program alone, which then ends its children in order.
    ///   - input: What it reads; `nil`: nothing.
    ///   - output: What its standard output goes to; `nil`: where its errors go.
    ///   - log: The file that its standard error is appended to; `nil`: this program's own.
    /// - Throws: ``DevnetError`` if it cannot be started.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        hasOwnGroup: Bool = true, input: FileHandle? = nil, output: FileHandle? = nil, log: String?
    ) throws(DevnetError) {
        Self.endsWithUs
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input.fileDescriptor, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        if let log {
            unsafe posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, output?.fileDescriptor ?? 2, 1)
        // What this program blocks or ignores is no affair of the child.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        let group = hasOwnGroup ? POSIX_SPAWN_SETPGROUP : 0
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | group))
        let all = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
        let variables = unsafe all.map { unsafe strdup("\($0)=\($1)") } + [nil]
        defer { unsafe (words + variables).forEach { unsafe free($0) } }
        var processID: pid_t = 0
        let status = unsafe posix_spawn(&processID, program, &actions, &attributes, words, variables)
        guard status == 0 else {
            throw DevnetError("\(program) cannot be started: \(unsafe String(cString: strerror(status)))")
        }
        self.processID = processID
        Self.running.withLock { _ = $0.insert(processID) }
        let reaper = Thread { [self] in reap() }
        reaper.name = "reaper"
        reaper.stackSize = 128 << 10
        reaper.start()
    }

    private func reap() {
        var status: Int32 = 0
        while unsafe waitpid(processID, &status, 0) < 0, errno == EINTR {}
        condition.withLock {
            Self.running.withLock { _ = $0.remove(processID) }
            ending = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
            condition.broadcast()
        }
    }

    /// How it ended, if it has.
    public var hasEnded: Ending? { condition.withLock { ending } }

    /// Sends a signal, unless it has ended.
    public func signal(_ number: Int32) {
        condition.withLock { if ending == nil { _ = kill(processID, number) } }
    }

    /// Waits for its end, at most `seconds`.
    ///
    /// - Returns: `nil` when it still runs.
    public func wait(_ seconds: Double) -> Ending? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        return condition.withLock {
            while ending == nil, condition.wait(until: deadline) {}
            return ending
        }
    }
}
