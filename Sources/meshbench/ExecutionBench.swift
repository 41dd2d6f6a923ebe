import ExecutionDocuments
import ExecutionStore
import Foundation
import IPLD
import MeshCore
import MeshStorage
import MeshStore

/// Execution documents: as blocks in the node's store, as files, and the log that lists them.
///
/// Beside the durable figures stands what the disk gives: how often a second it can be waited for.
struct ExecutionBench: Bench {
    let name = "exec"
    let summary = "execution documents made durable as blocks and as files, and a log of 10^6 lines listed"

    private static let groupSize = 1_000

    func run() throws -> [BenchRow] {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("meshbench-exec-\(ProcessInfo.processInfo.processIdentifier)").path
        try FileManager.default.createDirectory(atPath: folder + "/files", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return [
            BenchRow(
                what: "executions kept durably as blocks, start and end each, \(Self.groupSize) a commit",
                ours: try blocks(folder + "/store"), unit: "executions/s", beside: nil, besideValue: nil,
                gate: 20_000, higherIsBetter: true),
            BenchRow(
                what: "executions created and completed as files, \(Self.groupSize) a group",
                ours: try files(folder + "/files"), unit: "executions/s", beside: nil, besideValue: nil,
                gate: nil, higherIsBetter: true),
            BenchRow(
                what: "log of 10^6 lines read and listed", ours: try listing(), unit: "s", beside: nil,
                besideValue: nil, gate: 1, higherIsBetter: false),
        ]
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
        let groups = 20
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
        let groups = 4
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

    /// A log of half a million executions that began and ended, read and each listed.
    private func listing() throws -> Double {
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
        return best
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
