public import IPLD
public import MeshCore
public import MeshStorage

internal import LMDB
internal import Synchronization

/// The blobs of a data directory: job code, inputs and outputs by CID, in an environment of their own.
///
/// Safe from any thread. Puts that come together share one commit.
public final class BlobStore: BlobStorage {
    private let environment: Environment
    private let blobs: Database
    private let report: FailureReport
    private let turn = WriteLock()
    private let waiting = Mutex<[Request]>([])

    /// What one caller wants stored, and what came of it.
    private final class Request: @unchecked Sendable {
        let blobs: [Block]
        // Written and read while holding `turn`.
        var result: Result<Void, StorageError>?

        init(_ blobs: [Block]) { self.blobs = blobs }
    }

    /// Opens the environment in `directory`; the caller has locked the data directory.
    init(directory: String, options: StoreOptions) throws(StorageError) {
        report = FailureReport(directory: directory)
        try DirectoryLock.create(directory)
        do throws(LMDBError) {
            environment = try Environment(
                directory: directory,
                options: .init(
                    mapBytes: options.mapBytes, mapBytesMax: options.mapBytesMax, databaseCountMax: 2))
            var transaction = try environment.beginWrite()
            blobs = try transaction.open("blobs")
            try transaction.commit()
        } catch {
            throw report.error(error)
        }
    }

    /// The reach of the data file, in bytes.
    var usedBytes: Int { environment.usedBytes }

    public func blob(_ cid: CID) throws(StorageError) -> [UInt8]? {
        do throws(LMDBError) {
            return try environment.beginRead().value(forKey: Layout.key(of: cid), in: blobs)
        } catch {
            throw report.error(error)
        }
    }

    public func hasBlob(_ cid: CID) throws(StorageError) -> Bool {
        do throws(LMDBError) {
            return try environment.beginRead().contains(Layout.key(of: cid), in: blobs)
        } catch {
            throw report.error(error)
        }
    }

    public func putBlobs(_ blobs: [Block]) throws(StorageError) {
        let request = Request(blobs)
        waiting.withLock { $0.append(request) }
        turn.acquire()
        defer { turn.release() }
        // The caller before us may have taken our blobs along.
        if request.result == nil {
            let batch = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            store(batch)
        }
        try request.result?.get()
    }

    /// Stores what several callers want in one commit; where that fails, in one for each.
    private func store(_ batch: [Request]) {
        do throws(StorageError) {
            try commit(batch)
            for request in batch { request.result = .success(()) }
        } catch {
            guard batch.count > 1 else {
                for request in batch { request.result = .failure(error) }
                return
            }
            for request in batch { store([request]) }
        }
    }

    private func commit(_ batch: [Request]) throws(StorageError) {
        do throws(LMDBError) {
            var transaction = try environment.beginWrite()
            while true {
                do throws(LMDBError) {
                    for request in batch {
                        for blob in request.blobs { try put(blob, transaction) }
                    }
                    try transaction.commit()
                    return
                } catch {
                    guard error.kind == .mapFull else { throw error }
                    try transaction.restart()
                }
            }
        } catch {
            throw report.error(error)
        }
    }

    private func put(_ blob: Block, _ transaction: borrowing WriteTransaction) throws(LMDBError) {
        let key = Layout.key(of: blob.cid)
        guard try !transaction.contains(key, in: blobs) else { return }
        try transaction.put(blob.bytes, forKey: key, in: blobs)
    }
}
