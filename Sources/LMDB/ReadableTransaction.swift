internal import CLMDB
internal import Glibc

/// A named, ordered database of an environment; a small number, valid as long as the environment.
public struct Database: Sendable, Hashable {
    let identifier: UInt32
}

/// A key and its value, copied out of the map.
public struct Pair: Sendable, Hashable {
    public let key: [UInt8]
    public let value: [UInt8]
}

/// An open transaction as this module's own code sees it.
@safe
public struct TransactionAccess {
    // Borrowed from the transaction for the length of one call.
    let handle: OpaquePointer
}

/// What both kinds of transaction can do.
public protocol ReadableTransaction: ~Copyable {
    /// For this module: the open transaction, or an error with ``LMDBError/Kind/ended``.
    borrowing func access() throws(LMDBError) -> TransactionAccess
}

extension ReadableTransaction where Self: ~Copyable {
    /// A copy of the value under exactly `key`; `nil` where there is none.
    public borrowing func value(forKey key: [UInt8], in database: Database) throws(LMDBError) -> [UInt8]? {
        let access = try access()
        var found = unsafe MDB_val()
        let result = unsafe lend(key) { unsafe mdb_get(access.handle, database.identifier, &$0, &found) }
        guard try isFound(result, "mdb_get") else { return nil }
        return unsafe copy(found)
    }

    /// Whether there is a value under exactly `key`.
    public borrowing func contains(_ key: [UInt8], in database: Database) throws(LMDBError) -> Bool {
        let access = try access()
        var found = unsafe MDB_val()
        let result = unsafe lend(key) { unsafe mdb_get(access.handle, database.identifier, &$0, &found) }
        return try isFound(result, "mdb_get")
    }

    /// A copy of part of the value under an integer key; `nil` where there is no such key.
    ///
    /// The bytes that stand right before `range` must be those of `mark`, which proves the place right.
    ///
    /// - Throws: ``LMDBError/Kind/corrupt`` where the value ends before `range` does, or other bytes
    ///   than `mark` precede it.
    public borrowing func slice(
        _ range: Range<Int>, after mark: [UInt8], ofValueForIntegerKey key: UInt64, in database: Database
    ) throws(LMDBError) -> [UInt8]? {
        let access = try access()
        var found = unsafe MDB_val()
        let result = unsafe lend(key) { unsafe mdb_get(access.handle, database.identifier, &$0, &found) }
        guard try isFound(result, "mdb_get") else { return nil }
        let bytes = unsafe UnsafeRawBufferPointer(start: found.mv_data, count: found.mv_size)
        guard range.lowerBound >= mark.count, range.upperBound <= bytes.count,
            unsafe equal(bytes, at: range.lowerBound - mark.count, mark)
        else {
            throw LMDBError(
                kind: .corrupt, "the value of step \(key) has something else at byte \(range.lowerBound)")
        }
        return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    /// The first integer key at or above `key` with a copy of its value.
    public borrowing func next(
        fromIntegerKey key: UInt64, in database: Database
    ) throws(LMDBError) -> (key: UInt64, value: [UInt8])? {
        let cursor = try Cursor(access(), database)
        var found = unsafe MDB_val()
        var position = unsafe MDB_val()
        let result = unsafe lend(key) { wanted in
            unsafe position = wanted
            return unsafe mdb_cursor_get(cursor.handle, &position, &found, MDB_SET_RANGE)
        }
        guard try isFound(result, "mdb_cursor_get") else { return nil }
        return try unsafe (integer(position), copy(found))
    }

    /// The greatest integer key.
    public borrowing func lastIntegerKey(in database: Database) throws(LMDBError) -> UInt64? {
        let cursor = try Cursor(access(), database)
        var found = unsafe MDB_val()
        var position = unsafe MDB_val()
        let result = unsafe mdb_cursor_get(cursor.handle, &position, &found, MDB_LAST)
        guard try isFound(result, "mdb_cursor_get") else { return nil }
        return try unsafe integer(position)
    }

    /// How many keys there are.
    public borrowing func count(of database: Database) throws(LMDBError) -> Int {
        let access = try access()
        var statistics = MDB_stat()
        try unsafe check(mdb_stat(access.handle, database.identifier, &statistics), "mdb_stat")
        return Int(statistics.ms_entries)
    }

    /// Up to `limit` pairs whose keys start with `prefix`, in order or in reverse.
    ///
    /// They begin at the first key not below `start`, or in reverse at the last one not above it; an
    /// empty `start` is the respective end. `exclusive` leaves out `start` itself, which is how a scan goes
    /// on behind the last key it gave.
    public borrowing func pairs(
        in database: Database, prefix: [UInt8], from start: [UInt8], exclusive: Bool, reversed: Bool,
        limit: Int
    ) throws(LMDBError) -> [Pair] {
        let cursor = try Cursor(access(), database)
        var key = unsafe MDB_val()
        var value = unsafe MDB_val()
        var result =
            unsafe reversed
            ? cursor.seekBackward(prefix, start, exclusive, &key, &value)
            : cursor.seekForward(prefix, start, exclusive, &key, &value)
        var pairs: [Pair] = []
        while try isFound(result, "mdb_cursor_get"), unsafe starts(key, with: prefix) {
            unsafe pairs.append(Pair(key: copy(key), value: copy(value)))
            if pairs.count >= limit { break }
            result = unsafe mdb_cursor_get(cursor.handle, &key, &value, reversed ? MDB_PREV : MDB_NEXT)
        }
        return pairs
    }
}

/// A position in a database, closed when it goes out of scope.
@safe
struct Cursor: ~Copyable {
    let handle: OpaquePointer

