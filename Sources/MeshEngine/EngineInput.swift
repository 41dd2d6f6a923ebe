public import IPLD
public import MeshAPI
public import MeshCore
internal import MeshFederation
public import MeshGossip
public import MeshGraph
public import MeshIdentity
public import MeshMarket
public import MeshRuntime

/// What happened that the engine must know of.
///
/// Large contents are kept apart: inputs are moved and copied on their way, and most are small.
public enum EngineInput: Sendable {
    case linkOpened(PeerLink, peer: DID, address: String, outbound: Bool)
    /// A link is gone; `isOrderly` when one side has closed it, not when the connection was lost.
    case linkClosed(PeerLink, isOrderly: Bool)
    /// A dial came to nothing; `isRefused` when the host answered that nobody listens there.
    case dialFailed(address: String, isRefused: Bool)
    /// A frame, checked by ``PreparedFrame``.
    indirect case frame(PeerLink, PreparedFrame)
    /// A run that ``EngineEffect/run(_:)`` asked for has ended; its outputs are stored.
    indirect case runFinished(RunTicket, RunReport)
    /// ``EngineEffect/storeBlobs(_:)`` is done.
    case blobsStored([CID])
    /// ``EngineEffect/storeBlobs(_:)`` failed, for want of room most likely; they are asked for again later.
    case blobsNotStored([CID])
    indirect case control(RequestID, ControlCommand)
    /// The node is about to stop: its effects say goodbye, after which the links may be closed.
    case leaving
    /// The instant in ``NodeEngine/nextDeadline`` has been reached; early delivery is harmless.
    case deadlineReached
}

/// What must be done, in order, once the step's transaction is durable.
public enum EngineEffect: Sendable {
    case send([PeerLink], FrameType, body: [UInt8])
    case dial(address: String, expecting: DID?)
    case close(PeerLink, code: String, text: String)
    indirect case run(RunOrder)
    /// Blocks of blobs that a peer sent and that hash to their CIDs.
    case storeBlobs([Block])
    indirect case reply(RequestID, ControlReply)
    case log(LogLevel, String)
    /// An entry of a kind that this version does not know has been applied; it is kept and nothing else.
    case foreignEntry(author: DID, cid: CID, bytes: [UInt8])
    /// The graph, or what system types read, has changed.
    indirect case graphChanged(GraphTouched)
    /// Something that people who follow events want to see.
    indirect case event(kind: String, job: JobID?, node: DID?, cid: CID?, detail: String?)
}

public enum LogLevel: String, Hashable, Comparable, Sendable, CaseIterable {
    case debug, info, warning, error

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    public static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
}

/// A request of the control API, as the shell numbers it.
public struct RequestID: Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Why a job is run here.
public struct RunTicket: Hashable, Sendable {
    public enum Purpose: Hashable, Sendable {
        case execute(epoch: UInt64)
        case replay(receipt: CID)
    }

    public var manifest: CID
    public var purpose: Purpose

    public init(manifest: CID, purpose: Purpose) {
        self.manifest = manifest
        self.purpose = purpose
    }
}

/// A job to run now; code and inputs are all here.
public struct RunOrder: Sendable {
    public var ticket: RunTicket
    public var manifest: JobManifest

    public init(ticket: RunTicket, manifest: JobManifest) {
        self.ticket = ticket
        self.manifest = manifest
    }
}

/// What came of a run, with its outputs already stored as blobs.
public struct RunReport: Hashable, Sendable {
    public var outcome: RunOutcome
    public var metering: Metering
    public var outputs: [NamedBlob]
    public var logs: [NamedBlob]
    /// The jobs that the run asked for.
    public var submissions: [RunSubmission]
    public var started: Timestamp
    public var finished: Timestamp

    public init(
        outcome: RunOutcome, metering: Metering, outputs: [NamedBlob], logs: [NamedBlob],
        submissions: [RunSubmission] = [], started: Timestamp, finished: Timestamp
    ) {
        self.outcome = outcome
        self.metering = metering
        self.outputs = outputs
        self.logs = logs
        self.submissions = submissions
        self.started = started
        self.finished = finished
    }
}

