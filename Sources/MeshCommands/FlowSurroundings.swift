internal import CommandLineArguments
internal import ControlClient
internal import Dataflow
internal import FoundationEssentials
internal import Glibc
internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshRuntime
internal import Synchronization
internal import WasmRuntime

/// What a graph's adapter nodes stand for, as the command line has it: files below one folder, the daemon, and a
/// worker of its own for modules.
final class FlowSurroundings: Sendable {
    let context: CommandContext
    private let root: String
    let webhooks: FlowWebhooks
    private let runtime = Mutex<LocalRuntime?>(nil)

    static let fileByteCountMax = 16 << 20

    init(_ context: CommandContext, root: String, webhooks: [WebhookURL] = []) {
        self.context = context
        self.root = root
        self.webhooks = FlowWebhooks(webhooks)
    }

    // MARK: Sources

    /// Reads one adapter source.
    func read(_ request: AdapterRequest) -> Reading {
        do {
            switch request.primitive.id {
            case "file": return Reading(node: request.node, try readFile(request.text("path") ?? ""))
            case "blob":
                let bytes = try context.client().bytes("/v1/blobs/\(request.text("cid") ?? "")")
                return Reading(node: request.node, SourceValues.values(of: bytes))
            case "graph_query":
                return Reading(
                    node: request.node,
                    try query(request.text("query") ?? "", column: request.text("column") ?? ""))
            default: throw Self.unknown(request)
            }
        } catch {
            return Reading(node: request.node, .failure(Self.failure(error)))
        }
    }

    private func readFile(_ path: String) throws -> [PortValue] {
        let place = try self.place(path)
        guard FileManager.default.fileExists(atPath: place) else {
            return SourceValues.values(of: []) + [PortValue("exists", .bool(false))]
        }
        guard let data = FileManager.default.contents(atPath: place) else {
            throw PrimitiveFailure(.runtimeError, "cannot read \(path)")
        }
        guard data.count <= Self.fileByteCountMax else {
            throw PrimitiveFailure(
                .validationFailed, "\(path) is larger than \(Self.fileByteCountMax) bytes")
        }
        return SourceValues.values(of: Array(data)) + [PortValue("exists", .bool(true))]
    }

    private func query(_ text: String, column name: String) throws -> [PortValue] {
        let response: GraphResponse = try context.client().post(
            "/v1/graph", GraphRequest(source: text, dryRun: true, name: "query"))
        guard let result = response.results.last else {
            throw PrimitiveFailure(.validationFailed, "the query gives nothing")
        }
        let column = name.isEmpty ? 0 : result.columns.firstIndex(of: name)
        guard let column, column < max(1, result.columns.count) else {
            throw PrimitiveFailure(.validationFailed, "the query gives no column \(name)")
        }
        let cells = result.rows.compactMap { column < $0.count ? $0[column] : nil }
        let numbers = cells.compactMap { cell -> Double? in
            switch cell {
            case .integer(let value): Double(value)
            case .number(let value): value
            default: nil
            }
        }
        var first = ""
        if case .text(let text)? = cells.first { first = text }
        return [
            PortValue("rows", .number(Double(result.rows.count))),
            PortValue("value", .number(numbers.first ?? 0)), PortValue("column", .series(numbers)),
            PortValue("text", .string(first)), PortValue("found", .bool(!result.rows.isEmpty)),
        ]
    }

    // MARK: Computes

    /// Runs a module: its standard input is `{"numbers":[…],"series":[…],"flag":…}`, its output a number, or
    /// `{"result":…,"series":[…]}`.
    var compute: AdapterFunction {
        { [self] request, inputs in
            do {
                return .success(try run(request, inputs))
            } catch {
                return .failure(Self.failure(error))
            }
        }
    }

    private func run(_ request: AdapterRequest, _ inputs: [PortValue]) throws -> [PortValue] {
        guard request.primitive.id == "wasm" else { throw Self.unknown(request) }
        let code = try module(request.text("module") ?? "")
        let pool = try runtime.withLock { runtime throws -> WasmWorkerPool in
            let found = try runtime ?? LocalRuntime()
            runtime = found
            return found.pool
        }
        let run = ModuleCall.request(
            request, inputs, code: code,
            limits: RunLimits(
                fuel: .max, memoryBytes: 64 << 20, outputBytes: ModuleCall.outputByteCountMax,
                wallMilliseconds: 60_000))
        return try ModuleCall.values(of: pool.run(run, code: code))
    }

    private func module(_ name: String) throws -> [UInt8] {
        if let cid = try? CID(name) { return try context.client().bytes("/v1/blobs/\(cid)") }
        guard let data = FileManager.default.contents(atPath: try place(name)) else {
            throw PrimitiveFailure(.validationFailed, "cannot read the module \(name)")
        }
        return Array(data)
    }

    // MARK: Actions

    /// Does what an action says.
    func perform(_ command: AdapterRequest) -> ActionResult {
        do {
            switch command.primitive.id {
            case "append_file":
                try append(command.text("line") ?? "", to: command.text("path") ?? "")
                return .outcome(.filled)
            case "graph_mutation":
                let _: GraphResponse = try context.client().post(
                    "/v1/graph",
                    GraphRequest(source: command.text("statement") ?? "", atomic: true, name: command.node))
                return .outcome(.filled)
            case "submit_job":
                try submitJob(command)
                return .outcome(.filled)
            case "webhook": return .outcome(try webhooks.call(command))
            default: throw Self.unknown(command)
            }
        } catch {
            return .failure(Self.failure(error))
        }
    }

    /// Appends one line, durably.
    private func append(_ line: String, to path: String) throws {
        let place = try self.place(path)
        let file = unsafe open(place, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw PrimitiveFailure(.runtimeError, "cannot write \(path)") }
        defer { close(file) }
        let bytes = Array((line + "\n").utf8)
        let written = unsafe bytes.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
        guard written == bytes.count, fsync(file) == 0 else {
            throw PrimitiveFailure(.runtimeError, "cannot write \(path)")
        }
    }

    // MARK: Places

    /// Where a path of a graph lies: below the root, and nowhere else.
    private func place(_ path: String) throws -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, !path.hasPrefix("/"), path.utf8.count <= 1024,
            parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), !path.utf8.contains(0)
        else { throw PrimitiveFailure(.validationFailed, "\"\(path)\" is no path below the root") }
        // No step of the way may be a link that leads elsewhere.
        var place = root
        for part in parts {
            place += "/" + part
            if (try? FileManager.default.destinationOfSymbolicLink(atPath: place)) != nil {
                throw PrimitiveFailure(.validationFailed, "\"\(path)\" goes through a link")
            }
        }
        return place
    }

    private static func unknown(_ request: AdapterRequest) -> PrimitiveFailure {
        PrimitiveFailure(.adapterUnavailable, "nothing here does \(request.primitive)")
    }

    private static func failure(_ error: any Error) -> PrimitiveFailure {
        switch error {
        case let failure as PrimitiveFailure: failure
        case let refusal as ControlRefusal: PrimitiveFailure(.validationFailed, refusal.error.message)
        case let error as ControlClientError:
            PrimitiveFailure(error.code == .timedOut ? .networkTimeout : .adapterUnavailable, error.message)
        default: PrimitiveFailure(.runtimeError, CommandFailure(describing: error).detail.message)
        }
    }
}
