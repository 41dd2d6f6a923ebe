internal import ControlClient
internal import Foundation
internal import IdentityFiles
internal import MeshAPI
internal import MeshCore
internal import MeshCrypto
internal import Synchronization

/// One node of a ``Devnet``: a folder, a key, a configuration and, while it runs, a daemon.
public final class DevnetNode: Sendable {
    public let index: Int
    public let name: String
    public let did: String
    public let directory: String
    /// What it does wrong on purpose, as `meshd --misbehave` calls it.
    public let misbehaviour: String?

    private struct State {
        var process: ChildProcess?
        var isPaused = false
        var listening = ""
    }

    private let state = Mutex(State())

    public var socketPath: String { directory + "/meshd.sock" }
    var configurationPath: String { directory + "/meshd.json5" }
    public var logPath: String { directory + "/log" }

    /// Makes the folder and the key.
    init(index: Int, name: String, directory: String, misbehaviour: String?) throws(DevnetError) {
        self.index = index
        self.name = name
        self.directory = directory
        self.misbehaviour = misbehaviour
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            did = IdentityFile.did(of: try IdentityFile.create(directory + "/identity.pem"))
        } catch {
            throw DevnetError("\(directory): \(error)")
        }
    }

    // MARK: Running

    /// Where it listens, since it answered last.
    public var listeningAddress: String { state.withLock { $0.listening } }
    public var isRunning: Bool { state.withLock { $0.process.map { $0.hasEnded == nil } ?? false } }
    public var isPaused: Bool { state.withLock { $0.isPaused } }
    /// `nil` when no daemon runs.
    public var processID: Int32? { state.withLock { $0.process?.processID } }

    /// Starts the daemon without waiting for anything; does nothing when it runs.
    func spawn(_ program: String, flags: [String] = []) throws(DevnetError) {
        guard !isRunning else { return }
        var words = ["--config", configurationPath] + flags
        if let misbehaviour { words += ["--misbehave", misbehaviour, "--i-am-testing"] }
        let process = try ChildProcess(program, words, log: logPath)
        state.withLock {
            $0.process = process
            $0.isPaused = false
        }
    }

    /// Waits until the daemon answers.
    func awaitReady(seconds: Double = 30) throws(DevnetError) {
        let status: NodeStatusView = try poll("/v1/node", within: seconds) { !$0.listenAddress.isEmpty }
        state.withLock { $0.listening = status.listenAddress }
    }

    /// Ends the daemon as a power failure would: `kill -9`.
    public func crash() { end(SIGKILL) }

    /// As ``crash()``, without waiting for the end.
    public func kill() { state.withLock { $0.process }?.signal(SIGKILL) }

    /// Lets the daemon stop cleanly.
    public func stop() { end(SIGTERM) }

    private func end(_ signal: Int32) {
        guard let process = state.withLock({ $0.process }) else { return }
        // One that is stopped sees no signal but the last.
        if isPaused { process.signal(SIGCONT) }
        process.signal(signal)
        if process.wait(10) == nil {
            process.signal(SIGKILL)
            _ = process.wait(10)
        }
        state.withLock { $0.process = nil }
    }

    /// Begins the end, for many nodes at once; ``stop()`` waits for it.
    func beginStop() {
        let process = state.withLock { $0.process }
        process?.signal(SIGCONT)
        process?.signal(SIGTERM)
    }

    /// Stops the daemon where it stands, as a machine that hangs would: `SIGSTOP`.
    public func pause() {
        state.withLock { state in
            state.process?.signal(SIGSTOP)
            state.isPaused = state.process != nil
        }
    }

    /// Lets it go on.
    public func resume() {
        state.withLock { state in
            state.process?.signal(SIGCONT)
            state.isPaused = false
        }
    }

    // MARK: Asking

    /// Asks the control API again and again until `condition` holds.
    ///
    /// - Throws: ``DevnetError`` when that takes too long or the daemon ends.
    public func poll<Value: Decodable>(
        _ path: String, within seconds: Double = 30, until condition: (Value) -> Bool
    ) throws(DevnetError) -> Value {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if let process = state.withLock({ $0.process }), let ending = process.hasEnded {
                throw DevnetError("\(name) ended: \(ending)\n\(logEnd)")
            }
            if let client = try? HTTPControlClient(socketPath: socketPath),
                let value: Value = try? client.get(path, timeout: .seconds(10)), condition(value)
            {
                return value
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
        throw DevnetError("\(path) of \(name) was not as awaited within \(Int(seconds)) s")
    }

    /// The last of what the daemon logged.
    public var logEnd: String {
        let data = FileManager.default.contents(atPath: logPath) ?? Data()
        return String(decoding: data.suffix(2_000), as: UTF8.self)
    }
}
