import ControlServer
import Foundation
import MeshAPI
import MeshCommands
import MeshTestSupport
import Synchronization
import Testing

/// A control server that answers from a script: each route gives its answers in order, and the last
/// one for ever.
final class ScriptedDaemon: ControlHandler {
    private let answers: Mutex<[String: [ControlResponse]]>
    private let received = Mutex<[ControlRequest]>([])
    private let directory: TemporaryDirectory
    private let server = Mutex<HTTPControlServer?>(nil)
    private let otherwise: @Sendable (ControlRequest) -> ControlResponse?

    /// Starts answering; the keys are `METHOD /path`, and what has none is put to `otherwise`.
    init(
        _ answers: [String: [ControlResponse]] = [:],
        otherwise: @escaping @Sendable (ControlRequest) -> ControlResponse? = { _ in nil }
    ) throws {
        self.answers = Mutex(answers)
        self.otherwise = otherwise
        directory = try TemporaryDirectory()
        let started = try HTTPControlServer(socketPath: socketPath, handler: self)
        server.withLock { $0 = started }
    }

    var socketPath: String { directory.file("c.sock") }

    func respond(to request: ControlRequest) -> ControlResponse {
        received.withLock { $0.append(request) }
        return answers.withLock { answers in
            let key = "\(request.method) \(request.path)"
            guard let first = answers[key]?.first else {
                return otherwise(request) ?? Routes.refusal(of: request)
            }
            if let count = answers[key]?.count, count > 1 { answers[key]?.removeFirst() }
            return first
        }
    }

    /// What was asked so far.
    var requests: [ControlRequest] { received.withLock { $0 } }

    /// The records posted to `path`.
    func posted<Record: APIRecord>(_ path: String, as type: Record.Type) throws -> [Record] {
        try requests.filter { $0.method == "POST" && $0.path == path }.map { try $0.decoded(type) }
    }

    func file(_ name: String, _ text: String = "") throws -> String {
        let path = directory.file(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Runs a command line against this daemon and stops it.
    func run(_ words: String..., input: String = "") -> Outcome { run(words: words, input: input) }

    func run(words: [String], input: String = "") -> Outcome {
        let output = Mutex<[UInt8]>([])
        let messages = Mutex<[UInt8]>([])
        let console = Console(
            environment: ["MESHCTL_SOCKET": socketPath], input: Array(input.utf8),
            output: { bytes in output.withLock { $0 += bytes } },
            message: { bytes in messages.withLock { $0 += bytes } })
        let status = MeshCtl.run(words, console: console)
        return Outcome(
            status: status, outputBytes: output.withLock { $0 },
            messages: String(decoding: messages.withLock { $0 }, as: UTF8.self))
    }

    func stop() {
        let stopping = server.withLock { server in
            defer { server = nil }
            return server
        }
        stopping?.stop()
    }

    /// What a command line came to.
    struct Outcome {
        let status: Int32
        let outputBytes: [UInt8]
        let messages: String

        var output: String { String(decoding: outputBytes, as: UTF8.self) }

        /// Standard output as one JSON value.
        func json() throws -> Any {
            try JSONSerialization.jsonObject(with: Data(output.utf8), options: [.fragmentsAllowed])
        }
    }
}

/// Records to answer with.
enum Sample {
    static let jobID = "3f0c8a52-1111-8222-8333-444455556666"
    static let receipt = "bafyreic6y4hockqhmnije3apitkmvzmdgedaefosz2gm75ivpmixydiklq"
    static let did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"

    static func job(_ status: String, _ state: String = "Unverified", final: Bool = false) -> JobStatusView {
        let isPlaced = !["Submitted", "Bidding", "Expired"].contains(status)
        let isEnded = ["Completed", "Failed"].contains(status)
        let hasStarted = isEnded || status == "Running"
        return JobStatusView(
            jobID: jobID, manifestCID: "bafyreim", description: "count words", status: status,
            settledStatus: status,
            verification: VerificationView(
                state: state, verifiedBy: state == "Verified" ? ["did:key:a", "did:key:b"] : [], quorum: 2,
                method: "replay", final: final, reason: state == "Disputed" ? "one result differs" : nil),
            executor: NodeReferenceView(nodeID: isPlaced ? "mesh-node-2" : nil, did: isPlaced ? did : nil),
            epoch: isPlaced ? 0 : nil, createdAt: "2026-11-21T12:00:00.000Z",
            assignedAt: isPlaced ? "2026-11-21T12:00:02.000Z" : nil,
            startedAt: hasStarted ? "2026-11-21T12:00:02.100Z" : nil,
            finishedAt: isEnded ? "2026-11-21T12:00:03.000Z" : nil,
            outcome: OutcomeView(
                ok: isEnded ? status == "Completed" : nil, exitCode: nil,
                error: status == "Failed" ? "trap: unreachable" : nil, outcomeClass: isEnded ? "ok" : nil),
            receiptCID: isEnded ? receipt : nil, receiptAnchored: isEnded,
            outputs: isEnded ? [OutputView(name: "stdout", cid: "bafkreio", size: 3)] : [],
            metrics: MetricsView(), charged: ChargeView(resourceType: "compute"),
            submitter: NodeReferenceView(nodeID: "mesh-node-1", did: did), language: "wasm", code: "bafkreic",
            priority: "medium", scope: "default",
            reason: status == "Expired" ? "no acceptable bid came" : nil)
    }

    static func bid(_ node: String, _ amount: Int, seconds: Double = 1.5, acceptable: Bool = true) -> BidView
    {
        BidView(
            jobID: jobID, nodeID: node, did: "did:key:\(node)", bid: amount, estimatedSeconds: seconds,
            reputation: 50, location: node == "mesh-node-2" ? "Berlin" : nil,
            score: acceptable ? 1_000_000 - amount : nil, validUntil: "2026-11-21T12:01:02.000Z",
            acceptable: acceptable, reason: acceptable ? nil : "the price is above the highest bid")
    }

    static func bids(_ status: String, open: Bool, _ bids: [BidView]) -> BidsView {
        BidsView(
            jobID: jobID, status: status, windowOpen: open, windowEndsAt: "2026-11-21T12:00:02.000Z",
            bids: bids)
    }
}
