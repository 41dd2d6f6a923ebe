internal import CLMDB
internal import Glibc

/// What LMDB, or the system beneath it, said no to.
public struct LMDBError: Error, Sendable, CustomStringConvertible {
    /// The kinds that callers tell apart.
    public enum Kind: Sendable, Equatable {
        /// The map is full; ``WriteTransaction/restart()`` grows it.
        case mapFull
        /// No room: the disk, a quota, a file-size limit, or too many pages in one transaction.
        case diskFull
        /// The system refused to open, read or write a file.
        case access
        /// The file is not one of LMDB's, or contradicts itself.
        case corrupt
        /// A key is empty or longer than 511 bytes.
        case keySize
        /// A key to append does not sort behind the last one.
        case notInOrder
        /// The transaction has ended.
        case ended
        /// Anything else: a fault in this program.
        case other
    }

    public let kind: Kind
    /// The number that LMDB or the system gave; 0 where the wrapper itself refused.
    public let number: Int32
    /// The function that failed and the library's words for it.
    public let description: String

    init(kind: Kind, number: Int32 = 0, _ description: String) {
        self.kind = kind
        self.number = number
        self.description = description
    }

    init(number: Int32, operation: StaticString) {
        let text = unsafe mdb_strerror(number).map { unsafe String(cString: $0) } ?? "unknown failure"
        self.init(kind: Self.kind(of: number), number: number, "\(operation): \(text)")
    }

    private static func kind(of number: Int32) -> Kind {
        switch number {
        case MDB_MAP_FULL: .mapFull
        case ENOSPC, EFBIG, EDQUOT, MDB_TXN_FULL: .diskFull
        case EACCES, EPERM, EROFS, EIO, ENOENT, ENOTDIR, ENOMEM, EMFILE, ENFILE, EAGAIN, EBUSY: .access
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH, MDB_PANIC,
            MDB_INCOMPATIBLE:
            .corrupt
        case MDB_BAD_VALSIZE: .keySize
        case MDB_KEYEXIST: .notInOrder
        default: .other
        }
    }
}

/// Throws unless `number` says success.
func check(_ number: Int32, _ operation: StaticString) throws(LMDBError) {
    if number != MDB_SUCCESS { throw LMDBError(number: number, operation: operation) }
}
