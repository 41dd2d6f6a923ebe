internal import MeshTransport
internal import MeshStore
internal import ControlServer
internal import IPLD
internal import JobRuntime
internal import MeshAPI
internal import MeshCore
internal import MeshEngine
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime

import Foundation

/// Answers the control API: asks the engine for what it decides, and reads blocks and blobs from
/// snapshots of the store.
struct ControlRoutes: ControlHandler {
    unowned let daemon: Daemon

    func respond(to request: ControlRequest) -> ControlResponse {
        guard
            case .found(let route, let parameters) = Routes.match(method: request.method, path: request.path)
        else { return Routes.refusal(of: request) }
        do {
            return try respond(route, parameters, request)
        } catch let error as APIError {
            return .error(400, error)
        } catch {
            return .error(500, APIError(code: "internal", message: "\(error)"))
        }
    }

    private func respond(
        _ route: RouteName, _ parameters: [String: String], _ request: ControlRequest
    ) throws -> ControlResponse {
        let id = parameters["id"] ?? parameters["cid"] ?? ""
        let wait = try number(request.query["wait"], "wait") ?? 0
        switch route {
        case .openAPI: return .bytes(OpenAPI.document, contentType: "application/json")
        case .nodeStatus: return answer(.status)
        case .nodes: return answer(.nodes)
        case .drain: return answer(.drain(try request.decoded(DrainRequest.self).drain))
        case .peers: return answer(.peers)
        case .connectPeer: return answer(.connect(address: try request.decoded(PeerRequest.self).address))
        case .events: return try events(request)
        case .submitJob: return try submit(request)
        case .jobs:
            let limit = try number(request.query["limit"], "limit") ?? 100
            return answer(.jobs(limit: min(10_000, Int(limit)), status: request.query["status"]))
        case .job:
            let until = try request.query["until"].map { word throws(APIError) in
                guard let end = JobEnd(rawValue: word) else {
                    throw APIError(
                        code: "request.malformed",
                        message: "until is ended or verified, not \(word.prefix(40))")
                }
                return end
            }
            return answer(.job(id, waitMilliseconds: wait, after: request.query["after"], until: until))
        case .bids:
            return answer(
                .bids(
                    id, waitMilliseconds: wait,
                    count: Int(try number(request.query["count"], "count") ?? .init(Int32.max))))
        case .history: return answer(.history(id))
        case .explain: return answer(.explain(id))
        case .logs: return try logs(id, request)
        case .output: return answer(.output(id, name: parameters["name"] ?? ""))
        case .award: return answer(.award(id, node: try request.decoded(AwardRequest.self).nodeID))
        case .cancel: return answer(.cancel(id))
        case .resubmission: return answer(.resubmission(id))
        case .putBlob: return try putBlob(request)
        case .blob: return try blob(id)
        case .heads: return answer(.heads)
        case .dagLog: return try dagLog(request)
        case .dagExport: return try dagExport(request)
        case .dagImport: return try dagImport(request)
        case .block: return try block(id)
        case .receipt: return answer(.receipt(id))
        case .receiptCAR: return answer(.receiptCAR(id))
        case .anchorReceipt: return try anchorReceipt(request)
        case .executionLog:
            let limit = try number(request.query["limit"], "limit") ?? 10_000
            return executionLog(jobs: Int(min(100_000, max(1, limit))))
        case .executionSnapshot:
            return answer(
                .executionSnapshot(parameters["uid"] ?? "", label: parameters["label"] ?? ""))
        case .federations: return answer(.federations)
        case .signFederation: return answer(.signFederation(id))
        case .createInvite:
            return answer(
                .invite(
                    try request.decoded(InviteRequest.self),
                    nonce: (0..<16).map { _ in UInt8.random(in: 0...255) }))
        case .graphQuery: return graphQuery(try request.decoded(GraphRequest.self))
        case .graphWatch: return graphWatch(try request.decoded(GraphRequest.self))
        case .graphDump: return graphDump()
        }
    }

    private func number(_ text: String?, _ name: String) throws(APIError) -> Int64? {
        guard let text else { return nil }
        guard let value = Int64(text), value >= 0 else {
            throw APIError(
                code: "request.malformed", message: "\(name) must be a number, not \(text.prefix(40))")
        }
        return value
    }

    // MARK: The engine's answers

    /// Asks the engine and writes its answer.
    func answer(_ command: ControlCommand) -> ControlResponse {
        response(daemon.ask(command))
    }

