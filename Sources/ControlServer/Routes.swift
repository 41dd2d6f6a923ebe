import MeshAPI

/// The routes of the control API, each with its contract.
///
/// Common to all: an id may be a name, a DID, a UUID, a CID or an unambiguous prefix of at least
/// four characters of one. None matches: 404 `….unknown`; several: 409 `….ambiguous`, and the
/// message lists them. Malformed input is 400, a refusal on its merits 422, a state that forbids it
/// 409, and what may work later 503 with `retryable`. `wait` is in milliseconds; the server waits
/// for 60,000 at most and answers with what there is, which is never an error.
public enum RouteName: String, Hashable, Sendable, CaseIterable {
    /// `GET /v1/openapi.json`: ``OpenAPI/document``.
    case openAPI = "getOpenAPI"
    /// `GET /v1/node`: ``NodeStatusView``.
    case nodeStatus = "getNode"
    /// `GET /v1/nodes`: every known node, this one too, sorted by name; the client filters.
    case nodes = "listNodes"
    /// `POST /v1/node/drain` with a ``DrainRequest``: the status afterwards. Draining ends bidding;
    /// what runs goes on.
    case drain = "drainNode"
    /// `GET /v1/peers`: links and attempts, sorted by address.
    case peers = "listPeers"
    /// `POST /v1/peers` with a ``PeerRequest``: 202 and the attempt; it goes on in the background.
    /// 422 `peer.address` when the address is not `host:port`.
    case connectPeer = "connectPeer"
    /// `GET /v1/events?follow=1&after=ID&job=JOB`: server-sent events, `event:` the kind, `id:` a
    /// number, `data:` an ``EventView``. Without `follow` it ends after what is buffered (the last
    /// 1,024). With `after` (or the header's equivalent) it resumes behind that number. A client
    /// too slow for the buffer gets one event `dropped` and goes on.
    case events = "followEvents"
    /// `POST /v1/jobs` with a ``SubmitRequest``: 201 ``SubmitResponse`` once the manifest is
    /// anchored and durable. 422: `job.wasm` (not a blob here, or not a module that runs), `job.limit`,
    /// `job.tokens`, `job.federation` (quorum without a federation that can fill it). 503
    /// `node.not-publishing`, retryable, while the node may not append to its feed. The same
    /// idempotency key with the same content answers as the first time; with other content 409
    /// `job.idempotency`. With `dry_run=1` nothing is published, and the answer is 200 and the
    /// ``SubmitRequest`` with every default filled in.
    case submitJob = "submitJob"
    /// `GET /v1/jobs?limit=N&status=S`: newest first; N is 100 by default and 10,000 at most.
    case jobs = "listJobs"
    /// `GET /v1/jobs/{id}?wait=MS&after=STATUS/STATE`: the job. With `after`, answers as soon as
    /// `status` and `verification.state`, joined by a slash, differ from it or the verification is
    /// final, and after `wait` at the latest. With `until=ended` or `until=verified` it waits for
    /// that instead.
    case job = "getJob"
    /// `GET /v1/jobs/{id}/bids?wait=MS&count=N`: with `wait`, answers when the window is over or has
    /// more bids than `count` says; at once where there is no open window.
    case bids = "listBids"
    /// `GET /v1/jobs/{id}/history`: in the order of time.
    case history = "getHistory"
    /// `GET /v1/jobs/{id}/explain`: asks the nodes that are up, for two seconds; those that do not
    /// answer are listed with the stage `no_answer`.
    case explain = "explainJob"
    /// `GET /v1/jobs/{id}/logs?stream=stdout|stderr|all&follow=1`: an array of ``LogChunkView`` in
    /// the order of epoch, stream and offset. With `follow` server-sent events named `log`, until the
    /// job has ended and all is sent. 404 `log.unavailable` when the executor's log is not here.
    case logs = "getLogs"
    /// `GET /v1/jobs/{id}/outputs/{name}`: the exact bytes of an output or a log. 404 `output.unknown`; 503
    /// `output.unavailable`, retryable, while the bytes are being fetched; 409 `output.pending` while
    /// the job has not ended.
    case output = "getOutput"
    /// `POST /v1/jobs/{id}/award` with an ``AwardRequest``: the job once the award is anchored. 404
    /// `bid.unknown`; 422 `bid.not-acceptable`; 409 `job.awarded` or `job.closed`; 409
    /// `job.not-placer` at a node that does not place it. Awarding the same node again answers as
    /// the first time.
    case award = "awardJob"
    /// `POST /v1/jobs/{id}/cancel` with a ``CancelRequest``: the job once the close is anchored. 409
    /// `job.closed` or `job.not-placer`.
    case cancel = "cancelJob"
    /// `GET /v1/jobs/{id}/manifest`: the ``SubmitRequest`` that would make the same job again.
    case resubmission = "getSubmitRequest"
    /// `POST /v1/blobs` with raw bytes, 256 MiB at most: 201 ``BlobView`` once they are durable. More
    /// than 1 MiB is split into chunks here, and the CID is that of their list.
    case putBlob = "putBlob"
    /// `GET /v1/blobs/{cid}`: the bytes, put together from their chunks. 404 `blob.unknown`; 503
    /// `blob.unavailable`, retryable, while chunks are being fetched.
    case blob = "getBlob"
    /// `GET /v1/dag/heads`: one for each feed, sorted by DID and scope.
    case heads = "listHeads"
    /// `GET /v1/dag/log?author=ID&limit=N&after=SEQ`: anchors, newest first; N is 100 by default.
    case dagLog = "getDAGLog"
    /// `GET /v1/dag/export?cid=CID`: a CAR of everything under that block, or of all feeds with their
    /// heads as roots.
    case dagExport = "exportDAG"
    /// `POST /v1/dag/import` with a CAR, 256 MiB at most: what came of it. 422 `car.malformed` when
    /// it is not one; what is valid in it is kept all the same.
    case dagImport = "importDAG"
    /// `GET /v1/dag/{cid}`: the block's bytes as they are hashed, media type `application/vnd.ipld.raw`
    /// or `application/vnd.ipld.dag-cbor` by its codec. 404 `block.unknown`.
    case block = "getBlock"
    /// `GET /v1/receipts/{cid}`: by the CID of the receipt or the id of its job. 404
    /// `receipt.unknown`.
    case receipt = "getReceipt"
    /// `GET /v1/receipts/{cid}/car`: the receipt with everything that its verification needs. 503
    /// `blob.unavailable`, retryable, while some of it is being fetched.
    case receiptCAR = "exportReceipt"
    /// `POST /v1/receipts` with a receipt CAR, 256 MiB at most: runs it again and publishes it in this
    /// node's feed. 201 once it is anchored. 422 `receipt.invalid` or `receipt.mismatch`.
    case anchorReceipt = "anchorReceipt"
    /// `GET /v1/executions/log?limit=N`: the global log of the executions of the newest N jobs that this replica
    /// knows, on whichever node they ran, as JSON Lines; N is 10,000 by default and 100,000 at most.
    case executionLog = "getExecutionLog"
    /// `GET /v1/executions/{uid}/{label}`: a snapshot of an execution, byte for byte; the label is `start` or `end`. Its
    /// CID is that of a raw block. 404 `execution.unknown`, `execution.missing-snapshot`.
    case executionSnapshot = "getExecutionSnapshot"
    /// `GET /v1/federations`: every bundle that is known, the pinned one first.
    case federations = "listFederations"
    /// `POST /v1/federations/{id}/sign`: signs the bundle with the node's key and gossips the
    /// signature. 409 `federation.not-a-member`.
    case signFederation = "signFederation"
    /// `POST /v1/invites` with an ``InviteRequest``: 201 ``InviteView``, signed by this node's key and kept
    /// nowhere. 409 `invite.not-member` where nobody would honour it, `invite.address` where this node cannot
    /// be reached; 422 `invite.holder`, `invite.expires`.
    case createInvite = "createInvite"
    /// `POST /v1/graph/query` with a ``GraphRequest``, 64 MiB at most: ``GraphResponse``. 422 with the code of the
    /// diagnostic, such as `E2002`, and all of them in `details`, when a statement is refused; what had been
    /// committed before it stays. 503 `graph.unavailable` where the node keeps no graph.
    case graphQuery = "queryGraph"
    /// `POST /v1/graph/watch` with a ``GraphRequest`` of one WATCH: server-sent events, `event:` the type, `data:` a
    /// ``GraphWatchEvent``, until the watch is cancelled or the client goes. A POST, because a statement with its
    /// parameters may be longer than a query is allowed to be. Errors as for `queryGraph`.
    case graphWatch = "watchGraph"
    /// `GET /v1/graph/dump`: the canonical dump, line by line; equal for replicas that know the same changes.
    case graphDump = "dumpGraph"
}

