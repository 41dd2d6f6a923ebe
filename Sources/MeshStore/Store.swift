public import MeshCore
public import MeshStorage

internal import IPLD
internal import LMDB
internal import Synchronization

/// A data directory: the node's records in LMDB, and beside them its blobs.
///
///     directory/lock        keeps a second process out
///     directory/records/    one environment: tables, the log of blocks, the index of the log
///     directory/blobs/      another, for large bytes by CID
///
/// Use it in three calls: ``write(_:)`` for one durable transaction, ``read(_:)`` for a snapshot from
/// any thread, ``blobs`` for blobs. When ``write(_:)`` has returned, everything in it is on the disk; when it
/// has thrown, nothing of it is anywhere. That holds for a full disk too: the store stays
/// open, reads go on, and writes succeed again once there is room.
///
/// Blocks are appended in commit order, as one value for each commit, and the index by hash is merged behind
/// it in slices (see ``StoreOptions/mergeThreshold``); opening reads again what was not merged.
public final class Store: Sendable {
    /// The data directory's blobs.
    public let blobs: BlobStore
    private let records: Environment
    private let layout: Layout
    private let table: BlockTable
    private let options: StoreOptions
    private let report: FailureReport
    private let lock: DirectoryLock
    private let turn = WriteLock()
    private let progress: Progress
    private let commits = Mutex<(count: Int, last: Duration)>((0, .zero))

    /// What only the writer touches, in its turn.
    private final class Progress: @unchecked Sendable {
        // Guarded by `turn`.
        var lastStep: UInt64
        var merge: Merge?
        /// How many blocks the last commit had: what the next one makes room for.
        var lastBlockCount = 0

        init(lastStep: UInt64) { self.lastStep = lastStep }
    }

    /// Opens a data directory, creating what is missing of it, with mode 0700.
    ///
    /// - Throws: ``StorageFailure/locked`` while another store has it open, in this process or another;
    ///   ``StorageFailure/newerFormat``, ``StorageFailure/access``, ``StorageFailure/full``,
    ///   ``StorageFailure/corrupt``.
    public init(directory: String, options: StoreOptions = StoreOptions()) throws(StorageError) {
        lock = try DirectoryLock(directory: directory)
        let path = directory + "/records"
        report = FailureReport(directory: path)
        self.options = options
        try DirectoryLock.create(path)
        do throws(LMDBError) {
            records = try Environment(
                directory: path, options: .init(mapBytes: options.mapBytes, mapBytesMax: options.mapBytesMax))
        } catch {
            throw report.error(error)
        }
        layout = try Self.openLayout(records, report)
        let recovered = try Self.recover(records, layout, options, report)
        table = recovered.table
        progress = Progress(lastStep: recovered.lastStep)
        blobs = try BlobStore(directory: directory + "/blobs", options: options)
    }

    private static func openLayout(
        _ records: Environment, _ report: FailureReport
    ) throws(StorageError) -> Layout {
        let transaction: WriteTransaction
        do throws(LMDBError) { transaction = try records.beginWrite() } catch { throw report.error(error) }
        var opened = transaction
        let layout = try Layout(opened, report)
        // A dozen pages at most, which the smallest map holds.
        do throws(LMDBError) { try opened.commit() } catch { throw report.error(error) }
        return layout
    }

    /// Reads the log behind the mark up to which the index is merged.
    private static func recover(
        _ environment: Environment, _ layout: Layout, _ options: StoreOptions, _ report: FailureReport
    ) throws(StorageError) -> (table: BlockTable, lastStep: UInt64) {
        let table = BlockTable(generationCount: options.mergeThreshold)
        let lastStep: UInt64
        var damaged: UInt64?
        do throws(LMDBError) {
            let transaction = try environment.beginRead()
            var step = try layout.mergedStep(transaction)
            lastStep = max(try transaction.lastIntegerKey(in: layout.log) ?? 0, step)
            while let record = try transaction.next(fromIntegerKey: step + 1, in: layout.log) {
                step = record.key
                guard let places = LogRecord.places(in: record.value, step: step) else {
                    damaged = step
                    break
                }
                table.filling.insert(places)
            }
        } catch {
            throw report.error(error)
        }
        if let damaged {
            throw StorageError(
                .corrupt, "the log in \(report.directory) cannot be read at step \(damaged)",
                hint: "move the directory away and start the node afresh; it fetches the feeds from its peers"
            )
        }
        return (table, lastStep)
    }

    // MARK: - Reading

    /// Runs `body` on a snapshot of what was last committed, from any thread and without waiting.
    ///
    /// Reads are short and do not nest: the map cannot grow while one is open. The reader is not kept.
    public func read<Value>(
        _ body: (any StorageReader) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        let reader = try beginRead()
        defer { reader.end() }
        return try body(reader)
    }

    /// ``read(_:)`` for a closure that throws other errors too.
    public func snapshot<Value>(_ body: (any StorageReader) throws -> Value) throws -> Value {
        let reader = try beginRead()
        defer { reader.end() }
        return try body(reader)
    }