    /// Writes the engine's answer; `nil` is what a stopping daemon gives.
    func response(_ reply: ControlReply?) -> ControlResponse {
        switch reply {
        case nil:
            return .error(
                503,
                APIError(
                    code: "node.stopping", message: "the daemon is stopping or too busy to answer",
                    retryable: true))
        case .submitted(let view): return .json(view, status: 201)
        case .job(let view): return .json(view)
        case .jobs(let views): return .json(views)
        case .bids(let view): return .json(view)
        case .history(let views): return .json(views)
        case .explained(let views): return .json(views)
        case .blob(let cid):
            return (try? blob("\(cid)"))
                ?? .error(404, APIError(code: "blob.unknown", message: "no blob \(cid)"))
        case .logs: return .error(500, APIError(code: "internal", message: "logs are assembled elsewhere"))
        case .published:
            // No route publishes records of unknown kinds: that is for programs that drive the engine.
            return .error(500, APIError(code: "internal", message: "no route asks for this"))
        case .resubmission(let request): return .json(request)
        case .status(var view):
            let statistics = daemon.store.statistics()
            view.version = Daemon.version
            view.listenAddress = daemon.transport?.listeningAddress.map { "\($0)" } ?? ""
            view.storeBytes = statistics.usedBytes
            view.blobBytes = statistics.blobBytes
            (view.diskFreeBytes, view.daysLeft) = daemon.space(
                using: statistics.usedBytes + statistics.blobBytes)
            return .json(view)
        case .nodes(let views): return .json(views)
        case .peers(let views):
            return .json(views.map(counted))
        case .federations(let views): return .json(views)
        case .invited(let view): return .json(view, status: 201)
        case .heads(let views): return .json(views)
        case .receipt(let view): return .json(view)
        case .receiptCAR(let root, let blocks, let blobs): return receiptCAR(root, blocks, blobs)
        case .executionLog:
            return .error(500, APIError(code: "internal", message: "the log is assembled elsewhere"))
        case .executionSnapshot(let block): return .bytes(block.bytes, contentType: "application/json")
        case .imported(let view): return .json(view)
        case .anchored(let receipt, _):
            return .json(AnchoredReceiptView(receiptCID: "\(receipt)", anchorCID: nil), status: 201)
        case .graph, .systemRows:
            return .error(500, APIError(code: "internal", message: "the graph's routes answer this"))
        case .node(let did): return .json(["did": "\(did)"])
        case .failure(let status, let error): return .error(status, error)
        }
    }

    /// A peer's view with what the transport counts of it.
    private func counted(_ view: PeerView) -> PeerView {
        var view = view
        if let did = view.did.flatMap({ DID($0) }) {
            view.counters.merge(daemon.faults.counters(did)) { _, new in new }
        }
        guard let statistics = daemon.transport?.statistics,
            let link = statistics.links.first(where: { "\($0.peer)" == view.did })
        else { return view }
        view.counters["bytes_in"] = Int(clamping: link.bytesIn)
        view.counters["bytes_out"] = Int(clamping: link.bytesOut)
        view.counters["frames_in"] = Int(clamping: link.framesIn)
        view.counters["frames_out"] = Int(clamping: link.framesOut)
        view.counters["frames_dropped"] = Int(clamping: link.framesDropped)
        return view
    }

    /// The log of executions, put together from pages, so that the engine is never held up for long.
    private func executionLog(jobs: Int) -> ControlResponse {
        var found: [ExecutionLines] = []
        var next: [UInt8]?
        var left = jobs
        repeat {
            switch daemon.ask(.executionLog(limit: left, after: next)) {
            case .executionLog(let page, let more)?:
                found += page
                next = more
                left -= NodeEngine.executionPageMax
            case let other: return response(other)
            }
        } while next != nil && left > 0
        return .bytes(found.sorted().flatMap(\.bytes), contentType: "application/jsonl")
    }

    // MARK: Submitting

    /// Looks at the module before anything is published.
    private func submit(_ request: ControlRequest) throws -> ControlResponse {
        var submission = try request.decoded(SubmitRequest.self)
        if let refused = refusal(of: submission) { return refused }
        for (index, input) in (submission.inputs ?? []).enumerated() {
            guard let cid = try? CID(input.cid), let bytes = daemon.assemble(cid) else {
                return .error(
                    422,
                    APIError(
                        code: "job.input", message: "the input \(input.name) is not a blob of this node",
                        hint: "POST it to /v1/blobs first"))
            }
            // The manifest says what is true: a verifier holds it against the bytes.
            submission.inputs?[index].size = bytes.count
        }
        return answer(
            .submit(
                submission, nonce: (0..<16).map { _ in UInt8.random(in: 0...255) },
                isDryRun: request.query["dry_run"] == "1"))
    }

    /// What speaks against the module or graph; it is read only when it has not been found good before.
    private func refusal(of submission: SubmitRequest) -> ControlResponse? {
        let language = submission.language ?? "wasm"
        let isGraph = language == "dataflow"
        let (field, what) = isGraph ? ("job.graph", "graph") : ("job.wasm", "module")
        let limits = RunLimits(
            fuel: .max, memoryBytes: UInt64(max(1, submission.minMemory ?? 64)) << 20, outputBytes: 0,
            wallMilliseconds: 0)
        // What a graph cannot be given is refused as an argument that it does not take.
        let variables = (submission.env ?? [:]).isEmpty ? [] : ["--env"]
        let arguments = isGraph ? (submission.args ?? []) + variables : []
        let cid = try? CID(submission.wasm)
        let question = cid.map {
            CheckedModules.Question(
                language: language, code: $0, entry: submission.entry, arguments: arguments,
                memoryBytes: limits.memoryBytes)
        }
        if let question, daemon.modules.isGood(question) { return nil }
        guard let cid, let question, let code = daemon.assemble(cid) else {
            return .error(
                422,
                APIError(
                    code: field,
                    message: "the \(what) \(submission.wasm.prefix(80)) is not a blob of this node",
                    hint: "POST it to /v1/blobs first"))
        }
        let asked = CodeQuestion(
            language: language, code: code, entry: submission.entry, arguments: arguments, limits: limits)
        // Without a pool there is the inspection alone.
        let refusal =
            if let runtime = daemon.runtime {
                runtime.refusal(of: asked)
            } else {
                JobRuntime.inspect(
                    asked, moduleBytesMax: daemon.configuration.runtime.moduleByteCountMax)
            }
        if let refusal {
            let others = refusal.others > 0 ? "; \(refusal.others) more faults" : ""
            let hint = refusal.hint.map { "\($0); " } ?? ""
            return .error(
                422,
                APIError(
                    code: field, message: "the \(what) cannot run: \(refusal.message)\(others)",
                    hint: "\(hint)\(refusal.code); nothing was published"))
        }
        daemon.modules.noteGood(question)
        return nil
    }
}
