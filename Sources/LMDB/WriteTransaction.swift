internal import CLMDB

/// A write that takes effect when committed and vanishes otherwise.
///
/// Begun, used and ended on one thread. After any failure but ``LMDBError/Kind/keySize`` it can
/// only be aborted or restarted.
@safe
public struct WriteTransaction: ~Copyable, ReadableTransaction {
    private let environment: Environment
    private var handle: OpaquePointer?

    /// Takes over `handle`; nothing else may end it.
    init(adopting handle: OpaquePointer, of environment: Environment) {
        self.environment = environment
        unsafe self.handle = handle
    }

    deinit {
        if let handle = unsafe handle { unsafe mdb_txn_abort(handle) }
    }

    public borrowing func access() throws(LMDBError) -> TransactionAccess {
        guard let handle = unsafe handle else {
            throw LMDBError(kind: .ended, "the write transaction has ended")
        }
        return unsafe TransactionAccess(handle: handle)
    }

    /// Makes the writes durable: they are on the disk when this returns.
    ///
    /// The transaction has ended whether or not this succeeds.
    public mutating func commit() throws(LMDBError) {
        guard let handle = unsafe handle else {
            throw LMDBError(kind: .ended, "the write transaction has ended")
        }
        unsafe self.handle = nil
        try unsafe check(mdb_txn_commit(handle), "mdb_txn_commit")
    }

    /// Drops the writes.
    ///
    /// Doing it again is harmless.
    public mutating func abort() {
        guard let handle = unsafe handle else { return }
        unsafe self.handle = nil
        unsafe mdb_txn_abort(handle)
    }

    /// Drops the writes, grows the map and begins again: what to do about ``LMDBError/Kind/mapFull``.
    ///
    /// - Throws: ``LMDBError/Kind/mapFull`` when the map has its full size; the transaction has
    ///   then ended.
    public mutating func restart() throws(LMDBError) {
        abort()
        try environment.grow()
        unsafe handle = try environment.beginWriteHandle()
    }

    /// Opens a database by name, creating it where it is missing.
    ///
    /// The handle may be used in other transactions once this one has been committed.
    public borrowing func open(_ name: String, integerKeys: Bool = false) throws(LMDBError) -> Database {
        let access = try access()
        var identifier: MDB_dbi = 0
        let flags = UInt32(MDB_CREATE | (integerKeys ? MDB_INTEGERKEY : 0))
        try unsafe check(mdb_dbi_open(access.handle, name, flags, &identifier), "mdb_dbi_open")
        return Database(identifier: identifier)
    }

    /// Stores `value` under `key`, in place of what was there.
    public borrowing func put(
        _ value: [UInt8], forKey key: [UInt8], in database: Database
    ) throws(LMDBError) {
        let access = try access()
        let result = unsafe lend(key) { key in
            unsafe lend(value) { value in
                unsafe mdb_put(access.handle, database.identifier, &key, &value, 0)
            }
        }
        try check(result, "mdb_put")
    }

    /// Appends a value under an integer key above every other; `fill` writes all of the bytes it is lent.
    ///
    /// - Throws: ``LMDBError/Kind/notInOrder`` when a key as great is there.
    public borrowing func append(
        integerKey: UInt64, byteCount: Int, in database: Database,
        _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(LMDBError) {
        let access = try access()
        var place = unsafe MDB_val(mv_size: byteCount, mv_data: nil)
        let result = unsafe lend(integerKey) { key in
            unsafe mdb_put(
                access.handle, database.identifier, &key, &place, UInt32(MDB_APPEND | MDB_RESERVE))
        }
        try check(result, "mdb_put")
        unsafe fill(UnsafeMutableRawBufferPointer(start: place.mv_data, count: byteCount))
    }

    /// Removes `key`, and returns whether it was there.
    @discardableResult
    public borrowing func remove(_ key: [UInt8], in database: Database) throws(LMDBError) -> Bool {
        let access = try access()
        let result = unsafe lend(key) { unsafe mdb_del(access.handle, database.identifier, &$0, nil) }
        if result == MDB_NOTFOUND || result == MDB_BAD_VALSIZE { return false }
        try check(result, "mdb_del")
        return true
    }

    /// Empties a database.
    public borrowing func removeAll(in database: Database) throws(LMDBError) {
        let access = try access()
        try unsafe check(mdb_drop(access.handle, database.identifier, 0), "mdb_drop")
    }
}
