internal import CBaseline
internal import IPLD
internal import MeshCore
internal import MeshStorage
internal import MeshStore

/// What both sides of ``StoreBench`` write, made before the clock starts.
struct StoreLoad {
    let commitCount: Int
    let recordsPerCommit: Int
    private let blockByteCount = 435
    private let blocks: [Block]
    /// For each commit, what goes into the tables.
    private let rows: [[Row]]
    private let digestBytes: [UInt8]
    private let blockBytes: [UInt8]
    private let author: [UInt8]
    private let scope: [UInt8]
    private let mergeThreshold: Int
    private let mergeSlice: Int

    private struct Row {
        let table: StorageTable
        let key: [UInt8]
        let value: [UInt8]
    }

    init(commitCount: Int, recordsPerCommit: Int, _ options: StoreOptions) {
        self.commitCount = commitCount
        self.recordsPerCommit = recordsPerCommit
        mergeThreshold = options.mergeThreshold
        mergeSlice = options.mergeSlice
        var generator = SeededGenerator(seed: 1)
        var blocks: [Block] = []
        var digestBytes: [UInt8] = []
        var blockBytes: [UInt8] = []
        for _ in 0..<commitCount * recordsPerCommit {
            var bytes: [UInt8] = []
            while bytes.count < 435 { bytes.append(UInt8(truncatingIfNeeded: generator.next())) }
            let block = Block(bytes, codec: .dagCBOR)
            block.cid.digest.append(to: &digestBytes)
            blockBytes += bytes
            blocks.append(block)
        }
        self.blocks = blocks
        self.digestBytes = digestBytes
        self.blockBytes = blockBytes
        let author = (0..<32).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        let scope = (0..<32).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        rows = (0..<commitCount).map { commit in
            let first = commit * recordsPerCommit
            return Self.rows(commit: commit, blocks[first..<first + recordsPerCommit], author, scope)
        }
        self.author = author
        self.scope = scope
    }

    // MARK: - Ours

    /// Writes the load through a ``Store`` and returns the seconds of each commit.
    func write(_ directory: String, _ options: StoreOptions) throws -> [Double] {
        let store = try Store(directory: directory, options: options)
        var seconds: [Double] = []
        seconds.reserveCapacity(commitCount)
        for commit in 0..<commitCount {
            let start = ContinuousClock.now
            try store.write { writer throws(StorageError) in
                for row in rows[commit] { try writer.put(row.value, forKey: row.key, in: row.table) }
                for index in commit * recordsPerCommit..<(commit + 1) * recordsPerCommit {
                    try writer.putBlock(blocks[index].bytes, cid: blocks[index].cid)
                }
            }
            seconds.append(start.duration(to: .now) / .seconds(1))
        }
        while try store.mergeIndex(atMost: 10_000) > 0 {}
        return seconds
    }

    /// The rows that an engine writes beside the blocks; the C loop writes the same.
    private static func rows(
        commit: Int, _ blocks: ArraySlice<Block>, _ author: [UInt8], _ scope: [UInt8]
    ) -> [Row] {
        let number = bigEndian(UInt64(commit))
        let feed = author + scope
        let head = blocks.first?.cid.bytes ?? []
        var rows = [
            Row(table: .feeds, key: feed + number, value: head),
            Row(table: .frontier, key: feed, value: head + number),
            Row(table: .arrival, key: number, value: head),
        ]
        for (index, block) in blocks.enumerated() {
            let digest = block.cid.digest.bytes
            rows.append(Row(table: .jobEntries, key: number + digest, value: [1]))
            if index % 4 == 0 {
                let record = [UInt8](repeating: UInt8(index & 0xff), count: 300)
                rows.append(Row(table: .jobs, key: digest, value: record))
            }
        }
        return rows
    }

    private static func bigEndian(_ number: UInt64) -> [UInt8] {
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe [UInt8]($0) }
    }

    /// Reads blocks in a random order, each in a snapshot of its own; the seconds for one.
    func read(_ directory: String, _ options: StoreOptions) throws -> Double {
        let store = try Store(directory: directory, options: options)
        let order = readOrder
        let start = ContinuousClock.now
        for index in order {
            let expected = blocks[Int(index)]
            let found = try store.read { reader throws(StorageError) in try reader.block(expected.cid) }
            guard let found, found[0] == expected.bytes[0] else {
                throw BenchFailure("the store lost a block")
            }
        }
        return (start.duration(to: .now) / .seconds(1)) / Double(order.count)
    }

    private var readOrder: [UInt32] {
        var generator = SeededGenerator(seed: 2)
        return (0..<200_000).map { _ in UInt32.random(in: 0..<UInt32(blocks.count), using: &generator) }
    }

    // MARK: - Raw C

    /// Writes the load with liblmdb in C and returns the seconds of each commit.
    func writeInC(_ directory: String) throws -> [Double] {
        var seconds = [Double](repeating: 0, count: commitCount)
        let result = unsafe lend { load in
            unsafe mesh_store_write(directory, load, &seconds)
        }
        guard result == 0 else { throw BenchFailure("the C loop failed with \(result)") }
        return seconds
    }

    /// Reads as ``read(_:_:)`` does, in C; the seconds for one.
    func readInC(_ directory: String) throws -> Double {
        let order = readOrder
        var seconds = 0.0
        let result = unsafe lend { load in
            unsafe mesh_store_read(directory, load, order, order.count, &seconds)
        }
        guard result == 0 else { throw BenchFailure("the C loop failed with \(result)") }
        return seconds / Double(order.count)
    }

    private func lend(_ body: (UnsafePointer<mesh_store_load>) -> Int32) -> Int32 {
        unsafe digestBytes.withUnsafeBufferPointer { digests in
            unsafe blockBytes.withUnsafeBufferPointer { blocks in
                unsafe author.withUnsafeBufferPointer { author in
                    unsafe scope.withUnsafeBufferPointer { scope in
                        var load = unsafe mesh_store_load(
                            commit_count: commitCount, records_per_commit: recordsPerCommit,
                            block_bytes: blockByteCount, digests: digests.baseAddress,
                            blocks: blocks.baseAddress, author: author.baseAddress, scope: scope.baseAddress,
                            merge_threshold: mergeThreshold, merge_slice: mergeSlice)
                        return unsafe body(&load)
                    }
                }
            }
        }
    }
}