/// The table of routes.
public enum Routes {
    private static let wait = RouteParameter("wait", "Milliseconds to wait for a change; 60,000 at most.")

    /// Every route.
    ///
    /// A literal segment stands before a pattern that would match it too.
    public static let all: [Route] = [
        Route(.openAPI, "GET", "/v1/openapi.json", "This document.", response: .json),
        Route(.nodeStatus, "GET", "/v1/node", "How this daemon fares.", response: .record("NodeStatusView")),
        Route(.nodes, "GET", "/v1/nodes", "The nodes of the mesh.", response: .list("NodeView")),
        Route(
            .drain, "POST", "/v1/node/drain", "Stop or resume taking jobs.", request: .record("DrainRequest"),
            response: .record("NodeStatusView")),
        Route(.peers, "GET", "/v1/peers", "Links to other nodes.", response: .list("PeerView")),
        Route(
            .connectPeer, "POST", "/v1/peers", "Connect to a peer.", request: .record("PeerRequest"),
            response: .record("PeerView"), status: 202),
        Route(
            .events, "GET", "/v1/events", "What happens, as it happens.",
            query: [
                RouteParameter("follow", "1 keeps the stream open."),
                RouteParameter("after", "Resume behind this event."),
                RouteParameter("job", "Only events of this job."),
            ], response: .events("EventView")),
        Route(
            .submitJob, "POST", "/v1/jobs", "Submit a job.",
            query: [RouteParameter("dry_run", "1 checks everything and publishes nothing.")],
            request: .record("SubmitRequest"),
            response: .record("SubmitResponse"), status: 201, bodyByteCountMax: 1 << 20),
        Route(
            .jobs, "GET", "/v1/jobs", "The jobs, newest first.",
            query: [
                RouteParameter("limit", "How many; 100."), RouteParameter("status", "Only with this status."),
            ], response: .list("JobStatusView")),
        Route(
            .job, "GET", "/v1/jobs/{id}", "One job.",
            query: [
                wait, RouteParameter("after", "The last known `status/verification.state`."),
                RouteParameter("until", "`ended` or `verified`: wait for that instead of for any change."),
            ],
            response: .record("JobStatusView")),
        Route(
            .bids, "GET", "/v1/jobs/{id}/bids", "The bids for a job.",
            query: [wait, RouteParameter("count", "Answer once there are more bids than this.")],
            response: .record("BidsView")),
        Route(
            .history, "GET", "/v1/jobs/{id}/history", "What happened to a job.",
            response: .list("HistoryEventView")),
        Route(
            .explain, "GET", "/v1/jobs/{id}/explain", "What each node made of a job.",
            response: .list("ExplainView")),
        Route(
            .logs, "GET", "/v1/jobs/{id}/logs", "What a job writes.",
            query: [
                RouteParameter("stream", "`stdout`, `stderr` or `all`; `stdout`."),
                RouteParameter("follow", "1 answers with server-sent events until the job has ended."),
            ], response: .list("LogChunkView")),
        Route(
            .output, "GET", "/v1/jobs/{id}/outputs/{name}", "An output's bytes.",
            response: .bytes("application/octet-stream")),
        Route(
            .award, "POST", "/v1/jobs/{id}/award", "Award a job to a bidder.",
            request: .record("AwardRequest"),
            response: .record("JobStatusView")),
        Route(
            .cancel, "POST", "/v1/jobs/{id}/cancel", "Cancel a job.", request: .record("CancelRequest"),
            response: .record("JobStatusView")),
        Route(
            .resubmission, "GET", "/v1/jobs/{id}/manifest", "The request that makes the same job again.",
            response: .record("SubmitRequest")),
        Route(
            .putBlob, "POST", "/v1/blobs", "Store bytes.", request: .bytes("application/octet-stream"),
            response: .record("BlobView"), status: 201, bodyByteCountMax: 256 << 20),
        Route(
            .blob, "GET", "/v1/blobs/{cid}", "Stored bytes.", response: .bytes("application/octet-stream")),
        Route(.heads, "GET", "/v1/dag/heads", "The newest anchor of each feed.", response: .list("HeadView")),
        Route(
            .dagLog, "GET", "/v1/dag/log", "Anchors, newest first.",
            query: [
                RouteParameter("author", "Only this node's."), RouteParameter("limit", "How many; 100."),
                RouteParameter("after", "Only below this sequence number."),
            ], response: .list("AnchorView")),
        Route(
            .dagExport, "GET", "/v1/dag/export", "Blocks as a CAR file.",
            query: [RouteParameter("cid", "Only what is under this block.")],
            response: .bytes("application/vnd.ipld.car")),
        Route(
            .dagImport, "POST", "/v1/dag/import", "Take over a CAR file.",
            request: .bytes("application/vnd.ipld.car"), response: .record("ImportView"),
            bodyByteCountMax: 256 << 20),
        Route(
            .block, "GET", "/v1/dag/{cid}", "A block's bytes.", response: .bytes("application/vnd.ipld.raw")),
        Route(
            .receipt, "GET", "/v1/receipts/{cid}", "A receipt and its verification.",
            response: .record("ReceiptView")),
        Route(
            .receiptCAR, "GET", "/v1/receipts/{cid}/car", "A receipt to verify offline.",
            response: .bytes("application/vnd.ipld.car")),
        Route(
            .anchorReceipt, "POST", "/v1/receipts", "Publish a receipt of a local run.",
            request: .bytes("application/vnd.ipld.car"), response: .record("AnchoredReceiptView"),
            status: 201, bodyByteCountMax: 256 << 20),
        Route(
            .executionLog, "GET", "/v1/executions/log", "The executions of jobs, as lines of a log.",
            query: [RouteParameter("limit", "Of how many jobs; 10,000.")],
            response: .bytes("application/jsonl")),
        Route(
            .executionSnapshot, "GET", "/v1/executions/{uid}/{label}", "A snapshot of an execution.",
            response: .bytes("application/json")),
        Route(
            .federations, "GET", "/v1/federations", "The federations.", response: .list("FederationView")),
        Route(
            .signFederation, "POST", "/v1/federations/{id}/sign", "Sign a federation bundle.",
            response: .record("FederationView")),
        Route(
            .createInvite, "POST", "/v1/invites", "Sign an invitation into the mesh.",
            request: .record("InviteRequest"), response: .record("InviteView"), status: 201),
        Route(
            .graphQuery, "POST", "/v1/graph/query", "Run statements against the graph.",
            request: .record("GraphRequest"), response: .record("GraphResponse"), bodyByteCountMax: 64 << 20),
        Route(
            .graphWatch, "POST", "/v1/graph/watch", "Follow a pattern of the graph.",
            request: .record("GraphRequest"), response: .events("GraphWatchEvent"),
            bodyByteCountMax: 1 << 20),
        Route(
            .graphDump, "GET", "/v1/graph/dump", "The whole graph in its canonical form.",
            response: .bytes("text/plain")),
    ]

