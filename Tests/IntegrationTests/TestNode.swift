import ControlClient
import Foundation
import MeshDevnet
import Glibc
import MeshAPI
import MeshCrypto
import MeshIdentity

/// One node of a cluster: a folder, a key, a configuration and, while it runs, a daemon.
final class TestNode {
    let name: String
    let directory: String
    let did: String
    private(set) var process: ChildProcess?
    /// Where it listens, from its latest start.
    private(set) var address = ""

    var socketPath: String { directory + "/meshd.sock" }
    var configurationPath: String { directory + "/meshd.json5" }
    var identityPath: String { directory + "/identity.pem" }
    var logPath: String { directory + "/log" }
    var log: String {
        FileManager.default.contents(atPath: logPath).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Makes the folder and the key.
    init(name: String, directory: String) throws {
        self.name = name
        self.directory = directory
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let made = try Programs.run(
            Programs.meshctl, ["identity", "create", "--out", directory + "/identity.pem"])
        guard made.status == 0, let did = made.lines.first(where: { $0.hasPrefix("did:key:") }) else {
            throw HarnessError("identity create: \(made)")
        }
        self.did = did
    }

    /// Its key.
    func identity() throws -> Identity {
        let data = FileManager.default.contents(atPath: identityPath) ?? Data()
        return Identity(try Ed25519PrivateKey(pem: String(decoding: data, as: UTF8.self)))
    }

    // MARK: Configuring

    /// Writes the configuration with `meshd init` and then `settings`, lines of JSON5, into it.
    func configure(flags: [String], settings: String = "") throws {
        let made = try Programs.run(
            Programs.meshd,
            ["init", "--name", name, "--data", directory, "--listen", "127.0.0.1:0"] + flags)
        guard made.status == 0, made.output == did + "\n" else { throw HarnessError("meshd init: \(made)") }
        if !settings.isEmpty { try edit { $0.replacing("    labels: {},\n", with: settings + "\n") } }
    }

    /// Changes the text of the configuration.
    func edit(_ change: (String) -> String) throws {
        let text = try String(contentsOfFile: configurationPath, encoding: .utf8)
        let changed = change(text)
        guard changed != text else { throw HarnessError("the change did not change the configuration") }
        try changed.write(toFile: configurationPath, atomically: true, encoding: .utf8)
    }

    // MARK: Running

    /// Starts the daemon and waits until it answers.
    ///
    /// - Parameters:
    ///   - flags: What follows `--config FILE`.
    ///   - shellPrefix: A shell command that comes before the daemon in the same process, such as `ulimit`.
    /// - Throws: ``HarnessError`` with the end of its log if it ends instead.
    func start(_ flags: [String] = [], shellPrefix: String? = nil) throws {
        try spawn(flags, shellPrefix: shellPrefix)
        try awaitReady()
    }

    /// Starts the daemon without waiting for anything.
    func spawn(_ flags: [String] = [], shellPrefix: String? = nil) throws {
        guard process?.hasEnded != nil || process == nil else { throw HarnessError("\(name) runs already") }
        let words = ["--config", configurationPath] + flags
        let environment = ["MESH_WASMTIME_LIBRARY": Programs.libraryPath]
        if let shellPrefix {
            process = try ChildProcess(
                "/bin/bash", ["-c", "\(shellPrefix); exec \"$0\" \"$@\"", Programs.meshd] + words,
                environment: environment, hasOwnGroup: false, log: logPath)
        } else {
            process = try ChildProcess(
                Programs.meshd, words, environment: environment, hasOwnGroup: false, log: logPath)
        }
    }

    /// Waits until the daemon answers on its control socket.
    func awaitReady() throws {
        let client = try client()
        address = try eventually("\(name) does not answer") {
            if let ending = process?.hasEnded {
                throw HarnessError("\(name) ended: \(ending)\n\(log.suffix(2000))")
            }
            let status: NodeStatusView? = try? client.get("/v1/node", timeout: .seconds(10))
            return status?.listenAddress
        }
    }

    /// Ends the daemon as a power failure would.
    func kill() throws {
        process?.signal(SIGKILL)
        _ = try process?.ended()
        process = nil
    }

    /// Asks the daemon to stop, and says how it ended.
    @discardableResult
    func stop() throws -> ChildProcess.Ending? {
        process?.signal(SIGTERM)
        defer { process = nil }
        return try process?.ended()
    }

    // MARK: Asking

    /// A new client, so that two can wait at the same time.
    func client() throws -> HTTPControlClient { try HTTPControlClient(socketPath: socketPath) }

    /// Runs `meshctl` against this node.
    func ctl(_ words: String..., input: [UInt8] = [], seconds: Double = 90) throws -> Ran {
        try ctl(words: words, input: input, seconds: seconds)
    }

    func ctl(words: [String], input: [UInt8] = [], seconds: Double = 90) throws -> Ran {
        try Programs.run(
            Programs.meshctl, words, environment: ["MESHCTL_SOCKET": socketPath], input: input,
            seconds: seconds)
    }

    func status() throws -> NodeStatusView { try client().get("/v1/node") }
    func heads() throws -> [HeadView] { try client().get("/v1/dag/heads") }
    func jobs() throws -> [JobStatusView] { try client().get("/v1/jobs", query: ["limit": "10000"]) }

    /// This node's own head as it sees it.
    func ownHead() throws -> HeadView? { try heads().first { $0.did == did } }

    /// Stores bytes and returns their CID.
    func upload(_ bytes: [UInt8]) throws -> String {
        let blob: BlobView = try client().post("/v1/blobs", bytes: bytes)
        return blob.cid
    }

    func submit(_ request: SubmitRequest) throws -> String {
        let answer: SubmitResponse = try client().post("/v1/jobs", request)
        return answer.jobID
    }

    /// Waits by long polls until `condition` holds for a job.
    func job(
        _ id: String, within seconds: Double = 60, until condition: (JobStatusView) -> Bool
    ) throws -> JobStatusView {
        let deadline = Date(timeIntervalSinceNow: seconds)
        let client = try client()
        var job: JobStatusView = try client.get("/v1/jobs/\(id)")
        while !condition(job) {
            guard Date() < deadline else {
                throw HarnessError("job \(id) is \(job.status)/\(job.verification.state) after \(seconds) s")
            }
            job = try client.get(
                "/v1/jobs/\(id)",
                query: ["wait": "500", "after": job.pollState])
        }
        return job
    }

    /// The daemon's worker processes.
    func workers() -> [pid_t] {
        guard let process else { return [] }
        let threads =
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processID)/task")) ?? []
        return threads.flatMap { thread -> [pid_t] in
            let path = "/proc/\(process.processID)/task/\(thread)/children"
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            return text.split(separator: " ").compactMap { pid_t($0) }
        }
    }

    /// What the daemon keeps in memory, in bytes.
    func residentBytes() throws -> Int {
        let path = "/proc/\(process?.processID ?? 0)/status"
        let line = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            .first { $0.hasPrefix("VmRSS:") }
        guard let kibibytes = line?.split(separator: " ").compactMap({ Int($0) }).first else {
            throw HarnessError("\(path) has no VmRSS")
        }
        return kibibytes * 1024
    }
}

extension JobStatusView {
    /// What a long poll names as the state that it knows.
    var pollState: String { "\(status)/\(verification.state)" }

    /// Whether the job has ended.
    var hasEnded: Bool { ["Completed", "Failed", "Cancelled", "Expired"].contains(settledStatus) }
}
