internal import CLMDB
internal import Glibc
internal import Synchronization

/// One LMDB environment: a directory with a data file that is mapped into memory.
///
/// There is one owner per directory in a process, because LMDB's locks fall when any descriptor of
/// the file is closed; whoever opens it keeps others out. Reads may come from any thread and never
/// wait for the writer; write transactions are one at a time, begun and ended on one thread.
///
/// The map starts small and grows when a transaction needs more, for which it waits until no read
/// transaction is open: keep reads short, and never begin a read inside a read.
@safe
public final class Environment: @unchecked Sendable {
    /// How an environment is opened.
    public struct Options: Sendable {
        /// The size of the map to begin with, in bytes; address space, not disk.
        public var mapBytes: Int
        /// The size beyond which the map does not grow, in bytes.
        public var mapBytesMax: Int
        /// How many named databases there may be.
        public var databaseCountMax: Int
        /// How many read transactions may be open at once.
        public var readerCountMax: Int

        public init(
            mapBytes: Int = 64 << 20, mapBytesMax: Int = 64 << 30, databaseCountMax: Int = 32,
            readerCountMax: Int = 1024
        ) {
            self.mapBytes = mapBytes
            self.mapBytesMax = mapBytesMax
            self.databaseCountMax = databaseCountMax
            self.readerCountMax = readerCountMax
        }
    }

    // LMDB synchronises its environment by itself, but for growth, which `growth` guards: read
    // transactions share it while they are open.
    let handle: OpaquePointer
    private let growth = ReadWriteLock()
    private let mapBytesMax: Int
    private let idle = Mutex<[IdleReader]>([])
    private static let idleCountMax = 64

    /// A read transaction that has been reset and waits to be used again.
    @safe
    private struct IdleReader: @unchecked Sendable {
        // Without thread-local slots a reset transaction belongs to no thread.
        let handle: OpaquePointer
    }

    /// Opens the environment in `directory`, which exists, with files of mode 0600.
    ///
    /// Slots that killed processes left behind are cleared.
    public init(directory: String, options: Options) throws(LMDBError) {
        var created: OpaquePointer?
        try unsafe check(mdb_env_create(&created), "mdb_env_create")
        guard let created = unsafe created else {
            throw LMDBError(kind: .other, "mdb_env_create gave no environment")
        }
        let pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = max(options.mapBytes, 16 * pageBytes) / pageBytes * pageBytes
        do throws(LMDBError) {
            try unsafe check(
                mdb_env_set_mapsize(created, min(start, options.mapBytesMax)), "mdb_env_set_mapsize")
            try unsafe check(
                mdb_env_set_maxdbs(created, MDB_dbi(options.databaseCountMax)), "mdb_env_set_maxdbs")
            try unsafe check(
                mdb_env_set_maxreaders(created, UInt32(options.readerCountMax)), "mdb_env_set_maxreaders")
            // Read-ahead would fetch neighbours of random keys from a map larger than memory.
            let flags = UInt32(MDB_NOTLS | MDB_NORDAHEAD)
            try unsafe check(mdb_env_open(created, directory, flags, 0o600), "mdb_env_open")
            var stale: Int32 = 0
            try unsafe check(mdb_reader_check(created, &stale), "mdb_reader_check")
        } catch {
            unsafe mdb_env_close(created)
            throw error
        }
        unsafe handle = created
        mapBytesMax = options.mapBytesMax
    }

    deinit {
        for reader in idle.withLock({ $0 }) { unsafe mdb_txn_abort(reader.handle) }
        unsafe mdb_env_close(handle)
    }

    /// The size of the map, in bytes.
    public var mapBytes: Int {
        var information = unsafe MDB_envinfo()
        unsafe mdb_env_info(handle, &information)
        return unsafe Int(information.me_mapsize)
    }

    /// How much of the map has been handed out, in bytes: the reach of the data file.
    public var usedBytes: Int {
        var information = unsafe MDB_envinfo()
        var statistics = MDB_stat()
        unsafe mdb_env_info(handle, &information)
        unsafe mdb_env_stat(handle, &statistics)
        return unsafe (Int(information.me_last_pgno) + 1) * Int(statistics.ms_psize)
    }

    /// Clears the slots of readers whose processes have died, and returns how many there were.
    @discardableResult
    public func clearStaleReaders() throws(LMDBError) -> Int {
        var stale: Int32 = 0
        try unsafe check(mdb_reader_check(handle, &stale), "mdb_reader_check")
        return Int(stale)
    }

    /// Begins a read transaction: a snapshot of what was last committed.
    public func beginRead() throws(LMDBError) -> ReadTransaction {
        growth.lockShared()
        if let reader = idle.withLock({ $0.popLast() }) {
            if unsafe mdb_txn_renew(reader.handle) == MDB_SUCCESS {
                return unsafe ReadTransaction(adopting: reader.handle, of: self)
            }
            unsafe mdb_txn_abort(reader.handle)
        }
        var begun: OpaquePointer?
        let result = unsafe mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &begun)
        guard result == MDB_SUCCESS, let begun = unsafe begun else {
            growth.unlock()
            throw LMDBError(number: result, operation: "mdb_txn_begin")
        }
        return unsafe ReadTransaction(adopting: begun, of: self)
    }

    /// Begins the write transaction, waiting for the one before it.
    ///
    /// The map grows ahead of need where no reader is in the way, so that it seldom has to wait for them.
    public func beginWrite() throws(LMDBError) -> WriteTransaction {
        try growAhead()
        return try unsafe WriteTransaction(adopting: beginWriteHandle(), of: self)
    }

    func beginWriteHandle() throws(LMDBError) -> OpaquePointer {
        var begun: OpaquePointer?
        try unsafe check(mdb_txn_begin(handle, nil, 0, &begun), "mdb_txn_begin")
        guard let begun = unsafe begun else {
            throw LMDBError(kind: .other, "mdb_txn_begin gave no transaction")
        }
        return unsafe begun
    }

    /// Takes back a read transaction that `beginRead` gave out.
    func endRead(_ reader: OpaquePointer) {
        unsafe mdb_txn_reset(reader)
        let returned = unsafe IdleReader(handle: reader)
        let kept = idle.withLock { idle in
            guard idle.count < Self.idleCountMax else { return false }
            idle.append(returned)
            return true
        }
        if !kept { unsafe mdb_txn_abort(reader) }
        growth.unlock()
    }

    /// Doubles the map, once no read transaction is open; the caller has no write transaction.
    ///
    /// - Throws: ``LMDBError/Kind/mapFull`` when it has its full size already.
    func grow() throws(LMDBError) {
        growth.lockAlone()
        defer { growth.unlock() }
        try doubleMap()
    }

    private func growAhead() throws(LMDBError) {
        let present = mapBytes
        guard usedBytes > present / 2, present < mapBytesMax, growth.tryLockAlone() else { return }
        defer { growth.unlock() }
        try doubleMap()
    }

    private func doubleMap() throws(LMDBError) {
        let present = mapBytes
        guard present < mapBytesMax else {
            throw LMDBError(
                kind: .mapFull, number: MDB_MAP_FULL, "the map has its full size of \(mapBytesMax) bytes")
        }
        try unsafe check(mdb_env_set_mapsize(handle, min(present * 2, mapBytesMax)), "mdb_env_set_mapsize")
    }
}