    private func beginRead() throws(StorageError) -> StoreReader {
        do throws(LMDBError) {
            let reading = try table.reading(records)
            let places = reading.places
            return StoreReader(reading.transaction, layout, places, report)
        } catch {
            throw report.error(error)
        }
    }

    // MARK: - Writing

    /// Runs `body` as one transaction, which is durable when this returns.
    ///
    /// Callers on several threads take turns; a write inside a write is a fault in the program and stops it.
    ///
    /// - Throws: What `body` throws, or why the commit failed. Nothing is left behind.
    public func write<Value>(
        _ body: (any StorageWriter) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        turn.acquire()
        defer { turn.release() }
        let writer = try beginWrite()
        defer { writer.abort() }
        let value = try body(writer)
        try commit(writer, mergingAtLeast: 0)
        return value
    }

    /// ``write(_:)`` for a closure that throws other errors too.
    public func transaction<Value>(_ body: (any StorageWriter) throws -> Value) throws -> Value {
        turn.acquire()
        defer { turn.release() }
        let writer = try beginWrite()
        defer { writer.abort() }
        let value = try body(writer)
        try commit(writer, mergingAtLeast: 0)
        return value
    }

    /// Merges up to `count` places into the index, in a commit of their own: what to do when idle.
    ///
    /// - Returns: How many were merged; 0 when there is nothing left to merge.
    @discardableResult
    public func mergeIndex(atMost count: Int) throws(StorageError) -> Int {
        precondition(count > 0, "nothing can be merged by \(count)")
        turn.acquire()
        defer { turn.release() }
        guard progress.merge != nil || table.filling.count > 0 else { return 0 }
        let writer = try beginWrite()
        defer { writer.abort() }
        return try commit(writer, mergingAtLeast: count)
    }

    private func beginWrite() throws(StorageError) -> StoreWriter {
        do throws(LMDBError) {
            return StoreWriter(
                try records.beginWrite(), layout, table.snapshot, report, expecting: progress.lastBlockCount)
        } catch {
            throw report.error(error)
        }
    }

    /// Appends the blocks, merges a slice of the index and commits.
    ///
    /// - Returns: How many places were merged.
    @discardableResult
    private func commit(_ writer: StoreWriter, mergingAtLeast idle: Int) throws(StorageError) -> Int {
        guard writer.hasChanges || idle > 0 else { return 0 }
        let start = ContinuousClock.now
        let record = LogRecord(step: progress.lastStep + 1, blocks: writer.pending)
        let slice = nextSlice(beside: record.blocks.count, idle: idle)
        let filling = table.filling
        filling.insert(record.blocks, record.places)
        do throws(StorageError) {
            try writer.commit { transaction throws(LMDBError) in
                if !record.blocks.isEmpty {
                    try unsafe transaction.append(
                        integerKey: record.step, byteCount: record.byteCount, in: layout.log
                    ) { unsafe record.write(to: $0) }
                }
                try merge(slice, transaction)
            }
        } catch {
            filling.remove(record.blocks)
            throw error
        }
        if !record.blocks.isEmpty { progress.lastStep = record.step }
        progress.lastBlockCount = record.blocks.count
        finishMerging(slice.count)
        let elapsed = start.duration(to: .now)
        commits.withLock { $0 = ($0.count + 1, elapsed) }
        return slice.count
    }

    /// What this commit merges: more than it adds, so that merging ends before the next generation is full.
    private func nextSlice(beside added: Int, idle: Int) -> ArraySlice<(cid: CID, place: Place)> {
        if progress.merge == nil {
            let waiting = table.filling.count
            guard waiting >= options.mergeThreshold || (idle > 0 && waiting > 0) else { return [] }
            progress.merge = Merge(table.beginGeneration(), lastStep: progress.lastStep)
        }
        let wanted = idle > 0 ? idle : max(options.mergeSlice, added + added / 4)
        return progress.merge?.slice(atMost: wanted) ?? []
    }

    private func merge(
        _ slice: ArraySlice<(cid: CID, place: Place)>, _ transaction: borrowing WriteTransaction
    ) throws(LMDBError) {
        guard let merge = progress.merge else { return }
        for (cid, place) in slice {
            try transaction.put(place.bytes, forKey: Layout.key(of: cid), in: layout.index)
        }
        if merge.isFinished(after: slice.count) {
            try layout.setMergedStep(merge.lastStep, transaction)
        }
    }

    private func finishMerging(_ count: Int) {
        guard let merge = progress.merge else { return }
        if merge.isFinished(after: count) {
            progress.merge = nil
            table.drop(merge.generation)
        } else {
            progress.merge?.advance(by: count)
        }
    }

    // MARK: - Care

    /// What there is to tell; cheap enough to ask every second.
    public func statistics() -> StoreStatistics {
        let commits = commits.withLock { $0 }
        return StoreStatistics(
            usedBytes: records.usedBytes, mapBytes: records.mapBytes, blobBytes: blobs.usedBytes,
            commitCount: commits.count, lastCommit: commits.last, unmergedCount: table.count)
    }

    /// Clears the slots of readers in other processes that have died; worth a call every minute.
    public func clearStaleReaders() throws(StorageError) {
        do { try records.clearStaleReaders() } catch { throw report.error(error) }
    }
}
