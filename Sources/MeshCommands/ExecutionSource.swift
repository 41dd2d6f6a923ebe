internal import CommandLineArguments
internal import ControlClient
internal import ExecutionDocuments
internal import ExecutionStore
internal import IPLD
internal import MeshAPI

/// Where executions are read from: the files below a folder, or what a daemon knows of the executions of jobs.
protocol ExecutionSource {
    /// All of them, in the order in which they started.
    func log() throws -> ExecutionLog
    /// All of them, and whatever else stands below the one that `text` names or begins to name.
    func log(around text: String) throws -> ExecutionLog
    /// The labels of the snapshots that are here, sorted.
    func labels(_ execution: LoggedExecution) throws -> [SnapshotLabel]
    /// A snapshot, byte for byte.
    func read(_ execution: LoggedExecution, _ label: SnapshotLabel) throws -> ExecutionDocument
}

extension ExecutionStore: ExecutionSource {
    func log(around text: String) throws -> ExecutionLog { try log() }

    func labels(_ execution: LoggedExecution) throws -> [SnapshotLabel] { try labels(execution.uid) }

    func read(_ execution: LoggedExecution, _ label: SnapshotLabel) throws -> ExecutionDocument {
        try read(execution.uid, label)
    }
}

/// The executions of jobs as a daemon's replica has them, on whichever node they ran.
///
/// Used by one thread.
final class DaemonExecutions: ExecutionSource {
    /// The most runs of graphs that are taken apart into passes for one listing.
    private static let expandedMax = 100

    private let client: HTTPControlClient
    /// The passes and triggers of the runs that were taken apart.
    private var passes: [ExecutionUID: AdoptedExecution] = [:]
    /// Runs of graphs that could not be taken apart, and why.
    private(set) var untold: [(run: ExecutionUID, reason: String)] = []

    init(client: HTTPControlClient) { self.client = client }

    private func lines() throws -> [UInt8] { try client.bytes("/v1/executions/log") }

    func log() throws -> ExecutionLog { try ExecutionLog(try lines()) }

    func log(around text: String) throws -> ExecutionLog {
        let lines = try lines()
        let log = try ExecutionLog(lines)
        // One that stands below two that `text` may mean is taken apart once.
        var wanted: [LoggedExecution] = []
        var seen: Set<ExecutionUID> = []
        for one in log where "\(one.uid)".hasPrefix(text) || text.hasPrefix("\(one.uid).") {
            for row in ExecutionTree(log, below: one.uid).rows where wanted.count < Self.expandedMax {
                let run = log[row.position]
                if GraphJobPasses.isGraph(run), seen.insert(run.uid).inserted { wanted.append(run) }
            }
        }
        var added: [UInt8] = []
        for run in wanted {
            for one in passes(of: run) { added += one.lines }
        }
        return try ExecutionLog(lines + added)
    }

    /// The passes of a graph's run that is over; none for any other execution, or where it left no capture.
    ///
    /// What a run left may be elsewhere, or be a liar's: then it is ``untold``, and the others are told all the same.
    func passes(of run: LoggedExecution) -> [AdoptedExecution] {
        guard GraphJobPasses.isGraph(run), run.status.isFinal,
            let end = try? read(run, .end), let capture = end["result"]?["outputs"]?["capture"],
            let code = end["input"]?["code"]
        else { return [] }
        do {
            guard let codeCID = try DataReference(code)?.cid,
                let captureCID = try DataReference(capture)?.cid
            else { return [] }
            let made = try GraphJobPasses(
                of: run.uid, graph: try text(codeCID),
                capture: try (try? text(captureCID))
                    ?? text(of: client.bytes("/v1/jobs/\(Self.job(run.uid))/outputs/capture")))
            for one in made.executions { passes[one.start.uid] = one }
            return made.executions
        } catch {
            untold.append((run.uid, CommandFailure(describing: error).detail.message))
            return []
        }
    }

    private func text(_ cid: CID) throws -> String { try text(of: client.bytes("/v1/blobs/\(cid)")) }

    private func text(of bytes: [UInt8]) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(code: "dataflow.capture", "what a graph's run left is not UTF-8")
        }
        return text
    }

    /// The job of a run.
    static func job(_ run: ExecutionUID) -> Substring { run.description.prefix { $0 != "." } }

    /// A run keeps two snapshots; where it has none here the daemon says why.
    func labels(_ execution: LoggedExecution) throws -> [SnapshotLabel] {
        switch execution.status {
        case .created: []
        case .running: [.start]
        case .completed: [.end, .start]
        // A run that was lost has left no receipt, and so no snapshot that everybody knows.
        case .failed: (try? read(execution, .end)) == nil ? [] : [.end, .start]
        }
    }

    func read(_ execution: LoggedExecution, _ label: SnapshotLabel) throws -> ExecutionDocument {
        guard let pass = passes[execution.uid] else {
            return try ExecutionDocument(
                decoding: try client.bytes("/v1/executions/\(execution.uid)/\(label)"))
        }
        if label == .start { return pass.start }
        if label == .end, let end = pass.end { return end }
        throw CommandFailure(
            code: "execution.missing-snapshot", "the execution \(execution.uid) has no snapshot \(label)",
            hint: "meshctl exec show --labels \(execution.uid)")
    }
}

extension CommandContext {
    /// Says of which runs the passes are not shown.
    func noteUntold(_ source: any ExecutionSource) {
        guard let daemon = source as? DaemonExecutions else { return }
        for (run, reason) in daemon.untold {
            console.message("note: the passes of \(run) are not told: \(reason)".onOneLine)
        }
    }

    /// The files below `--root`, or without it the daemon.
    func executions() throws -> any ExecutionSource {
        guard arguments.text("root") != nil else { return DaemonExecutions(client: try client()) }
        return try CommandEntry.executionStore(self)
    }
}
