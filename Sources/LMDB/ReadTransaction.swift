internal import CLMDB

/// A consistent view of an environment, ended when it goes out of scope.
///
/// Used by one thread at a time. While it is open the map does not grow and the pages it sees are
/// not used again, so it is to be short.
@safe
public struct ReadTransaction: ~Copyable, ReadableTransaction {
    private let environment: Environment
    private var handle: OpaquePointer?

    /// Takes over `handle`; the environment gets it back.
    init(adopting handle: OpaquePointer, of environment: Environment) {
        self.environment = environment
        unsafe self.handle = handle
    }

    deinit {
        if let handle = unsafe handle { unsafe environment.endRead(handle) }
    }

    /// Ends it early; what is asked of it afterwards fails with ``LMDBError/Kind/ended``.
    public mutating func end() {
        guard let handle = unsafe handle else { return }
        unsafe self.handle = nil
        unsafe environment.endRead(handle)
    }

    public borrowing func access() throws(LMDBError) -> TransactionAccess {
        guard let handle = unsafe handle else {
            throw LMDBError(kind: .ended, "the read transaction has ended")
        }
        return unsafe TransactionAccess(handle: handle)
    }
}