    init(_ access: TransactionAccess, _ database: Database) throws(LMDBError) {
        var opened: OpaquePointer?
        try unsafe check(mdb_cursor_open(access.handle, database.identifier, &opened), "mdb_cursor_open")
        guard let opened = unsafe opened else {
            throw LMDBError(kind: .other, "mdb_cursor_open gave no cursor")
        }
        unsafe handle = opened
    }

    deinit { unsafe mdb_cursor_close(handle) }

    /// Whether a key is above every key that is there.
    borrowing func isAboveAll(_ key: inout MDB_val) -> Bool {
        var last = unsafe MDB_val()
        var value = unsafe MDB_val()
        let result = unsafe mdb_cursor_get(handle, &last, &value, MDB_LAST)
        if result == MDB_NOTFOUND { return true }
        guard result == MDB_SUCCESS else { return false }
        let common = unsafe min(key.mv_size, last.mv_size)
        let order = unsafe memcmp(key.mv_data, last.mv_data, common)
        return unsafe order != 0 ? order > 0 : key.mv_size > last.mv_size
    }

    borrowing func seekForward(
        _ prefix: [UInt8], _ start: [UInt8], _ exclusive: Bool, _ key: inout MDB_val, _ value: inout MDB_val
    ) -> Int32 {
        let from = start.lexicographicallyPrecedes(prefix) ? prefix : start
        guard !from.isEmpty else { return unsafe mdb_cursor_get(handle, &key, &value, MDB_FIRST) }
        let result = unsafe seek(from, &key, &value)
        guard exclusive, result == MDB_SUCCESS, unsafe equals(key, from), from == start else { return result }
        return unsafe mdb_cursor_get(handle, &key, &value, MDB_NEXT)
    }

    borrowing func seekBackward(
        _ prefix: [UInt8], _ start: [UInt8], _ exclusive: Bool, _ key: inout MDB_val, _ value: inout MDB_val
    ) -> Int32 {
        // The keys of a prefix end where its successor begins.
        let end = successor(of: prefix)
        let startsInside = !start.isEmpty && (end.isEmpty || start.lexicographicallyPrecedes(end))
        let from = startsInside ? start : end
        guard !from.isEmpty else { return unsafe mdb_cursor_get(handle, &key, &value, MDB_LAST) }
        let result = unsafe seek(from, &key, &value)
        if result == MDB_NOTFOUND { return unsafe mdb_cursor_get(handle, &key, &value, MDB_LAST) }
        if result == MDB_SUCCESS, startsInside, !exclusive, unsafe equals(key, from) { return result }
        guard result == MDB_SUCCESS else { return result }
        return unsafe mdb_cursor_get(handle, &key, &value, MDB_PREV)
    }

    /// Moves to the first key at or above `wanted`.
    private borrowing func seek(_ wanted: [UInt8], _ key: inout MDB_val, _ value: inout MDB_val) -> Int32 {
        unsafe lend(wanted) { lent in
            unsafe key = lent
            return unsafe mdb_cursor_get(handle, &key, &value, MDB_SET_RANGE)
        }
    }
}

/// The least key above every key that starts with `prefix`; empty where there is none.
private func successor(of prefix: [UInt8]) -> [UInt8] {
    var end = prefix
    while let last = end.popLast() {
        if last < 0xff { return end + [last + 1] }
    }
    return []
}

/// Whether LMDB found what it was asked for.
private func isFound(_ result: Int32, _ operation: StaticString) throws(LMDBError) -> Bool {
    // A key that cannot be written cannot be there either.
    if result == MDB_NOTFOUND || result == MDB_BAD_VALSIZE { return false }
    try check(result, operation)
    return true
}

/// Lends bytes to LMDB, which takes them by mutable pointer and does not write through it.
func lend(_ bytes: [UInt8], _ body: (inout MDB_val) -> Int32) -> Int32 {
    unsafe bytes.withUnsafeBytes { buffer in
        var lent = unsafe MDB_val(
            mv_size: buffer.count, mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
        return unsafe body(&lent)
    }
}

/// Lends an integer key.
func lend(_ key: UInt64, _ body: (inout MDB_val) -> Int32) -> Int32 {
    unsafe withUnsafeBytes(of: key) { buffer in
        var lent = unsafe MDB_val(
            mv_size: buffer.count, mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
        return unsafe body(&lent)
    }
}

private func copy(_ value: MDB_val) -> [UInt8] {
    unsafe [UInt8](UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
}

private func integer(_ key: MDB_val) throws(LMDBError) -> UInt64 {
    guard unsafe key.mv_size == 8, let bytes = unsafe key.mv_data else {
        throw LMDBError(kind: .corrupt, "an integer key does not have eight bytes")
    }
    return unsafe bytes.loadUnaligned(as: UInt64.self)
}

/// Whether `wanted` stands at `offset`, where there are as many bytes.
private func equal(_ bytes: UnsafeRawBufferPointer, at offset: Int, _ wanted: [UInt8]) -> Bool {
    let found = unsafe MDB_val(
        mv_size: wanted.count,
        mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress?.advanced(by: offset)))
    return unsafe equals(found, wanted)
}

private func equals(_ key: MDB_val, _ bytes: [UInt8]) -> Bool {
    unsafe key.mv_size == bytes.count && starts(key, with: bytes)
}

private func starts(_ key: MDB_val, with prefix: [UInt8]) -> Bool {
    guard unsafe key.mv_size >= prefix.count else { return false }
    return unsafe prefix.withUnsafeBytes { prefix in
        guard let bytes = unsafe key.mv_data, let wanted = prefix.baseAddress else { return true }
        return unsafe memcmp(bytes, wanted, prefix.count) == 0
    }
}