/// What the control API asks of the engine; pure reads of the DAG go to the store instead.
public enum ControlCommand: Sendable {
    /// `nonce` is fresh randomness from the shell, for jobs without an idempotency key. A dry run
    /// publishes nothing and answers with the request as it would be published, defaults filled in.
    case submit(SubmitRequest, nonce: [UInt8], isDryRun: Bool = false)
    /// With `until` it waits for an end instead of for any change.
    case job(String, waitMilliseconds: Int64, after: String?, until: JobEnd? = nil)
    case jobs(limit: Int, status: String?)
    case bids(String, waitMilliseconds: Int64, count: Int)
    case history(String)
    case explain(String)
    /// The log or output `name` of a job, as the blob that holds it, once it is here.
    case output(String, name: String)
    case logs(String)
    case award(String, node: String)
    case cancel(String)
    case resubmission(String)
    case status
    case nodes
    case peers
    case connect(address: String)
    case drain(Bool)
    case federations
    case signFederation(String)
    /// A ticket that lets somebody in; `nonce` is sixteen bytes of fresh randomness from the shell.
    case invite(InviteRequest, nonce: [UInt8])
    case heads
    /// The receipt with all that its verification needs, by the receipt's CID or the job.
    case receipt(String)
    case receiptCAR(String)
    /// The executions of at most `limit` jobs, the newest first, behind the place that a page before has named.
    case executionLog(limit: Int, after: [UInt8]?)
    /// A snapshot of an execution.
    case executionSnapshot(String, label: String)
    /// Anchors out of a CAR file, checked like those of a peer.
    case importAnchors([PreparedAnchor])
    /// A run of this node's own, outside the market, to be published in its feed, with the blocks of the jobs that
    /// it asks for.
    case anchorReceipt(JobManifest, JobReceipt, submissions: [Block])
    /// A record of a kind that this version does not know, to be published in this node's feed as it is.
    case publish(entry: [UInt8])
    /// A program over the graph that may change it.
    indirect case graph(GraphScript)
    /// Rows of a system type behind `after`, at most `limit`; or those whose attribute has a value.
    indirect case systemRows(
        type: String, key: (attribute: String, value: GraphValue)?, after: String?, limit: Int)
    /// The author that an argument names.
    case resolveNode(String)
}

/// What a request may wait for.
public enum JobEnd: String, Hashable, Sendable, CaseIterable {
    /// The job has ended.
    case ended
    /// The job has ended and its verification can change no more.
    case verified
}

/// The engine's answer to a ``ControlCommand``.
public enum ControlReply: Sendable {
    case submitted(SubmitResponse)
    case job(JobStatusView)
    case jobs([JobStatusView])
    case bids(BidsView)
    case history([HistoryEventView])
    case explained([ExplainView])
    /// The blob that holds an output; it is in the store.
    case blob(CID)
    case logs([(stream: String, epoch: Int, blob: CID, time: String)])
    case resubmission(SubmitRequest)
    case status(NodeStatusView)
    case nodes([NodeView])
    case peers([PeerView])
    case federations([FederationView])
    case invited(InviteView)
    case heads([HeadView])
    case receipt(ReceiptView)
    /// The blocks of a receipt's CAR in order; blobs are added by the shell from `blobs`.
    case receiptCAR(root: CID, blocks: [Block], blobs: [CID])
    /// Executions in no order, and the last job's place if there may be more.
    case executionLog([ExecutionLines], next: [UInt8]?)
    case executionSnapshot(Block)
    case imported(ImportView)
    case anchored(receipt: CID, job: JobStatusView)
    case node(DID)
    /// The entry's CID; it stands in an anchor of this node.
    case published(CID)
    indirect case graph(GraphRun)
    /// Rows of a system type, and the last one's place if there may be more.
    case systemRows([VirtualRow], next: String?)
    case failure(status: Int, APIError)
}
