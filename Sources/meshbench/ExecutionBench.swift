import ExecutionDocuments
import ExecutionStore
import Foundation
import IPLD
import MeshCore
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshStorage
import MeshStore

/// Execution documents: of jobs, as blocks in the node's store, as files, and the log that lists them.
///
/// Beside each durable figure stands the same work without documents, and in a row of its own what the disk gives.
struct ExecutionBench: Bench {
    let name = "exec"
    let summary = "execution documents made durable as blocks and as files, and a log of 10^6 lines listed"

    private static let groupSize = 1_000
    private static let blockGroups = 20
    private static let fileGroups = 4

    func run() throws -> [BenchRow] {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("meshbench-exec-\(ProcessInfo.processInfo.processIdentifier)").path
        for inner in ["files", "bare"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(inner)", withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let disk = BareDisk(folder: folder + "/bare")
        let (jobs, hashed) = Self.jobDocuments()
        let (listing, newlines) = try listing()
        return [
            BenchRow(
                what: "documents of a job's run made and named, start and end", ours: jobs,
                unit: "executions/s", beside: "their bytes hashed only", besideValue: hashed, gate: nil,
                higherIsBetter: true),
            BenchRow(
                what: "executions kept durably as blocks, start and end each, \(Self.groupSize) a commit",
                ours: try blocks(folder + "/store"), unit: "executions/s",
                beside: "the same bytes in one file, one fdatasync a group",
                besideValue: try disk.appended(
                    try sampleBytes(), groups: Self.blockGroups, groupSize: Self.groupSize), gate: 20_000,
                higherIsBetter: true),
            BenchRow(
                what: "executions created and completed as files, \(Self.groupSize) a group",
                ours: try files(folder + "/files"), unit: "executions/s",
                beside: "two bare files each, one syncfs for the starts and one for the ends",
                besideValue: try disk.files(
                    try sampleBytes(), groups: Self.fileGroups, groupSize: Self.groupSize), gate: nil,
                higherIsBetter: true),
            BenchRow(
                what: "log of 10^6 lines read and listed", ours: listing, unit: "s",
                beside: "its newlines counted", besideValue: newlines, gate: 1, higherIsBetter: false),
            BenchRow(
                what: "fdatasync of 4 KiB on this disk, p50", ours: try disk.syncMedian() * 1e6, unit: "µs",
                beside: nil, besideValue: nil, gate: nil, higherIsBetter: false),
        ]
    }

    /// How many runs' documents are made a second, and how many could be hashed.
    private static func jobDocuments() -> (made: Double, hashed: Double) {
        let code = CID(of: [1], codec: .raw)
        let executor = DID(publicKey: CID(of: [2], codec: .raw).digest)
        let manifest = JobManifest(
            nonce: [1], submitter: executor, placer: executor,
            created: Timestamp(milliseconds: 1_800_000_000_000),
            expires: Timestamp(milliseconds: 1_800_000_600_000), description: "bench", code: code,
            inputs: [JobManifest.Input(name: "stdin", cid: code, size: 1)],
            limits: RunLimits(
                fuel: 100_000_000, memoryBytes: 64 << 20, outputBytes: 16 << 20, wallMilliseconds: 60_000),
            trust: JobManifest.Trust(federation: nil, method: .none, quorum: 0),
            market: JobManifest.Market(mode: .auto, windowMilliseconds: 0, maxBid: 100))
        let receipt = JobReceipt(
            manifest: CID(of: manifest.encoded, codec: .dagCBOR), award: CID(of: [3], codec: .dagCBOR),
            epoch: 0, executor: executor, outcome: RunOutcome(.ok, exitCode: 0),
            outputs: [NamedBlob(name: "stdout", cid: code, size: 1)],
            logs: [NamedBlob(name: "stderr", cid: code, size: 0)], metering: Metering(fuel: 1_000_000),
            engine: EngineDescription(name: "wasmtime", version: "48.0.0", profile: code),
            started: Timestamp(milliseconds: 1_800_000_000_100),
            finished: Timestamp(milliseconds: 1_800_000_000_200))
        let count = 20_000
        let clock = ContinuousClock()
        var start = clock.now
        var last = JobExecution.blocks(of: receipt, manifest: manifest)
        for _ in 0..<count { last = JobExecution.blocks(of: receipt, manifest: manifest) }
        let made = Double(count) / seconds(clock.now - start)
        start = clock.now
        for _ in 0..<count {
            last.start = Block(last.start.bytes, codec: .raw)
            last.end = Block(last.end.bytes, codec: .raw)
        }
        return (made, Double(count) / seconds(clock.now - start))
    }

    /// The snapshots of one execution.
    private func sampleBytes() throws -> [[UInt8]] {
        let running = try document(1).becoming(.running)
        return [running.bytes, try ended(running).bytes]
    }

    private func document(_ number: Int) throws -> ExecutionDocument {
        let digits = String(number, radix: 16)
        let uid = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
        var document = ExecutionDocument(
            uid: try ExecutionUID(uid), protocolName: try ProtocolName("bench.run"),
            context: try ContextPath("/jobs"), timestamp: Timestamp(milliseconds: 1_800_000_000_000))
        try document.set("config", to: .object([DocumentMember("fuel", .integer(100_000_000))]))
        try document.set("input", to: .object([DocumentMember("stdin", .string("number \(number)"))]))
        return document
    }

    private func ended(_ document: ExecutionDocument) throws -> ExecutionDocument {
        var document = document
        try document.set("result", to: .object([DocumentMember("outcome", .string("ok"))]))
        return try document.becoming(.completed)
    }

    /// Both snapshots of every execution, made, hashed and stored, a group in one durable commit.
    private func blocks(_ directory: String) throws -> Double {
        let store = try Store(directory: directory)
        let groups = Self.blockGroups
        var number = 0
        let clock = ContinuousClock()
        let start = clock.now
        for _ in 0..<groups {
            var blocks: [Block] = []
            blocks.reserveCapacity(2 * Self.groupSize)
            for _ in 0..<Self.groupSize {
                let running = try document(number).becoming(.running)
                number += 1
                blocks.append(running.block)
                blocks.append(try ended(running).block)
            }
            try store.blobs.putBlobs(blocks)
        }
        return Double(number) / Self.seconds(clock.now - start)
    }

    private func files(_ root: String) throws -> Double {
        let store = try ExecutionStore(root: root) { _ in }
        let groups = Self.fileGroups
        var number = 0
        let clock = ContinuousClock()
        let start = clock.now
        for _ in 0..<groups {
            var running: [ExecutionDocument] = []
            for _ in 0..<Self.groupSize {
                running.append(try document(number).becoming(.running))
                number += 1
            }
            let begun = try store.commit(running.map { .create($0) })
            _ = try store.commit(begun.map { .complete($0) })
        }
        return Double(number) / Self.seconds(clock.now - start)
    }

    /// A log of half a million executions that began and ended: read and each listed, and only its newlines counted.
    private func listing() throws -> (listed: Double, newlines: Double) {
        var bytes: [UInt8] = []
        for number in 0..<500_000 {
            let running = try Self.lean(number)
            bytes += LogEntry.start(running).line
            bytes +=
                LogEntry.transition(
                    uid: running.uid, status: .completed,
                    timestamp: Timestamp(milliseconds: 1_800_000_000_500), error: nil
                ).line
        }
        let clock = ContinuousClock()
        var best = 1_000.0
        for _ in 0..<3 {
            let start = clock.now
            let log = try ExecutionLog(bytes)
            var ended = 0
            for one in log where one.endedAt != nil { ended += 1 }
            guard ended == 500_000 else { throw BenchFailure("\(ended) of 500,000 executions were listed") }
            best = min(best, Self.seconds(clock.now - start))
        }
        let start = clock.now
        var newlines = 0
        for byte in bytes where byte == 0x0A { newlines += 1 }
        guard newlines == 1_000_000 else { throw BenchFailure("\(newlines) lines were counted") }
        return (best, Self.seconds(clock.now - start))
    }

    private static func lean(_ number: Int) throws -> ExecutionDocument {
        let digits = String(number, radix: 16)
        let uid = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
        return try ExecutionDocument(
            uid: try ExecutionUID(uid), protocolName: try ProtocolName("bench.run"),
            context: try ContextPath("/jobs"), timestamp: Timestamp(milliseconds: 1_800_000_000_000)
        ).becoming(.running)
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
