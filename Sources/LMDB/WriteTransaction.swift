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

    /// Stores rows whose keys rise: for each the length of its key (two bytes) and of its value (four), both
    /// little-endian, the key, the value.
    ///
    /// Quicker than one by one: where every key is above those that are there, no place is looked for.
    ///
    /// - Throws: ``LMDBError/Kind/corrupt`` for bytes of another form.
    public borrowing func put(rows: [UInt8], in database: Database) throws(LMDBError) {
        let cursor = try Cursor(access(), database)
        let result = unsafe rows.withUnsafeBytes { unsafe put($0, cursor) }
        guard let result else { throw LMDBError(kind: .corrupt, "rows to write are cut off") }
        try check(result, "mdb_cursor_put")
    }

    /// LMDB's answer; `nil` where a row is cut off.
    private borrowing func put(_ rows: UnsafeRawBufferPointer, _ cursor: borrowing Cursor) -> Int32? {
        var position = 0
        var flags: UInt32 = 0
        while position < rows.count {
            guard rows.count - position >= 6 else { return nil }
            let keyCount = unsafe Int(
                UInt16(littleEndian: rows.loadUnaligned(fromByteOffset: position, as: UInt16.self)))
            let valueCount = unsafe Int(
                UInt32(littleEndian: rows.loadUnaligned(fromByteOffset: position + 2, as: UInt32.self)))
            guard rows.count - position - 6 >= keyCount + valueCount, let base = rows.baseAddress
            else { return nil }
            let start = unsafe UnsafeMutableRawPointer(mutating: base + position + 6)
            var key = unsafe MDB_val(mv_size: keyCount, mv_data: start)
            var value = unsafe MDB_val(mv_size: valueCount, mv_data: start + keyCount)
            if position == 0, unsafe cursor.isAboveAll(&key) { flags = UInt32(MDB_APPEND) }
            let result = unsafe mdb_cursor_put(cursor.handle, &key, &value, flags)
            if result != MDB_SUCCESS { return result }
            position += 6 + keyCount + valueCount
        }
        return MDB_SUCCESS
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