    /// What a method and a path ask for.
    public enum Match: Sendable {
        /// A route and its decoded path parameters.
        case found(RouteName, parameters: [String: String])
        /// The path exists with other methods.
        case otherMethods([String])
        case unknown
    }

    public static func match(method: String, path: String) -> Match {
        var methods: [String] = []
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for route in all {
            guard let parameters = route.parameters(in: parts) else { continue }
            if route.method == method { return .found(route.name, parameters: parameters) }
            methods.append(route.method)
        }
        return methods.isEmpty ? .unknown : .otherMethods(methods)
    }

    /// The answer to a request that no route takes: 404 `route.unknown`, 400 `route.method`.
    public static func refusal(of request: ControlRequest) -> ControlResponse {
        if case .otherMethods(let methods) = match(method: request.method, path: request.path) {
            return .error(
                400,
                APIError(
                    code: "route.method",
                    message: "\(request.path) takes \(methods.joined(separator: ", ")), not \(request.method)"
                ))
        }
        return .error(
            404,
            APIError(
                code: "route.unknown", message: "there is no \(request.path)", hint: "see /v1/openapi.json"))
    }

    /// The largest body that any route under `path` takes.
    public static func bodyByteCountMax(path: String) -> Int {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return all.filter { $0.parameters(in: parts) != nil }.map(\.bodyByteCountMax).max() ?? 64 << 10
    }
}
