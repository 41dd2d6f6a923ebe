internal import ControlClient
internal import Foundation
internal import IPLD
internal import MeshAPI
internal import Synchronization
internal import WasmRuntime

/// Whole jobs over three daemons: submitted, bid on, awarded, run, anchored, closed, and repeated by
/// both other members.
struct JobsBench: Bench {
    let name = "jobs"
    let summary = "jobs end to end over three daemons with mutual TLS, both other members replaying"

    private let sequentialCount = 300
    private let concurrency = 256
    private let seconds = 8.0

    func run() throws -> [BenchRow] {
        let cluster = try BenchCluster()
        defer { cluster.stop() }
        let socket = cluster.sockets[0]
        let client = try HTTPControlClient(socketPath: socket)
        let module = try WasmTextAssembler().assemble(
            """
            (module (memory (export "memory") 1)
              (func (export "run") (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))))
            """)
        let (status, body) = try client.request("POST", "/v1/blobs", body: module)
        guard status == 201 else {
            throw BenchFailure("the module was not taken: \(String(decoding: body, as: UTF8.self))")
        }
        let blob = try JSONDecoder().decode(BlobView.self, from: Data(body))
        let request = try Array(
            JSONEncoder().encode(
                SubmitRequest(wasm: blob.cid, resourceAmount: 1, fuel: 1_000_000, auto: true, bidWindowMs: 0))
        )

        for _ in 0..<50 { _ = try Self.runOne(client, request, until: "verified") }
        var ended: [Double] = []
        var verified: [Double] = []
        for _ in 0..<sequentialCount {
            let start = ContinuousClock.now
            let job = try Self.runOne(client, request, until: "ended")
            ended.append(Self.milliseconds(since: start))
            _ = try Self.wait(client, job, until: "verified")
            verified.append(Self.milliseconds(since: start))
        }
        ended.sort()
        verified.sort()
        let rate = try throughput(socket, request)
        func row(_ what: String, _ value: Double, gate: Double?) -> BenchRow {
            BenchRow(
                what: what, ours: value, unit: "ms", beside: nil, besideValue: nil, gate: gate,
                higherIsBetter: false)
        }
        return [
            row("one job in flight, submitted to completed, p50", ended[ended.count / 2], gate: 5),
            row("one job in flight, submitted to completed, p99", ended[ended.count * 99 / 100], gate: nil),
            row(
                "one job in flight, submitted to verified 2 of 2, p50", verified[verified.count / 2],
                gate: nil),
            BenchRow(
                what: "\(concurrency) jobs in flight, each verified 2 of 2", ours: rate, unit: "jobs/s",
                beside: nil, besideValue: nil, gate: 1_000, higherIsBetter: true),
        ]
    }

    private func throughput(_ socket: String, _ request: [UInt8]) throws -> Double {
        let done = Atomic<Int>(0)
        let failures = Mutex<[String]>([])
        let group = DispatchGroup()
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        for _ in 0..<concurrency {
            let worker = Thread {
                defer { group.leave() }
                do {
                    let client = try HTTPControlClient(socketPath: socket)
                    while ContinuousClock.now < end {
                        _ = try Self.runOne(client, request, until: "verified")
                        done.add(1, ordering: .relaxed)
                    }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            worker.stackSize = 512 * 1024
            group.enter()
            worker.start()
        }
        group.wait()
        if let first = failures.withLock({ $0.first }) { throw BenchFailure(first) }
        return Double(done.load(ordering: .relaxed)) / (Self.milliseconds(since: start) / 1000)
    }

    private static func milliseconds(since start: ContinuousClock.Instant) -> Double {
        let elapsed = ContinuousClock.now - start
        return Double(elapsed.components.seconds) * 1000 + Double(elapsed.components.attoseconds) / 1e15
    }

    /// Submits a job and waits for its end; gives its id.
    private static func runOne(_ client: HTTPControlClient, _ request: [UInt8], until end: String) throws
        -> String
    {
        let (status, body) = try client.request(
            "POST", "/v1/jobs", body: request, contentType: "application/json")
        guard status == 201 else {
            throw BenchFailure("a job was refused: \(String(decoding: body, as: UTF8.self))")
        }
        let job = try JSONDecoder().decode(SubmitResponse.self, from: Data(body)).jobID
        try wait(client, job, until: end)
        return job
    }

    private static func wait(_ client: HTTPControlClient, _ job: String, until end: String) throws {
        let (status, body) = try client.request(
            "GET", "/v1/jobs/\(job)", query: ["wait": "30000", "until": end])
        guard status == 200 else {
            throw BenchFailure("\(job) is unknown: \(String(decoding: body, as: UTF8.self))")
        }
        let view = try JSONDecoder().decode(JobStatusView.self, from: Data(body))
        guard view.status == "Completed", end == "ended" || view.verification.state == "Verified" else {
            throw BenchFailure("\(job) ended as \(view.status), \(view.verification.state)")
        }
    }
}
