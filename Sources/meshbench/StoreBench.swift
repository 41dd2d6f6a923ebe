internal import CBaseline
internal import Foundation
internal import IPLD
internal import MeshCore
internal import MeshStorage
internal import MeshStore

/// Durable commits and point reads of the store, each beside the same bytes through liblmdb in C.
///
/// The C loop appends the same log, merges the same slices of the index and writes the same rows; what
/// remains is what the store adds: its look-ups for blocks that are known, its table of unmerged
/// places, its copies.
struct StoreBench: Bench {
    let name = "store"
    let summary = "durable commits and point reads, beside raw LMDB in C"

    /// How far behind raw C a figure may be.
    private static let factor = 1.5
    private static let roundCount = 4

    func run() throws -> [BenchRow] {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("meshbench-store-\(ProcessInfo.processInfo.processIdentifier)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let options = StoreOptions()
        let batches = try compare(
            StoreLoad(commitCount: 600, recordsPerCommit: 100, options), options, directory + "/batches")
        let singles = try compare(
            StoreLoad(commitCount: 1_500, recordsPerCommit: 1, options), options, directory + "/singles")
        let fsync = try fsyncTimes(directory + "/fsync")
        return [
            BenchRow(
                what: "records committed durably, 100 per commit, best round", ours: batches.ourRate * 100,
                unit: "records/s", beside: "raw LMDB in C", besideValue: batches.rawRate * 100,
                gate: batches.rawRate * 100 / Self.factor, higherIsBetter: true),
            time("durable commit of 100 records, p50", batches.ours.median, batches.raw.median),
            BenchRow(
                what: "durable commit of 100 records, p99", ours: batches.ours.percentile(0.99) * 1e6,
                unit: "µs",
                beside: "raw LMDB in C", besideValue: batches.raw.percentile(0.99) * 1e6, gate: nil,
                higherIsBetter: false),
            time("durable commit of 1 record, p50", singles.ours.median, singles.raw.median),
            BenchRow(
                what: "block read by CID, in a snapshot of its own", ours: batches.ourRead * 1e6, unit: "µs",
                beside: "raw LMDB in C", besideValue: batches.rawRead * 1e6, gate: nil, higherIsBetter: false),
            BenchRow(
                what: "fdatasync of 4 KiB on this disk, p50", ours: fsync.median * 1e6, unit: "µs",
                beside: nil,
                besideValue: nil, gate: nil, higherIsBetter: false),
        ]
    }

    private func time(_ what: String, _ ours: Double, _ raw: Double) -> BenchRow {
        BenchRow(
            what: what, ours: ours * 1e6, unit: "µs", beside: "raw LMDB in C", besideValue: raw * 1e6,
            gate: raw * 1e6 * Self.factor, higherIsBetter: false)
    }

    private struct Comparison {
        var ours = Samples([])
        var raw = Samples([])
        var ourRead = 0.0
        var rawRead = 0.0
        /// Commits per second in the best round, which the rest of the machine disturbed least.
        var ourRate = 0.0
        var rawRate = 0.0
    }

    /// Runs both sides in turn, and in turn first, so that what else the machine does hits both.
    private func compare(
        _ load: StoreLoad, _ options: StoreOptions, _ directory: String
    ) throws -> Comparison {
        var result = Comparison()
        var ours: [Double] = []
        var raw: [Double] = []
        for round in 1...Self.roundCount {
            FileHandle.standardError.write(
                Data(
                    "store: \(load.recordsPerCommit) per commit, round \(round) of \(Self.roundCount)\n".utf8)
            )
            let rawPath = "\(directory)-c-\(round)"
            let ourPath = "\(directory)-ours-\(round)"
            try FileManager.default.createDirectory(atPath: rawPath, withIntermediateDirectories: true)
            let ourRound: [Double]
            let rawRound: [Double]
            if round.isMultiple(of: 2) {
                ourRound = try load.write(ourPath, options)
                rawRound = try load.writeInC(rawPath)
            } else {
                rawRound = try load.writeInC(rawPath)
                ourRound = try load.write(ourPath, options)
            }
            ours += ourRound
            raw += rawRound
            result.ourRate = max(result.ourRate, Samples(ourRound).rate)
            result.rawRate = max(result.rawRate, Samples(rawRound).rate)
            if round == Self.roundCount {
                result.rawRead = try load.readInC(rawPath)
                result.ourRead = try load.read(ourPath, options)
            }
            try FileManager.default.removeItem(atPath: ourPath)
            try FileManager.default.removeItem(atPath: rawPath)
        }
        result.ours = Samples(ours)
        result.raw = Samples(raw)
        return result
    }

    private func fsyncTimes(_ path: String) throws -> Samples {
        var seconds = [Double](repeating: 0, count: 300)
        let result = unsafe mesh_store_fsync(path, seconds.count, &seconds)
        guard result == 0 else { throw BenchFailure("fdatasync failed with \(result)") }
        return Samples(seconds)
    }
}

/// Times of one kind, in seconds.
struct Samples {
    private let sorted: [Double]

    init(_ seconds: [Double]) { sorted = seconds.sorted() }

    var median: Double { percentile(0.5) }

    func percentile(_ fraction: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(Int(Double(sorted.count) * fraction), sorted.count - 1)]
    }

    /// How many per second.
    var rate: Double { Double(sorted.count) / sorted.reduce(0, +) }
}
